"""What was moved on an EVM chain, against a real node and against relays that refuse, lag and lie."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiohttp import web
from eth_abi.abi import encode
from eth_hash.auto import keccak

from monitor.chains.evm_movements import EvmMovements
from monitor.chains.failover import Endpoints
from monitor.chains.jsonrpc import Endpoint, Node
from monitor.chains.ledger import Head, Movement, Movements, Token
from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, RemoteError
from monitor.reserves.flows import tally
from tests.anvil import ETHER, Anvil, anvil, calldata
from tests.relay import Message, Relay, relay_to

ETH = Token(asset="ETH")
USDT = Token(asset="USDT", contract="0x" + "A1" * 20, decimals=6)
DAI = Token(asset="DAI", contract="0x" + "a2" * 20)
STRANGER = "0x" + "ee" * 20
BATCHER = "0x" + "ba" * 20
FORWARDER = "0x" + "f0" * 20
GAS = hex(200_000)

Answer = Callable[[Message], Awaitable[Message]]


@pytest.fixture
async def node() -> AsyncIterator[Anvil]:
    async with anvil() as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with Http(Clock(), per_second={"127.0.0.1": 10_000.0}) as opened:
        yield opened


@pytest.fixture(params=[True, False], ids=["whole blocks", "events only"])
def whole_blocks(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def movements(http: Http, *endpoints: Endpoint, whole_blocks: bool) -> EvmMovements:
    nodes = Endpoints([Node(http, Clock(), endpoint) for endpoint in endpoints], network="ethereum")
    return EvmMovements(nodes.use, network="ethereum", coin=ETH, tokens=[USDT, DAI], whole_blocks=whole_blocks)


async def head_of(node: Anvil, number: int | None = None) -> Head:
    height = await node.height() if number is None else number
    block = await node.rpc("eth_getBlockByNumber", hex(height), False)
    assert isinstance(block, dict)
    return Head(number=height, hash=str(block["hash"]), timestamp=await node.time(height))


async def balance(node: Anvil, address: str, token: Token, *, at: Head) -> int:
    if token.contract is None:
        return await node.number("eth_getBalance", address, hex(at.number))
    data = "0x" + calldata("balanceOf(address)", int(address, 16)).hex()
    return await node.number("eth_call", {"to": token.contract, "data": data}, hex(at.number))


async def assert_adds_up(
    node: Anvil, told: Movements, addresses: Collection[str], tokens: Collection[Token], *, after: Head, upto: Head
) -> None:
    """What the movements say of every address is what its balance changed by."""
    for token in tokens:
        for address in addresses:
            told_change = sum(move.changes.get(address, 0) for move in told.moves if move.token == token)
            change = await balance(node, address, token, at=upto) - await balance(node, address, token, at=after)
            assert told_change == change, (token.asset, address)


async def start(node: Anvil) -> None:
    for token in (USDT, DAI):
        await node.put_token(token.contract or "")
    await node.mine()


async def mint(node: Anvil, token: Token, holder: str, amount: int) -> None:
    minter = (await node.accounts())[9]
    await node.mint(token.contract or "", holder, amount, sender=minter)


async def transfer(node: Anvil, token: Token, sender: str, to: str, amount: int) -> None:
    await node.send(
        sender, token.contract or "", value=0, data=calldata("transfer(address,uint256)", int(to, 16), amount)
    )


async def send_to_fail(node: Anvil, sender: str, token: Token, *, value: int = 0) -> None:
    """A transfer of more than the sender has, in a block of its own."""
    data = "0x" + calldata("transfer(address,uint256)", int(STRANGER, 16), 10**30).hex()
    transaction = {"from": sender, "to": token.contract, "data": data, "gas": GAS, "value": hex(value)}
    await node.rpc("eth_sendTransaction", transaction)
    await node.mine()


def batched(payments: Sequence[tuple[str, int]]) -> bytes:
    """Several transfers of USDT in one call of the batcher."""
    calls = [
        (USDT.contract, False, calldata("transfer(address,uint256)", int(to, 16), amount)) for to, amount in payments
    ]
    return keccak(b"aggregate3((address,bool,bytes)[])")[:4] + encode(["(address,bool,bytes)[]"], [calls])


def of(told: Movements, token: Token) -> list[Movement]:
    return [move for move in told.moves if move.token == token]


class TestCoins:
    async def test_are_payments_to_others_and_moves_among_our_own(self, http: Http, node: Anvil) -> None:
        ann, bob, carl = (await node.accounts())[:3]
        after = await head_of(node)
        await node.send(ann, STRANGER, value=5 * ETHER)
        await node.send(ann, bob, value=7 * ETHER)
        await node.send(bob, carl, value=2 * ETHER)
        upto = await head_of(node)
        ours = movements(http, node.endpoint, whole_blocks=True)
        ours.watch([ann, bob, carl])

        first = await ours.movements([ann, bob], after=after, upto=upto)
        other = await ours.movements([carl], after=after, upto=upto)

        await assert_adds_up(node, first, [ann, bob], [ETH], after=after, upto=upto)
        await assert_adds_up(node, other, [carl], [ETH], after=after, upto=upto)
        assert [move.payments for move in first.moves] == [((STRANGER, 5 * ETHER),), (), ((carl, 2 * ETHER),)]
        assert [move.senders for move in first.moves] == [(ann,), (ann,), (bob,)]
        assert [(move.changes, move.payments, move.senders, move.fee) for move in other.moves] == [
            ({carl: 2 * ETHER}, (), (), 0)
        ]
        assert (first.coverage, other.coverage) == (1.0, 1.0)
        (flow,) = tally(first.moves, own=[ann, bob], cold=[], labelled=[carl])
        assert flow.internal == 7 * ETHER
        assert flow.outflow == 7 * ETHER + sum(move.fee for move in first.moves)
        assert (flow.outflow_count, flow.unlabelled_outflow) == (2, 5 * ETHER)

    async def test_fees_are_those_paid(self, http: Http, node: Anvil) -> None:
        ann = (await node.accounts())[0]
        await start(node)
        after = await head_of(node)
        await mint(node, USDT, ann, 50)
        await transfer(node, USDT, ann, STRANGER, 10)
        upto = await head_of(node)

        told = await movements(http, node.endpoint, whole_blocks=True).movements([ann], after=after, upto=upto)

        (paid,) = of(told, ETH)
        assert paid.changes == {ann: -paid.fee}
        assert paid.fee > 0
        assert paid.payments == ()
        await assert_adds_up(node, told, [ann], [ETH, USDT], after=after, upto=upto)

    async def test_of_a_transaction_that_failed_are_its_fee_only(self, http: Http, node: Anvil) -> None:
        ann = (await node.accounts())[0]
        await start(node)
        after = await head_of(node)
        await send_to_fail(node, ann, USDT)
        await send_to_fail(node, ann, USDT, value=3 * ETHER)
        upto = await head_of(node)
        ours = movements(http, node.endpoint, whole_blocks=True)

        told = await ours.movements([ann, USDT.contract or ""], after=after, upto=upto)

        assert [(move.token, move.payments, move.changes) for move in told.moves] == [
            (ETH, (), {ann: -move.fee}) for move in told.moves
        ]
        assert len(told.moves) == 2
        await assert_adds_up(node, told, [ann, USDT.contract or ""], [ETH, USDT], after=after, upto=upto)

    async def test_sent_with_a_new_contract_are_its(self, http: Http, node: Anvil) -> None:
        ann = (await node.accounts())[0]
        after = await head_of(node)
        await node.rpc("eth_sendTransactionSync", {"from": ann, "data": "0x00", "value": hex(3 * ETHER)})
        upto = await head_of(node)
        created = "0x" + keccak(b"\xd6\x94" + bytes.fromhex(ann[2:]) + b"\x80")[12:].hex()

        told = await movements(http, node.endpoint, whole_blocks=True).movements([ann], after=after, upto=upto)

        assert told.moves[0].payments == ((created, 3 * ETHER),)
        await assert_adds_up(node, told, [ann], [ETH], after=after, upto=upto)

    async def test_that_a_block_brings_its_proposer_came_in(self, http: Http, node: Anvil) -> None:
        ann, bob = (await node.accounts())[:2]
        await node.rpc("anvil_setCoinbase", STRANGER)
        after = await head_of(node)
        tip = {"maxPriorityFeePerGas": hex(10**9), "maxFeePerGas": hex(10**10)}
        await node.rpc("eth_sendTransactionSync", {"from": ann, "to": bob, "value": "0x1", **tip})
        upto = await head_of(node)

        told = await movements(http, node.endpoint, whole_blocks=True).movements([STRANGER], after=after, upto=upto)

        assert [move.changes for move in told.moves] == [{STRANGER: 21_000 * 10**9}]
        await assert_adds_up(node, told, [STRANGER], [ETH], after=after, upto=upto)

    async def test_from_the_beacon_chain_came_in(self, http: Http, node: Anvil) -> None:
        async with relay_to(node.url) as door:
            door.answer = with_withdrawals(door.answer, to=STRANGER, gwei=32_000_000_123)
            after = await head_of(node)
            await node.mine()
            upto = await head_of(node)

            told = await movements(http, door.endpoint, whole_blocks=True).movements([STRANGER], after=after, upto=upto)

            assert [(move.changes, move.senders) for move in told.moves] == [({STRANGER: 32 * ETHER + 123 * 10**9}, ())]

    async def test_moved_by_a_contract_are_not_seen(self, http: Http, node: Anvil) -> None:
        ann, bob = (await node.accounts())[:2]
        await node.rpc("anvil_setCode", FORWARDER, f"0x5f5f5f5f3473{bob[2:]}5af100")  # passes on what it gets
        after = await head_of(node)
        await node.send(ann, FORWARDER, value=4 * ETHER)
        upto = await head_of(node)

        told = await movements(http, node.endpoint, whole_blocks=True).movements([ann, bob], after=after, upto=upto)

        assert await balance(node, bob, ETH, at=upto) - await balance(node, bob, ETH, at=after) == 4 * ETHER
        assert [(move.payments, bob in move.changes) for move in told.moves] == [(((FORWARDER, 4 * ETHER),), False)]

    async def test_are_not_told_of_where_blocks_are_not_read(self, http: Http, node: Anvil) -> None:
        ann = (await node.accounts())[0]
        after = await head_of(node)
        await node.send(ann, STRANGER, value=5 * ETHER)
        ours = movements(http, node.endpoint, whole_blocks=False)

        assert (await ours.movements([ann], after=after, upto=await head_of(node))).moves == ()

    async def test_are_the_same_where_receipts_are_told_one_by_one(self, http: Http, node: Anvil) -> None:
        ann, bob, carl = (await node.accounts())[:3]
        await start(node)
        await mint(node, USDT, ann, 100)
        await node.rpc("anvil_setCoinbase", carl)
        after = await head_of(node)
        await node.send(ann, bob, value=ETHER)
        await transfer(node, USDT, ann, STRANGER, 40)
        await send_to_fail(node, bob, DAI)
        await transfer(node, USDT, ann, bob, 60)
        upto = await head_of(node)

        async with relay_to(node.url) as door:
            door.answer = unknown(door.answer, "eth_getBlockReceipts")
            told = [
                await movements(http, endpoint, whole_blocks=True).movements([ann, bob, carl], after=after, upto=upto)
                for endpoint in (node.endpoint, door.endpoint)
            ]

        by_place = [sorted(each.moves, key=lambda move: (move.block.number, move.token.asset)) for each in told]
        assert by_place[0] == by_place[1]
        await assert_adds_up(node, told[1], [ann, bob, carl], [ETH, USDT], after=after, upto=upto)


class TestTokens:
    async def test_are_payments_to_others_and_moves_among_our_own(
        self, http: Http, node: Anvil, whole_blocks: bool
    ) -> None:
        ann, bob, carl = (await node.accounts())[:3]
        await start(node)
        await mint(node, DAI, carl, 90)
        after = await head_of(node)
        await mint(node, USDT, ann, 1_000)
        await transfer(node, USDT, ann, bob, 300)
        await transfer(node, USDT, bob, carl, 50)
        await transfer(node, USDT, ann, STRANGER, 70)
        await transfer(node, DAI, carl, ann, 9)
        await transfer(node, DAI, carl, STRANGER, 1)
        upto = await head_of(node)
        ours = movements(http, node.endpoint, whole_blocks=whole_blocks)
        ours.watch([ann, bob, carl])

        first = await ours.movements([ann, bob], after=after, upto=upto)
        other = await ours.movements([carl], after=after, upto=upto)

        await assert_adds_up(node, first, [ann, bob], [USDT, DAI], after=after, upto=upto)
        await assert_adds_up(node, other, [carl], [USDT, DAI], after=after, upto=upto)
        assert [(move.changes, move.payments) for move in of(first, USDT)] == [
            ({ann: 1_000}, ()),
            ({ann: -300, bob: 300}, ()),
            ({bob: -50}, ((carl, 50),)),
            ({ann: -70}, ((STRANGER, 70),)),
        ]
        assert [move.changes for move in of(first, DAI)] == [{ann: 9}]
        assert [(move.changes, move.payments, move.senders) for move in of(other, USDT)] == [({carl: 50}, (), ())]
        assert [move.payments for move in of(other, DAI)] == [((ann, 9),), ((STRANGER, 1),)]

    async def test_of_a_batch_are_its_single_payments(self, http: Http, node: Anvil, whole_blocks: bool) -> None:
        ann, bob = (await node.accounts())[:2]
        await start(node)
        await node.put("Multicall", BATCHER)
        await mint(node, USDT, BATCHER, 1_000)
        after = await head_of(node)
        payments = [(STRANGER, 10), (bob, 20), (STRANGER, 30), (ann, 5)]
        await node.send(ann, BATCHER, value=0, data=batched(payments))
        upto = await head_of(node)
        ours = movements(http, node.endpoint, whole_blocks=whole_blocks)

        told = await ours.movements([ann, BATCHER], after=after, upto=upto)

        (batch,) = of(told, USDT)
        assert batch.changes == {BATCHER: -65, ann: 5}
        assert batch.payments == ((STRANGER, 10), (bob, 20), (STRANGER, 30))
        assert batch.senders == ((ann,) if whole_blocks else (BATCHER,))
        await assert_adds_up(node, told, [ann, BATCHER], [USDT], after=after, upto=upto)

    async def test_spent_by_a_stranger_left_all_the_same(self, http: Http, node: Anvil, whole_blocks: bool) -> None:
        thief = (await node.accounts())[0]
        await start(node)
        await node.put("Multicall", BATCHER)
        await mint(node, USDT, BATCHER, 1_000)
        after = await head_of(node)
        await node.send(thief, BATCHER, value=0, data=batched([(STRANGER, 1_000)]))
        upto = await head_of(node)
        ours = movements(http, node.endpoint, whole_blocks=whole_blocks)

        told = await ours.movements([BATCHER], after=after, upto=upto)

        assert [(move.changes, move.payments) for move in of(told, USDT)] == [({BATCHER: -1_000}, ((STRANGER, 1_000),))]
        assert of(told, USDT)[0].senders == (() if whole_blocks else (BATCHER,))

    async def test_of_nothing_are_no_payment(self, http: Http, node: Anvil, whole_blocks: bool) -> None:
        ann = (await node.accounts())[0]
        await start(node)
        after = await head_of(node)
        await transfer(node, USDT, ann, STRANGER, 0)
        ours = movements(http, node.endpoint, whole_blocks=whole_blocks)

        assert of(await ours.movements([ann], after=after, upto=await head_of(node)), USDT) == []

    async def test_addresses_are_told_as_they_were_asked_for(self, http: Http, node: Anvil, whole_blocks: bool) -> None:
        ann = (await node.accounts())[0].upper().replace("0X", "0x")
        await start(node)
        await mint(node, USDT, ann, 100)
        after = await head_of(node)
        await transfer(node, USDT, ann, STRANGER, 40)
        ours = movements(http, node.endpoint, whole_blocks=whole_blocks)

        told = await ours.movements([ann], after=after, upto=await head_of(node))

        assert [(move.changes, move.senders) for move in of(told, USDT)] == [({ann: -40}, (ann,))]


class TestReorgs:
    @pytest.mark.parametrize("depth", range(1, 7))
    async def test_take_an_outflow_back(self, http: Http, node: Anvil, whole_blocks: bool, depth: int) -> None:
        ann, bob = (await node.accounts())[:2]
        await start(node)
        await mint(node, USDT, ann, 1_000)
        await mint(node, USDT, bob, 1_000)
        after = await head_of(node)
        await transfer(node, USDT, bob, STRANGER, 1)
        await transfer(node, USDT, ann, STRANGER, 400)
        await node.mine(depth - 1)
        gone = await head_of(node)
        ours = movements(http, node.endpoint, whole_blocks=whole_blocks)
        ours.watch([ann, bob])
        before = await ours.movements([ann], after=after, upto=gone)
        assert [move.payments for move in of(before, USDT)] == [((STRANGER, 400),)]

        await node.rpc("anvil_reorg", depth, [])
        upto = await head_of(node)
        assert (upto.number, upto.hash != gone.hash) == (gone.number, True)

        assert of(await ours.movements([ann], after=after, upto=upto), USDT) == []
        kept = await ours.movements([bob], after=after, upto=upto)
        assert [move.payments for move in of(kept, USDT)] == [((STRANGER, 1),)]
        await assert_adds_up(node, kept, [bob], [USDT], after=after, upto=upto)

    async def test_while_we_asked_for_what_they_took_are_no_answer(
        self, http: Http, node: Anvil, whole_blocks: bool
    ) -> None:
        ann = (await node.accounts())[0]
        after = await head_of(node)
        await node.mine(5)
        gone = await head_of(node)
        await node.rpc("anvil_reorg", 3, [])
        ours = movements(http, node.endpoint, whole_blocks=whole_blocks)

        with pytest.raises(RemoteError) as caught:
            await ours.movements([ann], after=after, upto=gone)
        assert caught.value.reason is FailureReason.LAG
        with pytest.raises(RemoteError) as caught:
            await ours.movements([ann], after=gone, upto=await head_of(node))
        assert caught.value.reason is FailureReason.LAG

    async def test_put_another_payment_in_the_place_of_the_first(
        self, http: Http, node: Anvil, whole_blocks: bool
    ) -> None:
        ann = (await node.accounts())[0]
        await start(node)
        await mint(node, USDT, ann, 1_000)
        after = await head_of(node)
        await transfer(node, USDT, ann, STRANGER, 400)
        ours = movements(http, node.endpoint, whole_blocks=whole_blocks)
        await ours.movements([ann], after=after, upto=await head_of(node))

        data = "0x" + calldata("transfer(address,uint256)", int(STRANGER, 16), 3).hex()
        instead = {"from": ann, "to": USDT.contract, "data": data, "gas": GAS}
        await node.rpc("anvil_reorg", 1, [[instead, 0]])
        upto = await head_of(node)

        told = await ours.movements([ann], after=after, upto=upto)
        assert [move.payments for move in of(told, USDT)] == [((STRANGER, 3),)]
        await assert_adds_up(node, told, [ann], [USDT], after=after, upto=upto)


class TestReadingOnce:
    async def test_serves_all_who_ask_at_once(self, http: Http, node: Anvil, whole_blocks: bool) -> None:
        accounts = await node.accounts()
        await start(node)
        for account in accounts[:5]:
            await mint(node, USDT, account, 100)
        after = await head_of(node)
        for account in accounts[:5]:
            await transfer(node, USDT, account, STRANGER, 7)
        upto = await head_of(node)
        async with relay_to(node.url) as door:
            alone = movements(http, door.endpoint, whole_blocks=whole_blocks)
            alone.watch(accounts)
            await alone.movements(accounts[:1], after=after, upto=upto)
            cost = door.requests

            ours = movements(http, door.endpoint, whole_blocks=whole_blocks)
            ours.watch(accounts)
            told = await asyncio.gather(
                *(ours.movements([account], after=after, upto=upto) for account in accounts[:5])
            )
            assert door.requests == 2 * cost
            assert [[move.payments for move in of(each, USDT)] for each in told] == [[((STRANGER, 7),)]] * 5
            await ours.movements([accounts[7]], after=after, upto=upto)
            assert door.requests == 2 * cost

    async def test_goes_on_where_it_ended(self, http: Http, node: Anvil) -> None:
        ann = (await node.accounts())[0]
        after = await head_of(node)
        await node.mine(4)
        async with relay_to(node.url) as door:
            heights = whole_blocks_of(door)
            ours = movements(http, door.endpoint, whole_blocks=True)
            await ours.movements([ann], after=after, upto=await head_of(node))
            await node.mine(2)

            await ours.movements([ann], after=await head_of(node, 3), upto=await head_of(node))

            assert heights == [1, 2, 3, 4, 5, 6]

    async def test_covers_an_address_from_when_it_was_watched(
        self, http: Http, node: Anvil, whole_blocks: bool
    ) -> None:
        ann, bob = (await node.accounts())[:2]
        await start(node)
        await mint(node, USDT, ann, 100)
        start_at = await head_of(node)
        await transfer(node, USDT, ann, bob, 10)
        middle = await head_of(node)
        await transfer(node, USDT, ann, bob, 20)
        end = await head_of(node)
        ours = movements(http, node.endpoint, whole_blocks=whole_blocks)
        await ours.movements([ann], after=start_at, upto=middle)

        assert (await ours.movements([ann, bob], after=start_at, upto=end)).coverage == 0.5
        late = await ours.movements([bob], after=middle, upto=end)
        assert late.coverage == 1.0
        assert [move.changes for move in of(late, USDT)] == [{bob: 20}]

    async def test_does_not_reach_back_without_end(self, http: Http, node: Anvil) -> None:
        await node.mine(400)
        ours = movements(http, node.endpoint, whole_blocks=True)

        with pytest.raises(RemoteError, match="more than the 300 that are read back") as caught:
            await ours.movements([STRANGER], after=await head_of(node, 10), upto=await head_of(node))
        assert caught.value.reason is FailureReason.LAG

    async def test_is_from_another_node_where_one_fails(self, http: Http, node: Anvil, whole_blocks: bool) -> None:
        ann = (await node.accounts())[0]
        await start(node)
        await mint(node, USDT, ann, 100)
        after = await head_of(node)
        await transfer(node, USDT, ann, STRANGER, 40)
        async with relay_to(node.url) as door:
            door.answer = unknown(door.answer, "eth_getLogs", "eth_getBlockReceipts")
            ours = movements(http, door.endpoint, node.endpoint, whole_blocks=whole_blocks)

            told = await ours.movements([ann], after=after, upto=await head_of(node))

            assert [move.payments for move in of(told, USDT)] == [((STRANGER, 40),)]


class TestLimits:
    """Of `eth_getLogs`, which differ from node to node."""

    @staticmethod
    @asynccontextmanager
    async def limited(node: Anvil, limit: Callable[[int, int, int], Message | None]) -> AsyncIterator[Relay]:
        """A node that refuses by the numbers of blocks, addresses and results."""
        async with relay_to(node.url) as door:
            forward = door.answer

            async def answer(call: Message) -> Message:
                answered = await forward(call)
                if call["method"] != "eth_getLogs":
                    return answered
                asked = msgspec.convert(call["params"], list[dict[str, object]])[0]
                blocks = int(str(asked["toBlock"]), 16) - int(str(asked["fromBlock"]), 16) + 1
                topics = msgspec.convert(asked["topics"], list[list[str] | str | None])
                addresses = max(len(topic) for topic in topics if isinstance(topic, list))
                refusal = limit(blocks, addresses, len(msgspec.convert(answered["result"], list[object])))
                return answered if refusal is None else {"jsonrpc": "2.0", "id": call["id"], "error": refusal}

            door.answer = answer
            yield door

    @staticmethod
    async def history(node: Anvil) -> tuple[list[str], Head, Head]:
        accounts = await node.accounts()
        await start(node)
        after = await head_of(node)
        for account in accounts[:6]:
            await mint(node, USDT, account, 100)
            await transfer(node, USDT, account, accounts[8], 30)
        await transfer(node, USDT, accounts[8], STRANGER, 100)
        await node.mine(6)
        return accounts, after, await head_of(node)

    @pytest.mark.parametrize(
        "limit",
        [
            pytest.param(
                lambda blocks, _, __: (
                    {"code": -32602, "message": f"range {blocks} exceeds limit of 3"} if blocks > 3 else None
                ),
                id="range",
            ),
            pytest.param(
                lambda _, __, results: (
                    {"code": -32005, "message": "query returned more than 4 results"} if results > 4 else None
                ),
                id="results, as -32005",
            ),
            pytest.param(
                lambda _, addresses, __: {"code": -32000, "message": "exceed max topics"} if addresses > 2 else None,
                id="topics",
            ),
            pytest.param(
                lambda blocks, addresses, _: (
                    {"code": -32603, "message": "Log response size exceeded."} if blocks * addresses > 1 else None
                ),
                id="one address in one block",
            ),
        ],
    )
    async def test_are_found_and_kept_to(
        self, http: Http, node: Anvil, limit: Callable[[int, int, int], Message | None]
    ) -> None:
        accounts, after, upto = await self.history(node)
        was_refused: list[bool] = []

        def counted(blocks: int, addresses: int, results: int) -> Message | None:
            refusal = limit(blocks, addresses, results)
            was_refused.append(refusal is not None)
            return refusal

        async with self.limited(node, counted) as door:
            ours = movements(http, door.endpoint, whole_blocks=False)
            ours.watch(accounts)
            told = await ours.movements(accounts, after=after, upto=upto)
            await assert_adds_up(node, told, accounts, [USDT], after=after, upto=upto)
            assert any(was_refused)
            was_refused.clear()

            await node.mine(2)
            await ours.movements(accounts, after=upto, upto=await head_of(node))
            assert sum(was_refused) <= 2 + len(was_refused) // 10

    async def test_that_were_lifted_are_noticed_in_time(self, http: Http, node: Anvil) -> None:
        accounts, after, upto = await self.history(node)
        most = 1
        asked: list[int] = []

        def limit(blocks: int, _: int, __: int) -> Message | None:
            asked.append(blocks)
            return {"code": -32602, "message": "block range is too wide"} if blocks > most else None

        async with self.limited(node, limit) as door:
            ours = movements(http, door.endpoint, whole_blocks=False)
            await ours.movements(accounts, after=after, upto=upto)
            most = 1_000
            for _ in range(16):
                await node.mine(8)
                after, upto = upto, await head_of(node)
                await ours.movements(accounts, after=after, upto=upto)
            assert asked[-1] == 8

    async def test_of_size_by_status_are_limits_too(self, http: Http, node: Anvil) -> None:
        accounts, after, upto = await self.history(node)
        async with relay_to(node.url) as door:
            await node.mine()
            refused = 0

            def refuse(_: int) -> web.Response | None:
                nonlocal refused
                refused += 1
                return web.Response(status=413) if refused <= 3 else None

            ours = movements(http, door.endpoint, whole_blocks=False)
            door.refuse = refuse
            told = await ours.movements(accounts, after=after, upto=upto)
            assert refused > 3
            await assert_adds_up(node, told, accounts, [USDT], after=after, upto=upto)

    async def test_below_one_address_in_one_block_are_a_failure(self, http: Http, node: Anvil) -> None:
        accounts, after, upto = await self.history(node)
        async with self.limited(node, lambda *_: {"code": -32603, "message": "query timeout exceeded"}) as door:
            ours = movements(http, door.endpoint, whole_blocks=False)
            with pytest.raises(RemoteError, match="query timeout exceeded"):
                await ours.movements(accounts, after=after, upto=upto)
            assert door.requests < 20

    async def test_of_pace_are_not_answered_with_more_questions(self, http: Http, node: Anvil) -> None:
        accounts, after, upto = await self.history(node)
        async with self.limited(node, lambda *_: {"code": -32005, "message": "rate limit exceeded"}) as door:
            ours = movements(http, door.endpoint, whole_blocks=False)
            with pytest.raises(RemoteError) as caught:
                await ours.movements(accounts, after=after, upto=upto)
            assert caught.value.reason is FailureReason.RATE_LIMITED
            assert door.requests == 1


class TestLies:
    """Are refused: fewer movements than there were would be a flow that never was."""

    @staticmethod
    async def payment(node: Anvil) -> tuple[str, Head, Head]:
        ann = (await node.accounts())[0]
        await start(node)
        await mint(node, USDT, ann, 100)
        after = await head_of(node)
        await transfer(node, USDT, ann, STRANGER, 40)
        await node.mine(2)
        return ann, after, await head_of(node)

    @pytest.mark.parametrize(
        ("method", "change", "reason"),
        [
            pytest.param("eth_getBlockReceipts", lambda _: [], FailureReason.SCHEMA, id="no receipts"),
            pytest.param(
                "eth_getBlockReceipts",
                lambda receipts: [{**receipts[0], "transactionHash": "0x" + "77" * 32}],
                FailureReason.SCHEMA,
                id="receipt of another transaction",
            ),
            pytest.param(
                "eth_getBlockReceipts",
                lambda receipts: [{**receipt, "blockHash": "0x" + "77" * 32} for receipt in receipts],
                FailureReason.LAG,
                id="receipts of another block",
            ),
            pytest.param(
                "eth_getBlockByNumber",
                lambda block: {**block, "parentHash": "0x" + "77" * 32},
                FailureReason.LAG,
                id="blocks that do not follow each other",
            ),
            pytest.param(
                "eth_getBlockByNumber",
                lambda block: {**block, "number": "0x7777"},
                FailureReason.SCHEMA,
                id="another block",
            ),
            pytest.param("eth_getBlockByNumber", lambda _: None, FailureReason.LAG, id="no block"),
            pytest.param("eth_getBlockByNumber", lambda _: {}, FailureReason.SCHEMA, id="no fields"),
        ],
    )
    async def test_about_whole_blocks(
        self, http: Http, node: Anvil, method: str, change: Callable[[object], object], reason: FailureReason
    ) -> None:
        ann, after, upto = await self.payment(node)
        async with relay_to(node.url) as door:
            ours = movements(http, door.endpoint, whole_blocks=True)
            door.answer = changed(door.answer, method, change)
            with pytest.raises(RemoteError) as caught:
                await ours.movements([ann], after=after, upto=upto)
            assert caught.value.reason is reason

    @pytest.mark.parametrize(
        ("method", "change", "reason"),
        [
            pytest.param(
                "eth_getLogs",
                lambda logs: [{**log, "blockHash": "0x" + "77" * 32} for log in logs],
                FailureReason.LAG,
                id="events of a block that is not in the chain",
            ),
            pytest.param(
                "eth_getLogs",
                lambda logs: [{**log, "blockNumber": "0x1"} for log in logs],
                FailureReason.SCHEMA,
                id="events of blocks not asked for",
            ),
            pytest.param(
                "eth_getLogs",
                lambda logs: [{**log, "data": "0x28"} for log in logs],
                FailureReason.SCHEMA,
                id="an amount that is no word",
            ),
            pytest.param(
                "eth_getLogs",
                lambda logs: [{**log, "topics": log["topics"][:2]} for log in logs],
                FailureReason.SCHEMA,
                id="an event to nobody",
            ),
            pytest.param("eth_getLogs", lambda _: None, FailureReason.SCHEMA, id="null"),
            pytest.param(
                "eth_getBlockByNumber",
                lambda block: {**block, "hash": "0x" + "77" * 32},
                FailureReason.LAG,
                id="another chain",
            ),
            pytest.param("eth_getBlockByNumber", lambda _: None, FailureReason.LAG, id="a node behind"),
        ],
    )
    async def test_about_events(
        self, http: Http, node: Anvil, method: str, change: Callable[[object], object], reason: FailureReason
    ) -> None:
        ann, after, upto = await self.payment(node)
        async with relay_to(node.url) as door:
            ours = movements(http, door.endpoint, whole_blocks=False)
            door.answer = changed(door.answer, method, change)
            with pytest.raises(RemoteError) as caught:
                await ours.movements([ann], after=after, upto=upto)
            assert caught.value.reason is reason

    async def test_events_that_were_taken_back_are_not_told(self, http: Http, node: Anvil) -> None:
        ann, after, upto = await self.payment(node)

        def doubled(logs: object) -> object:
            return [
                log | extra
                for log in msgspec.convert(logs, list[dict[str, object]])
                for extra in ({}, {"removed": True, "logIndex": "0x7", "blockHash": "0x" + "77" * 32})
            ]

        async with relay_to(node.url) as door:
            ours = movements(http, door.endpoint, whole_blocks=False)
            door.answer = changed(door.answer, "eth_getLogs", doubled)

            told = await ours.movements([ann], after=after, upto=upto)

            assert [move.changes for move in told.moves] == [{ann: -40}]

    async def test_events_of_others_are_left_out(self, http: Http, node: Anvil) -> None:
        _, after, upto = await self.payment(node)
        bob = (await node.accounts())[1]
        async with relay_to(node.url) as door:
            forward = door.answer

            async def unfiltered(call: Message) -> Message:
                match call:
                    case {"method": "eth_getLogs", "params": [{"fromBlock": first, "toBlock": last}]}:
                        call = {**call, "params": [{"fromBlock": first, "toBlock": last}]}
                return await forward(call)

            door.answer = unfiltered
            ours = movements(http, door.endpoint, whole_blocks=False)
            ours.watch([bob])

            assert (await ours.movements([bob], after=after, upto=upto)).moves == ()


def with_withdrawals(forward: Answer, *, to: str, gwei: int) -> Answer:
    withdrawal = {"index": "0x7", "validatorIndex": "0x1", "address": to, "amount": hex(gwei)}
    return changed(
        forward, "eth_getBlockByNumber", lambda block: {**msgspec.convert(block, Message), "withdrawals": [withdrawal]}
    )


def changed(forward: Answer, method: str, change: Callable[[object], object]) -> Answer:
    """What `method` answers, changed."""

    async def answer(call: Message) -> Message:
        answered = await forward(call)
        return {**answered, "result": change(answered["result"])} if call["method"] == method else answered

    return answer


def unknown(forward: Answer, *methods: str) -> Answer:
    async def answer(call: Message) -> Message:
        if call["method"] in methods:
            error = {"code": -32601, "message": f"the method {call['method']} does not exist"}
            return {"jsonrpc": "2.0", "id": call["id"], "error": error}
        return await forward(call)

    return answer


def whole_blocks_of(door: Relay) -> list[int]:
    """The heights of the whole blocks that are asked for through `door`, as they are."""
    heights: list[int] = []
    forward = door.answer

    async def answer(call: Message) -> Message:
        match call:
            case {"method": "eth_getBlockByNumber", "params": [str() as number, True]}:
                heights.append(int(number, 16))
        return await forward(call)

    door.answer = answer
    return heights
