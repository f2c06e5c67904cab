"""How far to trust the watching itself: the loop, the journal, the sources, the clock."""

from tools.boards.board import Board, Column, Panel, Query, Step, of
from tools.boards.words import A_MINUTE, EVER, NO_YES, or_none, with_us


def _quantile(name: str, share: str, by: str = "") -> str:
    buckets = of(f"{name}_bucket", shared=True)
    return f"histogram_quantile({share}, sum by (le{by}) (rate({buckets}[$__rate_interval])))"


_LOOKS = f"sum by (exchange) (rate({of('probes_total', shared=True)}[$__rate_interval]))"
_FAILED = f"sum by (exchange) (rate({of('probe_failures_total', shared=True)}[$__rate_interval]))"

DAEMON = Board(
    uid="cexwatch-self",
    title="cexwatch / Daemon health",
    description="How far to trust the watching itself. A daemon that is late, deaf or of another time says less than "
    "it seems to.",
    panels=(
        Panel(
            kind="stat",
            title="What runs?",
            description="The version of each daemon that answers a scrape.",
            unit="none",
            queries=(
                Query(f"count by (instance, version) ({of('build_info')})", "{{instance}} {{version}}", instant=True),
            ),
            width=8,
            height=4,
            words=(Step(1, "green", "running"),),
            name_shown=True,
        ),
        Panel(
            kind="stat",
            title="Are we blind?",
            description="Whether a vantage cannot see anything at all: our outage, not everybody's halt.",
            unit="none",
            queries=(Query(f"max({of('blind')})", "blind", instant=True),),
            width=4,
            height=4,
            words=NO_YES,
            runbook="CexwatchBlind",
        ),
        Panel(
            kind="stat",
            title="Newest configuration?",
            description="Whether the configuration on disk is the one in use.",
            unit="none",
            queries=(Query(f"min({of('config_last_reload_successful')})", "configuration", instant=True),),
            width=4,
            height=4,
            words=(Step(0, "red", "an older one"), Step(1, "green", "yes")),
            runbook="CexwatchConfigReloadFailed",
        ),
        Panel(
            kind="stat",
            title="Since when?",
            description="How long ago the configuration in use was loaded.",
            unit="s",
            queries=(
                Query(f"time() - max({of('config_last_reload_success_timestamp_seconds')})", "loaded", instant=True),
            ),
            width=4,
            height=4,
        ),
        Panel(
            kind="stat",
            title="Heartbeat heard?",
            description="How long ago the heartbeat last arrived. Missing where none is configured.",
            unit="s",
            queries=(
                Query(f"time() - max({of('heartbeat_last_success_timestamp_seconds')})", "heartbeat", instant=True),
            ),
            width=4,
            height=4,
            base="transparent",
            steps=(Step(EVER, "green"), Step(180, "orange"), Step(600, "red")),
            empty="no heartbeat",
            runbook="CexwatchHeartbeatFailing",
        ),
        Panel(
            kind="timeseries",
            title="Is the loop late?",
            description="How late the event loop woke a task that slept: median and the slowest hundredth. Above the "
            "line everything measured here is late.",
            unit="s",
            queries=(
                Query(_quantile("loop_lag_seconds", "0.5"), "median"),
                Query(_quantile("loop_lag_seconds", "0.99"), "99 %"),
            ),
            width=12,
            steps=(Step(0.5, "red"),),
            ticks=True,
            runbook="CexwatchLoopLag",
        ),
        Panel(
            kind="timeseries",
            title="What waits?",
            description="Readings and commands that wait to be judged, entries that wait for the disk, and events that "
            "a reader of the pages has not taken. They climb where judging, the disk or the reader is too slow.",
            unit="none",
            queries=(
                Query(f"max by (instance) ({of('readings_queued')})", "{{instance}} readings"),
                Query(f"max by (instance) ({of('commands_queued')})", "{{instance}} commands"),
                Query(f"max by (instance) ({of('entries_unwritten')})", "{{instance}} judged, not on disk"),
                Query(f"max by (instance) ({of('events_queued')})", "{{instance}} events"),
            ),
            width=12,
            runbook="CexwatchQueueDeep",
            high=10,
            whole=True,
        ),
        Panel(
            kind="timeseries",
            title="Is the disk slow?",
            description="Time a transaction of the store took: median and the slowest hundredth.",
            unit="s",
            queries=(
                Query(_quantile("commit_duration_seconds", "0.5"), "median"),
                Query(_quantile("commit_duration_seconds", "0.99"), "99 %"),
            ),
            width=12,
            steps=(Step(1, "red"),),
            ticks=True,
            runbook="CexwatchCommitSlow",
        ),
        Panel(
            kind="timeseries",
            title="Are journal and checkpoint fresh?",
            description="How old the newest committed entry and the newest checkpoint are. The journal has an entry "
            "at least every 5 s.",
            unit="s",
            queries=(
                Query(f"time() - max({of('journal_head_timestamp_seconds')})", "journal"),
                Query(f"time() - max({of('checkpoint_timestamp_seconds')})", "checkpoint"),
            ),
            width=12,
            runbook="CexwatchJournalLag",
        ),
        Panel(
            kind="timeseries",
            title="What is written into the journal?",
            description="Entries appended, by kind.",
            unit=A_MINUTE,
            queries=(Query(f"60 * sum by (kind) (rate({of('journal_entries_total')}[$__rate_interval]))", "{{kind}}"),),
            width=12,
        ),
        Panel(
            kind="timeseries",
            title="How many looks fail?",
            description="Share of the looks that failed, by exchange. A failed look is our blindness, never an "
            "exchange's halt.",
            unit="percentunit",
            queries=(Query(with_us(f"({_FAILED} or 0 * {_LOOKS}) / {_LOOKS}"), "{{exchange}}"),),
            high=0.1,
            width=12,
            runbook="CexwatchProbesFailing",
        ),
        Panel(
            kind="timeseries",
            title="Why do looks fail?",
            description="Looks that failed, by reason.",
            unit=A_MINUTE,
            queries=(
                Query(
                    f"60 * sum by (reason) (rate({of('probe_failures_total', shared=True)}[$__rate_interval]))",
                    "{{reason}}",
                ),
            ),
            width=12,
            empty="none failed",
        ),
        Panel(
            kind="timeseries",
            title="Who answers slowly?",
            description="Time the slowest twentieth of the looks took, by exchange.",
            unit="s",
            queries=(Query(with_us(_quantile("probe_duration_seconds", "0.95", ", exchange")), "{{exchange}}"),),
            width=12,
        ),
        Panel(
            kind="table",
            title="Which sources are oldest?",
            description="Time since a probe last succeeded, of the twenty longest: what is shown is this old. Balances "
            "are read, and chains told of, every ten minutes; most else at least once a minute.",
            unit="s",
            queries=(
                Query(
                    with_us(
                        "topk(20, time() - max by (exchange, probe) "
                        f"({of('probe_last_success_timestamp_seconds', shared=True)}))"
                    ),
                    instant=True,
                ),
            ),
            width=12,
            steps=(Step(900, "orange"), Step(1800, "red")),
            columns=(Column("exchange", "Exchange"), Column("probe", "Source"), Column("Value", "Age", width=110)),
            falling="Age",
            runbook="CexwatchSourceStale",
        ),
        Panel(
            kind="timeseries",
            title="Is the clock right?",
            description="How far the Date headers of control targets are ahead of the daemon's clock. "
            "Missing while they do not agree.",
            unit="s",
            queries=(Query(f"max by (instance) ({of('clock_offset_seconds')})", "{{instance}}"),),
            width=12,
            high=1,
            empty="control targets do not agree",
            runbook="CexwatchClockOff",
        ),
        Panel(
            kind="bargauge",
            title="Which looks hang?",
            description="Time since a probe last ended a look, well or badly, in its own intervals, the ten longest. "
            "Above three it hangs, or cannot keep up.",
            unit="none",
            queries=(
                Query(
                    "sort_desc(topk(10, "
                    f"(time() - max by (exchange, probe) ({of('probe_last_look_timestamp_seconds', shared=True)})) / "
                    f"max by (exchange, probe) ({of('probe_interval_seconds', shared=True)})))",
                    "{{probe}}",
                    instant=True,
                ),
            ),
            width=12,
            base="green",
            steps=(Step(3, "orange"),),
        ),
        Panel(
            kind="timeseries",
            title="Who changed a format?",
            description="Parts of an otherwise good answer that could not be read, by probe: an exchange has changed "
            "its format.",
            unit=A_MINUTE,
            queries=(
                Query(
                    f"60 * sum by (probe) (rate({of('schema_violations_total', shared=True)}[$__rate_interval]))",
                    "{{probe}}",
                ),
            ),
            width=12,
            runbook="CexwatchSchemaViolations",
            empty="nobody",
        ),
        Panel(
            kind="stat",
            title="Has anything happened that must not?",
            description="Since the start: entries an engine refused, outputs of a restart that differ, a database that "
            "was damaged, refused or not copied, probes begun anew or late, looks taken again as our own loop stood "
            "still, steps of the clock, series left out, heartbeats that did not arrive, scrapes and readers turned "
            "away.",
            unit="none",
            queries=(
                Query(or_none(f"sum({of('entries_refused_total', shared=True)})"), "refused", instant=True),
                Query(or_none(f"sum({of('replay_divergence_total')})"), "differ", instant=True),
                Query(or_none(f"max({of('database_rescued')})"), "damaged", instant=True),
                Query(or_none(f"max({of('database_backup_failing')})"), "not copied", instant=True),
                Query(or_none(f"sum({of('persist_errors_total')})"), "not written", instant=True),
                Query(or_none(f"sum({of('probe_task_restarts_total', shared=True)})"), "begun anew", instant=True),
                Query(or_none(f"sum({of('overruns_total', shared=True)})"), "turns left out", instant=True),
                Query(or_none(f"sum({of('looks_contaminated_total', shared=True)})"), "looked again", instant=True),
                Query(or_none(f"sum({of('clock_steps_total')})"), "clock steps", instant=True),
                Query(or_none(f"sum({of('series_dropped_total')})"), "series left out", instant=True),
                Query(or_none(f"sum({of('heartbeat_failures_total')})"), "heartbeats lost", instant=True),
                Query(or_none(f"sum({of('scrapes_refused_total')})"), "scrapes refused", instant=True),
                Query(or_none(f"sum({of('event_readers_dropped_total')})"), "readers dropped", instant=True),
            ),
            width=12,
            height=5,
            base="green",
            steps=(Step(1, "orange"),),
            name_shown=True,
        ),
        Panel(
            kind="stat",
            title="Which hosts are closed to us?",
            description="For how long a host is not asked because it told us to stop.",
            unit="s",
            queries=(
                Query(
                    f"max by (host, reason) ({of('host_closed_until_timestamp_seconds')}) - time()",
                    "{{host}} {{reason}}",
                    instant=True,
                ),
            ),
            width=6,
            height=5,
            base="transparent",
            steps=(Step(EVER, "orange"),),
            empty="none",
            name_shown=True,
        ),
        Panel(
            kind="table",
            title="Which certificates end next?",
            description="In how long the certificate ends that a host last showed, the eight nearest.",
            unit="s",
            queries=(
                Query(
                    f"sort(bottomk(8, min by (host) ({of('certificate_not_after_timestamp_seconds')}) - time()))",
                    instant=True,
                ),
            ),
            width=6,
            height=5,
            base="red",
            steps=(Step(604800, "orange"), Step(1814400, "green")),
            columns=(Column("host", "Host"), Column("Value", "Ends in", width=90)),
            empty="none is known",
        ),
    ),
)
