"""How often a host may be asked, and how long it is left alone after it said stop.

One `Host` is shared by everything that asks that host. All times are clock seconds.
"""

from collections import deque
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from monitor.clock import Clock
from monitor.model import FailureReason, RemoteError

PATIENCE_SECONDS = 30.0
FIRST_CLOSURE_SECONDS = 30.0
LONGEST_BACK_OFF_SECONDS = 900.0
LONGEST_CLOSURE_SECONDS = 3600.0
LONGEST_BAN_SECONDS = 3 * 86400.0

_DOUBLINGS = 10  # enough to pass the longest back-off


class NotAskedError(RemoteError):
    """Nothing was sent: the host has closed itself to us, or our own queue for it is too long."""


class Host:
    """The budget of one host, and whether it wants to hear from us.

    No second holds more than `per_second` requests (below one: requests are `1 / per_second` seconds apart). A request
    over the budget waits its turn, in the order of asking.
    """

    def __init__(self, name: str, clock: Clock, *, per_second: float) -> None:
        self._clock = clock
        self.name = name
        self._seats = max(1, int(per_second))
        self._window = max(1.0, 1.0 / per_second)
        self._turns: deque[float] = deque(maxlen=self._seats)  # the newest ones, some still to come
        self._open_at = 0.0
        self._closures = 0
        self._closed_for = FailureReason.RATE_LIMITED

    async def turn(self) -> None:
        """Wait until one request may be sent. Raises `NotAskedError` at once while the host is closed."""
        self._refuse_while_closed()
        now = self._clock.monotonic()
        turn = self._next_turn(now)
        self._turns.append(turn)
        if turn > now:
            await self._clock.sleep(turn - now)
            self._refuse_while_closed()

    def _next_turn(self, now: float) -> float:
        if len(self._turns) < self._seats:
            return now
        turn = max(now, self._turns[0] + self._window)
        if turn - now > PATIENCE_SECONDS:
            raise NotAskedError(
                FailureReason.RATE_LIMITED, f"{self.name}: over {PATIENCE_SECONDS:.0f} s of our own queue"
            )
        return turn

    def _refuse_while_closed(self) -> None:
        left = self._open_at - self._clock.monotonic()
        if left > 0:
            raise NotAskedError(
                self._closed_for, f"{self.name}: not asked for {left:.0f} s more, as it told us to stop"
            )

    def close(self, reason: FailureReason, *, wait: float | None) -> None:
        """The host said stop: for `wait` seconds, or without a number 30 s, doubling up to 15 min."""
        now = self._clock.monotonic()
        if now >= self._open_at:  # answers that were in flight together are one refusal
            self._closures += 1
        longest = LONGEST_BAN_SECONDS if reason is FailureReason.BLOCKED else LONGEST_CLOSURE_SECONDS
        seconds = self._back_off() if wait is None else min(wait, longest)
        self._open_at = max(self._open_at, now + seconds)
        self._closed_for = reason

    def _back_off(self) -> float:
        doublings = min(self._closures - 1, _DOUBLINGS)
        return min(FIRST_CLOSURE_SECONDS * 2.0**doublings, LONGEST_BACK_OFF_SECONDS)

    def answered(self) -> None:
        """The host let us in again, so its next refusal is a first one."""
        if self._closures and self._clock.monotonic() >= self._open_at:
            self._closures = 0


def seconds_to_wait(retry_after: str, *, now: datetime) -> float | None:
    """Seconds a `Retry-After` header asks for, as a number or an HTTP date (RFC 9110, 10.2.3).

    None where it asks for nothing usable: garbage, zero, negative, a date gone by.
    """
    if retry_after.isascii() and retry_after.isdigit():
        seconds = float(retry_after)
    else:
        until = http_date(retry_after)
        seconds = (until - now).total_seconds() if until is not None else 0.0
    return seconds if seconds > 0 else None


@lru_cache(maxsize=64)
def http_date(text: str) -> datetime | None:
    """A header's date as UTC, None where it is not one. A second's worth of answers carry the same text."""
    try:
        at = parsedate_to_datetime(text)
        # "-0000" comes back naive; a header's date is GMT whatever it says (RFC 9110, 5.6.7).
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
