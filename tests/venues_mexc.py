"""MEXC spot v3's signed read-only endpoints (mexc.com/api-docs/spot-v3: general info, wallet, error codes)."""

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

TIME = "/api/v3/time"
COINS = "/api/v3/capital/config/getall"
HISTORY = "/api/v3/capital/withdraw/history"
BALANCES = "/api/v3/account"

STATUS = {Progress.PENDING: 4, Progress.SENT: 7, Progress.FAILED: 8}
LONG_NAME = {"BSC": "BNB Smart Chain(BEP20)", "ETH": "Ethereum(ERC20)", "TRX": "Tron(TRC20)", "SOL": "Solana(SOL)"}
USUAL_HISTORY = timedelta(days=7)


def mexc(keys: Keys, clock: Clock | None = None) -> Venue:
    """Rails are named like ("USDT", "ETH"), the short word, which MEXC spells `netWork`."""
    paths = {("GET", TIME): _time, ("GET", COINS): _coins, ("GET", HISTORY): _history, ("GET", BALANCES): _account}
    return Venue(keys, Dialect(paths=paths, admit=_admit), clock)


def _admit(venue: Venue, _got: Received) -> None:
    if venue.limit is not Limit.NONE:
        wait = str(int(venue.retry_after.total_seconds()))
        raise _refusal(429, "Too Many Requests", status=429, headers={"Retry-After": wait})


def _refusal(code: int, message: str, *, status: int = 400, headers: dict[str, str] | None = None) -> RefusedError:
    return RefusedError(
        Reply(body={"code": code, "msg": message}, status=status, headers=headers or {}, code=str(code))
    )


def _check_signed(venue: Venue, got: Received) -> None:
    if "X-MEXC-APIKEY" not in got.headers:
        raise _refusal(400, "api key required")
    if got.headers["X-MEXC-APIKEY"] != venue.keys.key:
        raise _refusal(10072, "Api key info invalid")
    query = got.query()
    sent, window = query.get("timestamp", ""), query.get("recvWindow", "5000")
    if not (sent.isdecimal() and window.isdecimal()):
        raise _refusal(700008, "Illegal characters found in parameter 'timestamp'")
    if int(window) > 60_000:
        raise _refusal(700005, "recvWindow must less than 60000")
    now = venue.milliseconds()
    if not now - int(window) <= int(sent) < now + 1000:
        raise _refusal(700003, "Timestamp for this request is outside of the recvWindow.")
    signed = "&".join(part for part in got.query_string.split("&") if not part.startswith("signature="))
    expected = hmac.new(venue.keys.secret.encode(), signed.encode() + got.body, hashlib.sha256).hexdigest()
    # Documented: the signature is lower case only.
    if not hmac.compare_digest(expected, query.get("signature", "")):
        raise _refusal(700002, "Signature for this request is not valid.")
    if Right.READ not in venue.rights:
        raise _refusal(700007, "No permission to access the endpoint.", status=403)


def _time(venue: Venue, _got: Received) -> Reply:
    return Reply(body={"serverTime": venue.milliseconds()})


def _coins(venue: Venue, got: Received) -> Reply:
    _check_signed(venue, got)
    wanted = got.query().get("coin")
    coins = venue.rails_by_asset().items()
    return Reply(body=[_coin(asset, rails) for asset, rails in coins if wanted in (None, asset)])


def _coin(asset: str, rails: list[Rail]) -> dict[str, object]:
    return {"coin": asset, "name": asset.title(), "networkList": [_network(rail) for rail in rails]}


def _network(rail: Rail) -> dict[str, object]:
    """`network` is the long name, `netWork` the short one that withdrawals are asked by."""
    return {
        "coin": rail.asset,
        "depositDesc": None,
        "depositEnable": rail.deposits,
        "minConfirm": 12,
        "name": f"{rail.asset}-{rail.network}",
        "network": LONG_NAME.get(rail.network, rail.network),
        "withdrawEnable": rail.withdrawals,
        "withdrawFee": "0.000100000000000000",
        "withdrawIntegerMultiple": None,
        "withdrawMax": "10000.000000000000000000",
        "withdrawMin": "0.001000000000000000",
        "sameAddress": False,
        "contract": "",
        "withdrawTips": None if rail.withdrawals else "Withdrawals are paused for wallet maintenance.",
        "depositTips": None,
        "netWork": rail.network,
    }


def _account(venue: Venue, got: Received) -> Reply:
    """`canTrade` and its like are the account's, whatever the key may do."""
    _check_signed(venue, got)
    return Reply(
        body={
            "canTrade": True,
            "canWithdraw": True,
            "canDeposit": True,
            "updateTime": None,
            "accountType": "SPOT",
            "balances": [_balance(one) for one in venue.balances],
            "permissions": ["SPOT"],
        }
    )


def _balance(balance: Balance) -> dict[str, str]:
    return {
        "asset": balance.asset,
        "free": str(balance.free),
        "locked": str(balance.locked),
        "available": str(balance.free),
    }


def _history(venue: Venue, got: Received) -> Reply:
    """The last seven days, unless asked otherwise."""
    _check_signed(venue, got)
    query = got.query()
    until = moment(query.get("endTime")) or venue.now()
    since = moment(query.get("startTime")) or until - USUAL_HISTORY
    limit = min(int(query.get("limit", "1000")), 1000)
    found = venue.newest_withdrawals(asset=query.get("coin"), since=since, until=until, limit=limit)
    wanted = query.get("status")
    return Reply(body=[_record(one) for one in found if wanted is None or STATUS[one.progress] == int(wanted)])


def _record(withdrawal: Withdrawal) -> dict[str, object]:
    txid = withdrawal.txid()
    return {
        "id": f"bb17a2d452684f00a523c0{withdrawal.number:010d}",
        "withdrawOrderId": "",
        "txId": f"{txid}:0" if txid else None,
        "coin": withdrawal.asset,
        "network": withdrawal.network,
        "address": withdrawal.address,
        "amount": str(withdrawal.amount),
        "transferType": 0,
        "status": STATUS[withdrawal.progress],
        "transactionFee": "0.0001",
        "confirmNo": None,
        "applyTime": milliseconds(withdrawal.requested_at),
        "remark": "",
        "memo": "",
        "explorerUrl": f"https://etherscan.io/tx/{txid}" if txid else None,
        "transHash": txid or None,
        "updateTime": milliseconds(withdrawal.changed_at()),
        "coinId": "128f589271cb495b03e71e6323eb7be",
        "vcoinId": "af42c6414b9a46c8869ce30fd51660f",
    }
