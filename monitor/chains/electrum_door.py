"""How an Electrum server is reached: its name, the sockets that this may open, and its certificate.

Most servers of this protocol sign their own certificate, so TLS keeps listeners out and proves little. A certificate
that an authority of ours once vouched for must be vouched for ever after; of any other the first one seen is the only
one taken until the next start. What a server says is not true for that: a second endpoint has to agree.
"""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from ipaddress import ip_address
from urllib.parse import urlsplit

from msgspec import Struct

from monitor.chains.electrum_lines import Lines
from monitor.http.names import Names
from monitor.http.sockets import AddressInfo, PrivateAddressError, to_anywhere, to_public
from monitor.model import FailureReason, RemoteError

CONNECT_SECONDS = 5.0  # for one address, its handshake included


class Server(Struct, frozen=True, kw_only=True):
    """`electrum://host:50001`, or `electrums://host:50002` in TLS."""

    url: str
    allow_private: bool = False

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    @property
    def encrypted(self) -> bool:
        return self.url.startswith("electrums:")


class Door:
    """Opens connections to one server; remembers its certificate. `trusted` are the authorities of ours."""

    def __init__(
        self, names: Names, server: Server, *, trusted: Callable[[], ssl.SSLContext] = ssl.create_default_context
    ) -> None:
        self.host = server.host
        self._names = names
        self._server = server
        self._socket_to = to_anywhere if server.allow_private else to_public
        self._trusted = trusted
        self._vouched_for = False
        self._first_seen: bytes | None = None

    async def open(self) -> Lines:
        """A new connection. Raises `RemoteError`."""
        if not self._server.encrypted:
            return await self._reached(None)
        if self._first_seen is None:
            try:
                lines = await self._reached(self._trusted())
            except ssl.SSLCertVerificationError as error:
                if self._vouched_for:
                    raise self._failure(FailureReason.TLS, error.verify_message) from error
            else:
                self._vouched_for = True
                return lines
        return self._recognised(await self._reached(_whoever_it_is()))

    def _recognised(self, lines: Lines) -> Lines:
        shown = lines.certificate()
        if self._first_seen is None:
            self._first_seen = shown
        if shown != self._first_seen:
            lines.end(FailureReason.TLS, "another certificate than at first")
            raise self._failure(FailureReason.TLS, "another certificate than at first; a restart takes the new one")
        return lines

    async def _reached(self, tls: ssl.SSLContext | None) -> Lines:
        """By the first address that answers. Raises `RemoteError`, and `SSLCertVerificationError`."""
        failures: list[RemoteError] = []
        for address in await self._addresses():
            try:
                return await self._dialed(address, tls)
            except RemoteError as error:
                failures.append(error)
        self._names.forget(self.host)
        raise failures[0]

    async def _addresses(self) -> list[AddressInfo]:
        try:
            found = await self._names.resolve(self.host, self._server.port, socket.AF_UNSPEC)
        except OSError as error:
            raise self._failure(FailureReason.DNS, _words(error)) from error
        # IPv4 first: who has no way out over IPv6 learns it from every address anew.
        return sorted((_address(each["host"], self._server.port) for each in found), key=lambda each: each[0])

    async def _dialed(self, address: AddressInfo, tls: ssl.SSLContext | None) -> Lines:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await self._connected(address, tls)
        except TimeoutError as error:
            raise self._failure(FailureReason.TIMEOUT, f"not connected within {CONNECT_SECONDS:g} s") from error
        except PrivateAddressError as error:
            raise self._failure(FailureReason.CONNECTION, _words(error), permanent=True) from error
        except ssl.SSLCertVerificationError:
            raise
        except ssl.SSLError as error:
            raise self._failure(FailureReason.TLS, _words(error)) from error
        except OSError as error:
            raise self._failure(FailureReason.CONNECTION, _words(error)) from error

    async def _connected(self, address: AddressInfo, tls: ssl.SSLContext | None) -> Lines:
        loop = asyncio.get_running_loop()
        with ExitStack() as undo:
            connection = undo.enter_context(self._socket_to(address))
            connection.setblocking(False)
            await loop.sock_connect(connection, address[4])
            undo.pop_all()  # from here on the transport closes it
        _, lines = await loop.create_connection(
            lambda: Lines(self.host), sock=connection, ssl=tls, server_hostname=self.host if tls else None
        )
        return lines

    def _failure(self, reason: FailureReason, detail: str, *, permanent: bool = False) -> RemoteError:
        return RemoteError(reason, f"{self.host}: {detail}", permanent=permanent)


def _whoever_it_is() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _address(host: str, port: int) -> AddressInfo:
    if ip_address(host).version == 4:
        return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))
    return (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port, 0, 0))


def _words(error: OSError) -> str:
    match error:
        case ssl.SSLError():
            return f"{error.reason}".replace("_", " ").lower()
        case OSError(errno=int(number)) if number > 0:
            return os.strerror(number).lower()
        case _:
            return error.strerror or "connection failed"
