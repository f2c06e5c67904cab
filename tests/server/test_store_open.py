"""Opening: what is made, what is refused and in which words, and that a second writer stays out."""

import asyncio
import os
import sqlite3
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.schema import CreateTable

from monitor.store import Store, StoreError, schema
from monitor.store.connection import connect
from monitor.store.migration import upgrade
from tests.server.store_samples import opened, read, reading, url


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "cexwatch.db"


async def made(path: Path, *, readings: int = 1) -> None:
    async with opened(path) as store:
        await store.append_history([reading(seq) for seq in range(1, readings + 1)])


def tables(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master")]
    connection.close()
    return names


def write(path: Path, body: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(body)


def body_of(path: Path) -> bytes:
    return path.read_bytes()


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def tear(path: Path) -> None:
    """Overwrite the second half of the file."""
    kept = path.stat().st_size // 2
    path.write_bytes(path.read_bytes()[:kept].ljust(2 * kept, b"\xff"))


def after_a_crash_of_the_machine(path: Path) -> None:
    """What a holder of the lease leaves that did not end in order, and before the machine started anew."""
    Path(f"{path}.lock").write_text("1 00000000-an-earlier-start-of-this-machine\n")


def change(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement)
    connection.close()


def set_version(path: Path, version: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE schema_version SET version_num = ?", [version])
    connection.close()


async def test_folders_are_made(tmp_path: Path) -> None:
    await made(tmp_path / "a" / "b" / "cexwatch.db")
    assert (tmp_path / "a" / "b" / "cexwatch.db").exists()


async def test_a_second_writer_is_told_who_the_first_is(path: Path) -> None:
    async with opened(path):
        with pytest.raises(StoreError, match=rf"another cexwatch runs on this database \(pid {os.getpid()}\)"):
            await Store.open(url(path))
    async with opened(path) as store:
        assert await store.head() is None


async def test_a_look_at_a_running_store_reads_and_cannot_write(path: Path) -> None:
    async with opened(path) as store:
        await store.append_history([reading(1)])
        look = await Store.open(url(path), exclusive=False)
        await store.append_history([reading(2, probe="later")])
        assert await read(look) == [reading(1), reading(2, probe="later")]
        with pytest.raises(StoreError, match="readonly"):
            await look.append_history([reading(3)])
        await look.close()
        await store.append_history([reading(3)])


async def test_a_look_makes_no_database(path: Path) -> None:
    with pytest.raises(StoreError, match="there is no database"):
        await Store.open(url(path), exclusive=False)
    assert not path.parent.exists()


async def test_a_look_does_not_migrate(path: Path) -> None:
    write(path, b"")
    with pytest.raises(StoreError, match="the next `cexwatch run` migrates it"):
        await Store.open(url(path), exclusive=False)
    assert body_of(path) == b""


async def test_a_newer_schema_is_refused_and_left_alone(path: Path) -> None:
    await made(path)
    set_version(path, "0999")
    with pytest.raises(StoreError, match=f"schema 0999, and this cexwatch knows {schema.HEAD}: run the newer version"):
        await Store.open(url(path))
    set_version(path, schema.HEAD)
    async with opened(path) as store:
        assert await read(store) == [reading(1)]


async def test_a_kind_from_a_newer_version_is_named(path: Path) -> None:
    await made(path)
    change(path, "UPDATE series SET kind = 'dream'")
    async with opened(path) as store:
        with pytest.raises(StoreError, match="'dream' entries, which this version does not know"):
            await store.head()


async def test_a_body_that_cannot_be_read_is_named(path: Path) -> None:
    await made(path, readings=3)
    change(path, "UPDATE journal SET body = x'91c2' WHERE seq = 2")
    async with opened(path) as store:
        with pytest.raises(StoreError, match=r"entry 2 \(TradeActivity\) cannot be read"):
            await read(store)


async def test_the_database_of_another_program_is_refused(path: Path) -> None:
    path.parent.mkdir()
    change(path, "CREATE TABLE recipes (name TEXT)")
    with pytest.raises(StoreError, match="belongs to another program"):
        await Store.open(url(path))


async def test_a_file_that_is_no_database_is_refused_with_advice(path: Path) -> None:
    write(path, b"not a database, but long enough to look like one" * 100)
    with pytest.raises(StoreError, match=r"file is not a database.*move the file away"):
        await Store.open(url(path))
    assert body_of(path).startswith(b"not a database")


async def test_pages_are_checked_after_the_machine_went_down(path: Path) -> None:
    await made(path, readings=4000)
    tear(path)
    after_a_crash_of_the_machine(path)
    async with opened(path) as store:
        assert store.rescued is not None
        assert await read(store) == []
    assert store.rescued.aside.name == "cexwatch.db.damaged-1"


async def test_an_intact_file_opens_after_the_machine_went_down(path: Path) -> None:
    await made(path, readings=2)
    after_a_crash_of_the_machine(path)
    async with opened(path) as store:
        assert await read(store) == [reading(1), reading(2)]


@pytest.mark.parametrize(
    ("address", "told"),
    [
        pytest.param("sqlite+aiosqlite:///:memory:", "must be a file", id="memory"),
        pytest.param("sqlite+aiosqlite://", "must be a file", id="no path"),
        pytest.param("sqlite:///cexwatch.db", "sqlite\\+aiosqlite:///path", id="driver that is not async"),
        pytest.param("cexwatch.db", "URL cannot be read", id="a path"),
        pytest.param("mysql+nothing://u:secret@localhost/x", "expected sqlite\\+aiosqlite", id="unknown driver"),
        pytest.param("sqlite+aiosqlite:////dev/null/x/cexwatch.db", "Not a directory", id="folder cannot be made"),
    ],
)
async def test_an_address_that_cannot_be_used_is_explained(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, address: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("here"))  # the lease of a relative address is taken before all else
    with pytest.raises(StoreError, match=told) as caught:
        await Store.open(address)
    assert "secret" not in str(caught.value)
    assert files_in(tmp_path) == []


async def test_a_failed_open_gives_the_lease_back(path: Path) -> None:
    write(path, b"junk" * 1000)
    for _ in range(2):
        with pytest.raises(StoreError, match="not a database"):
            await Store.open(url(path))
    write(path, b"")
    await made(path)


async def test_a_migration_that_is_cut_off_leaves_nothing(path: Path) -> None:
    write(path, b"")
    engine = connect(make_url(url(path)), size=1, writes=True)
    async with engine.begin() as connection:
        await connection.run_sync(upgrade)
        await connection.rollback()
    await engine.dispose()
    assert tables(path) == []
    await made(path)


async def test_migrations_lead_to_the_tables_of_the_schema(path: Path) -> None:
    await made(path)
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE, "compare_type": True}
        )
        differences = compare_metadata(context, schema.metadata)
        version = context.get_current_revision()
    engine.dispose()
    assert differences == []
    assert (
        version == schema.HEAD == ScriptDirectory(str(Path(schema.__file__).parent / "migrations")).get_current_head()
    )


def test_the_tables_are_valid_on_postgresql() -> None:
    dialect = make_url("postgresql://").get_dialect()()
    statements = [str(CreateTable(table).compile(dialect=dialect)) for table in schema.metadata.sorted_tables]
    assert "seq BIGINT NOT NULL" in next(text for text in statements if "TABLE journal" in text)
    assert all("DATETIME" not in text and "BLOB" not in text for text in statements)


async def test_a_start_on_a_migrated_database_does_not_import_alembic(path: Path) -> None:
    await made(path)
    program = (
        "import asyncio, sys\n"
        "from monitor.store import Store\n"
        "async def look():\n"
        "    store = await Store.open(sys.argv[1])\n"
        "    await store.close()\n"
        "asyncio.run(look())\n"
        "sys.exit('alembic' in sys.modules)\n"
    )
    root = Path(__file__).parents[2]
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, url(path), cwd=root)
    assert await process.wait() == 0
