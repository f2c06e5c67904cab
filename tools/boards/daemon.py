"""How far to trust the watching itself: the loop, the journal, the sources, the clock."""

from tools.boards.grafana import Board, Panel, Query, Step, of


def _quantile(name: str, share: str, by: str = "") -> str:
    buckets = of(f"{name}_bucket", shared=True)
    return f"histogram_quantile({share}, sum by (le{by}) (rate({buckets}[$__rate_interval])))"


DAEMON = Board(
    uid="cexwatch-self",
    title="cexwatch / Daemon health",
    description="How far to trust the watching itself. A daemon that is late, deaf or of another time says less than "
    "it seems to.",
    panels=(
        Panel(
            kind="stat",
            title="Running",
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
            title="Blind",
            description="Whether a vantage cannot see anything at all: our outage, not everybody's halt.",
            unit="none",
            queries=(Query(f"max({of('blind')})", "blind", instant=True),),
            width=4,
            height=4,
            words=(Step(0, "green", "no"), Step(1, "red", "yes")),
        ),
        Panel(
            kind="stat",
            title="Configuration in use",
            description="Whether the configuration on disk is the one in use.",
            unit="none",
            queries=(Query(f"min({of('config_last_reload_successful')})", "configuration", instant=True),),
            width=4,
            height=4,
            words=(Step(0, "red", "an older one"), Step(1, "green", "yes")),
        ),
        Panel(
            kind="stat",
            title="Configuration loaded",
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
            title="Heartbeat",
            description="How long ago the heartbeat last arrived. Missing where none is configured.",
            unit="s",
            queries=(
                Query(f"time() - max({of('heartbeat_last_success_timestamp_seconds')})", "heartbeat", instant=True),
            ),
            width=4,
            height=4,
            base="green",
            steps=(Step(180, "orange"), Step(600, "red")),
            empty="none",
        ),
        Panel(
            kind="timeseries",
            title="Lateness of the loop",
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
        ),
        Panel(
            kind="timeseries",
            title="What waits",
            description="Readings and commands that wait to be judged, and events that a reader of the pages has not "
            "taken. They climb where judging, the disk or the reader is too slow.",
            unit="none",
            queries=(
                Query(f"max by (instance) ({of('readings_queued')})", "{{instance}} readings"),
                Query(f"max by (instance) ({of('commands_queued')})", "{{instance}} commands"),
                Query(f"max by (instance) ({of('events_queued')})", "{{instance}} events"),
            ),
            width=12,
        ),
        Panel(
            kind="timeseries",
            title="Time of a commit",
            description="Time a transaction of the store took: median and the slowest hundredth.",
            unit="s",
            queries=(
                Query(_quantile("commit_duration_seconds", "0.5"), "median"),
                Query(_quantile("commit_duration_seconds", "0.99"), "99 %"),
            ),
            width=12,
            steps=(Step(1, "red"),),
            ticks=True,
        ),
        Panel(
            kind="timeseries",
            title="Age of the journal and of the checkpoint",
            description="How old the newest committed entry and the newest checkpoint are. The journal has an entry "
            "at least every 5 s.",
            unit="s",
            queries=(
                Query(f"time() - max({of('journal_head_timestamp_seconds')})", "journal"),
                Query(f"time() - max({of('checkpoint_timestamp_seconds')})", "checkpoint"),
            ),
            width=12,
        ),
        Panel(
            kind="timeseries",
            title="Journal entries",
            description="Entries appended, by kind.",
            unit="ops",
            queries=(Query(f"sum by (kind) (rate({of('journal_entries_total')}[$__rate_interval]))", "{{kind}}"),),
            width=12,
        ),
        Panel(
            kind="timeseries",
            title="Looks that failed",
            description="Share of the looks that failed, by exchange. A failed look is our blindness, never an "
            "exchange's halt.",
            unit="percentunit",
            queries=(
                Query(
                    "sum by (exchange) "
                    f"(rate({of('probe_failures_total', shared=True)}[$__rate_interval])) / sum by (exchange) "
                    f"(rate({of('probes_total', shared=True)}[$__rate_interval]))",
                    "{{exchange}}",
                ),
            ),
            width=12,
        ),
        Panel(
            kind="timeseries",
            title="Failed looks by reason",
            description="Looks that failed, by reason.",
            unit="ops",
            queries=(
                Query(
                    f"sum by (reason) (rate({of('probe_failures_total', shared=True)}[$__rate_interval]))",
                    "{{reason}}",
                ),
            ),
            width=12,
        ),
        Panel(
            kind="timeseries",
            title="Time of a look",
            description="Time the slowest twentieth of the looks took, by exchange.",
            unit="s",
            queries=(Query(_quantile("probe_duration_seconds", "0.95", ", exchange"), "{{exchange}}"),),
            width=12,
        ),
        Panel(
            kind="timeseries",
            title="Age of the data",
            description="Time since each probe last succeeded: what is shown is this old.",
            unit="s",
            queries=(
                Query(
                    f"time() - max by (exchange, probe) ({of('probe_last_success_timestamp_seconds', shared=True)})",
                    "{{exchange}} {{probe}}",
                ),
            ),
            width=12,
            steps=(Step(180, "orange"),),
            ticks=True,
        ),
        Panel(
            kind="timeseries",
            title="Intervals since a look",
            description="Time since each probe last ended a look, well or badly, in its own intervals. Above three it "
            "hangs, or cannot keep up.",
            unit="none",
            queries=(
                Query(
                    f"(time() - max by (exchange, probe) ({of('probe_last_look_timestamp_seconds', shared=True)})) / "
                    f"max by (exchange, probe) ({of('probe_interval_seconds', shared=True)})",
                    "{{exchange}} {{probe}}",
                ),
            ),
            width=12,
            steps=(Step(3, "orange"),),
            ticks=True,
        ),
        Panel(
            kind="timeseries",
            title="Clock beside others",
            description="How far the Date headers of control targets are ahead of the daemon's clock. "
            "Missing while they do not agree.",
            unit="s",
            queries=(Query(f"max by (instance) ({of('clock_offset_seconds')})", "{{instance}}"),),
            width=12,
        ),
        Panel(
            kind="timeseries",
            title="Answers that became unreadable",
            description="Parts of an otherwise good answer that could not be read, by probe: an exchange has changed "
            "its format.",
            unit="ops",
            queries=(
                Query(
                    f"sum by (exchange, probe) (rate({of('schema_violations_total', shared=True)}[$__rate_interval]))",
                    "{{exchange}} {{probe}}",
                ),
            ),
            width=12,
        ),
        Panel(
            kind="stat",
            title="What must not happen",
            description="Since the start: entries an engine refused, outputs of a restart that differ, steps of the "
            "clock, series left out, heartbeats that did not arrive, scrapes and readers turned away.",
            unit="none",
            queries=(
                Query(f"sum({of('entries_refused_total', shared=True)})", "refused", instant=True),
                Query(f"sum({of('replay_divergence_total')})", "differ", instant=True),
                Query(f"sum({of('clock_steps_total')})", "clock steps", instant=True),
                Query(f"sum({of('series_dropped_total')})", "series left out", instant=True),
                Query(f"sum({of('heartbeat_failures_total')})", "heartbeats lost", instant=True),
                Query(f"sum({of('scrapes_refused_total')})", "scrapes refused", instant=True),
                Query(f"sum({of('event_readers_dropped_total')})", "readers dropped", instant=True),
            ),
            width=12,
            height=5,
            base="green",
            steps=(Step(1, "orange"),),
            name_shown=True,
        ),
        Panel(
            kind="stat",
            title="Hosts closed to us",
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
            base="orange",
            empty="none",
            name_shown=True,
        ),
        Panel(
            kind="bargauge",
            title="Certificates end in",
            description="When the certificate ends that a host last showed.",
            unit="s",
            queries=(
                Query(
                    f"min by (host) ({of('certificate_not_after_timestamp_seconds')}) - time()",
                    "{{host}}",
                    instant=True,
                ),
            ),
            width=6,
            height=5,
            base="red",
            steps=(Step(604800, "orange"), Step(1814400, "green")),
            empty="none",
        ),
    ),
)
