"""Answers as bytes with their validators. A big one is encoded item by item elsewhere, so that the loop goes on."""

import asyncio
import hashlib
from collections.abc import Sequence

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import asdict

from monitor.web.api.paging import Page

LARGE = 256 * 1024
TICKING = ("generated_at", "age_seconds", "uptime_seconds", "store_lag_seconds")
"""What changes with every look: the same answer a second later is the same answer."""

_ENCODER = msgspec.json.Encoder()


async def encoded(value: Struct | msgspec.Raw) -> tuple[bytes, str]:
    """The body and the word that a weak validator (RFC 9110, 8.8.1) is made of."""
    match value:
        case Page(items=items, next=following):
            body = b'{"items":[' + b",".join(await _pieces(items)) + b'],"next":' + _ENCODER.encode(following) + b"}"
            return body, await _digest(body)
        case msgspec.Raw():
            return bytes(value), await _digest(bytes(value))
        case _:
            fields = asdict(value).items()
            lasting = {name: field for name, field in fields if name not in TICKING and field is not UNSET}
            return _ENCODER.encode(value), await _digest(_ENCODER.encode(lasting))


async def _pieces(items: Sequence[object]) -> list[bytes]:
    pieces: list[bytes] = []
    size = 0
    for place, item in enumerate(items, start=1):
        pieces.append(_ENCODER.encode(item))
        size += len(pieces[-1])
        if size > LARGE:
            return [*pieces, *await asyncio.to_thread(_rest, items[place:])]
    return pieces


def _rest(items: Sequence[object]) -> list[bytes]:
    """An encoder is one thread's own."""
    return [msgspec.json.encode(item) for item in items]


async def _digest(body: bytes) -> str:
    return await asyncio.to_thread(_sha256, body) if len(body) > LARGE else _sha256(body)


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]
