"""Multicall3's `aggregate3`: many reads of one block in one call (https://www.multicall3.com, ABI by hand, exact).

A read that failed or did not give exactly one 32-byte word is a `Miss`, never a zero. What is sent is made as the hex
digits that it is sent as, as thousands of reads are a megabyte.
"""

from collections.abc import Sequence
from enum import Enum
from functools import lru_cache
from operator import attrgetter

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from monitor.chains.ledger import Holding

MULTICALL3 = "0xcA11bde05977b3631167028862bE2a173976CA11"  # the same address on nearly every network

_AGGREGATE3 = b"82ad56cb"
_GET_BLOCK_NUMBER = b"42cbb15c"
_GET_ETH_BALANCE = b"4d2301cc"
_BALANCE_OF = b"70a08231"
_DECIMALS = b"313ce567"

_WORD = 32  # bytes
_LIMBS = 4  # of 64 bits in a word
_DIGITS = 2 * _WORD
_ADDRESS = 40  # digits
# A read of one balance, in digits: target, failure allowed, place and length of its data, selector, zeros...
_OPENING = 4 * _DIGITS + 8 + 24
_PADDING = 56  # ...and after the address as many as make its 36 bytes two words
_TUPLE = _OPENING + _ADDRESS + _PADDING

Limbs = NDArray[np.uint64]
Places = NDArray[np.intp]

_address_of = attrgetter("address")
_contract_of = attrgetter("token.contract")


class Read(Struct, frozen=True):
    """A call that changes nothing; `data` are hex digits."""

    target: str
    data: bytes


class Miss(Enum):
    """Why a read brought no number."""

    FAILED = "reverted, or had no gas left"
    NO_WORD = "no 32-byte answer"


class Results(Struct, frozen=True):
    numbers: list[int]  # of the reads that brought one, in their order
    misses: dict[int, Miss]  # place of a read that brought none -> why


def token_balance(address: str, *, token: str) -> Read:
    return Read(token, _BALANCE_OF + _address(address))


def decimals(token: str) -> Read:
    return Read(token, _DECIMALS)


def balances(holdings: Sequence[Holding]) -> Read:
    """`aggregate3((address target, bool allowFailure, bytes callData)[])`: the block's number, then every balance."""
    first = _tuple(MULTICALL3, _GET_BLOCK_NUMBER)
    count = 1 + len(holdings)
    offsets = np.zeros((count, _LIMBS), dtype=">u8")
    offsets[0, -1] = _WORD * count
    offsets[1:, -1] = _WORD * count + (len(first) + _TUPLE * np.arange(len(holdings))) // 2
    head = _AGGREGATE3 + _word(_WORD) + _word(count)
    return Read(MULTICALL3, b"".join((head, offsets.tobytes().hex().encode(), first, _tuples(holdings).data)))


def decode(answer: bytes, *, count: int) -> Results:
    """Read `(bool success, bytes returnData)[]` of `count` results. Raises `ValueError` on any other layout."""
    if len(answer) % _WORD:
        raise ValueError("the answer ends within a word")
    words: Limbs = np.frombuffer(answer, dtype=">u8").reshape(-1, _LIMBS)
    sizes = _sizes(words)
    array = _steps(sizes, np.zeros(1, dtype=np.intp))
    told = _at(sizes, array)[0]
    if told != count:
        raise ValueError(f"expected {count} results, got {told}")
    results = array + 1 + _steps(sizes, array + 1 + np.arange(count))
    success = _at(sizes, results)
    data = results + _steps(sizes, results + 1)
    length = _at(sizes, data)
    if (success > 1).any() or ((data + 1) * _WORD + length > len(answer)).any():
        raise ValueError("a result leaves the answer")
    is_number = (success == 1) & (length == _WORD)
    missed = np.flatnonzero(~is_number).tolist()
    misses = {place: Miss.NO_WORD if success[place] else Miss.FAILED for place in missed}
    return Results(_numbers(words[data[is_number] + 1]), misses)


def _sizes(words: Limbs) -> Places:
    """The words that are no larger than the answer is long; -1 stands for every other."""
    small = words[:, -1].astype(np.uint64)
    is_large = (words[:, 0] | words[:, 1] | words[:, 2]).astype(bool) | (small > len(words) * _WORD)
    return np.where(is_large, -1, small.astype(np.intp))


def _at(sizes: Places, places: Places) -> Places:
    if (places >= len(sizes)).any():
        raise ValueError("the answer ends too early")
    found: Places = sizes[places]
    if (found < 0).any():
        raise ValueError("a number beyond the end")
    return found


def _steps(sizes: Places, places: Places) -> Places:
    """The offsets at `places`, in words."""
    offsets = _at(sizes, places)
    if (offsets % _WORD).any():
        raise ValueError("an offset into a word")
    return offsets // _WORD


def _numbers(words: Limbs) -> list[int]:
    """Exact for all 256 bits."""
    if not words[:, :2].any():
        upper, lower = words[:, 2].tolist(), words[:, 3].tolist()
        return [high << 64 | low if high else low for high, low in zip(upper, lower, strict=True)]
    return [a << 192 | b << 128 | c << 64 | d for a, b, c, d in words.tolist()]


def _tuples(holdings: Sequence[Holding]) -> NDArray[np.uint8]:
    """One read a row."""
    contracts = list(map(_contract_of, holdings))
    rows = {contract: row for row, contract in enumerate(dict.fromkeys(contracts))}
    patterns = np.frombuffer(b"".join(map(_pattern, rows)), dtype=np.uint8).reshape(-1, _TUPLE)
    addresses = "".join(map(_address_of, holdings)).encode()
    tuples: NDArray[np.uint8] = patterns[[rows[contract] for contract in contracts]]
    tuples[:, _OPENING:-_PADDING] = np.frombuffer(addresses, dtype=np.uint8).reshape(-1, 2 + _ADDRESS)[:, 2:]
    return tuples


@lru_cache(maxsize=256)
def _pattern(contract: str | None) -> bytes:
    """A read of a balance of nobody: of the network's coin where there is no contract."""
    target, selector = (MULTICALL3, _GET_ETH_BALANCE) if contract is None else (contract, _BALANCE_OF)
    return _tuple(target, selector + _word(0))


def _tuple(target: str, data: bytes) -> bytes:
    padding = -len(data) % _DIGITS
    return b"".join((_address(target), _word(1), _word(3 * _WORD), _word(len(data) // 2), data, b"0" * padding))


def _address(address: str) -> bytes:
    return address[2:].encode().rjust(_DIGITS, b"0")


def _word(number: int) -> bytes:
    return b"%064x" % number
