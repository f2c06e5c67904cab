"""More payments than usual, from any time on and by any factor: Poisson-FOCuS with what is known of the spread.

FOCuS (Ward, Dilillo, Eckley, Fearnhead, 2023) keeps only those beginnings that can still be the best: the vertices of
a hull, a handful. Segments between them have rates that rise; a reading is a segment, and while the one before it has a
higher rate the two are one. Each beginning is tested with the level of before it, so a run that grows slowly does not
teach itself to be normal. The likelihood ratio is a negative binomial's; short spans are many and long ones few, so a
longer one needs less (the scale penalty of multiscale scan statistics). A span is less sure where it is compared with
the day before. Of the payments out, those are left out that come with as many more payments in as luck does not
explain: a busy day is no run.
"""

import math

from msgspec import Struct

from monitor.engine.detectors import likelihood
from monitor.engine.detectors.outflow.pace import Spread, seam

MOST = 10  # segments
OLD_SECONDS = 8 * 3600.0  # an older beginning is a bleed
BUDGET = 0.3  # false pages a month that the threshold aims at
ARL_MINUTES = 43_200.0 / BUDGET
MULTIPLICITY = 1.7  # all beginnings at once, over one
THRESHOLD = round(math.log(ARL_MINUTES) + MULTIPLICITY, 6)
SHORT_MINUTES = 10.0  # a crowd of so few minutes is no run yet
LONG_MINUTES = 30.0  # spans longer than that are not few enough to need less
SCALE_PENALTY = 1.5  # times ln(LONG_MINUTES / minutes), of a shorter one
FEWEST = 30.0  # payments that make a burst


class Segment(Struct, array_like=True):
    count: float
    seasonal: float  # payments, out as in
    inflow_count: float
    since: float
    level: float  # of before its beginning
    inflow_level: float


class Suspicion(Struct, frozen=True):
    """The best beginning of a burst, and how much more likely it is than none."""

    score: float = 0.0
    since: float = 0.0
    count: float = 0.0
    expected: float = 0.0
    level: float = 1.0


def push(segments: list[Segment], new: Segment) -> None:
    """Take in a reading; constant time on average."""
    while segments and segments[-1].count * new.seasonal >= new.count * segments[-1].seasonal:
        new = _joined(segments.pop(), new)
    if segments or new.count > new.seasonal * new.level:
        segments.append(new)
    while len(segments) > MOST or (segments and new.since - segments[0].since > OLD_SECONDS):
        del segments[0]


def suspicion(segments: list[Segment], *, now: float, spread: Spread) -> Suspicion:
    best = Suspicion()
    count = seasonal = inflow = 0.0
    for segment in reversed(segments):
        count += segment.count
        seasonal += segment.seasonal
        inflow += segment.inflow_count
        expected, minutes = seasonal * segment.level, (now - segment.since) / 60
        if count <= expected or count < FEWEST or minutes < SHORT_MINUTES:
            continue
        variation = spread.variation(minutes) + seam(segment.since, now)
        busy = _excess(inflow, seasonal * segment.inflow_level, variation)
        ratio = log_ratio(count - busy * expected, expected, variation=variation)
        score = ratio + _advantage(minutes) if ratio > 0 else 0.0
        if score > best.score:
            best = Suspicion(round(score, 6), segment.since, count, expected, segment.level)
    return best


def log_ratio(count: float, mean: float, *, variation: float) -> float:
    """log P(count | its own mean) / P(count | mean) of negative binomials of one shape; 0 where fewer came."""
    if count <= mean or mean <= 0:
        return 0.0
    return likelihood.log_ratio(count, mean=mean, k=1 / max(1e-6, variation), other=count)


def _advantage(minutes: float) -> float:
    """What a span is given, since there are fewer of its length than of single minutes."""
    return math.log(LONG_MINUTES) - SCALE_PENALTY * max(0.0, math.log(LONG_MINUTES / minutes))


def _excess(count: float, mean: float, variation: float) -> float:
    """By which share more came in than usual, beyond two standard deviations."""
    if count <= mean or mean <= 0:
        return 0.0
    return max(0.0, count / mean - 1 - 2 * math.sqrt(1 / mean + variation))


def _joined(one: Segment, two: Segment) -> Segment:
    return Segment(
        one.count + two.count,
        one.seasonal + two.seasonal,
        one.inflow_count + two.inflow_count,
        one.since,
        one.level,
        one.inflow_level,
    )
