"""What the silence of hot wallets amounts to: findings, and each statistic in a person's words."""

import math
from decimal import Decimal

from monitor.engine.detectors.drip import LEARNED, SHARE
from monitor.engine.detectors.joint import Key
from monitor.engine.detectors.silence import OLD_SECONDS, PAGE_MINUTES, WATCH, WATCH_MINUTES, Silence, Stream
from monitor.engine.finding import Finding, moment
from monitor.model import Evidence, IncidentKind, Severity
from monitor.model.view import StatisticState, StatisticView
from monitor.reserves.amounts import coins

STILL_SENDING_SECONDS = 60.0
BATCHES = "batches a minute"
TRANSACTIONS = "transactions a minute"


def findings(silence: Silence, now: float) -> list[Finding]:
    """What holds now: a halt, or else what is silent or drips in part."""
    if not silence.memory.streams:
        return []
    if silence.memory.halted:
        return [_halt(silence)]
    stopped, dripping = silence.stopped(now), silence.dripping(now)
    return [*([_partial(stopped)] if stopped else []), *([_drip(silence, dripping)] if dripping else [])]


def statistics(silence: Silence, now: float) -> list[StatisticView]:
    streams = sorted(silence.memory.streams.items())
    if not streams:
        return []
    rows = [_whole(silence, now), *(_one(silence, key, stream, now) for key, stream in streams)]
    return [*rows, *(_carried(silence, key, stream) for key, stream in streams if stream.drip.windows)]


def _halt(silence: Silence) -> Finding:
    newest = max((s.read_at for s in silence.memory.streams.values()), default=0.0)
    silent = _ordered([s for s in silence.memory.streams.values() if s.score > 0 and newest - s.read_at <= OLD_SECONDS])
    return Finding(
        kind=IncidentKind.WITHDRAWAL_HALT,
        severity=Severity.CRITICAL,
        scope=("*",),
        summary=f"hot wallets stopped sending on {_networks(silent)}",
        since=_since(silent),
        evidence=tuple(_evidence(s) for s in silent),
    )


def _partial(stopped: list[Stream]) -> Finding:
    silent = _ordered(stopped)
    return Finding(
        kind=IncidentKind.WITHDRAWALS_DEGRADED,
        severity=Severity.WARNING,
        scope=tuple(sorted({f"*@{s.network}" for s in silent})),
        summary=f"hot wallets stopped sending on {_networks(silent)}, others go on",
        since=_since(silent),
        evidence=tuple(_evidence(s) for s in silent),
    )


def _drip(silence: Silence, dripping: list[Stream]) -> Finding:
    streams = _ordered(dripping)
    return Finding(
        kind=IncidentKind.DRIP,
        severity=Severity.WARNING,
        scope=tuple(sorted({f"*@{s.network}" for s in streams})),
        summary=f"hot wallets send as often as ever and hardly anything on {_networks(streams)}",
        since=min((s.drip.since for s in streams if s.drip.since is not None), default=None),
        evidence=tuple(_crumbs(silence, s) for s in streams),
    )


def _whole(silence: Silence, now: float) -> StatisticView:
    state, words = _standing(silence, now)
    value, threshold = silence.memory.score, round(silence.threshold(), 6)
    return StatisticView(
        detector="silence", subject="*", state=state, value=value, threshold=threshold, unit="nats", words=words
    )


def _standing(silence: Silence, now: float) -> tuple[StatisticState, str]:
    """Of all streams together."""
    memory, threshold, parts = silence.memory, silence.threshold(), silence.parts()
    if memory.halted:
        return StatisticState.FIRING, "hot wallets have stopped; ends after five minutes above half of the usual rate"
    if all(now - s.read_at > OLD_SECONDS for s in memory.streams.values()):
        return StatisticState.UNKNOWN, "no hot wallet was read in a quarter of an hour"
    if not parts:
        most = max(silence.minutes(key) for key in memory.streams)
        return StatisticState.LEARNING, f"no busy stream may page yet: {most:.0f} min of {PAGE_MINUTES:.0f} are learned"
    set_by = "by its own history" if silence.learned.threshold is not None else "until a week is known"
    words = f"{parts} busy streams, each at most {silence.cap():.1f} of it; a halt from {threshold:.1f} on, {set_by}"
    return StatisticState.SUSPICIOUS if memory.score >= threshold / 2 else StatisticState.QUIET, words


