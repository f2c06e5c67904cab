"""The only way out over HTTP for probes, chains and channels. Whatever goes wrong is a `RemoteError`.

Bounded in time, size and pace; follows no redirect, keeps no cookie, and reaches a private address only where asked to.
"""

import asyncio
import os
import ssl
import zlib
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp
from msgspec import Struct

from monitor import __version__
from monitor.clock import Clock
from monitor.limits import Host, http_date, seconds_to_wait
from monitor.model import FailureReason, RemoteError
from monitor.sockets import PrivateAddressError, to_anywhere, to_public

LARGEST_BODY = 8 * 2**20
REQUESTS_PER_SECOND = 5.0
CONNECT_SECONDS = 3.0
KEEP_ALIVE_SECONDS = 90.0  # longer than a poll of once a minute, so that the next one needs no handshake
CONNECTIONS = 256  # of each of two sessions; together well below the usual limit of 1024 open files
CONNECTIONS_TO_A_HOST = 32  # hosts that hang must not take every connection

_CLOSING = {418: FailureReason.BLOCKED, 429: FailureReason.RATE_LIMITED}
_TRY_AGAIN = (408, 418, 425, 429)
_GZIP_MAGIC = b"\x1f\x8b"


class Answer(Struct, frozen=True, kw_only=True):
    """A 2xx answer, whole and decoded."""

    status: int
    body: bytes
    digest: bytes  # blake2b-16 of body
    date: datetime | None  # Date header
    elapsed_seconds: float


class Http:
    """Two pools of connections, one of them to public addresses only, and the budget of every host.

    `per_second` maps a host name to requests a second; each port of it has that budget.
    aiohttp normalises a URL before it is sent (`%40` in a query becomes `@`): sign only what that leaves alone.
    """

    def __init__(self, clock: Clock, *, per_second: Mapping[str, float] = {}) -> None:
        self._clock = clock
        self._per_second = per_second
        self._hosts: dict[tuple[str, int | None], Host] = {}
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        resolver = aiohttp.AsyncResolver()
        self._opened.push_async_callback(resolver.close)
        self._public = await self._opened.enter_async_context(_session(resolver, to_public))
        self._anywhere = await self._opened.enter_async_context(_session(resolver, to_anywhere))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._opened.aclose()

    async def get(
        self, url: str, *, headers: Mapping[str, str] = {}, allow_private: bool = False, timeout: float = 10.0
    ) -> Answer:
        """Fetch `url` within `timeout` real seconds, not counting the wait for the host's budget.

        A connection that the peer closed unanswered is tried once more. Raises `RemoteError`.
        """
        return await self._ask("GET", url, payload=None, headers=headers, allow_private=allow_private, timeout=timeout)

    async def post(
        self,
        url: str,
        body: bytes,
        *,
        headers: Mapping[str, str] = {},
        allow_private: bool = False,
        timeout: float = 10.0,
    ) -> Answer:
        """Send `body` at most once, as JSON where `headers` name no other type. Raises `RemoteError`."""
        payload = aiohttp.BytesPayload(body, content_type="application/json")
        return await self._ask(
            "POST", url, payload=payload, headers=headers, allow_private=allow_private, timeout=timeout
        )

    async def _ask(
        self,
        method: str,
        url: str,
        *,
        payload: aiohttp.BytesPayload | None,
        headers: Mapping[str, str],
        allow_private: bool,
        timeout: float,
    ) -> Answer:
        host = self._host(url)
        await host.turn()
        session = self._anywhere if allow_private else self._public
        began = self._clock.monotonic()
        # aiohttp's errors carry the URL and our headers, so none of them may stand behind ours in a traceback.
        try:
            async with (
                asyncio.timeout(timeout),
                session.request(method, url, data=payload, headers=headers, allow_redirects=False) as response,
            ):
                body = await _body(response) if 200 <= response.status < 300 else b""
        except aiohttp.ConnectionTimeoutError:
            raise RemoteError(
                FailureReason.TIMEOUT, f"{host.name}: not connected within {CONNECT_SECONDS:g} s"
            ) from None
        except TimeoutError:
            raise RemoteError(FailureReason.TIMEOUT, f"{host.name}: no whole answer within {timeout:g} s") from None
        except aiohttp.ClientError as error:
            raise _failure(error, host=host.name) from None
        return self._judge(response, body, host=host, began=began)

    def _judge(self, response: aiohttp.ClientResponse, body: bytes, *, host: Host, began: float) -> Answer:
        date = http_date(response.headers.get("Date", ""))
        closed_for = _CLOSING.get(response.status)
        if closed_for is None:
            host.answered()
        else:
            wait = seconds_to_wait(response.headers.get("Retry-After", ""), now=date or self._clock.now())
            host.close(closed_for, wait=wait)
        if not 200 <= response.status < 300:
            raise _refusal(response)
        return Answer(
            status=response.status,
            body=body,
            digest=blake2b(body, digest_size=16).digest(),
            date=date,
            elapsed_seconds=self._clock.monotonic() - began,
        )

    def _host(self, url: str) -> Host:
        name, port = _address(url)
        host = self._hosts.get((name, port))
        if host is None:
            per_second = self._per_second.get(name, REQUESTS_PER_SECOND)
            host = self._hosts[name, port] = Host(name, self._clock, per_second=per_second)
        return host


