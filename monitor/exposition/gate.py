"""The families of the freeze gate, a process of its own. The table in docs/freeze-metrics.md is made of them.

None has a label that names an account or anything made of one.
"""

from monitor.exposition.text import Family, Kind

_HOUR = 3600.0
_DAY = 24 * _HOUR

GATE: tuple[Family, ...] = (
    Family("freeze_gate_build_info", Kind.GAUGE, "1, labelled with the version.", ("version",)),
    Family("freeze_gate_frozen", Kind.GAUGE, "Accounts that are frozen; one known under two keys counts twice."),
    Family(
        "freeze_gate_activations_total",
        Kind.COUNTER,
        "Freezes and extensions that were written, by origin.",
        ("origin",),
    ),
    Family(
        "freeze_gate_refusals_total",
        Kind.COUNTER,
        "Requests refused, by reason. not_written is a freeze that somebody wanted and does not have.",
        ("reason",),
    ),
    Family(
        "freeze_gate_activation_duration_seconds",
        Kind.HISTOGRAM,
        "From a request's arrival to its freeze on disk.",
        buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    ),
    Family(
        "freeze_gate_chosen_seconds",
        Kind.HISTOGRAM,
        "The duration that was chosen.",
        buckets=(_DAY, 1.5 * _DAY, 2 * _DAY, 3 * _DAY, 4 * _DAY, 5 * _DAY, 6 * _DAY, 7 * _DAY),
    ),
    Family(
        "freeze_gate_extension_seconds",
        Kind.HISTOGRAM,
        "By how much an activation moved the end of a freeze that held.",
        buckets=(_HOUR, 6 * _HOUR, 12 * _HOUR, _DAY, 2 * _DAY, 3 * _DAY, 7 * _DAY),
    ),
    Family(
        "freeze_gate_time_to_freeze_seconds",
        Kind.HISTOGRAM,
        "From opening the page to the freeze on disk.",
        buckets=(3, 5, 10, 15, 20, 30, 45, 60, 120, 300),
    ),
    Family(
        "freeze_gate_refreezes_total",
        Kind.COUNTER,
        "Freezes of accounts whose last one had ended less than 24 hours before: it was too short.",
    ),
    Family("freeze_gate_links", Kind.GAUGE, "Links that can freeze an account, by whom they are for.", ("holder",)),
    Family(
        "freeze_gate_links_without_key",
        Kind.GAUGE,
        "Links made with a key that is no longer configured: they open nothing.",
    ),
    Family("freeze_gate_ledger_seq", Kind.GAUGE, "Entries of the ledger."),
    Family(
        "freeze_gate_ledger_head",
        Kind.GAUGE,
        "First six bytes of the last entry's hash: keep it, and compare a backup.",
    ),
    Family("freeze_gate_ledger_intact", Kind.GAUGE, "0 where the ledger was found lost, rolled back or altered."),
    Family(
        "freeze_gate_ledger_recovered_timestamp_seconds",
        Kind.GAUGE,
        "When the ledger was last made whole from what was left of it.",
    ),
    Family(
        "freeze_gate_ledger_verified_timestamp_seconds", Kind.GAUGE, "When the ledger was last read from its start."
    ),
    Family("freeze_gate_write_failing", Kind.GAUGE, "1 while the ledger cannot be written: new freezes are refused."),
    Family("freeze_gate_waiting", Kind.GAUGE, "Freezes and links that wait to be written."),
    Family("freeze_gate_witness_behind", Kind.GAUGE, "Groups of entries that the witness does not have yet."),
    Family(
        "freeze_gate_independent_time_up",
        Kind.GAUGE,
        "1 while independent time is known. While it is not, no freeze ends.",
    ),
    Family("freeze_gate_clock_offset_seconds", Kind.GAUGE, "This machine's clock less independent time."),
    Family("freeze_gate_snapshot_build_seconds", Kind.GAUGE, "How long the last snapshot took to write."),
    Family("freeze_gate_published_total", Kind.COUNTER, "Snapshots and deltas that were fetched.", ("what",)),
    Family("freeze_gate_asked_total", Kind.COUNTER, "Accounts asked about, one by one or in batches."),
    Family("freeze_gate_unreported", Kind.GAUGE, "Freezes that the exchange has not taken note of."),
    Family("freeze_gate_report_failures_total", Kind.COUNTER, "Reports that did not arrive, by reason.", ("reason",)),
)
