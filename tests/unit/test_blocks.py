"""The log of a chain's newest blocks: read once, true to reorgs, bounded."""

import asyncio

import pytest

from monitor.chains.blocks import BlockLog
from monitor.model import FailureReason, RemoteError
from tests.scripted_chain import Deed, ScriptedChain, paid


def busy(blocks: int) -> ScriptedChain:
    """In every block ann pays bob one coin, for a fee of one."""
    chain = ScriptedChain()
    for _ in range(blocks):
        chain.mine(paid("ann", ("bob", 1), fee=1))
    return chain


class TestWhoAsks:
    async def test_makes_a_payment_or_an_internal_move_of_it(self) -> None:
        chain = ScriptedChain()
        start = chain.head
        end = chain.mine(paid("ann", ("bob", 60), ("ann", 35), ("", 2), fee=3))
        log = BlockLog(chain)
        log.watch(["ann", "bob"])

        (alone,) = (await log.movements(["ann"], after=start, upto=end)).moves
        (both,) = (await log.movements(["ann", "bob"], after=start, upto=end)).moves
        (other,) = (await log.movements(["bob"], after=start, upto=end)).moves

        assert (alone.changes, alone.payments, alone.senders) == ({"ann": -65}, (("bob", 60), ("", 2)), ("ann",))
        assert (both.changes, both.payments, both.fee) == ({"ann": -65, "bob": 60}, (("", 2),), 3)
        assert (other.changes, other.payments, other.senders, other.fee) == ({"bob": 60}, (), (), 0)

    async def test_is_told_of_one_movement_a_transaction_and_asset(self) -> None:
        chain = ScriptedChain()
        start = chain.head
        fee = Deed(sources=(("ann", 2),), fee=2)
        end = chain.mine((*paid("ann", ("bob", 5)), fee, *paid("zoe", ("ann", 9))))

        (move,) = (await BlockLog(chain).movements(["ann"], after=start, upto=end)).moves

        assert (move.changes, move.payments, move.fee, move.senders) == ({"ann": 2}, (("bob", 5),), 2, ("ann",))

    async def test_does_not_pay_what_strangers_paid_along(self) -> None:
        chain = ScriptedChain()
        start = chain.head
        end = chain.mine((Deed(sources=(("ann", 10), ("zoe", 20)), destinations=(("bob", 29),), fee=1),))

        (move,) = (await BlockLog(chain).movements(["ann"], after=start, upto=end)).moves

        assert (move.changes, move.payments, move.fee) == ({"ann": -10}, (("bob", 29),), 0)


class TestReading:
    async def test_happens_once_for_all_who_ask(self) -> None:
        chain = busy(7)
        log = BlockLog(chain, stride=3)

        await asyncio.gather(*(log.movements(["ann"], after=chain.at(0), upto=chain.at(7)) for _ in range(17)))
        questions = chain.questions
        await log.movements(["ann"], after=chain.at(0), upto=chain.at(7))

        assert chain.heights_read == [1, 2, 3, 4, 5, 6, 7]
        assert chain.questions == questions

    async def test_extends_what_is_held_both_ways(self) -> None:
        chain = busy(9)
        log = BlockLog(chain, stride=2)
        await log.movements(["ann"], after=chain.at(4), upto=chain.at(6))

        told = await log.movements(["ann"], after=chain.at(1), upto=chain.at(9))

        assert [move.block.number for move in told.moves] == [2, 3, 4, 5, 6, 7, 8, 9]
        assert sorted(chain.heights_read) == [2, 3, 4, 5, 6, 7, 8, 9]

    async def test_of_a_part_of_it_gives_that_part(self) -> None:
        chain = busy(9)
        log = BlockLog(chain)
        await log.movements(["ann"], after=chain.at(0), upto=chain.at(9))

        told = await log.movements(["ann"], after=chain.at(3), upto=chain.at(5))

        assert [move.block for move in told.moves] == [chain.at(4), chain.at(5)]
        assert len(chain.heights_read) == 9

    async def test_that_failed_half_way_goes_on_from_there(self) -> None:
        chain = busy(6)
        log = BlockLog(chain, stride=2)

        async def fail_late() -> None:
            if len(chain.heights_read) == 4:
                raise RemoteError(FailureReason.TIMEOUT, "too slow")

        chain.before = fail_late
        with pytest.raises(RemoteError, match="too slow"):
            await log.movements(["ann"], after=chain.at(0), upto=chain.at(6))
        chain.before = ScriptedChain().before

        told = await log.movements(["ann"], after=chain.at(0), upto=chain.at(6))

        assert len(told.moves) == 6
        assert chain.heights_read == [1, 2, 3, 4, 5, 6]

    async def test_that_was_cancelled_does_not_hold_up_others(self) -> None:
        chain = busy(3)
        log = BlockLog(chain)
        reached = asyncio.Event()

        async def hang() -> None:
            reached.set()
            await asyncio.Event().wait()

        chain.before = hang
        first = asyncio.ensure_future(log.movements(["ann"], after=chain.at(0), upto=chain.at(3)))
        async with asyncio.timeout(10):
            await reached.wait()
            first.cancel()
            chain.before = ScriptedChain().before
            told = await log.movements(["ann"], after=chain.at(0), upto=chain.at(3))
        assert len(told.moves) == 3
        assert first.cancelled()


