"""What stands out of a stream, and what it looks like: a move, a run, a bleed or a spike.

A big move pages by its share of the reserves, less what leaves in a busy hour here; whether few or many received it
only says what it is called, so that more money gone is never less of an alarm.
"""

import math

from monitor.engine.detectors.outflow.alarm import HOUR, Alarm, Cause, follow
from monitor.engine.detectors.outflow.stream import Current, Worth
from monitor.engine.detectors.outflow.sums import DAY, SECONDS, Leaving, Span
from monitor.engine.detectors.outflow.usual import BURST_MINUTES, Usual
from monitor.model import IncidentKind, Severity

PAGE_ASSET = 0.25
PAGE_TOTAL = 0.05
PAGE_COLD = 0.02
WARN_ASSET = 0.005
DUST = 0.01  # an asset of less than this share of the exchange pages nobody
SPECK = 0.001  # and of less than this, it is not spoken of
BUSY = 2.5  # spreads above the centre: an hour as busy as that is no move
FEW = 20.0  # N_eff
HOURLY = 1.5 * HOUR  # a longer reading says nothing of the hour
LEARNED_SECONDS = 6 * HOUR
BURST_LASTS = 1.35  # times what is expected
BURST_SECONDS = 12 * HOUR  # then it is the new pace, and for the slow statistics to judge
BLEED = 12.0
BLEED_DAILY = 4.5
BLEED_SURE = 1.5  # times the limit: then it may page
BLEED_PAGE = 0.02
BLEED_LEAST = 0.005
SPIKES: dict[Span, float] = {"5m": 7.0, "1h": 6.0, "6h": 5.0, "24h": 3.0, "7d": 4.0}
REARMED = 1.0  # below its threshold a window may speak again
AFTER_SECONDS = 2 * HOUR  # what paged is still in the window, and opens nothing a second time


def stands_out(current: Current, usual: Usual) -> bool:
    """Something is told of it, or may be now: all else is as it was."""
    if current.alarms or current.scored_at == current.at or current.bleed >= BLEED_DAILY or _is_near(current):
        return True
    return current.burst.score >= usual.burst_threshold()


def judge(
    current: Current, usual: Usual, worth: Worth, *, seconds: float, disagrees: bool, others: float = 0.0
) -> None:
    """One reading of `seconds`. `disagrees`: what the reserve did says that it did not leave.

    `others`: share of the exchange that moves of other assets took in the hour.
    """
    if worth.priced is not None and worth.priced < SPECK:
        current.alarms.clear()
        return
    was_bursting = Cause.BURST in current.alarms
    _move(current, usual, worth, seconds=seconds, disagrees=disagrees, others=others)
    _burst(current, usual, worth, seconds=seconds)
    _bleed(current, worth, seconds=seconds, disagrees=disagrees)
    if current.scored_at == current.at:
        _spike(current, worth, seconds=seconds, disagrees=disagrees)
    if current.alarms and any(alarm.severity is Severity.CRITICAL for alarm in current.alarms.values()):
        current.paged_at = current.at
    if was_bursting and Cause.BURST not in current.alarms:
        current.beginnings.clear()


def payees(hour: Leaving) -> float | None:
    """N_eff = (sum v)^2 / sum v^2 of all payments but the largest; None where too few of them are told."""
    if hour.untold > hour.outflow / 2 or hour.squares <= 0:
        return None
    rest, squares = hour.outflow - hour.untold - hour.largest, hour.squares - hour.largest * hour.largest
    return rest * rest / squares if squares > 1e-12 * hour.squares and rest > 0 else 0.0


def is_few(hour: Leaving) -> bool | None:
    """Most of it went out in a few payments, or in one; None where that is not known."""
    many = payees(hour)
    if many is None:
        return None
    told = hour.outflow - hour.untold
    return hour.largest >= told / 2 or many < FEW


def busy_hour(current: Current, usual: Usual) -> float:
    """Coins that leave in an hour as busy as it gets."""
    gross = usual.gross.get("1h")
    if gross is None or not gross.is_known("1h"):
        return 0.0
    return math.exp(gross.centre + BUSY * gross.spread) * usual.factor("1h", current.at, current.sums.hours.index)


def _move(current: Current, usual: Usual, worth: Worth, *, seconds: float, disagrees: bool, others: float) -> None:
    if seconds > HOURLY or worth.reserve <= 0 or current.at - current.since < LEARNED_SECONDS:
        return
    if Cause.MOVE not in current.alarms and not _is_near(current):
        return
    hour = current.sums.fives.hour(current.at)
    busy = busy_hour(current, usual)
    unusual = max(0.0, 1 - busy / hour.unknown) if hour.unknown > 0 else 0.0
    asset, total = hour.asset_share * unusual, hour.total_share * unusual
    is_dust = worth.priced is not None and worth.priced < DUST
    is_large = (asset >= PAGE_ASSET and not is_dust) or total + others >= PAGE_TOTAL or hour.cold_share >= PAGE_COLD
    found, few = None, is_few(hour)
    is_told = busy > 0 or few is True  # before a busy hour is known, many payments are nothing to tell of
    if is_large or (asset >= WARN_ASSET and is_told):
        found = Alarm(
            kind=_move_kind(is_large=is_large and not disagrees, is_diffuse=few is False),
            severity=Severity.CRITICAL if is_large and not disagrees else Severity.WARNING,
            since=current.at - seconds,
            at=current.at,
            coins=hour.unknown,
            share=hour.asset_share,
            total=total,
            payees=payees(hour),
            disagrees=disagrees,
            from_cold=hour.cold_share >= PAGE_COLD,
        )
    before = current.alarms.get(Cause.MOVE)
    follow(current.alarms, Cause.MOVE, found, lasts=False, seconds=seconds)
    if before is not None and Cause.MOVE not in current.alarms:
        current.note_move(current.at, before.coins)


