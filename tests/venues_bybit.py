"""Bybit v5's signed read-only endpoints (bybit-exchange.github.io/docs/v5: guide, user, asset, rate limit, error)."""

import hashlib
import hmac
from datetime import timedelta

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

TIME = "/v5/market/time"
KEY_INFO = "/v5/user/query-api"
COINS = "/v5/asset/coin/query-info"
HISTORY = "/v5/asset/withdraw/query-record"
BALANCES = "/v5/asset/transfer/query-account-coins-balance"

STATUS = {Progress.PENDING: "Pending", Progress.SENT: "success", Progress.FAILED: "Fail"}
LONGEST_HISTORY = timedelta(days=30)


def bybit(keys: Keys, clock: Clock | None = None) -> Venue:
    """Rails are named like ("USDT", "ETH")."""
    paths = {
        ("GET", TIME): _time,
        ("GET", KEY_INFO): _key_info,
        ("GET", COINS): _coins,
        ("GET", HISTORY): _history,
        ("GET", BALANCES): _balances,
    }
    return Venue(keys, Dialect(paths=paths, admit=_admit, headers=_headers), clock)


def _admit(venue: Venue, _got: Received) -> None:
    """An account over its pace hears 10006 inside a 200; an address over the IP limit hears 403 for ten minutes."""
    match venue.limit:
        case Limit.NONE:
            return
        case Limit.SLOW_DOWN:
            raise _refusal(venue, 10006, "Too many visits. Exceeded the API Rate Limit.")
        case Limit.BANNED:
            raise RefusedError(Reply(body="access too frequent", status=403, code="403"))


def _headers(venue: Venue, _got: Received) -> dict[str, str]:
    left = 4 if venue.limit is Limit.NONE else 0
    return {
        "X-Bapi-Limit": "5",
        "X-Bapi-Limit-Status": str(left),
        "X-Bapi-Limit-Reset-Timestamp": str(venue.milliseconds() + (0 if left else 1000)),
    }


def _envelope(venue: Venue, *, code: int, message: str, result: object) -> dict[str, object]:
    return {"retCode": code, "retMsg": message, "result": result, "retExtInfo": {}, "time": venue.milliseconds()}


def _success(venue: Venue, result: object, message: str = "success") -> Reply:
    return Reply(body=_envelope(venue, code=0, message=message, result=result))


def _refusal(venue: Venue, code: int, message: str) -> RefusedError:
    return RefusedError(Reply(body=_envelope(venue, code=code, message=message, result={}), code=str(code)))


def _check_signed(venue: Venue, got: Received) -> None:
    sent, key = got.headers.get("X-BAPI-TIMESTAMP", ""), got.headers.get("X-BAPI-API-KEY", "")
    signature, window = got.headers.get("X-BAPI-SIGN", ""), got.headers.get("X-BAPI-RECV-WINDOW", "5000")
    if not (sent.isdecimal() and window.isdecimal() and key and signature):
        raise _refusal(venue, 10001, f"empty value: apiTimestamp[{sent}] apiKey[{key}] apiSignature[{signature}]")
    now = venue.milliseconds()
    if not now - int(window) <= int(sent) < now + 1000:
        told = f"req_timestamp[{sent}],server_timestamp[{now}],recv_window[{window}]"
        raise _refusal(venue, 10002, f"The request time exceeds the time window range. {told}")
    if key != venue.keys.key:
        raise _refusal(venue, 10003, "API key is invalid.")
    # Without the header, the window is no part of what is signed.
    signed = f"{sent}{key}{got.headers.get('X-BAPI-RECV-WINDOW', '')}{got.query_string}".encode() + got.body
    expected = hmac.new(venue.keys.secret.encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, signature):
        raise _refusal(venue, 10004, "Error sign, please check your signature generation algorithm.")


def _check_may_read(venue: Venue) -> None:
    if Right.READ not in venue.rights:
        raise _refusal(venue, 10005, "Permission denied, please check your API key permissions.")


