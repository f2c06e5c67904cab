"""Payments, flows and reserves of the bitcoin family on a real node and a real Electrum server, at every height."""

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from msgspec import Struct
from msgspec.structs import replace
from structlog.testing import capture_logs

from monitor.chains.bitcoin import BitcoinChain
from monitor.chains.bitcoin_core import BitcoinCore
from monitor.chains.electrum import Electrum
from monitor.chains.electrum_door import Door, Server
from monitor.chains.electrum_wire import Wire
from monitor.chains.utxo import Utxo
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
from monitor.probes.activity import ActivityProbe
from monitor.probes.chain_state import ChainStateProbe
from monitor.probes.flows import FlowsProbe
from monitor.probes.reserves import ReservesProbe
from monitor.reserves.roles import Wallets
from tests.electrum_relay import Answers, ElectrumRelay, Spoken, refusing, relay, relay_to, truly
from tests.electrum_server import ElectrumServer, electrum_server
from tests.hand_clock import HandClock
from tests.litecoin import GENESIS, MATURITY, PASSWORD, REGTEST, USER, Litecoin, litecoin
from tests.relay import Message
from tests.switching_proxy import SwitchingProxy
from tests.wallets import known

CORE_HOST = "127.0.0.2"
OTHER_HOST = "127.0.0.3"
PACE_SECONDS = 150
FEE = Decimal("0.001")
REWARD = Decimal(50)  # of a block
MATURE = 30  # blocks of the beginning whose coins can be spent
REACH = 24  # blocks, an hour
ORDERS = ["core first", "electrum first"]


class Coins(Struct, frozen=True):
    """An unspent output."""

    transaction: str
    place: int
    amount: Decimal


class _Mined(msgspec.Struct):
    tx: list[str]


class Chain:
    """A node whose blocks come every 150 s on the hand of `clock`, and whose coins are spent exactly as a test says."""

    def __init__(self, node: Litecoin, server: ElectrumServer, clock: HandClock) -> None:
        self.node = node
        self.clock = clock
        self._server = server
        self._unspent: dict[str, list[Coins]] = {}
        self._rewards = iter(range(1, MATURE + 1))

    async def mine(self, blocks: int = 1, *, to: str | None = None, empty: bool = False) -> None:
        """With what waits, or `empty`; returns when both endpoints have them."""
        address = await self.node.address() if to is None else to
        for _ in range(blocks):
            self.clock.hand += PACE_SECONDS
            await self.node.rpc("setmocktime", int(self.clock.now().timestamp()))
            if empty:
                await self.node.rpc("generateblock", address, [])
            else:
                await self.node.mine(to=address)
        await self._server.follow()

    async def reorganize(self, depth: int, *, to: str) -> None:
        """Replace the newest `depth` blocks by as many and one more, all empty and mined to another address."""
        await self.node.take_back(await self.node.height() - depth + 1)
        await self.mine(depth + 1, to=to, empty=True)

    async def deposit(self, address: str, amount: Decimal) -> None:
        """Coins that somebody mined come to `address`."""
        digest = await self.node.hash(next(self._rewards))
        (reward,) = msgspec.convert(await self.node.rpc("getblock", digest), _Mined).tx
        rest = REWARD - amount - FEE
        outputs = {address: amount} | ({await self.node.address(): rest} if rest else {})
        await self._spend([(reward, 0)], outputs, kept=[address])

    async def pay(self, sender: str, to: Mapping[str, Decimal], *, change: str = "") -> None:
        """One transaction of all coins of `sender`; what is left goes to `change`, or back."""
        spent = self._unspent.pop(sender)
        rest = sum(coins.amount for coins in spent) - sum(to.values()) - FEE
        back = change or sender
        assert rest > 0
        await self._spend([(coins.transaction, coins.place) for coins in spent], {**to, back: rest}, kept=[*to, back])

    def has(self, address: str) -> Decimal:
        return sum((coins.amount for coins in self._unspent.get(address, ())), Decimal(0))

    async def _spend(
        self, sources: list[tuple[str, int]], outputs: Mapping[str, Decimal], *, kept: Sequence[str]
    ) -> None:
        transaction = await self.node.spend(sources, outputs)
        for address in kept:
            place = await self.node.output_to(transaction, address)
            self._unspent.setdefault(address, []).append(Coins(transaction, place, outputs[address]))