def _is_near(current: Current) -> bool:
    """So much left in an hour that it is worth a look."""
    fives = current.sums.fives
    closed, newest, oldest = fives.closed, fives.buckets[-1], fives.buckets[0]
    asset = closed.asset_share + newest.asset_share + oldest.asset_share
    return asset >= WARN_ASSET or closed.cold_share + newest.cold_share + oldest.cold_share >= PAGE_COLD


def _move_kind(*, is_large: bool, is_diffuse: bool) -> IncidentKind:
    if is_large:
        return IncidentKind.BANK_RUN if is_diffuse else IncidentKind.SUSPECTED_EXPLOIT
    return IncidentKind.OUTFLOW_SPIKE if is_diffuse else IncidentKind.UNCONFIRMED_MOVE


def _burst(current: Current, usual: Usual, worth: Worth, *, seconds: float) -> None:
    found, burst = None, current.burst
    if burst.score >= usual.burst_threshold() and usual.season.minutes >= BURST_MINUTES:
        is_dust = worth.priced is not None and worth.priced < DUST
        found = Alarm(
            kind=IncidentKind.OUTFLOW_SPIKE if is_dust else IncidentKind.BANK_RUN,
            severity=Severity.WARNING if is_dust else Severity.CRITICAL,
            since=burst.since,
            at=current.at,
            coins=current.sums.fives.hour(current.at).outflow,
            count=burst.count,
            expected=burst.expected,
        )
    before = current.alarms.get(Cause.BURST)
    if before is None:
        follow(current.alarms, Cause.BURST, found, lasts=False, seconds=seconds)
        current.level_before = burst.level
    elif current.at - before.at > BURST_SECONDS:
        del current.alarms[Cause.BURST]
        usual.pace.restart(*current.recent())
    else:
        count, seasonal = current.recent()
        lasts = count > BURST_LASTS * seasonal * current.level_before
        follow(current.alarms, Cause.BURST, None, lasts=lasts, seconds=seconds)


def _bleed(current: Current, worth: Worth, *, seconds: float, disagrees: bool) -> None:
    limit = BLEED_DAILY if seconds > DAY / 2 else BLEED
    found = None
    if current.bleed >= limit and current.bled > 0 and not disagrees:
        share = current.bled / (worth.reserve + current.bled) if worth.reserve > 0 else None
        is_dust = worth.priced is not None and worth.priced < DUST
        is_second_day = current.at - current.bleed_since >= DAY and (share is None or share >= BLEED_LEAST)
        is_sure = not is_dust and current.bleed >= BLEED_SURE * limit
        is_critical = is_sure and (is_second_day or (share is not None and share >= BLEED_PAGE))
        found = Alarm(
            kind=IncidentKind.SLOW_BLEED,
            severity=Severity.CRITICAL if is_critical else Severity.WARNING,
            since=current.bleed_since,
            at=current.at,
            coins=current.bled,
            share=share,
        )
    was_bleeding = Cause.BLEED in current.alarms
    follow(current.alarms, Cause.BLEED, found, lasts=False, seconds=seconds)
    if was_bleeding and Cause.BLEED not in current.alarms:
        current.bleed = 0.0  # it is over: the next one begins anew


def _spike(current: Current, worth: Worth, *, seconds: float, disagrees: bool) -> None:
    """Windows speak once; again after they were below their threshold. A move, or what pages, speaks for them."""
    is_told = any(alarm.severity is Severity.CRITICAL or cause is Cause.MOVE for cause, alarm in current.alarms.items())
    found = None
    for window, threshold in SPIKES.items():
        score = current.scores.get(window)
        if score is None or not score.is_known:
            continue
        if score.value < threshold - REARMED:
            score.is_armed = True
        if score.value < threshold or not score.is_armed:
            continue
        score.is_armed = False
        was_paged = current.at - current.paged_at < SECONDS[window] + AFTER_SECONDS
        if not is_told and not was_paged:
            found = Alarm(
                kind=IncidentKind.OUTFLOW_SPIKE,
                severity=Severity.WARNING,
                since=current.at - SECONDS[window],
                at=current.at,
                coins=score.observed,
                share=score.observed / worth.reserve if worth.reserve > 0 else None,
                expected=score.expected,
                window=window,
                disagrees=disagrees,
            )
    follow(current.alarms, Cause.SPIKE, found, lasts=False, seconds=seconds)
