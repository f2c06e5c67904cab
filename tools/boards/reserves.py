"""What the exchanges hold, what leaves, and what of one's own can still leave."""

from tools.boards.board import Board, Column, Panel, Query, Step, of
from tools.boards.words import EVER, LEAVES

_IN_AN_HOUR = of("reserve_change_ratio", 'window="1h"')
_NET = (
    f"max by (exchange, asset, network, window) ({of('outflow_coins', networks=True)}) - "
    f"max by (exchange, asset, network, window) ({of('inflow_coins', networks=True)})"
)

RESERVES = Board(
    uid="cexwatch-reserves",
    title="cexwatch / Reserves and exits",
    description="What the known wallets hold, what leaves them, and what of your own can leave now. Money is of the "
    "addresses we know.",
    networks=True,
    page="/reserves",
    panels=(
        Panel(
            kind="timeseries",
            title="What do they hold?",
            description="Worth of the known wallets in dollars. A line ends while a wallet cannot be read or a price "
            "is missing that was there.",
            unit="currencyUSD",
            queries=(Query(f"max by (exchange) ({of('reserve_usd')})", "{{exchange}}"),),
            width=12,
            empty="no prices",
            link="/reserves",
        ),
        Panel(
            kind="timeseries",
            title="Can your own leave?",
            description="Your own at the exchanges: withdrawable, stuck, unknown. What never had a price is not in it.",
            unit="currencyUSD",
            queries=(
                Query(
                    f"sum by (state) (max by (exchange, state) ({of('exposure_usd')}))",
                    "{{state}}",
                ),
            ),
            width=12,
            empty="nothing of yours is configured, or no prices",
            runbook="CexwatchExposureStuck",
        ),
        Panel(
            kind="timeseries",
            title="Who loses coins?",
            description="Change of the known wallets' coins over an hour, of the asset that fell most, as a share of "
            "what was there at its beginning.",
            unit="percentunit",
            queries=(
                Query(
                    f"min by (exchange) ({_IN_AN_HOUR})",
                    "{{exchange}}",
                ),
            ),
            width=12,
            base="red",
            steps=(Step(-0.1, "orange"), Step(-0.05, "text")),
            ticks=True,
            empty="not an hour known yet",
            runbook="CexwatchSlowBleed",
        ),
        Panel(
            kind="table",
            title="Of what, and how much of it?",
            description="The twenty largest falls of the known wallets' coins over any window, as a share of what was "
            "there at its beginning.",
            unit="percentunit",
            queries=(
                Query(
                    f"sort(bottomk(20, min by (exchange, asset, window) ({of('reserve_change_ratio')})))",
                    instant=True,
                ),
            ),
            width=12,
            base="red",
            steps=(Step(-0.1, "orange"), Step(-0.05, "text")),
            columns=(
                Column("exchange", "Exchange"),
                Column("asset", "Asset"),
                Column("window", "Over"),
                Column("Value", "Change"),
            ),
            empty="not an hour known yet",
        ),
        Panel(
            kind="table",
            title="How many coins left, net of those that came?",
            description="What left to others during the window less what came from others. Below zero, more came. "
            "Coins of different assets are not to be compared.",
            unit="short",
            queries=(Query(f"sort_desc({_NET})", instant=True),),
            width=12,
            columns=(
                Column("exchange", "Exchange"),
                Column("asset", "Asset"),
                Column("network", "Network"),
                Column("window", "Within"),
                Column("Value", "Coins"),
            ),
            empty="no flows known for a whole window",
        ),
        Panel(
            kind="bargauge",
            title="Which hot wallets run dry first?",
            description="How long the ten shortest hot wallets last at the outflow of the last hour. Missing while "
            "nothing leaves, or it is unknown.",
            unit="s",
            queries=(
                Query(
                    "sort(bottomk(10, min by (exchange, asset, network) "
                    f"({of('hot_wallet_runway_seconds', networks=True)})))",
                    "{{exchange}} {{asset}} on {{network}}",
                    instant=True,
                ),
            ),
            width=12,
            steps=(Step(EVER, "red"), Step(3600, "orange"), Step(21600, "green")),
            empty="nothing leaves",
            runbook="CexwatchRunwayLow",
        ),
        Panel(
            kind="table",
            title="Can your own leave, coin by coin?",
            description="With or without a price, by whether it can leave now.",
            unit="short",
            queries=(Query(f"max by (exchange, asset, state) ({of('exposure_coins')}) > 0", instant=True),),
            width=8,
            columns=(
                Column("exchange", "Exchange"),
                Column("asset", "Asset"),
                Column("state", "Can it leave?", colors=LEAVES),
                Column("Value", "Coins"),
            ),
            empty="nothing of yours is configured",
            link="/reserves",
        ),
        Panel(
            kind="stat",
            title="Which verdicts still hold?",
            description="For how long the verdict on the exchange still says something of the present. From zero down, "
            "take it for unknown.",
            unit="s",
            queries=(
                Query(
                    f"min by (exchange) ({of('verdict_valid_until_timestamp_seconds')}) - time()",
                    "{{exchange}}",
                    instant=True,
                ),
            ),
            width=8,
            base="purple",
            steps=(Step(0, "green"),),
            name_shown=True,
        ),
        Panel(
            kind="stat",
            title="Which wallets could not be read?",
            description="Known wallets that could not be read. While one is not, totals vanish.",
            unit="none",
            queries=(Query(f"max by (exchange) ({of('reserve_wallets_unread')})", "{{exchange}}", instant=True),),
            width=8,
            base="green",
            steps=(Step(1, "orange"),),
            whole=True,
            empty="no wallet known",
            name_shown=True,
        ),
        Panel(
            kind="bargauge",
            title="How much of what they claim do we see?",
            description="What the known wallets hold of what the exchange says it holds, the ten lowest. Low is first "
            "of all a list of wallets that is not whole.",
            unit="percentunit",
            queries=(
                Query(
                    f"sort(bottomk(10, min by (exchange, asset) ({of('reserve_coverage_ratio')})))",
                    "{{exchange}} {{asset}}",
                    instant=True,
                ),
            ),
            width=12,
            empty="none says what it holds",
        ),
        Panel(
            kind="timeseries",
            title="What are coins worth?",
            description="The median of at least three sources that agree, each step of the scale ten times the one "
            "below.",
            unit="currencyUSD",
            queries=(Query(f"max by (asset) ({of('price_usd')})", "{{asset}}"),),
            width=12,
            log=True,
            empty="no prices",
        ),
        Panel(
            kind="stat",
            title="Does a chain stand still?",
            description="A chain without new blocks: nobody is paid there, whatever the exchanges do.",
            unit="none",
            queries=(Query(f"max by (network) ({of('chain_stalled', networks=True)})", "{{network}}", instant=True),),
            width=24,
            height=4,
            words=(Step(0, "green", "moves"), Step(1, "red", "stands still")),
            name_shown=True,
        ),
    ),
)
