"""HTX's signed deposit and withdrawal records (htx.com/opend: authentication, wallet, common errors)."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

from monitor.clock import Clock
from tests.venues import (
    Dialect,
    Keys,
    Limit,
    Progress,
    Received,
    RefusedError,
    Reply,
    Venue,
    Withdrawal,
    milliseconds,
)

TIME = "/v1/common/timestamp"
HISTORY = "/v1/query/deposit-withdraw"

STATE = {Progress.PENDING: "submitted", Progress.SENT: "confirmed", Progress.FAILED: "wallet-reject"}
CLOCK_TOLERANCE = timedelta(minutes=5)


def htx(keys: Keys, clock: Clock | None = None) -> Venue:
    """Withdrawals are named like ("usdt", "trc20usdt")."""
    paths = {("GET", TIME): _time, ("GET", HISTORY): _history}
    return Venue(keys, Dialect(paths=paths, admit=_admit), clock)


def _admit(venue: Venue, _got: Received) -> None:
    if venue.limit is not Limit.NONE:
        raise _refusal("too-many-request", "Too many requests", status=429)


def _refusal(code: str, message: str, *, status: int = 200) -> RefusedError:
    body = {"status": "error", "err-code": code, "err-msg": message, "data": None}
    return RefusedError(Reply(body=body, status=status, code=code))


def _not_valid(why: str) -> RefusedError:
    return _refusal("api-signature-not-valid", f"Signature not valid: {why}")


def _check_signed(venue: Venue, got: Received) -> None:
    query = got.query()
    if (query.get("SignatureMethod"), query.get("SignatureVersion")) != ("HmacSHA256", "2"):
        raise _not_valid("Incorrect signature method or version [签名方法错误]")
    if query.get("AccessKeyId") != venue.keys.key:
        raise _not_valid("Incorrect Access key [Access key错误]")
    _check_time(venue, query.get("Timestamp", ""))
    if query.get("Signature", "") not in _signatures(venue, got):
        raise _not_valid("Verification failure [校验失败]")


def _check_time(venue: Venue, sent: str) -> None:
    """UTC to the second, without a zone: 2017-05-11T15:19:30."""
    wrong = _not_valid("Invalid submission time or incorrect time format [无效的提交时间\uff0c或时间格式错误]")
    try:
        at = datetime.strptime(sent, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise wrong from error
    if abs(venue.now() - at) > CLOCK_TOLERANCE:
        raise wrong


def _signatures(venue: Venue, got: Received) -> list[str]:
    """Method, host in lower case, path, and the encoded parameters in ASCII order, a line each.

    Documentation has no host with a port, so the host counts with and without the port of the test's socket.
    """
    pairs = sorted((name, value) for name, value in got.query().items() if name != "Signature")
    parameters = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    host = got.headers["Host"].lower()
    lines = [(got.method, name, got.path, parameters) for name in (host, urlsplit(f"//{host}").hostname or "")]
    secret = venue.keys.secret.encode()
    return [base64.b64encode(hmac.digest(secret, "\n".join(one).encode(), hashlib.sha256)).decode() for one in lines]


def _time(venue: Venue, _got: Received) -> Reply:
    return Reply(body={"status": "ok", "data": venue.milliseconds()})


def _history(venue: Venue, got: Received) -> Reply:
    """`type` is required."""
    _check_signed(venue, got)
    query = got.query()
    if query.get("type") not in ("deposit", "withdraw"):
        raise _refusal("validation-constraints-required", "Field is missing: type.")
    size = min(int(query.get("size", "100")), 500)
    found = venue.newest_withdrawals(asset=query.get("currency"), since=None, until=None, limit=size)
    return Reply(body={"status": "ok", "data": [_record(one) for one in found] if query["type"] == "withdraw" else []})


def _record(withdrawal: Withdrawal) -> dict[str, object]:
    """Amounts and fees are JSON numbers."""
    record: dict[str, object] = {
        "id": 45_182_000 + withdrawal.number,
        "type": "withdraw",
        "sub-type": "NORMAL",
        "currency": withdrawal.asset,
        "chain": withdrawal.network,
        "tx-hash": withdrawal.txid().removeprefix("0x"),
        "amount": float(withdrawal.amount),
        "from-addr-tag": "",
        "address": withdrawal.address,
        "address-tag": "",
        "fee": 1,
        "state": STATE[withdrawal.progress],
        "created-at": milliseconds(withdrawal.requested_at),
        "updated-at": milliseconds(withdrawal.changed_at()),
    }
    if withdrawal.progress is Progress.FAILED:
        record |= {"error-code": "wallet-error", "error-msg": "The wallet refused the address"}
    return record
