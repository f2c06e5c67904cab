"""Binance's signed read-only endpoints (developers.binance.com: wallet, rest-api, errors)."""

import hashlib
import hmac
from collections import Counter
from datetime import timedelta
from decimal import Decimal, InvalidOperation

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
    moment,
)

TIME = "/api/v3/time"
RIGHTS = "/sapi/v1/account/apiRestrictions"
COINS = "/sapi/v1/capital/config/getall"
HISTORY = "/sapi/v1/capital/withdraw/history"

COST = {TIME: 1, RIGHTS: 1, COINS: 10, HISTORY: 18_000}
# The history is counted by account, in units a hundred times smaller than the rest, which is counted by address.
ALLOWANCE = {TIME: 6_000, RIGHTS: 12_000, COINS: 12_000, HISTORY: 180_000}
HEADER = {
    TIME: "X-MBX-USED-WEIGHT-1M",
    RIGHTS: "X-SAPI-USED-IP-WEIGHT-1M",
    COINS: "X-SAPI-USED-IP-WEIGHT-1M",
    HISTORY: "X-SAPI-USED-UID-WEIGHT-1M",
}
STATUS = {Progress.PENDING: 4, Progress.SENT: 6, Progress.FAILED: 3}
LONGEST_HISTORY = timedelta(days=90)


def binance(keys: Keys, clock: Clock | None = None) -> Venue:
    """Rails are named like ("USDT", "ETH")."""
    meter = _Meter()
    paths = {("GET", TIME): _time, ("GET", RIGHTS): _rights, ("GET", COINS): _coins, ("GET", HISTORY): _history}
    return Venue(keys, Dialect(paths=paths, admit=meter.admit, headers=meter.headers), clock)


class _Meter:
    """Request weight of the running minute; every SAPI endpoint has its own."""

    def __init__(self) -> None:
        self._used: Counter[tuple[int, str]] = Counter()

    def admit(self, venue: Venue, got: Received) -> None:
        slot = self._slot(venue, got)
        self._used[slot] += COST[got.path]
        if venue.limit is Limit.BANNED:
            until = venue.milliseconds() + int(venue.retry_after.total_seconds() * 1000)
            raise _hurried(venue, 418, f"Way too much request weight used; IP banned until {until}.")
        used = self._used[slot] + venue.weight_of_others
        if venue.limit is Limit.SLOW_DOWN or used > ALLOWANCE[got.path]:
            allowed = f"current limit is {ALLOWANCE[got.path]} request weight per 1 MINUTE."
            raise _hurried(venue, 429, f"Too much request weight used; {allowed}")

    def headers(self, venue: Venue, got: Received) -> dict[str, str]:
        if got.path not in COST:
            return {}
        return {HEADER[got.path]: str(self._used[self._slot(venue, got)] + venue.weight_of_others)}

    def _slot(self, venue: Venue, got: Received) -> tuple[int, str]:
        return venue.milliseconds() // 60_000, got.path


def _hurried(venue: Venue, status: int, message: str) -> RefusedError:
    """429 and 418 both carry Retry-After, in seconds."""
    return _refusal(-1003, message, status=status, headers={"Retry-After": str(int(venue.retry_after.total_seconds()))})


def _refusal(code: int, message: str, *, status: int = 400, headers: dict[str, str] | None = None) -> RefusedError:
    return RefusedError(
        Reply(body={"code": code, "msg": message}, status=status, headers=headers or {}, code=str(code))
    )


