"""How often a host may be asked, and how long it is left alone after it said stop.

One `Host` is shared by everything that asks that host. All times are clock seconds.
"""

import re
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from monitor.clock import Clock
from monitor.model import Closure, FailureReason, RemoteError

REQUESTS_PER_SECOND = 5.0
PATIENCE_SECONDS = 30.0
JITTER_SECONDS = 2.0  # at most this much later than a host tells
LONGEST_BAN_SECONDS = 3 * 86400.0
LONGEST_STOP_SECONDS = 3600.0
SPARED = 0.5  # of a budget: beyond this we slow down
ALMOST_ALL = 0.95  # of a budget: from here on we wait for its next window

_DOUBLINGS = 10  # enough to pass the longest back-off
_LONGEST_COUNT = 15  # digits
_LONGEST_RESET = 86_400.0
_BANNED_UNTIL = re.compile(r"banned until (\d{13})(?!\d)", re.ASCII)  # milliseconds since 1970


class Stop(Struct, frozen=True, kw_only=True):
    """A way to be told to stop: `first` to `longest` seconds where no number comes with it, at most `longest_told`."""

    reason: FailureReason
    first: float
    longest: float
    longest_told: float


TOO_MANY = Stop(reason=FailureReason.RATE_LIMITED, first=30.0, longest=900.0, longest_told=LONGEST_STOP_SECONDS)
# Binance's bans begin at two minutes, and its longest is three days.
BANNED = Stop(reason=FailureReason.BLOCKED, first=120.0, longest=10_800.0, longest_told=LONGEST_BAN_SECONDS)
# Bybit's wall lets go after up to half an hour without a request; in three hours a person may have changed something.
WALLED = Stop(reason=FailureReason.BLOCKED, first=1800.0, longest=10_800.0, longest_told=LONGEST_STOP_SECONDS)


class Weight(Struct, frozen=True, kw_only=True):
    """How a host tells in its answers what we used of our budget there: `counts` of `limit` in each window."""

    header: str
    limit: int
    window_seconds: float
    counts: Literal["used", "remaining"] = "used"


class Budget(Struct, frozen=True, kw_only=True):
    per_second: float = REQUESTS_PER_SECOND
    weight: Weight | None = None


class NotAskedError(RemoteError):
    """Nothing was sent: the host has closed itself to us, or our own queue for it is too long."""

    def __init__(self, reason: FailureReason, detail: str) -> None:
        super().__init__(reason, detail, unsent=True)


def chance() -> float:
    """Anything from 0 to below 1, and not the same in two daemons that start together."""
    return secrets.randbelow(2**32) / 2**32