class Watching:
    """Three probes over one ledger, and what they told: flows are taken back as the engine takes them back."""

    def __init__(self, ledger: BitcoinChain, clock: Clock, wallets: Wallets, *, labelled: str, depth: int) -> None:
        self.activity = ActivityProbe(
            ledger,
            clock,
            exchange="kraken",
            name="kraken-litecoin-wallets",
            interval=60.0,
            wallets=wallets,
            reach=REACH,
            since=None,
        )
        self.flows = FlowsProbe(
            ledger,
            clock,
            exchange="kraken",
            name="kraken-litecoin-flows",
            interval=60.0,
            wallets=wallets,
            tokens=[ledger.coin],
            labelled=[labelled],
            depth=depth,
            reach=REACH,
            last=None,
        )
        self.reserves = ReservesProbe(
            ledger,
            clock,
            exchange="kraken",
            name="kraken-litecoin-reserves",
            wallets=wallets,
            tokens=[ledger.coin],
        )
        self.told: list[Flow] = []
        self.reorgs: list[Reorg] = []
        self.totals: dict[int, Decimal] = {}  # by height
        self.sent = 0
        self.seconds = 0.0  # of all windows of payments

    async def look(self) -> None:
        """All three, as in the daemon's rounds."""
        for activity in activities(await self.activity.observe()):
            self.sent += activity.outgoing
            self.seconds += activity.window_seconds
        self.hear(await self.flows.observe())
        await self.look_at_balances()

    async def look_at_balances(self) -> None:
        for balance in totals(await self.reserves.observe()):
            self.totals[balance.height] = balance.amount

    def hear(self, reading: Reading) -> None:
        for seen in reading:
            match seen:
                case Reorg():
                    self.reorgs.append(seen)
                    self.told = [flow for flow in self.told if (flow.to_height or 0) < seen.from_height]
                case Flow():
                    self.told.append(seen)
                case _:
                    pytest.fail(f"no flow: {seen}")

    def assert_adds_up(self) -> int:
        """At every height at which a window ends; answers at how many."""
        assert [flow.from_height for flow in self.told[1:]] == [(flow.to_height or 0) + 1 for flow in self.told[:-1]]
        begin = (self.told[0].from_height or 0) - 1
        net, compared = Decimal(0), 0
        for flow in self.told:
            net += flow.inflow - flow.outflow
            if flow.to_height in self.totals and begin in self.totals:
                assert self.totals[flow.to_height] - self.totals[begin] == net, f"at height {flow.to_height}"
                compared += 1
        return compared


class Around(Struct):
    """Two own wallets and a spare one for change, an exchange somebody knows, and strangers."""

    chain: Chain
    http: Http
    ledger: BitcoinChain
    indexed: Electrum
    door: SwitchingProxy  # to the node
    electrum: ElectrumRelay  # to the Electrum server
    hot: str
    cold: str
    spare: str
    binance: str
    strangers: list[str]

    @property
    def wallets(self) -> Wallets:
        return known([self.hot, self.cold, self.spare], hot=[self.hot], cold=[self.cold])

    def watching(self, *, depth: int = 0) -> Watching:
        return Watching(self.ledger, self.chain.clock, self.wallets, labelled=self.binance, depth=depth)


@pytest.fixture
async def node() -> AsyncIterator[Litecoin]:
    async with litecoin(host=CORE_HOST, mined=MATURITY + MATURE) as running:
        yield running


@pytest.fixture(params=ORDERS)
async def around(request: pytest.FixtureRequest, node: Litecoin) -> AsyncIterator[Around]:
    async with built(node, is_core_first=request.param == ORDERS[0]) as running:
        yield running


@pytest.fixture
async def core_first(node: Litecoin) -> AsyncIterator[Around]:
    async with built(node, is_core_first=True) as running:
        yield running


@pytest.fixture
async def electrum_first(node: Litecoin) -> AsyncIterator[Around]:
    async with built(node, is_core_first=False) as running:
        yield running


@asynccontextmanager
async def built(node: Litecoin, *, is_core_first: bool) -> AsyncIterator[Around]:
    """A node, the Electrum server on it, and a ledger that reads both of them."""
    newest = await node.time(await node.height())
    clock = HandClock(datetime.fromtimestamp(newest, UTC))
    async with (
        electrum_server(node) as server,
        relay(relay_to(server.port)) as between,
        door_to(node) as door,
        Http(Clock(), per_second={CORE_HOST: 10_000.0, OTHER_HOST: 10_000.0}) as http,
        Wire(Door(http.names, Server(url=between.server().url, allow_private=True)), Clock()) as wire,
    ):
        core = BitcoinCore(http, replace(node.endpoint, url=door.endpoint.url), encoding=REGTEST)
        indexed = Electrum(wire, encoding=REGTEST)
        kinds = ("bech32", "p2sh-segwit", "legacy")
        hot, cold, spare = [await node.address(kind) for kind in kinds]
        binance, *strangers = [await node.address() for _ in range(5)]
        ledger = ledger_of(core, indexed, clock=clock) if is_core_first else ledger_of(indexed, core, clock=clock)
        ledger.watch([hot, cold, spare])
        yield Around(
            chain=Chain(node, server, clock),
            http=http,
            ledger=ledger,
            indexed=indexed,
            door=door,
            electrum=between,
            hot=hot,
            cold=cold,
            spare=spare,
            binance=binance,
            strangers=strangers,
        )


