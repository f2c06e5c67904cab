"""What `/metrics` answers, and who tells it. Every metric's name, help and labels are in the catalogue.

What the store holds (views, incidents, drafts) is written when it is shown; what the daemon does is counted by
prometheus_client in a registry of our own. A value older than three intervals vanishes; states and `up` never do.
"""

import math
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import prometheus_client
from prometheus_client.exposition import choose_encoder

from monitor.exposition import (
    KEPT,
    PREFIX,
    SHOWN,
    Block,
    Family,
    Group,
    Intervals,
    Kind,
    Sample,
    assemble,
    compose,
    cut,
    exchange_groups,
    occurrences,
    shared_groups,
)
from monitor.model import SUPPORT, Closure, DeliveryOutcome, Draft, DraftState, ExchangeView, FailureReason, Incident

CATALOGUE = SHOWN + KEPT

_SHOWN_BY_NAME = {family.name: family for family in SHOWN}
_INCIDENTS = ("incident_active", "incident_opened_timestamp_seconds")
_DRAFTS = ("drafts_pending", "draft_oldest_pending_timestamp_seconds")
_UNKNOWN_AT_FIRST = ("_timestamp_seconds", "clock_offset_seconds")
_RESERVED = 5  # one series in so many is kept for verdicts, so that the rails of some exchanges cannot hide others