class TestReorgs:
    async def test_replace_what_they_replaced_and_no_more(self) -> None:
        chain = busy(6)
        log = BlockLog(chain, stride=2)
        start = chain.head
        await log.movements(["ann"], after=chain.at(0), upto=start)
        chain.reorg(3, [paid("ann", ("bob", 50))])

        told = await log.movements(["ann"], after=chain.at(0), upto=chain.head)

        assert [move.payments for move in told.moves] == [(("bob", 1),)] * 3 + [(("bob", 50),)]
        assert chain.heights_read == [1, 2, 3, 4, 5, 6, 3, 4, 5, 6]

    async def test_leave_no_answer_for_blocks_that_are_gone(self) -> None:
        chain = busy(6)
        log = BlockLog(chain)
        gone = chain.head
        chain.reorg(2)

        for after, upto in ((chain.at(0), gone), (gone, chain.mine()), (gone, chain.at(6)), (chain.at(6), gone)):
            with pytest.raises(RemoteError) as caught:
                await log.movements(["ann"], after=after, upto=upto)
            assert caught.value.reason is FailureReason.LAG

    async def test_are_noticed_by_who_asks_for_a_block_within_what_others_read_later(self) -> None:
        chain = ScriptedChain()
        gone = [chain.mine() for _ in range(6)]
        chain.reorg(4)
        log = BlockLog(chain)
        await log.movements(["ann"], after=chain.at(0), upto=chain.head)

        for after, upto in ((gone[3], chain.head), (chain.at(0), gone[3])):
            with pytest.raises(RemoteError, match="block 4 4/4 is gone"):
                await log.movements(["ann"], after=after, upto=upto)
        assert (await log.movements(["ann"], after=gone[1], upto=chain.at(4))).moves == ()

    async def test_leave_what_was_read_to_who_still_asks_for_it(self) -> None:
        """An exchange that asks about the blocks it knew gets what was in them, until the log has seen the reorg."""
        chain = busy(6)
        log = BlockLog(chain)
        known = chain.head
        before = await log.movements(["ann"], after=chain.at(0), upto=known)
        chain.reorg(2)

        assert await log.movements(["ann"], after=chain.at(0), upto=known) == before


class TestCoverage:
    async def test_is_of_those_watched_when_it_was_read(self) -> None:
        chain = busy(4)
        log = BlockLog(chain)
        await log.movements(["ann"], after=chain.at(0), upto=chain.at(2))
        log.watch(["bob"])
        both = ["ann", "bob"]

        assert (await log.movements(both, after=chain.at(0), upto=chain.at(4))).coverage == 0.5
        assert (await log.movements(both, after=chain.at(2), upto=chain.at(4))).coverage == 1.0
        assert (await log.movements(["ann"], after=chain.at(0), upto=chain.at(4))).coverage == 1.0

    async def test_leaves_out_those_the_reader_could_not_read(self) -> None:
        chain = busy(4)
        chain.unread = frozenset(["bob"])
        log = BlockLog(chain)

        told = await log.movements(["ann", "bob", "carl", "dave"], after=chain.at(0), upto=chain.at(4))

        assert told.coverage == 0.75

    async def test_of_no_blocks_and_of_no_addresses_is_whole(self) -> None:
        chain = busy(2)
        log = BlockLog(chain)

        assert (await log.movements(["ann"], after=chain.at(2), upto=chain.at(2))).coverage == 1.0
        assert (await log.movements([], after=chain.at(0), upto=chain.at(2))).coverage == 1.0


class TestBounds:
    async def test_keep_the_newest_blocks(self) -> None:
        chain = busy(40)
        log = BlockLog(chain, blocks=10, stride=2)
        for number in range(0, 40, 4):
            await log.movements(["ann"], after=chain.at(number), upto=chain.at(number + 4))

        assert len((await log.movements(["ann"], after=chain.at(30), upto=chain.at(40))).moves) == 10
        with pytest.raises(RemoteError, match="further back from 40 than the 10 kept") as caught:
            await log.movements(["ann"], after=chain.at(28), upto=chain.at(36))
        assert caught.value.reason is FailureReason.LAG

    async def test_refuse_a_gap_that_is_too_long(self) -> None:
        chain = busy(12)

        with pytest.raises(RemoteError, match="blocks 2 to 12 are more than the 10 that are read back") as caught:
            await BlockLog(chain, blocks=10).movements(["ann"], after=chain.at(1), upto=chain.at(12))
        assert caught.value.reason is FailureReason.LAG
        assert chain.heights_read == []

    async def test_start_anew_after_a_long_gap(self) -> None:
        chain = busy(40)
        log = BlockLog(chain, blocks=10, stride=2)
        await log.movements(["ann"], after=chain.at(0), upto=chain.at(4))

        told = await log.movements(["ann"], after=chain.at(30), upto=chain.at(40))

        assert len(told.moves) == 10
        assert chain.heights_read == [1, 2, 3, 4, *range(31, 41)]

    async def test_hold_for_transfers_too(self) -> None:
        chain = busy(12)
        log = BlockLog(chain, stride=2, transfers=5)

        with pytest.raises(RemoteError, match="more than 5 transfers in the blocks above 0") as caught:
            await log.movements(["ann"], after=chain.at(0), upto=chain.at(12))
        assert caught.value.reason is FailureReason.TOO_LARGE
        assert len((await log.movements(["ann"], after=chain.at(8), upto=chain.at(12))).moves) == 4

    async def test_do_not_count_the_addresses_watched(self) -> None:
        chain = busy(3)
        log = BlockLog(chain)
        log.watch(f"wallet {number}" for number in range(50_000))

        told = await log.movements(["ann", "wallet 7"], after=chain.at(0), upto=chain.at(3))

        assert [move.changes for move in told.moves] == [{"ann": -2}] * 3
