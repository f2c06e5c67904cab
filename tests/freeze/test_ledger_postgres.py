"""The ledger on PostgreSQL: what the server refuses, and what is noticed where its superuser would not be refused."""
# ruff: noqa: S608 - the statements are a test's own

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from monitor.freeze.database import DamagedError, Database, LedgerError
from monitor.freeze.entry import FreezeActivated, Origin
from monitor.freeze.ledger import Ledger
from monitor.freeze.witness import Witness
from tests.hand_clock import NOON
from tests.postgres_server import postgres_server

TABLE = "cexwatch_freeze.freeze_ledger"
ACCOUNTS = [bytes([n]) * 16 for n in range(1, 30)]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres_server() as address:
        yield address


async def sql(address: str, *statements: str) -> None:
    """As the superuser, all of them or none."""
    engine = create_async_engine(address)
    try:
        async with engine.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))
    finally:
        await engine.dispose()


@pytest.fixture
async def address(server: str) -> str:
    name = f"freeze_{uuid.uuid4().hex}"
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def activated(account: bytes, until: datetime) -> FreezeActivated:
    return FreezeActivated(
        at=NOON, account=account, key_id="k", until=until, requested_at=NOON, origin=Origin.APP, begins=True
    )


END = NOON + timedelta(days=2)


def ledger(address: str, folder: Path) -> Ledger:
    return Ledger(Database(address), Witness(folder / "witness"))


async def filled(address: str, folder: Path) -> Ledger:
    found = ledger(address, folder)
    await found.begin(NOON)
    for account in ACCOUNTS:
        await found.append([activated(account, END)])
    return found


def frozen(found: Ledger) -> int:
    return sum(found.state.until([account]) == END for account in ACCOUNTS)


async def test_what_was_written_is_found_again(address: str, tmp_path: Path) -> None:
    found = await filled(address, tmp_path)
    assert await found.verify() == found.head
    await found.close()
    again = ledger(address, tmp_path)
    assert (await again.load(NOON)).wrong == ""
    assert (frozen(again), again.head) == (len(ACCOUNTS), found.head)
    await again.close()


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        (f"UPDATE {TABLE} SET until = until + 1", "only grows"),
        (f"DELETE FROM {TABLE} WHERE seq = 5", "only grows"),
        (f"TRUNCATE {TABLE}", "only grows"),
        (
            (
                f"INSERT INTO {TABLE} SELECT (SELECT max(seq) + 1 FROM {TABLE}), kind, account, until - 1, body, "
                f"sha256(digest) FROM {TABLE} WHERE seq = 5"
            ),
            "ends later",
        ),
        (
            (
                f"INSERT INTO {TABLE} SELECT seq, kind, account, until, body, digest FROM {TABLE} WHERE seq = 5 "
                "ON CONFLICT (seq) DO UPDATE SET until = 0"
            ),
            "only grows",
        ),
    ],
)
async def test_the_server_refuses(address: str, tmp_path: Path, statement: str, refusal: str) -> None:
    found = await filled(address, tmp_path)
    with pytest.raises(DBAPIError, match=refusal):
        await sql(address, statement)
    assert await found.verify() == found.head
    await found.close()


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(f"UPDATE {TABLE} SET until = until - 1 WHERE seq = 5", id="altered"),
        pytest.param(f"DELETE FROM {TABLE} WHERE seq BETWEEN 5 AND 9", id="deleted"),
        pytest.param(f"DELETE FROM {TABLE} WHERE seq > 9", id="an older state restored"),
        pytest.param(f"TRUNCATE {TABLE}", id="emptied"),
    ],
)
async def test_a_superuser_who_silences_the_triggers_is_noticed(address: str, tmp_path: Path, statement: str) -> None:
    found = await filled(address, tmp_path)
    await sql(address, f"ALTER TABLE {TABLE} DISABLE TRIGGER ALL", statement)
    with pytest.raises(DamagedError):
        await found.verify()
    await found.close()
    again = ledger(address, tmp_path)
    assert (await again.load(NOON)).wrong
    assert frozen(again) == len(ACCOUNTS)
    await again.verify()
    await again.append([activated(bytes(16), END)])
    await again.close()


async def test_a_damaged_ledger_is_put_aside(address: str, tmp_path: Path) -> None:
    await (await filled(address, tmp_path)).close()
    await sql(
        address,
        f"ALTER TABLE {TABLE} DISABLE TRIGGER ALL",
        f"UPDATE {TABLE} SET until = until - 1 WHERE seq = 5",
    )
    again = ledger(address, tmp_path)
    assert (await again.load(NOON)).wrong
    await again.close()
    engine = create_async_engine(address)
    async with engine.connect() as connection:
        found = await connection.execute(
            text("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'cexwatch%damaged%'")
        )
        assert len(found.all()) == 1
    await engine.dispose()
    with pytest.raises(DBAPIError, match="only grows"):
        await sql(address, f"DELETE FROM {TABLE}")


async def test_a_second_process_is_refused(address: str) -> None:
    first, second = Database(address), Database(address)
    held = await first.lock()
    assert held is not None
    with pytest.raises(LedgerError, match="another freeze gate"):
        await second.lock()
    await held.close()
    await first.close()
    after = await second.lock()
    assert after is not None
    await after.close()
    await second.close()
