"""What a view says of an exchange in samples, and what incidents and drafts do."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from monitor.exposition.money import balance_groups, total_groups
from monitor.exposition.outflow import outflow_groups
from monitor.exposition.text import STALE_INTERVALS, Group, Intervals, Sample
from monitor.model import Direction, ExchangeState, ExchangeView, RailVerdict, RailView
from monitor.model.silence import active

FREEZES_LIFETIME = timedelta(minutes=15)
TALK_LIFETIME = timedelta(minutes=15)
"""Three counts of five minutes each, as the detector has it."""


def exchange_groups(view: ExchangeView, intervals: Intervals, *, once_priced: Collection[str] = ()) -> Iterator[Group]:
    """The groups of one exchange, the most telling first. "" is the world. `once_priced`: assets that had a price."""
    if view.exchange:
        yield _judged(view)
        yield from _activity(view, timedelta(seconds=STALE_INTERVALS * intervals.wallets))
        yield from _campaign(view)
        yield from _freezes(view)
        yield from total_groups(view, intervals, once_priced=once_priced)
    else:
        silences = active(view.silences, view.at)
        yield Group((Sample("blind", (), int(view.blind)), Sample("silences_active", (), len(silences))))
    yield from _probes(view)
    yield from _lists(view, timedelta(seconds=STALE_INTERVALS * intervals.rails))
    for rail in view.rails:
        yield _rail(view.exchange, rail)
    yield from balance_groups(view, intervals)
    yield from outflow_groups(view)


def occurrences(labels: tuple[str, ...], since: Sequence[datetime], families: tuple[str, str]) -> Group:
    """How many there are, 0 too, so that a graph comes down; and the oldest's instant where there is one."""
    count, oldest = families
    first = tuple(Sample(oldest, labels, at.timestamp()) for at in sorted(since)[:1])
    return Group((Sample(count, labels, len(since)), *first))


def _judged(view: ExchangeView) -> Group:
    samples = _states("withdrawals_state", (view.exchange,), view.withdrawals, ExchangeState)
    return Group(samples + _instant("withdrawals_state_changed_timestamp_seconds", (view.exchange,), view.since))


def _activity(view: ExchangeView, lifetime: timedelta) -> Iterator[Group]:
    for network in view.networks:
        labels = (view.exchange, network.network)
        sent = Sample("hot_wallet_outgoing_total", labels, network.outgoing_total)
        last = _instant("last_outgoing_timestamp_seconds", labels, network.last_outgoing_at)
        yield Group((sent, *last), until=network.read_at + lifetime)
    if view.networks:
        newest = max(network.read_at for network in view.networks)
        score = Sample("silence_score", (view.exchange,), view.silence_score)
        threshold = Sample("silence_threshold", (view.exchange,), view.silence_threshold)
        yield Group((score, threshold) if threshold.value > 0 else (score,), until=newest + lifetime)


def _campaign(view: ExchangeView) -> Iterator[Group]:
    known = [each for each in view.statistics if each.detector == "campaign"]
    scores = [each.value for each in known if each.value is not None]
    thresholds = [each.threshold for each in known if each.threshold is not None]
    if scores and thresholds:
        score = Sample("campaign_score", (view.exchange,), max(scores))
        threshold = Sample("campaign_threshold", (view.exchange,), min(thresholds))
        yield Group((score, threshold), until=view.at + TALK_LIFETIME)


def _freezes(view: ExchangeView) -> Iterator[Group]:
    told = view.freezes
    if told is not None:
        total = Sample("freeze_activations_total", (view.exchange,), told.activations_total)
        yield Group((total,))
        if told.active is not None:
            active = Sample("freezes_active", (view.exchange,), told.active)
            yield Group((active,), until=told.read_at + FREEZES_LIFETIME)


def _probes(view: ExchangeView) -> Iterator[Group]:
    for probe in view.probes:
        labels = (view.exchange, probe.probe)
        is_up = probe.failing_since is None and probe.last_success_at is not None
        last = _instant("probe_last_success_timestamp_seconds", labels, probe.last_success_at)
        yield Group((Sample("probe_up", labels, int(is_up)), *last))


def _lists(view: ExchangeView, lifetime: timedelta) -> Iterator[Group]:
    newest = max((rail.read_at for rail in view.rails if rail.read_at is not None), default=None)
    until = newest + lifetime if newest is not None else None
    watched = [rail for rail in view.rails if rail.weight > 0 and rail.direction is Direction.WITHDRAWAL]
    if any(rail.verdict is not RailVerdict.UNKNOWN for rail in watched):
        yield Group((Sample("rails_suspended_ratio", (view.exchange,), view.weight_off),), until=until)
    for direction, counts in view.counts.items():
        samples = (Sample("rails", (view.exchange, direction, v.value), counts.get(v, 0)) for v in RailVerdict)
        if counts:
            yield Group(tuple(samples), until=until)


def _rail(exchange: str, rail: RailView) -> Group:
    labels = (exchange, rail.asset, rail.network, rail.direction.value)
    samples = _states("rail_state", labels, rail.verdict, RailVerdict)
    changed = _instant("rail_state_changed_timestamp_seconds", labels, rail.since)
    return Group(samples + changed, is_detail=True)


def _states(
    family: str, labels: tuple[str, ...], state: str, states: Iterable[ExchangeState | RailVerdict]
) -> tuple[Sample, ...]:
    return tuple(Sample(family, (*labels, each.value), int(each == state)) for each in states)


def _instant(family: str, labels: tuple[str, ...], at: datetime | None) -> tuple[Sample, ...]:
    return () if at is None else (Sample(family, labels, at.timestamp()),)
