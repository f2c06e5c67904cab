"""Retention: old readings go, what people said stays, and every retained checkpoint is followed by all it needs."""

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitor.model import Change, DeliveryOutcome, DraftState, Entry, Stage, Tick, Verb
from monitor.store import Checkpoint, Step, Store
from monitor.store.retention import CHUNK
from tests.server.store_samples import (
    START,
    at,
    command,
    delivery,
    draft,
    granted,
    incident,
    opened,
    read,
    reading,
    transition,
)

DAY = 86_400.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cexwatch.db"


async def live(store: Store, *, days: int, readings_a_day: int = 4) -> None:
    """One reading and then one checkpoint every 24 h / `readings_a_day`, the n-th reading with `seq` n, from seq 1."""
    step = DAY / readings_a_day
    for seq in range(1, days * readings_a_day + 1):
        checkpoint = Checkpoint(seq, at(seq * step), {"": b"%d" % seq})
        await store.commit([Step(reading(seq, seconds=seq * step), ())], checkpoint=checkpoint)


async def kept(store: Store) -> list[int]:
    return [entry.seq for entry in await read(store)]


async def test_readings_before_the_checkpoint_before_the_limit_go(path: Path) -> None:
    async with opened(path) as store:
        await live(store, days=10)
        # START is 14:00, readings are at 20:00, 02:00, 08:00, 14:00 ...; the first of 7 February, 02:00, is number 14.
        assert await store.prune(before=at(4 * DAY)) == 14
        assert (await kept(store))[0] == 15
        assert await store.prune(before=at(4 * DAY)) == 0
        assert await store.checkpoint() == Checkpoint(40, at(10 * DAY), {"": b"40"})


async def test_pruning_day_by_day_keeps_a_checkpoint_before_the_oldest_reading(path: Path) -> None:
    async with opened(path) as store:
        await live(store, days=12)
        for day in range(1, 13):
            before = at(day * DAY)
            await store.prune(before=before)
            oldest = (await read(store))[0]
            assert oldest.seq - 1 in checkpoint_places(path), "replay cannot start at the oldest reading"
            assert before - oldest.observation.at < timedelta(days=2)


def checkpoint_places(path: Path) -> set[int]:
    """Where a replay can start: at each retained checkpoint, or at the very beginning."""
    connection = sqlite3.connect(path)
    places = {seq for (seq,) in connection.execute("SELECT seq FROM checkpoints")}
    connection.close()
    return {0, *places}


async def test_checkpoints_do_not_pile_up(path: Path) -> None:
    async with opened(path) as store:
        await live(store, days=3, readings_a_day=100)
    places = checkpoint_places(path)
    assert {300, 299, 298} <= places
    assert len(places) <= 1 + 3 + 4


@pytest.mark.parametrize(
    "before",
    [pytest.param(START, id="nothing is old"), pytest.param(at(100 * DAY), id="all is old, but nothing was judged")],
)
async def test_without_an_old_checkpoint_nothing_goes(path: Path, before: datetime) -> None:
    async with opened(path) as store:
        await store.append_history([reading(seq) for seq in range(1, 20)])
        assert await store.prune(before=before) == 0
        assert len(await kept(store)) == 19


async def test_the_choice_of_a_restart_stays_after_a_long_pause(path: Path) -> None:
    async with opened(path) as store:
        await live(store, days=3)
        await store.prune(before=at(1000 * DAY))
        assert await kept(store) == [11, 12]
        assert checkpoint_places(path) == {0, 10, 11, 12}


async def test_what_people_said_and_what_was_concluded_stays(path: Path) -> None:
    opening = (transition("a", Change.OPENED), incident("a", Stage.RESOLVED), draft("d", DraftState.APPROVED))
    async with opened(path) as store:
        await store.commit(
            [
                Step(reading(1), opening),
                granted(command(2, Verb.NOTE, subject="a")),
                Step(delivery(3, "d", DeliveryOutcome.POSTED), ()),
                Step(Entry(4, Tick(at=at(4), probe="tick")), ()),
            ]
        )
        for seq in range(5, 10):
            await store.commit([Step(reading(seq), ())], checkpoint=Checkpoint(seq, at(seq), {"": b""}))
        assert await store.prune(before=at(1000)) == 5
        assert await kept(store) == [2, 3, 8, 9]
        assert await store.outputs(after=0) == [(1, opening[0]), (1, opening[2])]
        assert await store.incident("a") == opening[1]
        assert await store.verify_audit() is None


async def test_the_head_stays_so_that_its_seq_is_not_given_twice(path: Path) -> None:
    async with opened(path) as store:
        for seq in (1, 2, 3):
            await store.commit([Step(reading(seq), ())], checkpoint=Checkpoint(3 + seq, at(seq), {"": b""}))
        await store.prune(before=at(1000 * DAY))
        assert await kept(store) == [3]


async def test_late_readings_among_older_ones_stay(path: Path) -> None:
    """What counts is when a reading was taken, not when it was appended."""
    async with opened(path) as store:
        await store.append_history([reading(1, seconds=0), reading(2, seconds=5000), reading(3, seconds=1)])
        for seq in range(4, 8):
            await store.commit([Step(reading(seq, seconds=1000), ())], checkpoint=Checkpoint(seq, at(1000), {"": b""}))
        assert await store.prune(before=at(1001)) == 4
        assert await kept(store) == [2, 6, 7]


async def test_pruning_in_chunks_misses_nothing(path: Path) -> None:
    count = 2 * CHUNK + 17
    async with opened(path) as store:
        await store.append_history([reading(seq, seconds=seq / 1000) for seq in range(1, count + 1)])
        for seq in range(count + 1, count + 4):
            await store.commit([Step(reading(seq), ())], checkpoint=Checkpoint(seq, at(0), {"": b""}))
        assert await store.prune(before=at(1000)) == count
        assert await kept(store) == [count + 1, count + 2, count + 3]
