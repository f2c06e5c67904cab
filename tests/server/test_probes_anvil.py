"""Payments, flows and reserves on real EVM nodes behind proxies: what a reorg, a lag, a lie and an outage make of them.

Faults E1 to E4, E12 and E14. Nothing of it may look like coins that left.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from itertools import cycle

import pytest
from msgspec import Struct
from structlog.testing import capture_logs

from monitor.chains.evm import EvmChain
from monitor.chains.ledger import Token
from monitor.chains.networks import EVM_NETWORKS
from monitor.clock import Clock
from monitor.http import Http
from monitor.model import (
    ChainState,
    FailureReason,
    Flow,
    ProbeFailure,
    Reading,
    RemoteError,
    Reorg,
    ReserveBalance,
    WalletActivity,
)
from monitor.probes.chain_state import ChainStateProbe
from monitor.probes.flows import FlowsProbe
from monitor.probes.reserves import ReservesProbe
from monitor.probes.wallets import WalletsProbe
from monitor.reserves.roles import Wallets
from tests.anvil import Anvil, anvil, calldata
from tests.hand_clock import NOON, HandClock
from tests.relay import Message
from tests.switching_proxy import Rewrite, SwitchingProxy, switching_proxy
from tests.wallets import known

ETH = Token(asset="ETH")
USDT = Token(asset="USDT", contract="0x" + "a1" * 20, decimals=6)
STRANGER = "0x" + "ee" * 20
BINANCE = "0x" + "F9" * 20
FIRST, SECOND = "127.0.0.2", "127.0.0.3"
RULES = EVM_NETWORKS["ethereum"]
MINTED = 1_000_000


class Pay(Struct, frozen=True, kw_only=True):
    """A payment of so many whole coins."""

    sender: str
    to: str
    coins: int
    token: Token = ETH


class Nodes:
    """One chain on two nodes, block by block on the hand of `clock`: the second can stay behind and catch up."""

    def __init__(self, first: Anvil, second: Anvil, clock: HandClock) -> None:
        self.first = first
        self.second = second
        self.clock = clock
        self.is_second_in_step = True
        self._missed: list[tuple[int, tuple[Pay, ...]]] = []

    async def mine(self, *payments: Pay) -> None:
        self.clock.hand += RULES.block_seconds
        block = int(self.clock.now().timestamp()), payments
        await _mine(self.first, *block)
        if self.is_second_in_step:
            await _mine(self.second, *block)
        else:
            self._missed.append(block)

    async def catch_up(self) -> None:
        """The second node has all blocks of the first, with the same hashes."""
        for block in self._missed:
            await _mine(self.second, *block)
        self._missed.clear()
        self.is_second_in_step = True
        newest = [await node.rpc("eth_getBlockByNumber", "latest", False) for node in (self.first, self.second)]
        assert newest[0] == newest[1]

    async def reorganize(self, depth: int) -> None:
        """On both, so many blocks are replaced by as many and one more, all empty."""
        for node in (self.first, self.second):
            await node.rpc("anvil_reorg", depth, [])
        await self.mine()


async def _mine(node: Anvil, seconds: int, payments: Sequence[Pay]) -> None:
    for pay in payments:
        await node.rpc("eth_sendTransaction", _transaction(pay))
    await node.rpc("evm_setNextBlockTimestamp", seconds)
    await node.rpc("evm_mine")


def _transaction(pay: Pay) -> dict[str, object]:
    units = pay.coins * 10**pay.token.decimals
    if pay.token.contract is None:
        return {"from": pay.sender, "to": pay.to, "value": hex(units)}
    return _called(calldata("transfer(address,uint256)", int(pay.to, 16), units), sender=pay.sender)


def _mint(holder: str, *, sender: str) -> dict[str, object]:
    return _called(calldata("mint(address,uint256)", int(holder, 16), MINTED * 10**USDT.decimals), sender=sender)


def _called(data: bytes, *, sender: str) -> dict[str, object]:
    return {"from": sender, "to": USDT.contract, "data": f"0x{data.hex()}", "gas": hex(200_000)}


class Around(Struct):
    """Three own wallets, each with coins and tokens, and somebody who is not of the exchange."""

    nodes: Nodes
    one: SwitchingProxy
    two: SwitchingProxy
    http: Http
    hot: str
    cold: str
    other: str
    somebody: str

    @property
    def own(self) -> list[str]:
        return [self.hot, self.cold, self.other]

    @property
    def wallets(self) -> Wallets:
        return known(self.own, hot=[self.hot], cold=[self.cold])

    def ledger(self, *proxies: SwitchingProxy, whole_blocks: bool = True) -> EvmChain:
        return EvmChain(
            self.http,
            self.nodes.clock,
            network="ethereum",
            chain_id=1,
            endpoints=[proxy.endpoint for proxy in proxies or (self.one, self.two)],
            tokens=[USDT],
            whole_blocks=whole_blocks,
            stale_seconds=RULES.stale_seconds,
        )

    async def holds(self, token: Token, *, at: int | None = None) -> Decimal:
        """What the own wallets hold, as the first node tells itself."""
        block = hex(await self.nodes.first.height() if at is None else at)
        units = [await self._units(address, token, block) for address in self.own]
        return Decimal(sum(units)).scaleb(-token.decimals)

    async def _units(self, address: str, token: Token, block: str) -> int:
        if token.contract is None:
            return await self.nodes.first.number("eth_getBalance", address, block)
        data = f"0x{calldata('balanceOf(address)', int(address, 16)).hex()}"
        return await self.nodes.first.number("eth_call", {"to": token.contract, "data": data}, block)


class Watching:
    """The probes over one ledger, and what they told: flows are taken back as the engine takes them back."""

    def __init__(self, around: Around, ledger: EvmChain, *, depth: int = 0) -> None:
        clock, wallets = around.nodes.clock, around.wallets
        self.payments = WalletsProbe(
            ledger,
            clock,
            exchange="kraken",
            name="kraken-ethereum-wallets",
            interval=60.0,
            wallets=wallets,
            since=clock.now(),
        )
        self.flows = _flows_probe(around, ledger, depth=depth)
        self.reserves = ReservesProbe(
            ledger,
            clock,
            exchange="kraken",
            name="kraken-ethereum-reserves",
            wallets=wallets,
            tokens=[ETH, USDT],
        )
        self.told: dict[Token, list[Flow]] = {ETH: [], USDT: []}
        self.reorgs: list[Reorg] = []
        self.totals: list[ReserveBalance] = []
        self.doubts: list[ProbeFailure] = []
        self.sent: list[WalletActivity] = []
        self.refused: list[RemoteError] = []

    async def look(self) -> None:
        """All three, as in the daemon's rounds; what cannot be read is kept too."""
        for probe in (self.payments, self.flows, self.reserves):
            try:
                self.hear(await probe.observe())
            except RemoteError as error:
                self.refused.append(error)

    def hear(self, reading: Reading) -> None:
        for seen in reading:
            match seen:
                case Reorg():
                    self.reorgs.append(seen)
                    for token, told in self.told.items():
                        self.told[token] = [flow for flow in told if (flow.to_height or 0) < seen.from_height]
                case Flow():
                    self.told[ETH if seen.asset == "ETH" else USDT].append(seen)
                case ReserveBalance(role=None):
                    self.totals.append(seen)
                case ProbeFailure():
                    self.doubts.append(seen)
                case WalletActivity():
                    self.sent.append(seen)
                case _:
                    pass

    def newest(self, token: Token) -> Flow:
        return self.told[token][-1]

    async def assert_adds_up(self, around: Around) -> None:
        """The windows follow one another, and all together are what the balance changed by."""
        for token, told in self.told.items():
            assert [flow.from_height for flow in told[1:]] == [(flow.to_height or 0) + 1 for flow in told[:-1]]
            begin, end = (told[0].from_height or 0) - 1, told[-1].to_height
            change = await around.holds(token, at=end) - await around.holds(token, at=begin)
            assert sum(flow.inflow - flow.outflow for flow in told) == change, token.asset

    async def assert_totals_are_true(self, around: Around) -> None:
        """Every total that was told is what the wallets held at its block."""
        for told in self.totals:
            assert told.wallets_read == told.wallets == len(around.own)
            assert told.amount == await around.holds(ETH if told.asset == "ETH" else USDT, at=told.height)


