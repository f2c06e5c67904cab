"""One asset on one network: its flows taken in one by one, what they add up to, and what stands out of them."""

import math

import msgspec
from msgspec import Struct

from monitor.engine.detectors.outflow.alarm import Alarms, Cause
from monitor.engine.detectors.outflow.burst import NOTHING, Beginning, Five, Suspicion, closed, opened, suspicion
from monitor.engine.detectors.outflow.sums import (
    DAY,
    FIVE,
    FIVES,
    FIVES_IN_HALF,
    HOUR,
    SECONDS,
    Apart,
    Leaving,
    Span,
    Sums,
    bucket,
)
from monitor.engine.detectors.outflow.usual import BURST_MINUTES, Scale, Usual
from monitor.engine.flows import Window

FED = 1.5  # a window is fed by readings of up to so many times its length
MATERIAL = 0.005  # of the reserve: less is not worth a look of its own
MOVES = 8
COVERED = 0.9  # of a window must be told for it to teach
FREEZE_SECONDS = 3 * DAY  # so long what is suspicious teaches nothing; then it is the new normal
GROSS_FLOOR = 0.15
NET_FLOOR = 0.05
BLEED_CLIP = 3.0
BLEED_SLACK = 0.8
BLEED_CEILING = 19.0  # so that a long bleed is forgotten soon after it ends
LONG_SECONDS = 0.75 * HOUR
SCORED_SECONDS = 300.0  # windows are compared with what is usual that often, and long ones less
LOOKS = 24.0  # at a window, in its time
DAILY_SECONDS = 0.75 * DAY
LEVEL_MINUTES = 1440.0


class Told(Struct, array_like=True):
    """A reading of a stream in floats. None is not known."""

    at: float
    seconds: float
    probe: str
    inflow: float
    outflow: float
    unknown: float
    cold: float
    payments: int | None
    arrivals: int | None
    squares: float | None
    largest: float | None


class Worth(Struct, array_like=True):
    """An asset's reserve in coins, its share of all the exchange holds, and of what of that has a price."""

    reserve: float = 0.0
    weight: float | None = None
    priced: float | None = None


class Score(Struct, array_like=True):
    """How unusual a window is: the lesser of gross and net, each in spreads above its centre."""

    value: float = 0.0
    observed: float = 0.0  # coins out
    net: float = 0.0  # coins out on balance
    expected: float = 0.0  # coins out
    is_known: bool = False
    is_armed: bool = True


class Current(Struct, array_like=True):
    """A stream as it stands. `alarms` are those of it alone."""

    probe: str = ""
    at: float = 0.0
    since: float = 0.0
    inflow_total: float = 0.0
    outflow_total: float = 0.0
    sums: Sums = msgspec.field(default_factory=Sums)
    five: Five | None = None
    fives: list[tuple[int, float]] = []  # payments and in season, of the last half hour
    level_before: float = 1.0  # the burst that lasts
    beginnings: list[Beginning] = []
    burst: Suspicion = NOTHING
    scores: dict[Span, Score] = {}
    scored_at: float = 0.0
    bleed: float = 0.0  # CUSUM
    bleed_since: float = 0.0
    bled: float = 0.0  # coins out on balance since then
    moved: list[tuple[float, float]] = []  # (end, coins) of moves that were told or known, of a day
    alarms: Alarms = {}
    paged_at: float = 0.0  # the last reading while something paged

    def recent(self) -> tuple[float, float]:
        """Payments of the last half hour, and in season."""
        return float(sum(count for count, _ in self.fives)), sum(seasonal for _, seasonal in self.fives)

    def note_move(self, at: float, coins: float) -> None:
        """It went to somebody known, or was told: what left in a day is looked at without it."""
        self.moved = [*(moved for moved in self.moved if moved[0] > at - DAY), (at, coins)][-MOVES:]

    def is_frozen(self, at: float) -> bool:
        return any(at - alarm.since < FREEZE_SECONDS for alarm in self.alarms.values())


