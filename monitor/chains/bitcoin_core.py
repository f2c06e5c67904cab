"""A node of one's own in the bitcoin family, read block by block over its JSON-RPC.

A node tells no balances of addresses: its unspent outputs are searched once, which takes minutes on a main network,
and from then on balances are kept up by what every block moves.
"""

import asyncio
import re
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from monitor.chains.bitcoin_balances import KeptBalances, Scan
from monitor.chains.bitcoin_blocks import BlockTransaction, Paid, Spending, outputs_of, satoshis, serialized, told
from monitor.chains.bitcoin_rpc import UNREADABLE, CoreEndpoint, CoreRpc, Refused
from monitor.chains.jsonrpc import Call
from monitor.chains.ledger import Head
from monitor.chains.script import Encoding, address_of, scripts_of
from monitor.chains.utxo import Output, Touching, UtxoTransaction
from monitor.http import Http
from monitor.model import FailureReason, RemoteError

SCAN_SECONDS = 900.0  # of all unspent outputs: two to five minutes of Bitcoin's
HEADERS_AHEAD = 1  # a header that came a moment before its block

T = TypeVar("T")
_HASH = re.compile(r"[0-9a-f]{64}")
_Height = Annotated[int, Meta(ge=0, lt=2**31)]
_Seconds = Annotated[int, Meta(ge=0, lt=2**32)]  # four bytes of a header


class _Info(Struct):
    blocks: _Height
    headers: _Height
    bestblockhash: str
    initialblockdownload: bool = False  # Dogecoin's nodes do not tell


class _Header(Struct):
    hash: str
    height: _Height
    time: _Seconds


class _Unspent(Struct, rename={"script": "scriptPubKey"}):
    script: str
    amount: Decimal


class _Found(Struct):
    success: bool
    bestblock: str
    unspents: list[_Unspent]
    total_amount: Decimal

    def by_script(self) -> dict[str, int]:
        """Satoshis. Raises `UNREADABLE` for what are no amounts, or not all of them."""
        amounts: dict[str, int] = {}
        for unspent in self.unspents:
            amounts[unspent.script] = amounts.get(unspent.script, 0) + satoshis(unspent.amount)
        if sum(amounts.values()) != satoshis(self.total_amount):
            raise ValueError(f"unspent outputs that are not {self.total_amount} together")
        return amounts


