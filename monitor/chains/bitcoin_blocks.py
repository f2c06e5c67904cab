"""Blocks and transactions of the bitcoin family as nodes tell them: in JSON, and as the bytes of the network itself.

https://developer.bitcoin.org/reference/block_chain.html
"""

from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

COIN = 10**8
_MOST = 2**63
_AUXILIARY_PROOF = 0x100  # in the version of Dogecoin's blocks: https://en.bitcoin.it/wiki/Merged_mining_specification
_HEADER = 80


class Paid(Struct, frozen=True):
    """An output: its script and its value in satoshis."""

    script: bytes
    value: int


class Spending(Struct, frozen=True):
    """An input: which output of which transaction it spends, and that output where it was told."""

    transaction: str
    place: int
    output: Paid | None = None


class BlockTransaction(Struct, frozen=True):
    """`inputs` are without what makes a coinbase."""

    id: str
    inputs: tuple[Spending, ...]
    outputs: tuple[Paid, ...]


class _Script(Struct, frozen=True):
    hex: str


class _Out(Struct, rename={"script": "scriptPubKey"}):
    value: Decimal | None = None
    script: _Script | None = None
    ismweb: bool = False  # of Litecoin's extension blocks, and so without value and script


class _In(Struct):
    txid: str | None = None
    vout: Annotated[int, Meta(ge=0, lt=2**32)] | None = None
    prevout: _Out | None = None
    coinbase: str | None = None
    ismweb: bool = False


class _Transaction(Struct):
    txid: str
    vin: list[_In]
    vout: list[_Out]


class _Block(Struct):
    tx: list[_Transaction]
    confirmations: int
    count: int | None = msgspec.field(default=None, name="nTx")  # older nodes do not tell


def told(raw: bytes) -> list[BlockTransaction] | None:
    """Of `getblock` with verbosity 2 or 3; None where the block is not in the chain. Raises ValueError."""
    block = msgspec.json.decode(raw, type=_Block)
    if block.confirmations < 0:
        return None
    if block.count not in (None, len(block.tx)):
        raise ValueError(f"{len(block.tx)} transactions of {block.count}")
    return [
        BlockTransaction(
            each.txid,
            tuple(_spending(spent) for spent in each.vin if spent.coinbase is None and not spent.ismweb),
            tuple(_paid(out) for out in each.vout),
        )
        for each in block.tx
    ]


def _spending(spent: _In) -> Spending:
    if spent.txid is None or spent.vout is None:
        raise ValueError("an input that spends nothing")
    return Spending(spent.txid, spent.vout, None if spent.prevout is None else _paid(spent.prevout))


def _paid(out: _Out) -> Paid:
    if out.ismweb:
        return Paid(b"", 0)
    if out.value is None or out.script is None:
        raise ValueError("an output without value or script")
    return Paid(bytes.fromhex(out.script.hex), satoshis(out.value))


def satoshis(coins: Decimal) -> int:
    """Raises ValueError for what is no amount of coins."""
    scaled = coins * COIN
    if not 0 <= scaled < _MOST or scaled != int(scaled):
        raise ValueError(f"expected an amount of coins, got {coins}")
    return int(scaled)


def serialized(block: bytes) -> list[BlockTransaction]:
    """Of a block as the network carries it. Raises ValueError on what is no such block of Bitcoin."""
    if int.from_bytes(block[:4], "little") & _AUXILIARY_PROOF:
        raise ValueError("a block with an auxiliary proof of work")
    reader = _Reader(block, at=_HEADER)
    transactions = [_transaction(reader) for _ in range(reader.count())]
    if reader.at != len(block):
        raise ValueError("a block that goes on after its end")
    return transactions


def outputs_of(transaction: bytes) -> list[Paid]:
    """Of a transaction as the network carries it, whatever comes behind them. Raises ValueError."""
    reader = _Reader(transaction, at=4)
    reader.flag()
    list(_inputs(reader))
    return list(_outputs(reader))


class _Reader:
    """Reads on from a place in some bytes. Raises ValueError at their end."""

    def __init__(self, source: bytes, *, at: int) -> None:
        self._source = source
        self.at = at

    def take(self, size: int) -> bytes:
        taken = self._source[self.at : self.at + size]
        if len(taken) != size:
            raise ValueError("bytes that break off")
        self.at += size
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def count(self) -> int:
        first = self.number(1)
        return first if first < 253 else self.number(1 << first - 252)

    def flag(self) -> int:
        """What follows the zero that stands where a transaction without witnesses has the count of its inputs."""
        if self._source[self.at : self.at + 1] != b"\0":
            return 0
        self.at += 1
        return self.number(1)

    def since(self, place: int) -> bytes:
        return self._source[place : self.at]


def _transaction(reader: _Reader) -> BlockTransaction:
    version = reader.take(4)
    flag = reader.flag()
    if flag > 1:
        raise ValueError("a transaction with an extension")
    place = reader.at
    inputs = tuple(_inputs(reader))
    outputs = tuple(_outputs(reader))
    body = reader.since(place)
    if flag:
        for _ in range(len(inputs)):
            for _ in range(reader.count()):
                reader.take(reader.count())
    digest = sha256(sha256(version + body + reader.take(4)).digest()).digest()
    made = len(inputs) == 1 and inputs[0].transaction == "00" * 32
    return BlockTransaction(digest[::-1].hex(), () if made else inputs, outputs)


def _inputs(reader: _Reader) -> Iterator[Spending]:
    for _ in range(reader.count()):
        transaction = reader.take(32)[::-1].hex()
        place = reader.number(4)
        reader.take(reader.count() + 4)  # what unlocks it, and a sequence number
        yield Spending(transaction, place)


def _outputs(reader: _Reader) -> Iterator[Paid]:
    for _ in range(reader.count()):
        value = reader.number(8)
        yield Paid(reader.take(reader.count()), value)
