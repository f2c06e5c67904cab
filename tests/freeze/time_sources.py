"""An NTP server on a UDP port of loopback, written from RFC 4330, that is right or wrong as it is told; and a node."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from enum import Enum, auto

import msgspec

from tests.hand_clock import NOON, HandClock
from tests.loopback import Answer, Asked, Loopback, as_json

_PACKET = struct.Struct("!BBbbII4sQQQQ")  # figure 1 of RFC 4330
_EPOCH = datetime(1900, 1, 1, tzinfo=UTC)
_A_SECOND = 1 << 32
YEAR = timedelta(days=365)


class Way(Enum):
    RIGHT = auto()
    WRONG_ORIGINATE = auto()
    FORGED_FIRST = auto()  # somebody else's reply comes before the right one
    KISS_OF_DEATH = auto()
    UNSYNCHRONISED = auto()
    STRATUM_16 = auto()
    CLIENT = auto()  # it sends back what a client sends
    NO_TIME = auto()
    SHORT = auto()
    SILENT = auto()
    YEAR_AHEAD = auto()


class NtpServer(asyncio.DatagramProtocol):
    """`trip_seconds` of the clock pass between question and reply, as if half before `time` was read and half after."""

    def __init__(self, clock: HandClock) -> None:
        self.time = NOON
        self.way = Way.RIGHT
        self.trip_seconds = 0.0
        self.nonces: list[int] = []
        self.url = ""
        self._clock = clock

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override] # its kind is known
        self._transport = transport
        host, port = transport.get_extra_info("sockname")
        self.url = f"ntp://{host}:{port}"

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        first, *rest, nonce = _PACKET.unpack(data)
        assert first in (0b00_100_011, 0b11_100_011), "not the request of a client of version 4"
        assert set(rest) == {0, bytes(4)}, "a client tells nothing about itself"
        self.nonces.append(nonce)
        self._clock.hand += self.trip_seconds
        for reply in self._replies(nonce):
            self._transport.sendto(reply, addr)

    def _replies(self, nonce: int) -> list[bytes]:
        match self.way:
            case Way.SILENT:
                return []
            case Way.WRONG_ORIGINATE:
                return [self._reply(nonce ^ 1)]
            case Way.FORGED_FIRST:
                return [self._reply(nonce ^ 1, ahead=YEAR), self._reply(nonce)]
            case Way.KISS_OF_DEATH:
                return [self._reply(nonce, first=0b11_100_100, stratum=0, reference=b"RATE")]
            case Way.UNSYNCHRONISED:
                return [self._reply(nonce, first=0b11_100_100)]
            case Way.STRATUM_16:
                return [self._reply(nonce, stratum=16)]
            case Way.CLIENT:
                return [self._reply(nonce, first=0b00_100_011)]
            case Way.NO_TIME:
                return [self._reply(nonce)[:40] + bytes(8)]
            case Way.SHORT:
                return [self._reply(nonce)[:47]]
            case Way.YEAR_AHEAD:
                return [self._reply(nonce, ahead=YEAR)]
            case Way.RIGHT:
                return [self._reply(nonce)]

    def _reply(
        self,
        nonce: int,
        *,
        first: int = 0b00_100_100,
        stratum: int = 2,
        reference: bytes = b"\x7f\0\0\1",
        ahead: timedelta = timedelta(),
    ) -> bytes:
        stamp = _stamp(self.time + ahead)
        return _PACKET.pack(first, stratum, 6, -20, 0x100, 0x100, reference, stamp, nonce, stamp, stamp)


@asynccontextmanager
async def ntp_server(clock: HandClock, *, host: str = "127.0.0.1") -> AsyncIterator[NtpServer]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(lambda: NtpServer(clock), local_addr=(host, 0))
    try:
        yield server
    finally:
        transport.close()


class Node:
    """The one method of a chain's node that is asked for; `server` fails as it is told."""

    def __init__(self, *, host: str = "127.0.0.1") -> None:
        self.time = NOON
        self.server = Loopback(self._answer, host=host)

    def _answer(self, asked: Asked) -> Answer:
        question = msgspec.json.decode(asked.body, type=dict[str, object])
        assert (asked.method, asked.headers["Content-Type"]) == ("POST", "application/json")
        assert (question["jsonrpc"], question["method"]) == ("2.0", "eth_getBlockByNumber")
        assert question["params"] == ["finalized", False]
        return block(hex(int(self.time.timestamp())), number=question["id"])


def block(timestamp: object, *, number: object = 1) -> Answer:
    """What a node answers, of which a block has much more."""
    result = {"number": "0x1", "hash": "0x" + "ab" * 32, "timestamp": timestamp, "transactions": []}
    return as_json({"jsonrpc": "2.0", "id": number, "result": result})


def _stamp(time: datetime) -> int:
    """Seconds since 1900 in 32 bits, of which the highest falls away in 2036, and as many bits of a second."""
    micros = (time - _EPOCH) // timedelta(microseconds=1)
    return -(-micros * _A_SECOND // 1_000_000) % (1 << 64)
