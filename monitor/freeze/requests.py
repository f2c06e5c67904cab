"""Requests of the exchange's app, signed for one account each.

    POST /api/v1/freezes
    Freeze-Account: 12345                  percent-encoded
    Freeze-Timestamp: 1790000000           Unix seconds
    Freeze-Nonce: 9f86d081884c7d65         16 to 64 letters, digits, - or _; never used twice
    Freeze-Signature: v1=<base64>          HMAC-SHA256 of the lines below
    Idempotency-Key: ...                   optional: the same attempt again is told what the first one was told

Signed are, joined by line feeds: `cexwatch-freeze-v1`, method, path, account, timestamp, nonce, the idempotency key or
nothing, SHA-256 of the body in hex. The key is the account's own: HMAC-SHA256 of the app's secret over
`cexwatch freeze account`, a line feed and the account; so a device can be given it, and speaks for one account.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

from msgspec import Struct

from monitor.freeze.keyring import is_account

WINDOW = timedelta(minutes=2)
SCHEME = "cexwatch-freeze-v1"
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")
_IDEMPOTENCY = re.compile(r"[!-~]{1,128}")
_TIMESTAMP = re.compile(r"[0-9]{9,11}")


class UnsignedError(Exception):
    """A header is missing or not as described."""


class WrongSignatureError(Exception):
    """Not signed with this account's key, or not what was signed."""


class StaleError(Exception):
    """Signed too long ago, or by a clock that is ahead: whoever is told the time can sign again."""


class Signed(Struct, frozen=True, kw_only=True):
    account: str
    at: datetime
    request: bytes  # names this request: never taken twice
    attempt: bytes | None


def account_key(secret: bytes, account: str) -> bytes:
    """What signs for one account."""
    return hmac.digest(secret, b"cexwatch freeze account\n" + account.encode(), hashlib.sha256)


def signature(key: bytes, lines: Sequence[str]) -> str:
    digest = hmac.digest(key, "\n".join(lines).encode(), hashlib.sha256)
    return "v1=" + base64.b64encode(digest).decode()


def signed_headers(
    key: bytes, *, method: str, path: str, account: str, at: datetime, nonce: str, body: bytes, attempt: str = ""
) -> dict[str, str]:
    """The headers with which `account` asks for `path`; `key` is the account's."""
    timestamp = str(int(at.timestamp()))
    headers = {
        "Freeze-Account": quote(account, safe=""),
        "Freeze-Timestamp": timestamp,
        "Freeze-Nonce": nonce,
        "Freeze-Signature": signature(key, _lines(method, path, account, timestamp, nonce, attempt, body)),
    }
    return {**headers, "Idempotency-Key": attempt} if attempt else headers


def checked(
    headers: Mapping[str, str], *, method: str, path: str, body: bytes, secrets: Sequence[bytes], now: datetime
) -> Signed:
    """Who asks. Raises UnsignedError, WrongSignatureError, StaleError."""
    account = _account(headers.get("Freeze-Account", ""))
    timestamp = _matching(headers, "Freeze-Timestamp", _TIMESTAMP, "Unix seconds")
    nonce = _matching(headers, "Freeze-Nonce", _NONCE, "16 to 64 letters, digits, - or _")
    attempt = headers.get("Idempotency-Key", "")
    if attempt:
        _matching(headers, "Idempotency-Key", _IDEMPOTENCY, "1 to 128 visible ASCII characters")
    lines = _lines(method, path, account, timestamp, nonce, attempt, body)
    given = headers.get("Freeze-Signature", "").encode("utf-8", "replace")
    if not any(hmac.compare_digest(signature(account_key(s, account), lines).encode(), given) for s in secrets):
        raise WrongSignatureError("the signature is not this account's over what was sent")
    at = datetime.fromtimestamp(int(timestamp), UTC)
    if abs(now - at) > WINDOW:
        raise StaleError(f"signed at {at:%Y-%m-%dT%H:%M:%SZ}, and it is {now:%Y-%m-%dT%H:%M:%SZ}")
    named = f"{account}\n{nonce}".encode()
    return Signed(
        account=account,
        at=at,
        request=hashlib.sha256(b"request\n" + named).digest()[:16],
        attempt=hashlib.sha256(f"attempt\n{account}\n{attempt}".encode()).digest()[:16] if attempt else None,
    )


def _lines(
    method: str, path: str, account: str, timestamp: str, nonce: str, attempt: str, body: bytes
) -> tuple[str, ...]:
    return (SCHEME, method, path, account, timestamp, nonce, attempt, hashlib.sha256(body).hexdigest())


def _account(text: str) -> str:
    try:
        account = unquote(text, errors="strict")
    except (UnicodeDecodeError, binascii.Error) as error:
        raise UnsignedError("Freeze-Account: expected the account, percent-encoded UTF-8") from error
    if not is_account(account):
        raise UnsignedError("Freeze-Account: expected the account, 1 to 128 printable characters")
    return account


def _matching(headers: Mapping[str, str], name: str, pattern: re.Pattern[str], expected: str) -> str:
    value = headers.get(name, "")
    if pattern.fullmatch(value) is None:
        raise UnsignedError(f"{name}: expected {expected}")
    return value
