"""One asset of an exchange on one network over a span: what was held, what flowed, and what was not seen.

Only readings of all wallets are balances. Windows of flows that a reorg has taken back are not counted.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from monitor.model import Flow, Reorg, ReserveBalance

LOOK_BACK = timedelta(hours=2)  # how long before the span a balance may have been read
BALANCE_HOLDS = timedelta(minutes=30)  # three times the usual time between two readings
FLOW_TAIL = timedelta(minutes=20)  # windows are told after their end, every ten minutes at least
SLOW_TAIL = {"bitcoin": timedelta(hours=2), "litecoin": timedelta(hours=1)}  # where blocks may be slow
REMEMBERED = 64  # windows that a reorg can take back
NOTHING = Decimal(0)


class Span(Struct, frozen=True):
    begin: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        return (self.end - self.begin).total_seconds()

    def overlap(self, first: datetime, last: datetime) -> float:
        """Seconds of it between two moments."""
        return max(0.0, (min(last, self.end) - max(first, self.begin)).total_seconds())


class Sums(Struct, frozen=True, kw_only=True):
    """Of flows, in coins; `seconds` of the span are covered by them."""

    inflow: Decimal = NOTHING
    outflow: Decimal = NOTHING
    internal: Decimal = NOTHING
    cold_outflow: Decimal = NOTHING
    seconds: float = 0.0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            inflow=self.inflow + other.inflow,
            outflow=self.outflow + other.outflow,
            internal=self.internal + other.internal,
            cold_outflow=self.cold_outflow + other.cold_outflow,
            seconds=self.seconds + other.seconds,
        )


class Account:
    """Fed in the journal's order with what is not after the span."""

    def __init__(self, network: str, span: Span) -> None:
        self.network = network
        self._span = span
        self._before: ReserveBalance | None = None  # the last whole one until the span began
        self._first: ReserveBalance | None = None  # the first whole one in it
        self._last: ReserveBalance | None = None
        self._newest: ReserveBalance | None = None  # whole or not
        self._held_until = span.begin
        self._held_seconds = 0.0
        self._settled = Sums()
        self._windows: list[Flow] = []  # those that a reorg can still take back
        self._height: int | None = None  # up to which flows are told

    def hold(self, seen: ReserveBalance) -> None:
        self._newest = seen
        if seen.wallets_read < seen.wallets:
            return
        if seen.at <= self._span.begin:
            self._before = seen
        elif self._first is None:
            self._first = seen
        self._last = seen
        until = seen.at + BALANCE_HOLDS
        self._held_seconds += self._span.overlap(max(seen.at, self._held_until), until)
        self._held_until = max(self._held_until, until)

    def flow(self, flow: Flow) -> None:
        if self._is_told(flow):
            return
        self._height = flow.to_height
        if flow.at > self._span.begin:
            self._windows.append(flow)
        if len(self._windows) > REMEMBERED:
            self._settled += self._sums(self._windows.pop(0))

    def retract(self, reorg: Reorg) -> None:
        kept = [
            window
            for window in self._windows
            if (reorg.exchange and window.probe != reorg.probe) or (window.to_height or 0) < reorg.from_height
        ]
        if len(kept) < len(self._windows) or (self._height or 0) >= reorg.from_height:
            self._windows, self._height = kept, reorg.from_height - 1

    def is_seen(self) -> bool:
        """Anything of the span was read."""
        return self._newest is not None or bool(self._windows) or self._settled.seconds > 0

    def at_start(self) -> Decimal | None:
        if self._before is not None and self._span.begin - self._before.at <= LOOK_BACK:
            return self._before.amount
        is_near = self._first is not None and self._first.at - self._span.begin <= BALANCE_HOLDS
        return self._first.amount if self._first is not None and is_near else None

    def at_end(self) -> Decimal | None:
        is_near = self._last is not None and self._span.end - self._last.at <= LOOK_BACK
        return self._last.amount if self._last is not None and is_near else None

    def sums(self) -> Sums:
        return sum((self._sums(flow) for flow in self._windows), self._settled)

    def missing(self) -> float:
        """The share of the span of which the balance or the flows are not known, the larger of the two."""
        return max(self._missing_balance(), self._missing_flows())

    def unseen(self, most: float) -> list[str]:
        """What of it could not be seen, where more than a share `most` of the span is missing."""
        told: list[str] = []
        newest = self._newest
        if newest is not None and newest.wallets_read < newest.wallets:
            told.append(f"{newest.wallets - newest.wallets_read} of {newest.wallets} wallets on {self.network} unread")
        if self._missing_balance() > most:
            told.append(f"balances on {self.network} missing for {100 * self._missing_balance():.0f} % of the time")
        if self._missing_flows() > most:
            told.append(f"flows on {self.network} missing for {100 * self._missing_flows():.0f} % of the time")
        return told

    def _missing_balance(self) -> float:
        return max(0.0, 1.0 - self._held_seconds / self._span.seconds)

    def _missing_flows(self) -> float:
        seconds = self.sums().seconds
        if not seconds:
            return 1.0
        tail = SLOW_TAIL.get(self.network, FLOW_TAIL)
        untold = self._span.overlap(self._windows[-1].at, self._span.end) if self._windows else 0.0
        return max(0.0, 1.0 - (seconds + min(untold, tail.total_seconds())) / self._span.seconds)

    def _is_told(self, flow: Flow) -> bool:
        """A part of its blocks at least was told before, by another probe or before a restart."""
        return self._height is not None and flow.from_height is not None and flow.from_height <= self._height

    def _sums(self, flow: Flow) -> Sums:
        return Sums(
            inflow=flow.inflow,
            outflow=flow.outflow,
            internal=flow.internal or NOTHING,
            cold_outflow=flow.cold_outflow or NOTHING,
            seconds=self._span.overlap(flow.at - timedelta(seconds=flow.window_seconds), flow.at),
        )
