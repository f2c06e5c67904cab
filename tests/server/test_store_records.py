"""Pages of incidents and drafts, timelines, and answers kept under keys."""

import asyncio
import sqlite3
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from monitor.model import Change, Draft, DraftState, Incident, IncidentKind, Severity, Stage
from monitor.model.records import DraftsAsked, IncidentsAsked, KeptAnswer, Place
from monitor.store import Step, Store
from tests.server.store_samples import START, at, draft, incident, opened, reading, transition

FIRST = incident("a", Stage.RESOLVED, opened=10)
SECOND = replace(incident("b", Stage.INVESTIGATING, opened=20), kind=IncidentKind.DRIP, severity=Severity.WARNING)
THIRD = replace(incident("c", Stage.INVESTIGATING, opened=20), exchange="okx")
FOURTH = incident("d", Stage.IDENTIFIED, opened=30)
CASES = (FIRST, SECOND, THIRD, FOURTH)
SINCE = (
    "notifications",
    "notification_cursor",
    "preapprovals",
    "accounts",
    "sessions",
    "guesses",
    "deeds",
    "drills",
    "drill_pushes",
)
"""Tables that came after the column for severities."""


async def keep(store: Store, *outputs: Incident | Draft, seq: int = 1) -> None:
    await store.commit([Step(reading(seq), outputs)])


async def found(store: Store, asked: IncidentsAsked) -> str:
    return "".join(each.id for each in await store.incidents_page(asked))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        pytest.param(IncidentsAsked(limit=9), "dbca", id="all, those of one time by name"),
        pytest.param(IncidentsAsked(limit=2), "db", id="the first of them"),
        pytest.param(IncidentsAsked(limit=9, after=Place(at(20), "b")), "ca", id="behind one of two of a time"),
        pytest.param(IncidentsAsked(limit=9, after=Place(at(20), "bb")), "ca", id="behind one that is not there"),
        pytest.param(IncidentsAsked(limit=9, exchange="okx"), "c", id="of an exchange"),
        pytest.param(IncidentsAsked(limit=9, kind=IncidentKind.DRIP), "b", id="of a kind"),
        pytest.param(IncidentsAsked(limit=9, severity=Severity.WARNING), "b", id="of a severity"),
        pytest.param(IncidentsAsked(limit=9, is_open=True), "dbc", id="open"),
        pytest.param(IncidentsAsked(limit=9, is_open=False), "a", id="resolved"),
        pytest.param(IncidentsAsked(limit=9, opened_from=at(20)), "dbc", id="from its very time on"),
        pytest.param(IncidentsAsked(limit=9, opened_before=at(20)), "a", id="before a time"),
        pytest.param(IncidentsAsked(limit=9, is_open=True, severity=Severity.CRITICAL), "dc", id="two conditions"),
    ],
)
async def test_a_page_of_incidents(tmp_path: Path, asked: IncidentsAsked, told: str) -> None:
    async with opened(tmp_path / "cexwatch.db") as store:
        await keep(store, *CASES)
        assert await found(store, asked) == told


async def test_an_incident_that_escalates_is_found_by_its_new_severity(tmp_path: Path) -> None:
    async with opened(tmp_path / "cexwatch.db") as store:
        await keep(store, SECOND)
        await keep(store, replace(SECOND, severity=Severity.CRITICAL), seq=2)
        assert await found(store, IncidentsAsked(limit=9, severity=Severity.CRITICAL)) == "b"
        assert await found(store, IncidentsAsked(limit=9, severity=Severity.WARNING)) == ""


async def test_incidents_from_before_the_column_are_found_by_their_severity(tmp_path: Path) -> None:
    path = tmp_path / "cexwatch.db"
    async with opened(path) as store:
        await keep(store, *CASES)
    with sqlite3.connect(path) as database:
        database.execute("ALTER TABLE incidents DROP COLUMN severity")
        for table in SINCE:
            database.execute(f"DROP TABLE {table}")
        database.execute("UPDATE schema_version SET version_num = '0005'")
    database.close()
    async with opened(path) as store:
        assert await found(store, IncidentsAsked(limit=9, severity=Severity.WARNING)) == "b"
        assert await found(store, IncidentsAsked(limit=9, severity=Severity.CRITICAL)) == "dca"


async def test_drafts_by_state_and_incident(tmp_path: Path) -> None:
    kept = [
        draft("d-1", DraftState.POSTED),
        draft("d-2", DraftState.PENDING),
        replace(draft("d-3", DraftState.PENDING), incident="another", created_at=at(5)),
    ]
    async with opened(tmp_path / "cexwatch.db") as store:
        await keep(store, *kept)

        async def names(asked: DraftsAsked) -> Sequence[str]:
            return [each.id for each in await store.drafts_page(asked)]

        assert await names(DraftsAsked(limit=9, states=tuple(DraftState))) == ["d-3", "d-1", "d-2"]
        assert await names(DraftsAsked(limit=9, states=(DraftState.PENDING,))) == ["d-3", "d-2"]
        assert await names(DraftsAsked(limit=9, states=tuple(DraftState), incident="another")) == ["d-3"]
        assert await names(DraftsAsked(limit=9, states=tuple(DraftState), after=Place(START, "d-1"))) == ["d-2"]
        assert await names(DraftsAsked(limit=9, states=())) == []


async def test_a_timeline_from_its_middle(tmp_path: Path) -> None:
    changes = [Change.OPENED, Change.UPDATED, Change.ESCALATED, Change.RESOLVED]
    async with opened(tmp_path / "cexwatch.db") as store:
        steps = [transition("a", change, seconds=place) for place, change in enumerate(changes)]
        await store.commit([Step(reading(1), tuple(steps[:3])), Step(reading(2), (transition("b", Change.OPENED),))])
        await store.commit([Step(reading(3), tuple(steps[3:]))])
        assert await store.timeline("a", skip=1, limit=2) == steps[1:3]
        assert await store.timeline("a", skip=3, limit=2) == steps[3:]
        assert await store.timeline("a", skip=4, limit=2) == []


async def test_an_answer_is_kept_under_its_key_until_its_time(tmp_path: Path) -> None:
    day = timedelta(hours=24)
    answer = KeptAnswer(b"asked", 200, "application/json", b"{}")
    path = tmp_path / "cexwatch.db"
    async with opened(path) as store:
        assert await store.begin_answer(b"key", fingerprint=b"asked", now=START, until=START + day) is None
        assert await store.begin_answer(b"key", fingerprint=b"other", now=START, until=START + day) == KeptAnswer(
            b"asked"
        )
        await store.keep_answer(b"key", answer)
    async with opened(path) as store:
        assert await store.begin_answer(b"key", fingerprint=b"x", now=START + day, until=START + 2 * day) == answer
        later = START + day + timedelta(microseconds=1)
        assert await store.begin_answer(b"key", fingerprint=b"x", now=later, until=later + day) is None


async def test_a_key_that_is_given_back_is_free(tmp_path: Path) -> None:
    async with opened(tmp_path / "cexwatch.db") as store:
        await store.begin_answer(b"key", fingerprint=b"asked", now=START, until=at(60))
        await store.forget_answer(b"key")
        assert await store.begin_answer(b"key", fingerprint=b"other", now=START, until=at(60)) is None


async def test_of_many_who_take_a_key_at_once_one_gets_it(tmp_path: Path) -> None:
    async with opened(tmp_path / "cexwatch.db") as store:
        taking = [store.begin_answer(b"key", fingerprint=b"asked", now=START, until=at(60)) for _ in range(8)]
        assert (await asyncio.gather(*taking)).count(None) == 1
