"""Bitget v2's signed withdrawal records and balances (bitget.com/api-doc: signature, spot account, error codes)."""

import base64
import hashlib
import hmac

from monitor.clock import Clock
from tests.venues import (
    Balance,
    Dialect,
    Keys,
    Limit,
    Progress,
    Received,
    RefusedError,
    Reply,
    Right,
    Venue,
    Withdrawal,
    milliseconds,
    moment,
)

TIME = "/api/v2/public/time"
HISTORY = "/api/v2/spot/wallet/withdrawal-records"
BALANCES = "/api/v2/spot/account/assets"

STATUS = {Progress.PENDING: "pending", Progress.SENT: "success", Progress.FAILED: "fail"}
REQUEST_LIFE_MS = 30_000


def bitget(keys: Keys, clock: Clock | None = None) -> Venue:
    """Withdrawals are named like ("USDT", "erc20")."""
    paths = {("GET", TIME): _time, ("GET", HISTORY): _history, ("GET", BALANCES): _balances}
    return Venue(keys, Dialect(paths=paths, admit=_admit), clock)


def _admit(venue: Venue, _got: Received) -> None:
    if venue.limit is not Limit.NONE:
        raise _refusal(venue, "429", "Too Many Requests", status=429)


def _refusal(venue: Venue, code: str, message: str, *, status: int = 400) -> RefusedError:
    body = {"code": code, "msg": message, "requestTime": venue.milliseconds(), "data": None}
    return RefusedError(Reply(body=body, status=status, code=code))


def _success(venue: Venue, data: object) -> Reply:
    return Reply(body={"code": "00000", "msg": "success", "requestTime": venue.milliseconds(), "data": data})


def _check_signed(venue: Venue, got: Received) -> None:
    for code, name in (
        ("40001", "ACCESS-KEY"),
        ("40002", "ACCESS-SIGN"),
        ("40005", "ACCESS-TIMESTAMP"),
        ("40011", "ACCESS-PASSPHRASE"),
    ):
        if not got.headers.get(name):
            raise _refusal(venue, code, f"{name.replace('-', '_')} cannot be empty")
    sent = got.headers["ACCESS-TIMESTAMP"]
    if not sent.isdecimal():
        raise _refusal(venue, "40005", "Invalid ACCESS_TIMESTAMP")
    if abs(venue.milliseconds() - int(sent)) > REQUEST_LIFE_MS:
        raise _refusal(venue, "40008", "Request timestamp expired")
    if got.headers["ACCESS-KEY"] != venue.keys.key:
        raise _refusal(venue, "40006", "Invalid ACCESS_KEY")
    signed = f"{sent}{got.method}{got.target()}".encode() + got.body
    expected = base64.b64encode(hmac.digest(venue.keys.secret.encode(), signed, hashlib.sha256)).decode()
    if not hmac.compare_digest(expected, got.headers["ACCESS-SIGN"]):
        raise _refusal(venue, "40009", "sign signature error")
    if got.headers["ACCESS-PASSPHRASE"] != venue.keys.passphrase:
        raise _refusal(venue, "40012", "apikey/password is incorrect")
    if Right.READ not in venue.rights:
        raise _refusal(venue, "40014", "Incorrect permissions, need read permissions")


def _time(venue: Venue, _got: Received) -> Reply:
    return _success(venue, {"serverTime": str(venue.milliseconds())})


def _balances(venue: Venue, got: Received) -> Reply:
    """What is zero is not listed, unless `assetType=all` asks for it."""
    _check_signed(venue, got)
    query = got.query()
    is_all = query.get("assetType") == "all"
    held = [one for one in venue.balances if query.get("coin", one.asset) == one.asset]
    return _success(venue, [_balance(venue, one) for one in held if is_all or one.total() != 0])


def _balance(venue: Venue, balance: Balance) -> dict[str, str]:
    return {
        "coin": balance.asset,
        "available": str(balance.free),
        "frozen": str(balance.locked),
        "locked": "0",
        "limitAvailable": "0",
        "uTime": str(venue.milliseconds()),
    }


def _history(venue: Venue, got: Received) -> Reply:
    """`startTime` and `endTime` are required."""
    _check_signed(venue, got)
    query = got.query()
    for name in ("startTime", "endTime"):
        if not query.get(name):
            raise _refusal(venue, "40019", f"Parameter {name} cannot be empty")
    found = venue.newest_withdrawals(
        asset=query.get("coin"),
        since=moment(query["startTime"]),
        until=moment(query["endTime"]),
        limit=min(int(query.get("limit", "20")), 100),
    )
    return _success(venue, [_record(one) for one in found])


def _record(withdrawal: Withdrawal) -> dict[str, str]:
    """`tradeId` is the transaction of a withdrawal on chain."""
    return {
        "orderId": str(1_100_000_000 + withdrawal.number),
        "tradeId": withdrawal.txid(),
        "coin": withdrawal.asset,
        "dest": "on_chain",
        "clientOid": "",
        "type": "withdraw",
        "tag": "",
        "size": f"{withdrawal.amount:.8f}",
        "fee": "-1.00000000",
        "status": STATUS[withdrawal.progress],
        "toAddress": withdrawal.address,
        "fromAddress": "",
        "confirm": "12",
        "chain": withdrawal.network,
        "cTime": str(milliseconds(withdrawal.requested_at)),
        "uTime": str(milliseconds(withdrawal.changed_at())),
    }
