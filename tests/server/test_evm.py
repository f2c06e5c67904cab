"""`EvmChain` against a real node, and against servers that answer as nodes should not."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from monitor.chains.evm import EvmChain
from monitor.chains.jsonrpc import Endpoint
from monitor.chains.ledger import Holding, Token
from monitor.chains.times import block_before
from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, RemoteError
from tests.anvil import ETHER, Anvil, anvil, calldata
from tests.relay import Message, Relay, relay, relay_to
from tests.switching_proxy import SwitchingProxy, switching_proxy

ETH = Token(asset="ETH")
USDT = Token(asset="USDT", contract="0x" + "a1" * 20, decimals=6)
BURNER = Token(asset="BURN", contract="0x" + "b2" * 20)
NOWHERE = Token(asset="NONE", contract="0x" + "c3" * 20)
STRANGER = "0x" + "ee" * 20

A_READ = 448  # digits of it in a request

ADDRESSES = [f"0x{number:040x}" for number in range(1, 11)]


@pytest.fixture
async def node() -> AsyncIterator[Anvil]:
    async with anvil() as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with Http(Clock(), per_second={f"127.0.0.{host}": 10_000.0 for host in (1, 2, 3)}) as opened:
        yield opened


def chain(
    http: Http, *endpoints: Endpoint, chain_id: int = 1, clock: Clock | None = None, tokens: Sequence[Token] = ()
) -> EvmChain:
    clock = clock or Clock()
    return EvmChain(http, clock, network="ethereum", chain_id=chain_id, endpoints=endpoints, tokens=tokens)


def rounded(reads: int) -> int:
    """Without what a request has beside its reads."""
    return round(reads / 50) * 50


class SkippingClock(Clock):
    """A clock that a test puts forward."""

    skipped = timedelta()

    def monotonic(self) -> float:
        return super().monotonic() + self.skipped.total_seconds()


async def dead_endpoint() -> Endpoint:
    """Where nobody listens any more."""

    async def nothing(_: Message) -> Message:
        return {}

    async with relay(nothing) as closed:
        return closed.endpoint


class TestHead:
    async def test_is_the_newest_block(self, http: Http, node: Anvil) -> None:
        await node.mine(3)

        head = await chain(http, node.endpoint).head()

        assert head.number == 3
        assert head.timestamp == await node.time(3)
        block = await node.rpc("eth_getBlockByHash", head.hash, False)
        assert isinstance(block, dict)
        assert block["number"] == "0x3"

    async def test_of_another_chain_is_refused(self, http: Http, node: Anvil) -> None:
        with pytest.raises(RemoteError, match="is chain 10, this is 1") as caught:
            await chain(http, node.endpoint, chain_id=10).head()
        assert caught.value.reason is FailureReason.WRONG_CHAIN

    async def test_of_a_chain_changed_behind_the_url_is_refused(self, http: Http, node: Anvil) -> None:
        async with relay_to(node.url) as door:
            ours = chain(http, door.endpoint)
            await ours.head()
            await ours.nonces([STRANGER], at=0)
            forward = door.answer

            async def moved(call: Message) -> Message:
                answer = await forward(call)
                return {**answer, "result": "0xa"} if call["method"] == "eth_chainId" else answer

            door.answer = moved
            for question in (ours.head(), ours.nonces([STRANGER], at=0)):
                with pytest.raises(RemoteError) as caught:
                    await question
                assert caught.value.reason is FailureReason.WRONG_CHAIN

    async def test_comes_from_the_endpoint_of_the_right_chain(self, http: Http, node: Anvil) -> None:
        async with anvil(chain_id=10) as right:
            await right.mine(5)
            ours = chain(http, node.endpoint, right.endpoint, chain_id=10)

            assert (await ours.head()).number == 5
            assert await ours.nonces([STRANGER], at=5) == {STRANGER: 0}

    async def test_never_goes_back(self, http: Http, node: Anvil) -> None:
        snapshot = await node.rpc("evm_snapshot")
        await node.mine(3)
        ours = chain(http, node.endpoint)
        await ours.head()
        await node.rpc("evm_revert", snapshot)

        with pytest.raises(RemoteError, match="went back from 3 to 0") as caught:
            await ours.head()
        assert caught.value.reason is FailureReason.LAG
        await node.mine(3)
        assert (await ours.head()).number == 3

    async def test_that_another_overtook_is_no_step_back(self, http: Http, node: Anvil) -> None:
        async with relay_to(node.url) as door:
            ours = chain(http, door.endpoint)
            await ours.head()
            forward = door.answer
            held, overtaken = asyncio.Event(), asyncio.Event()

            async def slow(call: Message) -> Message:
                answer = await forward(call)
                if not held.is_set() and call["method"] == "eth_getBlockByNumber":
                    held.set()
                    await overtaken.wait()
                return answer

            door.answer = slow
            async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
                first = tasks.create_task(ours.head())
                await held.wait()
                await node.mine()
                second = await ours.head()
                overtaken.set()
            assert (first.result().number, second.number) == (0, 1)

    async def test_that_is_too_high_does_not_blind_for_ever(self, http: Http, node: Anvil) -> None:
        snapshot = await node.rpc("evm_snapshot")
        await node.mine(3)
        clock = SkippingClock()
        ours = chain(http, node.endpoint, clock=clock)
        await ours.head()
        await node.rpc("evm_revert", snapshot)
        await node.pace(1)

        clock.skipped += timedelta(minutes=16)
        await node.rpc("evm_setNextBlockTimestamp", int(clock.now().timestamp()))
        await node.mine()
        assert (await ours.head()).number == 1

    async def test_of_a_node_behind_is_taken_from_the_other(self, http: Http, node: Anvil) -> None:
        async with anvil() as ahead, relay_to(ahead.url) as door:
            await ahead.mine(4)
            ours = chain(http, door.endpoint, node.endpoint)
            await ours.head()
            door.refuse = lambda _: web.Response(status=503)
            with pytest.raises(RemoteError, match="went back from 4 to 0"):
                await ours.head()
            await node.mine(5)
            assert (await ours.head()).number == 5

    async def test_that_is_old_is_no_head(self, http: Http, node: Anvil) -> None:
        later = Clock(start=datetime.now(UTC) + timedelta(seconds=200))

        with pytest.raises(RemoteError, match="s old") as caught:
            await chain(http, node.endpoint, clock=later).head()
        assert caught.value.reason is FailureReason.LAG


class TestFailover:
    async def test_a_dead_endpoint_costs_nothing_but_itself(self, http: Http, node: Anvil) -> None:
        ours = chain(http, await dead_endpoint(), node.endpoint)

        assert (await ours.head()).number == 0

    async def test_an_endpoint_is_preferred_until_it_fails(self, http: Http, node: Anvil) -> None:
        async with relay_to(node.url) as first, relay_to(node.url) as second:
            ours = chain(http, first.endpoint, second.endpoint)
            for _ in range(3):
                await ours.head()
            assert (first.requests, second.requests) == (3, 0)

            first.refuse = lambda _: web.Response(text="<html>busy</html>", content_type="text/html")
            await ours.head()
            first.refuse = lambda _: None
            await ours.head()
            assert (first.requests, second.requests) == (4, 2)

    async def test_all_dead_says_what_each_did(self, http: Http) -> None:
        with pytest.raises(RemoteError) as caught:
            await chain(http, await dead_endpoint(), await dead_endpoint()).head()
        assert caught.value.reason is FailureReason.CONNECTION
        assert caught.value.detail.count("127.0.0.1") == 2

    async def test_a_key_in_the_url_is_never_shown(self, http: Http, node: Anvil) -> None:
        endpoint = Endpoint(url=f"{node.url}/v3/s3cret", allow_private=True)

        with pytest.raises(RemoteError) as caught:
            await chain(http, endpoint, chain_id=99).head()
        assert "s3cret" not in f"{caught.value} {endpoint!r}"


class TestNonces:
    async def test_are_those_of_the_block_asked_for(self, http: Http, node: Anvil) -> None:
        alice, bob, carol = (await node.accounts())[:3]
        for sender in (alice, alice, bob):
            await node.send(sender, STRANGER)
        ours = chain(http, node.endpoint)

        assert await ours.nonces([alice, bob, carol], at=1) == {alice: 1, bob: 0, carol: 0}
        assert await ours.nonces([alice, bob, carol], at=3) == {alice: 2, bob: 1, carol: 0}

    async def test_of_many_addresses_are_read_in_chunks(self, http: Http, node: Anvil) -> None:
        addresses = [f"0x{number:040x}" for number in range(1, 251)]
        async with relay_to(node.url) as door:
            assert await chain(http, door.endpoint).nonces(addresses, at=0) == dict.fromkeys(addresses, 0)
            assert door.sizes == [3, 100, 100, 50]

    async def test_of_a_block_nobody_knows_are_an_error(self, http: Http, node: Anvil) -> None:
        with pytest.raises(RemoteError, match="none of 1 was answered"):
            await chain(http, node.endpoint).nonces([STRANGER], at=1000)


class TestBlock:
    async def test_is_the_one_that_is_there_now(self, http: Http, node: Anvil) -> None:
        await node.mine(5)
        ours = chain(http, node.endpoint)
        before = await ours.block(3)
        await node.rpc("anvil_reorg", 3, [])

        after = await ours.block(3)

        assert before.number == after.number == 3
        assert before.hash != after.hash

    async def test_that_nobody_has_is_a_lag(self, http: Http, node: Anvil) -> None:
        with pytest.raises(RemoteError, match="has no block 7") as caught:
            await chain(http, node.endpoint).block(7)
        assert caught.value.reason is FailureReason.LAG

    async def test_of_another_height_is_no_answer(self, http: Http, server: Relay) -> None:
        with pytest.raises(RemoteError, match="asked for block 7, got 100"):
            await chain(http, server.endpoint).block(7)


class TestBlockBefore:
    async def test_is_the_newest_not_younger(self, http: Http) -> None:
        async with anvil(genesis=datetime.now(UTC) - timedelta(seconds=600)) as node:
            await node.pace(12)
            await node.mine(50)
            ours = chain(http, node.endpoint)
            head = await ours.head()
            wanted = await node.time(37)

            for when in (wanted, wanted + timedelta(seconds=11.9)):
                assert (await block_before(ours, when, head=head, depth=50)).number == 37
            assert (await block_before(ours, head.timestamp, head=head, depth=50)).number == 50
            assert (await block_before(ours, wanted, head=head, depth=5)).number == 45
            assert (await block_before(ours, wanted - timedelta(days=1), head=head, depth=100)).number == 0


class TestTips:
    async def test_are_those_of_all_endpoints_of_the_chain(self, http: Http, node: Anvil) -> None:
        async with anvil() as ahead, anvil(chain_id=10) as stranger:
            await ahead.mine(4)
            ours = chain(http, node.endpoint, stranger.endpoint, ahead.endpoint, await dead_endpoint())

            assert [tip.number for tip in await ours.tips()] == [0, 4]
            assert (ours.endpoints, ours.coin) == (4, ETH)

    async def test_may_be_old(self, http: Http, node: Anvil) -> None:
        later = Clock(start=datetime.now(UTC) + timedelta(days=1))

        (tip,) = await chain(http, node.endpoint, clock=later).tips()

        assert tip.timestamp == await node.time()

    async def test_raise_no_height_that_others_must_reach(self, http: Http, node: Anvil) -> None:
        async with anvil() as ahead:
            await ahead.mine(4)
            ours = chain(http, node.endpoint, ahead.endpoint)
            await ours.tips()

            assert (await ours.head()).number == 0


class TestBalances:
    async def holdings(self, node: Anvil, *tokens: Token, amount: int = 5_000_001) -> list[Holding]:
        """Of three accounts that hold `amount` of USDT, and of one that holds nothing."""
        await node.put_token(USDT.contract or "")
        accounts = (await node.accounts())[:3]
        for account in accounts:
            await node.mint(USDT.contract or "", account, amount, sender=accounts[0])
        return [Holding(address, token) for token in tokens for address in (*accounts, STRANGER)]

    async def test_are_exactly_those_of_the_block(self, http: Http, node: Anvil) -> None:
        await node.put_multicall()
        holdings = await self.holdings(node, ETH, USDT)
        ours = chain(http, node.endpoint)

        snapshot = await ours.balances(holdings)

        height = await node.height()
        assert (snapshot.head.number, snapshot.endpoint) == (height, "127.0.0.1")
        for holding in holdings[:4]:
            told = await node.number("eth_getBalance", holding.address, hex(height))
            assert snapshot.amounts[holding] == told
        assert [snapshot.amounts[holding] for holding in holdings[4:]] == [5_000_001, 5_000_001, 5_000_001, 0]
        assert snapshot.amounts[holdings[3]] == 0

    async def test_of_many_tokens_and_bits_are_exact(self, http: Http, node: Anvil) -> None:
        await node.put_multicall()
        await node.put_token(USDT.contract or "")
        (sender, *_) = await node.accounts()
        amounts = [0, 1, 2**64 - 1, 2**64, 2**128 - 1, 2**128, 2**255, 2**192 + 2**64]
        holders = [f"0x{number:040x}" for number in range(0x1000, 0x1000 + len(amounts))]
        for holder, amount in zip(holders[:-2], amounts, strict=False):
            await node.mint(USDT.contract or "", holder, amount, sender=sender)
        for holder, amount in zip(holders, amounts, strict=True):
            await node.rpc("anvil_setBalance", holder, hex(amount))
        await node.mine()
        holdings = [Holding(holder, token) for holder in holders for token in (ETH, USDT)]

        told = (await chain(http, node.endpoint).balances(holdings)).amounts

        assert [told[Holding(holder, ETH)] for holder in holders] == amounts
        assert [told[Holding(holder, USDT)] for holder in holders] == [*amounts[:-2], 0, 0]

    async def test_need_one_request_through_multicall3(self, http: Http, node: Anvil) -> None:
        await node.put_multicall()
        holdings = await self.holdings(node, ETH, USDT)
        async with relay_to(node.url) as door:
            ours = chain(http, door.endpoint)
            await ours.head()
            await ours.balances(holdings)
            assert door.sizes == [3, 3, 1]

    async def test_are_read_without_multicall3(self, http: Http, node: Anvil) -> None:
        holdings = await self.holdings(node, ETH, USDT, NOWHERE)

        balances = (await chain(http, node.endpoint).balances(holdings)).amounts

        assert balances[holdings[0]] == await node.number("eth_getBalance", holdings[0].address, "latest")
        assert balances[Holding(STRANGER, USDT)] == 0
        assert {holding.token for holding in balances} == {ETH, USDT}

    async def test_of_a_token_without_code_are_not_read(self, http: Http, node: Anvil) -> None:
        await node.put_multicall()
        holdings = await self.holdings(node, NOWHERE, ETH, USDT)

        balances = (await chain(http, node.endpoint).balances(holdings)).amounts

        assert {holding.token for holding in balances} == {ETH, USDT}
        assert len(balances) == 8

    async def test_of_a_token_that_reverts_are_not_read(self, http: Http, node: Anvil) -> None:
        await node.put_multicall()
        holdings = await self.holdings(node, ETH, USDT)
        await node.send(holdings[0].address, USDT.contract or "", value=0, data=calldata("pause(bool)", 1))

        balances = (await chain(http, node.endpoint).balances(holdings)).amounts

        assert set(balances) == set(holdings[:4])

    async def test_of_others_survive_a_token_that_burns_all_gas(self, http: Http, node: Anvil) -> None:
        await node.put_multicall()
        await node.put("GasBurner", BURNER.contract or "")
        holdings = await self.holdings(node, BURNER, ETH, USDT)

        balances = (await chain(http, node.endpoint).balances(holdings)).amounts

        assert set(balances) == set(holdings[4:])
        assert balances[holdings[8]] == 5_000_001

    async def test_a_gas_burner_is_remembered_until_it_behaves(self, http: Http, node: Anvil) -> None:
        await node.put_multicall()
        await node.put("GasBurner", BURNER.contract or "")
        holdings = await self.holdings(node, BURNER, ETH)
        async with relay_to(node.url) as door:
            ours = chain(http, door.endpoint)

            async def reading() -> tuple[int, set[Token]]:
                await ours.head()
                before = door.requests
                balances = (await ours.balances(holdings)).amounts
                return door.requests - before, {holding.token for holding in balances}

            first, _ = await reading()
            second, tokens = await reading()
            assert second < first
            assert tokens == {ETH}

            await node.put_token(BURNER.contract or "")
            await node.mine()
            assert (await reading())[1] == {ETH, BURNER}
            assert await reading() == (2, {ETH, BURNER})

    async def test_of_many_addresses_are_all_read(self, http: Http, node: Anvil) -> None:
        await node.put_multicall()
        holdings = [Holding(f"0x{number:040x}", ETH) for number in range(0x1000, 0x1000 + 400)]
        for holding in holdings[::100]:
            await node.rpc("anvil_setBalance", holding.address, hex(3 * ETHER))
        await node.mine()

        balances = (await chain(http, node.endpoint).balances(holdings)).amounts

        assert [balances[holding] for holding in holdings] == [3 * ETHER * (n % 100 == 0) for n in range(400)]

    async def test_of_a_block_that_was_reorganised_away_are_an_error(self, http: Http, node: Anvil) -> None:
        await node.put_multicall()
        holdings = await self.holdings(node, ETH)
        async with relay_to(node.url) as door:
            ours = chain(http, door.endpoint)
            await ours.head()
            forward = door.answer

            async def meanwhile(call: Message) -> Message:
                if call["method"] == "eth_call":
                    door.answer = forward
                    await node.rpc("anvil_reorg", 1, [])
                return await forward(call)

            door.answer = meanwhile
            with pytest.raises(RemoteError, match="no state of block") as caught:
                await ours.balances(holdings)
            assert caught.value.reason is FailureReason.LAG

    @pytest.mark.parametrize("sees_height", [True, False], ids=["own height", "height of another chain"])
    async def test_tell_their_block_where_contracts_see_it(self, http: Http, node: Anvil, sees_height: bool) -> None:
        await node.put_multicall()
        holdings = await self.holdings(node, ETH)
        async with relay_to(node.url) as door:
            forward = door.answer

            async def at_a_newer_block(call: Message) -> Message:
                match call:
                    case {"method": "eth_call", "params": [transaction, _]}:
                        await node.mine()
                        call = {**call, "params": [transaction, "latest"]}
                return await forward(call)

            door.answer = at_a_newer_block
            ours = EvmChain(
                http,
                Clock(),
                network="ethereum",
                chain_id=1,
                endpoints=[door.endpoint],
                contracts_see_height=sees_height,
            )
            if not sees_height:
                assert set((await ours.balances(holdings)).amounts) == set(holdings)
                return
            with pytest.raises(RemoteError, match=r"asked for block (\d+), answered for \d+") as caught:
                await ours.balances(holdings)
            assert caught.value.reason is FailureReason.LAG


class TestChunks:
    """Of as many balances as there are addresses. What was sent shows how many were read at once."""

    HOLDINGS = [Holding(f"0x{number:040x}", ETH) for number in range(0x1000, 0x1000 + 1200)]

    async def read(self, ours: EvmChain, proxy: SwitchingProxy) -> list[int]:
        """Read all of them; how many in each request, those to admit the node left out."""
        proxy.bodies.clear()
        snapshot = await ours.balances(self.HOLDINGS)
        assert len(snapshot.amounts) == len(self.HOLDINGS)
        return [size // A_READ for size in proxy.bodies if size > A_READ]

    async def test_double_while_the_node_takes_them(self, http: Http, node: Anvil) -> None:
        await node.put_multicall()
        async with switching_proxy(node.url) as proxy:
            ours = chain(http, proxy.endpoint)

            first = await self.read(ours, proxy)

            assert [rounded(reads) for reads in first if reads > 2] == [150, 300, 600, 150]
            assert rounded(max(await self.read(ours, proxy))) == 1200

    async def test_shrink_to_what_the_node_takes(self, http: Http, node: Anvil) -> None:
        await node.put_multicall()
        async with switching_proxy(node.url) as proxy:
            ours = chain(http, proxy.endpoint)
            proxy.largest_body = 100_000
            await self.read(ours, proxy)

            later = [rounded(reads) for reads in await self.read(ours, proxy) if reads > 2]

            assert later == [150] * 8

    async def test_grow_again_in_time(self, http: Http, node: Anvil) -> None:
        await node.put_multicall()
        clock = SkippingClock()
        async with switching_proxy(node.url) as proxy:
            ours = chain(http, proxy.endpoint, clock=clock)
            proxy.largest_body = 10_000
            await self.read(ours, proxy)
            proxy.largest_body = None
            assert max(await self.read(ours, proxy)) < 25

            clock.skipped += timedelta(minutes=6)
            await node.rpc("evm_setNextBlockTimestamp", int(clock.now().timestamp()))
            await node.mine()
            assert max(await self.read(ours, proxy)) > 300

    async def test_are_not_made_smaller_by_a_token_that_fails(self, http: Http, node: Anvil) -> None:
        await node.put_multicall()
        holdings = [Holding(holding.address, token) for token in (ETH, NOWHERE, USDT) for holding in self.HOLDINGS]
        await node.put_token(USDT.contract or "")
        (sender, *_) = await node.accounts()
        await node.send(sender, USDT.contract or "", value=0, data=calldata("pause(bool)", 1))
        clock = SkippingClock()
        async with switching_proxy(node.url) as proxy:
            ours = chain(http, proxy.endpoint, clock=clock)
            await ours.balances(holdings)
            clock.skipped += timedelta(minutes=6)
            await node.rpc("evm_setNextBlockTimestamp", int(clock.now().timestamp()))
            await node.mine()
            for _ in range(2):
                proxy.bodies.clear()
                assert {holding.token for holding in (await ours.balances(holdings)).amounts} == {ETH}

            assert rounded(max(proxy.bodies) // A_READ) == 2300

    async def test_are_each_nodes_own(self, http: Http, node: Anvil) -> None:
        await node.put_multicall()
        async with switching_proxy(node.url) as small, switching_proxy(node.url, host="127.0.0.3") as large:
            small.largest_body = 100_000
            ours = chain(http, small.endpoint, large.endpoint)
            await self.read(ours, small)
            small.is_up = False
            await self.read(ours, large)

            assert rounded(max(await self.read(ours, large))) == 1200


class TestDecimals:
    SIX, EIGHT = USDT, Token(asset="USDT", contract=USDT.contract, decimals=8)

    async def holders(self, node: Anvil) -> list[str]:
        await node.put_multicall()
        await node.put_token(USDT.contract or "")
        await node.mine()
        return (await node.accounts())[:2]

    async def test_that_are_as_configured_are_asked_for_once_a_day(self, http: Http, node: Anvil) -> None:
        holders = await self.holders(node)
        async with switching_proxy(node.url) as proxy:
            ours = chain(http, proxy.endpoint, tokens=[self.SIX])
            await ours.balances([Holding(holder, self.SIX) for holder in holders])
            proxy.bodies.clear()

            read = await ours.balances([Holding(holder, self.SIX) for holder in holders])

            assert len(read.amounts) == len(holders)
            assert len(proxy.bodies) == 2

    async def test_that_are_others_leave_the_token_unread(self, http: Http, node: Anvil) -> None:
        holders = await self.holders(node)
        ours = chain(http, node.endpoint, tokens=[self.EIGHT])

        read = await ours.balances([Holding(holder, token) for holder in holders for token in (ETH, self.EIGHT)])

        assert {holding.token for holding in read.amounts} == {ETH}
        with pytest.raises(RemoteError, match="USDT has 6 decimals, 8 were expected") as caught:
            await ours.balances([Holding(holder, self.EIGHT) for holder in holders])
        assert caught.value.reason is FailureReason.SCHEMA

    async def test_that_a_token_does_not_tell_are_believed(self, http: Http, node: Anvil) -> None:
        holders = await self.holders(node)
        await node.put("GasBurner", BURNER.contract or "")
        ours = chain(http, node.endpoint, tokens=[BURNER])

        assert len((await ours.balances([Holding(holder, ETH) for holder in holders])).amounts) == len(holders)


async def scripted(call: Message) -> Message:
    """A node whose addresses have sent as many transactions as their number says."""
    match call:
        case {"method": "eth_chainId"}:
            result: object = "0x1"
        case {"method": "eth_getBlockByNumber"}:
            now = int(datetime.now(UTC).timestamp())
            result = {"number": "0x64", "hash": "0x" + "ab" * 32, "timestamp": hex(now)}
        case {"method": "eth_getTransactionCount", "params": [str() as address, "0x64"]}:
            result = hex(int(address, 16))
        case _:
            return {"jsonrpc": "2.0", "id": call["id"], "error": {"code": -32601, "message": "no such method"}}
    return {"jsonrpc": "2.0", "id": call["id"], "result": result}


@pytest.fixture
async def server() -> AsyncIterator[Relay]:
    async with relay(scripted) as running:
        yield running


def second(change: Callable[[Message], object]) -> Callable[[list[Message]], list[Message]]:
    """Change the second answer of a batch of nonces."""

    def spoil(answers: list[Message]) -> list[Message]:
        if len(answers) > 2:
            change(answers[1])
        return answers

    return spoil


class TestStrangeAnswers:
    EXACT = {address: int(address, 16) for address in ADDRESSES}
    WITHOUT_SECOND = {address: nonce for address, nonce in EXACT.items() if address != ADDRESSES[1]}

    @pytest.mark.parametrize(
        ("spoil", "expected"),
        [
            pytest.param(lambda answers: answers[::-1], EXACT, id="in another order"),
            pytest.param(
                lambda answers: [*answers, {"jsonrpc": "2.0", "id": 77, "result": "0x1"}], EXACT, id="one too many"
            ),
            pytest.param(
                lambda answers: answers[:1] + answers[2:] if len(answers) > 2 else answers, WITHOUT_SECOND, id="missing"
            ),
            pytest.param(
                lambda answers: [*answers, {**answers[1], "result": "0x9"}], WITHOUT_SECOND, id="answered twice"
            ),
            pytest.param(second(lambda answer: answer.update(result="0x")), WITHOUT_SECOND, id="an empty quantity"),
            pytest.param(second(lambda answer: answer.update(result="1_0")), WITHOUT_SECOND, id="not hex"),
            pytest.param(second(lambda answer: answer.update(result=2)), WITHOUT_SECOND, id="a number, not a quantity"),
            pytest.param(second(lambda answer: answer.update(result=None)), WITHOUT_SECOND, id="null"),
            pytest.param(second(lambda answer: answer.pop("result")), WITHOUT_SECOND, id="neither result nor error"),
            pytest.param(second(lambda answer: answer.update(id="2")), WITHOUT_SECOND, id="an id of another type"),
            pytest.param(
                second(lambda answer: answer.update(error={"code": -32000, "message": "header not found"})),
                WITHOUT_SECOND,
                id="both result and error",
            ),
            pytest.param(second(lambda answer: answer.update(error=None)), EXACT, id="an error that is null"),
        ],
    )
    async def test_leave_only_their_own_address_unread(
        self, http: Http, server: Relay, spoil: Callable[[list[Message]], list[Message]], expected: dict[str, int]
    ) -> None:
        ours = chain(http, server.endpoint)
        await ours.head()
        server.spoil = spoil

        assert await ours.nonces(ADDRESSES, at=100) == expected

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"<html>", id="HTML"),
            pytest.param(b"", id="nothing"),
            pytest.param(b"null", id="null"),
            pytest.param(b'[{"id":1,"result":"0x1","error":"no"}]', id="an error that is text"),
            pytest.param(b"[" * 100_000, id="nested without end"),
            pytest.param(b'[{"id":1,"result":"\xff"}]', id="not UTF-8"),
        ],
    )
    async def test_that_are_no_answers_are_a_schema_error(self, http: Http, server: Relay, body: bytes) -> None:
        server.refuse = lambda _: web.Response(body=body)

        with pytest.raises(RemoteError) as caught:
            await chain(http, server.endpoint).head()
        assert caught.value.reason is FailureReason.SCHEMA


def rpc_error(code: int, message: str, *, listed: bool = False, place: int | None = None) -> web.Response:
    error = {"jsonrpc": "2.0", "id": place, "error": {"code": code, "message": message}}
    return web.json_response([error] if listed else error)


class TestLimits:
    REFUSALS = [
        pytest.param(lambda: web.Response(status=413), id="413"),
        pytest.param(lambda: web.Response(status=500), id="500"),
        pytest.param(lambda: rpc_error(-32005, "limit exceeded"), id="-32005"),
        pytest.param(lambda: rpc_error(-32000, "batch limit 3 exceeded: 10 given"), id="erigon's object"),
        pytest.param(lambda: rpc_error(-32000, "size 10", listed=True), id="a list of one without id"),
        pytest.param(lambda: rpc_error(-32600, "batch too large", listed=True, place=1), id="geth's first answer"),
    ]

    @pytest.mark.parametrize("refusal", REFUSALS)
    @pytest.mark.parametrize("most", [pytest.param(3, id="three at once"), pytest.param(0, id="no batches")])
    async def test_of_a_batch_are_found_and_kept_to(
        self, http: Http, server: Relay, refusal: Callable[[], web.Response], most: int
    ) -> None:
        server.refuse = lambda size: refusal() if size > most else None
        ours = chain(http, server.endpoint)

        assert await ours.nonces(ADDRESSES, at=100) == {address: int(address, 16) for address in ADDRESSES}
        accepted = len(server.sizes)
        requests = server.requests
        await ours.nonces(ADDRESSES, at=100)
        assert server.requests - requests == len(server.sizes) - accepted

    async def test_that_were_lifted_are_noticed_in_time(self, http: Http, server: Relay) -> None:
        server.refuse = lambda size: web.Response(status=413) if size > 3 else None
        clock = SkippingClock()
        ours = chain(http, server.endpoint, clock=clock)
        await ours.nonces(ADDRESSES, at=100)
        server.refuse = lambda _: None

        for _ in range(3):
            clock.skipped += timedelta(minutes=6)
            await ours.nonces(ADDRESSES, at=100)
        await ours.nonces(ADDRESSES, at=100)
        assert server.sizes[-1] == len(ADDRESSES)

    async def test_of_a_call_in_a_contracts_own_words_are_no_limit(self, http: Http, server: Relay) -> None:
        ours = chain(http, server.endpoint)
        await ours.head()
        reverted = {"code": 3, "message": "execution reverted: daily limit exceeded"}
        server.spoil = second(lambda answer: answer.update(error=reverted))

        assert len(await ours.nonces(ADDRESSES, at=100)) == len(ADDRESSES) - 1
