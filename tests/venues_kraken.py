"""Kraken Spot's public assets and signed read-only endpoints (docs.kraken.com: rest authentication, funding, account).

Errors come inside a 200, and a key needs the permissions its endpoint names: `WithdrawMethods` needs withdraw-funds.
"""

import base64
import hashlib
import hmac
from urllib.parse import parse_qsl

import msgspec

from monitor.clock import Clock
from tests.venues import (
    Dialect,
    Keys,
    Limit,
    Progress,
    Rail,
    Received,
    RefusedError,
    Reply,
    Right,
    Venue,
    Withdrawal,
    milliseconds,
    moment,
)

TIME = "/0/public/Time"
ASSETS = "/0/public/Assets"
KEY_INFO = "/0/private/GetApiKeyInfo"
METHODS = "/0/private/WithdrawMethods"
STATUS = "/0/private/WithdrawStatus"
BALANCES = "/0/private/Balance"

SAID = {Progress.PENDING: "Pending", Progress.SENT: "Success", Progress.FAILED: "Failure"}
ASSET_STATUS = {
    (True, True): "enabled",
    (True, False): "withdrawal_only",
    (False, True): "deposit_only",
    (False, False): "funding_temporarily_disabled",
}
PERMISSIONS = {
    Right.READ: ["query-funds", "query-open-trades", "query-closed-trades", "query-ledger"],
    Right.TRADE: ["modify-trades", "close-trades"],
    Right.WITHDRAW: ["withdraw-funds"],
}


def kraken(keys: Keys, clock: Clock | None = None) -> Venue:
    """Rails are named like ("XXBT", "Bitcoin"); `keys.secret` is base64, as Kraken hands it out."""
    paths = {
        ("GET", TIME): _time,
        ("GET", ASSETS): _assets,
        ("POST", KEY_INFO): _key_info,
        ("POST", METHODS): _methods,
        ("POST", STATUS): _status,
        ("POST", BALANCES): _balances,
    }
    return Venue(keys, Dialect(paths=paths, admit=_admit), clock)


def _admit(venue: Venue, got: Received) -> None:
    match venue.limit:
        case Limit.NONE:
            return
        case Limit.SLOW_DOWN if got.path in (TIME, ASSETS):
            raise _refusal("EGeneral:Too many requests")
        case Limit.SLOW_DOWN:
            raise _refusal("EAPI:Rate limit exceeded")
        case Limit.BANNED:
            raise _refusal("EGeneral:Temporary lockout")


def _refusal(error: str) -> RefusedError:
    return RefusedError(Reply(body={"error": [error]}, code=error))


def _success(result: object) -> Reply:
    return Reply(body={"error": [], "result": result})


def _arguments(got: Received) -> dict[str, str]:
    """The payload: a form, or JSON if it says so."""
    if got.headers.get("Content-Type", "").startswith("application/json"):
        values = msgspec.json.decode(got.body, type=dict[str, str | int | bool])
        return {name: str(value) for name, value in values.items()}
    return dict(parse_qsl(got.body.decode(), keep_blank_values=True))


def _check_signed(venue: Venue, got: Received, arguments: dict[str, str]) -> None:
    """Key, signature, nonce, in this order: a stolen key with a wrong secret must not burn the owner's nonces."""
    if got.headers.get("API-Key") != venue.keys.key:
        raise _refusal("EAPI:Invalid key")
    nonce = arguments.get("nonce", "")
    inner = hashlib.sha256(nonce.encode() + got.body).digest()
    secret = base64.b64decode(venue.keys.secret)
    expected = base64.b64encode(hmac.digest(secret, got.path.encode() + inner, hashlib.sha512)).decode()
    if not hmac.compare_digest(expected, got.headers.get("API-Sign", "")):
        raise _refusal("EAPI:Invalid signature")
    if not nonce.isdecimal() or not venue.last_nonce < int(nonce) < 2**64:
        raise _refusal("EAPI:Invalid nonce")
    venue.last_nonce = int(nonce)


def _permissions(venue: Venue) -> list[str]:
    return [word for right, words in PERMISSIONS.items() if right in venue.rights for word in words]


def _time(venue: Venue, _got: Received) -> Reply:
    now = venue.now()
    return _success({"unixtime": int(now.timestamp()), "rfc1123": f"{now:%a, %d %b %y %H:%M:%S} +0000"})