def _flows_probe(around: Around, ledger: EvmChain, *, depth: int = 0, last: Flow | None = None) -> FlowsProbe:
    return FlowsProbe(
        ledger,
        around.nodes.clock,
        exchange="kraken",
        name="kraken-ethereum-flows",
        interval=60.0,
        wallets=around.wallets,
        tokens=[ETH, USDT],
        labelled=[BINANCE.lower()],
        depth=depth,
        reach=100,
        last=last,
    )


@pytest.fixture
async def around() -> AsyncIterator[Around]:
    """Without Multicall3, so that each answer is about one balance and can be told wrong alone."""
    clock = HandClock(NOON)
    async with AsyncExitStack() as running:
        first, second = [await running.enter_async_context(anvil(genesis=NOON)) for _ in range(2)]
        hot, cold, other, somebody, *_ = await first.accounts()
        for node in (first, second):
            await node.rpc("evm_setAutomine", False)
            await node.put_token(USDT.contract or "")
            for holder in (hot, cold, other, somebody):
                await node.rpc("eth_sendTransaction", _mint(holder, sender=somebody))
        nodes = Nodes(first, second, clock)
        await nodes.mine()
        await nodes.catch_up()
        yield Around(
            nodes=nodes,
            one=await running.enter_async_context(switching_proxy(first.url, host=FIRST)),
            two=await running.enter_async_context(switching_proxy(second.url, host=SECOND)),
            http=await running.enter_async_context(Http(Clock(), per_second=dict.fromkeys((FIRST, SECOND), 10_000.0))),
            hot=hot,
            cold=cold,
            other=other,
            somebody=somebody,
        )


