"""What the exchanges hold, what leaves, and what of one's own can still leave."""

from tools.boards.grafana import Board, Panel, Query, Step, of

_BY_ASSET = "{{exchange}} {{asset}}"

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
            title="Reserves in dollars",
            description="Worth of the known wallets. A line ends while a wallet cannot be read or a price is missing "
            "that was there.",
            unit="currencyUSD",
            queries=(Query(f"max by (exchange) ({of('reserve_usd')})", "{{exchange}}"),),
            width=12,
            link="/reserves",
        ),
        Panel(
            kind="timeseries",
            title="Your own, by whether it can leave",
            description="Your own at the exchanges: withdrawable, stuck, unknown. What never had a price is not in it.",
            unit="currencyUSD",
            queries=(
                Query(
                    f"sum by (state) (max by (exchange, state) ({of('exposure_usd')}))",
                    "{{state}}",
                ),
            ),
            width=12,
        ),
        Panel(
            kind="timeseries",
            title="Change of the coins held",
            description="Change of the known wallets' coins over the window, as a share of what was there at its "
            "beginning.",
            unit="percentunit",
            queries=(
                Query(
                    f"min by (exchange, asset, window) ({of('reserve_change_ratio')})",
                    "{{exchange}} {{asset}} {{window}}",
                ),
            ),
            width=12,
            base="red",
            steps=(Step(-0.1, "orange"), Step(-0.05, "text")),
            ticks=True,
        ),
        Panel(
            kind="timeseries",
            title="Coins out, net of coins in",
            description="What left to others during the window less what came from others. Below zero, more came.",
            unit="none",
            queries=(
                Query(
                    "sum by (exchange, asset, window) (max by (exchange, asset, network, window) "
                    f"({of('outflow_coins', networks=True)}) - max by (exchange, asset, network, window) "
                    f"({of('inflow_coins', networks=True)}))",
                    "{{exchange}} {{asset}} {{window}}",
                ),
            ),
            width=12,
        ),
        Panel(
            kind="bargauge",
            title="Hot wallets last for",
            description="How long the hot wallets last at the outflow of the last hour. Missing while nothing leaves, "
            "or it is unknown.",
            unit="s",
            queries=(
                Query(
                    f"min by (exchange, asset, network) ({of('hot_wallet_runway_seconds', networks=True)})",
                    "{{exchange}} {{asset}} on {{network}}",
                    instant=True,
                ),
            ),
            width=12,
            base="red",
            steps=(Step(7200, "orange"), Step(28800, "green")),
        ),
        Panel(
            kind="timeseries",
            title="Coins in hot wallets",
            description="Whole coins in the hot wallets, from which withdrawals are paid.",
            unit="none",
            queries=(
                Query(
                    f"max by (exchange, asset, network) ({of('hot_wallet_balance', networks=True)})",
                    "{{exchange}} {{asset}} on {{network}}",
                ),
            ),
            width=12,
        ),
        Panel(
            kind="bargauge",
            title="Coverage",
            description="What the known wallets hold of what the exchange says it holds. Low is first of all a list "
            "of wallets that is not whole.",
            unit="percentunit",
            queries=(Query(f"min by (exchange, asset) ({of('reserve_coverage_ratio')})", _BY_ASSET, instant=True),),
            width=8,
        ),
        Panel(
            kind="stat",
            title="Wallets not read",
            description="Known wallets that could not be read. While one is not, totals vanish.",
            unit="none",
            queries=(Query(f"max by (exchange) ({of('reserve_wallets_unread')})", "{{exchange}}", instant=True),),
            width=8,
            base="green",
            steps=(Step(1, "orange"),),
            name_shown=True,
        ),
        Panel(
            kind="stat",
            title="Verdicts valid for",
            description="How long the verdict on the exchange still says something of the present. From zero down, "
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
            kind="bargauge",
            title="Your own in coins",
            description="With or without a price, by whether it can leave now.",
            unit="none",
            queries=(
                Query(
                    f"max by (exchange, asset, state) ({of('exposure_coins')})",
                    "{{exchange}} {{asset}} {{state}}",
                    instant=True,
                ),
            ),
            width=12,
        ),
        Panel(
            kind="timeseries",
            title="Prices",
            description="The median of at least three sources that agree.",
            unit="currencyUSD",
            queries=(Query(f"max by (asset) ({of('price_usd')})", "{{asset}}"),),
            width=12,
        ),
        Panel(
            kind="stat",
            title="Chains that stand still",
            description="A chain without new blocks: nobody is paid there, whatever the exchanges do.",
            unit="none",
            queries=(Query(f"max by (network) ({of('chain_stalled', networks=True)})", "{{network}}", instant=True),),
            width=24,
            height=4,
            base="green",
            steps=(Step(1, "red"),),
            name_shown=True,
        ),
    ),
)
