"""Our own people are told: the real store, the real apprise in its process, and receivers that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from monitor.clock import Clock
from monitor.model import (
    Change,
    Draft,
    DraftState,
    Entry,
    ExchangeState,
    ExchangeView,
    Incident,
    IncidentKind,
    Severity,
    Stage,
    Tick,
    Topic,
    Transition,
)
from monitor.model.silence import Silence
from monitor.notify.loudspeaker import Loudspeaker, unreadable
from monitor.notify.notifier import Notifier
from monitor.notify.sender import Target
from monitor.notify.words import Links
from monitor.store import Step, Store
from tests.end_to_end.daemon import eventually
from tests.notifications import START, at, draft, transition
from tests.receiver import Heard, Receiver
from tests.server.store_samples import incident, opened

SPEED = 20.0
LINKS = Links("https://status.example.org")
PAGES = (Topic.PAGES,)


class Counted:
    """What the daemon's metrics are told."""

    def __init__(self) -> None:
        self.failures: list[tuple[str, str]] = []
        self.waiting: dict[str, int] = {}
        self.arrived: list[str] = []

    def notified(self, target: str) -> None:
        pass

    def notify_failed(self, target: str, reason: str) -> None:
        self.failures.append((target, reason))

    def notify_arrived(self, target: str, at: object) -> None:
        del at
        self.arrived.append(target)

    def notifications_wait(self, target: str, count: int) -> None:
        self.waiting[target] = count


class House:
    """A store, a clock and receivers; a notifier lives as long as a test wants."""

    def __init__(self, store: Store, clock: Clock, receivers: dict[str, Receiver]) -> None:
        self.store = store
        self.clock = clock
        self.receivers = receivers
        self.counted = Counted()
        self.seq = 0

    async def commit(self, *outputs: Transition | Draft | Incident) -> None:
        self.seq += 1
        await self.store.commit([Step(Entry(self.seq, Tick(at=at(self.seq), probe="tick")), outputs)])

    async def show(self, *silences: Silence) -> None:
        """The world as it stands: what is silenced."""
        self.seq += 1
        world = ExchangeView(
            exchange="", at=at(0), withdrawals=ExchangeState.UNKNOWN, since=None, reason="", silences=silences
        )
        await self.store.commit([Step(Entry(self.seq, Tick(at=at(self.seq), probe="tick")), ())], views=[world])

    async def counts(self, waiting: int) -> None:
        """As soon as the metric says so of every target."""

        async def done() -> bool:
            return self.counted.waiting == dict.fromkeys(self.receivers, waiting)

        await eventually(done)

    async def nothing_waits(self) -> None:
        """As soon as all that was queued is marked as told."""

        async def done() -> bool:
            return not [name for name in self.receivers if await self.store.notifications.unsent(name)]

        await eventually(done)

    def notifier(self, targets: Sequence[Target]) -> Notifier:
        return Notifier(
            self.store,
            self.store.notifications,
            self.clock,
            drills=self.store.drills,
            targets=targets,
            says=lambda name: Loudspeaker([self.receivers[name].url]).say,
            links=LINKS,
            counters=self.counted,
        )

    @asynccontextmanager
    async def living(self, *targets: Target) -> AsyncIterator[Notifier]:
        notifier = self.notifier(targets)
        await notifier.begin(0)
        task = asyncio.create_task(notifier.run())
        try:
            yield notifier
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def house(folder: Path, *names: str, speed: float = SPEED) -> AsyncIterator[House]:
    clock = Clock(start=START, speed=speed)
    async with AsyncExitStack() as running:
        store = await running.enter_async_context(opened(folder / "cexwatch.db"))
        receivers = {name: await running.enter_async_context(Receiver(clock)) for name in names}
        yield House(store, clock, receivers)


def pager(name: str = "oncall", *, fallback: str = "", after: float = 60) -> Target:
    return Target(name=name, about=PAGES, fallback=fallback, fallback_after=timedelta(seconds=after))


def resolved(name: str, *, exchange: str = "kraken") -> Incident:
    return replace(incident(name, Stage.RESOLVED), exchange=exchange, resolved_at=at(0))


