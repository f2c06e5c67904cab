"""OKX's signed read-only endpoints (okx.com/docs-v5: overview, funding account, account, error codes)."""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta

from monitor.clock import Clock
from tests.venues import (
    Balance,
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

TIME = "/api/v5/public/time"
CONFIG = "/api/v5/account/config"
CURRENCIES = "/api/v5/asset/currencies"
BALANCES = "/api/v5/asset/balances"
HISTORY = "/api/v5/asset/withdrawal-history"

REQUEST_LIFE = timedelta(seconds=30)
STATE = {Progress.PENDING: "0", Progress.SENT: "2", Progress.FAILED: "-1"}
PERMISSION = {Right.READ: "read_only", Right.WITHDRAW: "withdraw", Right.TRADE: "trade"}


def okx(keys: Keys, clock: Clock | None = None) -> Venue:
    """Rails are named like ("USDT", "USDT-ERC20")."""
    paths = {
        ("GET", TIME): _time,
        ("GET", CONFIG): _config,
        ("GET", CURRENCIES): _currencies,
        ("GET", HISTORY): _history,
        ("GET", BALANCES): _balances,
    }
    return Venue(keys, Dialect(paths=paths, admit=_admit), clock)


def _admit(venue: Venue, _got: Received) -> None:
    """A Retry-After is not documented and not sent."""
    if venue.limit is not Limit.NONE:
        raise _refusal("50011", "Too Many Requests", status=429)


def _refusal(code: str, message: str, *, status: int = 401) -> RefusedError:
    return RefusedError(Reply(body={"msg": message, "code": code}, status=status, code=code))


def _success(data: list[dict[str, object]]) -> Reply:
    return Reply(body={"code": "0", "msg": "", "data": data})


def _check_signed(venue: Venue, got: Received) -> None:
    for code, name in (
        ("50103", "OK-ACCESS-KEY"),
        ("50104", "OK-ACCESS-PASSPHRASE"),
        ("50106", "OK-ACCESS-SIGN"),
        ("50107", "OK-ACCESS-TIMESTAMP"),
    ):
        if not got.headers.get(name):
            raise _refusal(code, f'Request header "{name}" cannot be empty.')
    sent = got.headers["OK-ACCESS-TIMESTAMP"]
    _check_time(venue, sent)
    if got.headers["OK-ACCESS-KEY"] != venue.keys.key:
        raise _refusal("50111", "Invalid OK-ACCESS-KEY.")
    signed = f"{sent}{got.method}{got.target()}".encode() + got.body
    expected = base64.b64encode(hmac.digest(venue.keys.secret.encode(), signed, hashlib.sha256)).decode()
    if not hmac.compare_digest(expected, got.headers["OK-ACCESS-SIGN"]):
        raise _refusal("50113", "Invalid signature.")
    if got.headers["OK-ACCESS-PASSPHRASE"] != venue.keys.passphrase:
        raise _refusal("50105", 'Request header "OK-ACCESS-PASSPHRASE" incorrect.')
    if Right.READ not in venue.rights:
        raise _refusal("50120", "This API key doesn't have permission to use this function", status=200)


def _check_time(venue: Venue, sent: str) -> None:
    """Milliseconds and a Z are part of the documented form: 2020-12-08T09:08:57.715Z."""
    try:
        at = datetime.strptime(sent, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=venue.now().tzinfo)
    except ValueError as error:
        raise _refusal("50112", "Invalid OK-ACCESS-TIMESTAMP.") from error
    if abs(venue.now() - at) > REQUEST_LIFE:
        raise _refusal("50102", "Timestamp request expired.")


def _time(venue: Venue, _got: Received) -> Reply:
    return _success([{"ts": str(venue.milliseconds())}])


def _config(venue: Venue, got: Received) -> Reply:
    _check_signed(venue, got)
    config: dict[str, object] = {
        "acctLv": "2",
        "acctStpMode": "cancel_maker",
        "autoLoan": False,
        "ctIsoMode": "automatic",
        "enableSpotBorrow": False,
        "greeksType": "PA",
        "feeType": "0",
        "ip": "",
        "type": "0",
        "kycLv": "3",
        "label": "status watch",
        "level": "Lv1",
        "levelTmp": "",
        "liquidationGear": "-1",
        "mainUid": "44705892343619584",
        "mgnIsoMode": "automatic",
        "opAuth": "1",
        "perm": ",".join(word for right, word in PERMISSION.items() if right in venue.rights),
        "posMode": "long_short_mode",
        "roleType": "0",
        "spotBorrowAutoRepay": False,
        "spotOffsetType": "",
        "spotRoleType": "0",
        "spotTraderInsts": [],
        "stgyType": "0",
        "traderInsts": [],
        "uid": "44705892343619584",
        "settleCcy": "USDC",
        "settleCcyList": ["USD", "USDC", "USDG"],
    }
    return _success([config])


def _currencies(venue: Venue, got: Received) -> Reply:
    """`ccy` may name up to 20, separated by commas."""
    _check_signed(venue, got)
    wanted = got.query().get("ccy", "")
    return _success([_currency(rail) for rail in venue.rails if not wanted or rail.asset in wanted.split(",")])


def _currency(rail: Rail) -> dict[str, object]:
    return {
        "burningFeeRate": "",
        "canDep": rail.deposits,
        "canInternal": True,
        "canWd": rail.withdrawals,
        "ccy": rail.asset,
        "chain": rail.network,
        "ctAddr": "",
        "depEstOpenTime": "" if rail.deposits else "1767225600000",
        "depQuotaFixed": "",
        "depQuoteDailyLayer2": "",
        "fee": "0.00005",
        "logoLink": f"https://static.coinall.ltd/cdn/oksupport/asset/currency/icon/{rail.asset.lower()}.png",
        "mainNet": True,
        "maxFee": "0.00005",
        "maxFeeForCtAddr": "",
        "maxWd": "500",
        "minDep": "0.0005",
        "minDepArrivalConfirm": "1",
        "minFee": "0.00005",
        "minFeeForCtAddr": "",
        "minInternal": "0.0001",
        "minWd": "0.0005",
        "minWdUnlockConfirm": "2",
        "name": rail.asset.title(),
        "needTag": False,
        "usedDepQuotaFixed": "",
        "usedWdQuota": "0",
        "wdEstOpenTime": "" if rail.withdrawals else "1767225600000",
        "wdQuota": "10000000",
        "wdTickSz": "8",
    }


def _balances(venue: Venue, got: Received) -> Reply:
    """Of the funding account. What is zero is not listed."""
    _check_signed(venue, got)
    wanted = got.query().get("ccy", "")
    held = [one for one in venue.balances if not wanted or one.asset in wanted.split(",")]
    return _success([_balance(one) for one in held if one.total() != 0])


def _balance(balance: Balance) -> dict[str, object]:
    return {
        "availBal": str(balance.free),
        "bal": str(balance.total()),
        "ccy": balance.asset,
        "frozenBal": str(balance.locked),
    }


def _history(venue: Venue, got: Received) -> Reply:
    """`after` asks for what is older than it, `before` for what is newer."""
    _check_signed(venue, got)
    query = got.query()
    found = venue.newest_withdrawals(
        asset=query.get("ccy"),
        since=moment(query.get("before")),
        until=moment(query.get("after")),
        limit=min(int(query.get("limit", "100")), 100),
    )
    wanted = query.get("state")
    return _success([_record(one) for one in found if wanted is None or STATE[one.progress] == wanted])


def _record(withdrawal: Withdrawal) -> dict[str, object]:
    return {
        "note": "",
        "chain": withdrawal.network,
        "fee": "0.00005",
        "feeCcy": withdrawal.asset,
        "ccy": withdrawal.asset,
        "clientId": "",
        "toAddrType": "1",
        "amt": str(withdrawal.amount),
        "txId": withdrawal.txid(),
        "from": "",
        "areaCodeFrom": "",
        "to": withdrawal.address,
        "areaCodeTo": "",
        "state": STATE[withdrawal.progress],
        "ts": str(milliseconds(withdrawal.requested_at)),
        "nonTradableAsset": False,
        "wdId": str(15_447_000 + withdrawal.number),
    }
