"""Crypto.com Exchange v1's signed networks and balance (exchange-docs.crypto.com: signature, response codes)."""

import hashlib
import hmac
from datetime import timedelta

import msgspec

from monitor.clock import Clock
from tests.venues import Balance, Dialect, Keys, Limit, Rail, Received, RefusedError, Reply, Right, Venue

BASE = "/exchange/v1/"
NETWORKS = f"{BASE}private/get-currency-networks"
BALANCE = f"{BASE}private/user-balance"

NONCE_LIFE = timedelta(seconds=60)

Parameters = dict[str, str | int | bool]


class _Call(msgspec.Struct):
    """The request body; an argument missing here is 40004."""

    method: str
    nonce: int
    api_key: str
    sig: str
    id: int = 0
    params: Parameters = {}

    def signed_text(self) -> str:
        """Method, id, key, the parameters in alphabetical order as name and value without separators, nonce."""
        parameters = "".join(f"{name}{_as_text(value)}" for name, value in sorted(self.params.items()))
        return f"{self.method}{self.id}{self.api_key}{parameters}{self.nonce}"


def cryptocom(keys: Keys, clock: Clock | None = None) -> Venue:
    """Rails are named like ("USDT", "ETH")."""
    paths = {("POST", NETWORKS): _networks, ("POST", BALANCE): _balance}
    return Venue(keys, Dialect(paths=paths, admit=_admit), clock)


def _admit(venue: Venue, _got: Received) -> None:
    if venue.limit is not Limit.NONE:
        raise _refusal(42901, "TOO_MANY_REQUESTS", status=429)


def _refusal(code: int, message: str, *, status: int, call: _Call | None = None) -> RefusedError:
    body: dict[str, object] = {"id": call.id if call is not None else -1, "code": code, "message": message}
    if call is not None:
        body["method"] = call.method
    return RefusedError(Reply(body=body, status=status, code=str(code)))


def _as_text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_signed(venue: Venue, got: Received) -> _Call:
    try:
        call = msgspec.json.decode(got.body, type=_Call)
    except msgspec.ValidationError as error:
        raise _refusal(40004, "MISSING_OR_INVALID_ARGUMENT", status=400) from error
    except msgspec.DecodeError as error:
        raise _refusal(40003, "INVALID_REQUEST", status=400) from error
    if call.method != got.path.removeprefix(BASE):
        raise _refusal(40002, "METHOD_NOT_FOUND", status=400, call=call)
    expected = hmac.new(venue.keys.secret.encode(), call.signed_text().encode(), hashlib.sha256).hexdigest()
    if call.api_key != venue.keys.key or not hmac.compare_digest(expected, call.sig) or Right.READ not in venue.rights:
        raise _refusal(40101, "UNAUTHORIZED", status=401, call=call)
    if abs(venue.milliseconds() - call.nonce) > NONCE_LIFE.total_seconds() * 1000:
        raise _refusal(40102, "INVALID_NONCE", status=400, call=call)
    return call


def _networks(venue: Venue, got: Received) -> Reply:
    call = _check_signed(venue, got)
    coins = {asset: _coin(asset, rails) for asset, rails in venue.rails_by_asset().items()}
    result = {"update_time": venue.milliseconds() // 60_000 * 60_000, "currency_map": coins}
    return Reply(body={"id": call.id, "method": call.method, "code": 0, "result": result})


def _balance(venue: Venue, got: Received) -> Reply:
    """One wallet, which all that the account holds is collateral in."""
    call = _check_signed(venue, got)
    wallet: dict[str, object] = {
        "total_available_balance": "4721.05898582",
        "total_margin_balance": "7595.42571782",
        "total_initial_margin": "2874.36673202",
        "total_cash_balance": "7890.00320721",
        "instrument_name": "USD",
        "is_liquidating": False,
        "position_balances": [_position(one) for one in venue.balances],
    }
    return Reply(body={"id": call.id, "method": call.method, "code": 0, "result": {"data": [wallet]}})


def _position(balance: Balance) -> dict[str, str]:
    """The quantity has what is reserved in it."""
    return {
        "instrument_name": balance.asset,
        "quantity": str(balance.total()),
        "reserved_qty": str(balance.locked),
        "market_value": "5.97277325",
        "collateral_weight": "0.9",
        "collateral_amount": "5.37549592",
        "max_withdrawal_balance": str(balance.free),
        "hourly_interest_rate": "0",
    }


def _coin(asset: str, rails: list[Rail]) -> dict[str, object]:
    """A coin with one network names no default."""
    return {
        "full_name": asset.title(),
        "default_network": rails[0].network if len(rails) > 1 else None,
        "network_list": [_network(rail) for rail in rails],
    }


def _network(rail: Rail) -> dict[str, object]:
    """The fee is null where the coin has but one."""
    return {
        "network_id": rail.network,
        "withdrawal_fee": 0.0005 if rail.withdrawals else None,
        "withdraw_enabled": rail.withdrawals,
        "min_withdrawal_amount": 0.001,
        "deposit_enabled": rail.deposits,
        "confirmation_required": 12,
    }
