"""The outbox against a store with behaviour and the real file channel: once in public, at least once elsewhere."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace

from monitor.channels.channel import Channel, Receipt
from monitor.channels.file import FileChannel
from monitor.channels.looking import APART, FIRST
from monitor.channels.outbox import Outbox
from monitor.clock import Clock
from monitor.model import (
    Attempt,
    Delivery,
    DeliveryOutcome,
    Draft,
    DraftState,
    FailureReason,
    RemoteError,
    Role,
    Stage,
)

START = datetime(2026, 2, 3, 2, 21, tzinfo=UTC)
TEXT = "Since 02:19 UTC we observe all withdrawals halted at Kraken.\n\nTwo paragraphs, ₿ and no line end"
DEADLINE = 5.0


def draft_of(name: str = "d-0123456789", *, channel: str = "file") -> Draft:
    return Draft(
        id=name,
        incident="i-1",
        exchange="kraken",
        stage=Stage.INVESTIGATING,
        channel=channel,
        role=Role.OBSERVER,
        text=TEXT,
        text_sha256=hashlib.sha256(TEXT.encode()).hexdigest(),
        state=DraftState.APPROVED,
        problems=(),
        created_at=START,
        expires_at=START + timedelta(minutes=20),
        claims="{}",
    )


class KilledError(Exception):
    """Stands for SIGKILL at this instant."""


class MemoryStore:
    """Rows queued -> sending -> done, with the checks of a claim. `deliver` is the commit of a delivery."""

    def __init__(self) -> None:
        self.drafts: dict[str, Draft] = {}
        self.rows: dict[str, str] = {}
        self.not_before: dict[str, datetime] = {}
        self.claimed_at: dict[str, datetime] = {}
        self.held = False
        self.dies_in_deliver = False
        self.deliveries: list[Delivery] = []
        self.claims = 0
        self._changed = asyncio.Condition()

    def approve(self, draft: Draft) -> None:
        self.drafts[draft.id] = draft
        self.rows[draft.id] = "queued"

    async def due(self) -> list[Draft]:
        return [self.drafts[name] for name, row in self.rows.items() if row == "queued"]

    async def unfinished(self) -> list[Attempt]:
        return self._attempts("sending")

    async def unsettled(self) -> list[Attempt]:
        return self._attempts("unknown")

    def _attempts(self, state: str) -> list[Attempt]:
        names = [name for name, row in self.rows.items() if row == state]
        return [Attempt(draft=self.drafts[name], began_at=self.claimed_at.get(name, START)) for name in names]

    async def posts(self, draft: Draft) -> list[Draft]:
        posted = [d for d in self.drafts.values() if d.state is DraftState.POSTED]
        return [d for d in posted if (d.incident, d.channel) == (draft.incident, draft.channel)]

    async def posted_since(self, channel: str, *, since: datetime) -> list[Draft]:
        posted = [d for d in self.drafts.values() if d.state is DraftState.POSTED]
        return [d for d in posted if d.channel == channel and d.created_at >= since]

    async def claim(self, draft_id: str, *, now: datetime) -> Draft | None:
        draft = self.drafts[draft_id]
        async with self._changed:
            self.claims += 1
            self._changed.notify_all()
        waits = now < self.not_before.get(draft_id, now)
        if self.held or waits or now >= draft.expires_at or self.rows[draft_id] != "queued":
            return None
        self.rows[draft_id] = "sending"
        self.claimed_at[draft_id] = now
        return draft

    async def deliver(self, delivery: Delivery) -> None:
        if self.dies_in_deliver:
            raise KilledError
        async with self._changed:
            self.deliveries.append(delivery)
            draft = self.drafts[delivery.draft]
            match delivery.outcome:
                case DeliveryOutcome.RATE_LIMITED:
                    self.rows[delivery.draft] = "queued"
                    self.drafts[draft.id] = replace(draft, waits_until=delivery.until)
                case DeliveryOutcome.UNKNOWN_OUTCOME:
                    self.rows[delivery.draft] = "searched" if delivery.searched else "unknown"
                case DeliveryOutcome.POSTED:
                    self.rows[delivery.draft] = "done"
                    at = delivery.at
                    posted = replace(draft, state=DraftState.POSTED, remote_id=delivery.remote_id, decided_at=at)
                    self.drafts[draft.id] = posted
                case DeliveryOutcome.REJECTED:
                    self.rows[delivery.draft] = "done"
            if delivery.until is not None:
                self.not_before[delivery.draft] = delivery.until
            self._changed.notify_all()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE), self._changed:
            await self._changed.wait_for(holds)

    async def outcomes(self, count: int) -> list[DeliveryOutcome]:
        await self.until(lambda: len(self.deliveries) >= count)
        return [delivery.outcome for delivery in self.deliveries]


class Megaphone:
    """A channel that answers with what it is given, and remembers what was shouted."""

    def __init__(self, answer: Receipt | Exception, *, name: str = "shout", public: bool = True) -> None:
        self.name = name
        self.public = public
        self.answer = answer
        self.heard: list[str] = []
        self.firsts: list[str | None] = []
        self.sought: list[Attempt] = []
        self.found: Receipt | Exception | None = None  # it keeps nothing

    async def find(self, attempt: Attempt, *, first: str | None) -> Receipt | None:
        del first
        self.sought.append(attempt)
        match self.found:
            case Exception() as error:
                raise error
            case found:
                return found

    async def publish(self, draft: Draft, *, first: str | None) -> Receipt:
        self.heard.append(draft.id)
        self.firsts.append(first)
        match self.answer:
            case Receipt() as receipt:
                return receipt
            case Exception() as error:
                raise error


def posts(folder: Path) -> dict[str, bytes]:
    """Everything in the folder, leftovers too."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


