"""The only way out over HTTP for probes, chains and channels. Whatever goes wrong is a `RemoteError`.

Bounded in time, size and pace; follows no redirect, keeps no cookie, and reaches a private address only where asked to.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp
from msgspec import Struct
from msgspec.structs import replace

from monitor import __version__
from monitor.clock import Clock
from monitor.http import bodies
from monitor.http.limits import BANNED, TOO_MANY, WALLED, Budget, Host, chance, http_date, seconds_of_ban
from monitor.http.names import Names
from monitor.http.refusals import failure, refusal, stop_in, told_to_wait
from monitor.http.sockets import affordable_connections, note_certificates, to_anywhere, to_public
from monitor.model import Closure, FailureReason, RemoteError

CONNECT_SECONDS = 3.0
KEEP_ALIVE_SECONDS = 90.0  # longer than a poll of once a minute, so that the next one needs no handshake
CONNECTIONS_TO_A_HOST = 32  # hosts that hang must not take every connection

HIDDEN = b"[hidden]"
LARGEST_SEARCHED = 256 * 1024  # bytes, of an answer that is searched for every secret
_TELLING = (400, 403, 418, 429)  # of these refusals we read what they say
_IN_DISGUISE = {FailureReason.RATE_LIMITED: TOO_MANY, FailureReason.BLOCKED: BANNED}
_DEFAULT_PORTS = {"http": 80, "https": 443}

Remember = Callable[[Closure], Awaitable[None]]
"""Keeps a closure over a restart. It is kept when this returns."""


class Answer(Struct, frozen=True, kw_only=True):
    """A 2xx answer, whole and decoded."""

    status: int
    body: bytes
    date: datetime | None  # Date header
    elapsed_seconds: float
    read_at: float  # clock seconds when it had been read
    age_seconds: float = 0.0  # how long caches had kept it, by its Age header

    @property
    def digest(self) -> bytes:
        """What tells a body from the one before. Of a megabyte it takes a millisecond, so it is made when asked for."""
        return blake2b(self.body, digest_size=16).digest()

    def without(self, secrets: Iterable[str]) -> Self:
        """The answer with none of `secrets` in it: one that says a key back must not carry it any further."""
        body = self.body
        for secret in secrets:
            if secret:
                body = body.replace(secret.encode(), HIDDEN)
        return self if body == self.body else replace(self, body=body)


async def forgotten(_: Closure) -> None:
    """For who asks a few times and ends."""


class Http:
    """Two pools of connections, one of them to public addresses only, and the budget of every host.

    `budgets` are by host name, each port of it has its own; `per_second` overrules their rates. `closures` are those
    of former runs, and what becomes of a host is handed to `remember` before anybody hears of it.
    aiohttp normalises a URL before it is sent (`%40` in a query becomes `@`): sign only what that leaves alone.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        budgets: Mapping[str, Budget] = {},
        per_second: Mapping[str, float] = {},
        closures: Sequence[Closure] = (),
        remember: Remember = forgotten,
        nameservers: Sequence[str] = (),
        trusted: Callable[[], ssl.SSLContext] = ssl.create_default_context,
        chance: Callable[[], float] = chance,
    ) -> None:
        """`nameservers` as `address:port` and `trusted` certificates are the system's where not given.

        `chance` is from 0 to below 1, for waits that differ from daemon to daemon.
        """
        self._clock = clock
        self._budgets = budgets
        self._per_second = per_second
        self._remember = remember
        self._nameservers = nameservers
        self._trusted = trusted
        self._chance = chance
        self._secrets: tuple[str, ...] = ()
        self._hosts: dict[tuple[str, int], Host] = {}
        self._certificates: dict[str, datetime] = {}
        self._opened = AsyncExitStack()
        for closure in closures:
            self._host_at(closure.host, closure.port).hold(closure)

    async def __aenter__(self) -> Self:
        self._names = Names(self._clock, nameservers=self._nameservers)
        self._opened.push_async_callback(self._names.close)
        tls = self._tls = self._trusted()
        note_certificates(tls, self._certificates)
        self._public = await self._opened.enter_async_context(_session(self._names, to_public, tls=tls))
        self._anywhere = await self._opened.enter_async_context(_session(self._names, to_anywhere, tls=tls))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._opened.aclose()

    @property
    def names(self) -> Names:
        """How host names are resolved, for what speaks no HTTP."""
        return self._names

    def closed(self) -> list[Closure]:
        """The hosts that are not asked now."""
        return [closure for host in self._hosts.values() if (closure := host.closure()) is not None]

    def certificates(self) -> Mapping[str, datetime]:
        """When the certificate ends that a host last showed, by host. Those that we do not trust are not among them."""
        return self._certificates

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

    async def patch(
        self, url: str, body: bytes, *, headers: Mapping[str, str], allow_private: bool, timeout: float = 10.0
    ) -> Answer:
        """As `post`, for what is there already."""
        payload = aiohttp.BytesPayload(body, content_type="application/json")
        return await self._ask(
            "PATCH", url, payload=payload, headers=headers, allow_private=allow_private, timeout=timeout
        )

    def closed_until(self, url: str) -> datetime | None:
        """Until when the host of `url` is not asked; None where it is."""
        closure = self._host(url).closure()
        return closure.until if closure is not None else None

    async def session(self, *, seconds: float, allow_private: bool) -> aiohttp.ClientSession:
        """For a library that makes requests of its own: our names, sockets and certificates, `seconds` for each.

        What a host allows and what its answers mean is left to that library. It is closed with this object.
        """
        way = to_anywhere if allow_private else to_public
        return await self._opened.enter_async_context(_session(self._names, way, tls=self._tls, seconds=seconds))

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
                asyncio.timeout(timeout) as limit,
                session.request(method, url, data=payload, headers=headers, allow_redirects=False) as response,
            ):
                body = await _told(response, limit=limit, clock=self._clock)
        except aiohttp.ConnectionTimeoutError:
            self._names.forget(host.name)
            raise RemoteError(
                FailureReason.TIMEOUT, f"{host.name}: not connected within {CONNECT_SECONDS:g} s", unsent=True
            ) from None
        except TimeoutError:
            raise RemoteError(FailureReason.TIMEOUT, f"{host.name}: no whole answer within {timeout:g} s") from None
        except aiohttp.ClientConnectorError as error:
            self._names.forget(host.name)
            raise failure(error, host=host.name) from None
        except aiohttp.ClientError as error:
            raise failure(error, host=host.name) from None
        return await self._judge(response, body, host=host, began=began)

    async def _judge(self, response: aiohttp.ClientResponse, body: bytes, *, host: Host, began: float) -> Answer:
        date = http_date(response.headers.get("Date", ""))
        host.weigh(response.headers)
        stop = stop_in(response, body)
        if stop is not None:
            told = told_to_wait(response, body, now=date or self._clock.now())
            await self._remember(host.close(stop, told=told if stop is not WALLED else None))
            raise RemoteError(stop.reason, f"{response.host} answered {response.status}")
        host.answered()
        if not 200 <= response.status < 300:
            raise refusal(response, body)
        answer = Answer(
            status=response.status,
            body=body,
            date=date,
            elapsed_seconds=self._clock.monotonic() - began,
            read_at=self._clock.monotonic(),
            age_seconds=_age(response.headers.get("Age", "")),
        )
        return answer.without(self._secrets) if len(body) <= LARGEST_SEARCHED else answer

    def hide(self, secrets: Sequence[str]) -> None:
        """Take `secrets` out of what hosts answer from now on, but for lists so long that only one's own key may be."""
        self._secrets = tuple(secrets)

    async def heed(self, url: str, error: RemoteError) -> None:
        """Close the host of `url` for what it said inside an answer with a good status."""
        stop = _IN_DISGUISE.get(error.reason)
        if stop is None:
            return
        host = self._host(url)
        host.refused_inside()
        told = seconds_of_ban(error.detail, now=self._clock.now())
        await self._remember(host.close(stop if told is None else BANNED, told=told))

    def _host(self, url: str) -> Host:
        return self._host_at(*_address(url))

    def _host_at(self, name: str, port: int) -> Host:
        host = self._hosts.get((name, port))
        if host is None:
            budget = self._budgets.get(name, Budget())
            budget = replace(budget, per_second=self._per_second.get(name, budget.per_second))
            host = self._hosts[name, port] = Host(name, self._clock, port=port, budget=budget, chance=self._chance)
        return host