@asynccontextmanager
async def watched(around: Around, ledger: EvmChain | None = None) -> AsyncIterator[Watching]:
    """The probes have begun, and in the end nothing that was told is untrue."""
    watching = Watching(around, ledger or around.ledger())
    await watching.look()
    assert watching.refused == []
    yield watching
    await watching.assert_totals_are_true(around)


class TestPayments:
    async def test_are_counted_with_their_amount(self, around: Around) -> None:
        async with watched(around) as watching:
            before = await around.holds(ETH)
            await around.nodes.mine(
                Pay(sender=around.hot, to=STRANGER, coins=5),
                Pay(sender=around.hot, to=BINANCE, coins=2),
                Pay(sender=around.cold, to=around.hot, coins=100),
                Pay(sender=around.somebody, to=around.hot, coins=3),
            )
            await watching.look()

        (told,) = watching.sent
        fees = before + 3 - 7 - await around.holds(ETH)
        assert fees > 0
        assert (told.outgoing, told.amount) == (3, 7 + fees)
        assert (told.window_seconds, told.coverage) == (RULES.block_seconds, 1.0)

    async def test_of_tokens_alone_cost_their_fee(self, around: Around) -> None:
        async with watched(around) as watching:
            before = await around.holds(ETH)
            await around.nodes.mine(Pay(sender=around.hot, to=STRANGER, coins=5, token=USDT))
            await watching.look()

        (told,) = watching.sent
        assert (told.outgoing, told.amount) == (1, before - await around.holds(ETH))

    async def test_have_no_amount_where_blocks_are_not_read(self, around: Around) -> None:
        async with watched(around, around.ledger(whole_blocks=False)) as watching:
            await around.nodes.mine(Pay(sender=around.hot, to=STRANGER, coins=5))
            await watching.look()

        assert [(told.outgoing, told.amount) for told in watching.sent] == [(1, None)]


