"""A process of its own that reads coin lists through ccxt, whose import takes seconds and 125 MB.

One question a line on standard input, one answer a line on standard output, both JSON; before an answer stands the
number of its question. Ends when its input does.
"""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TypeAlias
from urllib.parse import urlsplit, urlunsplit

try:
    import ccxt
except ImportError:
    sys.exit("ccxt is not installed: pip install 'cexwatch[ccxt]'")

TIMEOUT_MILLISECONDS = 15_000
LONGEST_FLAG = 20
LONGEST_RAW = 150

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Coin = dict[str, Json]

_REASONS = (
    # The more special ones stand before what they derive from.
    (ccxt.RateLimitExceeded, "rate_limited"),
    (ccxt.DDoSProtection, "rate_limited"),
    (ccxt.RequestTimeout, "timeout"),
    (ccxt.ExchangeNotAvailable, "http_5xx"),
    (ccxt.NetworkError, "connection"),
    (ccxt.AuthenticationError, "auth"),
    (ccxt.BadResponse, "schema"),
    (ccxt.BaseError, "http_4xx"),
)
_FLAG_WORDS = (
    "withdraw",
    "deposit",
    "payin",
    "payout",
    "status",
    "state",
    "enable",
    "disable",
    "delay",
    "frozen",
    "delist",
    "active",
)
_AMOUNT_WORDS = ("min", "max", "fee", "limit", "precision", "size", "amount", "count")


def answer(question: Coin) -> Coin:
    """`exchange` (of ccxt), `url` (in place of its hosts) and `key` to `coins`, or to `reason` and `detail`."""
    name = str(question["exchange"])
    if name not in ccxt.exchanges:
        return {"reason": "schema", "detail": f"ccxt knows no exchange {name}"}
    key = question.get("key")
    settings: Coin = {"timeout": TIMEOUT_MILLISECONDS, "enableRateLimit": True}
    if isinstance(key, dict):
        settings |= key
    url = question.get("url")
    try:
        exchange = getattr(ccxt, name)(settings)
        if url:
            exchange.urls["api"] = _moved(exchange.urls["api"], str(url))
        currencies = exchange.fetch_currencies()
        if not currencies:
            # Without a key ccxt asks nothing of some fifteen exchanges and answers {}.
            return {"reason": "auth", "detail": "ccxt has no list here without a key" if not key else "an empty list"}
        return {"coins": [_coin(name, coin) for coin in currencies.values()]}
    except ccxt.BaseError as error:
        reason = next(reason for kind, reason in _REASONS if isinstance(error, kind))
        return {"reason": reason, "detail": type(error).__name__}
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        return {"reason": "schema", "detail": f"ccxt cannot read it: {type(error).__name__}"}


def _moved(urls: Json, base: str) -> Json:
    match urls:
        case dict():
            return {name: _moved(url, base) for name, url in urls.items()}
        case str():
            to, parts = urlsplit(base), urlsplit(urls)
            return urlunsplit((to.scheme, to.netloc, parts.path, parts.query, ""))
        case _:
            return urls


def _coin(exchange: str, coin: Coin) -> Coin:
    networks = coin.get("networks")
    told: Coin = {
        "asset": coin["code"],
        "withdraw": coin.get("withdraw"),
        "deposit": coin.get("deposit"),
        "raw": _flags(coin.get("info")),
        "networks": [_network(network) for network in _items(networks)],
    }
    corrected = _CORRECTED.get(exchange)
    return corrected(told, coin) if corrected is not None else told


def _items(networks: Json) -> Iterable[Coin]:
    match networks:
        case dict():
            return [network for network in networks.values() if isinstance(network, dict)]
        case _:
            return ()


def _network(network: Coin) -> Coin:
    limits = network.get("limits")
    out = limits.get("withdraw") if isinstance(limits, dict) else None
    amounts = out if isinstance(out, dict) else {}
    return {
        "network": network.get("network") or network.get("id"),
        "word": network.get("id") or network.get("network"),
        "withdraw": network.get("withdraw"),
        "deposit": network.get("deposit"),
        "raw": _flags(network.get("info")),
        "fee": _amount(network.get("fee")),
        "minimum": _amount(amounts.get("min")),
        "maximum": _amount(amounts.get("max")),
    }


def _amount(value: Json) -> str | None:
    return None if value is None else str(value)


def _flags(info: Json) -> str:
    """The exchange's own flags among its fields; numbers that are none would make every reading a change."""
    match info:
        case dict():
            told = [f"{name}={value}" for name, value in info.items() if _is_flag(name, value)]
            return " ".join(told)[:LONGEST_RAW]
        case _:
            return ""


def _is_flag(name: str, value: Json) -> bool:
    word = name.lower()
    if not any(flag in word for flag in _FLAG_WORDS) or any(amount in word for amount in _AMOUNT_WORDS):
        return False
    text = str(value)
    is_word = text.replace("_", "").isalpha() and len(text) <= LONGEST_FLAG
    return is_word or text in ("0", "1")


def _kraken(told: Coin, coin: Coin) -> Coin:
    """ccxt gives None for the way out of a `deposit_only` asset, and for the way into a `withdrawal_only` one."""
    info = coin.get("info")
    status = info.get("status") if isinstance(info, dict) else None
    if not isinstance(status, str):
        return told
    return {
        **told,
        "withdraw": status in ("enabled", "withdrawal_only"),
        "deposit": status in ("enabled", "deposit_only"),
    }


def _own_flags(told: Coin, coin: Coin, *, out: str, in_: str, open_is: bool) -> Coin:
    """ccxt says a coin is open while any of its networks is; the coin's own flags close all of them."""
    info = coin.get("info")
    flags = (info.get(out), info.get(in_)) if isinstance(info, dict) else (None, None)
    if not all(isinstance(flag, bool) for flag in flags):
        return told
    return {**told, "withdraw": flags[0] is open_is, "deposit": flags[1] is open_is}


_gate = partial(_own_flags, out="withdraw_disabled", in_="deposit_disabled", open_is=False)

_CORRECTED: Mapping[str, Callable[[Coin, Coin], Coin]] = {
    "bequant": partial(_own_flags, out="payout_enabled", in_="payin_enabled", open_is=True),
    "fmfwio": partial(_own_flags, out="payout_enabled", in_="payin_enabled", open_is=True),
    "gate": _gate,
    "gateeu": _gate,
    "hitbtc": partial(_own_flags, out="payout_enabled", in_="payin_enabled", open_is=True),
    "kraken": _kraken,
    "whitebit": partial(_own_flags, out="can_withdraw", in_="can_deposit", open_is=True),
}


def main() -> None:
    """Answer until the input ends, which it does with the daemon."""
    out, sys.stdout = sys.stdout, sys.stderr  # what ccxt prints is no answer
    for line in sys.stdin:
        question = json.loads(line)
        out.write(f"{question['number']} {json.dumps(answer(question))}\n")
        out.flush()


if __name__ == "__main__":
    main()
