"""What `/metrics` answers, and who tells it. Every metric's name, help and labels are in the catalogue.

What the store holds (views, incidents, drafts) is written when it is shown, what the daemon does is counted and written
where it has changed: a scrape joins lines. A value older than three intervals vanishes; states and `up` never do.
"""

import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from monitor.exposition import (
    KEPT,
    SHOWN,
    Block,
    Format,
    Group,
    Intervals,
    ProcessMetrics,
    Sample,
    Shared,
    Tally,
    assemble,
    compose,
    cut,
    exchange_groups,
    occurrences,
    share,
    shared_groups,
    wanted,
)
from monitor.model import (
    SUPPORT,
    Closure,
    DeliveryOutcome,
    Draft,
    DraftState,
    Drill,
    ExchangeView,
    FailureReason,
    Incident,
)

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
        self._shares: dict[str, Shared] = {}
        self._priced: dict[str, set[str]] = {}  # exchange -> assets that had a price
        self._blocks: dict[str, Block] = {}
        self._shared = Block()
        self._incidents = Block()
        self._drafts = Block()
        self._drills = Block()
        self._seen_incidents: set[tuple[str, ...]] = set()
        self._seen_channels: set[str] = set()
        self._leads: dict[str, tuple[datetime, datetime]] = {}  # exchange -> when opened, when officially said
        self._looked: dict[tuple[str, str], float] = {}
        self._tally = Tally(KEPT)
        self._process = ProcessMetrics()
        self._tally.put("build_info", version, platform.python_version(), value=1)

    def show(self, view: ExchangeView) -> None:
        """Take over a committed view; it replaces the exchange's former one. One that is retired leaves nothing."""
        if view.retired:
            self.forget(view.exchange)
            return
        if not view.exchange:
            self.held(view.held)
        name = cut(view.exchange)
        self._shares[name] = share(view, self._intervals)
        priced = self._priced.setdefault(name, set())
        priced.update(view.usd)
        self._write(name, exchange_groups(view, self._intervals, once_priced=priced), now=view.at)

    def forget(self, exchange: str) -> None:
        """The exchange is no longer watched."""
        for known in (self._blocks, self._shares, self._priced):
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

    def show_drills(self, drills: Sequence[Drill]) -> None:
        """Take over all open drills; one that is over leaves nothing."""
        labels = [(d.incident.exchange, d.incident.kind.value, d.incident.severity.value) for d in drills]
        groups = [Group((Sample("drill_active", key, 1),)) for key in sorted(set(labels))]
        self._drills = self._composed(groups, former=self._drills)

    def probed(self, exchange: str, probe: str, seconds: float) -> None:
        """A look was taken, whatever came of it."""
        self._tally.count("probes_total", exchange, probe)
        self._tally.observe("probe_duration_seconds", exchange, probe, value=seconds)

    def failed(self, exchange: str, probe: str, reason: FailureReason) -> None:
        """A look that was also told to `probed` failed."""
        self._tally.count("probe_failures_total", exchange, probe, reason)

    def overran(self, exchange: str, probe: str, turns: int) -> None:
        """A look took so long that this many of the probe's turns were left out."""
        self._tally.count("overruns_total", exchange, probe, by=turns)

    def restarted(self, exchange: str, probe: str) -> None:
        """A probe's look ended as no look may, and its task begins anew."""
        self._tally.count("probe_task_restarts_total", exchange, probe)

    def contaminated(self, exchange: str, probe: str) -> None:
        """A look failed while our own event loop stood still, and is taken again."""
        self._tally.count("looks_contaminated_total", exchange, probe)

    def violated(self, exchange: str, probe: str) -> None:
        """A part of a reading could not be read."""
        self._tally.count("schema_violations_total", exchange, probe)

    def show_hosts(self, closed: Iterable[Closure], certificates: Mapping[str, datetime]) -> None:
        """Take over which hosts are closed to us now, and when certificates end, by host."""
        until = {(closure.host, closure.reason.value): closure.until.timestamp() for closure in closed}
        self._tally.put_only("host_closed_until_timestamp_seconds", until)
        ends = {(host,): ends_at.timestamp() for host, ends_at in certificates.items()}
        self._tally.put_only("certificate_not_after_timestamp_seconds", ends)

    def watch(self, intervals: Mapping[tuple[str, str], float], at: datetime) -> None:
        """These probes look from now on, by exchange and name, each so many seconds after its last time."""
        self._looked = {probe: self._looked.get(probe, at.timestamp()) for probe in intervals}
        self._tally.put_only("probe_interval_seconds", intervals)
        self._tally.put_only("probe_last_look_timestamp_seconds", self._looked)

    def looked(self, exchange: str, probe: str, at: datetime) -> None:
        """A look has ended, whatever came of it."""
        self._looked[exchange, probe] = at.timestamp()
        self._tally.put("probe_last_look_timestamp_seconds", exchange, probe, value=at.timestamp())

    def appended(self, kind: str, count: int = 1) -> None:
        self._tally.count("journal_entries_total", kind, by=count)

    def committed(self, *, seq: int, at: datetime, seconds: float) -> None:
        """A transaction that ends with the entry `seq` of time `at` is on disk."""
        self._tally.put("journal_head_seq", value=seq)
        self._tally.put("journal_head_timestamp_seconds", value=at.timestamp())
        self._tally.observe("commit_duration_seconds", value=seconds)

    def persist_failed(self) -> None:
        """A transaction was refused; all of it is tried again."""
        self._tally.count("persist_errors_total")

    def held_back(self, entries: int) -> None:
        """So much is judged and not on disk."""
        self._tally.put("entries_unwritten", value=entries)

    def rescued(self) -> None:
        """The database was damaged at the start, and a fresh one goes on in its place."""
        self._tally.put("database_rescued", value=1)

    def backed_up(self, at: datetime) -> None:
        self._tally.put("database_backup_timestamp_seconds", value=at.timestamp())
        self._tally.put("database_backup_failing", value=0)

    def backup_failed(self) -> None:
        self._tally.put("database_backup_failing", value=1)

    def checkpointed(self, at: datetime) -> None:
        self._tally.put("checkpoint_timestamp_seconds", value=at.timestamp())

    def refused(self, exchange: str) -> None:
        self._tally.count("entries_refused_total", exchange)

    def queued(self, *, readings: int, commands: int) -> None:
        self._tally.put("readings_queued", value=readings)
        self._tally.put("commands_queued", value=commands)

    def streamed(self, *, readers: int, behind: int) -> None:
        """So many read events, and the slowest of them is so many behind."""
        self._tally.put("event_readers", value=readers)
        self._tally.put("events_queued", value=behind)

    def reader_dropped(self) -> None:
        self._tally.count("event_readers_dropped_total")

    def diverged(self) -> None:
        self._tally.count("replay_divergence_total")

    def lagged(self, seconds: float) -> None:
        self._tally.observe("loop_lag_seconds", value=seconds)

    def clock_off(self, seconds: float) -> None:
        """By so much the world's clock is ahead of ours, as control targets tell."""
        self._tally.put("clock_offset_seconds", value=seconds)

    def stepped(self) -> None:
        self._tally.count("clock_steps_total")

    def posted(self, channel: str) -> None:
        """A delivery was tried, whatever came of it."""
        self._tally.count("posts_total", channel)

    def post_failed(self, channel: str, reason: DeliveryOutcome | FailureReason) -> None:
        """A delivery that was also told to `posted` failed."""
        self._tally.count("post_failures_total", channel, reason.value)

    def sought(self, channel: str, outcome: DeliveryOutcome) -> None:
        """A post of unknown outcome was looked for until that decided it."""
        self._tally.count("posts_sought_total", channel, outcome.value)

    def spent(self, channel: str, usd: Decimal) -> None:
        self._tally.count("channel_spend_usd_total", channel, by=float(usd))

    def show_audit(self, heads: Mapping[str, tuple[int, bytes]]) -> None:
        """How many links each chain of hashes has, and the first six bytes of its head: exact in a float."""
        for chain, (links, head) in heads.items():
            self._tally.put("audit_links", chain, value=links)
            self._tally.put("audit_head", chain, value=int.from_bytes(head[:6]))

    def broke_glass(self) -> None:
        self._tally.count("break_glass_total")

    def notified(self, target: str) -> None:
        """A target was told, whatever came of it."""
        self._tally.count("notifications_total", target)

    def notify_failed(self, target: str, reason: str) -> None:
        self._tally.count("notification_failures_total", target, reason)

    def notify_arrived(self, target: str, at: datetime) -> None:
        self._tally.put("notification_last_success_timestamp_seconds", target, value=at.timestamp())

    def notifications_wait(self, target: str, count: int) -> None:
        """So much a target has not been told yet."""
        self._tally.put("notifications_waiting", target, value=count)

    def pushed(self, ok: bool) -> None:
        """An Alertmanager was pushed to."""
        self._tally.count("alertmanager_pushes_total")
        self._tally.count("alertmanager_push_failures_total", by=not ok)

    def beat(self, at: datetime | None) -> None:
        """A heartbeat arrived at that time and said that all is well; None: it did not arrive."""
        if at is None:
            self._tally.count("heartbeat_failures_total")
        else:
            self._tally.put("heartbeat_last_success_timestamp_seconds", value=at.timestamp())

    def held(self, is_held: bool) -> None:
        self._tally.put("publishing_held", value=is_held)

    def reloaded(self, ok: bool, at: datetime) -> None:
        """The configuration was read, at start or again; where it was not `ok`, the former one stays in use."""
        self._tally.put("config_last_reload_successful", value=ok)
        if ok:
            self._tally.put("config_last_reload_success_timestamp_seconds", value=at.timestamp())

    def configured(self, sha256: str) -> None:
        """The configuration with this hash is in use."""
        self._tally.put_only("config_hash_info", {(sha256,): 1})

    def turned_away(self) -> None:
        """A scrape was refused, as others were under way."""
        self._tally.count("scrapes_refused_total")

    def pieces(self, *, now: datetime) -> Iterator[None]:
        """Write again what is too old now and what was counted, some of it at each step: others may run in between."""
        for exchange, block in list(self._blocks.items()):
            if block.expires_at is not None and block.expires_at <= now and self._blocks.get(exchange) is block:
                self._write(exchange, block.written, now=now)
                yield
        yield from self._tally.pieces()

    def render(self, accept: str, *, now: datetime) -> tuple[bytes, str]:
        """The body and its content type: the text format, or OpenMetrics where the Accept header asks for it."""
        parts, content_type = self.parts(accept, now=now)
        return b"".join(parts), content_type

    def parts(self, accept: str, *, now: datetime) -> tuple[list[bytes], str]:
        """The body as it lies about, not joined: what is large is not to be copied at once."""
        for _ in self.pieces(now=now):
            pass
        shared = _fresh(shared_groups(self._shares.values()), now=now)
        self._shared = self._composed(shared, former=self._shared)
        form = wanted(accept)
        told = [self._shared, self._incidents, self._drafts, self._drills, self._tally.block()]
        parts = assemble(CATALOGUE, [*self._blocks.values(), *told], openmetrics=form is Format.OPENMETRICS)
        return [*parts, self._process.written(form)], form.value

    def _write(self, exchange: str, groups: Iterable[Group], *, now: datetime) -> None:
        former = self._blocks.get(exchange, Block())
        self._blocks[exchange] = self._composed(_fresh(groups, now=now), former=former)

    def _composed(self, groups: Iterable[Group], *, former: Block) -> Block:
        blocks = (*self._blocks.values(), self._shared, self._incidents, self._drafts, self._drills)
        others = sum(block.series for block in blocks) - former.series
        reserve = self._max_series // _RESERVED
        budget = self._max_series - others
        block = compose(groups, _SHOWN_BY_NAME, former=former, budget=budget, reserve=reserve)
        self._tally.count("series_dropped_total", by=block.dropped)
        return block


def _fresh(groups: Iterable[Group], *, now: datetime) -> Iterator[Group]:
    return (group for group in groups if group.until is None or now < group.until)