class TestFlows:
    async def test_e12_are_of_the_wallets_as_one(self, around: Around) -> None:
        async with watched(around) as watching:
            await around.nodes.mine(
                Pay(sender=around.cold, to=around.hot, coins=4000),
                Pay(sender=around.cold, to=around.hot, coins=500_000, token=USDT),
            )
            await watching.look()

        coin, token = watching.newest(ETH), watching.newest(USDT)
        assert (coin.internal, token.internal) == (Decimal(4000), Decimal(500_000))
        assert coin.inflow == token.inflow == token.outflow == 0
        assert 0 < coin.outflow < Decimal("0.01")  # the fees
        assert coin.outflow_count == coin.unlabelled_outflow == token.unlabelled_outflow == 0
        assert watching.doubts == []

    async def test_e12_name_what_went_where_nobody_is_known(self, around: Around) -> None:
        async with watched(around) as watching:
            await around.nodes.mine(
                Pay(sender=around.hot, to=STRANGER, coins=30),
                Pay(sender=around.hot, to=BINANCE, coins=5),
                Pay(sender=around.cold, to=STRANGER, coins=7_000, token=USDT),
                Pay(sender=around.hot, to=BINANCE, coins=1_000, token=USDT),
                Pay(sender=around.somebody, to=around.other, coins=9_000, token=USDT),
            )
            await watching.look()

        coin, token = watching.newest(ETH), watching.newest(USDT)
        assert (coin.unlabelled_outflow, coin.outflow_count, coin.outflow_max) == (Decimal(30), 2, Decimal(30))
        assert (token.outflow, token.unlabelled_outflow) == (Decimal(8_000), Decimal(7_000))
        assert token.cold_outflow == 7_000
        assert (token.inflow, token.inflow_count) == (Decimal(9_000), 1)
        await watching.assert_adds_up(around)

    @pytest.mark.parametrize("depth", range(1, 7))
    async def test_e4_of_a_branch_that_loses_are_taken_back(self, around: Around, depth: int) -> None:
        async with watched(around) as watching:
            for coins in (1, 2, 4, 8, 16, 32, 64):
                await around.nodes.mine(
                    Pay(sender=around.hot, to=STRANGER, coins=coins),
                    Pay(sender=around.cold, to=STRANGER, coins=coins * 100, token=USDT),
                )
                await watching.look()
            await watching.assert_adds_up(around)
            last_standing = watching.told[ETH][-depth - 1]
            watching.totals.clear()

            await around.nodes.reorganize(depth)
            await watching.look()

            (reorg,) = watching.reorgs
            assert reorg.from_height == (last_standing.to_height or 0) + 1
            assert watching.newest(ETH) == last_standing
            await watching.assert_adds_up(around)

            await around.nodes.mine(Pay(sender=around.hot, to=STRANGER, coins=1000))
            await watching.look()
            assert 1000 < watching.newest(ETH).outflow < Decimal("1000.01")
            assert watching.newest(ETH).from_height == reorg.from_height
            await watching.assert_adds_up(around)
        assert watching.refused == []

    @pytest.mark.parametrize("depth", [1, 3])
    async def test_e4_of_a_branch_that_lost_while_nobody_looked_are_taken_back(
        self, around: Around, depth: int
    ) -> None:
        async with watched(around) as watching:
            for coins in (1, 2, 4):
                await around.nodes.mine(Pay(sender=around.hot, to=STRANGER, coins=coins))
            await watching.look()
            told = watching.newest(ETH)
            watching.totals.clear()

            await around.nodes.reorganize(depth)
            await around.nodes.mine(Pay(sender=around.hot, to=STRANGER, coins=8))
            watching.flows = _flows_probe(around, around.ledger(), last=told)
            await watching.look()
            await watching.look()

            assert [reorg.from_height for reorg in watching.reorgs] == [told.from_height]
            assert watching.newest(ETH).from_height == told.from_height
            await watching.assert_adds_up(around)

    async def test_go_on_after_a_restart(self, around: Around) -> None:
        watching = Watching(around, around.ledger(), depth=RULES.flow_depth)
        for coins in (1, 2, 4, 8):
            await around.nodes.mine(Pay(sender=around.hot, to=STRANGER, coins=coins))
            await watching.look()
        await around.nodes.mine(Pay(sender=around.hot, to=STRANGER, coins=16))
        watching.flows = _flows_probe(around, around.ledger(), depth=RULES.flow_depth, last=watching.newest(USDT))
        for _ in range(3):
            await watching.look()
            await around.nodes.mine()
        await watching.assert_adds_up(around)
        assert int(sum(flow.outflow for flow in watching.told[ETH])) == 1 + 2 + 4 + 8 + 16

    async def test_go_on_after_an_outage_longer_than_blocks_are_read_back(self, around: Around) -> None:
        """What happened meanwhile is not known, and the heights tell so."""
        async with watched(around) as watching:
            await around.nodes.mine(Pay(sender=around.hot, to=STRANGER, coins=1))
            await watching.look()
            for node in (around.nodes.first, around.nodes.second):
                await node.mine(320)
            await around.nodes.mine()
            await watching.look()
            await around.nodes.mine(Pay(sender=around.hot, to=STRANGER, coins=2))
            await watching.look()

        assert [error.reason for error in watching.refused] == [FailureReason.LAG]
        before, after = watching.told[ETH]
        assert after.from_height == await around.nodes.first.height()
        assert (int(before.outflow), int(after.outflow)) == (1, 2)

    async def test_below_the_head_see_nothing_of_a_shallow_reorg(self, around: Around) -> None:
        watching = Watching(around, around.ledger(), depth=RULES.flow_depth)
        for _ in range(3):
            await around.nodes.mine()
        await watching.look()
        await around.nodes.mine(Pay(sender=around.hot, to=STRANGER, coins=5))
        await watching.look()
        await around.nodes.reorganize(1)
        for _ in range(3):
            await around.nodes.mine()
            await watching.look()
        assert watching.reorgs == []
        assert watching.told == {ETH: [], USDT: []}


