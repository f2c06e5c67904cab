"""A whole way from flags to posts on a real store, step by step: pipeline, outbox, and two channels that check.

Time stands still between the steps. A post may fail, the daemon may be killed in the middle of it, and meanwhile the
world may go on. Whatever is published against the rules is kept in `broken`.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from enum import Enum, auto

from msgspec import Struct
from msgspec.structs import replace

import tests.journals as j
from monitor.channels.channel import Receipt
from monitor.channels.outbox import Outbox
from monitor.model import (
    SUPPORT,
    Attempt,
    ConfigApplied,
    Delivery,
    DeliveryOutcome,
    Draft,
    DraftState,
    FailureReason,
    Judging,
    Observation,
    RailState,
    RemoteError,
    Verb,
    WatchedRail,
)
from monitor.notices.draft import sha256
from monitor.pipeline import Asked
from monitor.restart import resume
from monitor.store import Store
from tests.faults.ledger import ALL
from tests.faults.people import command
from tests.faults.pipelines import answer, live
from tests.faults.virtual_clock import VirtualClock

EXCHANGE = "examplex"
POLL_SECONDS = 45.0
LATER = timedelta(seconds=90)
OVER = (DraftState.REJECTED, DraftState.SUPERSEDED, DraftState.EXPIRED)


class Shown(Enum):
    """Which text's hash an approval names."""

    NOW = auto()
    FIRST = auto()  # as it was before it was edited
    OTHER = auto()
    NONE = auto()


class Flip(Struct, frozen=True):
    is_open: bool


class Poll(Struct, frozen=True):
    times: int


class Wait(Struct, frozen=True):
    """Time passes; without an entry the engines do not notice."""

    minutes: int
    is_noticed: bool = True


class Decide(Struct, frozen=True):
    verb: Verb
    draft: int
    shown: Shown = Shown.NOW


class Hold(Struct, frozen=True):
    is_held: bool


class Deliver(Struct, frozen=True):
    """The outbox looks whether anything is due."""


class Restart(Struct, frozen=True):
    pass


Event = Flip | Poll | Wait | Decide | Hold
"""What may also happen while a post is on its way."""
Action = Event | Deliver | Restart


class Fate(Enum):
    POSTED = auto()
    REJECTED = auto()
    RATE_LIMITED = auto()
    LOST = auto()  # it may be up: the connection broke after it was sent
    UNSENT = auto()  # it is not, but nobody can know
    KILLED_BEFORE = auto()
    KILLED_AFTER = auto()


class Sending(Struct, frozen=True):
    """What becomes of an attempt, and what happens meanwhile."""

    fate: Fate = Fate.POSTED
    meanwhile: Event | None = None


class KilledError(BaseException):
    """The process is gone at this instant."""


