"""What a refusal or a broken connection means: its reason, whether to stop asking, and for how long.

No words of the request and none of the answer go into an error.
"""

import os
import ssl
from datetime import datetime

import aiohttp

from monitor.http.limits import BANNED, TOO_MANY, WALLED, Stop, seconds_of_ban, seconds_to_reset, seconds_to_wait
from monitor.http.sockets import PrivateAddressError
from monitor.model import FailureReason, RemoteError

# Binance, MEXC and Bitget say with 400 that key, signature or time are wrong.
_KEY_REFUSED = (b"signature", b"api key", b"api-key", b"apikey", b"access_key", b"recvwindow", b"timestamp expired")
_TRY_AGAIN = (408, 425)


def stop_in(response: aiohttp.ClientResponse, body: bytes) -> Stop | None:
    """Whether a status, and where it is open to doubt what `body` says first, tells us to ask no more."""
    match response.status:
        case 420:  # Statuspage and the X of old
            return TOO_MANY
        case 429 if b"banned until" not in body:
            return TOO_MANY
        case 418 | 429:
            return BANNED
        case 451:
            return WALLED
        case 403 if b"too frequent" in body:
            return WALLED
        case 403 if not _is_from_the_api(response, body):
            return WALLED
        case _:
            return None


def _is_from_the_api(response: aiohttp.ClientResponse, body: bytes) -> bool:
    """An API says "forbidden" in its own format; anything else comes from the wall before it."""
    if not body:
        return "json" in response.headers.get("Content-Type", "")
    return body.lstrip().startswith((b"{", b"[", b'"'))


def told_to_wait(response: aiohttp.ClientResponse, body: bytes, *, now: datetime) -> float | None:
    """Seconds, the longer of what the head and the body say; None where neither does."""
    told = (
        seconds_to_wait(response.headers.get("Retry-After", ""), now=now),
        seconds_to_reset(response.headers.get("x-rate-limit-reset", ""), now=now),
        seconds_of_ban(body.decode("ascii", "replace"), now=now),
    )
    return max((seconds for seconds in told if seconds is not None), default=None)


def refusal(response: aiohttp.ClientResponse, body: bytes) -> RemoteError:
    """What a status means that is neither good nor a stop."""
    status = response.status
    detail = f"{response.host} answered {status}"
    match status:
        case 401 | 403:
            reason = FailureReason.AUTH
        case 400 if any(word in body.lower() for word in _KEY_REFUSED):
            reason = FailureReason.AUTH
        case _ if status >= 500:
            reason = FailureReason.HTTP_5XX
        case _ if status < 400:
            reason, detail = FailureReason.HTTP_4XX, f"{detail}: redirects are not followed"
        case _:
            reason = FailureReason.HTTP_4XX
    permanent = reason in (FailureReason.AUTH, FailureReason.HTTP_4XX) and status not in _TRY_AGAIN
    return RemoteError(reason, detail, permanent=permanent)


def failure(error: aiohttp.ClientError, *, host: str) -> RemoteError:
    """What kept us from an answer, in words that hold nothing of the request."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return RemoteError(FailureReason.DNS, f"{host}: {_words(error.os_error)}", unsent=True)
        case aiohttp.ClientSSLError():
            return RemoteError(FailureReason.TLS, f"{host}: {_words(error.os_error)}", unsent=True)
        case aiohttp.ClientConnectorError(os_error=PrivateAddressError()):
            return RemoteError(FailureReason.CONNECTION, f"{host}: {_words(error.os_error)}", permanent=True)
        case aiohttp.ClientConnectorError():
            return RemoteError(FailureReason.CONNECTION, f"{host}: {_words(error)}", unsent=True)
        case aiohttp.InvalidURL():
            return RemoteError(FailureReason.CONNECTION, f"{host}: not an address we connect to", permanent=True)
        case aiohttp.ClientOSError():
            return RemoteError(FailureReason.CONNECTION, f"{host}: {_words(error)}")
        case aiohttp.ClientResponseError():
            return RemoteError(FailureReason.CONNECTION, f"{host}: the answer is not HTTP as we accept it")
        case aiohttp.ClientPayloadError():
            return RemoteError(FailureReason.CONNECTION, f"{host}: the answer broke off or was garbled")
        case _:
            return RemoteError(FailureReason.CONNECTION, f"{host}: closed the connection without an answer")


def _words(error: OSError) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return error.verify_message
        case ssl.SSLError():
            return f"{error.reason}".replace("_", " ").lower()
        case OSError(errno=int(number)) if number > 0:
            return os.strerror(number).lower()
        case _:
            return error.strerror or "connection failed"