def _time(venue: Venue, _got: Received) -> Reply:
    now = venue.milliseconds()
    return _success(venue, {"timeSecond": str(now // 1000), "timeNano": str(now * 1_000_000)}, "OK")


def _key_info(venue: Venue, got: Received) -> Reply:
    """Any permission may ask. `readOnly` rules over the scopes, which name what the key may look at or touch."""
    _check_signed(venue, got)
    may_write = bool(venue.rights & {Right.TRADE, Right.WITHDRAW})
    wallet = ["AccountTransfer", "SubMemberTransfer"] + (["Withdraw"] if Right.WITHDRAW in venue.rights else [])
    return _success(
        venue,
        {
            "id": "13770661",
            "note": "status watch",
            "apiKey": venue.keys.key,
            "readOnly": 0 if may_write else 1,
            "secret": "",
            "permissions": {
                "ContractTrade": [],
                "Spot": ["SpotTrade"] if Right.TRADE in venue.rights else [],
                "Wallet": wallet,
                "Options": [],
                "Derivatives": [],
                "CopyTrading": [],
                "BlockTrade": [],
                "Exchange": ["ExchangeHistory"],
                "NFT": [],
                "Affiliate": [],
                "Earn": [],
                "FiatP2P": [],
                "FiatBybitPay": [],
                "FiatConvertBroker": [],
            },
            "ips": ["203.0.113.10"],
            "type": 1,
            "deadlineDay": 83,
            "expiredAt": "2027-02-15T03:13:24Z",
            "createdAt": "2026-11-15T03:13:24Z",
            "unified": 0,
            "uta": 1,
            "userID": 24617703,
            "inviterID": 0,
            "vipLevel": "No VIP",
            "mktMakerLevel": "0",
            "affiliateID": 0,
            "rsaPublicKey": "",
            "isMaster": True,
            "parentUid": "0",
            "kycLevel": "LEVEL_DEFAULT",
            "kycRegion": "",
        },
        "",
    )


def _coins(venue: Venue, got: Received) -> Reply:
    _check_signed(venue, got)
    _check_may_read(venue)
    wanted = got.query().get("coin")
    coins = venue.rails_by_asset().items()
    return _success(venue, {"rows": [_coin(asset, rails) for asset, rails in coins if wanted in (None, asset)]})


def _coin(asset: str, rails: list[Rail]) -> dict[str, object]:
    return {"name": asset, "coin": asset, "remainAmount": "10000000", "chains": [_chain(rail) for rail in rails]}


def _chain(rail: Rail) -> dict[str, str]:
    return {
        "chainType": rail.network.title(),
        "confirmation": "6",
        "withdrawFee": "0.0003",
        "depositMin": "0",
        "withdrawMin": "0.001",
        "chain": rail.network,
        "chainDeposit": "1" if rail.deposits else "0",
        "chainWithdraw": "1" if rail.withdrawals else "0",
        "minAccuracy": "8",
        "withdrawPercentageFee": "0",
        "contractAddress": "",
        "safeConfirmNumber": "64",
    }


def _balances(venue: Venue, got: Received) -> Reply:
    """`accountType` is required, and for the unified account the coins too; all that is here is in the funding one."""
    _check_signed(venue, got)
    _check_may_read(venue)
    query = got.query()
    account, coins = query.get("accountType", ""), query.get("coin", "")
    if account not in ("FUND", "UNIFIED") or (account == "UNIFIED" and not coins):
        raise _refusal(venue, 10001, "Request parameter error.")
    held = [one for one in venue.balances if account == "FUND" and (not coins or one.asset in coins.split(","))]
    return _success(venue, {"memberId": "24617703", "accountType": account, "balance": [_balance(one) for one in held]})


def _balance(balance: Balance) -> dict[str, str]:
    return {
        "coin": balance.asset,
        "transferBalance": str(balance.free),
        "walletBalance": str(balance.total()),
        "bonus": "",
    }


def _history(venue: Venue, got: Received) -> Reply:
    """Withdrawals on chain only, unless `withdrawType` asks otherwise; 30 days by default and at most."""
    _check_signed(venue, got)
    _check_may_read(venue)
    query = got.query()
    until = moment(query.get("endTime")) or venue.now()
    since = moment(query.get("startTime")) or until - LONGEST_HISTORY
    if until - since > LONGEST_HISTORY:
        raise _refusal(venue, 10001, "Request parameter error.")
    limit = min(int(query.get("limit", "50")), 50)
    found = venue.newest_withdrawals(asset=query.get("coin"), since=since, until=until, limit=limit)
    rows = [_record(one) for one in found] if query.get("withdrawType", "0") in ("0", "2") else []
    return _success(venue, {"rows": rows, "nextPageCursor": ""})


def _record(withdrawal: Withdrawal) -> dict[str, object]:
    return {
        "coin": withdrawal.asset,
        "chain": withdrawal.network,
        "amount": str(withdrawal.amount),
        "txID": withdrawal.txid(),
        "status": STATUS[withdrawal.progress],
        "toAddress": withdrawal.address,
        "tag": "",
        "withdrawFee": "0.0003",
        "createTime": str(milliseconds(withdrawal.requested_at)),
        "updateTime": str(milliseconds(withdrawal.changed_at())),
        "withdrawId": str(9_900 + withdrawal.number),
        "withdrawType": 0,
    }
