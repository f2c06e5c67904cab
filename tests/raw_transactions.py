"""Transactions of the bitcoin family as bytes, put together by the rules."""

from collections.abc import Sequence
from hashlib import sha256

from msgspec import Struct

WITNESS = 1
EXTENSION = 8


class Raw(Struct, frozen=True):
    txid: str
    body: bytes


def raw_transaction(
    inputs: Sequence[tuple[str, int]],
    outputs: Sequence[tuple[bytes, int]],
    *,
    flag: int = 0,
    witness: Sequence[bytes] = (b"\x30" * 71, b"\x02" * 33),
    extension: bytes = b"\0",
) -> Raw:
    """Of what it spends (transaction, place) and pays (script, value); `flag` says what else is in it."""
    spent = _counted(
        [bytes.fromhex(txid)[::-1] + place.to_bytes(4, "little") + _sized(b"") + b"\xff" * 4 for txid, place in inputs]
    )
    paid = _counted([value.to_bytes(8, "little") + _sized(script) for script, value in outputs])
    version, locktime = b"\2\0\0\0", b"\7\0\0\0"
    body = version + (bytes((0, flag)) if flag else b"") + spent + paid
    if flag & WITNESS:
        body += _counted([_sized(item) for item in witness]) * len(inputs)
    if flag & EXTENSION:
        body += extension
    digest = sha256(sha256(version + spent + paid + locktime).digest()).digest()
    return Raw(digest[::-1].hex(), body + locktime)


def _counted(parts: Sequence[bytes]) -> bytes:
    return _count(len(parts)) + b"".join(parts)


def _sized(data: bytes) -> bytes:
    return _count(len(data)) + data


def _count(number: int) -> bytes:
    for mark, size in ((253, 2), (254, 4), (255, 8)):
        if number < 253:
            return bytes((number,))
        if number < 256**size:
            return bytes((mark,)) + number.to_bytes(size, "little")
    raise ValueError(number)
