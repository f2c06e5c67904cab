"""A database with broken bytes (fault H5): put aside at the start, and what people decided goes on in a fresh one."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from monitor.model import Closure, DraftState, FailureReason, IncidentKind, Severity, Stage, Verb
from monitor.restart import resume
from monitor.store import DamagedError, Step, Store, rescue
from tests.end_to_end.daemon import daemon, eventually
from tests.end_to_end.world import world
from tests.server.store_samples import (
    at,
    command,
    draft,
    granted,
    incident,
    opened,
    read,
    reading,
    url,
)

PAGE = 4096
BAN = Closure(host="api.example.com", port=443, reason=FailureReason.BLOCKED, until=at(86_400), refusals=3)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cexwatch.db"


async def lived(path: Path) -> None:
    """A life with an open incident, a draft that is being sent, a ban, a hold afterwards, and many readings."""
    sent = draft("d1", DraftState.APPROVED)
    async with opened(path) as store:
        case = incident("kraken-withdrawal_halt-1", Stage.INVESTIGATING)
        await store.commit([Step(reading(1), (case, sent))])
        assert await store.claim("d1", now=at(5)) is not None
        await store.keep_closure(BAN)
        await store.commit([granted(command(2, Verb.HOLD))])
        await store.append_history([reading(seq) for seq in range(3, 20_000)])


def pages_of(path: Path, table: str) -> list[int]:
    """Numbers of the leaf pages of a table, from 1."""
    with closing(sqlite3.connect(path)) as database:
        try:
            rows = database.execute("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf'", [table])
            return [number for (number,) in rows]
        except sqlite3.OperationalError:
            (root,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [table]).fetchone()
            return [root]


def flip(path: Path, page: int) -> None:
    body = bytearray(path.read_bytes())
    start = (page - 1) * PAGE
    body[start : start + PAGE] = bytes(each ^ 0xFF for each in body[start : start + PAGE])
    path.write_bytes(body)


def break_readings(path: Path) -> None:
    flip(path, pages_of(path, "journal")[-1])


def break_outbox(path: Path) -> None:
    flip(path, pages_of(path, "outbox")[0])


def break_header(path: Path) -> None:
    flip(path, 1)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 // PAGE * PAGE])


async def test_h5_broken_readings_cost_readings_and_nothing_that_people_decided(path: Path) -> None:
    await lived(path)
    break_readings(path)
    async with opened(path) as store:
        assert store.rescued is not None
        assert store.rescued.unread == ()
        assert await read(store) == []
        assert await store.held()
        assert await store.closures() == [BAN]
        (attempt,) = await store.unfinished()
        assert (attempt.draft.id, attempt.began_at) == ("d1", at(5))
        assert [each.id for each in await store.incidents(open_only=True)] == ["kraken-withdrawal_halt-1"]
        assert await store.claim("d1", now=at(6)) is None
    assert path.with_name("cexwatch.db.damaged-1").exists()


@pytest.mark.parametrize("broken", [break_outbox, break_header, cut_off])
async def test_h5_where_nobody_knows_what_was_being_sent_publishing_is_held(
    broken: Callable[[Path], None], path: Path
) -> None:
    await lived(path)
    async with opened(path) as store:
        await store.commit([granted(command(20_000, Verb.RELEASE))])
    broken(path)
    async with opened(path) as store:
        assert store.rescued is not None
        assert "outbox" in store.rescued.unread
        assert await store.held()


async def test_h5_a_second_damage_overwrites_nothing(path: Path) -> None:
    for number in (1, 2):
        await lived(path) if number == 1 else None
        break_header(path)
        async with opened(path) as store:
            assert store.rescued is not None
            assert store.rescued.aside.name == f"cexwatch.db.damaged-{number}"


@pytest.mark.parametrize("filled", [False, True], ids=["before there is a fresh one", "while it is filled"])
async def test_h5_a_rescue_that_was_cut_short_begins_anew(filled: bool, path: Path) -> None:
    await lived(path)
    break_readings(path)
    aside = rescue.put_aside(path)
    note = path.with_name("cexwatch.db.rescuing")
    if filled:
        note.unlink()
        async with opened(path) as store:
            assert not await store.held()
        note.write_text(aside.name)
    async with opened(path) as store:
        assert store.rescued is not None
        assert store.rescued.aside == aside
        assert [case.id for case in await store.incidents()] == ["kraken-withdrawal_halt-1"]
        assert await store.held()
        assert await store.closures() == [BAN]
    async with opened(path) as store:
        assert store.rescued is None
        assert await store.held()


async def test_h5_what_was_adopted_outlives_a_kill_before_the_first_checkpoint(path: Path) -> None:
    await lived(path)
    break_readings(path)
    for _ in range(2):
        async with opened(path) as store:
            resumed = await resume(store)
            assert resumed.engines.view("").held


async def test_h5_copies_of_before_are_not_dropped_by_the_next_nights(path: Path) -> None:
    await lived(path)
    async with opened(path) as store:
        await store.back_up(now=at(0), keep=1)
    break_readings(path)
    async with opened(path) as store:
        await store.back_up(now=at(86_400), keep=1)
        await store.back_up(now=at(2 * 86_400), keep=1)
    assert sorted(file.name for file in path.parent.glob("*backup*")) == [
        "cexwatch.db.backup-2026-02-05",
        "cexwatch.db.damaged-1.backup-2026-02-03",
    ]


async def test_h5_damage_that_a_copy_meets_is_looked_for_at_the_next_start(path: Path) -> None:
    await lived(path)
    store = await Store.open(url(path))
    shutil.copy(path, path.with_suffix(".whole"))
    break_readings(path)
    with pytest.raises(DamagedError):
        await store.back_up(now=at(0), keep=1)
    await store.close()
    assert path.with_name("cexwatch.db.suspect").exists()


async def test_h5_damage_met_at_work_is_looked_for_at_the_next_start(path: Path) -> None:
    await lived(path)
    store = await Store.open(url(path))
    shutil.copy(path, path.with_suffix(".whole"))
    break_readings(path)
    with pytest.raises(DamagedError):
        await read(store)
    await store.close()
    assert path.with_name("cexwatch.db.suspect").exists()
    async with opened(path) as again:
        assert again.rescued is not None
    assert not path.with_name("cexwatch.db.suspect").exists()


async def test_h5_the_daemon_goes_on_and_says_so(tmp_path: Path) -> None:
    database = tmp_path / "cexwatch.db"
    async with world(("gate",), speed=60) as around:
        config = around.configure(tmp_path)
        async with daemon(config, around.clock) as running:
            await running.state_is("gate", "operational")
            around.exchanges["gate"].suspend_all()
            halt = await running.incident(IncidentKind.WITHDRAWAL_HALT, exchange="gate")
            assert (await running.order(Verb.HOLD)).ok
        await asyncio.to_thread(break_readings, database)
        async with daemon(config, around.clock) as running:
            assert (await running.metrics()).value("database_rescued") == 1
            assert (await running.metrics()).value("publishing_held") == 1
            await running.state_is("gate", "halted")
            assert [i.id for i in await running.store.incidents() if i.severity is Severity.CRITICAL] == [halt.id]
            assert (await running.order(Verb.RELEASE)).ok

            async def is_released() -> bool:
                return (await running.metrics()).value("publishing_held") == 0

            await eventually(is_released)
