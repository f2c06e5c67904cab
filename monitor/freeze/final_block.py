"""When the newest final block of an EVM chain was made: a time that no machine of ours and no single server decides.

It lags, on Ethereum by about 13 minutes. So it is a lower bound, and late is safe: what is locked stays so for longer.
"""

import asyncio
import re
from datetime import UTC, datetime

import aiohttp
import msgspec
from msgspec import Struct

from monitor.clock import Clock
from monitor.model import FailureReason, RemoteError

TIMEOUT_SECONDS = 10.0  # clock ones
LARGEST_BODY = 64 * 1024

_QUESTION = b'{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["finalized",false]}'
# A compressed body could be any size behind ours, so none is asked for.
_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,8}")  # seconds that fit four bytes, so up to 2106; more is nonsense


class _Block(Struct):
    timestamp: str


class _Answer(Struct):
    id: int
    result: _Block | None = None


async def ask(url: str, *, clock: Clock, session: aiohttp.ClientSession) -> datetime:
    """The timestamp of the block that the JSON-RPC node at `url` calls `finalized`. Raises `RemoteError`."""
    # aiohttp's errors carry the URL, which may hold a key, so none of them may stand behind ours in a traceback.
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS / clock.speed):
            body = await _body(url, session)
    except TimeoutError:
        raise RemoteError(FailureReason.TIMEOUT, f"no whole answer within {TIMEOUT_SECONDS:g} s") from None
    except aiohttp.ClientError as error:
        raise RemoteError(FailureReason.CONNECTION, type(error).__name__) from None
    return _timestamp(body)


async def _body(url: str, session: aiohttp.ClientSession) -> bytes:
    async with session.post(url, data=_QUESTION, headers=_HEADERS, allow_redirects=False) as response:
        if response.status != 200:
            raise RemoteError(FailureReason.SHAPE, f"status {response.status}")
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise RemoteError(FailureReason.ENCODING, "an encoding we did not ask for")
        body = bytearray()
        while part := await response.content.readany():
            body += part
            if len(body) > LARGEST_BODY:
                raise RemoteError(FailureReason.TOO_LARGE, f"more than {LARGEST_BODY} bytes")
        return bytes(body)


def _timestamp(body: bytes) -> datetime:
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise RemoteError(FailureReason.SCHEMA, "not the answer of a node") from None
    if answer.id != 1 or answer.result is None:
        raise RemoteError(FailureReason.SHAPE, "it tells no final block")
    if not _QUANTITY.fullmatch(answer.result.timestamp):
        raise RemoteError(FailureReason.SCHEMA, "a timestamp that is none")
    return datetime.fromtimestamp(int(answer.result.timestamp, 16), UTC)
