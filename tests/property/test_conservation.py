"""Over any history of transfers, reorgs and outages, what is told to have moved is what the balances changed by.

Three exchanges' wallets on one chain, asked about at once and late, through one log of blocks; what cannot be told
exactly is refused or said not to be covered, and is never less.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from monitor.chains.blocks import BlockLog
from monitor.chains.evm_movements import EvmMovements
from monitor.chains.failover import Endpoints
from monitor.chains.jsonrpc import Node
from monitor.chains.ledger import Head, Movements, Token
from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, RemoteError
from monitor.reserves.flows import tally
from tests.anvil import ETHER, Anvil, anvil, calldata
from tests.scripted_chain import COIN, Deal, Deed, ScriptedChain

TOKEN = Token(asset="TOKEN", contract="0xa1", decimals=6)
KRAKEN, OKX, LATE = ("k1", "k2", "k cold"), ("o1", "o2"), ("l1", "l2")
OUTSIDERS = ("x1", "x2", "")
WATCHED = (*KRAKEN, *OKX)
SETS = (KRAKEN, OKX, LATE, WATCHED, (*WATCHED, *LATE))
KEPT, STRIDE = 24, 3
SOME_TRANSFERS = 10_000


class Mine(Struct, frozen=True):
    deals: tuple[Deal, ...]


class Reorg(Struct, frozen=True):
    depth: int
    instead: tuple[tuple[Deal, ...], ...]


class Ask(Struct, frozen=True):
    """About some sets at once, from so many blocks back to so many; something may happen before the nth answer."""

    sets: tuple[int, ...]
    back: int
    blocks: int
    fails_at: int | None
    reorg_at: int | None


Step = Mine | Reorg | Ask

EVERYBODY = (*WATCHED, *LATE, *OUTSIDERS)
PAYERS = (*WATCHED, *LATE, "x1", "x2")


@st.composite
def deeds(
    draw: st.DrawFn, *, payers: Sequence[str] = PAYERS, payees: Sequence[str] = EVERYBODY, fewest: int = 0
) -> Deed:
    """Sources that spend exactly the destinations and the fee; without any, coins are new and nobody pays a fee."""
    shares = st.tuples(st.sampled_from(payees), st.integers(0, 1_000))
    destinations = tuple(draw(st.lists(shares, max_size=3)))
    sources = draw(st.lists(st.sampled_from(payers), min_size=fewest, max_size=3))
    fee = draw(st.integers(0, 9)) if sources else 0
    left = sum(amount for _, amount in destinations) + fee
    spent: list[tuple[str, int]] = []
    for source in sources:
        part = left if len(spent) == len(sources) - 1 else draw(st.integers(0, left))
        spent.append((source, part))
        left -= part
    token = draw(st.sampled_from((COIN, TOKEN)))
    return Deed(sources=tuple(spent), destinations=destinations, fee=fee, token=token)


deals = st.lists(deeds(), min_size=1, max_size=3).map(tuple)
some_deals = st.lists(deals, max_size=3).map(tuple)
steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(Mine, some_deals),
    st.builds(Reorg, st.integers(1, 6), st.lists(some_deals, max_size=6).map(tuple)),
    st.builds(
        Ask,
        st.lists(st.integers(0, len(SETS) - 1), min_size=1, max_size=4).map(tuple),
        st.integers(0, 12),
        st.integers(0, 12),
        st.none() | st.integers(0, 6),
        st.none() | st.integers(0, 6),
    ),
)


def assert_exact(
    chain: ScriptedChain, told: Movements, own: Sequence[str], *, covered: Sequence[str], after: Head, upto: Head
) -> None:
    for token in (COIN, TOKEN):
        for address in covered:
            told_change = sum(move.changes.get(address, 0) for move in told.moves if move.token == token)
            assert told_change == chain.change(address, token, after=after, upto=upto)
    if len(covered) < len(own):
        return
    flows = {flow.token: flow for flow in tally(told.moves, own=own, cold=["k cold"], labelled=[])}
    for token in (COIN, TOKEN):
        change = sum(chain.change(address, token, after=after, upto=upto) for address in own)
        if token not in flows:
            assert change == 0
            continue
        flow = flows[token]
        assert flow.inflow - flow.outflow == change
        assert flow.internal >= 0
        assert 0 <= flow.cold_outflow <= flow.outflow
        assert 0 <= flow.unlabelled_outflow <= flow.outflow
        assert flow.outflow_max**2 <= flow.outflow_sum_of_squares
    assert all(address not in own and amount for move in told.moves for address, amount in move.payments)


class History:
    """A chain, one log of it, and the questions asked so far."""

    def __init__(self, *, kept_transfers: int = SOME_TRANSFERS) -> None:
        self.chain = ScriptedChain()
        self.log = BlockLog(self.chain, blocks=KEPT, stride=STRIDE, transfers=kept_transfers)
        self.log.watch(WATCHED)
        self.answers = 0

    async def run(self, history: Sequence[Step]) -> None:
        for step in history:
            match step:
                case Mine(deals=deals):
                    self.chain.mine(*deals)
                case Reorg(depth=depth, instead=instead):
                    self.chain.reorg(depth, *instead)
                case Ask():
                    self.chain.before = self._trouble(step)
                    upto = self.chain.at(max(0, self.chain.head.number - step.back))
                    after = self.chain.at(max(0, upto.number - step.blocks))
                    await asyncio.gather(*(self._ask(SETS[which], after=after, upto=upto) for which in step.sets))

    async def _ask(self, own: Sequence[str], *, after: Head, upto: Head) -> None:
        try:
            told = await self.log.movements(own, after=after, upto=upto)
        except RemoteError:
            return
        self.answers += 1
        missed = any(address in LATE for address in own) and told.coverage < 1
        covered = [address for address in own if not missed or address in WATCHED]
        assert told.coverage == 1 or missed
        assert_exact(self.chain, told, own, covered=covered, after=after, upto=upto)

    def _trouble(self, ask: Ask) -> Callable[[], Awaitable[None]]:
        questions = 0

        async def before() -> None:
            nonlocal questions
            questions += 1
            if ask.reorg_at is not None and questions == ask.reorg_at + 1:
                self.chain.reorg(2, [(Deed(sources=(("k1", 5),), destinations=(("x1", 5),)),)])
            if ask.fails_at is not None and questions > ask.fails_at:
                raise RemoteError(FailureReason.TIMEOUT, "no answer")

        return before


@given(st.lists(steps, max_size=30))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_moved_is_what_balances_changed_by(history: list[Step]) -> None:
    told = History()
    quiet = Ask(sets=(0, 1, 3), back=0, blocks=12, fails_at=None, reorg_at=None)

    async def until_all_is_quiet() -> None:
        await told.run(history)
        answers = told.answers
        await told.run([quiet])
        assert told.answers == answers + 3, "after all troubles everything can be read"

    asyncio.run(until_all_is_quiet())


@given(st.lists(steps, max_size=30), st.integers(0, 8))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_however_little_is_kept(history: list[Step], kept_transfers: int) -> None:
    asyncio.run(History(kept_transfers=kept_transfers).run(history))


@given(st.lists(some_deals, min_size=1, max_size=8), st.sets(st.sampled_from(KRAKEN)))
@settings(max_examples=40, deadline=None)
def test_an_unread_wallet_is_told_to_be_missing(blocks: list[tuple[Deal, ...]], unread: set[str]) -> None:
    """Then the set's flow is not known; that of the others is exact as ever."""
    chain = ScriptedChain()
    for block in blocks:
        chain.mine(*block)
    chain.unread = frozenset(unread)
    after, upto = chain.at(0), chain.head

    told = asyncio.run(BlockLog(chain).movements(KRAKEN, after=after, upto=upto))

    read = [address for address in KRAKEN if address not in unread]
    assert told.coverage == len(read) / len(KRAKEN)
    assert_exact(chain, told, KRAKEN, covered=read, after=after, upto=upto)


