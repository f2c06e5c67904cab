"""What the links open: pages that can freeze one account. Whoever tries addresses that are none is slowed down."""

from datetime import datetime, timedelta

from monitor.clock import Clock
from monitor.freeze import lock as locking
from monitor.freeze.entry import Origin
from monitor.freeze.keyring import Hashed
from monitor.freeze.lock import Lock
from monitor.freeze.pages import NotWrittenError, Opened, TooOftenError
from monitor.freeze.sparing import Sparing
from monitor.freeze.state import Link
from monitor.freeze.telemetry import Telemetry

STRANGE_A_MINUTE = 20  # addresses that are none, from one place
AGAIN_A_MINUTE = 6  # of an account that is frozen already
OPENED_KEPT_SECONDS = 900.0
_OPENED = 10_000


class LinkDoor:
    def __init__(self, lock: Lock, *, telemetry: Telemetry, clock: Clock) -> None:
        self._lock = lock
        self._telemetry = telemetry
        self._clock = clock
        self._strange = Sparing(STRANGE_A_MINUTE, clock=clock)
        self._again = Sparing(AGAIN_A_MINUTE, clock=clock)
        self._opened: dict[bytes, float] = {}

    async def opened(self, token: str, *, source: str) -> Opened | None:
        """None for no link of ours. Raises TooOftenError for too many of those; a link of ours always opens."""
        found = self._lock.link(token)
        if found is None:
            self._refuse_often(source)
            return None
        name, link = found
        until = self._lock.frozen_until([link.account])
        if until is None:
            self._note(name)
        return Opened(is_guardian=link.is_guardian, frozen_until=until)

    async def freeze(self, token: str, duration: timedelta, *, source: str) -> datetime:
        """The end. Raises KeyError for no link of ours, TooOftenError, NotWrittenError."""
        started = self._clock.monotonic()
        found = self._lock.link(token)
        if found is None:
            self._refuse_often(source)
            raise KeyError("no such link")
        name, link = found
        if self._lock.frozen_until([link.account]) is not None and (wait := self._again.wait(link.account)):
            self._telemetry.refused("too_often")
            raise TooOftenError(wait)
        origin = Origin.GUARDIAN if link.is_guardian else Origin.LINK
        try:
            outcome = await self._lock.freeze(
                [_hashed(link)], duration=duration, requested_at=self._lock.moment().plausible(), origin=origin
            )
        except locking.NotWrittenError as error:
            self._telemetry.refused("not_written")
            raise NotWrittenError from error
        ended = self._clock.monotonic()
        self._telemetry.activated(outcome, origin, chosen=duration, seconds=ended - started)
        opened = self._opened.pop(name, None)
        if opened is not None:
            self._telemetry.hurried(ended - opened)
        return outcome.until

    def _refuse_often(self, source: str) -> None:
        wait = self._strange.wait(source)
        if wait:
            self._telemetry.refused("strange_link")
            raise TooOftenError(wait)

    def _note(self, link: bytes) -> None:
        now = self._clock.monotonic()
        if now - self._opened.get(link, float("-inf")) > OPENED_KEPT_SECONDS:
            self._opened[link] = now
        if len(self._opened) > _OPENED:
            self._opened = {each: at for each, at in self._opened.items() if now - at <= OPENED_KEPT_SECONDS}


def _hashed(link: Link) -> Hashed:
    return Hashed(link.key_id, link.account)
