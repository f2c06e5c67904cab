"""How we look. The registry of exchanges is literal: a new one is a module and a line here."""

from monitor.probes.exchange import Exchange
from monitor.probes.exchanges import binance, bitget, bybit, gate, htx, kraken, kucoin, okx

EXCHANGES: dict[str, Exchange] = {
    "binance": binance.EXCHANGE,
    "bitget": bitget.EXCHANGE,
    "bybit": bybit.EXCHANGE,
    "gate": gate.EXCHANGE,
    "htx": htx.EXCHANGE,
    "kraken": kraken.EXCHANGE,
    "kucoin": kucoin.EXCHANGE,
    "okx": okx.EXCHANGE,
}
