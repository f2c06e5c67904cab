"""What came in and went out, per asset and network, without a gap or not at all.

Windows of the last ninety minutes are kept one by one, so that a reorg can take them back; older ones are added up by
the hour, for a week. Sums are as of the newest window: a chain that pauses makes no hour a quiet one.
"""

from collections.abc import Collection, Iterable
from decimal import Decimal

from msgspec import Struct

from monitor.model import Flow, Reorg

HOUR = 3600.0
DAY = 86_400.0
WEEK_HOURS = 7 * 24
RECENT_SECONDS = 5400.0
SLACK_SECONDS = 60.0  # between two windows that have no heights
HOURLY_SLACK = HOUR / 2  # of a sum that is made of hours
NOTHING = Decimal(0)

Key = tuple[str, str]
"""(asset, network)"""


class Window(Struct, frozen=True, array_like=True):
    """One reading: blocks `first` to `last`, both in, where they were told."""

    at: float
    seconds: float
    probe: str
    first: int | None
    last: int | None
    inflow: Decimal
    outflow: Decimal
    internal: Decimal
    cold_outflow: Decimal
    inflow_count: int
    outflow_count: int


class Hour(Struct, array_like=True):
    inflow: Decimal = NOTHING
    outflow: Decimal = NOTHING
    internal: Decimal = NOTHING
    cold_outflow: Decimal = NOTHING
    inflow_count: int = 0
    outflow_count: int = 0


class Stream(Struct):
    """The flows of one asset on one network."""

    since: float  # from when on they are known without a gap
    windows: list[Window] = []  # oldest first
    hours: dict[int, Hour] = {}  # by hour since the epoch; one in which nothing moved is left out
    folded_at: float = 0.0  # end of the newest window that is in `hours`
    folded_height: int | None = None


class Sums(Struct, frozen=True, kw_only=True):
    """Of a span that ends at `at`. `hot_outflow` is what did not leave cold wallets."""

    at: float
    inflow: Decimal
    outflow: Decimal
    hot_outflow: Decimal


