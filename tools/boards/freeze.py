"""The withdrawal freeze's gate: can users freeze, does it hold, does anybody follow, and are 1 to 7 days right."""

from tools.boards.board import Board, Panel, Query, Step, of
from tools.boards.words import A_MINUTE


def _gate(name: str, *matchers: str) -> str:
    return of(f"freeze_gate_{name}", *matchers)


def _quantile(name: str, share: float) -> str:
    """Since the start: freezes are rare, and most intervals have none."""
    return f"histogram_quantile({share}, sum by (le) ({_gate(f'{name}_bucket')}))"


def _a_minute(name: str, by: str) -> str:
    return f"60 * sum by ({by}) (rate({_gate(name)}[$__rate_interval]))"


FREEZE = Board(
    uid="cexwatch-freeze",
    title="cexwatch / Withdrawal freeze",
    description="The gate that users freeze their own withdrawals with. No account is in any number of it.",
    build="freeze_gate_build_info",
    exchanges=False,
    panels=(
        Panel(
            kind="stat",
            title="Can users freeze?",
            description="Whether the ledger can be written. While it cannot, a freeze that somebody wants is refused.",
            unit="none",
            queries=(Query(f"max({_gate('write_failing')})", "failing", instant=True),),
            width=4,
            height=4,
            words=(Step(0, "green", "yes"), Step(1, "red", "NO")),
            runbook="CexwatchFreezeNotWritten",
        ),
        Panel(
            kind="stat",
            title="Is the ledger whole?",
            description="Whether it was found as it was written. Where it was not, every freeze known is kept.",
            unit="none",
            queries=(Query(f"min({_gate('ledger_intact')})", "intact", instant=True),),
            width=4,
            height=4,
            words=(Step(0, "red", "NO"), Step(1, "green", "yes")),
            runbook="CexwatchFreezeLedgerDamaged",
        ),
        Panel(
            kind="stat",
            title="Do freezes end?",
            description="Whether independent time is known. While it is not, nobody's freeze ends.",
            unit="none",
            queries=(Query(f"min({_gate('independent_time_up')})", "time", instant=True),),
            width=4,
            height=4,
            words=(Step(0, "orange", "not now"), Step(1, "green", "in time")),
            runbook="CexwatchFreezeNoTime",
        ),
        Panel(
            kind="stat",
            title="Both copies?",
            description="Groups of entries that the witness does not have yet.",
            unit="none",
            queries=(Query(f"max({_gate('witness_behind')})", "behind", instant=True),),
            width=4,
            height=4,
            base="green",
            steps=(Step(1, "orange"),),
            words=(Step(0, "green", "yes"),),
            whole=True,
            runbook="CexwatchFreezeWitnessBehind",
        ),
        Panel(
            kind="stat",
            title="All reported?",
            description="Freezes that the exchange has not taken note of; what was pending may still be paid.",
            unit="none",
            queries=(Query(f"max({_gate('unreported')})", "unreported", instant=True),),
            width=4,
            height=4,
            base="green",
            steps=(Step(1, "orange"),),
            words=(Step(0, "green", "yes"),),
            whole=True,
            runbook="CexwatchFreezeUnreported",
        ),
        Panel(
            kind="stat",
            title="Last verified?",
            description="Time since the ledger was last read from its start and found whole: once an hour.",
            unit="s",
            queries=(Query(f"time() - min({_gate('ledger_verified_timestamp_seconds')})", "verified", instant=True),),
            width=4,
            height=4,
            base="green",
            steps=(Step(7200, "orange"),),
            empty="not yet",
        ),
        Panel(
            kind="timeseries",
            title="How many are frozen?",
            description="Accounts that are frozen now. One that is known under two keys counts twice.",
            unit="none",
            queries=(Query(f"max by (instance) ({_gate('frozen')})", "{{instance}}"),),
            width=12,
            whole=True,
            high=10,
        ),
        Panel(
            kind="timeseries",
            title="Who freezes?",
            description="Freezes and extensions that were written, by where they came from: the exchange's app, a link "
            "of the account's own, a guardian's.",
            unit=A_MINUTE,
            queries=(Query(_a_minute("activations_total", "origin"), "{{origin}}"),),
            width=12,
        ),
        Panel(
            kind="timeseries",
            title="What is refused?",
            description="Requests refused, by reason. not_written is a freeze that somebody wanted and lacks.",
            unit=A_MINUTE,
            queries=(Query(_a_minute("refusals_total", "reason"), "{{reason}}"),),
            width=12,
            empty="nothing",
            runbook="CexwatchFreezeNotWritten",
        ),
        Panel(
            kind="timeseries",
            title="Does anybody follow?",
            description="Snapshots and deltas that clients fetched, and accounts that were asked about. At nought no "
            "withdrawal service knows who is frozen.",
            unit=A_MINUTE,
            queries=(
                Query(_a_minute("published_total", "what"), "{{what}}"),
                Query(f"60 * sum(rate({_gate('asked_total')}[$__rate_interval]))", "asked"),
            ),
            width=12,
            runbook="CexwatchFreezeUnfollowed",
        ),
        Panel(
            kind="stat",
            title="How long do they choose?",
            description="The duration that was chosen since the start: half of them less, nine in ten less. At the "
            "longest there is, seven days may be too few.",
            unit="s",
            queries=(
                Query(_quantile("chosen_seconds", 0.5), "half", instant=True),
                Query(_quantile("chosen_seconds", 0.9), "9 in 10", instant=True),
            ),
            width=6,
            height=4,
            empty="nobody yet",
            name_shown=True,
        ),
        Panel(
            kind="stat",
            title="Was it too short?",
            description="Freezes since the start of accounts whose last one had ended less than 24 hours before.",
            unit="none",
            queries=(Query(f"sum({_gate('refreezes_total')})", "frozen again", instant=True),),
            width=3,
            height=4,
            whole=True,
            name_shown=True,
        ),
        Panel(
            kind="stat",
            title="How much longer?",
            description="By how much a freeze that held was made longer since the start: half of them less.",
            unit="s",
            queries=(Query(_quantile("extension_seconds", 0.5), "half", instant=True),),
            width=3,
            height=4,
            empty="none",
        ),
        Panel(
            kind="stat",
            title="How soon are they frozen?",
            description="From opening the page to the freeze on disk since the start: half of them sooner, 19 in 20 "
            "sooner. It shall take less than a minute.",
            unit="s",
            queries=(
                Query(_quantile("time_to_freeze_seconds", 0.5), "half", instant=True),
                Query(_quantile("time_to_freeze_seconds", 0.95), "19 in 20", instant=True),
            ),
            width=6,
            height=4,
            base="green",
            steps=(Step(60, "orange"),),
            empty="no page used yet",
            name_shown=True,
        ),
        Panel(
            kind="stat",
            title="Who could freeze whom?",
            description="Links that open a page, by whom they are for, and those that open nothing any more as their "
            "key is gone.",
            unit="none",
            queries=(
                Query(f"sum by (holder) ({_gate('links')})", "{{holder}}", instant=True),
                Query(f"sum({_gate('links_without_key')})", "without key", instant=True),
            ),
            width=6,
            height=4,
            whole=True,
            name_shown=True,
        ),
        Panel(
            kind="timeseries",
            title="How long does a freeze take?",
            description="From a request's arrival to its freeze on disk: median and the slowest hundredth.",
            unit="s",
            queries=tuple(
                Query(
                    f"histogram_quantile({share}, sum by (le) (rate({_gate('activation_duration_seconds_bucket')}"
                    "[$__rate_interval])))",
                    legend,
                )
                for share, legend in ((0.5, "median"), (0.99, "99 %"))
            ),
            width=12,
            empty="nobody froze",
        ),
        Panel(
            kind="timeseries",
            title="What waits, and how long does a snapshot take?",
            description="Freezes and links that wait for the disk, and seconds that the last snapshot took to write.",
            unit="none",
            queries=(
                Query(f"max({_gate('waiting')})", "waiting"),
                Query(f"max({_gate('snapshot_build_seconds')})", "snapshot, s"),
            ),
            width=12,
            high=10,
        ),
        Panel(
            kind="timeseries",
            title="Is the clock right?",
            description="The gate's clock less independent time. Beyond 20 minutes ahead or one behind it is not "
            "believed. Missing while independent time is.",
            unit="s",
            queries=(Query(f"max by (instance) ({_gate('clock_offset_seconds')})", "{{instance}}"),),
            width=12,
            high=1,
            empty="no independent time",
            runbook="CexwatchFreezeNoTime",
        ),
        Panel(
            kind="timeseries",
            title="Why do reports not arrive?",
            description="Reports of freezes that did not reach the exchange, by reason. They are sent until they do.",
            unit=A_MINUTE,
            queries=(Query(_a_minute("report_failures_total", "reason"), "{{reason}}"),),
            width=12,
            empty="all arrive",
            runbook="CexwatchFreezeUnreported",
        ),
    ),
)
