"""A transaction of the bitcoin family as the network carries it, proven by its id.

https://en.bitcoin.it/wiki/Protocol_documentation#tx, BIP 144, and the extension flag of Litecoin (LIP 4).
"""

from hashlib import sha256

from monitor.chains.bitcoin_blocks import BlockTransaction, Paid, Spending

_WITNESS = 1
_EXTENSION = 8
_NOTHING = "00" * 32  # what a coinbase says that it spends


def read_transaction(raw: bytes, *, txid: str) -> BlockTransaction:
    """Raises ValueError on what is not, whole and nothing else, the transaction with this id.

    Litecoin's blocks hold transactions whose extension part is empty or was taken out; one with that part in it is
    refused, because its length is not told.
    """
    reader = _Reader(raw)
    version = reader.take(4)
    flag = _flag(reader)
    began = reader.place
    inputs = tuple(_spent(reader) for _ in range(reader.count()))
    outputs = tuple(_paid(reader) for _ in range(reader.count()))
    body = raw[began : reader.place]
    if flag & _WITNESS:
        for _ in inputs:
            for _ in range(reader.count()):
                reader.take(reader.count())
    if flag & _EXTENSION and reader.number(1):
        raise ValueError("a transaction with an extension part")
    locktime = reader.take(4)
    if reader.place != len(raw):
        raise ValueError("a transaction that goes on after its end")
    if not inputs:
        raise ValueError("a transaction without inputs")
    if block_hash(version + body + locktime) != txid:
        raise ValueError("another transaction")
    return BlockTransaction(txid, () if inputs[0].transaction == _NOTHING else inputs, outputs)


def block_hash(raw: bytes) -> str:
    """SHA-256 twice, bytes reversed, in hex: of a header without proof of work, and what ids are too."""
    return sha256(sha256(raw).digest()).digest()[::-1].hex()


class _Reader:
    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self.place = 0

    def take(self, size: int) -> bytes:
        taken = self._raw[self.place : self.place + size]
        if len(taken) < size:
            raise ValueError("a transaction that breaks off")
        self.place += size
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def count(self) -> int:
        first = self.number(1)
        return self.number(2 ** (first - 252)) if first > 252 else first

    def is_at(self, number: int) -> bool:
        return self._raw[self.place : self.place + 1] == bytes((number,))


def _flag(reader: _Reader) -> int:
    """What follows a zero where the count of inputs would be; 0 where there are inputs."""
    if not reader.is_at(0):
        return 0
    flag = reader.number(2) >> 8
    if not flag or flag & ~(_WITNESS | _EXTENSION):
        raise ValueError(f"a transaction without inputs, or with the unknown flag {flag}")
    return flag


def _spent(reader: _Reader) -> Spending:
    transaction = reader.take(32)[::-1].hex()
    place = reader.number(4)
    reader.take(reader.count() + 4)  # what unlocks it, and the sequence number
    return Spending(transaction, place)


def _paid(reader: _Reader) -> Paid:
    value = reader.number(8)
    return Paid(reader.take(reader.count()), value)
