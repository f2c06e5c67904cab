"""What the detector of outflow says: findings for incidents, statistics for whoever asks why it is quiet."""

from collections.abc import Iterator

from monitor.engine.detectors.outflow.alarm import Alarm, Cause
from monitor.engine.detectors.outflow.kinds import BLEED, BLEED_DAILY, SPIKES
from monitor.engine.detectors.outflow.stream import Current, Score
from monitor.engine.detectors.outflow.sums import DAY, Span
from monitor.engine.detectors.outflow.usual import BURST_MINUTES, LEARNED, Usual
from monitor.engine.finding import Finding, moment
from monitor.engine.flows import Key
from monitor.model import Evidence, IncidentKind, Rail
from monitor.model.view import StatisticState, StatisticView

HOUR = 3600.0


def finding(key: Key, probe: str, cause: Cause, alarm: Alarm) -> Finding:
    rail = str(Rail(*key))
    summary = _said(key, cause, alarm)
    return Finding(
        kind=alarm.kind,
        severity=alarm.severity,
        scope=(rail,),
        summary=summary,
        since=alarm.since,
        evidence=(Evidence(at=moment(alarm.at), probe=probe, source="chain", rail=rail, value=summary),),
    )


def statistics(key: Key, current: Current, usual: Usual | None) -> Iterator[StatisticView]:
    """Every window, the count of payments, and the slow bleed."""
    rail = str(Rail(*key))
    for window, threshold in SPIKES.items():
        score = current.scores.get(window)
        if score is not None:
            yield _window(key, rail, window, score, threshold, usual)
    if usual is not None and usual.season.rate() > 0 and current.five:
        yield _burst(rail, current, usual)
    yield _bleed(key, rail, current)


def _said(key: Key, cause: Cause, alarm: Alarm) -> str:
    asset, rail = key[0], str(Rail(*key))
    coins = f"{_coins(alarm.coins)} {asset}"
    share = f", {alarm.share:.2%} of the reserve" if alarm.share is not None else ""
    doubt = "; flow and reserve disagree: the reserve did not fall by as much" if alarm.disagrees else ""
    match cause:
        case Cause.MOVE:
            return _moved(rail, coins + share, alarm) + doubt
        case Cause.BURST:
            count, expected = alarm.count or 0.0, alarm.expected or 0.0
            pace = f"{count:,.0f} payments since {moment(alarm.since):%H:%M} UTC where {expected:,.0f} are usual"
            return f"{rail}: {pace}; {coins} left in the last hour"
        case Cause.BLEED:
            return f"{coins} more left {rail} than came since {moment(alarm.since):%Y-%m-%d %H:%M} UTC{share}"
        case Cause.SPIKE:
            usual = f" where {_coins(alarm.expected or 0.0)} are usual"
            return f"{coins} left {rail} in {alarm.window}{usual}{share}{doubt}"
        case Cause.DRAIN:
            return f"{coins} more left than came in a day{share}{doubt}"


def _moved(rail: str, coins: str, alarm: Alarm) -> str:
    cold = " from cold wallets" if alarm.from_cold else ""
    match alarm.kind:
        case IncidentKind.UNCONFIRMED_MOVE:
            return f"{coins} left {rail}{cold} to an address not on our list: explain or confirm"
        case IncidentKind.SUSPECTED_EXPLOIT:
            return f"{coins} left {rail}{cold} within an hour to few addresses that are not on our list"
        case _:
            return f"{coins} left {rail}{cold} within an hour, to many"


def _window(key: Key, rail: str, window: Span, score: Score, threshold: float, usual: Usual | None) -> StatisticView:
    scale = usual.gross.get(window) if usual is not None else None
    learned = (scale.at - scale.since) if scale is not None and scale.looks else 0.0
    unit = f"{key[0]} in {window}"
    if not score.is_known:
        short = learned < LEARNED[window] and scale is not None
        progress = f"learning, {_span(learned)} of {_span(LEARNED[window])}"
        words = progress if short else "not told that finely, or not yet"
        state = StatisticState.LEARNING if short else StatisticState.UNKNOWN
        return StatisticView(detector="outflow", subject=f"{rail} {window}", state=state, unit=unit, words=words)
    state = StatisticState.FIRING if score.value >= threshold else StatisticState.QUIET
    words = (
        f"{_coins(score.observed)} {key[0]} left in {window}, {_coins(score.net)} on balance; "
        f"usual are {_coins(score.expected)}: warns at {threshold:g} spreads above, and is at {score.value:.1f}"
    )
    return StatisticView(
        detector="outflow",
        subject=f"{rail} {window}",
        state=state,
        value=score.value,
        threshold=threshold,
        observed=round(score.observed, 9),
        expected=round(score.expected, 9),
        unit=unit,
        words=words,
    )


def _burst(rail: str, current: Current, usual: Usual) -> StatisticView:
    minutes = usual.season.minutes
    if minutes < BURST_MINUTES:
        words = f"learning, {_span(60 * minutes)} of {_span(60 * BURST_MINUTES)}"
        return StatisticView(
            detector="outflow", subject=f"{rail} payments", state=StatisticState.LEARNING, unit="payments", words=words
        )
    burst, threshold = current.burst, usual.burst_threshold()
    firing = Cause.BURST in current.alarms
    state = StatisticState.FIRING if firing else StatisticState.QUIET
    if not firing and burst.score >= threshold / 2:
        state = StatisticState.SUSPICIOUS
    words = (
        f"at most {burst.count:,.0f} payments where {burst.expected:,.0f} are usual, since "
        f"{moment(burst.since):%H:%M} UTC: log likelihood {burst.score:.1f}, pages at {threshold:.1f}"
        if burst.score > 0
        else f"no more payments than usual; pages at a log likelihood of {threshold:.1f}"
    )
    return StatisticView(
        detector="outflow",
        subject=f"{rail} payments",
        state=state,
        value=burst.score,
        threshold=threshold,
        observed=burst.count,
        expected=round(burst.expected, 6),
        unit="payments",
        words=words,
    )


def _bleed(key: Key, rail: str, current: Current) -> StatisticView:
    limit = BLEED_DAILY if current.sums.longest > DAY / 2 else BLEED
    alarm = current.alarms.get(Cause.BLEED)
    state = StatisticState.QUIET if alarm is None else StatisticState.FIRING
    value = round(current.bleed, 6)
    since = f" since {moment(current.bleed_since):%Y-%m-%d %H:%M} UTC" if value > 0 else ""
    return StatisticView(
        detector="outflow",
        subject=f"{rail} bleed",
        state=state,
        value=value,
        threshold=limit,
        observed=round(current.bled, 9) if value > 0 else 0.0,
        unit=f"{key[0]} on balance",
        words=f"more leaves than comes, added up{since}: {value:.1f}, warns at {limit:g}",
    )


def _coins(amount: float) -> str:
    if abs(amount) >= 1000:
        return f"{amount:,.0f}"
    return f"{amount:.4g}"


def _span(seconds: float) -> str:
    return f"{seconds / HOUR:.0f} h" if seconds < 4 * DAY else f"{seconds / DAY:.0f} d"
