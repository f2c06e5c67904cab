"""Have all hot wallets of an exchange stopped? One test over all streams, for every time at which it may have begun.

For each time a stop may have begun, each stream adds up how much more likely its counts are since then; one that goes
on paying speaks against a stop of the whole exchange. A stream counts for at most a cap, so that it takes several
silent wallets to page. The statistic is the greatest sum over the beginnings (generalized CUSUM; Lorden 1971). It is
reckoned for a rate of a tenth and of nothing, both as the baseline says and as a rail with rate and k deflated by 0.7:
the latter is an e-detector (Shin, Ramdas and Rinaldo 2022), for mixtures of negative binomial ratios fall with the
count and are convex in it, and so are e-values for every greater rate and every greater k.
"""

import math

from msgspec import Struct

from monitor.engine.detectors.likelihood import log_ratio

RHO = (0.1, 0.01)  # of the usual rate: a tenth, and as good as nothing
DEFLATED = 0.7
DAY = 86_400.0
SPACING = 30.0  # seconds between beginnings
DENSE = 8  # beginnings are kept for each of the last minutes, and ever fewer further back
SLACK = 0.1  # of a window: looks are never taken to the second, and a window that began a moment before is whole
FLOOR = -30.0  # of what speaks against: a wallet that paid is not held against a stop for ever

NOTHING = [0.0, 0.0, 0.0, 0.0]
"""Of a stream: for a tenth and for nothing as the baseline says, then for both deflated."""

Key = tuple[str, str, str]


class Reading(Struct, frozen=True):
    """A window of a stream, with what was expected of it."""

    key: Key
    at: float
    seconds: float
    count: int
    mean: float
    k: float  # of the whole window


class Beginning(Struct, array_like=True):
    """A time at which a stop may have begun, and what each stream has said since."""

    at: float
    sums: dict[Key, list[float]]


class Joint(Struct):
    beginnings: list[Beginning] = []  # oldest first
    begun: int = 0  # half minutes since the epoch at which the newest one was


class Level(Struct, frozen=True, array_like=True):
    """The statistic, and the guarantee rail."""

    plain: float
    rail: float


QUIET = Level(0.0, 0.0)


def add(joint: Joint, reading: Reading) -> None:
    """Let a reading speak for or against every beginning."""
    start = reading.at - (1 - SLACK) * reading.seconds
    whole = ratios(reading, 1.0) if joint.beginnings and joint.beginnings[0].at <= start else NOTHING
    for begun in joint.beginnings:
        if begun.at <= start:
            new = whole
        elif begun.at < reading.at:
            new = _across(reading, (reading.at - begun.at) / reading.seconds)
        else:
            break
        old = begun.sums.get(reading.key, NOTHING)
        # Written out: this is where the daemon spends most of its time, and a call of `max` costs more than all of it.
        one, two, three, four = old[0] + new[0], old[1] + new[1], old[2] + new[2], old[3] + new[3]
        begun.sums[reading.key] = [
            one if one > FLOOR else FLOOR,
            two if two > FLOOR else FLOOR,
            three if three > FLOOR else FLOOR,
            four if four > FLOOR else FLOOR,
        ]


def prune(joint: Joint, now: float) -> None:
    """Leave out beginnings that nothing speaks for, and of those long ago most, by their age alone."""
    joint.beginnings = [b for b in joint.beginnings if _is_kept(b.at, now) and not _is_refuted(b)]


def begin(joint: Joint, now: float) -> None:
    """A stop may begin now."""
    if int(now // SPACING) > joint.begun:
        joint.begun = int(now // SPACING)
        joint.beginnings.append(Beginning(now, {}))


def ratios(reading: Reading, share: float) -> list[float]:
    """How much more likely the reading is after a stop; `share` of its window lies after the beginning."""
    mean, k, count = reading.mean, reading.k, reading.count
    tenth, nothing = 1 - share + RHO[0] * share, 1 - share + RHO[1] * share
    low, low_k = DEFLATED * mean, DEFLATED * k
    return [
        log_ratio(count, mean=mean, k=k, other=tenth * mean),
        log_ratio(count, mean=mean, k=k, other=nothing * mean),
        log_ratio(count, mean=low, k=low_k, other=tenth * low),
        log_ratio(count, mean=low, k=low_k, other=nothing * low),
    ]


def _across(reading: Reading, share: float) -> list[float]:
    """A window that began before the stop may speak against it; a mere shortfall in it is no silence."""
    return [min(0.0, ratio) for ratio in ratios(reading, share)]


def level(joint: Joint, fresh: dict[Key, bool], cap: float) -> Level:
    """`fresh` names the streams that may count, and whether they were read lately: what is old speaks only against."""
    best, rail = 0.0, [0.0, 0.0]
    for begun in joint.beginnings:
        tenth, nothing, low_tenth, low_nothing = _totals(begun, fresh, cap)
        best = max(best, tenth, nothing)
        if low_tenth > rail[0] or low_nothing > rail[1]:
            rail = [max(rail[0], low_tenth), max(rail[1], low_nothing)]
    top = max(rail)
    mixed = top + math.log(sum(math.exp(value - top) for value in rail) / 2) if top > 0 else 0.0
    return Level(round(best, 6), round(max(0.0, mixed), 6))


def _totals(begun: Beginning, fresh: dict[Key, bool], cap: float) -> tuple[float, float, float, float]:
    one = two = three = four = 0.0
    for key, sums in begun.sums.items():
        is_fresh = fresh.get(key)
        if is_fresh is not None:
            most = cap if is_fresh else 0.0
            one += sums[0] if sums[0] < most else most
            two += sums[1] if sums[1] < most else most
            three += sums[2] if sums[2] < most else most
            four += sums[3] if sums[3] < most else most
    return one, two, three, four


def _is_refuted(begun: Beginning) -> bool:
    """Something speaks against it and nothing for it: a later beginning is better."""
    sums = begun.sums.values()
    return all(max(each) <= 0 for each in sums) and any(min(each) < 0 for each in sums)


def _is_kept(at: float, now: float) -> bool:
    """All of the last minutes, every second of twice as long, every fourth of four times ..., for a day."""
    age, minute = (now - at) / 60, int(at // 60)
    step = minute & -minute if minute else 1
    return age <= DENSE * step and now - at <= DAY
