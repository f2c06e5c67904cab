"""What one exchange's verdict rests on: flags, silence, what moves, what is there, who said it first."""

from tools.boards.board import Board, Panel, Query, Step, of
from tools.boards.words import A_MINUTE, EVER, RAILS, VERDICTS, number_of_state

_RAIL = 'direction="withdrawal"'
_SUSPENDED = of("rails", _RAIL, 'state="suspended"')
_HELD = f"sum by (asset, network) ({of('reserve_balance', networks=True)})"


def _an_hour(family: str) -> str:
    flow = f"sum by (asset, network) (rate({of(family, networks=True)}[$__rate_interval]))"
    return f"3600 * {flow} / {_HELD}"


EXCHANGE = Board(
    uid="cexwatch-exchange",
    title="cexwatch / Exchange",
    description="What the verdict on the exchange that is chosen rests on.",
    networks=True,
    single=True,
    page="/",
    panels=(
        Panel(
            kind="stat",
            title="Does it pay out now?",
            description="What is concluded from all sources together. Unknown is neither fine nor halted.",
            unit="none",
            queries=(Query(number_of_state("withdrawals_state", "exchange", VERDICTS), "{{exchange}}", instant=True),),
            width=8,
            height=5,
            words=VERDICTS,
            name_shown=True,
            cells=True,
            link="/",
            runbook="CexwatchWithdrawalHalt",
        ),
        Panel(
            kind="stat",
            title="Since when?",
            description="For how long withdrawals are as they are. Missing where they were so at the first look.",
            unit="s",
            queries=(
                Query(
                    f"time() - max by (exchange) ({of('withdrawals_state_changed_timestamp_seconds')})",
                    "{{exchange}}",
                    instant=True,
                ),
            ),
            width=8,
            height=5,
            empty="since before we looked",
        ),
        Panel(
            kind="stat",
            title="By how long were we first?",
            description="How long before the exchange's own words its newest officially acknowledged incident was "
            "opened here. Below zero, the exchange said it first.",
            unit="s",
            queries=(Query(f"max by (exchange) ({of('detection_lead_seconds')})", "lead", instant=True),),
            width=8,
            height=5,
            base="transparent",
            steps=(Step(EVER, "red"), Step(0, "green")),
            empty="none yet",
        ),
        Panel(
            kind="state-timeline",
            title="Which rails pay out?",
            description="Withdrawals of each watched rail as judged. Disputed: two sources of equal rank disagree.",
            unit="none",
            queries=(
                Query(
                    number_of_state("rail_state", "exchange, asset, network", RAILS, _RAIL, networks=True),
                    "{{asset}} on {{network}}",
                ),
            ),
            width=24,
            height=12,
            words=RAILS,
            runbook="CexwatchRailSuspended",
        ),
        Panel(
            kind="timeseries",
            title="Is it too quiet?",
            description="Silence score: how unlikely the hot wallets' silence is, fused over networks. At the dashed "
            "line it counts as a halt; there is no line until it is calibrated.",
            unit="none",
            queries=(
                Query(f"max by (exchange) ({of('silence_score')})", "silence score"),
                Query(f"max by (exchange) ({of('silence_threshold')})", "silence threshold"),
            ),
            width=12,
            dashed="/ threshold$/",
            empty="no hot wallet known",
        ),
        Panel(
            kind="timeseries",
            title="How much does it send?",
            description="Transactions that left the known hot wallets, by network. Zero for longer than usual is what "
            "the silence score weighs.",
            unit=A_MINUTE,
            high=1,
            queries=(
                Query(
                    f"60 * sum by (network) (rate({of('hot_wallet_outgoing_total', networks=True)}[$__rate_interval]))",
                    "{{network}}",
                ),
            ),
            width=12,
            empty="no hot wallet known",
        ),
        Panel(
            kind="timeseries",
            title="How many rails of its whole list are suspended?",
            description="Rails of the exchange's own list, watched or not, that it says do not pay out.",
            unit="none",
            queries=(Query(f"max by (exchange) ({_SUSPENDED})", "suspended"),),
            width=12,
            high=4,
            whole=True,
            empty="it tells no list",
        ),
        Panel(
            kind="timeseries",
            title="Does unusually much leave?",
            description="How unusual what left in the window is, as a share of the score from which it is told. Absent "
            "while it is not known what is usual.",
            unit="percentunit",
            queries=(
                Query(
                    f"max by (window) ({of('outflow_score')}) / max by (window) ({of('outflow_threshold')})",
                    "{{window}}",
                ),
            ),
            width=12,
            steps=(Step(1, "red"),),
            ticks=True,
            empty="not known what is usual",
            runbook="CexwatchOutflowSpike",
        ),
        Panel(
            kind="timeseries",
            title="What comes and leaves, of what is there?",
            description="Flows of others into the known wallets (above zero) and out (below), an hour, as a share of "
            "what they hold of the asset on the network. A line ends while a wallet cannot be read.",
            unit="percentunit",
            queries=(
                Query(_an_hour("inflow_total"), "{{asset}} on {{network}} in"),
                Query(f"-{_an_hour('outflow_total')}", "{{asset}} on {{network}} out"),
            ),
            width=12,
            high=0.01,
            empty="no flows known",
        ),
        Panel(
            kind="timeseries",
            title="What does it hold?",
            description="Whole coins in the known wallets, by asset, each step of the scale ten times the one below. A "
            "line ends while one of them cannot be read: a part would look like money gone.",
            unit="short",
            queries=(
                Query(
                    f"sum by (asset) (max by (asset, network) ({of('reserve_balance', networks=True)}))",
                    "{{asset}}",
                ),
            ),
            width=12,
            log=True,
            empty="no wallet known",
            link="/reserves",
        ),
        Panel(
            kind="timeseries",
            title="Is it talked of?",
            description="Days between two episodes of as much talk of the exchange. At the dashed line a campaign is "
            "told; it is a reason to look, not a verdict.",
            unit="none",
            queries=(
                Query(f"max by (exchange) ({of('campaign_score')})", "days"),
                Query(f"max by (exchange) ({of('campaign_threshold')})", "days, threshold"),
            ),
            width=12,
            dashed="/ threshold$/",
            empty="mentions are not read",
            runbook="CexwatchCampaign",
        ),
        Panel(
            kind="timeseries",
            title="Do its users lock themselves?",
            description="Freezes that users activated or made longer, an hour, and how many accounts are frozen now. "
            "Many at once are a reason to ask them, and no verdict on withdrawals.",
            unit="none",
            queries=(
                Query(
                    f"sum by (exchange) (3600 * rate({of('freeze_activations_total')}[$__rate_interval]))",
                    "activated an hour",
                ),
                Query(f"max by (exchange) ({of('freezes_active')})", "frozen now"),
            ),
            width=12,
            empty="no freeze gate is read",
            runbook="CexwatchFreezeSurge",
        ),
        Panel(
            kind="timeseries",
            title="What is in the hot wallets?",
            description="Whole coins in the hot wallets, from which withdrawals are paid, each step of the scale ten "
            "times the one below.",
            unit="short",
            queries=(
                Query(
                    f"max by (asset, network) ({of('hot_wallet_balance', networks=True)})", "{{asset}} on {{network}}"
                ),
            ),
            width=12,
            log=True,
            empty="no hot wallet known",
        ),
        Panel(
            kind="state-timeline",
            title="Which of its sources answer?",
            description="Whether the source's last look succeeded. It says that a source answered, not what it said.",
            unit="none",
            queries=(Query(f"min by (probe) ({of('probe_up')})", "{{probe}}"),),
            width=24,
            height=12,
            words=(Step(0, "red", "no"), Step(1, "green", "yes")),
            runbook="CexwatchSourceStale",
        ),
    ),
)
