"""Engines, a real store, the outbox and one channel, step by step: a post stays in flight until a test lets it arrive.

A life ends as by a kill, and the next one begins as the daemon does: with what the store holds, and nothing else.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import tests.journals as j
from monitor.channels.channel import Receipt, posted
from monitor.channels.outbox import Outbox
from monitor.model import (
    Attempt,
    ConfigApplied,
    Delivery,
    DeliveryOutcome,
    Draft,
    FailureReason,
    Judging,
    Observation,
    RailState,
    RemoteError,
    Reply,
    Role,
    WatchedRail,
)
from monitor.pipeline import Asked
from monitor.restart import resume
from monitor.store import Store
from tests.faults.ledger import ALL
from tests.faults.pipelines import answer, live
from tests.faults.press import Fate
from tests.faults.virtual_clock import VirtualClock
from tests.office import EXCHANGE

CHANNEL = "shout"
POLL_SECONDS = 45.0
LATER = timedelta(seconds=90)


class Wire:
    """A channel that recognises what it has, and tells it when it is asked. `up`: draft and text, as they arrived."""

    name = CHANNEL

    def __init__(self, *, public: bool, clock: VirtualClock, told: Callable[[Draft], None]) -> None:
        self.public = public
        self.up: list[tuple[str, str]] = []
        self.looks: dict[str, list[datetime]] = {}  # draft -> when all that is here was looked through for it
        self.is_blind = False  # it cannot tell what it has
        self.in_flight: Draft | None = None
        self.handed = asyncio.Event()
        self._clock = clock
        self._told = told
        self._fates: asyncio.Queue[Fate] = asyncio.Queue()

    async def publish(self, draft: Draft, *, first: str | None) -> Receipt:
        del first
        self._told(draft)
        self.in_flight = draft
        self.handed.set()
        try:
            return self._receipt(draft, await self._fates.get())
        finally:
            self.in_flight = None

    async def find(self, attempt: Attempt, *, first: str | None) -> Receipt | None:
        del first
        if self.is_blind:
            raise RemoteError(FailureReason.HTTP_5XX, "not now")
        self.looks.setdefault(attempt.draft.id, []).append(self._clock.now())
        return posted("1") if self.has(attempt.draft) else None

    def has(self, draft: Draft) -> bool:
        return (draft.id, draft.text) in self.up

    def arrive(self, draft: Draft) -> None:
        """It is here from now on. What is not public has its draft's id on it, so it is here once."""
        if self.public or not self.has(draft):
            self.up.append((draft.id, draft.text))

    def decide(self, fate: Fate) -> None:
        """What becomes of the post in flight."""
        self._fates.put_nowait(fate)

    def _receipt(self, draft: Draft, fate: Fate) -> Receipt:
        if fate in (Fate.POSTED, Fate.LOST):
            self.arrive(draft)
        match fate:
            case Fate.POSTED:
                return posted("1")
            case Fate.REJECTED:
                return Receipt(outcome=DeliveryOutcome.REJECTED, reason="too long")
            case Fate.RATE_LIMITED:
                until = self._clock.now() + LATER
                return Receipt(outcome=DeliveryOutcome.RATE_LIMITED, until=until, reason="slowly")
            case _:
                raise RemoteError(FailureReason.TIMEOUT, "no answer")


class Newsroom:
    """One life after another over the database in `folder`."""

    def __init__(self, folder: Path, *, start: datetime) -> None:
        self._address = f"sqlite+aiosqlite:///{folder}/cexwatch.db"
        self._turn = asyncio.Lock()  # the outbox and people write at the same time, and the journal has one end
        self.clock = VirtualClock(start)
        self.store: Store

    async def open(self, wire: Wire) -> None:
        self.store = await Store.open(self._address)
        resumed = await resume(self.store)
        assert resumed.diverged == 0, "a restart concludes something else than was committed"
        self.wire = wire
        self._engines = resumed.engines
        self._outbox = Outbox(self.store, {CHANNEL: wire}, self.clock, self._deliver)
        self._clear()
        self._running = asyncio.ensure_future(self._outbox.run())
        await self._until_it_rests()

    async def close(self) -> None:
        """At once, whatever is in flight."""
        self._running.cancel()
        await asyncio.wait([self._running])
        await self.store.close()

    async def ring(self) -> None:
        """While nothing is in flight: until the outbox has nothing to do, or a post is."""
        self._clear()
        self._outbox.ring()
        await self._until_it_rests()

    async def settle(self, fate: Fate) -> None:
        self._clear()
        self.wire.decide(fate)
        await self._until_it_rests()

    async def ask(self, asked: Asked) -> Reply:
        async with self._turn:
            return await answer(self.store, self._engines, asked, seq=await self._seq())

    async def learn(self, entries: Sequence[Observation]) -> None:
        async with self._turn:
            await live(self.store, self._engines, entries, seq=await self._seq())

    async def poll(self, *states: RailState) -> None:
        """The list of the exchange, once for each state that all its rails are in."""
        for state in states:
            self.clock.leap(POLL_SECONDS)
            rails = j.rail(self.minutes(), state)
            await self.learn([*rails, j.read(self.minutes(), changed=len(rails)), j.traded(self.minutes())])

    async def drafts(self) -> list[Draft]:
        """For the channel, newest first."""
        return [draft for draft in await self.store.drafts(limit=ALL) if draft.channel == CHANNEL]

    def minutes(self) -> float:
        return (self.clock.now() - j.START).total_seconds() / 60

    def _clear(self) -> None:
        self.clock.dozed.clear()
        self.wire.handed.clear()

    async def _until_it_rests(self) -> None:
        waits = [asyncio.ensure_future(event.wait()) for event in (self.clock.dozed, self.wire.handed)]
        await asyncio.wait([self._running, *waits], return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if self._running.done():
            self._running.result()

    async def _deliver(self, delivery: Delivery) -> None:
        await self.ask(delivery)

    async def _seq(self) -> int:
        head = await self.store.head()
        return head.seq if head is not None else 0


async def halted(folder: Path, *, required: int) -> datetime:
    """Prepare a database in which a draft of a halt waits; returns the time it is then."""
    room = Newsroom(folder, start=j.START)
    await room.open(Wire(public=True, clock=room.clock, told=lambda _: None))
    judged = Judging(
        role=Role.OPERATOR,
        speaks_for=EXCHANGE,
        channels=(CHANNEL,),
        approvals_required=required,
        watched={EXCHANGE: tuple(WatchedRail(asset=r.asset, network=r.network) for r in j.MAJORS)},
    )
    await room.ask(ConfigApplied(at=room.clock.now(), probe="config", config=judged, sha256="1"))
    await room.poll(RailState.OPEN, *[RailState.SUSPENDED] * 3)
    assert [draft.state for draft in await room.drafts()] == ["pending"]
    await room.close()
    return room.clock.now()
