"""What the stories of Binance share: how it pays on an ordinary day. Assumed, every figure of it."""

from decimal import Decimal

from monitor.replay.scenarios.scenario import Chain

BITCOIN = Chain(network="bitcoin", asset="BTC", payments=2.0, typical=Decimal("0.05"), block_seconds=600)
ETHEREUM = Chain(network="ethereum", asset="ETH", payments=30.0, typical=Decimal("0.5"))
TRON = Chain(network="tron", asset="TRX", payments=6.0, typical=Decimal(500))
BSC = Chain(network="bsc", asset="BNB", payments=10.0, typical=Decimal("0.4"))
CHAINS = (BITCOIN, ETHEREUM, TRON, BSC)

RATES_ASSUMED = (
    "2 outgoing transactions a minute on bitcoin, 30 on ethereum, 6 on tron and 10 on bsc, with a daily and a weekly "
    "rhythm, bursts (k = 8) and heavy-tailed sizes"
)