class TestE1BehindAndBack:
    @pytest.fixture
    async def behind(self, around: Around) -> Around:
        """The second node has not heard of a deposit that the first one has: there, the wallets hold less."""
        around.nodes.is_second_in_step = False
        return around

    async def deposits(self, around: Around, watching: Watching) -> None:
        for _ in range(2):
            await around.nodes.mine(
                Pay(sender=around.somebody, to=around.cold, coins=4_000),
                Pay(sender=around.somebody, to=around.cold, coins=200_000, token=USDT),
                Pay(sender=around.hot, to=STRANGER, coins=1),
            )
            await watching.look()

    async def test_e1_a_node_that_went_back_is_not_read(self, behind: Around) -> None:
        around = behind
        async with watched(around, around.ledger(around.one)) as watching:
            await self.deposits(around, watching)
            height = await around.nodes.first.height()
            told = len(watching.totals)
            around.one.node = around.nodes.second.url

            await watching.look()

            assert [error.reason for error in watching.refused] == [FailureReason.LAG] * 3
            assert f"height went back from {height} to {height - 2}" in watching.refused[0].detail
            assert len(watching.totals) == told
            around.one.node = around.nodes.first.url
            await around.nodes.mine()
            await watching.look()
            assert len(watching.refused) == 3
            await watching.assert_adds_up(around)
        assert sum(activity.outgoing for activity in watching.sent) == 2

    async def test_e1_the_other_endpoint_tells_instead(self, behind: Around) -> None:
        around = behind
        async with watched(around, around.ledger(around.one, around.two)) as watching:
            await self.deposits(around, watching)
            around.one.node, around.two.node = around.nodes.second.url, around.nodes.first.url
            await around.nodes.mine(Pay(sender=around.hot, to=STRANGER, coins=1))

            with capture_logs() as logged:
                await watching.look()

            assert watching.refused == []
            assert [(line["event"], line["host"], line["reason"]) for line in logged] == [
                ("endpoint_failing", FIRST, FailureReason.LAG)
            ]
            await watching.assert_adds_up(around)
        assert sum(activity.outgoing for activity in watching.sent) == 3

    async def test_e1_nodes_behind_one_address_never_tell_less_than_there_is(self, behind: Around) -> None:
        """Each question goes to the one that is behind or to the other, in turn."""
        around = behind
        async with watched(around, around.ledger(around.one)) as watching:
            await self.deposits(around, watching)
            turns = cycle([around.nodes.first.url, around.nodes.second.url, around.nodes.first.url])
            around.one.choose = lambda _: next(turns)
            for _ in range(6):
                await around.nodes.mine(Pay(sender=around.hot, to=STRANGER, coins=1))
                await watching.look()

            assert {error.reason for error in watching.refused} <= {FailureReason.LAG, FailureReason.SCHEMA}
            around.one.choose = lambda _: around.nodes.first.url
            await around.nodes.mine()
            await watching.look()
            await watching.assert_adds_up(around)
        assert watching.reorgs == []
        assert sum(activity.outgoing for activity in watching.sent) == 8


