"""KuCoin's signed withdrawal history and balances (kucoin.com/docs-new: authentication, funding, error codes)."""

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

TIME = "/api/v1/timestamp"
HISTORY = "/api/v1/withdrawals"
BALANCES = "/api/v1/accounts"

STATUS = {Progress.PENDING: "PROCESSING", Progress.SENT: "SUCCESS", Progress.FAILED: "FAILURE"}
HEADERS = ("KC-API-KEY", "KC-API-SIGN", "KC-API-TIMESTAMP", "KC-API-PASSPHRASE")
CLOCK_TOLERANCE_MS = 5_000


def kucoin(keys: Keys, clock: Clock | None = None) -> Venue:
    """Withdrawals are named like ("XRP", "xrp")."""
    paths = {("GET", TIME): _time, ("GET", HISTORY): _history, ("GET", BALANCES): _balances}
    return Venue(keys, Dialect(paths=paths, admit=_admit, headers=_headers), clock)


def _admit(venue: Venue, _got: Received) -> None:
    if venue.limit is not Limit.NONE:
        raise _refusal("429000", "Too Many Requests", status=429)


def _headers(venue: Venue, _got: Received) -> dict[str, str]:
    """The reset is in milliseconds."""
    left = "1980" if venue.limit is Limit.NONE else "0"
    reset = str(int(venue.retry_after.total_seconds() * 1000))
    return {"gw-ratelimit-limit": "2000", "gw-ratelimit-remaining": left, "gw-ratelimit-reset": reset}


def _refusal(code: str, message: str, *, status: int = 401) -> RefusedError:
    return RefusedError(Reply(body={"code": code, "msg": message}, status=status, code=code))


def _code(venue: Venue, text: str) -> str:
    return base64.b64encode(hmac.digest(venue.keys.secret.encode(), text.encode(), hashlib.sha256)).decode()


def _check_signed(venue: Venue, got: Received) -> None:
    """Key versions 2 and 3 send the passphrase coded with the secret."""
    if any(not got.headers.get(name) for name in HEADERS):
        raise _refusal("400001", f"Any of {', '.join(HEADERS)} is missing in your request header")
    key, signature, sent, passphrase = (got.headers[name] for name in HEADERS)
    if not sent.isdecimal() or abs(venue.milliseconds() - int(sent)) > CLOCK_TOLERANCE_MS:
        raise _refusal("400002", "KC-API-TIMESTAMP Invalid")
    if key != venue.keys.key:
        raise _refusal("400003", "KC-API-KEY not exists")
    if not hmac.compare_digest(_code(venue, f"{sent}{got.method}{got.target()}{got.body.decode()}"), signature):
        raise _refusal("400005", "Signature error")
    if got.headers.get("KC-API-KEY-VERSION") not in ("2", "3") or passphrase != _code(venue, venue.keys.passphrase):
        raise _refusal("400004", "KC-API-PASSPHRASE error")
    if Right.READ not in venue.rights:
        raise _refusal("400007", "Access denied--Require more permission", status=403)


def _time(venue: Venue, _got: Received) -> Reply:
    return Reply(body={"code": "200000", "msg": "success", "data": venue.milliseconds()})


def _balances(venue: Venue, got: Received) -> Reply:
    """A row an asset and account: what is free is in main here, what is locked on hold for trading."""
    _check_signed(venue, got)
    query = got.query()
    rows = [row for balance in venue.balances for row in _accounts(balance)]
    found = [row for row in rows if query.get("currency", row["currency"]) == row["currency"]]
    return Reply(
        body={"code": "200000", "data": [row for row in found if query.get("type", row["type"]) == row["type"]]}
    )


def _accounts(balance: Balance) -> list[dict[str, str]]:
    free, locked = str(balance.free), str(balance.locked)
    main = {"type": "main", "balance": free, "available": free, "holds": "0"}
    trade = {"type": "trade", "balance": locked, "available": "0", "holds": locked}
    numbered = enumerate((main, trade))
    return [{"id": f"5bd6e9286d99522a52e458d{n}", "currency": balance.asset, **row} for n, row in numbered]


def _history(venue: Venue, got: Received) -> Reply:
    """Pages of 50 unless asked otherwise, 10 to 500."""
    _check_signed(venue, got)
    query = got.query()
    page, size = int(query.get("currentPage", "1")), int(query.get("pageSize", "50"))
    found = venue.newest_withdrawals(
        asset=query.get("currency"),
        since=moment(query.get("startAt")),
        until=moment(query.get("endAt")),
        limit=len(venue.withdrawals),
    )
    chosen = [one for one in found if query.get("status") in (None, STATUS[one.progress])]
    return Reply(
        body={
            "code": "200000",
            "data": {
                "currentPage": page,
                "pageSize": size,
                "totalNum": len(chosen),
                "totalPage": -(-len(chosen) // size),
                "items": [_record(one) for one in chosen[(page - 1) * size : page * size]],
            },
        }
    )


def _record(withdrawal: Withdrawal) -> dict[str, object]:
    return {
        "id": f"63564dbbd17bef00{withdrawal.number:08x}",
        "currency": withdrawal.asset,
        "chain": withdrawal.network,
        "status": STATUS[withdrawal.progress],
        "address": withdrawal.address,
        "memo": "",
        "isInner": False,
        "amount": f"{withdrawal.amount:.8f}",
        "fee": "0.50000000",
        "walletTxId": withdrawal.txid(),
        "createdAt": milliseconds(withdrawal.requested_at),
        "updatedAt": milliseconds(withdrawal.changed_at()),
        "remark": "",
    }