POSTED = Receipt(outcome=DeliveryOutcome.POSTED, remote_id="42")


def outbox_of(store: MemoryStore, *channels: Channel, speed: float = 1000.0) -> Outbox:
    clock = Clock(start=START, speed=speed)
    return Outbox(store, {channel.name: channel for channel in channels}, clock, store.deliver)


@asynccontextmanager
async def running(outbox: Outbox) -> AsyncIterator[None]:
    task = asyncio.create_task(outbox.run(), name="outbox")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_the_file_holds_exactly_the_approved_bytes(tmp_path: Path) -> None:
    store = MemoryStore()
    store.approve(draft_of())
    async with running(outbox_of(store, FileChannel(tmp_path / "posts"))):
        await store.outcomes(1)
    name = "20260203T022100Z-d-0123456789.txt"
    assert posts(tmp_path / "posts") == {name: TEXT.encode()}
    [delivery] = store.deliveries
    assert (delivery.probe, delivery.exchange, delivery.channel) == ("outbox", "kraken", "file")
    assert (delivery.draft, delivery.outcome, delivery.remote_id) == (draft_of().id, DeliveryOutcome.POSTED, name)


async def test_publishing_again_changes_nothing(tmp_path: Path) -> None:
    channel = FileChannel(tmp_path)
    first = await channel.publish(draft_of(), first=None)
    path = tmp_path / str(first.remote_id)
    written = path.stat()
    assert await channel.publish(draft_of(), first=None) == first
    assert path.stat() == written
    assert posts(tmp_path) == {path.name: TEXT.encode()}


async def test_a_file_with_another_text_is_left_alone_and_told(tmp_path: Path) -> None:
    store = MemoryStore()
    store.approve(draft_of())
    path = tmp_path / "20260203T022100Z-d-0123456789.txt"
    path.write_text("somebody else's")
    async with running(outbox_of(store, FileChannel(tmp_path))):
        assert await store.outcomes(1) == [DeliveryOutcome.REJECTED]
    assert path.read_text() == "somebody else's"