class Metrics:
    """What `/metrics` answers. Fed with committed views, incidents and drafts, and told what the daemon does."""

    def __init__(self, *, version: str, intervals: Intervals, max_series: int = 10_000) -> None:
        """`max_series` caps the series written from the store; those of `KEPT` are bounded by the configuration."""
        self._intervals = intervals
        self._max_series = max_series
        self._views: dict[str, ExchangeView] = {}
        self._priced: dict[str, set[str]] = {}  # exchange -> assets that had a price
        self._blocks: dict[str, Block] = {}
        self._shared = Block()
        self._incidents = Block()
        self._drafts = Block()
        self._seen_incidents: set[tuple[str, ...]] = set()
        self._seen_channels: set[str] = set()
        self._leads: dict[str, tuple[datetime, datetime]] = {}  # exchange -> when opened, when officially said
        # A _created series beside each counter and histogram would double them, and no Prometheus reads it from here.
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = prometheus_client.CollectorRegistry()
        prometheus_client.ProcessCollector(registry=self._registry)
        self._counters = {f.name: _counter(f, self._registry) for f in KEPT if f.kind is Kind.COUNTER}
        self._gauges = {f.name: _gauge(f, self._registry) for f in KEPT if f.kind is Kind.GAUGE}
        self._histograms = {f.name: _histogram(f, self._registry) for f in KEPT if f.kind is Kind.HISTOGRAM}
        self._gauges["build_info"].labels(version, platform.python_version()).set(1)

    def show(self, view: ExchangeView) -> None:
        """Take over a committed view; it replaces the exchange's former one. One that is retired leaves nothing."""
        if view.retired:
            self.forget(view.exchange)
            return
        if not view.exchange:
            self.held(view.held)
        name = cut(view.exchange)
        self._views[name] = view
        priced = self._priced.setdefault(name, set())
        priced.update(view.usd)
        self._write(name, exchange_groups(view, self._intervals, once_priced=priced), now=view.at)

    def forget(self, exchange: str) -> None:
        """The exchange is no longer watched."""
        for known in (self._blocks, self._views, self._priced):
            known.pop(cut(exchange), None)

    def expect(self, intervals: Intervals) -> None:
        """A reload changed how often we look; holds from each exchange's next view on."""
        self._intervals = intervals

    def show_incidents(self, incidents: Sequence[Incident]) -> None:
        """Take over all open incidents; of resolved ones among them only the detection lead is read."""
        opened: dict[tuple[str, ...], list[datetime]] = {}
        for incident in sorted(incidents, key=lambda i: i.opened_at):
            if incident.official_at is not None:
                self._leads[incident.exchange] = (incident.opened_at, incident.official_at)
            if incident.resolved_at is None:
                key = (incident.exchange, incident.kind.value, incident.severity.value)
                opened.setdefault(key, []).append(incident.opened_at)
        self._seen_incidents |= opened.keys()
        groups = [occurrences(key, opened.get(key, []), _INCIDENTS) for key in sorted(self._seen_incidents)]
        leads = [
            Group((Sample("detection_lead_seconds", (exchange,), (official - opened_at).total_seconds()),))
            for exchange, (opened_at, official) in self._leads.items()
        ]
        self._incidents = self._composed(groups + leads, former=self._incidents)

    def show_drafts(self, drafts: Sequence[Draft]) -> None:
        """Take over all waiting drafts; others among them are not counted."""
        created: dict[str, list[datetime]] = {}
        for draft in drafts:
            if draft.state is DraftState.PENDING and draft.channel != SUPPORT:
                created.setdefault(draft.channel, []).append(draft.created_at)
        self._seen_channels |= created.keys()
        groups = [occurrences((name,), created.get(name, []), _DRAFTS) for name in sorted(self._seen_channels)]
        self._drafts = self._composed(groups, former=self._drafts)

    def probed(self, exchange: str, probe: str, seconds: float) -> None:
        """A look was taken, whatever came of it."""
        self._counters["probes_total"].labels(cut(exchange), cut(probe)).inc()
        self._histograms["probe_duration_seconds"].labels(cut(exchange), cut(probe)).observe(seconds)

    def failed(self, exchange: str, probe: str, reason: FailureReason) -> None:
        """A look that was also told to `probed` failed."""
        self._counters["probe_failures_total"].labels(cut(exchange), cut(probe), reason).inc()

    def overran(self, exchange: str, probe: str, turns: int) -> None:
        """A look took so long that this many of the probe's turns were left out."""
        self._counters["overruns_total"].labels(cut(exchange), cut(probe)).inc(turns)

    def restarted(self, exchange: str, probe: str) -> None:
        """A probe's look ended as no look may, and its task begins anew."""
        self._counters["probe_task_restarts_total"].labels(cut(exchange), cut(probe)).inc()

    def contaminated(self, exchange: str, probe: str) -> None:
        """A look failed while our own event loop stood still, and is taken again."""
        self._counters["looks_contaminated_total"].labels(cut(exchange), cut(probe)).inc()

    def violated(self, exchange: str, probe: str) -> None:
        """A part of a reading could not be read."""
        self._counters["schema_violations_total"].labels(cut(exchange), cut(probe)).inc()

    def show_hosts(self, closed: Iterable[Closure], certificates: Mapping[str, datetime]) -> None:
        """Take over which hosts are closed to us now, and when certificates end, by host."""
        gauge = self._gauges["host_closed_until_timestamp_seconds"]
        gauge.clear()
        for closure in closed:
            gauge.labels(cut(closure.host), closure.reason).set(closure.until.timestamp())
        for host, ends_at in certificates.items():
            self._gauges["certificate_not_after_timestamp_seconds"].labels(cut(host)).set(ends_at.timestamp())

    def appended(self, kind: str, count: int = 1) -> None:
        self._counters["journal_entries_total"].labels(cut(kind)).inc(count)

    def committed(self, *, seq: int, at: datetime, seconds: float) -> None:
        """A transaction that ends with the entry `seq` of time `at` is on disk."""
        self._gauges["journal_head_seq"].set(seq)
        self._gauges["journal_head_timestamp_seconds"].set(at.timestamp())
        self._histograms["commit_duration_seconds"].observe(seconds)

    def persist_failed(self) -> None:
        """A transaction was refused; all of it is tried again."""
        self._counters["persist_errors_total"].inc()

    def held_back(self, entries: int) -> None:
        """So much is judged and not on disk."""
        self._gauges["entries_unwritten"].set(entries)

    def rescued(self) -> None:
        """The database was damaged at the start, and a fresh one goes on in its place."""
        self._gauges["database_rescued"].set(1)

    def checkpointed(self, at: datetime) -> None:
        self._gauges["checkpoint_timestamp_seconds"].set(at.timestamp())

    def refused(self, exchange: str) -> None:
        self._counters["entries_refused_total"].labels(cut(exchange)).inc()

    def queued(self, readings: int) -> None:
        self._gauges["readings_queued"].set(readings)

    def diverged(self) -> None:
        self._counters["replay_divergence_total"].inc()

    def lagged(self, seconds: float) -> None:
        self._histograms["loop_lag_seconds"].observe(seconds)

    def clock_off(self, seconds: float) -> None:
        """By so much the world's clock is ahead of ours, as control targets tell."""
        self._gauges["clock_offset_seconds"].set(seconds)

    def stepped(self) -> None:
        self._counters["clock_steps_total"].inc()

    def posted(self, channel: str) -> None:
        """A delivery was tried, whatever came of it."""
        self._counters["posts_total"].labels(cut(channel)).inc()

    def post_failed(self, channel: str, reason: DeliveryOutcome | FailureReason) -> None:
        """A delivery that was also told to `posted` failed."""
        self._counters["post_failures_total"].labels(cut(channel), reason.value).inc()

    def sought(self, channel: str, outcome: DeliveryOutcome) -> None:
        """A post of unknown outcome was looked for until that decided it."""
        self._counters["posts_sought_total"].labels(cut(channel), outcome.value).inc()

    def spent(self, channel: str, usd: Decimal) -> None:
        self._counters["channel_spend_usd_total"].labels(cut(channel)).inc(float(usd))

    def show_audit(self, heads: Mapping[str, tuple[int, bytes]]) -> None:
        """How many links each chain of hashes has, and the first six bytes of its head: exact in a float."""
        for chain, (links, head) in heads.items():
            self._gauges["audit_links"].labels(chain).set(links)
            self._gauges["audit_head"].labels(chain).set(int.from_bytes(head[:6]))

    def broke_glass(self) -> None:
        self._counters["break_glass_total"].inc()

    def notified(self, target: str) -> None:
        """A target was told, whatever came of it."""
        self._counters["notifications_total"].labels(cut(target)).inc()

    def notify_failed(self, target: str, reason: str) -> None:
        self._counters["notification_failures_total"].labels(cut(target), reason).inc()

    def notify_arrived(self, target: str, at: datetime) -> None:
        self._gauges["notification_last_success_timestamp_seconds"].labels(cut(target)).set(at.timestamp())

    def notifications_wait(self, target: str, count: int) -> None:
        """So much a target has not been told yet."""
        self._gauges["notifications_waiting"].labels(cut(target)).set(count)

    def pushed(self, ok: bool) -> None:
        """An Alertmanager was pushed to."""
        self._counters["alertmanager_pushes_total"].inc()
        self._counters["alertmanager_push_failures_total"].inc(not ok)

    def beat(self, at: datetime | None) -> None:
        """A heartbeat arrived at that time and said that all is well; None: it did not arrive."""
        if at is None:
            self._counters["heartbeat_failures_total"].inc()
        else:
            self._gauges["heartbeat_last_success_timestamp_seconds"].set(at.timestamp())

    def held(self, is_held: bool) -> None:
        self._gauges["publishing_held"].set(is_held)

    def reloaded(self, ok: bool, at: datetime) -> None:
        """The configuration was read, at start or again; where it was not `ok`, the former one stays in use."""
        self._gauges["config_last_reload_successful"].set(ok)
        if ok:
            self._gauges["config_last_reload_success_timestamp_seconds"].set(at.timestamp())

    def render(self, accept: str, *, now: datetime) -> tuple[bytes, str]:
        """The body and its content type: the text format, or OpenMetrics where the Accept header asks for it."""
        for exchange, block in self._blocks.items():
            if block.expires_at is not None and block.expires_at <= now:
                self._write(exchange, block.written, now=now)
        shared = _fresh(shared_groups(self._views.values(), self._intervals), now=now)
        self._shared = self._composed(shared, former=self._shared)
        encode, content_type = choose_encoder(accept)
        blocks = [*self._blocks.values(), self._shared, self._incidents, self._drafts]
        is_openmetrics = content_type.startswith("application/openmetrics-text")
        return assemble(SHOWN, blocks, openmetrics=is_openmetrics).encode() + encode(self._registry), content_type

    def _write(self, exchange: str, groups: Iterable[Group], *, now: datetime) -> None:
        former = self._blocks.get(exchange, Block())
        self._blocks[exchange] = self._composed(_fresh(groups, now=now), former=former)

    def _composed(self, groups: Iterable[Group], *, former: Block) -> Block:
        blocks = (*self._blocks.values(), self._shared, self._incidents, self._drafts)
        others = sum(block.series for block in blocks) - former.series
        reserve = self._max_series // _RESERVED
        budget = self._max_series - others
        block = compose(groups, _SHOWN_BY_NAME, former=former, budget=budget, reserve=reserve)
        self._counters["series_dropped_total"].inc(block.dropped)
        return block


def _fresh(groups: Iterable[Group], *, now: datetime) -> Iterator[Group]:
    return (group for group in groups if group.until is None or now < group.until)


def _counter(family: Family, registry: prometheus_client.CollectorRegistry) -> prometheus_client.Counter:
    return prometheus_client.Counter(PREFIX + family.name, family.help, family.labels, registry=registry)


def _gauge(family: Family, registry: prometheus_client.CollectorRegistry) -> prometheus_client.Gauge:
    gauge = prometheus_client.Gauge(PREFIX + family.name, family.help, family.labels, registry=registry)
    if family.name.endswith(_UNKNOWN_AT_FIRST) and not family.labels:
        # The library starts at 0, which reads as an age of half a century to an alert, or as a clock that is right.
        gauge.set(math.nan)
    return gauge


def _histogram(family: Family, registry: prometheus_client.CollectorRegistry) -> prometheus_client.Histogram:
    return prometheus_client.Histogram(
        PREFIX + family.name, family.help, family.labels, registry=registry, buckets=family.buckets
    )
