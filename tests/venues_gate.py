"""Gate's signed withdrawals and balances (gate.com/docs/developers/apiv4: authentication, wallet, error labels)."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

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
)

TIME = "/api/v4/spot/time"
HISTORY = "/api/v4/wallet/withdrawals"
BALANCES = "/api/v4/spot/accounts"

STATUS = {Progress.PENDING: "PROCES", Progress.SENT: "DONE", Progress.FAILED: "CANCEL"}
CLOCK_TOLERANCE_SECONDS = 60
USUAL_HISTORY = timedelta(days=7)
LONGEST_HISTORY = timedelta(days=30)


def gate(keys: Keys, clock: Clock | None = None) -> Venue:
    """Withdrawals are named like ("USDT", "TRX")."""
    paths = {("GET", TIME): _time, ("GET", HISTORY): _history, ("GET", BALANCES): _balances}
    return Venue(keys, Dialect(paths=paths, admit=_admit, headers=_headers), clock)


def _admit(venue: Venue, _got: Received) -> None:
    if venue.limit is not Limit.NONE:
        raise _refusal("TOO_MANY_REQUESTS", "Request Rate limit Exceeded", status=429)


def _headers(venue: Venue, _got: Received) -> dict[str, str]:
    reset = int((venue.now() + venue.retry_after).timestamp())
    return {
        "X-Gate-RateLimit-Requests-Remain": "199" if venue.limit is Limit.NONE else "0",
        "X-Gate-RateLimit-Limit": "200",
        "X-Gate-RateLimit-Reset-Timestamp": str(reset),
    }


def _refusal(label: str, message: str, *, status: int = 401) -> RefusedError:
    return RefusedError(Reply(body={"label": label, "message": message}, status=status, code=label))


def _check_signed(venue: Venue, got: Received) -> None:
    """Method, path, query string, SHA-512 of the body and time, a line each."""
    for name in ("KEY", "Timestamp", "SIGN"):
        if not got.headers.get(name):
            raise _refusal("MISSING_REQUIRED_HEADER", f"Missing required header: {name}", status=400)
    sent = got.headers["Timestamp"]
    if not sent.isdecimal() or abs(venue.now().timestamp() - int(sent)) > CLOCK_TOLERANCE_SECONDS:
        raise _refusal("REQUEST_EXPIRED", "gap between request Timestamp and server time exceeds 60", status=403)
    if got.headers["KEY"] != venue.keys.key:
        raise _refusal("INVALID_KEY", "Invalid key provided")
    digest = hashlib.sha512(got.body).hexdigest()
    signed = "\n".join((got.method, got.path, got.query_string, digest, sent))
    expected = hmac.new(venue.keys.secret.encode(), signed.encode(), hashlib.sha512).hexdigest()
    if not hmac.compare_digest(expected, got.headers["SIGN"]):
        raise _refusal("INVALID_SIGNATURE", "Signature mismatch")
    if Right.READ not in venue.rights:
        raise _refusal("FORBIDDEN", "API key has no permission to access this resource", status=403)


def _time(venue: Venue, _got: Received) -> Reply:
    return Reply(body={"server_time": venue.milliseconds()})


def _balances(venue: Venue, got: Received) -> Reply:
    _check_signed(venue, got)
    wanted = got.query().get("currency")
    return Reply(body=[_balance(one) for one in venue.balances if wanted in (None, one.asset)])


def _balance(balance: Balance) -> dict[str, object]:
    return {
        "currency": balance.asset,
        "available": str(balance.free),
        "locked": str(balance.locked),
        "update_id": 98,
        "refresh_time": 0,
    }


def _history(venue: Venue, got: Received) -> Reply:
    """Seven days unless asked otherwise, 30 at most; bounds are Unix seconds."""
    _check_signed(venue, got)
    query = got.query()
    until = _seconds(query.get("to")) or venue.now()
    since = _seconds(query.get("from")) or until - USUAL_HISTORY
    if until - since > LONGEST_HISTORY:
        raise _refusal("INVALID_PARAM_VALUE", "time range must not exceed 30 days", status=400)
    limit, offset = int(query.get("limit", "100")), int(query.get("offset", "0"))
    found = venue.newest_withdrawals(asset=query.get("currency"), since=since, until=until, limit=offset + limit)
    return Reply(body=[_record(one) for one in found[offset:]])


def _seconds(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromtimestamp(int(text), UTC)


def _record(withdrawal: Withdrawal) -> dict[str, str]:
    """DONE counts as done once there is a block."""
    return {
        "id": f"w{210_000 + withdrawal.number}",
        "timestamp": str(int(withdrawal.requested_at.timestamp())),
        "withdraw_order_id": "",
        "currency": withdrawal.asset,
        "address": withdrawal.address,
        "txid": withdrawal.txid(),
        "block_number": "41575382" if withdrawal.progress is Progress.SENT else "0",
        "amount": str(withdrawal.amount),
        "fee": "0.01",
        "memo": "",
        "status": STATUS[withdrawal.progress],
        "chain": withdrawal.network,
    }
