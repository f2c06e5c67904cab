"""What the known wallets hold, per asset and network, and what it was an hour, a day and a week ago, in coins.

A total with unread wallets is no total: it changes nothing, so that what was not read never looks like money gone.
"""

from decimal import Decimal
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from monitor.model import ReserveBalance

HOUR = 3600.0
DAY = 86_400.0
WEEK = 7 * DAY
Span = Literal["hour", "day", "week"]
_SECONDS: dict[Span, float] = {"hour": HOUR, "day": DAY, "week": WEEK}
_STEPS: dict[Span, float] = {"hour": 300.0, "day": HOUR, "week": 6 * HOUR}
"""One total is kept in so many seconds; twice as far off may be what stands for the beginning of a span."""
MOVED_SECONDS = HOUR  # a total older than that tells no change that is of now


class Level(Struct, frozen=True):
    """The newest whole reading; where there never was one, what was read of it."""

    amount: Decimal
    at: float
    height: int
    probe: str
    wallets: int
    wallets_read: int  # by the newest reading, whole or not
    is_whole: bool  # the amount, not the newest reading

    def is_known(self, now: float, seconds: float) -> bool:
        """It is whole and not older than so many seconds."""
        return self.is_whole and now - self.at <= seconds


class Past(Struct, frozen=True, array_like=True):
    at: float
    amount: Decimal


class Holding(Struct):
    """One asset on one network."""

    total: Level | None = None
    hot: Level | None = None
    cold: Level | None = None
    past: dict[Span, list[Past]] = {}  # whole totals of the same wallets, oldest first

    def hear(self, seen: ReserveBalance, at: float) -> None:
        match seen.role:
            case "hot":
                self.hot = _newer(self.hot, seen, at)
            case "cold":
                self.cold = _newer(self.cold, seen, at)
            case None:
                before, self.total = self.total, _newer(self.total, seen, at)
                if before is not None and self.cold is not None and self.cold.at < before.at:
                    self.cold = None  # the reading before told none: no wallet is cold any more, or none was read
                if before is not None and before.wallets != self.total.wallets:
                    self.past = {}  # of other wallets: the difference is no money that moved
                if self.total.wallets_read >= self.total.wallets:
                    self._remember(Past(self.total.at, self.total.amount))

    def change(self, span: Span, *, now: float) -> Decimal | None:
        """By how many coins the total has changed; None where it was or is not known."""
        total = self.total
        if total is None or total.wallets_read < total.wallets or not total.is_known(now, MOVED_SECONDS):
            return None
        start = total.at - _SECONDS[span]
        near = min(self.past.get(span, ()), key=lambda past: abs(past.at - start), default=None)
        if near is None or abs(near.at - start) > 2 * _STEPS[span]:
            return None
        return total.amount - near.amount

    def is_without_hot(self) -> bool:
        """The wallets are read, and for a day none of them was told as hot."""
        return self.total is not None and self.hot is not None and self.hot.at < self.total.at - DAY

    def levels(self) -> list[Level]:
        return [level for level in (self.total, self.hot, self.cold) if level is not None]

    def _remember(self, past: Past) -> None:
        for span, step in _STEPS.items():
            kept = self.past.setdefault(span, [])
            if not kept or past.at // step > kept[-1].at // step:
                kept.append(past)
            while kept[0].at < past.at - _SECONDS[span] - 2 * step:
                kept.pop(0)


def _newer(level: Level | None, seen: ReserveBalance, at: float) -> Level:
    if level is not None and at < level.at:
        return level
    is_whole = seen.wallets_read >= seen.wallets
    if level is not None and level.is_whole and not is_whole:
        return replace(level, wallets=seen.wallets, wallets_read=seen.wallets_read)
    return Level(seen.amount, at, seen.height, seen.probe, seen.wallets, seen.wallets_read, is_whole)