async def test_a_folder_that_cannot_be_written_is_tried_again_ever_later(tmp_path: Path) -> None:
    store = MemoryStore()
    store.approve(draft_of())
    in_the_way = tmp_path / "posts"
    in_the_way.write_text("not a folder")
    async with running(outbox_of(store, FileChannel(in_the_way))):
        await store.outcomes(3)
        in_the_way.unlink()
        await store.until(lambda: store.deliveries[-1].outcome is DeliveryOutcome.POSTED)
    *failed, _ = store.deliveries
    assert {delivery.outcome for delivery in failed} == {DeliveryOutcome.RATE_LIMITED}
    waits = [(delivery.until or START) - delivery.at for delivery in failed]
    assert waits == sorted(waits)
    assert waits[0] < waits[-1]
    assert all(later.at >= (earlier.until or START) for earlier, later in pairwise(failed))
    assert list(posts(in_the_way).values()) == [TEXT.encode()]


async def test_a_hold_stops_what_is_tried_again() -> None:
    store = MemoryStore()
    store.approve(draft_of())
    channel = Megaphone(RemoteError(FailureReason.TIMEOUT, "no answer"), name="file", public=False)
    async with running(outbox_of(store, channel)):
        await store.outcomes(1)
        store.held = True
        heard = len(channel.heard)
        seen = store.claims
        await store.until(lambda: store.claims >= seen + 10)
        assert len(channel.heard) == heard


@pytest.mark.parametrize(
    ("public", "answer", "outcome"),
    [
        pytest.param(True, POSTED, DeliveryOutcome.POSTED, id="public, posted"),
        pytest.param(
            True,
            RemoteError(FailureReason.HTTP_5XX, "503"),
            DeliveryOutcome.UNKNOWN_OUTCOME,
            id="public, failed: a person decides",
        ),
        pytest.param(
            True,
            RemoteError(FailureReason.AUTH, "401", permanent=True),
            DeliveryOutcome.REJECTED,
            id="public, refused for good",
        ),
        pytest.param(True, TimeoutError(), DeliveryOutcome.UNKNOWN_OUTCOME, id="public, no answer in time"),
        pytest.param(True, ZeroDivisionError(), DeliveryOutcome.UNKNOWN_OUTCOME, id="public, its code raises"),
        pytest.param(
            True,
            Receipt(outcome=DeliveryOutcome.UNKNOWN_OUTCOME),
            DeliveryOutcome.UNKNOWN_OUTCOME,
            id="public, says itself that it does not know",
        ),
        pytest.param(
            False,
            RemoteError(FailureReason.HTTP_4XX, "404", permanent=True),
            DeliveryOutcome.REJECTED,
            id="private, refused for good",
        ),
        pytest.param(False, ZeroDivisionError(), DeliveryOutcome.REJECTED, id="private, its code raises"),
    ],
)
async def test_what_becomes_of_a_draft(*, public: bool, answer: Receipt | Exception, outcome: DeliveryOutcome) -> None:
    store = MemoryStore()
    store.approve(draft_of("d-1", channel="shout"))
    store.approve(draft_of("d-2", channel="calm"))
    loud = Megaphone(answer, public=public)
    calm = Megaphone(POSTED, name="calm")
    async with running(outbox_of(store, loud, calm)):
        assert await store.outcomes(2) == [outcome, DeliveryOutcome.POSTED]
        seen = store.claims
        store.approve(draft_of("d-3", channel="calm"))
        await store.until(lambda: store.claims > seen)
        await store.outcomes(3)
    assert loud.heard == ["d-1"]


async def test_killed_between_the_file_and_its_commit_the_draft_is_delivered_once(tmp_path: Path) -> None:
    store = MemoryStore()
    store.approve(draft_of())
    store.dies_in_deliver = True
    with pytest.raises(ExceptionGroup) as death:
        await outbox_of(store, FileChannel(tmp_path)).run()
    assert death.group_contains(KilledError)
    before = posts(tmp_path)
    assert list(before.values()) == [TEXT.encode()]
    assert store.rows == {draft_of().id: "sending"}

    store.dies_in_deliver = False
    async with running(outbox_of(store, FileChannel(tmp_path))):
        assert await store.outcomes(1) == [DeliveryOutcome.POSTED]
    assert posts(tmp_path) == before
    assert [delivery.remote_id for delivery in store.deliveries] == list(before)


