"""A tiny Bitcoin: unspent outputs, a mempool, blocks and reorgs. Amounts are satoshis.

What is scripted waits in the mempool for `mine`; every coin has a history that begins in a coinbase.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct

from monitor.clock import Clock
from tests.bitcoin_addresses import script_of, segwit

FIRST_HEIGHT = 900_000
SUBSIDY = 312_500_000
SUPPLY = 21_000_000 * 100_000_000
SPACING_SECONDS = 600
FEE = 1_500
FOUNTAIN = segwit("fountain")
"""Has all coins of the first block; pays whoever is funded."""
MINER = segwit("miner")


def hash_of(*parts: object) -> str:
    return hashlib.sha256(" ".join(str(part) for part in parts).encode()).hexdigest()


class Coin(Struct, frozen=True):
    """An output by where it is."""

    txid: str
    vout: int


class Output(Struct, frozen=True, kw_only=True):
    """`address` is None where the script has none: OP_RETURN, a bare public key."""

    value: int
    script: str
    kind: str  # in Esplora's words
    address: str | None = None


def to(address: str, value: int) -> Output:
    script, kind = script_of(address)
    return Output(value=value, script=script, kind=kind, address=address)


def note(text: str) -> Output:
    """An OP_RETURN output of no value."""
    return Output(value=0, script=f"6a{len(text):02x}{text.encode().hex()}", kind="op_return")


def bare_key(value: int) -> Output:
    """Pays to a public key, as the first blocks did. Esplora tells no address for it."""
    return Output(value=value, script=f"41{'04' * 65}ac", kind="p2pk")


class Transaction(Struct, frozen=True, kw_only=True):
    txid: str
    inputs: tuple[Coin, ...]  # none: a coinbase
    outputs: tuple[Output, ...]
    fee: int = 0


class Block(Struct, frozen=True, kw_only=True):
    height: int
    hash: str
    previous: str
    time: int
    median_time: int
    transactions: tuple[Transaction, ...]


class BitcoinChain:
    """Starts at a height of 900,000 with `length` blocks ten minutes apart, the last one found now.

    `orphans` are the blocks a reorg replaced; they can still be asked for by hash.
    """

    def __init__(self, clock: Clock, *, length: int = 6) -> None:
        self._clock = clock
        self._made = 0
        self.blocks: list[Block] = []
        self.mempool: list[Transaction] = []
        self.orphans: list[Block] = []
        premine = self._coinbase((to(FOUNTAIN, SUPPLY),))
        for n in range(length):
            time = self._now() - SPACING_SECONDS * (length - 1 - n)
            self._append([premine] if n == 0 else [self._coinbase((to(MINER, SUBSIDY),))], time=time)

    @property
    def tip(self) -> Block:
        return self.blocks[-1]

    def fund(self, address: str, value: int) -> str:
        return self.pay([FOUNTAIN], [to(address, value)])

    def pay(self, senders: Sequence[str], outputs: Sequence[Output], *, fee: int = FEE, change: str = "") -> str:
        """Spend the oldest coins of `senders` that suffice; the rest goes to `change`, or the first sender.

        Raises ValueError where they have too little.
        """
        needed = sum(output.value for output in outputs) + fee
        spent: list[Coin] = []
        gathered = 0
        for coin, output in self.unspent(with_mempool=True).items():
            if output.address in senders and gathered < needed:
                spent.append(coin)
                gathered += output.value
        if gathered < needed:
            raise ValueError(f"{senders} have {gathered} satoshis, not {needed}")
        back = [to(change or senders[0], gathered - needed)] if gathered > needed else []
        return self._wait(spent, (*outputs, *back), fee=fee)

    def sweep(self, senders: Sequence[str], address: str, *, fee: int = FEE) -> str:
        """Spend every coin of `senders` into one output."""
        coins = {coin: output for coin, output in self.unspent(with_mempool=True).items() if output.address in senders}
        value = sum(output.value for output in coins.values()) - fee
        return self._wait(list(coins), (to(address, value),), fee=fee)

    def mine(self, blocks: int = 1) -> Block:
        """The first of `blocks` takes the whole mempool. Gives the new tip."""
        for _ in range(blocks):
            waiting, self.mempool = self.mempool, []
            self._mine(waiting, time=max(self._now(), self.tip.median_time + 1))
        return self.tip

    def reorg(self, depth: int, *, blocks: int | None = None, keep: Collection[str] = ()) -> Block:
        """Replace the last `depth` blocks by `blocks` others: one more by default, as work demands.

        Of the transactions that were in them those in `keep` are in the first new block; the others are gone, and so
        is everything that spends from them. Gives the new tip.
        """
        lost = self.blocks[-depth:]
        del self.blocks[-depth:]
        self.orphans += lost
        kept = [tx for block in lost for tx in block.transactions if tx.txid in keep and tx.inputs]
        kept = self._possible(kept)
        times = [block.time for block in lost]
        for n in range(depth + 1 if blocks is None else blocks):
            time = times[n] if n < len(times) else max(self._now(), self.tip.median_time + 1)
            self._mine(kept if n == 0 else [], time=time)
        self.mempool = self._possible(self.mempool)
        return self.tip

    def transactions(self, blocks: Sequence[Block]) -> Iterator[tuple[Block, Transaction]]:
        return ((block, tx) for block in blocks for tx in block.transactions)

    def unspent(self, *, with_mempool: bool, blocks: Sequence[Block] | None = None) -> dict[Coin, Output]:
        """Oldest first, as of the last of `blocks` (the tip)."""
        found: dict[Coin, Output] = {}
        confirmed = [tx for _, tx in self.transactions(self.blocks if blocks is None else blocks)]
        for tx in [*confirmed, *(self.mempool if with_mempool else ())]:
            for coin in tx.inputs:
                del found[coin]
            found.update({Coin(tx.txid, vout): output for vout, output in enumerate(tx.outputs)})
        return {coin: output for coin, output in found.items() if output.kind != "op_return"}

    def outputs(self) -> Mapping[Coin, Output]:
        """Every output there ever was, spent or not, orphaned or not."""
        everything = [tx for _, tx in self.transactions([*self.orphans, *self.blocks])] + self.mempool
        return {Coin(tx.txid, vout): output for tx in everything for vout, output in enumerate(tx.outputs)}

    def _wait(self, inputs: Sequence[Coin], outputs: Sequence[Output], *, fee: int) -> str:
        tx = Transaction(txid=self._txid(), inputs=tuple(inputs), outputs=tuple(outputs), fee=fee)
        self.mempool.append(tx)
        return tx.txid

    def _possible(self, transactions: Sequence[Transaction]) -> list[Transaction]:
        """Those whose inputs are there and unspent."""
        unspent = set(self.unspent(with_mempool=False))
        possible: list[Transaction] = []
        for tx in transactions:
            if unspent.issuperset(tx.inputs):
                unspent = (unspent - set(tx.inputs)) | {Coin(tx.txid, vout) for vout in range(len(tx.outputs))}
                possible.append(tx)
        return possible

    def _mine(self, transactions: Sequence[Transaction], *, time: int) -> None:
        reward = SUBSIDY + sum(tx.fee for tx in transactions)
        self._append([self._coinbase((to(MINER, reward), note("commitment"))), *transactions], time=time)

    def _append(self, transactions: Sequence[Transaction], *, time: int) -> None:
        height = FIRST_HEIGHT + len(self.blocks)
        previous = self.tip.hash if self.blocks else hash_of("before the first block")
        times = sorted([*(block.time for block in self.blocks[-10:]), time])
        found = hash_of("block", previous, time, [tx.txid for tx in transactions])
        self.blocks.append(
            Block(
                height=height,
                hash=f"{'0' * 19}{found[19:]}",
                previous=previous,
                time=time,
                median_time=times[len(times) // 2],
                transactions=tuple(transactions),
            )
        )

    def _coinbase(self, outputs: tuple[Output, ...]) -> Transaction:
        return Transaction(txid=self._txid(), inputs=(), outputs=outputs)

    def _txid(self) -> str:
        self._made += 1
        return hash_of("transaction", self._made)

    def _now(self) -> int:
        return int(self._clock.now().timestamp())
