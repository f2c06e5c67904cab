"""The bitcoin family on a real node of its own: `BitcoinChain` over `BitcoinCore`."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from aiohttp import ClientSession, web
from msgspec.structs import replace

from monitor.chains.bitcoin import BitcoinChain
from monitor.chains.bitcoin_blocks import serialized, told
from monitor.chains.bitcoin_core import BitcoinCore
from monitor.chains.bitcoin_rpc import CoreEndpoint, CoreRpc
from monitor.chains.jsonrpc import Call
from monitor.chains.ledger import Holding, Ledger, Movement
from monitor.chains.utxo import Output
from monitor.clock import Clock
from monitor.http import Http
from monitor.http.bodies import LARGEST_BODY
from monitor.model import FailureReason, RemoteError
from tests.litecoin import COIN, GENESIS, REGTEST, Litecoin, litecoin
from tests.loopback import Loopback, as_json

OTHER = "127.0.0.2"
Answer = dict[str, object]
KINDS = ["legacy", "p2sh-segwit", "bech32"]


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with Http(Clock(), per_second={"127.0.0.1": 10_000.0, OTHER: 10_000.0}) as opened:
        yield opened


@pytest.fixture
async def node() -> AsyncIterator[Litecoin]:
    async with litecoin() as running:
        yield running


def chain(http: Http, *nodes: Litecoin, genesis: str = GENESIS, clock: Clock | None = None) -> BitcoinChain:
    endpoints = [BitcoinCore(http, each.endpoint, encoding=REGTEST) for each in nodes]
    return BitcoinChain(clock or Clock(), network="litecoin", endpoints=endpoints, genesis=genesis)


async def balances(ledger: BitcoinChain, *addresses: str) -> dict[str, int]:
    snapshot = await ledger.balances([Holding(address, ledger.coin) for address in addresses])
    return {holding.address: amount for holding, amount in snapshot.amounts.items()}


async def moved(ledger: Ledger, *addresses: str, after: int, upto: int | None = None) -> tuple[Movement, ...]:
    last = await ledger.head() if upto is None else await ledger.block(upto)
    movements = await ledger.movements(addresses, after=await ledger.block(after), upto=last)
    assert movements.coverage == 1.0
    return movements.moves


async def funded(node: Litecoin, address: str, coins: float) -> tuple[str, int]:
    """A confirmed output of so many coins at `address`."""
    transaction = await node.pay(address, coins)
    await node.mine()
    return transaction, await node.output_to(transaction, address)


class TestHead:
    async def test_is_the_newest_block(self, http: Http, node: Litecoin) -> None:
        height = await node.height()

        head = await chain(http, node).head()

        assert (head.number, head.hash) == (height, await node.hash(height))
        assert head.timestamp == datetime.fromtimestamp(await node.time(height), UTC)

    async def test_of_another_chain_is_refused(self, http: Http, node: Litecoin) -> None:
        ledger = chain(http, node, genesis="12a765e31ffd4059" + "00" * 24)
        for question in (ledger.head(), ledger.block(1), ledger.tips(), balances(ledger, await node.address())):
            with pytest.raises(
                RemoteError, match="begins with 12a765e31ffd4059, this chain with 530827f38f93b43e"
            ) as caught:
                await question
            assert caught.value.reason is FailureReason.WRONG_CHAIN

    async def test_of_a_node_that_syncs_is_refused(self, http: Http) -> None:
        async with litecoin(mined=0) as fresh:
            with pytest.raises(RemoteError, match="syncs, at block 0") as caught:
                await chain(http, fresh).head()
        assert caught.value.reason is FailureReason.LAG

    async def test_never_goes_back(self, http: Http, node: Litecoin) -> None:
        ledger = chain(http, node)
        height = (await ledger.head()).number
        await node.take_back(height - 1)

        with pytest.raises(RemoteError, match=f"went back from {height} to {height - 2}") as caught:
            await ledger.head()
        assert caught.value.reason is FailureReason.LAG
        await node.mine(3)
        assert (await ledger.head()).number == height + 1

    async def test_comes_from_the_node_that_does_not_lag(self, http: Http, node: Litecoin) -> None:
        async with litecoin(mined=20, host=OTHER) as behind:
            ledger = chain(http, behind, node)
            assert (await ledger.head()).number == 20
            assert sorted(tip.number for tip in await ledger.tips()) == [20, await node.height()]
            assert (await ledger.head()).number == await node.height()

    async def test_is_taken_from_others_when_it_is_old(self, http: Http, node: Litecoin) -> None:
        async with litecoin(mined=20, host=OTHER) as behind:
            clock = Clock(start=datetime.now(UTC) + timedelta(minutes=10))
            assert (await chain(http, behind, node, clock=clock).head()).number == await node.height()

    async def test_of_long_ago_is_refused(self, http: Http, node: Litecoin) -> None:
        clock = Clock(start=datetime.now(UTC) + timedelta(minutes=40))
        ledger = chain(http, node, clock=clock)
        with pytest.raises(RemoteError, match="s old") as caught:
            await ledger.head()
        assert caught.value.reason is FailureReason.LAG
        assert [tip.number for tip in await ledger.tips()] == [await node.height()]

    async def test_of_a_node_that_refuses_us_names_no_password(self, http: Http, node: Litecoin) -> None:
        wrong = "wrong-and-secret"
        endpoint = replace(node.endpoint, password=wrong)
        with pytest.raises(RemoteError) as caught:
            await BitcoinCore(http, endpoint, encoding=REGTEST).head()
        assert caught.value.reason is FailureReason.AUTH
        assert wrong not in f"{caught.value!r} {endpoint!r}"


class TestBalances:
    @pytest.mark.parametrize("kind", KINDS)
    async def test_are_those_the_node_finds(self, http: Http, node: Litecoin, kind: str) -> None:
        address, other = await node.address(kind), await node.address(kind)
        await funded(node, address, 1.5)
        ledger = chain(http, node)

        assert await balances(ledger, address, other) == {address: 150_000_000, other: 0}

    async def test_are_kept_up_with_every_block(self, http: Http, node: Litecoin) -> None:
        ours, cold, outsider = await node.address(), await node.address("p2sh-segwit"), await node.address()
        ledger = chain(http, node)
        assert await balances(ledger, ours) == {ours: 0}
        source = await funded(node, ours, 3)
        await node.spend([source], {outsider: Decimal(1), cold: Decimal("1.5"), ours: Decimal("0.4")})
        await node.mine(9)

        assert await balances(ledger, ours, cold) == {ours: 40_000_000, cold: 150_000_000}
        assert await node.balance(ours) == 40_000_000

    async def test_are_of_the_branch_that_won(self, http: Http, node: Litecoin) -> None:
        ours, outsider = await node.address(), await node.address()
        source = await funded(node, ours, 3)
        ledger = chain(http, node)
        assert await balances(ledger, ours) == {ours: 3 * COIN}
        height = await node.height()
        await node.spend([source], {outsider: Decimal("2.9")})
        await node.mine(2)
        assert await balances(ledger, ours) == {ours: 0}

        await node.take_back(height + 1)
        await mine_without(node, blocks=3, to=outsider)

        assert await balances(ledger, ours) == {ours: 3 * COIN}

    async def test_survive_a_reorg_below_the_search(self, http: Http, node: Litecoin) -> None:
        ours = await node.address()
        ledger = chain(http, node)
        height = await node.height()
        await node.mine(2, to=ours)
        assert await balances(ledger, ours) == {ours: await node.balance(ours)}

        await node.take_back(height + 1)
        await node.mine(3, to=await node.address())

        assert await balances(ledger, ours) == {ours: 0}

    async def test_miss_what_is_no_address_of_the_network(self, http: Http, node: Litecoin) -> None:
        ours = await node.address()
        snapshot = await balances(chain(http, node), ours, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")
        assert snapshot == {ours: 0}


class TestSecond:
    async def test_is_of_another_endpoint_at_the_same_block(self, http: Http, node: Litecoin) -> None:
        ours = await node.address()
        await funded(node, ours, 2)
        async with litecoin(mined=0, host=OTHER) as other:
            await other.follow(node)
            ledger = chain(http, node, other)
            holdings = [Holding(ours, ledger.coin)]
            first = await ledger.balances(holdings)
            second = await ledger.second(holdings, first=first)
            assert {first.endpoint, second.endpoint} == {"127.0.0.1", OTHER}
            assert (second.head, second.amounts) == (first.head, first.amounts)

            await node.mine()
            with pytest.raises(RemoteError) as caught:
                await ledger.second(holdings, first=await ledger.balances(holdings))
            assert caught.value.reason is FailureReason.LAG

    async def test_of_one_endpoint_is_none(self, http: Http, node: Litecoin) -> None:
        ledger = chain(http, node)
        holdings = [Holding(await node.address(), ledger.coin)]
        with pytest.raises(RemoteError, match=r"no endpoint of litecoin other than 127\.0\.0\.1") as caught:
            await ledger.second(holdings, first=await ledger.balances(holdings))
        assert caught.value.reason is FailureReason.DISAGREEMENT


class TestBlocks:
    async def test_are_read_the_same_as_bytes_and_as_json(self, http: Http, node: Litecoin) -> None:
        for kind in KINDS:
            await node.pay(await node.address(kind), 2)
        await node.mine()
        newest = await node.hash(await node.height())
        rpc = CoreRpc(http, node.endpoint)

        as_json = told(await rpc.ask(Call("getblock", (newest, 3), bytes)))
        as_bytes = serialized(bytes.fromhex(await node.text("getblock", newest, 0)))

        assert as_json == as_bytes
        assert len(as_bytes) == 4

    async def test_that_are_too_large_in_json_are_read_as_bytes(self, http: Http, node: Litecoin) -> None:
        ours = await node.address()
        height = await node.height()
        await funded(node, ours, 2)
        async with door(node, too_large_blocks) as (endpoint, asked):
            core = BitcoinCore(http, endpoint, encoding=REGTEST)
            block = await core.block(height + 1)
            (found,) = (await core.transactions([block], of=[ours])).transactions[height + 1]
        assert Output(ours, 2 * COIN) in found.outputs
        assert found.fee == sum(each.value for each in found.inputs) - sum(each.value for each in found.outputs) > 0
        assert asked.count("getblock") == 2


class TestRefusals:
    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            pytest.param((-28, "Loading block index..."), FailureReason.LAG, id="starting"),
            pytest.param((-8, "Block height out of range"), FailureReason.LAG, id="a height to come"),
            pytest.param((-5, "Block not found"), FailureReason.LAG, id="no such block"),
            pytest.param((-1, "Block not available (pruned data)"), FailureReason.SCHEMA, id="pruned"),
            pytest.param((-8, 'Scan already in progress, use action "abort"'), FailureReason.RATE_LIMITED, id="busy"),
            pytest.param((-32601, "Method not found"), FailureReason.SCHEMA, id="no such question"),
        ],
    )
    async def test_of_a_node_have_their_reason(self, http: Http, error: tuple[int, str], reason: FailureReason) -> None:
        refusal = {"id": 0, "result": None, "error": {"code": error[0], "message": error[1]}}
        async with Loopback(lambda _: as_json([refusal])) as server:
            with pytest.raises(RemoteError) as caught:
                await scripted(http, server).block(1)
        assert caught.value.reason is reason

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param([{"id": 0, "result": 5, "error": None}], id="a number in place of a hash"),
            pytest.param([{"id": 77, "result": GENESIS, "error": None}], id="an answer to another question"),
            pytest.param([{"id": 0, "result": None, "error": None}], id="null"),
            pytest.param([{"id": 0}], id="neither result nor error"),
            pytest.param([], id="no answer"),
            pytest.param({"id": 0, "result": GENESIS}, id="no batch"),
            pytest.param("<html>", id="a page"),
        ],
    )
    async def test_of_nonsense_are_no_answers(self, http: Http, answer: object) -> None:
        async with Loopback(lambda _: as_json(answer)) as server:
            with pytest.raises(RemoteError) as caught:
                await scripted(http, server).block(1)
        assert caught.value.reason is FailureReason.SCHEMA

    @pytest.mark.parametrize(
        ("info", "expected"),
        [
            pytest.param({"initialblockdownload": True}, "syncs, at block 900 of 900", id="for the first time"),
            pytest.param({"headers": 902}, "syncs, at block 900 of 902", id="after a while"),
        ],
    )
    async def test_to_be_believed_while_it_syncs(self, http: Http, info: dict[str, object], expected: str) -> None:
        told = {"blocks": 900, "headers": 900, "bestblockhash": GENESIS, "initialblockdownload": False, **info}
        async with Loopback(lambda _: as_json([{"id": 0, "result": told, "error": None}])) as server:
            with pytest.raises(RemoteError, match=expected) as caught:
                await scripted(http, server).head()
        assert caught.value.reason is FailureReason.LAG

    async def test_to_search_leave_balances_unread(self, http: Http, node: Litecoin) -> None:
        """A search that somebody else began is neither a zero nor the end of what is known."""
        ours, later = await node.address(), await node.address()
        await funded(node, ours, 2)
        busy = False

        def searched(method: str, answer: Answer) -> Answer:
            if busy and method == "scantxoutset":
                return {**answer, "result": None, "error": {"code": -8, "message": "Scan already in progress"}}
            return answer

        async with door(node, searched) as (endpoint, _):
            core = BitcoinCore(http, endpoint, encoding=REGTEST)
            assert await core.balances([ours]) == {ours: 2 * COIN}
            busy = True
            await node.mine(to=ours)
            assert await core.balances([ours]) == {ours: await node.balance(ours)}
            with pytest.raises(RemoteError) as caught:
                await core.balances([ours, later])
            assert caught.value.reason is FailureReason.RATE_LIMITED

    async def test_of_one_address_with_too_many_outputs_spare_the_others(self, http: Http, node: Litecoin) -> None:
        crowded, ours, empty = await node.address(), await node.address(), await node.address()
        await node.mine(3, to=crowded)
        await funded(node, ours, 2)

        def searched(method: str, answer: Answer) -> Answer:
            crowds = method == "scantxoutset" and b'"height":102' in msgspec.json.encode(answer)
            return {**answer, "padding": " " * LARGEST_BODY} if crowds else answer

        async with door(node, searched) as (endpoint, asked):
            core = BitcoinCore(http, endpoint, encoding=REGTEST)
            assert await core.balances([crowded, ours, empty]) == {ours: 2 * COIN, empty: 0}
            searches = asked.count("scantxoutset")
            await node.mine(to=ours)
            assert await core.balances([crowded, ours, empty]) == {ours: await node.balance(ours), empty: 0}
            assert asked.count("scantxoutset") == searches


class TestMovements:
    @pytest.mark.parametrize("kind", KINDS)
    async def test_of_a_payment(self, http: Http, node: Litecoin, kind: str) -> None:
        ours, change, outsider = await node.address(kind), await node.address(kind), await node.address(kind)
        source = await funded(node, ours, 5)
        height = await node.height()
        paid = await node.spend([source], {outsider: Decimal(2), change: Decimal("2.99")})
        await node.mine()

        (move,) = await moved(chain(http, node), ours, change, after=height)

        assert (move.transaction, move.block.number, move.senders) == (paid, height + 1, (ours,))
        assert move.changes == {ours: -5 * COIN, change: 299_000_000}
        assert move.payments == ((outsider, 2 * COIN),)
        assert move.fee == 1_000_000

    async def test_of_a_deposit(self, http: Http, node: Litecoin) -> None:
        ours = await node.address()
        height = await node.height()
        await funded(node, ours, 5)

        (move,) = await moved(chain(http, node), ours, after=height)

        assert (move.changes, move.senders, move.payments, move.fee) == ({ours: 5 * COIN}, (), (), 0)

    async def test_of_a_batch_are_one(self, http: Http, node: Litecoin) -> None:
        ours = await node.address()
        source = await funded(node, ours, 10)
        height = await node.height()
        customers = {await node.address(): Decimal(number) / 10 for number in range(1, 8)}
        await node.spend([source], {**customers, ours: Decimal(7)})
        await node.mine()

        (move,) = await moved(chain(http, node), ours, after=height)

        assert dict(move.payments) == {address: int(coins * COIN) for address, coins in customers.items()}
        assert move.changes == {ours: -3 * COIN}
        assert move.fee == 3 * COIN - sum(amount for _, amount in move.payments)

    async def test_of_what_was_paid_in_the_same_block(self, http: Http, node: Litecoin) -> None:
        first, second = await node.address(), await node.address()
        source = await funded(node, first, 4)
        height = await node.height()
        parent = await node.spend([source], {second: Decimal(3)})
        await node.spend([(parent, 0)], {await node.address(): Decimal(2)})
        await node.mine()

        moves = await moved(chain(http, node), first, second, after=height)

        assert [move.changes for move in moves] == [{first: -4 * COIN, second: 3 * COIN}, {second: -3 * COIN}]
        assert [len(move.payments) for move in moves] == [0, 1]

    async def test_add_up_to_the_changes_of_the_balances(self, http: Http, node: Litecoin) -> None:
        ours = [await node.address(kind) for kind in KINDS]
        height = await node.height()
        for number, address in enumerate(ours):
            await funded(node, address, 2 + number)
        for _ in range(3):
            await node.pay_many({await node.address(): 1.25, ours[0]: 0.5})
            await node.mine(to=ours[1])

        changes = dict.fromkeys(ours, 0)
        for move in await moved(chain(http, node), *ours, after=height):
            for address, change in move.changes.items():
                changes[address] += change

        assert changes == {address: await node.balance(address) for address in ours}

    async def test_out_of_litecoins_extension_blocks_are_told(self, http: Http, node: Litecoin) -> None:
        ours = await node.address()
        await node.mine(431 - await node.height())
        height = await node.height()
        await node.rpc("unloadwallet", "tests")
        await node.rpc("createwallet", "hidden")
        hidden = await node.address("mweb")
        await node.rpc("unloadwallet", "hidden")
        await node.rpc("loadwallet", "tests")
        await node.pay(hidden, 8)
        await node.mine()
        await node.rpc("unloadwallet", "tests")
        await node.rpc("loadwallet", "hidden")
        await node.pay(ours, 2)
        await node.mine()
        ledger = chain(http, node)

        (move,) = await moved(ledger, ours, after=height)

        assert (move.changes, move.senders, move.payments) == ({ours: 2 * COIN}, (), ())
        assert await balances(ledger, ours) == {ours: 2 * COIN}

    async def test_of_blocks_that_are_gone_are_not_told(self, http: Http, node: Litecoin) -> None:
        ours, outsider = await node.address(), await node.address()
        source = await funded(node, ours, 5)
        height = await node.height()
        ledger = chain(http, node)
        after = await ledger.block(height)
        await node.spend([source], {outsider: Decimal("4.9")})
        await node.mine()
        gone = await ledger.head()
        (outflow,) = (await ledger.movements([ours], after=after, upto=gone)).moves
        assert outflow.payments == ((outsider, 490_000_000),)

        await node.take_back(height + 1)
        await mine_without(node, blocks=2, to=outsider)

        assert (await ledger.block(gone.number)).hash != gone.hash
        assert await moved(ledger, ours, after=height) == ()

    async def test_of_a_node_without_an_index_say_what_is_missing(self, http: Http) -> None:
        async with litecoin(index=False) as node:
            ours = await node.address()
            height = await node.height()
            await funded(node, ours, 1)
            with pytest.raises(RemoteError, match="start the node with txindex=1"):
                await moved(chain(http, node), ours, after=height)

    async def test_of_old_blocks_are_read_too(self, http: Http, node: Litecoin) -> None:
        ours = await node.address()
        await node.mine(3, to=ours)
        moves = await moved(chain(http, node), ours, after=0)
        assert [move.block.number for move in moves] == [102, 103, 104]


@asynccontextmanager
async def door(
    node: Litecoin, change: Callable[[str, Answer], Answer]
) -> AsyncIterator[tuple[CoreEndpoint, list[str]]]:
    """A way to `node` that changes its answers by method; and the methods asked, oldest first."""
    asked: list[str] = []

    async def forward(request: web.Request) -> web.Response:
        body = await request.read()
        questions = msgspec.json.decode(body, type=list[Answer])
        headers = {"Authorization": request.headers["Authorization"]}
        async with ClientSession() as session, session.post(node.url, data=body, headers=headers) as response:
            answers = msgspec.json.decode(await response.read(), type=list[Answer])
        methods = [str(question["method"]) for question in questions]
        asked.extend(methods)
        changed = [change(method, answer) for method, answer in zip(methods, answers, strict=True)]
        return web.Response(body=msgspec.json.encode(changed), content_type="application/json")

    app = web.Application()
    app.router.add_post("/", forward)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield replace(node.endpoint, url=f"http://127.0.0.1:{runner.addresses[0][1]}"), asked
    finally:
        await runner.cleanup()


def scripted(http: Http, server: Loopback) -> BitcoinCore:
    endpoint = CoreEndpoint(url=server.url, user="", password="", allow_private=True)
    return BitcoinCore(http, endpoint, encoding=REGTEST)


def too_large_blocks(method: str, answer: Answer) -> Answer:
    in_json = method == "getblock" and not isinstance(answer["result"], str)
    return {**answer, "padding": " " * LARGEST_BODY} if in_json else answer


async def mine_without(node: Litecoin, *, blocks: int, to: str) -> None:
    """Blocks with nothing of what waits in them."""
    for _ in range(blocks):
        await node.rpc("generateblock", to, [])
