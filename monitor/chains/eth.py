"""The `eth_*` questions we ask, and how each result is read (https://ethereum.org/developers/docs/apis/json-rpc).

A state is asked for at a block: balances by its hash (EIP-1898), nonces by its number.
"""

import re
from binascii import Error as NoHexError
from binascii import unhexlify
from datetime import UTC, datetime

import msgspec
from msgspec import Raw, Struct

from monitor.chains.jsonrpc import Call
from monitor.chains.ledger import Head
from monitor.chains.multicall import Read

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_HASH = re.compile(r"0x[0-9a-fA-F]{64}")
_LATEST_TIME = 253402300799  # the last second of the year 9999, which is where `datetime` ends
_MOST = 2**63  # of what is counted: blocks, and transactions of an account


class _At(Struct, rename="camel"):
    block_hash: str


class _Transaction(Struct):
    to: str
    data: Raw  # as JSON: a call of many reads is long, and is not looked through for what to escape


class Syncing(Struct, frozen=True):
    """A node that says it is not yet where it wants to be; heights are 0 where it does not tell them."""

    height: int = 0
    goal: int = 0


class _Progress(Struct, rename="camel"):
    current_block: str = "0x0"
    highest_block: str = "0x0"


class _Block(Struct):
    number: str
    hash: str
    timestamp: str


def chain_id() -> Call[int]:
    return Call("eth_chainId", (), _quantity)


def latest() -> Call[Head]:
    return Call("eth_getBlockByNumber", ("latest", False), _head)


def block(number: int) -> Call[Head | None]:
    """None where the node has no such block."""

    def read(raw: Raw) -> Head | None:
        if bytes(raw) == b"null":
            return None
        head = _head(raw)
        if head.number != number:
            raise msgspec.ValidationError(f"asked for block {number}, got {head.number}")
        return head

    return Call("eth_getBlockByNumber", (hex(number), False), read)


def syncing() -> Call[Syncing | None]:
    """None for a node that does not sync, or that says it does and is at its goal, as some do."""
    return Call("eth_syncing", (), _syncing)


def nonce(address: str, *, at: int) -> Call[int]:
    """Transactions that `address` has sent, as of block number `at`."""
    return Call("eth_getTransactionCount", (address, hex(at)), _count)


def coin_balance(address: str, *, head: Head) -> Call[int]:
    return Call("eth_getBalance", (address, _At(head.hash)), _quantity)


def word(read: Read, *, head: Head) -> Call[int]:
    """A contract's answer of exactly 32 bytes, as an unsigned number."""
    return Call("eth_call", (_transaction(read), _At(head.hash)), _word)


def data(read: Read, *, head: Head) -> Call[bytes]:
    """A contract's answer as it is; empty where there is no contract."""
    return Call("eth_call", (_transaction(read), _At(head.hash)), _data)


def _transaction(read: Read) -> _Transaction:
    return _Transaction(read.target, Raw(b'"0x%b"' % read.data))


def _quantity(raw: Raw) -> int:
    return _number(msgspec.json.decode(raw, type=str))


def _count(raw: Raw) -> int:
    return _counted(msgspec.json.decode(raw, type=str))


def _data(raw: Raw) -> bytes:
    text = memoryview(raw)
    if bytes(text[:3]) != b'"0x':
        raise msgspec.ValidationError("expected hex data")
    try:
        return unhexlify(text[3:-1])
    except NoHexError as error:
        raise msgspec.ValidationError("expected hex data") from error


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
    # Hashes are compared as text, and one node or another may write them large.
    return Head(number=_counted(block.number), hash=block.hash.lower(), timestamp=datetime.fromtimestamp(seconds, UTC))


def _syncing(raw: Raw) -> Syncing | None:
    match msgspec.json.decode(raw, type=bool | _Progress):
        case _Progress(current_block=current, highest_block=highest):
            height, goal = _number(current), _number(highest)
            return None if height >= goal > 0 else Syncing(height, goal)
        case is_syncing:
            return Syncing() if is_syncing else None


def _counted(text: str) -> int:
    count = _number(text)
    if count >= _MOST:
        raise msgspec.ValidationError(f"expected a count, got {text[:20]!r}")
    return count


def _number(text: str) -> int:
    if not _QUANTITY.fullmatch(text):
        raise msgspec.ValidationError(f"expected a quantity, got {text[:20]!r}")
    return int(text, 16)
