"""Coin lists and newest trades as five exchanges publish them, written from their public documentation.

Each function is one endpoint's body. Where an exchange gives trades oldest first, as Kraken and KuCoin do, so does it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from monitor.model import Rail

TRADES = 20
TRADE_SECONDS = 2
PRICE = "78412.5"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Rails = dict[Rail, bool]
"""Rail -> withdrawals are open."""


class Trade(Struct, frozen=True):
    number: int

    @property
    def seconds(self) -> int:
        return self.number * TRADE_SECONDS

    @property
    def milliseconds(self) -> int:
        return self.seconds * 1000

    @property
    def side(self) -> str:
        return "buy" if self.number % 2 else "sell"


def recent_trades(now: datetime) -> list[Trade]:
    """The last trades, oldest first; one every two seconds as long as the clock goes, the newest at least 1 s old."""
    newest = (now - EPOCH - timedelta(seconds=1)) // timedelta(seconds=TRADE_SECONDS)
    return [Trade(number) for number in range(newest - TRADES + 1, newest + 1)]


def _by_asset(rails: Rails) -> Iterator[tuple[str, dict[str, bool]]]:
    for asset in dict.fromkeys(rail.asset for rail in rails):
        yield asset, {rail.network: is_open for rail, is_open in rails.items() if rail.asset == asset}


KRAKEN_NAMES = {"BTC": ("XXBT", "XBT"), "ETH": ("XETH", "ETH"), "XRP": ("XXRP", "XRP")}
KRAKEN_PAIRS = {"XBTUSDT": "XBTUSDT", "XBTUSD": "XXBTZUSD"}


def kraken_assets(rails: Rails) -> dict[str, object]:
    """Kraken knows only the asset: it takes deposits only when no network of it is left to withdraw on."""
    return {"error": [], "result": dict(_kraken_asset(asset, networks) for asset, networks in _by_asset(rails))}


def _kraken_asset(asset: str, networks: dict[str, bool]) -> tuple[str, dict[str, object]]:
    name, altname = KRAKEN_NAMES.get(asset, (asset, asset))
    return name, {
        "aclass": "currency",
        "altname": altname,
        "decimals": 10,
        "display_decimals": 5,
        "collateral_value": 1,
        "status": "enabled" if any(networks.values()) else "deposit_only",
    }


def kraken_trades(trades: list[Trade], pair: str) -> dict[str, object]:
    """Oldest first, times in seconds with a fraction, the pair by its internal name."""
    rows = [[PRICE, "0.01", t.seconds + 0.25, t.side[0], "m", "", t.number] for t in trades]
    return {"error": [], "result": {KRAKEN_PAIRS[pair]: rows, "last": str(trades[-1].seconds * 10**9)}}


KUCOIN_CHAINS = {
    "bitcoin": ("btc", "BTC"),
    "ethereum": ("eth", "ERC20"),
    "tron": ("trx", "TRC20"),
    "solana": ("sol", "SOL"),
    "xrp": ("xrp", "XRP"),
    "bsc": ("bsc", "BEP20"),
}


def kucoin_currencies(rails: Rails) -> dict[str, object]:
    data = [
        {
            "currency": asset,
            "name": asset,
            "fullName": asset,
            "precision": 8,
            "confirms": None,
            "contractAddress": None,
            "isMarginEnabled": True,
            "isDebitEnabled": True,
            "chains": [_kucoin_chain(network, is_open=is_open) for network, is_open in networks.items()],
        }
        for asset, networks in _by_asset(rails)
    ]
    without_chains = {**data[0], "currency": "NOCHAIN", "name": "NOCHAIN", "fullName": "No chain", "chains": None}
    return {"code": "200000", "data": [*data, without_chains]}


def _kucoin_chain(network: str, *, is_open: bool) -> dict[str, object]:
    chain_id, name = KUCOIN_CHAINS[network]
    return {
        "chainName": name,
        "withdrawalMinSize": "0.001",
        "depositMinSize": None,
        "withdrawFeeRate": "0",
        "withdrawalMinFee": "0.0005",
        "isWithdrawEnabled": is_open,
        "isDepositEnabled": True,
        "confirms": 3,
        "preConfirms": 1,
        "contractAddress": "",
        "withdrawPrecision": 8,
        "maxWithdraw": None,
        "maxDeposit": None,
        "needTag": network == "xrp",
        "chainId": chain_id,
    }


def kucoin_trades(trades: list[Trade]) -> dict[str, object]:
    """Oldest first, times in nanoseconds."""
    data = [
        {"sequence": str(t.number), "price": PRICE, "size": "0.01", "side": t.side, "time": t.seconds * 10**9}
        for t in trades
    ]
    return {"code": "200000", "data": data}


GATE_CHAINS = {"bitcoin": "BTC", "ethereum": "ETH", "tron": "TRX", "solana": "SOL", "xrp": "XRP", "bsc": "BSC"}


def gate_currencies(rails: Rails) -> list[dict[str, object]]:
    return [_gate_currency(asset, networks) for asset, networks in _by_asset(rails)]


def _gate_currency(asset: str, networks: dict[str, bool]) -> dict[str, object]:
    chains = [
        {
            "name": GATE_CHAINS[network],
            "addr": "",
            "withdraw_disabled": not is_open,
            "withdraw_delayed": False,
            "deposit_disabled": False,
        }
        for network, is_open in networks.items()
    ]
    return {
        "currency": asset,
        "name": asset,
        "delisted": False,
        "withdraw_disabled": not any(networks.values()),
        "withdraw_delayed": False,
        "deposit_disabled": False,
        "trade_disabled": False,
        "chain": chains[0]["name"],
        "chains": chains,
    }


def gate_trades(trades: list[Trade]) -> list[dict[str, object]]:
    """Newest first, times as strings: seconds, and milliseconds with a fraction."""
    return [
        {
            "id": str(t.number),
            "create_time": str(t.seconds),
            "create_time_ms": f"{t.milliseconds}.250000",
            "currency_pair": "BTC_USDT",
            "side": t.side,
            "amount": "0.01",
            "price": PRICE,
            "sequence_id": str(t.number),
        }
        for t in reversed(trades)
    ]


HTX_CHAINS = {
    Rail("USDT", "ethereum"): ("usdterc20", "ETH", "ERC20"),
    Rail("USDT", "tron"): ("trc20usdt", "TRX", "TRC20"),
    Rail("USDC", "ethereum"): ("usdc", "ETH", "ERC20"),
}
HTX_NATIVE = {"BTC": "btc", "ETH": "eth", "SOL": "sol", "XRP": "xrp", "TRX": "trx1", "BNB": "bnb1"}


def htx_currencies(rails: Rails) -> dict[str, object]:
    data = [
        {
            "currency": asset.lower(),
            "instStatus": "normal",
            "chains": [_htx_chain(Rail(asset, network), is_open=is_open) for network, is_open in networks.items()],
        }
        for asset, networks in _by_asset(rails)
    ]
    return {"code": 200, "data": data}


def _htx_chain(rail: Rail, *, is_open: bool) -> dict[str, object]:
    """A coin on its own chain has no base chain."""
    chain: dict[str, object] = {
        "displayName": "",
        "isDynamic": False,
        "depositStatus": "allowed",
        "withdrawStatus": "allowed" if is_open else "prohibited",
        "minDepositAmt": "1",
        "minWithdrawAmt": "2",
        "maxWithdrawAmt": "1000000.000000000000000000",
        "withdrawQuotaPerDay": "1000000.000000000000000000",
        "withdrawQuotaPerYear": None,
        "withdrawQuotaTotal": None,
        "withdrawPrecision": 6,
        "withdrawFeeType": "fixed",
        "transactFeeWithdraw": "1",
        "numOfConfirmations": 1,
        "numOfFastConfirmations": 1,
    }
    if rail not in HTX_CHAINS:
        return {"chain": HTX_NATIVE[rail.asset], **chain}
    name, base, protocol = HTX_CHAINS[rail]
    return {"chain": name, "baseChain": base, "baseChainProtocol": protocol, **chain}


def htx_trades(trades: list[Trade], *, size: int) -> dict[str, object]:
    """Newest first; a batch of trades each, times in milliseconds, prices as numbers; one unless more are asked for."""
    data = [{"id": t.number, "ts": t.milliseconds, "data": [_htx_trade(t)]} for t in reversed(trades[-size:])]
    newest = trades[-1].milliseconds
    return {"ch": "market.btcusdt.trade.detail", "status": "ok", "ts": newest, "data": data}


def htx_last_trade(trades: list[Trade]) -> dict[str, object]:
    """`/market/trade`: the newest batch alone, as a tick."""
    newest = trades[-1]
    tick = {"id": newest.number, "ts": newest.milliseconds, "data": [_htx_trade(newest)]}
    return {"ch": "market.btcusdt.trade.detail", "status": "ok", "ts": newest.milliseconds, "tick": tick}


def _htx_trade(trade: Trade) -> dict[str, object]:
    return {
        "id": trade.number * 10**12,
        "ts": trade.milliseconds,
        "trade-id": trade.number,
        "amount": 0.01,
        "price": float(PRICE),
        "direction": trade.side,
    }


BITGET_CHAINS = {"bitcoin": "BTC", "ethereum": "ERC20", "tron": "TRC20", "solana": "SOL", "xrp": "XRP", "bsc": "BEP20"}
BITGET_NATIVE = {Rail("ETH", "ethereum"): "ETH", Rail("TRX", "tron"): "TRX"}


def bitget_coins(rails: Rails, now: datetime) -> dict[str, object]:
    """Booleans are strings here."""
    data = [
        {
            "coinId": str(number),
            "coin": asset,
            "transfer": "true",
            "chains": [_bitget_chain(asset, network, is_open=is_open) for network, is_open in networks.items()],
        }
        for number, (asset, networks) in enumerate(_by_asset(rails), start=1)
    ]
    return {"code": "00000", "msg": "success", "requestTime": _milliseconds(now), "data": data}


def _bitget_chain(asset: str, network: str, *, is_open: bool) -> dict[str, object]:
    return {
        "chain": BITGET_NATIVE.get(Rail(asset, network), BITGET_CHAINS[network]),
        "needTag": "true" if network == "xrp" else "false",
        "withdrawable": "true" if is_open else "false",
        "rechargeable": "true",
        "withdrawFee": "0.005",
        "extraWithdrawFee": "0",
        "depositConfirm": "1",
        "withdrawConfirm": "1",
        "minDepositAmount": "0.001",
        "minWithdrawAmount": "0.001",
        "browserUrl": "",
        "contractAddress": None,
        "withdrawStep": "0",
        "withdrawMinScale": "8",
        "congestion": "normal",
    }


def bitget_fills(trades: list[Trade], now: datetime) -> dict[str, object]:
    """Newest first, times as strings of milliseconds."""
    data = [
        {
            "symbol": "BTCUSDT",
            "tradeId": str(t.number),
            "side": t.side,
            "price": PRICE,
            "size": "0.01",
            "ts": str(t.milliseconds),
        }
        for t in reversed(trades)
    ]
    return {"code": "00000", "msg": "success", "requestTime": _milliseconds(now), "data": data}


def _milliseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(milliseconds=1)
