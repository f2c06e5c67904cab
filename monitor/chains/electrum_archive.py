"""Transactions out of an Electrum server, each read once and kept for a while: what was paid is what will be spent."""

from collections.abc import Collection

import msgspec
from msgspec import Raw

from monitor.chains.bitcoin_blocks import BlockTransaction
from monitor.chains.electrum_lines import UNREADABLE, Call
from monitor.chains.electrum_transaction import read_transaction
from monitor.chains.electrum_wire import Unread, Wire

AT_ONCE = 50  # an exchange pays hundreds in one transaction
KEPT_OUTPUTS = 200_000

_HEX = msgspec.json.Decoder(str)


class Archive:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._kept: dict[str, BlockTransaction] = {}  # by id, what was used last is last
        self._outputs = 0  # of all that are kept

    async def fetch(self, txids: Collection[str]) -> dict[str, BlockTransaction]:
        """By id; without those that the server did not give, or that we cannot read. Raises `RemoteError`."""
        found = {txid: self._kept[txid] for txid in txids if txid in self._kept}
        wanted = sorted(set(txids) - found.keys())
        answers = await self._wire.batch(
            [Call("blockchain.transaction.get", (txid,)) for txid in wanted], at_once=AT_ONCE
        )
        for txid, answer in zip(wanted, answers, strict=True):
            transaction = self._read(txid, answer)
            if transaction is not None:
                found[txid] = transaction
        self._keep(found)
        return found

    def _read(self, txid: str, answer: Raw | Unread) -> BlockTransaction | None:
        match answer:
            case Raw():
                try:
                    return read_transaction(bytes.fromhex(_HEX.decode(answer)), txid=txid)
                except (*UNREADABLE, ValueError):
                    return None
            case Unread():
                return None

    def _keep(self, found: dict[str, BlockTransaction]) -> None:
        for txid, transaction in found.items():
            if self._kept.pop(txid, None) is None:
                self._outputs += len(transaction.outputs)
            self._kept[txid] = transaction
        while self._outputs > KEPT_OUTPUTS:
            self._outputs -= len(self._kept.pop(next(iter(self._kept))).outputs)
