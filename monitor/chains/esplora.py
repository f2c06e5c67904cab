"""The Esplora HTTP API of blockstream.info, mempool.space and litecoinspace.org.

https://github.com/Blockstream/esplora/blob/master/API.md
"""

import re
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from monitor.chains.bitcoin_balances import KeptBalances, Scan
from monitor.chains.ledger import Head
from monitor.chains.script import Encoding, address_of, scripts_of
from monitor.chains.utxo import Output, Touching, UtxoTransaction
from monitor.http import Http
from monitor.model import FailureReason, RemoteError

ADDRESSES_A_LOOK = 200  # 40 s of what a host is asked
BLOCKS_KEPT = 8
MOST_BLOCKS = 100  # while balances are read

_HASH = re.compile(r"[0-9a-f]{64}")
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)
_OF_ONE_ADDRESS = (FailureReason.HTTP_4XX, FailureReason.HTTP_5XX, FailureReason.SCHEMA, FailureReason.TIMEOUT)
"""Reasons that may lie in an address, such as a history that is too long, and not in the host."""

T = TypeVar("T")
_Satoshis = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Sum = Annotated[int, Meta(ge=0)]
_Count = Annotated[int, Meta(ge=0, le=100_000)]  # more transactions fit in no block
_Height = Annotated[int, Meta(ge=0, lt=2**31)]
_Id = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
_Seconds = Annotated[int, Meta(ge=0, lt=2**32)]  # four bytes of a header


class _Block(Struct):
    id: _Id
    height: _Height
    timestamp: _Seconds
    tx_count: _Count


class _Out(Struct):
    scriptpubkey: str
    value: _Satoshis


class _In(Struct):
    is_coinbase: bool
    prevout: _Out | None


class _Status(Struct):
    block_hash: str = ""  # which not all servers tell


class _Transaction(Struct):
    txid: _Id
    vin: list[_In]
    vout: list[_Out]
    fee: _Satoshis
    status: _Status = msgspec.field(default_factory=_Status)


class _Sums(Struct):
    funded_txo_sum: _Sum
    spent_txo_sum: _Sum


class _Address(Struct):
    address: str
    chain_stats: _Sums


class _Counted(Struct, frozen=True, kw_only=True):
    head: Head
    transactions: int


class _Page(Struct, frozen=True, kw_only=True):
    """A part of a block: the ids of its transactions, and those of them that we look for."""

    ids: list[str]
    found: list[UtxoTransaction]


class _Begun(Struct):
    """What was read of a block, whole or until something failed."""

    of: frozenset[str]  # scripts that were looked for
    read: frozenset[str] = frozenset()  # ids of transactions
    found: list[UtxoTransaction] = []


_BLOCK = msgspec.json.Decoder(_Block)
_PAGE = msgspec.json.Decoder(list[_Transaction])
_ADDRESS = msgspec.json.Decoder(_Address)


class Esplora:
    """`Utxo` of one host.

    Movements are read block by block, at the same cost however many addresses we know. Balances are a request each, so
    each is read once, at most 200 a look, and then kept up by the blocks, which are read anyway.
    """

    def __init__(self, http: Http, *, url: str, encoding: Encoding, allow_private: bool = False) -> None:
        """`url` up to and with `/api`."""
        self._http = http
        self._url = url.rstrip("/")
        self._encoding = encoding
        self._allow_private = allow_private
        self._watched: dict[str, str] = {}  # script -> address, of all that were ever asked about
        self._begun: dict[str, _Begun] = {}  # by hash of the block, the newest last
        self._balances = KeptBalances(self, self._look)
        self._asked: dict[str, int] = {}  # address -> after how many other questions
        self._questions = 0

    @property
    def host(self) -> str:
        return urlsplit(self._url).hostname or ""

    async def head(self) -> Head:
        return (await self._block(await self._get("/blocks/tip/hash", _hash))).head

    async def block(self, number: int) -> Head:
        return (await self._block(await self._present(f"/block-height/{number}", _hash))).head

    async def balances(self, addresses: Collection[str]) -> dict[str, int]:
        return await self._balances.read(scripts_of(addresses, self._encoding).values())

    async def transactions(self, blocks: Sequence[Head], *, of: Collection[str]) -> Touching:
        own = scripts_of(of, self._encoding)
        # All that is ever asked about is looked for in each block, so that no block is read for each who asks.
        self._watched |= {script.hex(): address for script, address in own.items()}
        wanted = frozenset(own.values())
        transactions = {}
        for block in blocks:
            found = await self._touching(block)
            transactions[block.number] = [each for each in found if _touches(each, wanted)]
        return Touching(transactions=transactions, unread=frozenset(of) - wanted)

    async def _look(self, addresses: Collection[str]) -> Scan:
        """The balances of some of these, those first that were asked about longest ago, all at one block."""
        head = await self.head()
        waiting = sorted(addresses, key=lambda address: self._asked.get(address, 0))[:ADDRESSES_A_LOOK]
        amounts: dict[str, int] = {}
        for address in waiting:
            self._questions += 1
            self._asked[address] = self._questions
            try:
                amounts[address] = await self._get(f"/address/{address}", partial(_balance, of=address))
            except RemoteError as error:
                if error.reason not in _OF_ONE_ADDRESS:
                    raise
                if error.reason is FailureReason.TIMEOUT:  # not one after the other
                    break
        tip = await self.head()
        moved = await self._moved(amounts, after=head, upto=tip)
        return Scan(head=tip, amounts={each: amount for each, amount in amounts.items() if each not in moved})

    async def _moved(self, addresses: Collection[str], *, after: Head, upto: Head) -> frozenset[str]:
        """Those that a block touched while they were read: nobody knows at which block that was."""
        if after.hash == upto.hash:
            return frozenset()
        if upto.number - after.number > MOST_BLOCKS:
            raise RemoteError(FailureReason.LAG, f"{self.host}: from block {after.number} to {upto.number} meanwhile")
        blocks = [await self.block(number) for number in range(after.number, upto.number + 1)]
        if not blocks or blocks[0].hash != after.hash or blocks[-1].hash != upto.hash:
            raise RemoteError(FailureReason.LAG, f"{self.host}: block {after.number} is gone")
        touching = await self.transactions(blocks[1:], of=addresses)
        transactions = [each for found in touching.transactions.values() for each in found]
        return frozenset(output.address for each in transactions for output in (*each.inputs, *each.outputs))

    async def _touching(self, block: Head) -> list[UtxoTransaction]:
        """What in a block touches anything that was ever asked about."""
        begun = self._begun.get(block.hash)
        if begun is None or not begun.of >= self._watched.keys():
            begun = self._begun[block.hash] = _Begun(of=frozenset(self._watched))
            for old in list(self._begun)[:-BLOCKS_KEPT]:
                del self._begun[old]
        count = (await self._block(block.hash)).transactions
        while (known := len(begun.read)) < count:
            page = await self._get(f"/block/{block.hash}/txs/{known}", partial(self._page, block=block.hash))
            read = begun.read.union(page.ids)
            if not page.ids or not known + len(page.ids) == len(read) <= count:
                detail = f"{self.host}: block {block.number}: {len(page.ids)} transactions after {known} of {count}"
                raise RemoteError(FailureReason.SHAPE, detail)
            begun.found += page.found
            begun.read = read
        return begun.found

    def _page(self, body: bytes, *, block: str) -> _Page:
        page, own = _PAGE.decode(body), self._watched
        found = []
        for transaction in page:
            if transaction.status.block_hash not in ("", block):
                raise ValueError("a transaction of another block")
            inputs = [_spent(each) for each in transaction.vin if not each.is_coinbase]
            if any(output.scriptpubkey in own for output in (*inputs, *transaction.vout)):
                made = len(transaction.vin) == 1 and not inputs
                if not made and _sum(inputs) != _sum(transaction.vout) + transaction.fee:
                    raise ValueError("what goes into a transaction does not come out")
                found.append(
                    UtxoTransaction(
                        id=transaction.txid,
                        inputs=tuple(self._output(each) for each in inputs),
                        outputs=tuple(self._output(each) for each in transaction.vout),
                        fee=transaction.fee,
                    )
                )
        return _Page(ids=[transaction.txid for transaction in page], found=found)

    def _output(self, out: _Out) -> Output:
        named = self._watched.get(out.scriptpubkey)
        return Output(named or address_of(bytes.fromhex(out.scriptpubkey), self._encoding), out.value)

    async def _block(self, digest: str) -> _Counted:
        block = await self._present(f"/block/{digest}", _block)
        if block.head.hash != digest:
            raise RemoteError(FailureReason.SHAPE, f"{self.host}: answered with another block than {digest}")
        return block

    async def _present(self, path: str, read: Callable[[bytes], T]) -> T:
        """What is there as long as the block is in the chain: a 404 means that it is not, or not yet."""
        try:
            return await self._get(path, read)
        except RemoteError as error:
            if error.reason is FailureReason.HTTP_4XX:
                raise RemoteError(FailureReason.LAG, f"{self.host}: {path}: no such block") from error
            raise

    async def _get(self, path: str, read: Callable[[bytes], T]) -> T:
        answer = await self._http.get(f"{self._url}{path}", allow_private=self._allow_private)
        try:
            return read(answer.body)
        except _UNREADABLE as error:
            raise RemoteError(FailureReason.SCHEMA, f"{self.host}: {path}: {error}") from error


def _touches(transaction: UtxoTransaction, addresses: frozenset[str]) -> bool:
    return any(output.address in addresses for output in (*transaction.inputs, *transaction.outputs))


def _block(body: bytes) -> _Counted:
    block = _BLOCK.decode(body)
    head = Head(number=block.height, hash=block.id, timestamp=datetime.fromtimestamp(block.timestamp, UTC))
    return _Counted(head=head, transactions=block.tx_count)


def _spent(each: _In) -> _Out:
    if each.prevout is None:
        raise ValueError("an input without what it spends")
    return each.prevout


def _hash(body: bytes) -> str:
    text = body.decode().strip()
    if not _HASH.fullmatch(text):
        raise ValueError("expected a block hash")
    return text


def _sum(outputs: Sequence[_Out]) -> int:
    return sum(output.value for output in outputs)


def _balance(body: bytes, *, of: str) -> int:
    told = _ADDRESS.decode(body)
    sums = told.chain_stats
    if told.address.lower() != of.lower():
        raise ValueError("the balance of another address")
    if sums.funded_txo_sum - sums.spent_txo_sum >= 2**63:
        raise ValueError("more than there is")
    if sums.spent_txo_sum > sums.funded_txo_sum:
        raise ValueError("more was spent than received")
    return sums.funded_txo_sum - sums.spent_txo_sum
