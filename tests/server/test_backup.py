"""Nightly copies: whole, restorable, readable by their owner only, and never what fills the disk."""

import asyncio
import shutil
import sqlite3
import stat
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from monitor.clock import Clock
from monitor.config import Retention
from monitor.exposition import Intervals
from monitor.metrics import Metrics
from monitor.nightly import Nightly
from monitor.store import Step, Store, backup
from monitor.store.backup import BackupError, copies
from tests.end_to_end.daemon import eventually
from tests.server.store_samples import START, opened, read, reading

NIGHT = timedelta(days=1)


def measured() -> Metrics:
    return Metrics(version="0.1.0", intervals=Intervals(rails=30.0, wallets=60.0, reserves=600.0))


class Disk(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cexwatch.db"


async def test_a_copy_is_a_database_to_go_on_with(path: Path, tmp_path: Path) -> None:
    async with opened(path) as store:
        await store.commit([Step(reading(seq, seconds=60.0 * seq), ()) for seq in range(1, 101)])
        copy = await store.back_up(now=START, keep=1)
        await store.commit([Step(reading(101, seconds=7000.0), ())])
        entries = await read(store)
    assert copy is not None
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    restored = tmp_path / "restored.db"
    shutil.copy(copy, restored)
    async with opened(restored) as store:
        assert await read(store) == entries[:100]
        await store.commit([Step(reading(101, seconds=7000.0), ())])


async def test_the_newest_are_kept(path: Path) -> None:
    async with opened(path) as store:
        for night in range(4):
            await store.back_up(now=START + night * NIGHT, keep=2)
        await store.back_up(now=START + 3 * NIGHT, keep=2)
    assert [copy.name[-10:] for copy in copies(path)] == ["2026-02-05", "2026-02-06"]


async def test_without_room_there_is_none_and_the_old_ones_stay(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(path) as store:
        first = await store.back_up(now=START, keep=1)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk(100, 100, 0))
        with pytest.raises(BackupError, match="MiB of room, and 0 MiB are free"):
            await store.back_up(now=START + NIGHT, keep=1)
    assert copies(path) == [first]
    assert sorted(path.parent.glob("*.unfinished")) == []


async def test_what_a_kill_left_behind_goes(path: Path) -> None:
    left = path.with_name("cexwatch.db.backup-2026-01-01.unfinished")
    async with opened(path) as store:
        left.write_bytes(b"half a copy")
        copy = await store.back_up(now=START, keep=1)
        assert copy is not None
        assert store.backed_up_at() is not None
    assert copies(path) == [copy]
    assert not left.exists()


async def test_a_stop_ends_it_and_leaves_nothing(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE filler (content BLOB)")
        connection.executemany("INSERT INTO filler VALUES (randomblob(1000000))", [()] * 100)
        connection.commit()
    copying = asyncio.ensure_future(backup.back_up(path, now=START, keep=1))

    async def is_under_way() -> bool:
        return bool(list(path.parent.glob("*.unfinished")))

    await eventually(is_under_way)
    copying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await copying
    assert [file.name for file in path.parent.iterdir()] == ["cexwatch.db"]


async def test_the_night_copies_what_it_is_about_to_forget(path: Path) -> None:
    clock, metrics = Clock(start=START + timedelta(days=100)), measured()
    async with opened(path) as store:
        await Nightly(store, retention=Retention, clock=clock, metrics=metrics).run()
        (copy,) = copies(path)
        assert copy.name == "cexwatch.db.backup-2026-05-14"
        shown, _ = metrics.render("text/plain", now=clock.now())
        assert b"\ncexwatch_database_backup_timestamp_seconds 1.7" in shown


@pytest.mark.parametrize(("keep", "count"), [(0, 0), (3, 1)])
async def test_none_is_made_where_none_is_wanted(keep: int, count: int, path: Path) -> None:
    clock, metrics = Clock(start=START), measured()
    async with opened(path) as store:
        assert isinstance(store, Store)
        await Nightly(store, retention=lambda: Retention(backups=keep), clock=clock, metrics=metrics).run()
    assert len(copies(path)) == count
