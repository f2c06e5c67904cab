"""Every metric's name, help and labels, and where its value comes from.

What the store holds (views, incidents, drafts) is written when it is shown; what the daemon does is counted by
prometheus_client in a registry of our own. A value older than three intervals vanishes; states and `up` never do.
"""

import math
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import prometheus_client
from prometheus_client.exposition import choose_encoder

from monitor.exposition import (
    PREFIX,
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
)
from monitor.model import Closure, DeliveryOutcome, Draft, DraftState, ExchangeView, FailureReason, Incident

_RAIL = ("exchange", "asset", "network", "direction")

SHOWN: tuple[Family, ...] = (
    Family(
        "withdrawals_state",
        Kind.GAUGE,
        "Withdrawals of the exchange as judged: 1 for the state it is in, 0 for the others.",
        ("exchange", "state"),
    ),
    Family(
        "withdrawals_state_changed_timestamp_seconds",
        Kind.GAUGE,
        "When the exchange's withdrawals came into this state. Absent where it was so at the first look.",
        ("exchange",),
    ),
    Family(
        "last_outgoing_timestamp_seconds",
        Kind.GAUGE,
        "Newest outgoing transaction of the exchange's hot wallets seen on the chain.",
        ("exchange", "network"),
    ),
    Family(
        "hot_wallet_outgoing_total",
        Kind.COUNTER,
        "Outgoing transactions of the exchange's hot wallets.",
        ("exchange", "network"),
    ),
    Family(
        "rail_state",
        Kind.GAUGE,
        "Watched rail as judged: 1 for the state it is in, 0 for the others. Read on the daemon's own timer.",
        (*_RAIL, "state"),
    ),
    Family(
        "rail_state_changed_timestamp_seconds",
        Kind.GAUGE,
        "When the watched rail came into this state. Absent where it was so at the first look.",
        _RAIL,
    ),
    Family(
        "rails",
        Kind.GAUGE,
        "Rails of the exchange's whole list, watched or not, by state.",
        ("exchange", "direction", "state"),
    ),
    Family(
        "rails_suspended_ratio",
        Kind.GAUGE,
        "Share of the watched weight that does not pay out. Absent while no watched rail is known.",
        ("exchange",),
    ),
    Family(
        "silence_score",
        Kind.GAUGE,
        "How unlikely the hot wallets' silence is, fused over networks; compare with the threshold.",
        ("exchange",),
    ),
    Family(
        "silence_threshold",
        Kind.GAUGE,
        "Silence score from which withdrawals count as halted. Absent until it is calibrated.",
        ("exchange",),
    ),
    Family(
        "reserve_balance",
        Kind.GAUGE,
        "Balance of the exchange's known wallets in whole coins.",
        ("exchange", "asset", "network"),
    ),
    Family(
        "probe_up",
        Kind.GAUGE,
        "1 if the probe's last look succeeded. Says that a source answered, not what it said.",
        ("exchange", "probe"),
    ),
    Family(
        "probe_last_success_timestamp_seconds",
        Kind.GAUGE,
        "When the probe last succeeded. Probes run on the daemon's own timer, so this is the age of what is shown.",
        ("exchange", "probe"),
    ),
    Family("blind", Kind.GAUGE, "1 while this vantage cannot see anything: our outage, not everybody's halt."),
    Family("incident_active", Kind.GAUGE, "Open incidents.", ("exchange", "kind", "severity")),
    Family(
        "incident_opened_timestamp_seconds",
        Kind.GAUGE,
        "When the oldest open incident was opened.",
        ("exchange", "kind", "severity"),
    ),
    Family(
        "detection_lead_seconds",
        Kind.GAUGE,
        "How long before the official word the newest officially acknowledged incident was opened.",
        ("exchange",),
    ),
    Family("drafts_pending", Kind.GAUGE, "Drafts that wait for a person.", ("channel",)),
    Family(
        "draft_oldest_pending_timestamp_seconds", Kind.GAUGE, "When the oldest waiting draft was written.", ("channel",)
    ),
)
"""Written from what the store holds."""

_SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