async def test_killed_after_a_public_post_nothing_is_sent_again() -> None:
    store = MemoryStore()
    store.approve(draft_of(channel="shout"))
    store.dies_in_deliver = True
    channel = Megaphone(POSTED)
    with pytest.raises(ExceptionGroup):
        await outbox_of(store, channel).run()

    store.dies_in_deliver = False
    async with running(outbox_of(store, channel)):
        assert await store.outcomes(1) == [DeliveryOutcome.UNKNOWN_OUTCOME]
    assert channel.heard == [draft_of().id]


async def test_what_a_removed_channel_left_unfinished_is_for_a_person() -> None:
    store = MemoryStore()
    store.approve(draft_of("d-1", channel="gone"))
    store.rows["d-1"] = "sending"
    store.approve(draft_of("d-2", channel="gone"))
    async with running(outbox_of(store)):
        assert await store.outcomes(2) == [DeliveryOutcome.UNKNOWN_OUTCOME, DeliveryOutcome.REJECTED]


async def test_a_held_draft_goes_out_when_released() -> None:
    store = MemoryStore()
    store.held = True
    store.approve(draft_of(channel="shout"))
    channel = Megaphone(POSTED)
    async with running(outbox_of(store, channel)):
        await store.until(lambda: store.claims >= 3)
        assert channel.heard == []
        store.held = False
        assert await store.outcomes(1) == [DeliveryOutcome.POSTED]


async def test_an_expired_draft_stays_where_it_is() -> None:
    store = MemoryStore()
    old = draft_of(channel="shout")
    store.approve(old)
    channel = Megaphone(POSTED)
    clock = Clock(start=old.expires_at, speed=1000.0)
    async with running(Outbox(store, {"shout": channel}, clock, store.deliver)):
        await store.until(lambda: store.claims >= 3)
    assert channel.heard == []


async def test_a_ring_is_answered_at_once() -> None:
    store = MemoryStore()
    store.approve(draft_of("d-1", channel="shout"))
    channel = Megaphone(POSTED)
    outbox = outbox_of(store, channel, speed=0.001)
    async with running(outbox):
        await store.outcomes(1)
        store.approve(draft_of("d-2", channel="shout"))
        outbox.ring()
        await store.outcomes(2)
    assert channel.heard == ["d-1", "d-2"]


def found_as(remote_id: str) -> Receipt:
    return Receipt(outcome=DeliveryOutcome.POSTED, remote_id=remote_id)


LOST = RemoteError(FailureReason.TIMEOUT, "no answer")


async def test_what_may_be_up_is_looked_for_and_found() -> None:
    store = MemoryStore()
    store.approve(draft_of(channel="shout"))
    channel = Megaphone(LOST)
    channel.found = found_as("42")
    async with running(outbox_of(store, channel)):
        assert await store.outcomes(2) == [DeliveryOutcome.UNKNOWN_OUTCOME, DeliveryOutcome.POSTED]
    lost, found = store.deliveries
    assert (lost.searched, lost.reason) == (False, "timeout: no answer")
    assert (found.searched, found.remote_id) == (True, "42")
    assert found.at - lost.at >= FIRST
    assert channel.heard == [draft_of().id]


async def test_only_two_looks_a_minute_apart_say_that_it_is_not_there() -> None:
    store = MemoryStore()
    store.approve(draft_of(channel="shout"))
    channel = Megaphone(LOST)
    async with running(outbox_of(store, channel)):
        assert await store.outcomes(2) == [DeliveryOutcome.UNKNOWN_OUTCOME] * 2
        seen = store.claims
        await store.until(lambda: store.claims > seen or len(channel.sought) == 2)
    assert [delivery.searched for delivery in store.deliveries] == [False, True]
    assert store.deliveries[1].at - store.deliveries[0].at >= FIRST + APART
    assert len(channel.sought) == 2
    assert channel.heard == [draft_of().id]


