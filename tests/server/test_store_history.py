"""What the scorecard and the bars ask of the database: incidents of a kind since then, and when the journal begins."""

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from monitor.model import Change, Incident, IncidentKind, Stage
from monitor.store import Step
from monitor.store.store import LONGEST
from tests.server.store_samples import at, incident, opened, reading, transition

HALT = (IncidentKind.WITHDRAWAL_HALT,)
DAY = 86_400.0


def lasting(name: str, *, days_ago: float, is_open: bool = False, kind: IncidentKind = HALT[0]) -> Incident:
    stage = Stage.INVESTIGATING if is_open else Stage.RESOLVED
    return replace(incident(name, stage, opened=-days_ago * DAY), kind=kind)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cexwatch.db"


async def test_of_a_kind_those_that_may_reach_into_the_time_newest_first(path: Path) -> None:
    kept = (
        lasting("old", days_ago=30 + LONGEST.days + 1),
        lasting("old and open", days_ago=400, is_open=True),
        lasting("before, perhaps into it", days_ago=30 + LONGEST.days - 1),
        lasting("within", days_ago=3),
        lasting("of another kind", days_ago=2, kind=IncidentKind.DRIP),
    )
    async with opened(path) as store:
        await store.commit([Step(reading(1), kept)])
        found = await store.history(HALT, since=at(0) - timedelta(days=30))
        assert [each.id for each in found] == ["within", "before, perhaps into it", "old and open"]
        assert await store.history([], since=at(0)) == []


async def test_the_journal_begins_with_its_first_entry(path: Path) -> None:
    async with opened(path) as store:
        assert await store.began() is None
        await store.commit([Step(reading(5, seconds=7), ()), Step(reading(6, seconds=9), ())])
        assert await store.began() == at(7)


async def test_only_the_first_outputs_are_read_where_more_are_not_wanted(path: Path) -> None:
    async with opened(path) as store:
        await store.commit([Step(reading(n), (transition("a", Change.OPENED),)) for n in range(1, 6)])
        assert [seq for seq, _ in await store.outputs(after=1, limit=2)] == [2, 3]
        assert [seq for seq, _ in await store.outputs(after=1)] == [2, 3, 4, 5]