class Flows:
    def __init__(self, memory: dict[Key, Stream]) -> None:
        self.memory = memory
        self._hourly: dict[Key, Sums | None] = {}
        self._daily: dict[Key, Sums | None] = {}

    def hear(self, flow: Flow, at: float) -> Key | None:
        """Take in a window; answers whose it is, None where it tells what is known already."""
        key = flow.asset, flow.network
        window = _window(flow, at)
        stream = self.memory.get(key)
        if stream is None:
            stream = self.memory[key] = Stream(at - window.seconds)
        elif _is_told(stream, window):
            return None
        elif not _continues(stream, window):
            stream.since = at - window.seconds
        stream.windows.append(window)
        self._fold(stream, at)
        self._forget_sums(key)
        return key

    def retract(self, reorg: Reorg) -> list[Key]:
        """Take back what its probe told of the blocks, or anybody where it is of the world; answers whose flows."""
        changed = [key for key, stream in self.memory.items() if key[1] == reorg.network and _retract(stream, reorg)]
        for key in changed:
            stream = self.memory[key]
            if not stream.windows and not stream.folded_at:
                del self.memory[key]
            self._forget_sums(key)
        return changed

    def told_of(self, network: str) -> dict[Key, tuple[Window, ...]]:
        """The windows on a network that a reorg can take back, by whose they are."""
        return {key: tuple(stream.windows) for key, stream in self.memory.items() if key[1] == network}

    def forget(self, kept: Collection[str]) -> None:
        """Leave out the flows of probes that look no more."""
        for key, stream in list(self.memory.items()):
            if stream.windows and stream.windows[-1].probe not in kept:
                del self.memory[key]
                self._forget_sums(key)

    def hour(self, key: Key) -> Sums | None:
        """The hour up to the newest window; None where it is not known whole."""
        if key not in self._hourly:
            stream = self.memory.get(key)
            self._hourly[key] = _last_hour(stream) if stream is not None else None
        return self._hourly[key]

    def day(self, key: Key) -> Sums | None:
        """The day up to the newest window, to half an hour; None where it is not known whole."""
        if key not in self._daily:
            stream = self.memory.get(key)
            self._daily[key] = _last_day(stream) if stream is not None else None
        return self._daily[key]

    def span(self, key: Key, start: float, end: float) -> Sums | None:
        """From a full hour up to the last window that ends by `end`; None where it is not known whole."""
        stream = self.memory.get(key)
        if stream is None or stream.since > start + SLACK_SECONDS or start < end - WEEK_HOURS * HOUR:
            return None
        hours = [(hour, 1.0) for number, hour in stream.hours.items() if number * HOUR >= start]
        inside = [(window, _share(window, start)) for window in stream.windows if start < window.at <= end]
        return _sums(end, [*hours, *inside])

    def _forget_sums(self, key: Key) -> None:
        self._hourly.pop(key, None)
        self._daily.pop(key, None)

    def _fold(self, stream: Stream, at: float) -> None:
        while stream.windows[0].at < at - RECENT_SECONDS:
            window = stream.windows.pop(0)
            stream.folded_at, stream.folded_height = window.at, window.last
            if window.inflow or window.outflow or window.internal:
                _add(stream.hours.setdefault(int(window.at // HOUR), Hour()), window)
        while stream.hours and (oldest := next(iter(stream.hours))) < at // HOUR - WEEK_HOURS:
            del stream.hours[oldest]


def ends_at(stream: Stream) -> float:
    """Up to when its flows are told."""
    return _end(stream)[0]


def unexplained(change: Decimal, *, inflow: Decimal, outflow: Decimal) -> Decimal | None:
    """|change of the reserve - net flow| / |net flow| over the same blocks: near 0 where all of it is explained.

    None where nothing flowed on balance.
    """
    net = inflow - outflow
    return abs(change - net) / abs(net) if net else None


def _window(flow: Flow, at: float) -> Window:
    return Window(
        at,
        max(0.0, flow.window_seconds),
        flow.probe,
        flow.from_height if flow.to_height is not None else None,
        flow.to_height if flow.from_height is not None else None,
        flow.inflow,
        flow.outflow,
        flow.internal or NOTHING,
        flow.cold_outflow or NOTHING,
        flow.inflow_count or 0,
        flow.outflow_count or 0,
    )


def _end(stream: Stream) -> tuple[float, int | None]:
    """Up to when, and up to which height, its flows are told."""
    if stream.windows:
        return stream.windows[-1].at, stream.windows[-1].last
    return stream.folded_at, stream.folded_height


def _is_told(stream: Stream, window: Window) -> bool:
    """A part of it at least; what it tells beyond that cannot be told apart, and is a gap."""
    at, height = _end(stream)
    if height is not None and window.first is not None:
        return window.first <= height
    return window.at <= at


def _continues(stream: Stream, window: Window) -> bool:
    at, height = _end(stream)
    if height is not None and window.first is not None:
        return window.first == height + 1
    return window.at - window.seconds <= at + SLACK_SECONDS


def _retract(stream: Stream, reorg: Reorg) -> bool:
    of_others = reorg.exchange != ""  # one of the world is about what everybody read
    kept = [
        w
        for w in stream.windows
        if (of_others and w.probe != reorg.probe) or w.last is None or w.last < reorg.from_height
    ]
    if len(kept) == len(stream.windows):
        return False
    is_deeper = stream.folded_height is not None and stream.folded_height >= reorg.from_height
    if is_deeper:  # what is added up by the hour cannot be taken back
        kept, stream.hours, stream.folded_at, stream.folded_height = [], {}, 0.0, None
    stream.windows = kept
    stream.since = min(stream.since, _end(stream)[0])
    return True


def _add(hour: Hour, window: Window) -> None:
    hour.inflow += window.inflow
    hour.outflow += window.outflow
    hour.internal += window.internal
    hour.cold_outflow += window.cold_outflow
    hour.inflow_count += window.inflow_count
    hour.outflow_count += window.outflow_count


def _last_hour(stream: Stream) -> Sums | None:
    at, _ = _end(stream)
    start = at - HOUR
    if stream.since > start + SLACK_SECONDS:
        return None
    inside = [(window, _share(window, start)) for window in stream.windows if window.at > start]
    return _sums(at, inside)


def _last_day(stream: Stream) -> Sums | None:
    at, _ = _end(stream)
    start = at - DAY
    if stream.since > start + HOURLY_SLACK:
        return None
    hours = [(hour, 1.0) for number, hour in stream.hours.items() if (number + 0.5) * HOUR >= start]
    return _sums(at, [*hours, *((window, 1.0) for window in stream.windows)])


def _share(window: Window, start: float) -> float:
    """How much of a window that began before `start` counts: as if it had flowed evenly."""
    return 1.0 if window.at - window.seconds >= start - SLACK_SECONDS else (window.at - start) / window.seconds


def _sums(at: float, parts: Iterable[tuple[Window | Hour, float]]) -> Sums:
    inflow = outflow = cold = NOTHING
    for part, share in parts:
        weight = Decimal(f"{share:.6f}")
        inflow += part.inflow * weight
        outflow += part.outflow * weight
        cold += part.cold_outflow * weight
    return Sums(at=at, inflow=inflow, outflow=outflow, hot_outflow=max(NOTHING, outflow - cold))