def titles(heard: Sequence[Heard]) -> list[str]:
    return [each.title for each in heard]


async def test_an_incident_is_told_in_order_with_its_tone_and_link(tmp_path: Path) -> None:
    async with house(tmp_path, "oncall") as around, around.living(pager()) as notifier:
        for change in (Change.OPENED, Change.UPDATED, Change.RESOLVED):
            await around.commit(transition(change))
        notifier.ring()
        begun, ended = await around.receivers["oncall"].hears(2)
    assert titles([begun, ended]) == [
        "[critical] kraken: withdrawal halt opened",
        "[critical] kraken: withdrawal halt resolved",
    ]
    assert (begun.type, ended.type) == ("failure", "success")
    assert "https://status.example.org/incidents/kraken-withdrawal_halt-20260203T140000Z" in begun.message


@pytest.mark.parametrize(
    ("behaviour", "reason", "times"),
    [
        pytest.param(429, "rate_limited", 1, id="told to wait"),
        pytest.param(500, "connection", 1, id="broken"),
        pytest.param("hang", "connection", 1, id="takes the connection and says nothing"),
        pytest.param("drop", "connection", 2, id="takes the message and hangs up"),
    ],
)
async def test_what_may_not_have_arrived_is_sent_again_under_the_same_key(
    tmp_path: Path, behaviour: int | str, reason: str, times: int
) -> None:
    async with house(tmp_path, "oncall") as around, around.living(pager()) as notifier:
        receiver = around.receivers["oncall"]
        receiver.behave(behaviour)
        await around.commit(transition(Change.OPENED))
        await around.commit(transition(Change.RESOLVED))
        notifier.ring()
        began = around.clock.now()
        heard = await receiver.hears(times + 1)
        waited = around.clock.now() - began
    assert around.counted.failures == [("oncall", reason)]
    assert [each.ref for each in heard] == ["1-0"] * times + ["2-0"]
    assert waited >= timedelta(seconds=60 if behaviour == 429 else 5)


async def test_one_target_that_fails_keeps_nobody_else_waiting_and_is_told_later(tmp_path: Path) -> None:
    async with house(tmp_path, "oncall", "deputy") as around:
        around.receivers["oncall"].behave(then="hang")
        async with around.living(pager(), pager("deputy")) as notifier:
            for change in (Change.OPENED, Change.RESOLVED):
                await around.commit(transition(change))
            notifier.ring()
            assert len(await around.receivers["deputy"].hears(2)) == 2
            assert around.receivers["oncall"].heard == []
            around.receivers["oncall"].behave(then=200)
            assert [each.ref for each in await around.receivers["oncall"].hears(2)] == ["1-0", "2-0"]


async def test_who_fails_for_long_is_stood_in_for_from_then_on(tmp_path: Path) -> None:
    async with house(tmp_path, "oncall", "deputy") as around:
        around.receivers["oncall"].behave(then=500)
        desk = Target(name="deputy", about=(Topic.DRAFTS,))
        async with around.living(pager(fallback="deputy", after=30), desk) as notifier:
            await around.commit(transition(Change.OPENED))
            notifier.ring()
            deputy = around.receivers["deputy"]
            await deputy.hears(1)
            assert notifier.mute() == "pages do not arrive: oncall"
            await around.commit(transition(Change.RESOLVED))
            notifier.ring()
            assert [each.ref for each in await deputy.hears(2)] == ["1-0", "2-0"]
            around.receivers["oncall"].behave(then=200)
            await around.receivers["oncall"].hears(2)
        assert [each.ref for each in deputy.heard] == ["1-0", "2-0"]


async def test_ten_thousand_changes_in_one_tick_are_one_digest_a_target(tmp_path: Path) -> None:
    async with house(tmp_path, "oncall", "deputy") as around, around.living(pager(), pager("deputy")) as notifier:
        await around.commit(*(transition(Change.OPENED, incident=f"i-{n}") for n in range(10_000)))
        await around.commit(transition(Change.RESOLVED, incident="i-5"))
        notifier.ring()
        for name in ("oncall", "deputy"):
            [digest] = await around.receivers[name].hears(1)
            assert digest.title == "10,001 notifications at once: 10,001 critical"
            assert "full list: https://status.example.org/" in digest.message
        await around.nothing_waits()
    assert all(len(receiver.heard) == 1 for receiver in around.receivers.values())


