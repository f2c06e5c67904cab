"""Tells one target what waits for it, one message at a time, in order, again and again until it arrives."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from msgspec import Struct

from monitor.clock import Clock
from monitor.model import Notification, Queued, RemoteError, Told, Topic
from monitor.notify.bell import rung
from monitor.notify.hush import audible
from monitor.notify.storm import RISES_PER, plan
from monitor.notify.words import Links, Message, again, composed

log = structlog.get_logger()

FIRST_BACK_OFF_SECONDS = 5.0
LONGEST_BACK_OFF_SECONDS = 300.0
TOO_MANY_SECONDS = 60.0  # apprise does not say for how long a service asked us to wait
GATHER_SECONDS = 1.0  # what happens at one moment is told at once
SEND_SECONDS = 30.0  # real ones
LONGEST_REST_SECONDS = 60.0


class Target(Struct, frozen=True, kw_only=True):
    name: str
    about: tuple[Topic, ...]
    fallback: str = ""
    fallback_after: timedelta = timedelta(minutes=5)


class Waiting(Protocol):
    """What a sender asks of the store."""

    async def unsent(self, target: str) -> list[Queued]: ...
    async def told(self, target: str, subjects: Collection[str], *, since: datetime) -> list[Told]: ...
    async def begin(self, target: str, notifications: Sequence[Notification], *, message: str) -> None: ...
    async def end(self, target: str, message: str, *, now: datetime) -> None: ...
    async def fold(self, target: str, notifications: Sequence[Notification]) -> None: ...
    async def copy(self, source: str, target: str) -> int: ...


class Counters(Protocol):
    """Who counts what a sender does."""

    def notified(self, target: str) -> None: ...
    def notify_failed(self, target: str, reason: str) -> None: ...
    def notify_arrived(self, target: str, at: datetime) -> None: ...
    def notifications_wait(self, target: str, count: int) -> None: ...


Hushed = Callable[[Sequence[Queued]], Awaitable[Collection[str]]]
"""Of which incidents, among those of what waits, nobody is to be told now."""

Say = Callable[[Message], Awaitable[None]]
"""Sends one message. Raises RemoteError where it did not arrive, or may not have."""


class Sender:
    """`passed_on` is called with the name of the fallback that got something to do."""

    def __init__(
        self,
        target: Target,
        store: Waiting,
        clock: Clock,
        say: Say,
        *,
        hushed: Hushed,
        links: Links,
        counters: Counters,
        passed_on: Callable[[str], None],
    ) -> None:
        self.target = target
        self.failing_since: datetime | None = None
        self._store = store
        self._clock = clock
        self._say = say
        self._hushed = hushed
        self._links = links
        self._counters = counters
        self._passed_on = passed_on
        self._bell = asyncio.Event()
        self._failures = 0
        self._not_before: datetime | None = None

    def ring(self) -> None:
        """Something may wait."""
        self._bell.set()

    def is_down(self) -> bool:
        """It has failed for so long that somebody else has to hear of it."""
        since = self.failing_since
        return since is not None and self._clock.now() - since >= self.target.fallback_after

    async def run(self) -> None:
        """For ever. What a former life began to send is sent first, as the same message."""
        while True:
            self._bell.clear()
            until = await self._turn()
            if until is None or until > self._clock.now():
                await self._rest(until)

    async def _turn(self) -> datetime | None:
        """Do what is due; returns when to look again, None for at the next ring."""
        waiting = await self._store.unsent(self.target.name)
        self._counters.notifications_wait(self.target.name, sum(not each.put_off for each in waiting))
        if not waiting:
            return None
        now = self._clock.now()
        if self.is_down():
            await self._pass_on()
        if self._not_before is not None and now < self._not_before:
            return self._not_before
        message, begun = _begun(waiting)
        if begun:
            return await self._deliver(again(message, begun, self._links))
        return await self._next(waiting, now)

    async def _next(self, waiting: Sequence[Queued], now: datetime) -> datetime | None:
        name = self.target.name
        told = await self._store.told(name, [each.notification.subject for each in waiting], since=now - RISES_PER)
        found = audible(waiting, told, await self._hushed(waiting))
        following = plan(found.now, told, about=self.target.about, now=now)
        await self._store.fold(name, [*found.fold, *following.fold])
        if not following.send:
            return following.wait_until
        message = composed(following.send, self._links, is_flapping=following.is_flapping)
        await self._store.begin(name, following.send, message=message.key)
        return await self._deliver(message)

    async def _deliver(self, message: Message) -> datetime:
        name = self.target.name
        self._counters.notified(name)
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._say(message)
        except RemoteError as error:
            return self._failed(error.reason, error.detail)
        except TimeoutError:
            return self._failed("timeout", f"not sent within {SEND_SECONDS:.0f} s")
        now = self._clock.now()
        await self._store.end(name, message.key, now=now)
        self._counters.notify_arrived(name, now)
        if self.failing_since is not None:
            log.info("notifications_arrive_again", target=name)
        self.failing_since, self._failures, self._not_before = None, 0, None
        return now

    def _failed(self, reason: str, detail: str) -> datetime:
        now = self._clock.now()
        self._counters.notify_failed(self.target.name, reason)
        if self.failing_since is None:
            self.failing_since = now
            log.error("notification_not_sent", target=self.target.name, reason=reason, detail=detail)
        seconds = min(FIRST_BACK_OFF_SECONDS * 2**self._failures, LONGEST_BACK_OFF_SECONDS)
        self._failures = min(self._failures + 1, 10)
        if reason == "rate_limited":
            seconds = max(seconds, TOO_MANY_SECONDS)
        self._not_before = now + timedelta(seconds=seconds)
        return self._not_before

    async def _pass_on(self) -> None:
        if self.target.fallback and await self._store.copy(self.target.name, self.target.fallback):
            log.warning("notifications_fall_back", target=self.target.name, to=self.target.fallback)
            self._passed_on(self.target.fallback)

    async def _rest(self, until: datetime | None) -> None:
        """Until the bell rings or it is time; then a moment in which more may come."""
        seconds = LONGEST_REST_SECONDS if until is None else (until - self._clock.now()).total_seconds()
        await rung(self._bell, self._clock, within=min(seconds, LONGEST_REST_SECONDS))
        await self._clock.sleep(GATHER_SECONDS)


def _begun(waiting: Sequence[Queued]) -> tuple[str, list[Notification]]:
    """The first message that began to carry some of them, and all that it carries."""
    message = next((each.message for each in waiting if each.message), "")
    return message, [each.notification for each in waiting if message and each.message == message]
