"""The `eth_*` questions about what was moved: `Transfer` events, whole blocks and receipts, and how each is read.

Addresses and contracts in the answers are lower-case (https://ethereum.github.io/execution-apis).
"""

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import partial

import msgspec
from msgspec import Raw, Struct

from monitor.chains.jsonrpc import Call
from monitor.chains.ledger import Head

TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"  # of ERC-20, and of ERC-721
_GWEI = 10**9  # in which the beacon chain counts: EIP-4895

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_WORD = re.compile(r"0x[0-9a-fA-F]{64}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_TOPIC = re.compile(r"0x0{24}[0-9a-fA-F]{40}")
_NO_TRANSACTIONS = ("0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421", f"0x{'0' * 64}")
"""The root of an empty trie, Keccak-256 of the RLP of nothing; and what a chain without roots may tell."""
_MOST = 2**63  # blocks
_LATEST_TIME = 253402300799  # the last second of the year 9999, which is where `datetime` ends


class Side(Enum):
    """Where an address stands in a `Transfer`: the place of its topic."""

    FROM = 1
    TO = 2


class Search(Struct, frozen=True, kw_only=True):
    """`Transfer` events of some contracts from or to some addresses, in blocks `first` to `last`, both in."""

    contracts: tuple[str, ...]
    side: Side
    addresses: tuple[str, ...]
    first: int
    last: int


class Event(Struct, frozen=True, kw_only=True):
    """A `Transfer`. `index` is its place in the block."""

    number: int
    block_hash: str
    index: int
    transaction: str
    contract: str
    source: str
    destination: str
    amount: int


class Transaction(Struct, frozen=True, kw_only=True):
    hash: str
    sender: str
    to: str | None  # None creates a contract
    value: int


class Withdrawal(Struct, frozen=True, kw_only=True):
    """From the beacon chain to an address."""

    index: int
    address: str
    amount: int


class Block(Struct, frozen=True, kw_only=True):
    head: Head
    parent: str
    fee_recipient: str
    base_fee: int
    transactions: tuple[Transaction, ...]
    withdrawals: tuple[Withdrawal, ...]


class Receipt(Struct, frozen=True, kw_only=True):
    """What became of a transaction. `fee` is all that its sender paid for it."""

    transaction: str
    block_hash: str
    succeeded: bool
    fee: int
    gas: int
    gas_price: int
    created: str | None  # the contract that it created
    events: tuple[Event, ...]


class _Filter(Struct, rename="camel"):
    address: tuple[str, ...]
    topics: tuple[object, ...]
    from_block: str
    to_block: str


class _Log(Struct, rename="camel"):
    address: str
    topics: list[str]
    data: str
    block_number: str
    block_hash: str
    transaction_hash: str
    log_index: str
    removed: bool = False


class _Transaction(Struct, rename={"sender": "from"}):
    hash: str
    sender: str
    value: str
    to: str | None = None


class _Withdrawal(Struct):
    index: str
    address: str
    amount: str


class _Block(Struct, rename="camel"):
    number: str
    hash: str
    parent_hash: str
    timestamp: str
    transactions: list[_Transaction]
    transactions_root: str
    miner: str
    base_fee_per_gas: str = "0x0"
    withdrawals: list[_Withdrawal] | None = None


class _Receipt(Struct, rename="camel"):
    transaction_hash: str
    block_hash: str
    status: str
    gas_used: str
    effective_gas_price: str
    logs: list[_Log]
    contract_address: str | None = None
    blob_gas_used: str | None = None
    blob_gas_price: str | None = None
    l1_fee: str | None = None  # of the OP stack


def transfers(search: Search) -> Call[list[Event]]:
    addresses = [f"0x{address[2:].rjust(64, '0')}" for address in search.addresses]
    anybody: tuple[object, ...] = () if search.side is Side.FROM else (None,)
    asked = _Filter(search.contracts, (TRANSFER, *anybody, addresses), hex(search.first), hex(search.last))
    return Call("eth_getLogs", (asked,), _events)


def whole_block(number: int) -> Call[Block | None]:
    """None where the node has no such block."""
    return Call("eth_getBlockByNumber", (hex(number), True), _block)


def block_receipts(number: int, *, contracts: Collection[str]) -> Call[list[Receipt]]:
    """Receipts of all transactions of a block, in order, with the `Transfer` events of `contracts`."""
    return Call("eth_getBlockReceipts", (hex(number),), partial(_receipts, contracts=contracts))


def receipt(transaction: str) -> Call[Receipt]:
    """Without its events."""
    return Call("eth_getTransactionReceipt", (transaction,), _lone_receipt)


def _events(raw: Raw) -> list[Event]:
    logs = msgspec.json.decode(raw, type=list[_Log])
    return [_event(log) for log in logs if not log.removed]


def _event(log: _Log) -> Event:
    match log.topics:
        case [topic, source, destination] if (
            topic.lower() == TRANSFER and _TOPIC.fullmatch(source) and _TOPIC.fullmatch(destination)
        ):
            return Event(
                number=_height(log.block_number),
                block_hash=_word(log.block_hash),
                index=_number(log.log_index),
                transaction=_word(log.transaction_hash),
                contract=_address(log.address),
                source=f"0x{source[26:].lower()}",
                destination=f"0x{destination[26:].lower()}",
                amount=int(_word(log.data), 16),
            )
    raise msgspec.ValidationError(f"expected a Transfer from one address to another, got {len(log.topics)} topics")


def _block(raw: Raw) -> Block | None:
    block = msgspec.json.decode(raw, type=_Block | None)
    if block is None:
        return None
    seconds = _number(block.timestamp)
    if seconds > _LATEST_TIME:
        raise msgspec.ValidationError("expected a time")
    if not block.transactions and block.transactions_root.lower() not in _NO_TRANSACTIONS:
        raise msgspec.ValidationError("expected transactions, got none")
    return Block(
        head=Head(number=_height(block.number), hash=_word(block.hash), timestamp=datetime.fromtimestamp(seconds, UTC)),
        parent=_word(block.parent_hash),
        fee_recipient=_address(block.miner),
        base_fee=_number(block.base_fee_per_gas),
        transactions=tuple(_transaction(each) for each in block.transactions),
        withdrawals=tuple(_withdrawal(each) for each in block.withdrawals or ()),
    )


def _transaction(told: _Transaction) -> Transaction:
    return Transaction(
        hash=_word(told.hash),
        sender=_address(told.sender),
        to=None if told.to is None else _address(told.to),
        value=_number(told.value),
    )


def _withdrawal(told: _Withdrawal) -> Withdrawal:
    return Withdrawal(index=_number(told.index), address=_address(told.address), amount=_number(told.amount) * _GWEI)


def _receipts(raw: Raw, *, contracts: Collection[str]) -> list[Receipt]:
    return [_receipt(each, contracts=contracts) for each in msgspec.json.decode(raw, type=list[_Receipt])]


def _lone_receipt(raw: Raw) -> Receipt:
    return _receipt(msgspec.json.decode(raw, type=_Receipt), contracts=())


def _receipt(told: _Receipt, *, contracts: Collection[str]) -> Receipt:
    # The place of an event is that in its block: what is told twice was not moved twice.
    if len({log.log_index for log in told.logs}) < len(told.logs):
        raise msgspec.ValidationError("expected each event once")
    gas, price = _number(told.gas_used), _number(told.effective_gas_price)
    blobs = _optional(told.blob_gas_used) * _optional(told.blob_gas_price)
    return Receipt(
        transaction=_word(told.transaction_hash),
        block_hash=_word(told.block_hash),
        succeeded=_truth(told.status),
        fee=gas * price + blobs + _optional(told.l1_fee),
        gas=gas,
        gas_price=price,
        created=None if told.contract_address is None else _address(told.contract_address),
        events=tuple(_event(log) for log in told.logs if _is_transfer(log, contracts=contracts)),
    )


def _is_transfer(log: _Log, *, contracts: Collection[str]) -> bool:
    topic = [_word(topic) for topic in log.topics[:1]]
    return _address(log.address) in contracts and topic == [TRANSFER]


def _truth(status: str) -> bool:
    number = _number(status)
    if number > 1:
        raise msgspec.ValidationError(f"expected a status, got {number}")
    return number == 1


def _optional(text: str | None) -> int:
    return 0 if text is None else _number(text)


def _number(text: str) -> int:
    if not _QUANTITY.fullmatch(text):
        raise msgspec.ValidationError(f"expected a quantity, got {text[:20]!r}")
    return int(text, 16)


def _height(text: str) -> int:
    number = _number(text)
    if number >= _MOST:
        raise msgspec.ValidationError(f"expected a height, got {text[:20]!r}")
    return number


def _word(text: str) -> str:
    """In lower case, as hashes are compared as text."""
    if not _WORD.fullmatch(text):
        raise msgspec.ValidationError(f"expected 32 bytes, got {text[:80]!r}")
    return text.lower()


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise msgspec.ValidationError(f"expected an address, got {text[:50]!r}")
    return text.lower()


def ordered(events: Sequence[Event]) -> list[Event]:
    """Each event once, oldest first: one between two addresses is found from either side."""
    found = {(event.number, event.index): event for event in events}
    return [found[place] for place in sorted(found)]
