"""What came behind the head of an answer, decoded and never more than fits.

aiohttp would decode too, but takes a gzip stream that breaks off for a whole one.
"""

import asyncio
import zlib
from collections.abc import Iterator

import aiohttp

from monitor.clock import Clock
from monitor.model import FailureReason, RemoteError

LARGEST_BODY = 8 * 2**20
PIECE = 2**18  # inflated at once
BEGINNING = 4096
BEGINNING_SECONDS = 1.0  # real ones

_GZIP_MAGIC = b"\x1f\x8b"


async def whole(response: aiohttp.ClientResponse, *, clock: Clock) -> bytes:
    """All of it, at most 8 MiB decoded. Raises `RemoteError` (encoding, too_large) and what aiohttp raises."""
    match response.headers.get("Content-Encoding", "").lower():
        case "" | "identity":
            body = await _plain(response)
        case "gzip" | "x-gzip" | "deflate" as encoding:
            body = await _inflated(response, encoding, clock=clock)
        case _:
            raise RemoteError(FailureReason.ENCODING, f"{response.host}: an encoding we did not ask for")
    if body.startswith(_GZIP_MAGIC):
        raise RemoteError(FailureReason.ENCODING, f"{response.host}: compressed once more than it says")
    return body


async def beginning(response: aiohttp.ClientResponse) -> bytes:
    """What a refusal says first, at most 4 KiB of it and for a second, whatever becomes of the rest."""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BEGINNING_SECONDS):
            while size < BEGINNING and (part := await response.content.read(BEGINNING - size)):
                parts.append(part)
                size += len(part)
    except (TimeoutError, aiohttp.ClientError):
        pass  # the status has said the most
    told = b"".join(parts)
    if not told.startswith(_GZIP_MAGIC):
        return told
    try:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS + 16).decompress(told, BEGINNING)
    except zlib.error:
        return b""


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


async def _inflated(response: aiohttp.ClientResponse, encoding: str, *, clock: Clock) -> bytes:
    """Of one member only."""
    parts: list[bytes] = []
    size = received = 0
    inflater = None
    while part := await response.content.readany():
        inflater = inflater or zlib.decompressobj(wbits=_window_bits(encoding, part))
        received += len(part)
        for piece in _pieces(inflater, part, host=response.host):
            size += len(piece)
            if max(size, received) > LARGEST_BODY:
                raise _too_large(response)
            parts.append(piece)
            if len(piece) == PIECE:
                await clock.sleep(0)  # much came out of little, and others wait
        if inflater.unused_data:
            raise RemoteError(FailureReason.ENCODING, f"{response.host}: goes on after its compressed end")
    if inflater is not None and not inflater.eof:
        raise RemoteError(FailureReason.ENCODING, f"{response.host}: breaks off before its compressed end")
    return b"".join(parts)


def _pieces(inflater: "zlib._Decompress", part: bytes, *, host: str) -> Iterator[bytes]:
    while True:
        try:
            piece = inflater.decompress(part, PIECE)
        except zlib.error as error:
            raise RemoteError(FailureReason.ENCODING, f"{host}: not compressed as it says") from error
        yield piece
        part = inflater.unconsumed_tail
        if not part and len(piece) < PIECE:
            return


def _window_bits(encoding: str, start: bytes) -> int:
    if encoding != "deflate":
        return zlib.MAX_WBITS + 16
    # Some servers send "deflate" without the zlib header that RFC 9110, 8.4.1.2 asks for.
    return zlib.MAX_WBITS if start[0] & 0x0F == zlib.DEFLATED else -zlib.MAX_WBITS


def _too_large(response: aiohttp.ClientResponse) -> RemoteError:
    return RemoteError(FailureReason.TOO_LARGE, f"{response.host}: more than {LARGEST_BODY} bytes")
