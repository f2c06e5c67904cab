"""What one exchange's verdict rests on: flags, silence, what moves, what is there, who said it first."""

from tools.boards.grafana import Board, Panel, Query, Step, of
from tools.boards.words import RAILS, VERDICTS, number_of_state

_RAIL = 'direction="withdrawal"'
_SUSPENDED = of("rails", _RAIL, 'state="suspended"')

EXCHANGE = Board(
    uid="cexwatch-exchange",
    title="cexwatch / Exchange",
    description="What the verdict on an exchange rests on. Choose one exchange; several are drawn over each other.",
    networks=True,
    page="/",
    panels=(
        Panel(
            kind="stat",
            title="Withdrawals now",
            description="What is concluded from all sources together. Unknown is neither fine nor halted.",
            unit="none",
            queries=(Query(number_of_state("withdrawals_state", "exchange", VERDICTS), "{{exchange}}", instant=True),),
            width=8,
            height=5,
            words=VERDICTS,
            name_shown=True,
            cells=True,
            link="/",
        ),
        Panel(
            kind="stat",
            title="In this state for",
            description="Since when withdrawals are as they are. Missing where they were so at the first look.",
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
            name_shown=True,
        ),
        Panel(
            kind="bargauge",
            title="Who knew first",
            description="How long before the exchange's own words its newest officially acknowledged incident was "
            "opened here. Below zero, the exchange said it first.",
            unit="s",
            queries=(Query(f"max by (exchange) ({of('detection_lead_seconds')})", "{{exchange}}", instant=True),),
            width=8,
            height=5,
            base="red",
            steps=(Step(0, "green"),),
            empty="none yet",
        ),
        Panel(
            kind="state-timeline",
            title="Rails that pay out",
            description="Withdrawals of each watched rail as judged. Disputed: two sources of equal rank disagree.",
            unit="none",
            queries=(
                Query(
                    number_of_state("rail_state", "exchange, asset, network", RAILS, _RAIL, networks=True),
                    "{{exchange}} {{asset}} on {{network}}",
                ),
            ),
            width=24,
            height=10,
            words=RAILS,
        ),
        Panel(
            kind="timeseries",
            title="Silence score and its threshold",
            description="How unlikely the hot wallets' silence is, fused over networks. At the dashed line it counts "
            "as a halt; there is no line until it is calibrated.",
            unit="none",
            queries=(
                Query(f"max by (exchange) ({of('silence_score')})", "{{exchange}}"),
                Query(f"max by (exchange) ({of('silence_threshold')})", "{{exchange}} threshold"),
            ),
            width=12,
            dashed="/ threshold$/",
        ),
        Panel(
            kind="timeseries",
            title="Outgoing transactions",
            description="Transactions that left the known hot wallets, by network. Zero for longer than usual is what "
            "the silence score weighs.",
            unit="ops",
            queries=(
                Query(
                    "sum by (exchange, network) "
                    f"(rate({of('hot_wallet_outgoing_total', networks=True)}[$__rate_interval]))",
                    "{{exchange}} {{network}}",
                ),
            ),
            width=12,
        ),
        Panel(
            kind="timeseries",
            title="Rails of the whole list that are suspended",
            description="Rails of the exchange's own list, watched or not, that it says do not pay out.",
            unit="none",
            queries=(
                Query(
                    f"max by (exchange) ({_SUSPENDED})",
                    "{{exchange}}",
                ),
            ),
            width=12,
        ),
        Panel(
            kind="timeseries",
            title="Outflow score and its threshold",
            description="How unusual what left in the window is, in spreads above what is usual. At the dashed line it "
            "is told.",
            unit="none",
            queries=(
                Query(f"max by (exchange, window) ({of('outflow_score')})", "{{exchange}} {{window}}"),
                Query(f"max by (exchange, window) ({of('outflow_threshold')})", "{{exchange}} {{window}} threshold"),
            ),
            width=12,
            dashed="/ threshold$/",
        ),
        Panel(
            kind="timeseries",
            title="Flows by asset",
            description="Coins a second from others into the known wallets (above zero) and to others (below). Of the "
            "addresses we know, and never added up over assets.",
            unit="none",
            queries=(
                Query(
                    f"sum by (exchange, asset) (rate({of('inflow_total', networks=True)}[$__rate_interval]))",
                    "{{exchange}} {{asset}} in",
                ),
                Query(
                    f"-sum by (exchange, asset) (rate({of('outflow_total', networks=True)}[$__rate_interval]))",
                    "{{exchange}} {{asset}} out",
                ),
            ),
            width=12,
        ),
        Panel(
            kind="timeseries",
            title="Reserves by asset",
            description="Whole coins in the known wallets. A line ends while one of them cannot be read: a part would "
            "look like money gone.",
            unit="none",
            queries=(
                Query(
                    "sum by (exchange, asset) (max by (exchange, asset, network) "
                    f"({of('reserve_balance', networks=True)}))",
                    "{{exchange}} {{asset}}",
                ),
            ),
            width=12,
            link="/reserves",
        ),
        Panel(
            kind="timeseries",
            title="Talk and its threshold",
            description="Days between two episodes of as much talk of the exchange. At the dashed line a campaign is "
            "told; it is a reason to look, not a verdict.",
            unit="none",
            queries=(
                Query(f"max by (exchange) ({of('campaign_score')})", "{{exchange}}"),
                Query(f"max by (exchange) ({of('campaign_threshold')})", "{{exchange}} threshold"),
            ),
            width=12,
            dashed="/ threshold$/",
        ),
        Panel(
            kind="state-timeline",
            title="Sources that answer",
            description="Whether the source's last look succeeded. It says that a source answered, not what it said.",
            unit="none",
            queries=(Query(f"min by (exchange, probe) ({of('probe_up')})", "{{exchange}} {{probe}}"),),
            width=12,
            words=(Step(0, "red", "no"), Step(1, "green", "yes")),
        ),
    ),
)
