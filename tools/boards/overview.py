"""Do the watched exchanges pay, and when last?"""

from tools.boards.grafana import Board, Column, Panel, Query, Step, of
from tools.boards.words import NO_YES, VERDICTS, number_of_state

_VERDICT = number_of_state("withdrawals_state", "exchange", VERDICTS)
_PAID = f"time() - max by (exchange) ({of('last_outgoing_timestamp_seconds')})"

OVERVIEW = Board(
    uid="cexwatch-overview",
    title="cexwatch / Overview",
    description="Do the watched exchanges pay, and when last? Verdicts first, then what they rest on, then how far to "
    "trust the watching itself.",
    panels=(
        Panel(
            kind="stat",
            title="Withdrawals now",
            description="What is concluded from all sources together. Unknown is neither fine nor halted: we cannot "
            "see, or flags need a key.",
            unit="none",
            queries=(Query(_VERDICT, "{{exchange}}", instant=True),),
            width=18,
            height=5,
            words=VERDICTS,
            name_shown=True,
            cells=True,
            link="/",
        ),
        Panel(
            kind="stat",
            title="Blind",
            description="Whether a vantage cannot see anything at all. While it is yes, nothing below is news.",
            unit="none",
            queries=(Query(f"max({of('blind')})", "blind", instant=True),),
            width=3,
            height=5,
            words=NO_YES,
        ),
        Panel(
            kind="stat",
            title="Publishing held",
            description="Whether a person holds all publishing. While it is yes, approvals do not count.",
            unit="none",
            queries=(Query(f"max({of('publishing_held')})", "held", instant=True),),
            width=3,
            height=5,
            words=NO_YES,
            link="/drafts",
        ),
        Panel(
            kind="stat",
            title="Last paid out",
            description="Time since any known hot wallet of the exchange last sent coins, as of the newest block read. "
            "Missing means that no hot wallet is known, not that nobody is paid.",
            unit="s",
            queries=(Query(_PAID, "{{exchange}}", instant=True),),
            width=24,
            height=4,
            name_shown=True,
            cells=True,
        ),
        Panel(
            kind="state-timeline",
            title="Withdrawals over time",
            description="The same verdict over time, one line an exchange.",
            unit="none",
            queries=(Query(_VERDICT, "{{exchange}}"),),
            width=24,
            height=7,
            words=VERDICTS,
        ),
        Panel(
            kind="timeseries",
            title="Since the last payment",
            description="Time since any known hot wallet of the exchange last sent coins, on the network where that "
            "was most recent. A line that climbs is an exchange that pays nobody; a line that ends is a chain we no "
            "longer read.",
            unit="s",
            queries=(Query(_PAID, "{{exchange}}"),),
            width=12,
        ),
        Panel(
            kind="timeseries",
            title="Watched weight that does not pay out",
            description="Weighted share of the watched rails whose withdrawals are suspended. From 20 % newly off "
            "withdrawals are degraded, from 50 % halted.",
            unit="percentunit",
            queries=(Query(f"max by (exchange) ({of('rails_suspended_ratio')})", "{{exchange}}"),),
            width=12,
            steps=(Step(0.2, "orange"), Step(0.5, "red")),
            ticks=True,
        ),
        Panel(
            kind="timeseries",
            title="Silence score against its threshold",
            description="How unlikely the hot wallets' silence is, as a share of the score from which it counts as a "
            "halt. Absent until the threshold is calibrated.",
            unit="percentunit",
            queries=(
                Query(
                    f"max by (exchange) ({of('silence_score')}) / max by (exchange) ({of('silence_threshold')})",
                    "{{exchange}}",
                ),
            ),
            width=12,
            steps=(Step(1, "red"),),
            ticks=True,
        ),
        Panel(
            kind="table",
            title="Open incidents",
            description="Incidents that are not resolved, and for how long. The evidence is on the daemon's own page.",
            unit="s",
            queries=(
                Query(
                    f"time() - min by (exchange, kind, severity) ({of('incident_opened_timestamp_seconds')})",
                    instant=True,
                ),
            ),
            width=12,
            columns=(
                Column("exchange", "Exchange"),
                Column("kind", "Incident"),
                Column("severity", "Severity"),
                Column("Value", "Open for"),
            ),
            empty="none",
            link="/",
        ),
        Panel(
            kind="stat",
            title="Drafts waiting",
            description="Drafts that wait for a person.",
            unit="none",
            queries=(Query(f"sum({of('drafts_pending')})", "drafts", instant=True),),
            width=4,
            base="green",
            steps=(Step(1, "orange"),),
            empty="none",
            link="/drafts",
        ),
        Panel(
            kind="stat",
            title="Oldest draft",
            description="How long the oldest draft has waited. Operators are paged after 5 minutes.",
            unit="s",
            queries=(Query(f"time() - min({of('draft_oldest_pending_timestamp_seconds')})", "oldest", instant=True),),
            width=4,
            base="green",
            steps=(Step(300, "red"),),
            empty="none",
            link="/drafts",
        ),
        Panel(
            kind="timeseries",
            title="Failed looks by reason",
            description="Looks that failed, by reason. A failed look is our blindness, never an exchange's halt.",
            unit="ops",
            queries=(
                Query(
                    f"sum by (reason) (rate({of('probe_failures_total', shared=True)}[$__rate_interval]))",
                    "{{reason}}",
                ),
            ),
            width=6,
        ),
        Panel(
            kind="timeseries",
            title="Age of the data",
            description="Time since each probe last succeeded: what is shown is this old.",
            unit="s",
            queries=(
                Query(
                    f"time() - max by (exchange, probe) ({of('probe_last_success_timestamp_seconds', shared=True)})",
                    "{{probe}}",
                ),
            ),
            width=10,
            steps=(Step(180, "orange"),),
            ticks=True,
        ),
    ),
)