def _check_signed(venue: Venue, got: Received) -> None:
    if "X-MBX-APIKEY" not in got.headers:
        raise _refusal(-2014, "API-key format invalid.", status=401)
    query = got.query()
    for name in ("timestamp", "signature"):
        if not query.get(name):
            raise _refusal(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
    _check_time(venue, query)
    if got.headers["X-MBX-APIKEY"] != venue.keys.key or Right.READ not in venue.rights:
        raise _refusal(-2015, "Invalid API-key, IP, or permissions for action.", status=401)
    signed = "&".join(part for part in got.query_string.split("&") if not part.startswith("signature="))
    expected = hmac.new(venue.keys.secret.encode(), signed.encode() + got.body, hashlib.sha256).hexdigest()
    # Documented as not case sensitive.
    if not hmac.compare_digest(expected, query["signature"].lower()):
        raise _refusal(-1022, "Signature for this request is not valid.")


def _check_time(venue: Venue, query: dict[str, str]) -> None:
    try:
        window, sent = Decimal(query.get("recvWindow", "5000")), int(query["timestamp"])
    except (InvalidOperation, ValueError) as error:
        raise _refusal(-1100, "Illegal characters found in parameter 'timestamp'.") from error
    if window > 60_000:
        raise _refusal(-1131, "recvWindow must be less than 60000")
    now = venue.milliseconds()
    if sent >= now + 1000:
        raise _refusal(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now - sent > window:
        raise _refusal(-1021, "Timestamp for this request is outside of the recvWindow.")


def _time(venue: Venue, _got: Received) -> Reply:
    return Reply(body={"serverTime": venue.milliseconds()})


def _rights(venue: Venue, got: Received) -> Reply:
    _check_signed(venue, got)
    trade = Right.TRADE in venue.rights
    return Reply(
        body={
            "ipRestrict": True,
            "createTime": 1_698_645_219_000,
            "enableReading": True,
            "enableWithdrawals": Right.WITHDRAW in venue.rights,
            "enableInternalTransfer": False,
            "enableMargin": False,
            "enableFutures": False,
            "permitsUniversalTransfer": False,
            "enableVanillaOptions": False,
            "enableFixApiTrade": False,
            "enableFixReadOnly": False,
            "enableSpotAndMarginTrading": trade,
            "enablePortfolioMarginTrading": False,
        }
    )


def _coins(venue: Venue, got: Received) -> Reply:
    _check_signed(venue, got)
    rails = venue.rails_by_asset()
    balances = {balance.asset: balance for balance in venue.balances}
    return Reply(
        body=[
            _coin(asset, rails.get(asset, []), balances.get(asset, Balance(asset=asset)))
            for asset in sorted(rails.keys() | balances.keys())
        ]
    )


def _coin(asset: str, rails: list[Rail], balance: Balance) -> dict[str, object]:
    """The balance is the spot wallet's."""
    return {
        "coin": asset,
        "depositAllEnable": any(rail.deposits for rail in rails),
        "withdrawAllEnable": any(rail.withdrawals for rail in rails),
        "name": asset.title(),
        "free": str(balance.free),
        "locked": str(balance.locked),
        "freeze": "0",
        "withdrawing": "0",
        "ipoing": "0",
        "ipoable": "0",
        "storage": "0",
        "isLegalMoney": False,
        "trading": True,
        "networkList": [_network(rail, is_default=rail is rails[0]) for rail in rails],
    }


def _network(rail: Rail, *, is_default: bool) -> dict[str, object]:
    network: dict[str, object] = {
        "network": rail.network,
        "coin": rail.asset,
        "withdrawIntegerMultiple": "0.00000001",
        "isDefault": is_default,
        "depositEnable": rail.deposits,
        "withdrawEnable": rail.withdrawals,
        "specialTips": "",
        "specialWithdrawTips": "",
        "name": f"{rail.network} network",
        "resetAddressStatus": False,
        "addressRegex": "^(0x)[0-9A-Fa-f]{40}$",
        "memoRegex": "",
        "withdrawFee": "0.00035",
        "withdrawMin": "0.0015",
        "withdrawMax": "9999999",
        "withdrawInternalMin": "0.00000001",
        "depositDust": "0.00000001",
        "minConfirm": 12,
        "unLockConfirm": 64,
        "sameAddress": False,
        "withdrawTag": False,
        "estimatedArrivalTime": 5,
        "busy": False,
        "contractAddressUrl": "https://etherscan.io/address/",
        "contractAddress": "",
        "denomination": 1,
    }
    # Documented as shown only while that direction is closed.
    if not rail.deposits:
        network["depositDesc"] = "Wallet Maintenance, Deposit Suspended"
    if not rail.withdrawals:
        network["withdrawDesc"] = "Wallet Maintenance, Withdrawal Suspended"
    return network


def _history(venue: Venue, got: Received) -> Reply:
    _check_signed(venue, got)
    query = got.query()
    until = moment(query.get("endTime")) or venue.now()
    since = moment(query.get("startTime")) or until - LONGEST_HISTORY
    if until - since > LONGEST_HISTORY:
        raise _refusal(-1127, "More than 2160 hours between startTime and endTime.")
    limit = min(int(query.get("limit", "1000")), 1000)
    found = venue.newest_withdrawals(asset=query.get("coin"), since=since, until=until, limit=limit)
    wanted = query.get("status")
    return Reply(body=[_record(one) for one in found if wanted is None or STATUS[one.progress] == int(wanted)])


def _record(withdrawal: Withdrawal) -> dict[str, object]:
    record: dict[str, object] = {
        "id": f"b6ae22b3aa844210a7041a{withdrawal.number:010d}",
        "amount": f"{withdrawal.amount:.8f}",
        "transactionFee": "0.00035",
        "coin": withdrawal.asset,
        "status": STATUS[withdrawal.progress],
        "address": withdrawal.address,
        "txId": withdrawal.txid(),
        "applyTime": f"{withdrawal.requested_at:%Y-%m-%d %H:%M:%S}",
        "network": withdrawal.network,
        "transferType": 0,
        "info": "",
        "confirmNo": 3,
        "walletType": 0,
        "txKey": "",
    }
    match withdrawal.progress:
        case Progress.SENT:
            record["completeTime"] = f"{withdrawal.changed_at():%Y-%m-%d %H:%M:%S}"
        case Progress.FAILED:
            record["info"] = "The address is not valid. Please confirm with the recipient"
        case Progress.PENDING:
            record["confirmNo"] = 0
    return record
