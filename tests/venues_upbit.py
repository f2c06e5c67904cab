"""Upbit's signed wallet status and accounts (docs.upbit.com: authentication, accounts, service status, errors)."""

import base64
import binascii
import hashlib
import hmac
from urllib.parse import unquote

import msgspec

from monitor.clock import Clock
from tests.venues import Balance, Dialect, Keys, Limit, Rail, Received, RefusedError, Reply, Right, Venue

WALLETS = "/v1/status/wallet"
ACCOUNTS = "/v1/accounts"

STATE = {
    (True, True): "working",
    (True, False): "withdraw_only",
    (False, True): "deposit_only",
    (False, False): "paused",
}
HASHES = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
BLOCK_MINUTES = 6


class _Header(msgspec.Struct):
    alg: str
    typ: str = "JWT"


class _Claims(msgspec.Struct):
    access_key: str
    nonce: str
    query_hash: str = ""
    query_hash_alg: str = "SHA512"


def upbit(keys: Keys, clock: Clock | None = None) -> Venue:
    """Rails are named like ("BTC", "BTC"), the second word being `net_type`."""
    paths = {("GET", WALLETS): _wallets, ("GET", ACCOUNTS): _accounts}
    return Venue(keys, Dialect(paths=paths, admit=_admit, headers=_headers), clock)


def _admit(venue: Venue, _got: Received) -> None:
    """Going on after 429 is answered with 418 for a while; neither carries a Retry-After."""
    match venue.limit:
        case Limit.NONE:
            return
        case Limit.SLOW_DOWN:
            raise _refusal("too_many_requests", "요청 수 제한을 초과했습니다.", status=429)
        case Limit.BANNED:
            raise _refusal("too_many_requests", "요청 수 제한을 초과했습니다.", status=418)


def _headers(venue: Venue, _got: Received) -> dict[str, str]:
    return {"Remaining-Req": f"group=default; min=1800; sec={29 if venue.limit is Limit.NONE else 0}"}


def _refusal(name: str, message: str, *, status: int = 401) -> RefusedError:
    return RefusedError(Reply(body={"error": {"name": name, "message": message}}, status=status, code=name))


def _check_signed(venue: Venue, got: Received) -> None:
    claims = _claims(venue, got.headers.get("Authorization", ""))
    if claims.access_key != venue.keys.key:
        raise _refusal("invalid_access_key", "잘못된 엑세스 키입니다.")
    if claims.nonce in venue.nonces:
        raise _refusal("nonce_used", "이미 요청한 nonce값이 다시 사용되었습니다.")
    venue.nonces.add(claims.nonce)
    asked = hashlib.sha512(unquote(got.query_string).encode()).hexdigest()
    if got.query_string and claims.query_hash != asked:
        raise _refusal("invalid_query_payload", "JWT 헤더의 페이로드가 올바르지 않습니다.")
    if Right.READ not in venue.rights:
        raise _refusal("out_of_scope", "허용되지 않은 기능입니다.")


def _claims(venue: Venue, authorization: str) -> _Claims:
    """The claims of a bearer token whose signature is the secret's."""
    wrong = _refusal("jwt_verification", "Jwt 토큰 검증에 실패했습니다.")
    scheme, _, token = authorization.partition(" ")
    signed, _, signature = token.rpartition(".")
    head, _, payload = signed.partition(".")
    if scheme != "Bearer":
        raise wrong
    try:
        header = msgspec.json.decode(_unpack(head), type=_Header)
        claims = msgspec.json.decode(_unpack(payload), type=_Claims)
        given = _unpack(signature)
    except (msgspec.DecodeError, binascii.Error) as error:
        raise wrong from error
    if header.alg not in HASHES or "=" in token:
        raise wrong
    expected = hmac.digest(venue.keys.secret.encode(), signed.encode(), HASHES[header.alg])
    if not hmac.compare_digest(expected, given):
        raise wrong
    return claims


def _unpack(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _accounts(venue: Venue, got: Received) -> Reply:
    _check_signed(venue, got)
    return Reply(body=[_account(one) for one in venue.balances])


def _account(balance: Balance) -> dict[str, object]:
    return {
        "currency": balance.asset,
        "balance": str(balance.free),
        "locked": str(balance.locked),
        "avg_buy_price": "1495000",
        "avg_buy_price_modified": False,
        "unit_currency": "KRW",
    }


def _wallets(venue: Venue, got: Received) -> Reply:
    _check_signed(venue, got)
    return Reply(body=[_wallet(venue, rail) for rail in venue.rails])


def _wallet(venue: Venue, rail: Rail) -> dict[str, object]:
    """The `block_*` fields are null for a wallet that follows no chain any more."""
    state = STATE[rail.withdrawals, rail.deposits]
    alive = state != "paused"
    return {
        "currency": rail.asset,
        "wallet_state": state,
        "block_state": "normal" if alive else None,
        "block_height": 903_942 if alive else None,
        "block_updated_at": f"{venue.now():%Y-%m-%dT%H:%M:%S}.526+00:00" if alive else None,
        "block_elapsed_minutes": BLOCK_MINUTES if alive else None,
        "net_type": rail.network,
        "network_name": f"{rail.network.title()} network",
    }