@given(st.lists(deeds(payers=KRAKEN, payees=KRAKEN, fewest=1), min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_moves_within_a_set_cost_it_their_fees_only(moves: list[Deed]) -> None:
    chain = ScriptedChain()
    for deed in moves:
        chain.mine((deed,))

    told = asyncio.run(BlockLog(chain).movements(KRAKEN, after=chain.at(0), upto=chain.head))

    flows = tally(told.moves, own=KRAKEN, cold=[], labelled=[])
    assert sum(flow.outflow for flow in flows) == sum(deed.fee for deed in moves)
    assert all(flow.inflow == flow.outflow_count == flow.unlabelled_outflow == 0 for flow in flows)


ASKED = 1000
"""Times at most for a block that is on its way."""


class OnAnvil:
    """Random payments of coins and a token, some of which fail, and reorgs, on a real node."""

    def __init__(self, node: Anvil, http: Http, *, seed: int) -> None:
        self.node = node
        self.random = random.Random(seed)
        self.coin = Token(asset="ETH")
        self.token = Token(asset="USDT", contract="0x" + "a1" * 20, decimals=6)
        nodes = Endpoints([Node(http, Clock(), node.endpoint)], network="ethereum")
        self.movements = EvmMovements(
            nodes.use, network="ethereum", coin=self.coin, tokens=[self.token], whole_blocks=True
        )

    async def start(self) -> None:
        self.accounts = await self.node.accounts()
        self.sets = (self.accounts[:3], self.accounts[3:5])
        self.movements.watch([*self.sets[0], *self.sets[1]])
        await self.node.put_token(self.token.contract or "")
        for account in self.accounts:
            await self.node.mint(self.token.contract or "", account, 1_000, sender=self.accounts[9])

    async def act(self) -> None:
        sender, to = self.random.sample(self.accounts[:7], 2)
        transfer = calldata("transfer(address,uint256)", int(to, 16), self.random.choice((0, 7, 400, 10**9)))
        token_transfer = {"to": self.token.contract, "data": f"0x{transfer.hex()}"}
        coin_transfer = {"to": to, "value": hex(self.random.randrange(3 * ETHER))}
        chosen = self.random.choice((token_transfer, coin_transfer, coin_transfer))
        sent = await self.node.rpc("eth_sendTransaction", {"from": sender, "gas": hex(200_000), **chosen})
        await self.present("eth_getTransactionReceipt", sent)

    async def present(self, method: str, *params: object) -> dict[str, object]:
        """The node answers before it has mined, and tells a height a moment before it has the block."""
        for _ in range(ASKED):
            found = await self.node.rpc(method, *params)
            if found is not None:
                return msgspec.convert(found, dict[str, object])
        pytest.fail(f"{method} {params} brings nothing")

    async def head(self, number: int) -> Head:
        block = await self.present("eth_getBlockByNumber", hex(number), False)
        return Head(number=number, hash=str(block["hash"]), timestamp=await self.node.time(number))

    async def balance(self, address: str, token: Token, *, at: Head) -> int:
        if token.contract is None:
            return await self.node.number("eth_getBalance", address, hex(at.number))
        call = {"to": token.contract, "data": f"0x{calldata('balanceOf(address)', int(address, 16)).hex()}"}
        return await self.node.number("eth_call", call, hex(at.number))

    async def ask(self) -> None:
        height = await self.node.height()
        upto = await self.head(height - self.random.randrange(3))
        after = await self.head(max(0, upto.number - self.random.randrange(1, 12)))
        told = await asyncio.gather(*(self.movements.movements(own, after=after, upto=upto) for own in self.sets))
        for own, movements in zip(self.sets, told, strict=True):
            flows = {flow.token: flow for flow in tally(movements.moves, own=own, cold=[], labelled=[])}
            for token in (self.coin, self.token):
                change = 0
                for address in own:
                    was, is_now = [await self.balance(address, token, at=head) for head in (after, upto)]
                    moves = [move.changes.get(address, 0) for move in movements.moves if move.token == token]
                    assert sum(moves) == is_now - was
                    change += is_now - was
                assert change == (flows[token].inflow - flows[token].outflow if token in flows else 0)


@pytest.mark.parametrize("seed", range(2))
async def test_what_moved_on_a_real_node_is_what_balances_changed_by(seed: int) -> None:
    async with anvil() as node, Http(Clock(), per_second={"127.0.0.1": 10_000.0}) as http:
        history = OnAnvil(node, http, seed=seed)
        await history.start()
        for _ in range(12):
            for _ in range(history.random.randrange(1, 6)):
                await history.act()
            if history.random.random() < 0.4:
                await node.rpc("anvil_reorg", history.random.randrange(1, 7), [])
            await history.ask()