def take(current: Current, usual: Usual, told: Told, worth: Worth) -> None:
    """Take in a reading: what ended before it teaches, then it counts."""
    if not current.since:
        current.since = told.at - told.seconds
    elif told.at > current.at:
        _close(current, usual, told.at)
    current.probe, current.at = told.probe, told.at
    current.inflow_total += told.inflow
    current.outflow_total += told.outflow
    current.sums.add(_leaving(told, worth), told.at, seconds=told.seconds)
    if told.outflow - told.unknown >= MATERIAL * worth.reserve > 0:
        current.note_move(told.at, told.outflow - told.unknown)
    if told.payments is not None:
        _count(current, usual, told, told.payments)
    elif told.seconds > 0:
        _pulse(usual, told)
    if told.at - current.scored_at >= SCORED_SECONDS:
        before, current.scored_at = current.scored_at, told.at
        _score(current, usual, before)
    if told.seconds >= LONG_SECONDS:
        _bleed(current, usual, told.at)


def take_back(current: Current, window: Window) -> None:
    """A reading that is no more: what it told is not counted, as far as it can be told apart."""
    inflow, outflow = float(window.inflow), float(window.outflow)
    current.inflow_total = max(0.0, current.inflow_total - inflow)
    current.outflow_total = max(0.0, current.outflow_total - outflow)
    current.sums.take_back(window.at, inflow=inflow, outflow=outflow)
    if current.five is not None:
        current.five.count = max(0, current.five.count - window.outflow_count)


def _leaving(told: Told, worth: Worth) -> Leaving:
    is_told = told.squares is not None and told.largest is not None
    share = told.unknown / worth.reserve if worth.reserve > 0 else 0.0
    weight = worth.weight if worth.weight is not None else 1.0
    cold = min(told.cold, told.unknown) / worth.reserve if worth.reserve > 0 else 0.0
    apart = None
    if not is_told or told.unknown < told.outflow or cold > 0:
        apart = Apart(told.outflow - told.unknown, 0.0 if is_told else told.outflow, cold * weight)
    return Leaving(told.inflow, told.outflow, told.squares or 0.0, told.largest or 0.0, share, share * weight, apart)


def _count(current: Current, usual: Usual, told: Told, payments: int) -> None:
    minutes = told.seconds / 60
    if minutes <= 0:
        return
    five = current.five
    if five is None:
        five = current.five = _opened(current, usual, told)
    five.add(payments, told.arrivals or 0, minutes)
    if usual.season.minutes >= LEVEL_MINUTES and Cause.BURST not in current.alarms:
        current.burst = suspicion(current.beginnings, five, usual.pace, now=told.at)
        if current.burst.score > usual.tail.peak:
            usual.tail.peak = current.burst.score


def _opened(current: Current, usual: Usual, told: Told) -> Five:
    rate = usual.season.rate()
    in_season = rate * usual.season.factor(told.at - told.seconds / 2)
    return opened(current.beginnings, told.at - told.seconds, pace=usual.pace, rate=rate, in_season=in_season)


def _pulse(usual: Usual, told: Told) -> None:
    """Without counts the season is learned from coins, one large move no more than four usual ones."""
    window: Span = "24h" if told.seconds > DAILY_SECONDS else "1h"
    scale = usual.gross.get(window)
    if scale is not None and scale.looks > 1:
        pulse = min(4.0, told.outflow / (math.exp(scale.centre) * told.seconds / SECONDS[window]))
        minutes = told.seconds / 60
        usual.season.learn(pulse * minutes, middle=told.at - told.seconds / 2, minutes=minutes)


