"""The outbox: exactly the approved text leaves, once, and never while held, expired or changed."""

import asyncio
import sqlite3
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from monitor.model import Attempt, DeliveryOutcome, Draft, DraftState, Verb
from monitor.store import Step
from tests.server.store_samples import at, command, delivery, draft, granted, opened, reading

APPROVED = draft("d", DraftState.APPROVED)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cexwatch.db"


async def test_an_approved_draft_is_due_and_claimed_once(path: Path) -> None:
    async with opened(path) as store:
        await store.commit([Step(reading(1), (draft("d", DraftState.PENDING),))])
        assert await store.due() == []
        assert await store.claim("d", now=at(2)) is None
        await store.commit([granted(command(2, Verb.APPROVE, subject="d"), APPROVED)])
        assert await store.due() == [APPROVED]
        claims = await asyncio.gather(*[store.claim("d", now=at(3)) for _ in range(5)])
        assert [claimed for claimed in claims if claimed is not None] == [APPROVED]
        assert await store.due() == []
        assert await store.unfinished() == [Attempt(draft=APPROVED, began_at=at(3))]


@pytest.mark.parametrize(
    ("later", "now"),
    [
        pytest.param([], at(1200), id="expired"),
        pytest.param([draft("d", DraftState.SUPERSEDED)], at(3), id="superseded"),
        pytest.param([draft("d", DraftState.REJECTED)], at(3), id="rejected"),
        pytest.param([draft("d", DraftState.PENDING, text="Edited.")], at(3), id="edited after the approval"),
        pytest.param([msgspec.structs.replace(APPROVED, text="Other words.")], at(3), id="text that is not its hash"),
    ],
)
async def test_a_draft_that_may_not_be_sent_is_not_claimed(path: Path, later: list[Draft], now: datetime) -> None:
    async with opened(path) as store:
        await store.commit([Step(reading(1), (APPROVED,))])
        await store.commit([Step(reading(2), tuple(later))])
        assert await store.claim("d", now=now) is None
        assert await store.unfinished() == []


async def test_a_text_changed_behind_the_approval_is_not_claimed(path: Path) -> None:
    async with opened(path) as store:
        await store.commit([Step(reading(1), (APPROVED,))])
    body = msgspec.msgpack.encode(draft("d", DraftState.APPROVED, text="Funds are safe."))
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE drafts SET body = ?", (body,))
    connection.close()
    async with opened(path) as store:
        assert await store.claim("d", now=at(2)) is None


async def test_nothing_is_claimed_while_held(path: Path) -> None:
    async with opened(path) as store:
        await store.commit([Step(reading(1), (APPROVED,)), granted(command(2, Verb.HOLD))])
        assert await store.claim("d", now=at(3)) is None
        await store.commit([granted(command(4, Verb.RELEASE))])
        assert await store.claim("d", now=at(5)) == APPROVED


async def test_an_unknown_draft_is_not_claimed(path: Path) -> None:
    async with opened(path) as store:
        assert await store.claim("nothing", now=at(0)) is None


async def test_what_was_being_sent_when_the_process_died_is_unfinished(path: Path) -> None:
    async with opened(path) as store:
        await store.commit([Step(reading(1), (APPROVED, draft("e", DraftState.APPROVED)))])
        await store.claim("d", now=at(2))
    async with opened(path) as store:
        assert await store.unfinished() == [Attempt(draft=APPROVED, began_at=at(2))]
        assert await store.due() == [draft("e", DraftState.APPROVED)]
        assert await store.claim("d", now=at(3)) is None


@pytest.mark.parametrize("outcome", [DeliveryOutcome.POSTED, DeliveryOutcome.REJECTED, DeliveryOutcome.UNKNOWN_OUTCOME])
async def test_a_settled_draft_never_leaves_again(path: Path, outcome: DeliveryOutcome) -> None:
    async with opened(path) as store:
        await store.commit([Step(reading(1), (APPROVED,))])
        await store.claim("d", now=at(2))
        await store.commit([Step(delivery(3, "d", outcome), ())])
        assert await store.unfinished() == []
        # Neither a second approval nor a late answer of the channel brings it back.
        await store.commit([Step(reading(4), (APPROVED,))])
        await store.commit([Step(delivery(5, "d", DeliveryOutcome.RATE_LIMITED, until=at(6)), ())])
        assert await store.due() == []
        assert await store.claim("d", now=at(7)) is None


async def test_a_draft_that_a_channel_put_off_waits_until_then(path: Path) -> None:
    async with opened(path) as store:
        await store.commit([Step(reading(1), (APPROVED,))])
        await store.claim("d", now=at(2))
        await store.commit([Step(delivery(3, "d", DeliveryOutcome.RATE_LIMITED, until=at(60)), (APPROVED,))])
        assert await store.unfinished() == []
        assert await store.due() == [APPROVED]
        assert await store.claim("d", now=at(59)) is None
        assert await store.claim("d", now=at(60)) == APPROVED