def _assets(venue: Venue, got: Received) -> Reply:
    """One status an asset: the network cannot be seen here."""
    wanted = got.query().get("asset", "")
    found = {
        asset: _asset(asset, rails)
        for asset, rails in venue.rails_by_asset().items()
        if not wanted or {asset, _altname(asset)} & set(wanted.split(","))
    }
    if not found:
        raise _refusal("EQuery:Unknown asset")
    return _success(found)


def _asset(asset: str, rails: list[Rail]) -> dict[str, object]:
    out, into = any(rail.withdrawals for rail in rails), any(rail.deposits for rail in rails)
    return {
        "aclass": "currency",
        "altname": _altname(asset),
        "decimals": 10,
        "display_decimals": 5,
        "collateral_value": 1.0,
        "status": ASSET_STATUS[out, into],
        "margin_rate": 0.02,
    }


def _altname(asset: str) -> str:
    return asset[1:] if len(asset) == 4 and asset[0] in "XZ" else asset


def _key_info(venue: Venue, got: Received) -> Reply:
    """No permission is needed to ask."""
    _check_signed(venue, got, _arguments(got))
    return _success(
        {
            "apiKeyName": "status watch",
            "apiKey": venue.keys.key,
            "nonce": str(venue.last_nonce),
            "nonceWindow": 0,
            "permissions": _permissions(venue),
            "iban": "AA88 N84G WOAK NMOI",
            "validUntil": "0",
            "queryFrom": "0",
            "queryTo": "0",
            "createdTime": "1772542900",
            "modifiedTime": "1772543095",
            "ipAllowlist": [],
            "lastUsed": str(int(venue.now().timestamp())),
        }
    )


def _methods(venue: Venue, got: Received) -> Reply:
    """A method that is closed is missing."""
    arguments = _arguments(got)
    _check_signed(venue, got, arguments)
    if not {"query-funds", "withdraw-funds"} <= set(_permissions(venue)):
        raise _refusal("EGeneral:Permission denied")
    return _success(
        [
            {"asset": rail.asset, "method": rail.network, "network": rail.network, "minimum": "0.0004"}
            for rail in venue.rails
            if rail.withdrawals
            and arguments.get("asset") in (None, rail.asset, _altname(rail.asset))
            and arguments.get("network") in (None, rail.network)
        ]
    )


def _status(venue: Venue, got: Received) -> Reply:
    """A list; with a `cursor` the list is in an object beside the cursor of the next page."""
    arguments = _arguments(got)
    _check_signed(venue, got, arguments)
    if not {"withdraw-funds", "query-ledger"} & set(_permissions(venue)):
        raise _refusal("EGeneral:Permission denied")
    found = venue.newest_withdrawals(
        asset=None,
        since=moment(_in_milliseconds(arguments.get("start"))),
        until=moment(_in_milliseconds(arguments.get("end"))),
        limit=int(arguments.get("limit", "500")),
    )
    rows = [_record(one) for one in found if arguments.get("asset") in (None, one.asset, _altname(one.asset))]
    if arguments.get("cursor", "false").lower() == "false":
        return _success(rows)
    return _success({"withdrawals": rows, "next_cursor": None})


def _balances(venue: Venue, got: Received) -> Reply:
    """Balances are named like XXBT, or XBT.F for what earns; what is in orders is in them."""
    _check_signed(venue, got, _arguments(got))
    if "query-funds" not in _permissions(venue):
        raise _refusal("EGeneral:Permission denied")
    return _success({one.asset: f"{one.total():.10f}" for one in venue.balances})


def _in_milliseconds(seconds: str | None) -> str | None:
    return None if seconds is None else str(int(float(seconds) * 1000))


def _record(withdrawal: Withdrawal) -> dict[str, object]:
    record: dict[str, object] = {
        "method": withdrawal.network,
        "network": withdrawal.network,
        "aclass": "currency",
        "asset": withdrawal.asset,
        "refid": f"FTQcuak-V6Za8qrWnhzTx67y{withdrawal.number:06d}",
        "txid": withdrawal.txid(),
        "info": withdrawal.address,
        "amount": f"{withdrawal.amount:.8f}",
        "fee": "0.00020000",
        "time": milliseconds(withdrawal.requested_at) // 1000,
        "status": SAID[withdrawal.progress],
        "key": "treasury",
    }
    if withdrawal.progress is Progress.FAILED:
        record["status-prop"] = "canceled"
    return record
