"""Balances that are kept up from one search: whatever blocks come and go, they are those of the newest block."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from monitor.chains.bitcoin_balances import DEPTH, KeptBalances, Scan
from monitor.chains.ledger import Head
from monitor.chains.utxo import Output, Touching, UtxoTransaction
from monitor.model import FailureReason, RemoteError

ADDRESSES = ("alice", "bob", "carol", "crowd")
CROWD = "crowd"
START = datetime(2026, 2, 3, tzinfo=UTC)


class _Mined(Struct, frozen=True):
    head: Head
    transactions: tuple[UtxoTransaction, ...]


class _Chain:
    """Its blocks carry what they move; a search of more than one address fails where `CROWD` is among them."""

    def __init__(self) -> None:
        self.blocks: list[_Mined] = []
        self._made = 0
        self.searches = 0
        self.mine([])

    def mine(self, payments: Sequence[tuple[str, str, int]]) -> None:
        """(from, to, amount); the sender pays one more for a fee."""
        self._made += 1
        head = Head(number=len(self.blocks), hash=f"block {self._made}", timestamp=START)
        moved = tuple(
            UtxoTransaction(
                id=f"{self._made}.{place}",
                inputs=(Output(sender, amount + 1),),
                outputs=(Output(receiver, amount),),
                fee=1,
            )
            for place, (sender, receiver, amount) in enumerate(payments)
        )
        self.blocks.append(_Mined(head, moved))

    def truth(self, address: str) -> int:
        moved = [transaction for mined in self.blocks for transaction in mined.transactions]
        received = sum(output.value for each in moved for output in each.outputs if output.address == address)
        return received - sum(output.value for each in moved for output in each.inputs if output.address == address)

    async def head(self) -> Head:
        return self.blocks[-1].head

    async def block(self, number: int) -> Head:
        if number >= len(self.blocks):
            raise RemoteError(FailureReason.LAG, "no such block")
        return self.blocks[number].head

    async def transactions(self, blocks: Sequence[Head], *, of: Collection[str]) -> Touching:
        found = {
            mined.head.number: [
                each for each in mined.transactions if any(o.address in of for o in (*each.inputs, *each.outputs))
            ]
            for mined in self.blocks
            if mined.head in blocks
        }
        return Touching(transactions=found)

    async def scan(self, addresses: Collection[str]) -> Scan:
        self.searches += 1
        if CROWD in addresses:
            raise RemoteError(FailureReason.TOO_LARGE, "too many outputs")
        return Scan(head=await self.head(), amounts={address: self.truth(address) for address in addresses})


payments = st.lists(st.tuples(st.sampled_from(ADDRESSES), st.sampled_from(ADDRESSES), st.integers(1, 50)), max_size=3)
reorgs = st.tuples(st.integers(0, DEPTH + 3), st.integers(1, 3))
questions = st.frozensets(st.sampled_from(ADDRESSES), min_size=1)


@given(st.lists(st.one_of(payments, reorgs, questions), max_size=40))
async def test_balances_are_those_of_the_newest_block(
    story: list[list[tuple[str, str, int]] | tuple[int, int] | frozenset[str]],
) -> None:
    chain = _Chain()
    kept = KeptBalances(chain, chain.scan)
    for step in story:
        match step:
            case list():
                chain.mine(step)
            case tuple((depth, more)):
                depth = min(depth, len(chain.blocks) - 1)
                del chain.blocks[len(chain.blocks) - depth :]
                for _ in range(depth + more):
                    chain.mine([("alice", "bob", 7)])
            case frozenset():
                told = await kept.read(sorted(step))
                assert told == {address: chain.truth(address) for address in step - {CROWD}}


async def test_a_reorg_that_is_not_deep_needs_no_new_search() -> None:
    chain = _Chain()
    kept = KeptBalances(chain, chain.scan)
    await kept.read(["alice", "bob"])
    for _ in range(DEPTH + 4):
        chain.mine([("alice", "bob", 5)])
    await kept.read(["alice", "bob"])
    del chain.blocks[-DEPTH:]
    for _ in range(DEPTH + 1):
        chain.mine([("bob", "alice", 9)])

    assert await kept.read(["alice", "bob"]) == {"alice": chain.truth("alice"), "bob": chain.truth("bob")}
    assert chain.searches == 1


async def test_what_was_searched_for_later_forgets_a_lost_branch_too() -> None:
    chain = _Chain()
    kept = KeptBalances(chain, chain.scan)
    await kept.read(["alice"])
    chain.mine([("alice", "bob", 5)])
    await kept.read(["alice", "bob"])
    del chain.blocks[-1:]
    chain.mine([])
    chain.mine([])

    assert await kept.read(["alice", "bob"]) == {"alice": 0, "bob": 0}
