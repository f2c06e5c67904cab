"""The `eth_*` questions we ask, and how each result is read (https://ethereum.org/developers/docs/apis/json-rpc).

A state is asked for at a block: balances by its hash (EIP-1898), nonces by its number.
"""

import re
from datetime import UTC, datetime

import msgspec
from msgspec import Raw, Struct

from monitor.chains.jsonrpc import Call
from monitor.chains.ledger import Head
from monitor.chains.multicall import Read

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_DATA = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_HASH = re.compile(r"0x[0-9a-fA-F]{64}")
_LATEST_TIME = 253402300799  # the last second of the year 9999, which is where `datetime` ends


class _At(Struct, rename="camel"):
    block_hash: str


class _Transaction(Struct):
    to: str
    data: str


class _Block(Struct):
    number: str
    hash: str
    timestamp: str


def chain_id() -> Call[int]:
    return Call("eth_chainId", (), _quantity)


def latest() -> Call[Head]:
    return Call("eth_getBlockByNumber", ("latest", False), _head)


def block(number: int) -> Call[Head]:
    return Call("eth_getBlockByNumber", (hex(number), False), _head)


def nonce(address: str, *, at: int) -> Call[int]:
    """Transactions that `address` has sent, as of block number `at`."""
    return Call("eth_getTransactionCount", (address, hex(at)), _quantity)


def coin_balance(address: str, *, head: Head) -> Call[int]:
    return Call("eth_getBalance", (address, _At(head.hash)), _quantity)


def word(read: Read, *, head: Head) -> Call[int]:
    """A contract's answer of exactly 32 bytes, as an unsigned number."""
    return Call("eth_call", (_Transaction(read.target, f"0x{read.data.hex()}"), _At(head.hash)), _word)


def data(read: Read, *, head: Head) -> Call[bytes]:
    """A contract's answer as it is; empty where there is no contract."""
    return Call("eth_call", (_Transaction(read.target, f"0x{read.data.hex()}"), _At(head.hash)), _data)


def _quantity(raw: Raw) -> int:
    return _number(msgspec.json.decode(raw, type=str))


def _data(raw: Raw) -> bytes:
    text = msgspec.json.decode(raw, type=str)
    if not _DATA.fullmatch(text):
        raise msgspec.ValidationError("expected hex data")
    return bytes.fromhex(text[2:])


def _word(raw: Raw) -> int:
    answer = _data(raw)
    if len(answer) != 32:
        raise msgspec.ValidationError(f"expected 32 bytes, got {len(answer)}")
    return int.from_bytes(answer, "big")


def _head(raw: Raw) -> Head:
    block = msgspec.json.decode(raw, type=_Block)
    seconds = _number(block.timestamp)
    if not _HASH.fullmatch(block.hash) or seconds > _LATEST_TIME:
        raise msgspec.ValidationError("expected a block hash and a time")
    return Head(number=_number(block.number), hash=block.hash, timestamp=datetime.fromtimestamp(seconds, UTC))


def _number(text: str) -> int:
    if not _QUANTITY.fullmatch(text):
        raise msgspec.ValidationError(f"expected a quantity, got {text[:20]!r}")
    return int(text, 16)
