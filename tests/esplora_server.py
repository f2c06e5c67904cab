"""An Esplora (electrs REST), on a real socket, telling a `BitcoinChain` (github.com/Blockstream/esplora: API.md).

Single values and every error are plain text; the rest is JSON.
"""

import re
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from tests.bitcoin_addresses import script_of
from tests.esplora_chain import BitcoinChain, Block, Coin, Output, Transaction
from tests.esplora_json import block_json, in_block, stats_json, status_json, transaction_json
from tests.loopback import Answer, Asked, Loopback, as_json, as_text

MAINNET = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
TESTNET = "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943"
PAGE = 25
MEMPOOL_PAGE = 50
BLOCKS_PAGE = 10

TOO_MANY_REQUESTS = as_text("Too Many Requests", status=429)
UNAVAILABLE = as_text("Service Unavailable", status=503)

HASH = re.compile(r"[0-9a-f]{64}")


Entry = tuple[Transaction, Block | None]


class RefusedError(Exception):
    """A plain-text refusal and its HTTP status."""

    def __init__(self, text: str, *, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


class EsploraServer:
    """One endpoint of a chain; several may tell the same chain.

    `lag` is how many blocks it is behind, `lies` satoshis it adds to what an address was funded with.
    An address with more unspent outputs than `largest_utxo` has none told, and one with more transactions than
    `largest_history` nothing at all. With `tells_status` off transactions of a block come without `status`, as its
    documentation has it. Outages and limits go through `door`.
    """

    def __init__(self, chain: BitcoinChain, *, genesis: str = MAINNET, host: str = "127.0.0.1") -> None:
        self.chain = chain
        self.genesis = genesis
        self.lag = 0
        self.lies: dict[str, int] = {}
        self.largest_utxo = 500
        self.largest_history = 1_000_000
        self.too_many_unspent = "Too many history entries"
        self.tells_status = True
        self.door = Loopback(self._answer, host=host)

    async def __aenter__(self) -> Self:
        await self.door.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.door.__aexit__(kind, error, trace)

    @property
    def url(self) -> str:
        return self.door.url

    @property
    def blocks(self) -> Sequence[Block]:
        """The blocks this endpoint knows to be in the best chain."""
        return self.chain.blocks[: len(self.chain.blocks) - self.lag]

    def _answer(self, asked: Asked) -> Answer:
        try:
            return self._route(asked)
        except RefusedError as refused:
            return as_text(str(refused), status=refused.status)

    def _route(self, asked: Asked) -> Answer:
        match [asked.method, *asked.path.strip("/").split("/")]:
            case ["GET", "blocks", "tip", "height"]:
                return as_text(str(self.blocks[-1].height))
            case ["GET", "blocks", "tip", "hash"]:
                return as_text(self.blocks[-1].hash)
            case ["GET", "blocks"]:
                return self._newest(self.blocks[-1].height)
            case ["GET", "blocks", height]:
                return self._newest(self._at(height).height)
            case ["GET", "block-height", height]:
                return as_text(self.genesis if height == "0" else self._at(height).hash)
            case ["GET", "block", block_hash, *rest]:
                return self._of_block(block_hash, rest)
            case ["GET", "address", address, *rest]:
                return self._of_address(address, rest)
            case ["GET", "tx", txid]:
                return self._transaction(txid)
            case _:
                raise _nowhere(asked.path)

    def _newest(self, height: int) -> Answer:
        below = [block for block in self.blocks if block.height <= height]
        return as_json([block_json(block) for block in reversed(below[-BLOCKS_PAGE:])])

    def _at(self, height: str) -> Block:
        if not height.isdecimal():
            raise RefusedError("Invalid number")
        for block in self.blocks:
            if block.height == int(height):
                return block
        raise RefusedError("Block not found", status=404)

    def _of_block(self, block_hash: str, rest: Sequence[str]) -> Answer:
        if not HASH.fullmatch(block_hash):
            raise RefusedError("Invalid hex string")
        if rest == ["status"]:
            return self._status(block_hash)
        block = self._block(block_hash)
        match rest:
            case []:
                return as_json(block_json(block))
            case ["txids"]:
                return as_json([tx.txid for tx in block.transactions])
            case ["txs"]:
                return self._page(block, 0)
            case ["txs", start]:
                return self._page(block, int(start) if start.isdecimal() else 0)
            case _:
                raise _nowhere(f"/block/{block_hash}/{'/'.join(rest)}")

    def _block(self, block_hash: str) -> Block:
        for block in [*self.blocks, *self.chain.orphans]:
            if block.hash == block_hash:
                return block
        raise RefusedError("Block not found", status=404)

    def _status(self, block_hash: str) -> Answer:
        """A block nobody knows is told like one that was replaced."""
        place = next((n for n, block in enumerate(self.blocks) if block.hash == block_hash), None)
        if place is None:
            return as_json({"in_best_chain": False, "height": None, "next_best": None})
        following = self.blocks[place + 1].hash if place + 1 < len(self.blocks) else None
        return as_json({"in_best_chain": True, "height": self.blocks[place].height, "next_best": following})

    def _page(self, block: Block, start: int) -> Answer:
        if start % PAGE:
            raise RefusedError(f"start index must be a multiple of {PAGE}")
        if start >= len(block.transactions):
            raise RefusedError("start index out of range")
        confirming = block if block in self.blocks else None
        known = self.chain.outputs()
        page = [transaction_json(tx, known, confirming) for tx in block.transactions[start : start + PAGE]]
        return as_json(page if self.tells_status else [in_block(tx) for tx in page])

    def _of_address(self, address: str, rest: Sequence[str]) -> Answer:
        try:
            script_of(address)
        except ValueError as error:
            raise RefusedError(f"base58 error: {error}") from error
        confirmed, waiting = self._history(address)
        if len(confirmed) > self.largest_history:
            raise RefusedError("Too many history entries")
        match rest:
            case []:
                return self._stats(address, confirmed, waiting)
            case ["txs"]:
                return self._listed([*waiting[:MEMPOOL_PAGE], *confirmed[:PAGE]])
            case ["txs", "mempool"]:
                return self._listed(waiting[:MEMPOOL_PAGE])
            case ["txs", "chain"]:
                return self._listed(confirmed[:PAGE])
            case ["txs", "chain", last]:
                places = [n for n, (tx, _) in enumerate(confirmed) if tx.txid == last]
                return self._listed(confirmed[places[0] + 1 :][:PAGE] if places else [])
            case ["utxo"]:
                return self._unspent(address)
            case _:
                raise _nowhere(f"/address/{address}/{'/'.join(rest)}")

    def _history(self, address: str) -> tuple[list[Entry], list[Entry]]:
        """Confirmed transactions, newest block first and by txid within a block; and those of the mempool."""
        known = self.chain.outputs()

        def is_of(tx: Transaction) -> bool:
            return any(output.address == address for output in (*tx.outputs, *(known[coin] for coin in tx.inputs)))

        found = [(tx, block) for block, tx in self.chain.transactions(self.blocks) if is_of(tx)]
        found.sort(key=lambda entry: (-entry[1].height, entry[0].txid))
        return [*found], [(tx, None) for tx in self._waiting() if is_of(tx)]

    def _waiting(self) -> list[Transaction]:
        """The mempool, and what later blocks took from it that this endpoint has not seen."""
        unseen = self.chain.blocks[len(self.blocks) :]
        return [tx for _, tx in self.chain.transactions(unseen) if tx.inputs] + self.chain.mempool

    def _listed(self, entries: Sequence[Entry]) -> Answer:
        known = self.chain.outputs()
        return as_json([transaction_json(tx, known, block) for tx, block in entries])

    def _stats(
        self,
        address: str,
        confirmed: Sequence[Entry],
        waiting: Sequence[Entry],
    ) -> Answer:
        known = self.chain.outputs()
        return as_json(
            {
                "address": address,
                "chain_stats": stats_json(address, [tx for tx, _ in confirmed], known, more=self.lies.get(address, 0)),
                "mempool_stats": stats_json(address, [tx for tx, _ in waiting], known, more=0),
            }
        )

    def _unspent(self, address: str) -> Answer:
        confirmed = self.chain.unspent(with_mempool=False, blocks=self.blocks)
        spent = {coin for tx in self._waiting() for coin in tx.inputs}
        mine = {coin: output for coin, output in confirmed.items() if output.address == address}
        if len(mine) > self.largest_utxo:
            raise RefusedError(self.too_many_unspent)
        blocks = {tx.txid: block for block, tx in self.chain.transactions(self.blocks)}
        new = {
            Coin(tx.txid, vout): output
            for tx in self._waiting()
            for vout, output in enumerate(tx.outputs)
            if output.address == address
        }
        left: dict[Coin, Output] = {coin: output for coin, output in {**mine, **new}.items() if coin not in spent}
        return as_json(
            [
                {
                    "txid": coin.txid,
                    "vout": coin.vout,
                    "status": status_json(blocks.get(coin.txid)),
                    "value": output.value,
                }
                for coin, output in left.items()
            ]
        )

    def _transaction(self, txid: str) -> Answer:
        if not HASH.fullmatch(txid):
            raise RefusedError("Invalid hex string")
        known = self.chain.outputs()
        for block, tx in self.chain.transactions(self.blocks):
            if tx.txid == txid:
                return as_json(transaction_json(tx, known, block))
        for tx in self._waiting():
            if tx.txid == txid:
                return as_json(transaction_json(tx, known, None))
        raise RefusedError("Transaction not found", status=404)


def _nowhere(path: str) -> RefusedError:
    return RefusedError(f'endpoint does not exist "{path}"', status=404)