def _one(silence: Silence, key: Key, stream: Stream, now: float) -> StatisticView:
    baseline = silence.learned.baselines.get(key)
    if baseline is None:
        words = "learning again from the journal"
        return StatisticView(detector="silence", subject=_subject(stream), state=StatisticState.LEARNING, words=words)
    unit = BATCHES if baseline.is_batcher() else TRANSACTIONS
    expected = baseline.expected(now) * (baseline.batch_share() if baseline.is_batcher() else 1.0)
    state, then = _state(silence, key, stream, now)
    usual = f"usually {expected:.2f} {unit} at this hour, {baseline.level():.2f} times the season of late"
    return StatisticView(
        detector="silence",
        subject=_subject(stream),
        state=state,
        value=round(stream.score, 6),
        threshold=WATCH,
        expected=round(expected, 6),
        unit=unit,
        words=f"{_paid(stream)}; {usual}; {then}",
    )


def _paid(stream: Stream) -> str:
    """When it paid last, and how likely a pause of that length is."""
    if stream.last_at is None:
        return "no payment seen yet"
    paid = f"last paid {moment(stream.last_at):%H:%M:%S} UTC"
    if stream.surprise < 1:
        return paid
    return f"{paid}, a pause with a chance of 1 in {math.exp(min(stream.surprise, 50.0)):,.0f}"


def _state(silence: Silence, key: Key, stream: Stream, now: float) -> tuple[StatisticState, str]:
    minutes = silence.minutes(key)
    if now - stream.read_at > OLD_SECONDS:
        return StatisticState.UNKNOWN, f"not read since {moment(stream.read_at):%H:%M} UTC"
    if minutes < WATCH_MINUTES:
        return StatisticState.LEARNING, f"learning, {minutes:.0f} min of {WATCH_MINUTES:.0f} before it is watched"
    if stream.score >= WATCH:
        return StatisticState.SUSPICIOUS, "a watch: silent alone, which pages nobody"
    if minutes < PAGE_MINUTES:
        return StatisticState.LEARNING, f"watched; learning, {minutes / 60:.1f} h of 6 h before it counts for a page"
    return StatisticState.QUIET, f"a watch from {WATCH:.0f} on"


def _carried(silence: Silence, key: Key, stream: Stream) -> StatisticView:
    """What a payment carries; the unit is coins, whatever they are."""
    typical = silence.learned.typical.get(key)
    is_known = typical is not None and typical.quarters >= LEARNED
    usual = math.exp(typical.median) if typical is not None and typical.quarters else None
    state = StatisticState.QUIET if is_known else StatisticState.LEARNING
    words = f"coins a payment in a quarter of an hour; a drip below {SHARE:.0%} of the usual"
    if stream.drip.since is not None:
        state, words = StatisticState.FIRING, f"payments as often as ever, below {SHARE:.0%} of what they usually carry"
    return StatisticView(
        detector="drip",
        subject=_subject(stream),
        state=state,
        value=round(stream.drip.carried, 6),
        threshold=round(SHARE * usual, 6) if usual is not None else None,
        observed=round(stream.drip.carried, 6),
        expected=round(usual, 6) if usual is not None else None,
        unit="coins a payment",
        words=words,
    )


def _subject(stream: Stream) -> str:
    return f"{stream.network} {stream.wallet}" if stream.wallet is not None else stream.network


def _ordered(streams: list[Stream]) -> list[Stream]:
    return sorted(streams, key=lambda s: (s.network, s.probe, s.wallet or ""))


def _networks(streams: list[Stream]) -> str:
    return ", ".join(sorted({s.network for s in streams}))


def _since(silent: list[Stream]) -> float | None:
    """The newest payment of the silent streams; where they still send a little, since when it is too little."""
    if not silent:
        return None
    newest = max((s.last_at for s in silent if s.last_at is not None), default=0.0)
    since = min(s.since for s in silent)
    return newest if since <= newest <= max(s.read_at for s in silent) - STILL_SENDING_SECONDS else since


def _evidence(stream: Stream) -> Evidence:
    expected = f"{stream.silent_count} sent of {stream.silent_expected:.0f} expected"
    return Evidence(
        at=moment(stream.read_at),
        probe=stream.probe,
        source="chain",
        rail=f"*@{stream.network}",
        value=f"{expected} since {moment(stream.since):%H:%M:%S} UTC",
        unit="transactions",
    )


def _crumbs(silence: Silence, stream: Stream) -> Evidence:
    typical = silence.learned.typical[stream.network, stream.probe, stream.wallet or ""]
    usual = Decimal(f"{math.exp(typical.median):.8f}")
    return Evidence(
        at=moment(stream.read_at),
        probe=stream.probe,
        source="chain",
        rail=f"*@{stream.network}",
        value=f"{coins(Decimal(f'{stream.drip.carried:.8f}'))} a payment, usually {coins(usual)}",
        unit="coins",
    )