class Host:
    """The budget of one host, and whether it wants to hear from us.

    No second holds more than `per_second` requests (below one: requests are `1 / per_second` seconds apart). A request
    over the budget waits its turn, in the order of asking.
    """

    def __init__(
        self, name: str, clock: Clock, *, port: int, budget: Budget, chance: Callable[[], float] = chance
    ) -> None:
        self._clock = clock
        self._chance = chance
        self.name = name
        self._port = port
        self._seats = max(1, int(budget.per_second))
        self._window = max(1.0, 1.0 / budget.per_second)
        self._turns: deque[float] = deque(maxlen=self._seats)  # the newest ones in order, some still to come
        self._use = None if budget.weight is None else _Use(budget.weight)
        self._gap = 0.0
        self._rests_until = 0.0
        self._open_at = 0.0
        self._refusals = 0
        self._forgiven = 0  # by the newest answer
        self._closed_for = FailureReason.RATE_LIMITED

    async def turn(self) -> None:
        """Wait until one request may be sent. Raises `NotAskedError` at once while the host is closed."""
        self._refuse_while_closed()
        await self._wait_until(self._booked())
        while self._clock.monotonic() < self._rests_until:  # heard of while we waited
            await self._wait_until(self._booked())

    def _booked(self) -> float:
        now = self._clock.monotonic()
        turn = max(now, self._rests_until)
        if self._turns:
            turn = max(turn, self._turns[-1] + self._gap)
        if len(self._turns) == self._seats:
            turn = max(turn, self._turns[0] + self._window)
        if turn - now > PATIENCE_SECONDS:
            why = "its budget is almost used up" if turn == self._rests_until else "our own queue is too long"
            raise NotAskedError(FailureReason.RATE_LIMITED, f"{self.name}: not asked for {turn - now:.0f} s: {why}")
        self._turns.append(turn)
        return turn

    async def _wait_until(self, turn: float) -> None:
        wait = turn - self._clock.monotonic()
        if wait > 0:
            await self._clock.sleep(wait)
            self._refuse_while_closed()

    def _refuse_while_closed(self) -> None:
        left = self._open_at - self._clock.monotonic()
        if left > 0:
            raise NotAskedError(
                self._closed_for, f"{self.name}: not asked for {left:.0f} s more, as it told us to stop"
            )

    def close(self, stop: Stop, *, told: float | None) -> Closure:
        """The host said stop: for `told` seconds, or without a number longer each time. Returns what is to be kept."""
        now = self._clock.monotonic()
        is_first = now >= self._open_at  # answers that were in flight together are one refusal
        if is_first:
            self._refusals += 1
        if told is not None:
            seconds = min(told + JITTER_SECONDS * self._chance(), stop.longest_told)
        else:
            seconds = self._back_off(stop) if is_first else 0.0
        if now + seconds > self._open_at:
            self._open_at = now + seconds
            self._closed_for = stop.reason
        return self._closure()

    def _back_off(self, stop: Stop) -> float:
        """Anywhere between the shortest and a bound that doubles: those who were refused together come back apart."""
        bound = min(stop.first * 2.0 ** min(self._refusals, _DOUBLINGS), stop.longest)
        return stop.first + (bound - stop.first) * self._chance()

    def hold(self, closure: Closure) -> None:
        """Stay closed as it was before a restart. One that is over changes nothing."""
        left = (closure.until - self._clock.now()).total_seconds()
        if left <= 0:
            return
        # A clock that was wrong for a while must not close a host for years.
        longest = LONGEST_BAN_SECONDS if closure.reason is FailureReason.BLOCKED else LONGEST_STOP_SECONDS
        self._open_at = self._clock.monotonic() + min(left, longest)
        self._refusals = closure.refusals
        self._closed_for = closure.reason

    def closure(self) -> Closure | None:
        """The one in force."""
        return self._closure() if self._clock.monotonic() < self._open_at else None

    def _closure(self) -> Closure:
        left = self._open_at - self._clock.monotonic()
        return Closure(
            host=self.name,
            port=self._port,
            reason=self._closed_for,
            until=self._clock.now() + timedelta(seconds=left),
            refusals=self._refusals,
        )

    def answered(self) -> None:
        """The host let us in again, so its next refusal is a first one."""
        if self._clock.monotonic() >= self._open_at:
            self._forgiven, self._refusals = self._refusals, 0

    def refused_inside(self) -> None:
        """What just `answered` was a refusal after all, said inside an answer."""
        if self._clock.monotonic() >= self._open_at:
            self._refusals = self._forgiven

    def weigh(self, headers: Mapping[str, str]) -> None:
        """Go slower or rest, by what the answer tells of our use."""
        if self._use is None:
            return
        gap = self._use.gap_after(headers)
        if gap is None:
            return
        self._gap = gap
        if self._use.is_almost_all:
            # Whether its windows slide or follow the clock, this one is over then.
            self._rests_until = self._clock.monotonic() + self._use.window_seconds


class _Use:
    """What we used of a weighted budget, as last told."""

    def __init__(self, weight: Weight) -> None:
        self._weight = weight
        self._used: int | None = None
        self._cost = 1
        self.window_seconds = weight.window_seconds

    @property
    def is_almost_all(self) -> bool:
        return self._used is not None and self._used >= ALMOST_ALL * self._weight.limit

    def gap_after(self, headers: Mapping[str, str]) -> float | None:
        """Seconds between requests with which what is left lasts a whole window. None where nothing is told."""
        told = headers.get(self._weight.header, "")
        if not (told.isascii() and told.isdigit() and len(told) <= _LONGEST_COUNT):
            return None
        used = int(told) if self._weight.counts == "used" else self._weight.limit - int(told)
        if self._used is not None and used > self._used:
            self._cost = used - self._used
        self._used = used
        left = self._weight.limit - used
        if used < SPARED * self._weight.limit or self.is_almost_all:
            return 0.0
        return self.window_seconds * self._cost / left


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


def seconds_to_reset(reset: str, *, now: datetime) -> float | None:
    """Seconds to the instant in a `x-rate-limit-reset` header, in epoch seconds as X has it, within a day.

    None for anything else: other hosts put a number of seconds there.
    """
    if not (reset.isascii() and reset.isdigit() and len(reset) <= _LONGEST_COUNT):
        return None
    seconds = int(reset) - now.timestamp()
    return seconds if 0 < seconds <= _LONGEST_RESET else None


def seconds_of_ban(said: str, *, now: datetime) -> float | None:
    """Seconds left of a ban that a text gives the end of, as Binance does: "IP banned until 1659146400000"."""
    found = _BANNED_UNTIL.search(said)
    seconds = int(found[1]) / 1000 - now.timestamp() if found else 0.0
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
