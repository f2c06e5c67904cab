"""The bitcoin family as an Electrum server tells it, which keeps an index by script.

https://electrum-protocol.readthedocs.io/en/latest/protocol-methods.html. A history longer than the server gives is
unread: it is never an empty one.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from monitor.chains.bitcoin_blocks import BlockTransaction, Paid
from monitor.chains.electrum_archive import Archive
from monitor.chains.electrum_lines import UNREADABLE, Call
from monitor.chains.electrum_transaction import block_hash
from monitor.chains.electrum_wire import Unread, Wire
from monitor.chains.ledger import Head
from monitor.chains.script import Encoding, address_of, scripthash, scripts_of
from monitor.chains.utxo import Output, Touching, UtxoTransaction
from monitor.model import FailureReason, RemoteError

HEADER = 80  # bytes; a merge-mined block has more behind them, which its hash does not cover

T = TypeVar("T")
_Satoshis = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Height = Annotated[int, Meta(ge=0, lt=2**31)]


class _Tip(Struct):
    height: _Height
    hex: str


class _Balance(Struct):
    confirmed: _Satoshis


class _Touch(Struct):
    """A transaction in a history; in no block yet where `height` is 0 or -1."""

    tx_hash: str
    height: Annotated[int, Meta(ge=-1, lt=2**31)]


class _History(Struct, frozen=True):
    """Of the history whose hash is `status`, what is at heights from `since` on."""

    status: str | None
    since: int
    touches: tuple[_Touch, ...] = ()


_TIP = msgspec.json.Decoder(_Tip)
_HEX = msgspec.json.Decoder(str)
_BALANCE = msgspec.json.Decoder(_Balance)
_STATUS: msgspec.json.Decoder[str | None] = msgspec.json.Decoder(str | None)
_TOUCHES = msgspec.json.Decoder(list[_Touch])


class Electrum:
    """One server. Block 0 tells which chain it is of; addresses are written as in `encoding`."""

    def __init__(self, wire: Wire, *, encoding: Encoding) -> None:
        self._wire = wire
        self._encoding = encoding
        self._archive = Archive(wire)
        self._histories: dict[str, _History] = {}  # by script hash

    @property
    def host(self) -> str:
        return self._wire.host

    async def head(self) -> Head:
        """The newest block of its index, however old: a server does not say that it is behind."""
        (answer,) = await self._wire.batch([Call("blockchain.headers.subscribe")])
        read = self._read(answer, _TIP)
        tip = _told(read)
        return self._head(tip.height, tip.hex)

    async def block(self, number: int) -> Head:
        (answer,) = await self._wire.batch([Call("blockchain.block.header", (number,))])
        match self._read(answer, _HEX):
            case Unread(reason=FailureReason.SHAPE, detail=detail):
                raise RemoteError(FailureReason.LAG, detail)
            case header:
                return self._head(number, _told(header))

    async def balances(self, addresses: Collection[str]) -> dict[str, int]:
        own = self._own(addresses)
        answers = await self._about("blockchain.scripthash.get_balance", own, _BALANCE)
        _refuse_all_unread(answers.values())
        return {
            own[script]: balance.confirmed for script, balance in answers.items() if not isinstance(balance, Unread)
        }

    async def transactions(self, blocks: Sequence[Head], *, of: Collection[str]) -> Touching:
        """Those of a block are in the order of their ids: which of them came first no history says."""
        own = self._own(of)
        if not blocks or not own:
            return Touching(transactions={}, unread=frozenset(of))
        await self._reach(blocks[-1])
        histories = await self._histories_of(own, since=blocks[0].number)
        _refuse_all_unread(histories.values())
        read = {script: history for script, history in histories.items() if not isinstance(history, Unread)}
        heights = _heights(read.values(), blocks)
        told = await self._transactions(heights, own=scripts_of(of, self._encoding))
        by_height: dict[int, list[UtxoTransaction]] = {}
        for transaction in told:
            by_height.setdefault(heights[transaction.id], []).append(transaction)
        missing = heights.keys() - {transaction.id for transaction in told}
        known = {own[script] for script, history in read.items() if not _mentions(history, missing)}
        return Touching(transactions=by_height, unread=frozenset(of) - known)

    async def _reach(self, block: Head) -> None:
        """Raises LAG before the server announces the block: until then it may answer without it."""
        head = await self.head()
        if head.number < block.number:
            raise RemoteError(FailureReason.LAG, f"{self.host}: at block {head.number}, asked about {block.number}")

    async def _histories_of(self, scripts: Collection[str], *, since: int) -> dict[str, _History | Unread]:
        """Only those that have changed are read anew: their hashes are short, and they are not."""
        histories: dict[str, _History | Unread] = {}
        changed: dict[str, str] = {}
        for script, status in (await self._about("blockchain.scripthash.subscribe", scripts, _STATUS)).items():
            kept = self._histories.get(script)
            match status:
                case Unread():
                    histories[script] = status
                case None:
                    histories[script] = _History(None, since)
                case _ if kept is not None and kept.status == status and kept.since <= since:
                    histories[script] = kept
                case _:
                    changed[script] = status
        for script, touches in (await self._about("blockchain.scripthash.get_history", changed, _TOUCHES)).items():
            match touches:
                case Unread():
                    histories[script] = touches
                case _:
                    recent = tuple(touch for touch in touches if touch.height >= since)
                    histories[script] = self._histories[script] = _History(changed[script], since, recent)
        return histories

    async def _transactions(self, txids: Collection[str], *, own: Mapping[bytes, str]) -> list[UtxoTransaction]:
        """By id; without those that cannot be read, or one of whose inputs cannot."""
        asked = await self._archive.fetch(txids)
        parents = await self._archive.fetch({spent.transaction for each in asked.values() for spent in each.inputs})
        told: list[UtxoTransaction] = []
        for txid, transaction in sorted(asked.items()):
            inputs = _spent(transaction, parents)
            if inputs is not None and _fee(inputs, transaction.outputs) >= 0:
                told.append(
                    UtxoTransaction(
                        id=txid,
                        inputs=self._named(inputs, own),
                        outputs=self._named(transaction.outputs, own),
                        fee=_fee(inputs, transaction.outputs),
                    )
                )
        return told

    def _named(self, outputs: Iterable[Paid], own: Mapping[bytes, str]) -> tuple[Output, ...]:
        return tuple(
            Output(own.get(output.script) or address_of(output.script, self._encoding), output.value)
            for output in outputs
        )

    async def _about(
        self, method: str, scripts: Collection[str], decoder: msgspec.json.Decoder[T]
    ) -> dict[str, T | Unread]:
        answers = await self._wire.batch([Call(method, (script,)) for script in scripts])
        told: dict[str, T | Unread] = {}
        for script, answer in zip(scripts, answers, strict=True):
            read = self._read(answer, decoder)
            told[script] = read
        return told

    def _read(self, answer: Raw | Unread, decoder: msgspec.json.Decoder[T]) -> T | Unread:
        match answer:
            case Unread():
                return answer
            case _:
                try:
                    return decoder.decode(answer)
                except UNREADABLE as error:
                    return Unread(FailureReason.SCHEMA, f"{self.host}: {error}")

    def _head(self, number: int, header: str) -> Head:
        try:
            raw = bytes.fromhex(header)
        except ValueError as error:
            raise RemoteError(FailureReason.SCHEMA, f"{self.host}: block {number}: no hex") from error
        if len(raw) < HEADER:
            raise RemoteError(FailureReason.SCHEMA, f"{self.host}: block {number}: a header of {len(raw)} bytes")
        seconds = int.from_bytes(raw[68:72], "little")
        return Head(number=number, hash=block_hash(raw[:HEADER]), timestamp=datetime.fromtimestamp(seconds, UTC))

    def _own(self, addresses: Iterable[str]) -> dict[str, str]:
        """Addresses by the hashes of their scripts."""
        return {scripthash(script): address for script, address in scripts_of(addresses, self._encoding).items()}


def _told(value: T | Unread) -> T:
    match value:
        case Unread(reason=reason, detail=detail):
            raise RemoteError(reason, detail)
        case _:
            return value


def _refuse_all_unread(answers: Collection[object]) -> None:
    """Raises `RemoteError` with the reason of the first where there is no answer at all, but there were questions."""
    unread = [answer for answer in answers if isinstance(answer, Unread)]
    if unread and len(unread) == len(answers):
        raise RemoteError(unread[0].reason, unread[0].detail)


def _heights(histories: Iterable[_History], blocks: Sequence[Head]) -> dict[str, int]:
    """Of the transactions in `blocks`, by id."""
    numbers = {block.number for block in blocks}
    return {touch.tx_hash: touch.height for each in histories for touch in each.touches if touch.height in numbers}


def _mentions(history: _History, transactions: Collection[str]) -> bool:
    return any(touch.tx_hash in transactions for touch in history.touches)


def _spent(transaction: BlockTransaction, parents: Mapping[str, BlockTransaction]) -> list[Paid] | None:
    """The outputs that it spends; None where one of them is not known."""
    outputs: list[Paid] = []
    for spent in transaction.inputs:
        parent = parents.get(spent.transaction)
        if parent is None or spent.place >= len(parent.outputs):
            return None
        outputs.append(parent.outputs[spent.place])
    return outputs


def _fee(inputs: Sequence[Paid], outputs: Sequence[Paid]) -> int:
    return sum(output.value for output in inputs) - sum(output.value for output in outputs) if inputs else 0