async def test_a_life_that_ended_between_sending_and_marking_is_followed_by_the_same_message(tmp_path: Path) -> None:
    async with house(tmp_path, "oncall") as around:
        receiver = around.receivers["oncall"]
        receiver.behave("hang")
        async with around.living(pager()) as notifier:
            await around.commit(transition(Change.OPENED))
            notifier.ring()
            await receiver.until(lambda: len(receiver.asked) == 1)
        await around.commit(transition(Change.RESOLVED))  # while nobody lived
        async with around.living(pager()):
            heard = await receiver.hears(2)
            await around.nothing_waits()
        assert [each.ref for each in heard] == ["1-0", "2-0"]
        assert receiver.asked[0] == receiver.asked[1]
        async with around.living(pager()) as notifier:
            await around.commit(transition(Change.OPENED, incident="i-2"))
            notifier.ring()
            assert [each.ref for each in await receiver.hears(3)] == ["1-0", "2-0", "3-0"]


async def test_who_is_told_for_the_first_time_hears_nothing_of_the_past(tmp_path: Path) -> None:
    async with house(tmp_path, "oncall") as around:
        await around.commit(transition(Change.OPENED, incident="of old"))
        await around.notifier([]).begin(around.seq)
        async with around.living(pager()) as notifier:
            await around.commit(transition(Change.OPENED, incident="i-2"))
            notifier.ring()
            [heard] = await around.receivers["oncall"].hears(1)
        assert heard.ref == "2-0"


async def test_a_draft_is_followed_by_what_became_of_it(tmp_path: Path) -> None:
    desk = Target(name="desk", about=(Topic.DRAFTS,))
    async with house(tmp_path, "desk") as around, around.living(desk) as notifier:
        receiver = around.receivers["desk"]
        await around.commit(draft(DraftState.PENDING))
        notifier.ring()
        await receiver.hears(1)
        again = replace(draft(DraftState.PENDING, name="d-2"), replaces="d-1")
        await around.commit(draft(DraftState.SUPERSEDED), again)
        notifier.ring()
        await receiver.hears(3)
        await around.commit(draft(DraftState.APPROVED, name="d-2", decided_by="dana"))
        notifier.ring()
        first, second, third, fourth = await receiver.hears(4)
    assert "https://status.example.org/d/d-1" in first.message
    assert "Superseded by draft d-2" in second.message
    assert "https://status.example.org/d/d-2" in third.message
    assert "approved by dana" in fourth.message


def silence(until: float) -> Silence:
    return Silence(id="s-1", exchange="kraken", created_at=at(0), until=at(until), comment="known", actor="dana")


async def test_what_is_silenced_is_told_when_the_silence_ends_and_not_if_it_is_over_by_then(tmp_path: Path) -> None:
    """What happens at another exchange is told meanwhile."""
    async with house(tmp_path, "oncall") as around, around.living(pager()) as notifier:
        receiver = around.receivers["oncall"]
        await around.show(silence(120))
        for name in ("stays", "ends"):
            await around.commit(transition(Change.OPENED, incident=name), incident(name, Stage.INVESTIGATING))
        await around.commit(transition(Change.RESOLVED, incident="ends"), resolved("ends"))
        await around.commit(transition(Change.OPENED, incident="other", exchange="okx"))
        notifier.ring()
        await receiver.hears(1)
        await around.counts(0)  # what is put off does not wait for its target
        heard = await receiver.hears(2)
        await around.nothing_waits()
        assert around.clock.now() >= at(120)
    assert [each.ref for each in heard] == ["5-0", "2-0"]