async def test_a_channel_that_cannot_tell_is_asked_ever_later_and_never_believed() -> None:
    store = MemoryStore()
    store.approve(draft_of(channel="shout"))
    channel = Megaphone(LOST)
    channel.found = RemoteError(FailureReason.HTTP_5XX, "503")
    async with running(outbox_of(store, channel, speed=20_000.0)):
        async with asyncio.timeout(DEADLINE):
            while len(channel.sought) < 4:
                await store.until(lambda: bool(store.deliveries))
                await asyncio.sleep(0)
        channel.found = found_as("42")
        assert await store.outcomes(2) == [DeliveryOutcome.UNKNOWN_OUTCOME, DeliveryOutcome.POSTED]
    assert channel.heard == [draft_of().id]


async def test_a_channel_that_hangs_holds_up_no_other() -> None:
    store = MemoryStore()
    store.approve(draft_of("d-1", channel="slow"))
    store.approve(draft_of("d-2", channel="shout"))
    slow, quick = Hanging(), Megaphone(POSTED)
    outbox = outbox_of(store, slow, quick)
    async with running(outbox):
        await store.outcomes(1)
        store.approve(draft_of("d-3", channel="shout"))
        outbox.ring()
        await store.outcomes(2)
    assert [delivery.draft for delivery in store.deliveries] == ["d-2", "d-3"]
    assert slow.heard == ["d-1"]


class Hanging(Megaphone):
    """Takes a draft and never answers."""

    def __init__(self) -> None:
        super().__init__(POSTED, name="slow")

    async def publish(self, draft: Draft, *, first: str | None) -> Receipt:
        await super().publish(draft, first=first)
        await asyncio.Event().wait()
        raise AssertionError("nobody wakes it")


async def test_nothing_sent_is_tried_again_in_public_too() -> None:
    store = MemoryStore()
    store.approve(draft_of(channel="shout"))
    channel = Megaphone(RemoteError(FailureReason.CONNECTION, "refused", unsent=True))
    async with running(outbox_of(store, channel)):
        assert await store.outcomes(2) == [DeliveryOutcome.RATE_LIMITED] * 2
        channel.answer = POSTED
        await store.until(lambda: store.deliveries[-1].outcome is DeliveryOutcome.POSTED)


async def test_later_posts_of_an_incident_are_told_where_the_first_is() -> None:
    store = MemoryStore()
    store.approve(draft_of("d-1", channel="shout"))
    channel = Megaphone(POSTED)
    outbox = outbox_of(store, channel)
    async with running(outbox):
        await store.outcomes(1)
        store.approve(replace(draft_of("d-2", channel="shout"), stage=Stage.IDENTIFIED))
        store.approve(replace(draft_of("d-3", channel="shout"), incident="i-2", exchange="gate"))
        outbox.ring()
        await store.outcomes(3)
    assert channel.firsts == [None, "42", None]


async def test_a_flapping_rail_is_told_twice_an_hour_and_its_end_always() -> None:
    store = MemoryStore()
    channel = Megaphone(POSTED)
    outbox = outbox_of(store, channel)
    stages = [Stage.INVESTIGATING, Stage.MONITORING] * 6 + [Stage.RESOLVED]
    async with running(outbox):
        for n, stage in enumerate(stages):
            store.approve(replace(draft_of(f"d-{n:02d}", channel="shout"), stage=stage))
            outbox.ring()
            await store.until(lambda n=n: len(store.deliveries) > n)  # type: ignore[misc]
    assert channel.heard == ["d-00", "d-01", "d-12"]
    put_off = [d for d in store.deliveries if d.outcome is DeliveryOutcome.RATE_LIMITED]
    assert all(d.until is not None and timedelta(minutes=50) < d.until - START < timedelta(minutes=70) for d in put_off)
    assert {d.reason for d in put_off} == {"the same was said already in an hour with two posts: it goes on and off"}


async def test_an_incident_that_goes_on_is_told_at_every_stage() -> None:
    store = MemoryStore()
    channel = Megaphone(POSTED)
    outbox = outbox_of(store, channel)
    async with running(outbox):
        for n, stage in enumerate(Stage):
            store.approve(replace(draft_of(f"d-{n}", channel="shout"), stage=stage))
            outbox.ring()
            await store.outcomes(n + 1)
    assert channel.heard == ["d-0", "d-1", "d-2", "d-3"]
