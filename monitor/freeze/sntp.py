"""The time of an NTP server, asked once, as RFC 4330 (SNTP version 4) has it, with what RFC 5905 says since.

The nonce keeps out who cannot read what we send; who sits on the line can say any time. So one server is never enough.
"""

import asyncio
import secrets
import struct
from datetime import UTC, datetime, timedelta

from monitor.clock import Clock
from monitor.model import FailureReason, RemoteError

PORT = 123
LONGEST_TRIP_SECONDS = 2.0  # clock ones, there and back; a reply that took longer says too little

_CLIENT = 0x23  # leap 0, version 4, mode 3
_SERVER_MODE = 4
_LEAP_UNSYNCHRONISED = 3
_STRATA = range(1, 16)
_TIMESTAMP = struct.Struct("!2I")  # seconds since an era began, and 2**-32 parts of one
_ORIGINATE, _TRANSMIT, _LENGTH = slice(24, 32), slice(40, 48), 48
_ERA_0 = datetime(1900, 1, 1, tzinfo=UTC)
_ERA_1 = datetime(2036, 2, 7, 6, 28, 16, tzinfo=UTC)
_FIRST_OF_ERA_0 = 0x8000_0000  # RFC 4330, 3: with the first bit set it is 1968 to 2036, without it 2036 to 2104


class _Exchange(asyncio.DatagramProtocol):
    """One question, and the first reply that knows its nonce with the seconds it took. Anything else is not for us."""

    def __init__(self, nonce: bytes, *, clock: Clock) -> None:
        self._nonce = nonce
        self._clock = clock
        self.reply: asyncio.Future[tuple[bytes, float]] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override] # its kind is known
        self._sent_at = self._clock.monotonic()
        transport.sendto(bytes([_CLIENT]) + bytes(_TRANSMIT.start - 1) + self._nonce)

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        del addr  # the socket is connected, so it is the one we asked
        if len(data) >= _LENGTH and data[_ORIGINATE] == self._nonce and not self.reply.done():
            self.reply.set_result((data, self._clock.monotonic() - self._sent_at))

    def error_received(self, exc: Exception) -> None:
        if not self.reply.done():
            self.reply.set_exception(exc)


async def ask(host: str, port: int, *, clock: Clock) -> datetime:
    """The time it is there now: when the reply left, and half of the trip.

    Raises `RemoteError`: no reply to this question in time, a kiss of death, a server that does not know the time.
    """
    nonce = secrets.token_bytes(_TIMESTAMP.size)
    try:
        async with asyncio.timeout(LONGEST_TRIP_SECONDS / clock.speed):
            reply, trip = await _replied(host, port, nonce, clock=clock)
    except TimeoutError:
        raise RemoteError(FailureReason.TIMEOUT, f"no reply within {LONGEST_TRIP_SECONDS:g} s") from None
    except (OSError, UnicodeError) as error:  # a name that is none is a UnicodeError
        raise RemoteError(FailureReason.CONNECTION, str(error)) from error
    if trip > LONGEST_TRIP_SECONDS:
        raise RemoteError(FailureReason.TIMEOUT, f"the reply took {trip:.1f} s")
    return _transmitted(reply) + timedelta(seconds=trip / 2)


async def _replied(host: str, port: int, nonce: bytes, *, clock: Clock) -> tuple[bytes, float]:
    loop = asyncio.get_running_loop()
    transport, exchange = await loop.create_datagram_endpoint(
        lambda: _Exchange(nonce, clock=clock), remote_addr=(host, port)
    )
    try:
        return await exchange.reply
    finally:
        transport.close()


def _transmitted(reply: bytes) -> datetime:
    """When the reply left, by its server. Raises `RemoteError` where that is not to be believed."""
    leap, mode, stratum = reply[0] >> 6, reply[0] & 0b111, reply[1]
    if mode != _SERVER_MODE:
        raise RemoteError(FailureReason.SHAPE, f"mode {mode} is not a server's")
    if stratum == 0:
        raise RemoteError(FailureReason.BLOCKED, f"kiss of death {reply[12:16].decode('latin-1')!a}")
    if leap == _LEAP_UNSYNCHRONISED or stratum not in _STRATA:
        raise RemoteError(FailureReason.STALE, f"not synchronised: leap {leap}, stratum {stratum}")
    seconds, parts = _TIMESTAMP.unpack(reply[_TRANSMIT])
    if seconds == parts == 0:
        raise RemoteError(FailureReason.SHAPE, "it tells no time")
    era = _ERA_0 if seconds >= _FIRST_OF_ERA_0 else _ERA_1
    return era + timedelta(seconds=seconds, microseconds=parts * 1_000_000 >> 32)