def ledger_of(*endpoints: Utxo, clock: Clock) -> BitcoinChain:
    return BitcoinChain(clock, network="litecoin", endpoints=endpoints, genesis=GENESIS)


@asynccontextmanager
async def door_to(node: Litecoin) -> AsyncIterator[SwitchingProxy]:
    headers = {"Authorization": aiohttp.encode_basic_auth(USER, PASSWORD)}
    async with aiohttp.ClientSession(headers=headers) as session:
        door = SwitchingProxy(session, node.url)
        application = web.Application(client_max_size=2**24)
        application.router.add_post("/", door.handle)
        async with TestServer(application, host=CORE_HOST) as server:
            door.endpoint = replace(door.endpoint, url=str(server.make_url("/")))
            yield door


def activities(reading: Reading) -> list[WalletActivity]:
    return [seen for seen in reading if type(seen) is WalletActivity]


def totals(reading: Reading) -> list[ReserveBalance]:
    return [seen for seen in reading if type(seen) is ReserveBalance and seen.role is None]


def flow(reading: Reading) -> Flow:
    match reading:
        case (Flow() as found,):
            return found
    pytest.fail(f"expected a flow, got {reading}")


def refused(answer: Message) -> Message:
    return {**answer, "result": None, "error": {"code": -28, "message": "busy"}}


def empty_wallets(answers: Answers) -> Spoken:
    """An Electrum server that knows no coins."""
    return truly(
        [
            {**answer, "result": {"confirmed": 0, "unconfirmed": 0}} if "confirmed" in str(answer) else answer
            for answer in answers
        ]
    )


async def test_payments_a_batch_and_an_own_move_are_told(around: Around) -> None:
    chain, (one, two, three, *_) = around.chain, around.strangers
    await chain.deposit(around.hot, Decimal(40))
    await chain.deposit(around.cold, Decimal(30))
    await chain.mine()
    watching = around.watching()
    await watching.look()

    await chain.pay(around.hot, {one: Decimal(5)})
    await chain.pay(around.hot, {one: Decimal(1), two: Decimal(2), around.binance: Decimal(3)}, change=around.spare)
    await chain.pay(around.cold, {around.hot: Decimal(20)})
    await chain.deposit(around.hot, Decimal(7))
    await chain.mine()

    (activity,) = activities(await watching.activity.observe())
    assert (activity.outgoing, activity.amount, activity.coverage) == (3, Decimal(11) + 3 * FEE, 1.0)
    assert activity.window_seconds == PACE_SECONDS
    assert activity.last_at == chain.clock.now()
    told = flow(await watching.flows.observe())
    assert (told.inflow, told.inflow_count) == (Decimal(7), 1)
    assert (told.outflow, told.outflow_count) == (Decimal(11) + 3 * FEE, 4)
    assert (told.outflow_max, told.outflow_sum_of_squares) == (Decimal(5), Decimal(25 + 1 + 4 + 9))
    assert told.internal == 20 + (Decimal(40) - 5 - 6 - 2 * FEE)
    assert told.cold_outflow == FEE
    assert told.unlabelled_outflow == Decimal(8)
    assert three not in around.wallets.addresses
    reading = await watching.reserves.observe()
    parts = {seen.role: seen.amount for seen in reading if type(seen) is ReserveBalance}
    assert parts == {
        None: Decimal(66) - 3 * FEE,
        "hot": Decimal(27),
        "cold": Decimal(10) - FEE,
    }


@pytest.mark.parametrize("depth", [0, 1])
async def test_flows_are_what_the_balance_changed_by_at_every_height(around: Around, depth: int) -> None:
    chain, chance = around.chain, random.Random(depth)
    own = [around.hot, around.cold, around.spare]
    for address in own:
        await chain.deposit(address, Decimal(45))
    await chain.mine()
    watching = around.watching(depth=depth)
    await watching.look_at_balances()
    await chain.mine(depth)
    await watching.look()
    for _ in range(10):
        for sender in own:
            if chance.random() < 0.6 and chain.has(sender) > 4:
                to = chance.sample([*own, *around.strangers], chance.randint(1, 3))
                paid = {address: Decimal(chance.randint(1, 100)).scaleb(-2) for address in to if address != sender}
                change = chance.choice(own)
                await chain.pay(sender, paid, change=sender if change in paid else change)
        if chance.random() < 0.3:
            await chain.deposit(chance.choice(own), Decimal(chance.randint(1, 49)))
        await chain.mine(to=chance.choice([*own, *around.strangers]))
        await watching.look()

    assert watching.assert_adds_up() >= 5
    assert watching.reorgs == []


@pytest.mark.parametrize("replaced", [1, 3])
async def test_e4_a_branch_that_loses_takes_its_flows_with_it(around: Around, replaced: int) -> None:
    chain, (one, two, *_) = around.chain, around.strangers
    await chain.deposit(around.hot, Decimal(40))
    await chain.mine()
    watching = around.watching()
    await watching.look()
    begun = chain.clock.now()
    for ltc in (1, 2, 4, 8):
        await chain.pay(around.hot, {one: Decimal(ltc)})
        await chain.mine(to=around.cold)
        await watching.look()
    assert watching.assert_adds_up() == 4
    gone = watching.told[-replaced]

    await chain.reorganize(replaced, to=two)
    await watching.look()

    (reorg,) = watching.reorgs
    assert (reorg.from_height, reorg.old_hash) == (gone.from_height, gone.block_hash)
    assert reorg.new_hash == await chain.node.hash(reorg.from_height)
    assert sum(each.outflow - FEE for each in watching.told if each.outflow) == {1: 7, 3: 1}[replaced]
    watching.assert_adds_up()

    await chain.mine(to=two)  # with the payments that wait again
    await watching.look()
    assert sum(each.outflow for each in watching.told) == 15 + 4 * FEE
    assert watching.assert_adds_up() >= 2
    assert watching.sent == 4
    assert watching.seconds == (chain.clock.now() - begun).total_seconds()
    assert len(watching.reorgs) == 1


async def test_a_node_that_stops_and_comes_back_loses_nothing(core_first: Around) -> None:
    """With the Electrum server out of reach too, so that nobody can be asked."""
    around, chain = core_first, core_first.chain
    await chain.deposit(around.hot, Decimal(40))
    await chain.mine()
    watching = around.watching()
    await watching.look()

    around.door.is_up = False
    around.electrum.spoilt = ""
    around.electrum.spoil = lambda _: Spoken(b"", hangs_up=True)
    around.electrum.hang_up()
    with capture_logs() as logged:
        for ltc in ("0.25", "0.5", "1"):
            await chain.pay(around.hot, {around.strangers[0]: Decimal(ltc)})
            await chain.mine()
            for probe in (watching.activity, watching.flows, watching.reserves):
                with pytest.raises(RemoteError) as caught:
                    await probe.observe()
                assert caught.value.reason is FailureReason.HTTP_5XX
    assert [(line["event"], line["host"]) for line in logged] == [
        ("endpoint_failing", CORE_HOST),
        ("endpoint_failing", "127.0.0.1"),
    ]

    around.door.is_up = True
    with capture_logs() as logged:
        await watching.look()
    assert [(line["event"], line["host"]) for line in logged] == [("endpoint_recovered", CORE_HOST)]
    assert (watching.sent, watching.told[0].outflow) == (3, Decimal("1.75") + 3 * FEE)
    assert watching.assert_adds_up() == 1


async def test_a_node_that_ended_leaves_another_to_tell(core_first: Around) -> None:
    chain = core_first.chain
    async with litecoin(host=OTHER_HOST, mined=0) as other:
        await other.rpc("setmocktime", int(chain.clock.now().timestamp()))
        await other.follow(chain.node)
        nodes = [BitcoinCore(core_first.http, each.endpoint, encoding=REGTEST) for each in (chain.node, other)]
        around = replace(core_first, ledger=ledger_of(*nodes, clock=chain.clock))
        await chain.deposit(around.hot, Decimal(40))
        await chain.mine()
        watching = around.watching()
        await watching.look()
        await chain.pay(around.hot, {around.strangers[0]: Decimal(1)})
        await chain.mine()
        await other.follow(chain.node)
        await chain.node.stop()

        with capture_logs() as logged:
            await watching.look()

    assert [(line["event"], line["host"]) for line in logged] == [("endpoint_failing", CORE_HOST)]
    assert (watching.sent, watching.told[0].outflow) == (1, 1 + FEE)
    assert watching.assert_adds_up() == 1