SYNCING = {"startingBlock": "0x0", "currentBlock": "0x10", "highestBlock": "0x2000"}


class TestE2Syncing:
    async def test_e2_an_endpoint_that_syncs_tells_nothing(self, around: Around) -> None:
        async with watched(around, around.ledger(around.one)) as watching:
            told = len(watching.totals)
            around.one.rewrite = lambda call, result: SYNCING if call["method"] == "eth_syncing" else result
            await around.nodes.mine(Pay(sender=around.hot, to=STRANGER, coins=900))
            await watching.look()
            assert {error.reason for error in watching.refused} == {FailureReason.LAG}
            assert "is syncing, at block 16 of 8192" in watching.refused[0].detail
            assert (len(watching.totals), watching.sent) == (told, [])

    async def test_e2_an_old_state_is_no_state(self, around: Around) -> None:
        async with watched(around, around.ledger(around.one)) as watching:
            around.nodes.clock.hand += RULES.stale_seconds + 1
            await watching.look()
            assert {error.reason for error in watching.refused} == {FailureReason.LAG}
            assert "s old" in watching.refused[0].detail


def penniless(address: str) -> Rewrite:
    """The lie: this wallet holds nothing, neither coins nor tokens."""

    def rewrite(call: Message, result: object) -> object:
        match call:
            case {"method": "eth_getBalance", "params": [str(asked), _]} if asked.lower() == address:
                return "0x0"
            case {"method": "eth_call", "params": [{"to": USDT.contract, "data": str(data)}, _]} if address[2:] in data:
                return f"0x{0:064x}"
        return result

    return rewrite


class TestE3Lying:
    async def test_e3_a_wallet_that_one_endpoint_calls_empty_is_not_read(self, around: Around) -> None:
        async with watched(around) as watching:
            told = len(watching.totals)
            around.one.rewrite = penniless(around.cold)
            await around.nodes.mine()
            await watching.look()

            assert len(watching.totals) == told
            assert [(doubt.asset, doubt.reason) for doubt in watching.doubts] == [
                ("ETH", FailureReason.DISAGREEMENT),
                ("USDT", FailureReason.DISAGREEMENT),
            ]
            height = await around.nodes.first.height()
            assert watching.doubts[0].detail == (
                f"{FIRST} and {SECOND} tell 1 of 1 balances differently at block {height}"
            )
            assert watching.told == {ETH: [], USDT: []}
            around.one.rewrite = lambda _, result: result
            await watching.look()
            assert len(watching.totals) == told + 2

    async def test_e3_a_true_drop_that_both_endpoints_tell_is_read(self, around: Around) -> None:
        async with watched(around) as watching:
            await around.nodes.mine(Pay(sender=around.cold, to=STRANGER, coins=9_000))
            await watching.look()
        assert watching.doubts == []
        assert watching.totals[-2].amount == await around.holds(ETH)

    async def test_e3_a_true_drop_waits_for_a_witness_that_is_behind(self, around: Around) -> None:
        async with watched(around) as watching:
            told = len(watching.totals)
            around.nodes.is_second_in_step = False
            await around.nodes.mine(Pay(sender=around.cold, to=STRANGER, coins=9_000))
            await watching.look()
            assert [doubt.asset for doubt in watching.doubts] == ["ETH"]
            assert [balance.asset for balance in watching.totals[told:]] == ["USDT"]

            await around.nodes.catch_up()
            await watching.look()
            assert watching.totals[-2].amount == await around.holds(ETH)


