"""How we look. The registry of exchanges is literal: a new one is a module and a line here."""

from monitor.probes.exchange import Exchange
from monitor.probes.exchanges import (
    binance,
    bitfinex,
    bitget,
    bithumb,
    bybit,
    coinbase,
    coinex,
    coinone,
    cryptocom,
    gate,
    htx,
    korbit,
    kraken,
    kucoin,
    mexc,
    okx,
    upbit,
)

EXCHANGES: dict[str, Exchange] = {
    "binance": binance.EXCHANGE,
    "bitfinex": bitfinex.EXCHANGE,
    "bitget": bitget.EXCHANGE,
    "bithumb": bithumb.EXCHANGE,
    "bybit": bybit.EXCHANGE,
    "coinbase": coinbase.EXCHANGE,
    "coinex": coinex.EXCHANGE,
    "coinone": coinone.EXCHANGE,
    "cryptocom": cryptocom.EXCHANGE,
    "gate": gate.EXCHANGE,
    "htx": htx.EXCHANGE,
    "korbit": korbit.EXCHANGE,
    "kraken": kraken.EXCHANGE,
    "kucoin": kucoin.EXCHANGE,
    "mexc": mexc.EXCHANGE,
    "okx": okx.EXCHANGE,
    "upbit": upbit.EXCHANGE,
}

WITH_PASSPHRASE = [name for name, exchange in EXCHANGES.items() if exchange.passphrase]
MUTE = [name for name, exchange in EXCHANGES.items() if exchange.funds is None]
"""No key of theirs tells what its account holds."""