@lru_cache(maxsize=512)
def _address(url: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(url)
        name, port = parts.hostname, parts.port
    except ValueError:
        raise RemoteError(FailureReason.CONNECTION, "not an address", permanent=True) from None
    if parts.scheme not in ("http", "https") or not name:
        raise RemoteError(FailureReason.CONNECTION, "not an http or https address", permanent=True)
    return name, port


async def _body(response: aiohttp.ClientResponse) -> bytes:
    match response.headers.get("Content-Encoding", "").lower():
        case "" | "identity":
            body = await _plain(response)
        case "gzip" | "x-gzip" | "deflate" as encoding:
            body = await _inflated(response, encoding)
        case _:
            raise RemoteError(FailureReason.ENCODING, f"{response.host}: an encoding we did not ask for")
    if body.startswith(_GZIP_MAGIC):
        raise RemoteError(FailureReason.ENCODING, f"{response.host}: compressed once more than it says")
    return body


async def _plain(response: aiohttp.ClientResponse) -> bytes:
    parts = [await response.content.readany()]
    size = len(parts[0])
    while not response.content.at_eof():
        part = await response.content.readany()
        size += len(part)
        if size > LARGEST_BODY:
            raise _too_large(response)
        parts.append(part)
    return b"".join(parts)


async def _inflated(response: aiohttp.ClientResponse, encoding: str) -> bytes:
    """Decoded here, because aiohttp takes a gzip stream that breaks off for a whole one. Of one member only."""
    parts: list[bytes] = []
    size = received = 0
    inflater = None
    while part := await response.content.readany():
        inflater = inflater or zlib.decompressobj(wbits=_window_bits(encoding, part))
        try:
            piece = inflater.decompress(part, LARGEST_BODY - size + 1)
        except zlib.error as error:
            raise RemoteError(FailureReason.ENCODING, f"{response.host}: not compressed as it says") from error
        size += len(piece)
        received += len(part)
        if max(size, received) > LARGEST_BODY:
            raise _too_large(response)
        if inflater.unused_data:
            raise RemoteError(FailureReason.ENCODING, f"{response.host}: goes on after its compressed end")
        parts.append(piece)
    if inflater is not None and not inflater.eof:
        raise RemoteError(FailureReason.ENCODING, f"{response.host}: breaks off before its compressed end")
    return b"".join(parts)


def _window_bits(encoding: str, start: bytes) -> int:
    if encoding != "deflate":
        return zlib.MAX_WBITS + 16
    # Some servers send "deflate" without the zlib header that RFC 9110, 8.4.1.2 asks for.
    return zlib.MAX_WBITS if start[0] & 0x0F == zlib.DEFLATED else -zlib.MAX_WBITS


def _too_large(response: aiohttp.ClientResponse) -> RemoteError:
    return RemoteError(FailureReason.TOO_LARGE, f"{response.host}: more than {LARGEST_BODY} bytes")


def _refusal(response: aiohttp.ClientResponse) -> RemoteError:
    status = response.status
    detail = f"{response.host} answered {status}"
    match status:
        case 401:
            reason = FailureReason.AUTH
        case 403:
            # An API says "forbidden" in its own format; a page comes from the wall before it.
            is_page = "html" in response.headers.get("Content-Type", "")
            reason = FailureReason.BLOCKED if is_page else FailureReason.AUTH
        case 418 | 429:
            reason = _CLOSING[status]
        case _ if status >= 500:
            reason = FailureReason.HTTP_5XX
        case _ if status < 400:
            reason, detail = FailureReason.HTTP_4XX, f"{detail}: redirects are not followed"
        case _:
            reason = FailureReason.HTTP_4XX
    permanent = reason in (FailureReason.AUTH, FailureReason.HTTP_4XX) and status not in _TRY_AGAIN
    return RemoteError(reason, detail, permanent=permanent)


def _failure(error: aiohttp.ClientError, *, host: str) -> RemoteError:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return RemoteError(FailureReason.DNS, f"{host}: {_words(error.os_error)}")
        case aiohttp.ClientSSLError():
            return RemoteError(FailureReason.TLS, f"{host}: {_words(error.os_error)}")
        case aiohttp.ClientConnectorError(os_error=PrivateAddressError()):
            return RemoteError(FailureReason.CONNECTION, f"{host}: {_words(error.os_error)}", permanent=True)
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


def _session(resolver: aiohttp.AsyncResolver, socket_factory: aiohttp.SocketFactoryType) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        resolver=resolver,
        socket_factory=socket_factory,
        keepalive_timeout=KEEP_ALIVE_SECONDS,
        limit=CONNECTIONS,
        limit_per_host=CONNECTIONS_TO_A_HOST,
    )
    return aiohttp.ClientSession(
        connector=connector,
        headers={"User-Agent": f"cexwatch/{__version__}", "Accept-Encoding": "gzip, deflate"},
        timeout=aiohttp.ClientTimeout(connect=CONNECT_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )
