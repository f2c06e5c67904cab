"""The Esplora HTTP API of blockstream.info, mempool.space and litecoinspace.org.

https://github.com/Blockstream/esplora/blob/master/API.md
"""

import re
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from monitor.chains.ledger import Head
from monitor.chains.script import Encoding, address_of, scripts_of
from monitor.chains.utxo import Output, Touching, UtxoTransaction
from monitor.http import Http
from monitor.model import FailureReason, RemoteError

ADDRESSES_A_LOOK = 40  # eight seconds of what a host is asked

_HASH = re.compile(r"[0-9a-f]{64}")
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)
_OF_ONE_ADDRESS = (FailureReason.HTTP_4XX, FailureReason.HTTP_5XX, FailureReason.SCHEMA, FailureReason.TIMEOUT)
"""Reasons that may lie in an address, such as a history that is too long, and not in the host."""

T = TypeVar("T")
_Whole = Annotated[int, Meta(ge=0)]
_Seconds = Annotated[int, Meta(ge=0, lt=2**32)]  # four bytes of a header


class _Block(Struct):
    id: str
    height: _Whole
    timestamp: _Seconds
    tx_count: _Whole


class _Out(Struct):
    scriptpubkey: str
    value: _Whole


class _In(Struct):
    is_coinbase: bool
    prevout: _Out | None


class _Transaction(Struct):
    txid: str
    vin: list[_In]
    vout: list[_Out]
    fee: _Whole


class _Sums(Struct):
    funded_txo_sum: _Whole
    spent_txo_sum: _Whole


class _Address(Struct):
    chain_stats: _Sums


class _Counted(Struct, frozen=True, kw_only=True):
    head: Head
    transactions: int


class _Page(Struct, frozen=True, kw_only=True):
    """A part of a block: how many transactions it has, and those of them that we look for."""

    read: int
    found: list[UtxoTransaction]


class _Begun(Struct):
    """What was read of a block before something failed."""

    block: str
    of: frozenset[str]
    read: int = 0  # transactions
    found: list[UtxoTransaction] = []


_BLOCK = msgspec.json.Decoder(_Block)
_PAGE = msgspec.json.Decoder(list[_Transaction])
_ADDRESS = msgspec.json.Decoder(_Address)


class Esplora:
    """`Utxo` of one host.

    Movements are read block by block, at the same cost however many addresses we know. Balances are one request each:
    a look reads at most 40, those first that were read longest ago, and adds what it read before at the same block.
    """

    def __init__(self, http: Http, *, url: str, encoding: Encoding, allow_private: bool = False) -> None:
        """`url` up to and with `/api`."""
        self._http = http
        self._url = url.rstrip("/")
        self._encoding = encoding
        self._allow_private = allow_private
        self._begun: _Begun | None = None
        self._tip = ""  # hash of the block of `_amounts`
        self._amounts: dict[str, int] = {}
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
        tip = await self._get("/blocks/tip/hash", _hash)
        if tip != self._tip:
            self._tip = tip
            self._amounts = {}
        amounts = self._amounts
        missing = [address for address in scripts_of(addresses, self._encoding).values() if address not in amounts]
        missing.sort(key=lambda address: self._asked.get(address, 0))
        for address in missing[:ADDRESSES_A_LOOK]:
            self._questions += 1
            self._asked[address] = self._questions
            try:
                amounts[address] = await self._get(f"/address/{address}", _balance)
            except RemoteError as error:
                if error.reason not in _OF_ONE_ADDRESS:
                    raise
                if error.reason is FailureReason.TIMEOUT:  # not one after the other
                    break
        return {address: amounts[address] for address in addresses if address in amounts}

    async def transactions(self, blocks: Sequence[Head], *, of: Collection[str]) -> Touching:
        own = scripts_of(of, self._encoding)
        scripts = {script.hex(): address for script, address in own.items()}
        transactions = {block.number: await self._touching(block, scripts) for block in blocks}
        return Touching(transactions=transactions, unread=frozenset(of).difference(own.values()))

    async def _touching(self, block: Head, own: dict[str, str]) -> list[UtxoTransaction]:
        begun = self._begun
        if begun is None or begun.block != block.hash or begun.of != frozenset(own):
            begun = self._begun = _Begun(block=block.hash, of=frozenset(own))
        count = (await self._block(block.hash)).transactions
        while begun.read < count:
            page = await self._get(f"/block/{block.hash}/txs/{begun.read}", lambda body: self._page(body, own))
            if not page.read:
                detail = f"{self.host}: block {block.number} ends after {begun.read} of {count} transactions"
                raise RemoteError(FailureReason.SHAPE, detail)
            begun.found += page.found
            begun.read += page.read
        self._begun = None
        return begun.found

    def _page(self, body: bytes, own: dict[str, str]) -> _Page:
        page = _PAGE.decode(body)
        found = []
        for transaction in page:
            inputs = [_spent(each) for each in transaction.vin if not each.is_coinbase]
            if any(output.scriptpubkey in own for output in (*inputs, *transaction.vout)):
                found.append(
                    UtxoTransaction(
                        id=transaction.txid,
                        inputs=tuple(self._output(each, own) for each in inputs),
                        outputs=tuple(self._output(each, own) for each in transaction.vout),
                        fee=transaction.fee,
                    )
                )
        return _Page(read=len(page), found=found)

    def _output(self, out: _Out, own: dict[str, str]) -> Output:
        return Output(
            own.get(out.scriptpubkey) or address_of(bytes.fromhex(out.scriptpubkey), self._encoding), out.value
        )

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


def _balance(body: bytes) -> int:
    sums = _ADDRESS.decode(body).chain_stats
    if sums.spent_txo_sum > sums.funded_txo_sum:
        raise ValueError("more was spent than received")
    return sums.funded_txo_sum - sums.spent_txo_sum