class BitcoinCore:
    """`Utxo` of a node: Bitcoin Core 0.17, Litecoin Core 0.17 or Dogecoin Core 1.14.8 and newer.

    Before Bitcoin Core 23 a block does not tell what its inputs spend, nor does one of more than 8 MiB in JSON: then
    the node needs `txindex=1`. Dogecoin Core cannot search for balances.
    """

    def __init__(self, http: Http, endpoint: CoreEndpoint, *, encoding: Encoding) -> None:
        self._rpc = CoreRpc(http, endpoint)
        self._encoding = encoding
        self._balances = KeptBalances(self, self._scan)

    @property
    def host(self) -> str:
        return self._rpc.host

    async def head(self) -> Head:
        info = await self._rpc.ask(Call("getblockchaininfo", (), _read(_Info)))
        if info.initialblockdownload or info.headers > info.blocks + HEADERS_AHEAD:
            detail = f"{self.host}: syncs, at block {info.blocks} of {info.headers}"
            raise RemoteError(FailureReason.LAG, detail)
        return await self._header(info.bestblockhash)

    async def block(self, number: int) -> Head:
        head = await self._header(await self._rpc.ask(Call("getblockhash", (number,), _read(str))))
        if head.number != number:
            raise RemoteError(FailureReason.SHAPE, f"{self.host}: asked for block {number}, got {head.number}")
        return head

    async def balances(self, addresses: Collection[str]) -> dict[str, int]:
        return await self._balances.read(scripts_of(addresses, self._encoding).values())

    async def transactions(self, blocks: Sequence[Head], *, of: Collection[str]) -> Touching:
        own = scripts_of(of, self._encoding)
        transactions = {block.number: await self._touching(block, own) for block in blocks}
        return Touching(transactions=transactions, unread=frozenset(of).difference(own.values()))

    async def _header(self, digest: str) -> Head:
        head = await self._rpc.ask(Call("getblockheader", (digest,), _head))
        if head.hash != digest or not _HASH.fullmatch(digest):
            raise RemoteError(FailureReason.SHAPE, f"{self.host}: answered with another block than {digest:.64}")
        return head

    async def _touching(self, block: Head, own: dict[bytes, str]) -> list[UtxoTransaction]:
        transactions = await self._transactions(block)
        spent = await self._spent(transactions)
        found = []
        for transaction in transactions:
            inputs = [each.output or self._found(each, spent) for each in transaction.inputs]
            if any(output.script in own for output in (*inputs, *transaction.outputs)):
                found.append(self._told(transaction, inputs=inputs, own=own))
        return found

    def _told(self, transaction: BlockTransaction, *, inputs: list[Paid], own: dict[bytes, str]) -> UtxoTransaction:
        def named(outputs: Sequence[Paid]) -> tuple[Output, ...]:
            return tuple(
                Output(own.get(output.script) or address_of(output.script, self._encoding), output.value)
                for output in outputs
            )

        spent = sum(output.value for output in inputs)
        fee = spent - sum(output.value for output in transaction.outputs) if inputs else 0
        if fee < 0 or not _HASH.fullmatch(transaction.id):
            raise RemoteError(FailureReason.SHAPE, f"{self.host}: {transaction.id:.64} is no transaction")
        return UtxoTransaction(id=transaction.id, inputs=named(inputs), outputs=named(transaction.outputs), fee=fee)

    async def _transactions(self, block: Head) -> list[BlockTransaction]:
        try:
            raw = await self._rpc.ask(Call("getblock", (block.hash, 3), bytes))
        except RemoteError as error:
            if error.reason is not FailureReason.TOO_LARGE:
                raise
            raw = await self._rpc.ask(Call("getblock", (block.hash, 0), bytes))
            return await self._decoded(_serialized, raw)
        transactions = await self._decoded(told, raw)
        if transactions is None:
            raise RemoteError(FailureReason.LAG, f"{self.host}: block {block.number} {block.hash} is gone")
        return transactions

    async def _decoded(self, decode: Callable[[bytes], T], raw: bytes) -> T:
        """Beside the loop: four thousand transactions take a tenth of a second."""
        try:
            return await asyncio.to_thread(decode, raw)
        except UNREADABLE as error:
            raise RemoteError(FailureReason.SCHEMA, f"{self.host}: getblock: {error}") from error

    async def _spent(self, transactions: list[BlockTransaction]) -> dict[tuple[str, int], Paid]:
        """The outputs that these spend, of which the block itself does not tell."""
        wanted: dict[str, list[int]] = {}
        for spending in (each for transaction in transactions for each in transaction.inputs if each.output is None):
            wanted.setdefault(spending.transaction, []).append(spending.place)
        spent: dict[tuple[str, int], Paid] = {}
        for here in transactions:
            if wanted.pop(here.id, None):
                spent.update(((here.id, place), output) for place, output in enumerate(here.outputs))
        calls = [Call("getrawtransaction", (digest, False), _outputs(places)) for digest, places in wanted.items()]
        for digest, answer in zip(wanted, await self._rpc.batch(calls), strict=True):
            if isinstance(answer, Refused):
                raise self._without_index(answer)
            spent.update(((digest, place), output) for place, output in answer.items())
        return spent

    def _found(self, spending: Spending, spent: dict[tuple[str, int], Paid]) -> Paid:
        output = spent.get((spending.transaction, spending.place))
        if output is None:
            detail = f"{self.host}: {spending.transaction} has no output {spending.place}, which is spent"
            raise RemoteError(FailureReason.SHAPE, detail)
        return output

    def _without_index(self, refused: Refused) -> RemoteError:
        detail = f"{self.host}: what a block spends cannot be read, start the node with txindex=1: {refused.message}"
        return RemoteError(FailureReason.SCHEMA, detail[:400])

    async def _scan(self, addresses: Collection[str]) -> Scan:
        own = {script.hex(): address for script, address in scripts_of(addresses, self._encoding).items()}
        wanted = [f"raw({script})" for script in own]
        found = await self._rpc.ask(Call("scantxoutset", ("start", wanted), _read(_Found)), timeout=SCAN_SECONDS)
        if not found.success:
            raise RemoteError(FailureReason.SHAPE, f"{self.host}: somebody stopped the search for balances")
        try:
            amounts_by_script = found.by_script()
        except UNREADABLE as error:
            raise RemoteError(FailureReason.SCHEMA, f"{self.host}: scantxoutset: {error}") from error
        if not own.keys() >= amounts_by_script.keys():
            raise RemoteError(FailureReason.SHAPE, f"{self.host}: found what it was not asked for")
        amounts = dict.fromkeys(addresses, 0)
        amounts |= {own[script]: amount for script, amount in amounts_by_script.items()}
        return Scan(head=await self._header(found.bestblock), amounts=amounts)


def _read(kind: type[T]) -> Callable[[Raw], T]:
    return msgspec.json.Decoder(kind).decode


def _head(raw: Raw) -> Head:
    header = msgspec.json.decode(raw, type=_Header)
    return Head(number=header.height, hash=header.hash, timestamp=datetime.fromtimestamp(header.time, UTC))


def _serialized(raw: bytes) -> list[BlockTransaction]:
    return serialized(bytes.fromhex(msgspec.json.decode(raw, type=str)))


def _outputs(places: list[int]) -> Callable[[Raw], dict[int, Paid]]:
    def read(raw: Raw) -> dict[int, Paid]:
        outputs = outputs_of(bytes.fromhex(msgspec.json.decode(raw, type=str)))
        return {place: outputs[place] for place in places if place < len(outputs)}

    return read
