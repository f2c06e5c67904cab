"""Do the watched exchanges pay, and when last?"""

from tools.boards.board import Board, Column, Panel, Query, Step, of
from tools.boards.words import A_MINUTE, NO_YES, SEVERITIES, VERDICTS, number_of_state

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
            title="Do they pay out now?",
            description="What is concluded from all sources together, the worst first. Unknown is neither fine nor "
            "halted: we cannot see, or flags need a key.",
            unit="none",
            queries=(Query(_VERDICT, "{{exchange}}", instant=True),),
            width=24,
            height=5,
            words=VERDICTS,
            name_shown=True,
            cells=True,
            link="/",
            runbook="CexwatchWithdrawalHalt",
        ),
        Panel(
            kind="stat",
            title="When did they last pay?",
            description="Time since any known hot wallet of the exchange last sent coins, as of the newest block read. "
            "Missing means that no hot wallet is known, not that nobody is paid.",
            unit="s",
            queries=(Query(_PAID, "{{exchange}}", instant=True),),
            width=18,
            height=4,
            empty="no hot wallet known",
            name_shown=True,
            cells=True,
        ),
        Panel(
            kind="stat",
            title="Are we blind?",
            description="Whether a vantage cannot see anything at all. While it is yes, nothing below is news.",
            unit="none",
            queries=(Query(f"max({of('blind')})", "blind", instant=True),),
            width=3,
            height=4,
            words=NO_YES,
            runbook="CexwatchBlind",
        ),
        Panel(
            kind="stat",
            title="Publishing held?",
            description="Whether a person holds all publishing. While it is yes, approvals do not count.",
            unit="none",
            queries=(Query(f"max({of('publishing_held')})", "held", instant=True),),
            width=3,
            height=4,
            words=NO_YES,
            link="/drafts",
            runbook="CexwatchPublishingHeld",
        ),
        Panel(
            kind="state-timeline",
            title="When did they not pay out?",
            description="The same verdict over time, one line an exchange.",
            unit="none",
            queries=(Query(_VERDICT, "{{exchange}}"),),
            width=14,
            height=9,
            words=VERDICTS,
        ),
        Panel(
            kind="table",
            title="Which incidents are open?",
            description="Incidents that are not resolved, the oldest first. The evidence is on the daemon's own page.",
            unit="s",
            queries=(
                Query(
                    f"time() - min by (exchange, kind, severity) ({of('incident_opened_timestamp_seconds')})",
                    instant=True,
                ),
            ),
            width=10,
            height=9,
            columns=(
                Column("exchange", "Exchange"),
                Column("kind", "Incident"),
                Column("severity", "Severity", width=90, colors=SEVERITIES),
                Column("Value", "Open for", width=100),
            ),
            falling="Open for",
            empty="no incident is open",
            link="/",
        ),
        Panel(
            kind="timeseries",
            title="How long was it since a payment?",
            description="Time since any known hot wallet of the exchange last sent coins, on the network where that "
            "was most recent. A line that climbs is an exchange that pays nobody; a line that ends is a chain we no "
            "longer read.",
            unit="s",
            queries=(Query(_PAID, "{{exchange}}"),),
            width=12,
            empty="no hot wallet known",
        ),
        Panel(
            kind="timeseries",
            title="How much of what is watched does not pay out?",
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
            title="Is it too quiet?",
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
            empty="not calibrated yet",
        ),
        Panel(
            kind="timeseries",
            title="How old is what is shown?",
            description="Time since any probe of the exchange last succeeded; of each source by itself it is on Daemon "
            "health.",
            unit="s",
            queries=(
                Query(
                    f"time() - max by (exchange) ({of('probe_last_success_timestamp_seconds')})",
                    "{{exchange}}",
                ),
            ),
            width=12,
            steps=(Step(180, "orange"),),
            ticks=True,
            runbook="CexwatchExchangeUnreachable",
        ),
        Panel(
            kind="stat",
            title="Does a draft wait?",
            description="Drafts that wait for a person.",
            unit="none",
            queries=(Query(f"sum({of('drafts_pending')})", "drafts", instant=True),),
            width=4,
            height=5,
            base="green",
            steps=(Step(1, "orange"),),
            whole=True,
            empty="none",
            link="/drafts",
            runbook="CexwatchDraftWaiting",
        ),
        Panel(
            kind="stat",
            title="How long?",
            description="How long the oldest draft has waited. Operators are paged after 5 minutes.",
            unit="s",
            queries=(Query(f"time() - min({of('draft_oldest_pending_timestamp_seconds')})", "oldest", instant=True),),
            width=4,
            height=5,
            base="green",
            steps=(Step(300, "red"),),
            empty="none",
            link="/drafts",
        ),
        Panel(
            kind="timeseries",
            title="Why do looks fail?",
            description="Looks that failed, by reason. A failed look is our blindness, never an exchange's halt.",
            unit=A_MINUTE,
            high=1,
            queries=(
                Query(
                    f"60 * sum by (reason) (rate({of('probe_failures_total', shared=True)}[$__rate_interval]))",
                    "{{reason}}",
                ),
            ),
            width=16,
            height=5,
            empty="none failed",
            runbook="CexwatchProbesFailing",
        ),
    ),
)