async def test_a_silence_that_comes_later_keeps_no_end_from_who_heard_of_the_beginning(tmp_path: Path) -> None:
    async with house(tmp_path, "oncall") as around, around.living(pager()) as notifier:
        await around.commit(transition(Change.OPENED, incident="i-1"), incident("i-1", Stage.INVESTIGATING))
        notifier.ring()
        await around.receivers["oncall"].hears(1)
        await around.show(silence(9_000))
        await around.commit(transition(Change.ESCALATED, incident="i-1"))
        await around.commit(transition(Change.RESOLVED, incident="i-1"), resolved("i-1"))
        notifier.ring()
        heard = await around.receivers["oncall"].hears(2)
        await around.nothing_waits()
    assert [each.ref for each in heard] == ["1-0", "4-0"]


async def test_what_a_larger_incident_explains_does_not_page_by_itself(tmp_path: Path) -> None:
    """Three exchanges close one network: one page. Who stays closed when it is over pages then; who settles never."""
    network = replace(
        incident("net", Stage.INVESTIGATING),
        exchange="",
        kind=IncidentKind.NETWORK_INCIDENT,
        subject="ethereum",
        scope=("*@ethereum",),
        exchanges=("kraken", "okx", "gate"),
    )
    parts = {
        name: replace(incident(name, Stage.INVESTIGATING), exchange=name, scope=("ETH@ethereum",), opened_at=at(1))
        for name in network.exchanges
    }
    async with house(tmp_path, "oncall") as around, around.living(pager()) as notifier:
        receiver = around.receivers["oncall"]
        told = transition(Change.OPENED, incident="net", kind=IncidentKind.NETWORK_INCIDENT, exchange="")
        await around.commit(told, network)
        for name, part in parts.items():
            await around.commit(transition(Change.OPENED, incident=name, exchange=name), part)
        notifier.ring()
        assert [each.ref for each in await receiver.hears(1)] == ["1-0"]
        settling = [replace(parts["okx"], stage=Stage.MONITORING), resolved("gate", exchange="gate")]
        over = transition(Change.RESOLVED, incident="gate", exchange="gate")
        await around.commit(over, replace(network, stage=Stage.MONITORING), *settling)
        notifier.ring()
        heard = await receiver.hears(2)
        await around.commit(transition(Change.RESOLVED, incident="okx", exchange="okx"), resolved("okx"))
        notifier.ring()
        await around.nothing_waits()
    assert [each.ref for each in heard] == ["1-0", "2-0"]


async def test_a_url_that_took_the_message_is_not_told_again_because_another_did_not(tmp_path: Path) -> None:
    async with house(tmp_path, "one", "other") as around:
        one, other = around.receivers["one"], around.receivers["other"]
        other.behave(500)
        notifier = Notifier(
            around.store,
            around.store.notifications,
            around.clock,
            drills=around.store.drills,
            targets=[pager()],
            says=lambda _: Loudspeaker([one.url, other.url]).say,
            links=LINKS,
            counters=around.counted,
        )
        await notifier.begin(0)
        await around.commit(transition(Change.OPENED))
        task = asyncio.create_task(notifier.run())
        await other.hears(1)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert len(one.heard) == 1
        assert around.counted.failures == [("oncall", "connection")]


async def test_urls_that_apprise_does_not_know_are_found_without_sending_anything(tmp_path: Path) -> None:
    async with house(tmp_path, "one") as around:
        known = around.receivers["one"].url
        assert await unreadable(
            [known, "pigeon://coop/7", "not a url", "tgram://123456789:abcdefg_hijklmnop/12315544"]
        ) == [2, 3]
        assert around.receivers["one"].asked == []


async def test_a_warning_that_becomes_a_page_is_told_to_both_and_so_is_its_end(tmp_path: Path) -> None:
    chat = Target(name="chat", about=(Topic.WARNINGS,))
    async with house(tmp_path, "oncall", "chat") as around, around.living(pager(), chat) as notifier:
        for change, severity in (
            (Change.OPENED, Severity.WARNING),
            (Change.ESCALATED, Severity.CRITICAL),
            (Change.RESOLVED, Severity.CRITICAL),
        ):
            await around.commit(transition(change, severity=severity))
        notifier.ring()
        assert [each.ref for each in await around.receivers["oncall"].hears(2)] == ["2-0", "3-0"]
        assert [each.ref for each in await around.receivers["chat"].hears(2)] == ["1-0", "3-0"]