KEPT: tuple[Family, ...] = (
    Family("build_info", Kind.GAUGE, "1, labelled with what runs.", ("version", "python_version")),
    Family("probes_total", Kind.COUNTER, "Looks taken, failed ones included.", ("exchange", "probe")),
    Family("probe_failures_total", Kind.COUNTER, "Looks that failed.", ("exchange", "probe", "reason")),
    Family(
        "probe_duration_seconds",
        Kind.HISTOGRAM,
        "Time a look took, failed ones included.",
        ("exchange", "probe"),
        buckets=_SECONDS,
    ),
    Family("journal_entries_total", Kind.COUNTER, "Entries appended to the journal.", ("kind",)),
    Family("journal_head_seq", Kind.GAUGE, "Sequence number of the newest committed journal entry."),
    Family("journal_head_timestamp_seconds", Kind.GAUGE, "Time of the newest committed journal entry."),
    Family("entries_refused_total", Kind.COUNTER, "Entries an engine raised on and goes on without.", ("exchange",)),
    Family(
        "schema_violations_total",
        Kind.COUNTER,
        "Parts of an otherwise good answer that became unreadable: a row of another shape, a negative fee.",
        ("exchange", "probe"),
    ),
    Family(
        "host_closed_until_timestamp_seconds",
        Kind.GAUGE,
        "Until when a host is not asked because it told us to stop. Absent for hosts that are.",
        ("host", "reason"),
    ),
    Family(
        "certificate_not_after_timestamp_seconds",
        Kind.GAUGE,
        "When the certificate ends that a host last showed.",
        ("host",),
    ),
    Family("readings_queued", Kind.GAUGE, "Readings that wait to be judged."),
    Family("commit_duration_seconds", Kind.HISTOGRAM, "Time a transaction of the store took.", buckets=_SECONDS),
    Family("checkpoint_timestamp_seconds", Kind.GAUGE, "Time of the newest committed checkpoint."),
    Family("replay_divergence_total", Kind.COUNTER, "Outputs of a restart that differ from those committed before."),
    Family(
        "loop_lag_seconds",
        Kind.HISTOGRAM,
        "How late the event loop woke a task that slept.",
        buckets=(0.001, 0.005, 0.02, 0.05, 0.1, 0.5, 1.0, 3.0),
    ),
    Family("clock_steps_total", Kind.COUNTER, "Steps of the wall clock that were taken after confirmation."),
    Family("posts_total", Kind.COUNTER, "Attempts to deliver a draft, failed ones included.", ("channel",)),
    Family(
        "post_failures_total",
        Kind.COUNTER,
        "Attempts that did not deliver, or whose outcome nobody knows.",
        ("channel", "reason"),
    ),
    Family("publishing_held", Kind.GAUGE, "1 while a person holds all publishing."),
    Family("config_last_reload_successful", Kind.GAUGE, "1 if the configuration on disk is the one in use."),
    Family("config_last_reload_success_timestamp_seconds", Kind.GAUGE, "When the configuration in use was loaded."),
    Family(
        "series_dropped_total",
        Kind.COUNTER,
        "Series left out when written: over the cap, or the same as another once its labels were cut.",
    ),
)
"""Counted by prometheus_client."""

CATALOGUE = SHOWN + KEPT

_SHOWN_BY_NAME = {family.name: family for family in SHOWN}
_INCIDENTS = ("incident_active", "incident_opened_timestamp_seconds")
_DRAFTS = ("drafts_pending", "draft_oldest_pending_timestamp_seconds")
_RESERVED = 5  # one series in so many is kept for verdicts, so that the rails of some exchanges cannot hide others


class Metrics:
    """What `/metrics` answers. Fed with committed views, incidents and drafts, and told what the daemon does."""

    def __init__(self, *, version: str, intervals: Intervals, max_series: int = 10_000) -> None:
        """`max_series` caps the series written from the store; those of `KEPT` are bounded by the configuration."""
        self._intervals = intervals
        self._max_series = max_series
        self._blocks: dict[str, Block] = {}
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
        self._write(cut(view.exchange), exchange_groups(view, self._intervals), now=view.at)

    def forget(self, exchange: str) -> None:
        """The exchange is no longer watched."""
        self._blocks.pop(cut(exchange), None)

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
            if draft.state is DraftState.PENDING:
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

    def stepped(self) -> None:
        self._counters["clock_steps_total"].inc()

    def posted(self, channel: str) -> None:
        """A delivery was tried, whatever came of it."""
        self._counters["posts_total"].labels(cut(channel)).inc()

    def post_failed(self, channel: str, reason: DeliveryOutcome | FailureReason) -> None:
        """A delivery that was also told to `posted` failed."""
        self._counters["post_failures_total"].labels(cut(channel), reason.value).inc()

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
        encode, content_type = choose_encoder(accept)
        blocks = [*self._blocks.values(), self._incidents, self._drafts]
        is_openmetrics = content_type.startswith("application/openmetrics-text")
        return assemble(SHOWN, blocks, openmetrics=is_openmetrics).encode() + encode(self._registry), content_type

    def _write(self, exchange: str, groups: Iterable[Group], *, now: datetime) -> None:
        fresh = (group for group in groups if group.until is None or now < group.until)
        self._blocks[exchange] = self._composed(fresh, former=self._blocks.get(exchange, Block()))

    def _composed(self, groups: Iterable[Group], *, former: Block) -> Block:
        others = sum(b.series for b in (*self._blocks.values(), self._incidents, self._drafts)) - former.series
        reserve = self._max_series // _RESERVED
        budget = self._max_series - others
        block = compose(groups, _SHOWN_BY_NAME, former=former, budget=budget, reserve=reserve)
        self._counters["series_dropped_total"].inc(block.dropped)
        return block


def _counter(family: Family, registry: prometheus_client.CollectorRegistry) -> prometheus_client.Counter:
    return prometheus_client.Counter(PREFIX + family.name, family.help, family.labels, registry=registry)


def _gauge(family: Family, registry: prometheus_client.CollectorRegistry) -> prometheus_client.Gauge:
    gauge = prometheus_client.Gauge(PREFIX + family.name, family.help, family.labels, registry=registry)
    if family.name.endswith("_timestamp_seconds") and not family.labels:
        # The library starts at 0, which reads as an age of half a century to an alert.
        gauge.set(math.nan)
    return gauge


def _histogram(family: Family, registry: prometheus_client.CollectorRegistry) -> prometheus_client.Histogram:
    return prometheus_client.Histogram(
        PREFIX + family.name, family.help, family.labels, registry=registry, buckets=family.buckets
    )