async def test_e4_a_reorg_is_told_after_an_outage_that_came_with_it(core_first: Around) -> None:
    """The blocks' hashes can be asked for, and the blocks themselves cannot."""
    around, chain = core_first, core_first.chain
    await chain.deposit(around.hot, Decimal(40))
    await chain.mine()
    watching = around.watching()
    await watching.look()
    await chain.pay(around.hot, {around.strangers[0]: Decimal(1)})
    await chain.mine()
    await watching.look()
    await chain.reorganize(1, to=around.strangers[1])
    around.door.spoil = lambda call, answer: refused(answer) if call["method"] == "getblock" else answer
    around.electrum.spoil = refusing(-32600, "busy")
    with pytest.raises(RemoteError):
        await watching.flows.observe()

    around.door.spoil = lambda _, answer: answer
    around.electrum.spoil = truly
    await watching.look()

    assert len(watching.reorgs) == 1
    assert watching.told == []
    await chain.mine()
    await watching.look()
    assert [each.outflow for each in watching.told] == [1 + FEE]


async def test_a_drop_is_told_when_core_and_electrum_agree(around: Around) -> None:
    chain = around.chain
    await chain.deposit(around.hot, Decimal(40))
    await chain.mine()
    watching = around.watching()
    await watching.look()
    await chain.pay(around.hot, {around.strangers[0]: Decimal(30)})
    await chain.mine()

    (told,) = totals(await watching.reserves.observe())

    assert told.amount == 10 - FEE


async def test_e3_an_electrum_server_that_knows_no_coins_is_no_outflow(electrum_first: Around) -> None:
    around, chain = electrum_first, electrum_first.chain
    await chain.deposit(around.hot, Decimal(40))
    await chain.mine()
    watching = around.watching()
    await watching.look()
    around.electrum.spoil = empty_wallets
    await chain.mine()

    reading = await watching.reserves.observe()

    (doubt,) = reading
    assert type(doubt) is ProbeFailure
    assert (doubt.reason, doubt.asset) == (FailureReason.DISAGREEMENT, "LTC")
    height = await chain.node.height()
    assert doubt.detail == f"127.0.0.1 and {CORE_HOST} tell 1 of 1 balances differently at block {height}"
    assert await watching.flows.observe() == ()
    around.electrum.spoil = truly
    (told,) = totals(await watching.reserves.observe())
    assert told.amount == 40


async def test_after_an_outage_longer_than_blocks_are_read_back_all_go_on(core_first: Around) -> None:
    """Payments are told of the blocks that are read back, flows from now on: their heights tell the gap."""
    around, chain = core_first, core_first.chain
    await chain.deposit(around.hot, Decimal(40))
    await chain.mine()
    watching = around.watching()
    await watching.look()
    await chain.pay(around.hot, {around.strangers[0]: Decimal(1)})
    await chain.mine(5)
    await chain.pay(around.hot, {around.strangers[0]: Decimal(2)})
    await chain.mine(REACH)

    (activity,) = activities(await watching.activity.observe())
    assert (activity.outgoing, activity.amount) == (1, 2 + FEE)
    assert activity.window_seconds == REACH * PACE_SECONDS
    with pytest.raises(RemoteError, match=f"are more than the {REACH} that are read back"):
        await watching.flows.observe()
    await chain.pay(around.hot, {around.strangers[0]: Decimal(4)})
    await chain.mine()
    told = flow(await watching.flows.observe())
    assert (told.from_height, told.outflow) == (await chain.node.height(), 4 + FEE)


async def test_e14_a_chain_that_stands_is_told_as_such(core_first: Around) -> None:
    around, clock = core_first, core_first.chain.clock
    state = ChainStateProbe(around.ledger, clock, name="litecoin-chain", interval=60.0, stalls_after=3600.0)
    watching = around.watching()
    await watching.look()
    (moving,) = await state.observe()
    clock.hand += 3601

    (stalled,) = await state.observe()

    assert type(moving) is ChainState
    assert type(stalled) is ChainState
    assert (moving.state, stalled.state, stalled.height) == ("moving", "stalled", moving.height)
    for probe in (watching.activity, watching.flows, watching.reserves):
        with pytest.raises(RemoteError) as caught:
            await probe.observe()
        assert caught.value.reason is FailureReason.LAG
    await around.chain.mine()
    (moving,) = await state.observe()
    assert type(moving) is ChainState
    assert moving.state == "moving"
