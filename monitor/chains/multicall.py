"""Multicall3's `aggregate3`: many reads of one block in one call (https://www.multicall3.com, ABI by hand, exact).

A read that failed or did not give exactly one 32-byte word is a `Miss`, never a zero.
"""

from collections.abc import Sequence
from enum import Enum

from msgspec import Struct

MULTICALL3 = "0xcA11bde05977b3631167028862bE2a173976CA11"  # the same address on every network

_AGGREGATE3 = bytes.fromhex("82ad56cb")
_GET_BLOCK_NUMBER = bytes.fromhex("42cbb15c")
_GET_ETH_BALANCE = bytes.fromhex("4d2301cc")
_BALANCE_OF = bytes.fromhex("70a08231")

_WORD = 32


class Read(Struct, frozen=True):
    """A call that changes nothing."""

    target: str
    data: bytes


class Miss(Enum):
    """Why a read brought no number."""

    FAILED = "reverted, or had no gas left"
    NO_WORD = "no 32-byte answer"


BLOCK_NUMBER = Read(MULTICALL3, _GET_BLOCK_NUMBER)


def coin_balance(address: str) -> Read:
    return Read(MULTICALL3, _GET_ETH_BALANCE + _address(address))


def token_balance(address: str, *, token: str) -> Read:
    return Read(token, _BALANCE_OF + _address(address))


def aggregate3(reads: Sequence[Read]) -> Read:
    """`aggregate3((address target, bool allowFailure, bytes callData)[])` of all `reads`, failures allowed."""
    tuples = [_tuple(read) for read in reads]
    offsets = []
    place = _WORD * len(tuples)
    for encoded in tuples:
        offsets.append(_word(place))
        place += len(encoded)
    data = b"".join((_AGGREGATE3, _word(_WORD), _word(len(tuples)), *offsets, *tuples))
    return Read(MULTICALL3, data)


def decode(answer: bytes, *, count: int) -> list[int | Miss]:
    """Read `(bool success, bytes returnData)[]` of `count` results. Raises `ValueError` on any other layout."""
    start = _number(answer, 0)
    if _number(answer, start) != count:
        raise ValueError(f"expected {count} results, got {_number(answer, start)}")
    offsets_at = start + _WORD
    return [_result(answer, offsets_at + _number(answer, offsets_at + _WORD * index)) for index in range(count)]


def _result(answer: bytes, place: int) -> int | Miss:
    success = _number(answer, place)
    data_at = place + _number(answer, place + _WORD)
    length = _number(answer, data_at)
    if success not in (0, 1) or data_at + _WORD + length > len(answer):
        raise ValueError("a result leaves the answer")
    if not success:
        return Miss.FAILED
    if length != _WORD:
        return Miss.NO_WORD
    return _number(answer, data_at + _WORD)


def _tuple(read: Read) -> bytes:
    padding = -len(read.data) % _WORD
    return b"".join(
        (_address(read.target), _word(1), _word(3 * _WORD), _word(len(read.data)), read.data, bytes(padding))
    )


def _address(address: str) -> bytes:
    return bytes.fromhex(address[2:]).rjust(_WORD, b"\0")


def _word(number: int) -> bytes:
    return number.to_bytes(_WORD, "big")


def _number(answer: bytes, place: int) -> int:
    word = answer[place : place + _WORD]
    if len(word) != _WORD:
        raise ValueError("the answer ends too early")
    return int.from_bytes(word, "big")