class Press:
    def __init__(self, address: str, sendings: list[Sending]) -> None:
        self._address = address
        self._sendings = sendings
        self._clock = VirtualClock(j.at(0))
        self._first: dict[str, str] = {}  # draft -> hash of its first text
        self._approved: dict[str, set[str]] = {}  # draft -> hashes of texts that were approved
        self._over: set[str] = set()  # drafts that were rejected, superseded or expired before they were settled
        self._settled: set[str] = set()
        self._turn = asyncio.Lock()  # channels work at the same time, and the journal has one end
        self._is_held = False
        self._is_open = True
        self._told: RailState | None = None  # by the list
        self.out: dict[str, str] = {}  # draft -> text, once it is to be seen
        self.attempts = 0
        self.broken: list[str] = []

    async def play(self, actions: list[Action]) -> None:
        await self._open()
        judged_by = Judging(
            watched={EXCHANGE: tuple(WatchedRail(asset=r.asset, network=r.network) for r in j.MAJORS)},
            channels=("file", "shout"),
        )
        await self._ask(ConfigApplied(at=self._clock.now(), probe="config", config=judged_by, sha256="1"))
        try:
            for action in actions:
                await self._act(action)
            self.broken += [f"nobody knows that {draft.id} is out" for draft in await self._unknown()]
        finally:
            await self._close()

    async def _unknown(self) -> list[Draft]:
        """Drafts that are to be seen and count as taken back."""
        return [draft for draft in await self._store.drafts(limit=ALL) if draft.id in self.out and draft.state in OVER]

    async def publish(self, draft: Draft, *, public: bool) -> Receipt:
        """What a channel does."""
        self.attempts += 1
        self.broken += [rule for rule, is_kept in (await self._rules(draft, public=public)).items() if not is_kept]
        sending = self._sendings.pop(0) if self._sendings else Sending()
        if sending.meanwhile is not None:
            await self._act(sending.meanwhile)
        return self._sent(draft, sending.fate)

    async def find(self, draft: Draft) -> Receipt | None:
        """What a channel does that recognises a draft."""
        if self.out.get(draft.id) != draft.text:
            return None
        return Receipt(outcome=DeliveryOutcome.POSTED, remote_id="1")

    async def _rules(self, draft: Draft, *, public: bool) -> dict[str, bool]:
        return {
            "what is sent is what is stored": await self._store.draft(draft.id) == draft,
            "somebody approved exactly this text": sha256(draft.text) in self._approved.get(draft.id, set()),
            "it is approved now": draft.state is DraftState.APPROVED,
            "nobody rejected it, and it still holds": draft.id not in self._over,
            "it has not expired": self._clock.now() < draft.expires_at,
            "nothing is held": not self._is_held,
            "it is tried again by a person only": draft.id not in self._settled,
            "what is public is not sent again": not (public and draft.id in self.out),
        }

    def _sent(self, draft: Draft, fate: Fate) -> Receipt:
        if fate in (Fate.POSTED, Fate.LOST, Fate.KILLED_AFTER):
            self.out[draft.id] = draft.text
        match fate:
            case Fate.POSTED:
                return Receipt(outcome=DeliveryOutcome.POSTED, remote_id="1")
            case Fate.REJECTED:
                return Receipt(outcome=DeliveryOutcome.REJECTED)
            case Fate.RATE_LIMITED:
                return Receipt(outcome=DeliveryOutcome.RATE_LIMITED, until=self._clock.now() + LATER)
            case Fate.LOST | Fate.UNSENT:
                raise RemoteError(FailureReason.CONNECTION, "broke off")
            case Fate.KILLED_BEFORE | Fate.KILLED_AFTER:
                raise KilledError

    async def _act(self, action: Action) -> None:
        match action:
            case Flip(is_open=is_open):
                self._is_open = is_open
            case Poll(times=times):
                for _ in range(times):
                    await self._poll()
            case Wait(minutes=minutes, is_noticed=is_noticed):
                self._clock.leap(60.0 * minutes)
                await self._take(*([j.tick(self._minutes())] if is_noticed else []))
            case Hold(is_held=is_held):
                reply = await self._ask(command(Verb.HOLD if is_held else Verb.RELEASE, at=self._clock.now()))
                assert reply
                self._is_held = is_held
            case Decide():
                await self._decide(action)
            case Deliver():
                await self._deliver_what_is_due()
            case Restart():
                await self._close()
                await self._open()

    async def _poll(self) -> None:
        self._clock.leap(POLL_SECONDS)
        state = RailState.OPEN if self._is_open else RailState.SUSPENDED
        changed = j.rail(self._minutes(), state) if state is not self._told else []
        self._told = state
        await self._take(*changed, j.read(self._minutes(), changed=len(changed)), j.traded(self._minutes()))

    async def _decide(self, decision: Decide) -> None:
        written = [draft for draft in await self._store.drafts(limit=ALL) if draft.channel != SUPPORT]
        drafts = sorted(written, key=_waiting_first)
        if not drafts:
            return
        draft = drafts[decision.draft % len(drafts)]
        now = self._clock.now()
        match decision.verb:
            case Verb.APPROVE:
                named = {
                    Shown.NOW: draft.text_sha256,
                    Shown.FIRST: self._first[draft.id],
                    Shown.OTHER: "0" * 64,
                    Shown.NONE: None,
                }[decision.shown]
                asked = command(Verb.APPROVE, at=now, draft=draft)
                granted = await self._ask(replace(asked, text_sha256=named))
                if granted and named is not None and now < draft.expires_at and not self._is_held:
                    self._approved.setdefault(draft.id, set()).add(named)
            case Verb.RETRY:
                if await self._ask(command(Verb.RETRY, at=now, draft=draft)):
                    self.broken += [f"{draft.id} is out, and was to be sent again"] * (draft.id in self.out)
                    self._settled.discard(draft.id)
                    self._over.discard(draft.id)
            case Verb.EDIT:
                await self._ask(command(Verb.EDIT, at=now, draft=draft, text=f"{draft.text}\nMore will follow."))
            case Verb.IDENTIFY:
                asked = command(Verb.IDENTIFY, at=now, draft=draft)
                await self._ask(replace(asked, subject=draft.incident))
            case verb:
                await self._ask(command(verb, at=now, draft=draft))

    async def _take(self, *entries: Observation) -> None:
        async with self._turn:
            await live(self._store, self._engines, entries, seq=await self._seq())
            await self._note()

    async def _ask(self, asked: Asked) -> bool:
        async with self._turn:
            reply = await answer(self._store, self._engines, asked, seq=await self._seq())
            await self._note()
        return reply.ok

    async def _seq(self) -> int:
        head = await self._store.head()
        return head.seq if head is not None else 0

    async def _note(self) -> None:
        """Remember what drafts have come to."""
        for draft in await self._store.drafts(limit=ALL):
            self._first.setdefault(draft.id, draft.text_sha256)
            if draft.state in OVER:
                self._over.add(draft.id)

    async def _settle(self, delivery: Delivery) -> None:
        await self._ask(delivery)
        if delivery.outcome is not DeliveryOutcome.RATE_LIMITED:
            self._settled.add(delivery.draft)

    async def _deliver_what_is_due(self) -> None:
        self._clock.dozed.clear()
        self._outbox.ring()
        await self._until_it_rests()

    async def _until_it_rests(self) -> None:
        """Until the outbox has nothing more to do; after a kill the next life goes on."""
        resting = asyncio.ensure_future(self._clock.dozed.wait())
        await asyncio.wait([self._running, resting], return_when=asyncio.FIRST_COMPLETED)
        resting.cancel()
        if self._running.done():
            await self._close()
            await self._open()

    async def _open(self) -> None:
        self._store = await Store.open(self._address)
        resumed = await resume(self._store)
        assert resumed.diverged == 0
        self._engines = resumed.engines
        channels: Mapping[str, _Channel] = {
            "file": _Channel("file", self, public=False),
            "shout": _Channel("shout", self, public=True),
        }
        self._outbox = Outbox(self._store, channels, self._clock, self._settle)
        self._clock.dozed.clear()
        self._running = asyncio.ensure_future(self._outbox.run())
        await self._until_it_rests()

    async def _close(self) -> None:
        self._running.cancel()
        try:
            await self._running
        except* (asyncio.CancelledError, KilledError):
            pass
        finally:
            await self._store.close()

    def _minutes(self) -> float:
        return self._clock.monotonic() / 60


class _Channel:
    def __init__(self, name: str, press: Press, *, public: bool) -> None:
        self.name = name
        self.public = public
        self._press = press

    async def publish(self, draft: Draft, *, first: str | None) -> Receipt:
        del first
        return await self._press.publish(draft, public=self.public)

    async def find(self, attempt: Attempt, *, first: str | None) -> Receipt | None:
        del first
        return await self._press.find(attempt.draft)


def _waiting_first(draft: Draft) -> tuple[bool, str, str]:
    return draft.state is not DraftState.PENDING, draft.channel, draft.id
