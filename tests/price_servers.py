"""Public sources of prices, on real sockets, each in the shape of its documentation. Prices are US dollars.

Kraken, Bitfinex and Gemini tell no time of their prices; the others do.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Self

from monitor.clock import Clock
from tests.loopback import Answer, Asked, Loopback, as_json, as_text

PRICES = {
    "BTC": Decimal("97250.5"),
    "ETH": Decimal("3120.25"),
    "SOL": Decimal("182.4"),
    "XRP": Decimal("2.31"),
    "TRX": Decimal("0.2545"),
    "LTC": Decimal("104.2"),
    "DOGE": Decimal("0.1982"),
    "USDT": Decimal("0.9998"),
    "USDC": Decimal("1.0001"),
}

KRAKEN_LIMIT = as_json({"error": ["EGeneral:Too many requests"]})
COINBASE_LIMIT = as_json({"message": "Public rate limit exceeded"}, status=429)
BITSTAMP_LIMIT = as_text("Too Many Requests", status=429)
BITFINEX_LIMIT = as_json(["error", 11010, "ratelimit: error"], status=429)
BITFINEX_LIMIT_200 = as_json(["error", 11010, "ratelimit: error"])
BITFINEX_MAINTENANCE = as_json(["error", 20060, "maintenance"], status=503)
GEMINI_LIMIT = as_json(
    {"result": "error", "reason": "RateLimit", "message": "Requests were made too frequently"}, status=429
)
COINPAPRIKA_LIMIT = as_json({"error": "too many requests"}, status=429)

Dialect = Callable[["PriceServer", Asked], Answer]


class PriceServer:
    """A source whose prices a test sets; an asset that is not in `prices` is not listed.

    `spoiled` has what is told in place of an asset's price (None, 0, "", "n/a", -1), `frozen_at` the time that is told
    for all prices once they do not move any more. Outages and limits go through `door`.
    """

    def __init__(self, dialect: Dialect, clock: Clock, *, prices: Mapping[str, Decimal] = PRICES) -> None:
        self.prices = dict(prices)
        self.spoiled: dict[str, object] = {}
        self.frozen_at: datetime | None = None
        self.door = Loopback(self._answer)
        self._dialect = dialect
        self._clock = clock

    async def __aenter__(self) -> Self:
        await self.door.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.door.__aexit__(kind, error, trace)

    @property
    def url(self) -> str:
        return self.door.url

    def now(self) -> datetime:
        """The time told for the prices."""
        return self._clock.now() if self.frozen_at is None else self.frozen_at

    def text(self, asset: str) -> object:
        """A price as a string, as most tell it, or what it was spoiled with."""
        return self.spoiled[asset] if asset in self.spoiled else str(self.prices[asset])

    def number(self, asset: str) -> object:
        """A price as a number, or what it was spoiled with."""
        return self.spoiled[asset] if asset in self.spoiled else float(self.prices[asset])

    def _answer(self, asked: Asked) -> Answer:
        if asked.method != "GET":
            return as_json({"message": "method not allowed"}, status=405)
        return self._dialect(self, asked)


def kraken(clock: Clock) -> PriceServer:
    """`GET /0/public/Ticker[?pair=XBTUSD,ETHUSD]`. One unknown pair refuses the whole request, inside a 200."""
    return PriceServer(_kraken, clock)


def coinbase(clock: Clock) -> PriceServer:
    """`GET /products/BTC-USD/ticker`, `/v2/prices/BTC-USD/spot` and `/v2/exchange-rates?currency=USD`."""
    return PriceServer(_coinbase, clock)


def bitstamp(clock: Clock) -> PriceServer:
    """`GET /api/v2/ticker/` for all markets, perpetual futures among them, or `/api/v2/ticker/btcusd/` for one."""
    return PriceServer(_bitstamp, clock)


def bitfinex(clock: Clock) -> PriceServer:
    """`GET /v2/tickers?symbols=tBTCUSD,tETHUSD` or `symbols=ALL`. A symbol it does not know is left out."""
    return PriceServer(_bitfinex, clock)


def gemini(clock: Clock) -> PriceServer:
    """`GET /v1/pricefeed`: all pairs."""
    return PriceServer(_gemini, clock)


def coinpaprika(clock: Clock) -> PriceServer:
    """`GET /v1/tickers[?quotes=USD]`, where several coins share a symbol, or `/v1/tickers/btc-bitcoin` for one."""
    return PriceServer(_coinpaprika, clock)


KRAKEN_PAIRS = {
    "BTC": ("XXBTZUSD", "XBTUSD"),
    "ETH": ("XETHZUSD", "ETHUSD"),
    "XRP": ("XXRPZUSD", "XRPUSD"),
    "LTC": ("XLTCZUSD", "LTCUSD"),
    "DOGE": ("XDGUSD", "XDGUSD"),
    "USDT": ("USDTZUSD", "USDTUSD"),
}
"""Asset -> the name a pair is answered by, and its other name it can be asked by."""


def _kraken(server: PriceServer, asked: Asked) -> Answer:
    if asked.path != "/0/public/Ticker":
        return as_json({"error": ["EGeneral:Unknown method"]})
    names = {asset: KRAKEN_PAIRS.get(asset, (f"{asset}USD", f"{asset}USD")) for asset in server.prices}
    wanted = asked.query().get("pair")
    if wanted is None:
        return as_json({"error": [], "result": {names[asset][0]: _kraken_row(server, asset) for asset in names}})
    found = {pair: asset for asset, both in names.items() for pair in both}
    if not set(wanted.split(",")) <= set(found):
        return as_json({"error": ["EQuery:Unknown asset pair"]})
    assets = [found[pair] for pair in wanted.split(",")]
    return as_json({"error": [], "result": {names[asset][0]: _kraken_row(server, asset) for asset in assets}})


def _kraken_row(server: PriceServer, asset: str) -> dict[str, object]:
    price = server.text(asset)
    return {
        "a": [price, "1", "1.000"],
        "b": [price, "1", "1.000"],
        "c": [price, "0.00012"],
        "v": ["1201.2", "2501.1"],
        "p": [price, price],
        "t": [12_000, 25_000],
        "l": [price, price],
        "h": [price, price],
        "o": price,
    }


def _coinbase(server: PriceServer, asked: Asked) -> Answer:
    match asked.path.strip("/").split("/"):
        case ["products", product, "ticker"]:
            return _coinbase_ticker(server, product)
        case ["v2", "prices", product, "spot"]:
            asset = product.removesuffix("-USD")
            if asset not in server.prices:
                return as_json({"errors": [{"id": "not_found", "message": "Invalid base currency"}]}, status=404)
            return as_json({"data": {"amount": server.text(asset), "base": asset, "currency": "USD"}})
        case ["v2", "exchange-rates"]:
            rates = {asset: _per_dollar(server, asset) for asset in server.prices}
            return as_json({"data": {"currency": "USD", "rates": {"USD": "1.0", "EUR": "0.92", **rates}}})
        case _:
            return as_json({"message": "NotFound"}, status=404)


def _per_dollar(server: PriceServer, asset: str) -> object:
    """How much of an asset a dollar buys."""
    return server.spoiled[asset] if asset in server.spoiled else str(1 / server.prices[asset])


def _coinbase_ticker(server: PriceServer, product: str) -> Answer:
    """Its time has nine digits of a second."""
    asset = product.removesuffix("-USD")
    if asset not in server.prices or not product.endswith("-USD"):
        return as_json({"message": "NotFound"}, status=404)
    price = server.text(asset)
    return as_json(
        {
            "ask": price,
            "bid": price,
            "volume": "4916.94797396",
            "trade_id": 1_040_406_588,
            "price": price,
            "size": "0.00782662",
            "time": f"{server.now():%Y-%m-%dT%H:%M:%S.%f}911Z",
            "rfq_volume": "31.625279",
        }
    )


def _bitstamp(server: PriceServer, asked: Asked) -> Answer:
    match asked.path.strip("/").split("/"):
        case ["api", "v2", "ticker"]:
            spot = [_bitstamp_row(server, asset, market="SPOT") for asset in server.prices]
            return as_json([*spot, *(_bitstamp_row(server, asset, market="PERPETUAL") for asset in server.prices)])
        case ["api", "v2", "ticker", pair]:
            found = [asset for asset in server.prices if f"{asset}usd".lower() == pair]
            if not found:
                return as_json({"message": "Not found."}, status=404)
            row = _bitstamp_row(server, found[0], market="SPOT")
            return as_json({name: value for name, value in row.items() if name not in ("pair", "market")})
        case _:
            return as_json({"message": "Not found."}, status=404)


def _bitstamp_row(server: PriceServer, asset: str, *, market: str) -> dict[str, object]:
    pair = f"{asset}/USD" if market == "SPOT" else f"{asset}/USD-PERP"
    price = server.text(asset)
    return {
        "timestamp": str(int(server.now().timestamp())),
        "open": price,
        "high": price,
        "low": price,
        "last": price,
        "volume": "1085.78361",
        "vwap": price,
        "bid": price,
        "ask": price,
        "side": "0",
        "open_24": price,
        "percent_change_24": "0.00",
        "market_type": market,
        "pair": pair,
        "market": pair,
    }


BITFINEX_NAMES = {"USDT": "UST", "USDC": "UDC"}


def _bitfinex(server: PriceServer, asked: Asked) -> Answer:
    if asked.path != "/v2/tickers":
        return as_json(["error", 10020, "path: invalid"], status=404)
    wanted = asked.query().get("symbols")
    if not wanted:
        return as_json(["error", 10020, "symbols: invalid"], status=400)
    symbols = {_bitfinex_symbol(asset): asset for asset in server.prices}
    asked_for = list(symbols) if wanted == "ALL" else wanted.split(",")
    rows = [_bitfinex_row(server, symbol, symbols[symbol]) for symbol in asked_for if symbol in symbols]
    lending: list[object] = [
        "fUSD",
        0.0003,
        0.0002,
        30,
        1e6,
        0.0003,
        2,
        1e6,
        0,
        0,
        0.0003,
        1e8,
        0.001,
        0.0001,
        None,
        None,
        1e6,
    ]
    return as_json([*rows, lending] if wanted == "ALL" else rows)


def _bitfinex_symbol(asset: str) -> str:
    """Four letters and more need a colon."""
    name = BITFINEX_NAMES.get(asset, asset)
    return f"t{name}:USD" if len(name) > 3 else f"t{name}USD"


def _bitfinex_row(server: PriceServer, symbol: str, asset: str) -> list[object]:
    """SYMBOL, BID, BID_SIZE, ASK, ASK_SIZE, CHANGE, CHANGE_RELATIVE, LAST_PRICE, VOLUME, HIGH, LOW."""
    price = server.number(asset)
    return [symbol, price, 12.5, price, 11.2, 0, 0, price, 812.4, price, price]


def _gemini(server: PriceServer, asked: Asked) -> Answer:
    if asked.path != "/v1/pricefeed":
        return as_json(
            {"result": "error", "reason": "EndpointNotFound", "message": "API entry point not found"}, status=404
        )
    dollars = [
        {"pair": f"{asset}USD", "price": server.text(asset), "percentChange24h": "0.0123"} for asset in server.prices
    ]
    others = [{"pair": "BTCEUR", "price": "89000.1", "percentChange24h": "0.0101"}]
    return as_json([*dollars, *others])


COINPAPRIKA_IDS = {
    "BTC": ("btc-bitcoin", "Bitcoin"),
    "ETH": ("eth-ethereum", "Ethereum"),
    "SOL": ("sol-solana", "Solana"),
    "XRP": ("xrp-xrp", "XRP"),
    "TRX": ("trx-tron", "TRON"),
    "LTC": ("ltc-litecoin", "Litecoin"),
    "DOGE": ("doge-dogecoin", "Dogecoin"),
    "USDT": ("usdt-tether", "Tether"),
    "USDC": ("usdc-usd-coin", "USDC"),
}


def _coinpaprika(server: PriceServer, asked: Asked) -> Answer:
    rows = {
        row["id"]: row
        for rank, asset in enumerate(server.prices, start=1)
        for row in [_coinpaprika_row(server, asset, rank=rank)]
    }
    match asked.path.strip("/").split("/"):
        case ["v1", "tickers"]:
            return as_json([*rows.values(), _namesake(server)])
        case ["v1", "tickers", coin] if coin in rows:
            return as_json(rows[coin])
        case _:
            return as_json({"error": "id not found"}, status=404)


def _coinpaprika_row(server: PriceServer, asset: str, *, rank: int) -> dict[str, object]:
    coin, name = COINPAPRIKA_IDS.get(asset, (f"{asset.lower()}-coin", asset))
    return {
        "id": coin,
        "name": name,
        "symbol": asset,
        "rank": rank,
        "total_supply": 19_883_231,
        "max_supply": 21_000_000,
        "beta_value": 0.879448,
        "first_data_at": "2010-07-17T00:00:00Z",
        "last_updated": f"{server.now():%Y-%m-%dT%H:%M:%SZ}",
        "quotes": {"USD": {"price": server.number(asset), "volume_24h": 23175936198.924427, "percent_change_24h": 0.4}},
    }


def _namesake(server: PriceServer) -> dict[str, object]:
    """Another coin that calls itself BTC."""
    row = _coinpaprika_row(server, "BTC", rank=0) if "BTC" in server.prices else {}
    return {**row, "id": "btc-batcat", "name": "Batcat", "symbol": "BTC", "quotes": {"USD": {"price": 0.0000123}}}
