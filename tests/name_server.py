"""A DNS responder on a free UDP port of 127.0.0.1 that answers, refuses or keeps silent as it is told, name by name."""

import asyncio
import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address, ip_address

from msgspec import Struct

_A, _AAAA, _IN = 1, 28, 1
_HEADER = struct.Struct("!6H")
_ANSWERS = 0x8180  # a response, recursion desired and available


class Code(IntEnum):
    """RFC 1035, 4.1.1."""

    NO_ERROR = 0
    SERVER_FAILURE = 2
    NAME_ERROR = 3
    REFUSED = 5


class Reply(Struct, frozen=True, kw_only=True):
    addresses: Sequence[str] = ()
    code: Code = Code.NO_ERROR
    ttl: int = 300


class Silence(Struct, frozen=True):
    """The question is dropped."""


NO_SUCH_NAME = Reply(code=Code.NAME_ERROR)
SERVER_FAILURE = Reply(code=Code.SERVER_FAILURE)
SILENCE = Silence()


class NameServer(asyncio.DatagramProtocol):
    """`replies` by name may change at any time; a name without one does not exist."""

    def __init__(self, replies: Mapping[str, Reply | Silence]) -> None:
        self.replies = dict(replies)
        self.everything: Reply | Silence | None = None  # in place of all replies
        self.asked: list[str] = []  # a name for each lookup, whatever families it asked for
        self.address = ""

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override] # its kind is known
        self._transport = transport
        host, port = transport.get_extra_info("sockname")
        self.address = f"{host}:{port}"

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        number, *_ = _HEADER.unpack_from(data)
        name, kind, question = _question(data)
        if kind == _A:
            self.asked.append(name)
        match self.everything or self.replies.get(name, NO_SUCH_NAME):
            case Silence():
                return
            case Reply() as reply:
                records = _records(reply, kind=kind)
                head = _HEADER.pack(number, _ANSWERS | reply.code, 1, len(records), 0, 0)
                self._transport.sendto(head + question + b"".join(records), addr)


@asynccontextmanager
async def name_server(replies: Mapping[str, Reply | Silence]) -> AsyncIterator[NameServer]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(lambda: NameServer(replies), local_addr=("127.0.0.1", 0))
    try:
        yield server
    finally:
        transport.close()


def _question(data: bytes) -> tuple[str, int, bytes]:
    """Name in lower case, kind, and the question's own bytes."""
    labels: list[str] = []
    at = _HEADER.size
    while length := data[at]:
        labels.append(data[at + 1 : at + 1 + length].decode().lower())
        at += 1 + length
    kind, _ = struct.unpack_from("!2H", data, at + 1)
    return ".".join(labels), kind, data[_HEADER.size : at + 5]


def _records(reply: Reply, *, kind: int) -> list[bytes]:
    wanted = {_A: IPv4Address, _AAAA: IPv6Address}.get(kind)
    addresses = [address for address in map(ip_address, reply.addresses) if type(address) is wanted]
    return [
        # The name is a pointer to the one in the question.
        struct.pack("!3HIH", 0xC000 | _HEADER.size, kind, _IN, reply.ttl, len(address.packed)) + address.packed
        for address in addresses
    ]