class TestE14StandingStill:
    async def test_e14_is_a_state_of_the_chain_and_no_silence_of_wallets(self, around: Around) -> None:
        clock = around.nodes.clock
        async with watched(around, ledger := around.ledger()) as watching:
            state = ChainStateProbe(
                ledger, clock, name="ethereum-chain", interval=60.0, stalls_after=RULES.stalls_after_seconds
            )
            assert [told.state for told in states(await state.observe())] == ["moving"]
            told = len(watching.totals)

            clock.hand += RULES.stale_seconds
            await watching.look()
            assert (watching.sent, watching.refused) == ([], [])
            assert await state.observe() == ()
            clock.hand += RULES.stalls_after_seconds
            await watching.look()

            assert [(s.state, s.height) for s in states(await state.observe())] == [
                ("stalled", await around.nodes.first.height())
            ]
            assert [error.reason for error in watching.refused] == [FailureReason.LAG] * 3
            assert watching.sent == []
            assert {balance.height for balance in watching.totals[told:]} == {await around.nodes.first.height()}
            await around.nodes.mine(Pay(sender=around.hot, to=STRANGER, coins=1))
            await watching.look()
            assert [told.state for told in states(await state.observe())] == ["moving"]
            assert len(watching.refused) == 3
        assert [activity.outgoing for activity in watching.sent] == [1]

    async def test_e14_is_not_told_by_one_endpoint_of_two(self, around: Around) -> None:
        around.two.is_up = False
        around.nodes.clock.hand += RULES.stalls_after_seconds + 1
        state = ChainStateProbe(
            around.ledger(),
            around.nodes.clock,
            name="ethereum-chain",
            interval=60.0,
            stalls_after=RULES.stalls_after_seconds,
        )
        with pytest.raises(RemoteError, match="one endpoint answers"):
            await state.observe()


class TestFailover:
    async def test_is_one_line_in_the_log_for_each_outage(self, around: Around) -> None:
        async with watched(around) as watching:
            around.one.is_up = False
            with capture_logs() as logged:
                for coins in (1, 2, 4):
                    await around.nodes.mine(Pay(sender=around.hot, to=STRANGER, coins=coins))
                    await watching.look()
            assert events(logged) == [("endpoint_failing", FIRST)]
            assert watching.refused == []
            await watching.assert_adds_up(around)

            around.two.is_up = False
            with capture_logs() as logged:
                for coins in (8, 16, 32):
                    await around.nodes.mine(Pay(sender=around.hot, to=STRANGER, coins=coins))
                    await watching.look()
            assert events(logged) == [("endpoint_failing", SECOND)]
            assert [error.reason for error in watching.refused] == [FailureReason.HTTP_5XX] * 9

            around.one.is_up = around.two.is_up = True
            with capture_logs() as logged:
                for _ in range(3):
                    await around.nodes.mine()
                    await watching.look()
            assert events(logged)[:1] == [("endpoint_recovered", SECOND)]
            assert len(watching.refused) == 9
            await watching.assert_adds_up(around)
        assert sum(activity.outgoing for activity in watching.sent) == 6
        assert sum(activity.window_seconds for activity in watching.sent) == 9 * RULES.block_seconds
        assert watching.doubts == []


def states(reading: Reading) -> list[ChainState]:
    return [seen for seen in reading if type(seen) is ChainState]


def events(logged: Sequence[Mapping[str, object]]) -> list[tuple[object, object]]:
    return [(line["event"], line["host"]) for line in logged]