async def test_a_new_approval_before_the_sending_replaces_the_text(path: Path) -> None:
    edited = draft("d", DraftState.APPROVED, text="We observe that withdrawals are back.")
    async with opened(path) as store:
        await store.commit([Step(reading(1), (APPROVED,)), Step(reading(2), (edited,))])
        assert await store.claim("d", now=at(3)) == edited


LATER = msgspec.structs.replace(draft("e", DraftState.APPROVED, text="Later words."), created_at=at(60))


async def test_later_words_wait_for_those_before_them(path: Path) -> None:
    async with opened(path) as store:
        await store.commit([Step(reading(1), (APPROVED, LATER))])
        assert await store.claim("e", now=at(70)) is None
        assert await store.claim("d", now=at(70)) == APPROVED
        assert await store.claim("e", now=at(71)) is None
        await store.commit([Step(delivery(2, "d", DeliveryOutcome.RATE_LIMITED, until=at(100)), ())])
        assert await store.claim("e", now=at(80)) is None
        await store.claim("d", now=at(100))
        await store.commit([Step(delivery(3, "d", DeliveryOutcome.UNKNOWN_OUTCOME), ())])
        assert await store.claim("e", now=at(110)) is None
        assert await store.claim("e", now=at(100 + 600)) == LATER  # nobody can tell, and time goes on


@pytest.mark.parametrize("outcome", [DeliveryOutcome.POSTED, DeliveryOutcome.REJECTED])
async def test_later_words_go_out_once_the_earlier_are_settled(path: Path, outcome: DeliveryOutcome) -> None:
    async with opened(path) as store:
        await store.commit([Step(reading(1), (APPROVED, LATER))])
        await store.claim("d", now=at(70))
        await store.commit([Step(delivery(2, "d", outcome), ())])
        assert await store.claim("e", now=at(71)) == LATER


async def test_words_of_another_incident_or_channel_wait_for_nobody(path: Path) -> None:
    other = msgspec.structs.replace(LATER, incident="i-2")
    elsewhere = msgspec.structs.replace(LATER, id="f", channel="x")
    async with opened(path) as store:
        await store.commit([Step(reading(1), (APPROVED, other, elsewhere))])
        assert await store.claim("e", now=at(70)) == other
        assert await store.claim("f", now=at(70)) == elsewhere


def sought(seq: int, outcome: DeliveryOutcome) -> Step:
    entry = delivery(seq, "d", outcome)
    found = msgspec.structs.replace(entry.observation, searched=True)
    return Step(msgspec.structs.replace(entry, observation=found), ())


async def test_only_what_was_searched_for_is_queued_again(path: Path) -> None:
    async with opened(path) as store:
        await store.commit([Step(reading(1), (APPROVED,))])
        await store.claim("d", now=at(2))
        await store.commit([Step(delivery(3, "d", DeliveryOutcome.UNKNOWN_OUTCOME), ())])
        assert await store.unsettled() == [Attempt(draft=APPROVED, began_at=at(2))]
        await store.commit([Step(reading(4), (APPROVED,))])
        assert await store.due() == []
        await store.commit([sought(5, DeliveryOutcome.UNKNOWN_OUTCOME)])
        assert await store.unsettled() == []
        await store.commit([Step(reading(6), (APPROVED,))])
        assert await store.claim("d", now=at(7)) == APPROVED
        assert await store.unfinished() == [Attempt(draft=APPROVED, began_at=at(7))]


async def test_what_is_found_is_done(path: Path) -> None:
    async with opened(path) as store:
        await store.commit([Step(reading(1), (APPROVED,))])
        await store.claim("d", now=at(2))
        await store.commit([Step(delivery(3, "d", DeliveryOutcome.UNKNOWN_OUTCOME), ())])
        await store.commit([sought(4, DeliveryOutcome.POSTED)])
        await store.commit([sought(5, DeliveryOutcome.UNKNOWN_OUTCOME), Step(reading(6), (APPROVED,))])
        assert await store.due() == []
        assert await store.unsettled() == []


async def test_the_posts_of_an_incident_are_known_by_channel(path: Path) -> None:
    first = msgspec.structs.replace(APPROVED, state=DraftState.POSTED, remote_id="42")
    elsewhere = msgspec.structs.replace(first, id="f", channel="x")
    async with opened(path) as store:
        await store.commit([Step(reading(1), (first, elsewhere, LATER))])
        assert await store.posts(LATER) == [first]
        assert await store.posted_since("file", since=at(0)) == [first]
        assert await store.posted_since("file", since=at(1)) == []