@lru_cache(maxsize=512)
def _address(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        name, port = parts.hostname, parts.port
    except ValueError:
        raise RemoteError(FailureReason.CONNECTION, "not an address", permanent=True) from None
    if parts.scheme not in ("http", "https") or not name:
        raise RemoteError(FailureReason.CONNECTION, "not an http or https address", permanent=True)
    return name, _DEFAULT_PORTS[parts.scheme] if port is None else port


def _age(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() else 0.0


async def _told(response: aiohttp.ClientResponse, *, limit: asyncio.Timeout, clock: Clock) -> bytes:
    if 200 <= response.status < 300:
        return await bodies.whole(response, clock=clock)
    if response.status not in _TELLING:
        return b""
    limit.reschedule(None)  # we know that it refuses: what it says has a limit of its own
    return await bodies.beginning(response)


def _session(
    resolver: Names, socket_factory: aiohttp.SocketFactoryType, *, tls: ssl.SSLContext, seconds: float | None = None
) -> aiohttp.ClientSession:
    """Without `seconds` for a whole request, bodies come as they are sent: packed, and in whatever time they take."""
    connections = affordable_connections()
    connector = aiohttp.TCPConnector(
        resolver=resolver,
        use_dns_cache=False,
        socket_factory=socket_factory,
        ssl=tls,
        keepalive_timeout=KEEP_ALIVE_SECONDS,
        limit=connections,
        limit_per_host=min(CONNECTIONS_TO_A_HOST, max(1, connections // 4)),
    )
    return aiohttp.ClientSession(
        connector=connector,
        headers={"User-Agent": f"cexwatch/{__version__}", "Accept-Encoding": "gzip, deflate"},
        timeout=aiohttp.ClientTimeout(total=seconds, connect=CONNECT_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=seconds is not None,
    )