def _close(current: Current, usual: Usual, at: float) -> None:
    """What the reading at `at` leaves behind is over, and teaches if it is not suspicious."""
    index = bucket(at, FIVE)
    if index <= current.sums.fives.index:
        return
    frozen = current.is_frozen(at)
    end = (current.sums.fives.index + 1) * FIVE
    five, current.five = current.five, None
    if five is not None:
        current.fives = [*current.fives, (five.count, five.seasonal)][-6:]
        _hear(current, usual, five)
        if not frozen:
            usual.season.learn(five.count, middle=end - FIVE / 2, minutes=five.minutes)
            if usual.season.minutes > LEVEL_MINUTES:
                usual.pace.learn(five.count, five.seasonal, level=five.level, minutes=five.minutes, spread=five.spread)
    is_hour = index // FIVES > current.sums.hours.index
    is_half = index // FIVES_IN_HALF > current.sums.halves.index
    windows: tuple[Span, ...] = ("5m",)
    if is_hour:
        end = (current.sums.hours.index + 1) * HOUR
        windows = ("5m", "1h", "6h", "24h")
        if usual.season.minutes >= BURST_MINUTES and not frozen:
            usual.tail.close()
        usual.tail.peak = 0.0
        if current.sums.longest < LONG_SECONDS:
            _bleed(current, usual, end)
    if is_half:
        windows = (*windows, "7d")
    if not frozen:
        for window in windows:
            _learn(current, usual, window, end)


def _hear(current: Current, usual: Usual, five: Five) -> None:
    """What is not a burst moves the level, once every beginning was tried on it."""
    if Cause.BURST in current.alarms:
        return
    if usual.season.minutes >= LEVEL_MINUTES:
        closed(current.beginnings, five, usual.pace)
    usual.pace.hear(five.count, five.seasonal, inflow_count=five.arrivals, since=five.since, minutes=five.minutes)


def _learn(current: Current, usual: Usual, window: Span, end: float) -> None:
    total = current.sums.total(window, end)
    fed = current.sums.longest <= FED * SECONDS[window]
    if not fed or total.covered < COVERED * SECONDS[window] or total.outflow <= 0:
        return
    factor = usual.factor(window, end, current.sums.hours.index)
    scale = usual.gross.setdefault(window, Scale(spread=0.5))
    scale.learn(math.log(total.outflow / factor), end)
    net = total.net / usual.usual(window, factor)
    usual.net.setdefault(window, Scale(spread=0.5)).learn(max(-4.0, min(4.0, net)), end)


def _bleed(current: Current, usual: Usual, end: float) -> None:
    """CUSUM of what left on balance, an hour at a time, or a day where no less is told."""
    daily = current.sums.longest > DAILY_SECONDS
    window: Span = "24h" if daily else "1h"
    scale, gross = usual.net.get(window), usual.gross.get(window)
    if scale is None or gross is None or scale.at - scale.since < (14 * DAY if daily else 7 * DAY):
        return
    total = current.sums.total(window, end)
    if total.covered < COVERED * SECONDS[window]:
        return
    factor = usual.factor(window, end, current.sums.hours.index)
    z = scale.z(total.net / usual.usual(window, factor), floor=NET_FLOOR)
    if current.bleed <= 0:
        current.bleed_since, current.bled = end - SECONDS[window], 0.0
    current.bled += total.net
    step = min(BLEED_CLIP, max(-BLEED_CLIP, z)) - BLEED_SLACK
    current.bleed = min(BLEED_CEILING, max(0.0, current.bleed + step))


def _score(current: Current, usual: Usual, before: float) -> None:
    """`before`: when that was done last."""
    hour, at = current.sums.hours.index, current.at
    for window, seconds in SECONDS.items():
        score = current.scores.get(window)
        if score is None:
            score = current.scores[window] = Score()
        elif seconds > HOUR and at * LOOKS // seconds == before * LOOKS // seconds:
            continue
        gross, net = usual.gross.get(window), usual.net.get(window)
        if gross is None or net is None or current.sums.longest > FED * seconds:
            score.is_known = False
            continue
        total = current.sums.total(window, at)
        factor = usual.factor(window, at, hour)
        expected = usual.usual(window, factor)
        score.observed, score.net, score.expected = total.outflow, total.net, expected
        score.is_known = gross.is_known(window)
        value = 0.0
        if total.outflow > 0 and expected > 0:
            gross_z = gross.z(math.log(total.outflow / factor), floor=GROSS_FLOOR)
            value = min(gross_z, net.z(total.net / expected, floor=NET_FLOOR))
        score.value = round(value, 6)
