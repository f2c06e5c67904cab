"""Every family with its help and labels. The table in docs/metrics.md is made of it."""

from monitor.exposition.text import Family, Kind

_HELD = ("exchange", "asset", "network")
_RAIL = (*_HELD, "direction")

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
        "campaign_score",
        Kind.GAUGE,
        "Days between two episodes of as much talk of the exchange, by its rarest query. Absent while learning.",
        ("exchange",),
    ),
    Family(
        "campaign_threshold",
        Kind.GAUGE,
        "Campaign score from which a campaign is told.",
        ("exchange",),
    ),
    Family(
        "freezes_active",
        Kind.GAUGE,
        "Accounts whose users froze their own withdrawals, as the exchange's freeze gate tells. None is named.",
        ("exchange",),
    ),
    Family(
        "freeze_activations_total",
        Kind.COUNTER,
        "Freezes that users activated or made longer, as the exchange's freeze gate tells.",
        ("exchange",),
    ),
    Family(
        "reserve_balance",
        Kind.GAUGE,
        "Balance of the exchange's known wallets in whole coins. Absent while one of them cannot be read.",
        _HELD,
    ),
    Family(
        "reserve_usd",
        Kind.GAUGE,
        "Worth of the exchange's known wallets. Absent while one cannot be read, or a price is missing that was there.",
        ("exchange",),
    ),
    Family(
        "reserve_wallets_unread",
        Kind.GAUGE,
        "Known wallets of the exchange that could not be read.",
        ("exchange",),
    ),
    Family(
        "reserve_coverage_ratio",
        Kind.GAUGE,
        "What the known wallets hold of what the exchange says it holds.",
        ("exchange", "asset"),
    ),
    Family(
        "reserve_change_ratio",
        Kind.GAUGE,
        "Change of the known wallets' coins over the window, as a share of what was there at its beginning.",
        ("exchange", "asset", "window"),
    ),
    Family("hot_wallet_balance", Kind.GAUGE, "Whole coins in the exchange's hot wallets.", _HELD),
    Family(
        "hot_wallet_runway_seconds",
        Kind.GAUGE,
        "How long the hot wallets last at the outflow of the last hour. Absent while nothing leaves, or it is unknown.",
        _HELD,
    ),
    Family(
        "inflow_coins",
        Kind.GAUGE,
        "Coins that came into the known wallets during the window, from others. Absent where it is not known whole.",
        (*_HELD, "window"),
    ),
    Family(
        "outflow_coins",
        Kind.GAUGE,
        "Coins that left the known wallets during the window, to others. Absent where it is not known whole.",
        (*_HELD, "window"),
    ),
    Family("inflow_total", Kind.COUNTER, "Coins that came into the known wallets, from others.", _HELD),
    Family("outflow_total", Kind.COUNTER, "Coins that left the known wallets, to others.", _HELD),
    Family(
        "outflow_score",
        Kind.GAUGE,
        "How unusual what left in the window is, of the asset nearest to its threshold: spreads above what is usual.",
        ("exchange", "window"),
    ),
    Family(
        "outflow_threshold",
        Kind.GAUGE,
        "Outflow score from which it is told. Absent, like the score, while it is not known what is usual.",
        ("exchange", "window"),
    ),
    Family(
        "exposure_usd",
        Kind.GAUGE,
        "Your own at the exchange, by whether it can leave now: withdrawable, stuck, unknown. What never had a price "
        "is not in it.",
        ("exchange", "state"),
    ),
    Family(
        "exposure_coins",
        Kind.GAUGE,
        "The same in coins, with or without a price. Compare with verdict_valid_until_timestamp_seconds.",
        ("exchange", "asset", "state"),
    ),
    Family(
        "verdict_valid_until_timestamp_seconds",
        Kind.GAUGE,
        "When the verdict on the exchange says nothing of the present any more, 0 where it never did. Past it, take it "
        "for unknown.",
        ("exchange",),
    ),
    Family("price_usd", Kind.GAUGE, "Price of one coin: the median of at least three sources that agree.", ("asset",)),
    Family(
        "chain_stalled",
        Kind.GAUGE,
        "1 while the chain has no new blocks: nobody is paid there, whatever the exchanges do.",
        ("network",),
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
    Family("silences_active", Kind.GAUGE, "Silences of our own notifications that people have begun and not ended."),
    Family("incident_active", Kind.GAUGE, "Open incidents.", ("exchange", "kind", "severity")),
    Family(
        "incident_opened_timestamp_seconds",
        Kind.GAUGE,
        "When the oldest open incident was opened.",
        ("exchange", "kind", "severity"),
    ),
    Family(
        "drill_active",
        Kind.GAUGE,
        "1 while a test that a person began is open; it is in no other series. Absent while there is none.",
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
    Family(
        "probe_interval_seconds",
        Kind.GAUGE,
        "Time between two looks of the probe, as configured.",
        ("exchange", "probe"),
    ),
    Family(
        "probe_last_look_timestamp_seconds",
        Kind.GAUGE,
        "When the probe last ended a look, whatever came of it; before its first, since when it is to look.",
        ("exchange", "probe"),
    ),
    Family("overruns_total", Kind.COUNTER, "Turns left out because a look took too long.", ("exchange", "probe")),
    Family(
        "probe_task_restarts_total",
        Kind.COUNTER,
        "Looks that ended as none may, by a bug of ours or a library's: the probe begins anew, and ever later.",
        ("exchange", "probe"),
    ),
    Family(
        "looks_contaminated_total",
        Kind.COUNTER,
        "Looks that failed while our own event loop stood still: taken again, and told as no failure of a source.",
        ("exchange", "probe"),
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
    Family(
        "commands_queued", Kind.GAUGE, "Entries that somebody waits for, such as commands, which wait to be judged."
    ),
    Family("event_readers", Kind.GAUGE, "Readers of /events."),
    Family("events_queued", Kind.GAUGE, "Events that the slowest reader of /events has not taken yet."),
    Family("event_readers_dropped_total", Kind.COUNTER, "Readers of /events that fell too far behind."),
    Family("commit_duration_seconds", Kind.HISTOGRAM, "Time a transaction of the store took.", buckets=_SECONDS),
    Family(
        "persist_errors_total",
        Kind.COUNTER,
        "Transactions that the database refused. What is judged waits in memory for the next try.",
    ),
    Family(
        "database_backup_timestamp_seconds",
        Kind.GAUGE,
        "When the newest nightly copy of the database was made. Absent where there is none.",
    ),
    Family("database_backup_failing", Kind.GAUGE, "1 while the last night made no copy of the database."),
    Family(
        "entries_unwritten",
        Kind.GAUGE,
        "Entries that are judged and wait for the database; 0 but while it cannot be written.",
    ),
    Family(
        "database_rescued",
        Kind.GAUGE,
        "1 if the database was damaged at the start: put aside, and a fresh one goes on with what people decided.",
    ),
    Family(
        "checkpoint_timestamp_seconds",
        Kind.GAUGE,
        "Time of the newest committed checkpoint; of the journal's beginning before the first one.",
    ),
    Family("replay_divergence_total", Kind.COUNTER, "Outputs of a restart that differ from those committed before."),
    Family(
        "loop_lag_seconds",
        Kind.HISTOGRAM,
        "How late the event loop woke a task that slept.",
        buckets=(0.001, 0.005, 0.02, 0.05, 0.1, 0.5, 1.0, 3.0),
    ),
    Family(
        "clock_offset_seconds",
        Kind.GAUGE,
        "How far the world's clock is ahead of ours, by the Date headers of control targets; NaN while they disagree.",
    ),
    Family("clock_steps_total", Kind.COUNTER, "Steps of the wall clock that were taken after confirmation."),
    Family("posts_total", Kind.COUNTER, "Attempts to deliver a draft, failed ones included.", ("channel",)),
    Family(
        "post_failures_total",
        Kind.COUNTER,
        "Attempts that did not deliver, or whose outcome nobody knows.",
        ("channel", "reason"),
    ),
    Family(
        "posts_sought_total",
        Kind.COUNTER,
        "Posts of unknown outcome that were looked for: found posted, or unknown_outcome where surely not there.",
        ("channel", "outcome"),
    ),
    Family(
        "channel_spend_usd_total",
        Kind.COUNTER,
        "What a channel has cost by its price list since the start, posts read back included.",
        ("channel",),
    ),
    Family("break_glass_total", Kind.COUNTER, "Texts that one person approved alone where two are asked for."),
    Family("audit_links", Kind.GAUGE, "Links of a chain of audit hashes: decisions, people.", ("chain",)),
    Family(
        "audit_head",
        Kind.GAUGE,
        "The first six bytes of the newest hash of a chain, as a number: noted elsewhere it shows a cut.",
        ("chain",),
    ),
    Family(
        "notifications_total", Kind.COUNTER, "Attempts to tell a target of notify, failed ones included.", ("target",)
    ),
    Family(
        "notification_failures_total",
        Kind.COUNTER,
        "Attempts to tell a target that failed, or may have; each is tried again.",
        ("target", "reason"),
    ),
    Family("notifications_waiting", Kind.GAUGE, "What a target has not been told yet.", ("target",)),
    Family(
        "notification_last_success_timestamp_seconds", Kind.GAUGE, "When a target last took a message.", ("target",)
    ),
    Family("alertmanager_pushes_total", Kind.COUNTER, "Pushes to Alertmanager, failed ones included."),
    Family("alertmanager_push_failures_total", Kind.COUNTER, "Pushes that failed; the next one has all of it again."),
    Family(
        "heartbeat_last_success_timestamp_seconds",
        Kind.GAUGE,
        "When the heartbeat last arrived and said that all is well with the daemon itself.",
    ),
    Family("heartbeat_failures_total", Kind.COUNTER, "Heartbeats that did not arrive."),
    Family("publishing_held", Kind.GAUGE, "1 while a person holds all publishing."),
    Family("config_last_reload_successful", Kind.GAUGE, "1 if the configuration on disk is the one in use."),
    Family("config_last_reload_success_timestamp_seconds", Kind.GAUGE, "When the configuration in use was loaded."),
    Family(
        "config_hash_info",
        Kind.GAUGE,
        "1, labelled with the SHA-256 of the configuration in use, as /configuration shows it.",
        ("sha256",),
    ),
    Family("scrapes_refused_total", Kind.COUNTER, "Scrapes refused with 503, as two others were under way."),
    Family(
        "series_dropped_total",
        Kind.COUNTER,
        "Series left out when written: over the cap, or the same as another once its labels were cut.",
    ),
)
"""Counted by prometheus_client."""
