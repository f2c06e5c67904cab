"""What an exchange holds and pays on a chain of two real nodes, and what is left when one and then both are gone."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from monitor.clock import Clock
from monitor.model import ExchangeState, ExchangeView, Flow, ReserveBalance
from monitor.polls import wallets_name
from monitor.replay.journal import write_line
from monitor.schedule import every
from tests import price_servers
from tests.anvil import ETHER, Anvil, anvil, calldata
from tests.end_to_end.chains import NETWORKS, past_payments, paying_chains
from tests.end_to_end.daemon import Daemon, daemon, eventually, run_command
from tests.end_to_end.world import START, World, world
from tests.switching_proxy import switching_proxy

SPEED = 20.0
BLOCK_SECONDS = 12
TOKEN = "0x" + "a1" * 20
STRANGER = "0x" + "00" * 18 + "beef"
FIRST, SECOND = "127.0.0.2", "127.0.0.3"
MINTED = 1_000_000  # for each wallet
MINE = {"ETH": Decimal(100), "USDT": Decimal(250_000)}
ROUNDS = 3  # of failures that are to be seen
UNSEEN_LOOKS = 7  # once a minute


class Exit(msgspec.Struct):
    asset: str
    amount: Decimal
    withdrawable: Decimal
    stuck: Decimal
    unknown: Decimal


class Told(msgspec.Struct):
    """What `GET /api/v1/exchanges/{x}/verdict` answers, as far as it matters here."""

    state: ExchangeState
    stale: bool
    exits: list[Exit]


class Chain:
    """One chain on two nodes: every 12 s of the clock a block of the same transactions, in which hot wallets pay."""

    def __init__(self, nodes: Sequence[Anvil], clock: Clock, *, hot: Sequence[str], cold: Sequence[str]) -> None:
        self.endpoints = [node.url for node in nodes]
        self.hot, self.cold = list(hot), list(cold)
        self._alive = list(nodes)
        self._doomed = 0
        self._clock = clock
        self._owed: list[dict[str, str]] = []

    def pay(self, coins: int) -> None:
        """To a stranger, with the next block."""
        self._owed.append({"from": self.hot[0], "to": STRANGER, "value": hex(coins * ETHER)})

    def lose_a_node(self) -> None:
        """The first that is left, before the next block."""
        self._doomed += 1

    async def make_block(self) -> None:
        for _ in range(self._doomed):
            await self._alive.pop(0).kill()
        self._doomed = 0
        at = int(self._clock.now().timestamp())
        usual = [{"from": sender, "to": STRANGER, "value": "0x1"} for sender in self.hot]
        transactions, self._owed = [*self._owed, *usual], []
        for node in self._alive:
            for transaction in transactions:
                await node.rpc("eth_sendTransaction", transaction)
            await node.rpc("evm_setNextBlockTimestamp", at)
            await node.rpc("evm_mine")

    def configure(self, folder: Path, exchange: str) -> str:
        """Write the address book of an exchange; the section `chains` of a configuration."""
        book = folder / "reserves"
        book.mkdir()
        wallets = [f"{{address: '{address}', role: hot}}" for address in self.hot]
        wallets += [f"{{address: '{address}', role: cold}}" for address in self.cold]
        (book / f"{exchange}.yaml").write_text(
            f"exchange: {exchange}\nlists:\n  - source: this test\n    as_of: 2026-02-03\n"
            f"    wallets:\n      ethereum: [{', '.join(wallets)}]\n"
        )
        return (
            f"chains:\n  ethereum: {{chain_id: 1, endpoints: {self.endpoints}, allow_private: true, interval: 30s,\n"
            f"    tokens: {{USDT: {{contract: '{TOKEN}', decimals: 6}}}}}}\n"
        )


@asynccontextmanager
async def chain(clock: Clock) -> AsyncIterator[Chain]:
    async with AsyncExitStack() as running:
        genesis = clock.now() - timedelta(minutes=1)
        nodes = [await running.enter_async_context(anvil(genesis=genesis, host=host)) for host in (FIRST, SECOND)]
        one, two, three, *_ = await nodes[0].accounts()
        for node in nodes:
            await node.rpc("evm_setAutomine", False)
            await node.put_multicall()
            await node.put_token(TOKEN)
            for holder in (one, two, three):
                data = calldata("mint(address,uint256)", int(holder, 16), MINTED * 10**6).hex()
                mint = {"from": one, "to": TOKEN, "data": f"0x{data}", "gas": hex(200_000)}
                await node.rpc("eth_sendTransaction", mint)
        made = Chain(nodes, clock, hot=[one, two], cold=[three])
        async with asyncio.TaskGroup() as group:
            heart = every(BLOCK_SECONDS, phase=0.0, clock=clock, work=made.make_block)
            beat = group.create_task(heart, name="blocks")
            yield made
            beat.cancel()


@asynccontextmanager
async def prices(clock: Clock) -> AsyncIterator[str]:
    """Three sources that agree; the section `prices` of a configuration."""
    sources = {
        "kraken": price_servers.kraken(clock),
        "coinbase": price_servers.coinbase(clock),
        "bitstamp": price_servers.bitstamp(clock),
    }
    async with AsyncExitStack() as running:
        for server in sources.values():
            await running.enter_async_context(server)
        urls = ", ".join(f"{name}: '{server.url}'" for name, server in sources.items())
        yield f"prices: {{sources: [{', '.join(sources)}], urls: {{{urls}}}, allow_private: true}}"


def configured(around: World, folder: Path, *, chains: str, prices: str) -> Path:
    """The configuration of the world with prices, and with coins of our own at the exchange."""
    config = around.configure(folder, more=chains)
    mine = ", ".join(f"{asset}: {coins}" for asset, coins in MINE.items())
    text = config.read_text().replace("prices: {sources: []}", prices)
    config.write_text(text.replace("kucoin: {", f"kucoin: {{exposure: {{{mine}}}, "))
    return config


@pytest.mark.soak
async def test_reserves_flows_and_exits_outlive_a_node_and_nothing_is_made_of_losing_both(tmp_path: Path) -> None:
    async with (
        world(["kucoin"], speed=SPEED, start=None) as around,
        chain(around.clock) as nodes,
        prices(around.clock) as priced,
    ):
        config = configured(around, tmp_path, chains=nodes.configure(tmp_path, "kucoin"), prices=priced)
        async with daemon(config, around.clock) as running:
            view = await eventually(lambda: worth(running))
            assert view.reserves is not None
            coins = {balance.asset: balance for balance in view.balances}
            assert 29_000 < coins["ETH"].amount <= 30_000
            assert coins["USDT"].amount == 3 * MINTED
            assert (coins["USDT"].hot, coins["USDT"].cold) == (Decimal(2 * MINTED), Decimal(MINTED))
            usd = sum(coins[asset].amount * price_servers.PRICES[asset] for asset in ("ETH", "USDT"))
            assert abs(view.reserves.usd - usd) < 1
            assert (view.reserves.unread, view.reserves.unpriced) == (0, ())
            metrics = await running.metrics()
            assert metrics.value("reserve_balance", exchange="kucoin", asset="USDT", network="ethereum") == 3 * MINTED
            assert abs((metrics.value("reserve_usd", exchange="kucoin") or 0) - float(usd)) < 1
            assert metrics.value("price_usd", asset="ETH") == float(price_servers.PRICES["ETH"])

            told = await eventually(lambda: can_leave(running))
            assert told.state is ExchangeState.OPERATIONAL
            assert {each.asset: each.amount for each in told.exits} == MINE
            assert all(each.withdrawable == each.amount for each in told.exits)
            mine = sum(float(MINE[asset] * price_servers.PRICES[asset]) for asset in MINE)
            assert abs((await exposed(running, "withdrawable")) - mine) < 1
            assert "can leave now" in await run_command("exits", "--config", str(config))
            assert "kucoin" in (await run_command("reserves", "report", "--config", str(config))).lower()

            nodes.pay(777)
            flow = await eventually(lambda: flow_of(running, 777))
            assert flow.unlabelled_outflow is not None
            assert 777 <= flow.unlabelled_outflow <= flow.outflow < 778

            nodes.lose_a_node()
            nodes.pay(555)
            assert (await eventually(lambda: flow_of(running, 555))).outflow < 556
            assert [(line["host"], line["others"]) for line in running.events("endpoint_failing")] == [(FIRST, 1)]
            assert failed(running) == set()
            await assert_told_without_a_gap(running)

            nodes.lose_a_node()
            await eventually(lambda: failing(running, rounds=ROUNDS))
            assert [line["host"] for line in running.events("endpoint_failing")] == [FIRST, SECOND]
            assert {reason for _, reason in failed(running)} == {"connection"}
            assert await running.store.incidents() == []
            await running.state_is("kucoin", "operational")
            for page in ("/", "/exchanges/kucoin", "/reserves", "/healthz", "/readyz"):
                assert (await running.get(page))[0] == 200
            told = await verdict(running)
            assert all(each.withdrawable + each.stuck + each.unknown == each.amount for each in told.exits)
            assert await exposed(running, "stuck") == 0
            await assert_told_without_a_gap(running)


async def test_wallets_that_cannot_be_seen_have_not_stopped_paying(tmp_path: Path) -> None:
    """The daemon knows from a day of history how much is usual, so that real silence would open within minutes."""
    async with world(["kucoin"], speed=30, start=START) as around:
        history = tmp_path / "history.jsonl"
        payments = past_payments(exchange="kucoin", until=START, days=1)
        history.write_bytes(b"".join(write_line(entry) for entry in payments))
        config = around.configure(tmp_path)
        await run_command("journal", "import", str(history), "--config", str(config))
        async with paying_chains(around.clock) as chains, AsyncExitStack() as doors:
            section = chains.configure(tmp_path, exchange="kucoin")
            proxies = []
            for node in re.findall(r"http://[0-9.:]+", section):
                proxies.append(await doors.enter_async_context(switching_proxy(node)))
                section = section.replace(node, proxies[-1].endpoint.url)
            around.configure(tmp_path, more=section)
            async with daemon(config, around.clock) as running:
                began_at = around.clock.now()
                await eventually(lambda: paid(running, after=began_at))
                for proxy in proxies:
                    proxy.is_up = False
                await eventually(lambda: unseen(running, looks=UNSEEN_LOOKS))
                assert await running.store.incidents() == []
                await running.state_is("kucoin", "operational")
                for proxy in proxies:
                    proxy.is_up = True
                back_at = around.clock.now()
                await eventually(lambda: paid(running, after=back_at))
                assert await running.store.incidents() == []
                assert len(running.events("endpoint_failing")) == len(running.events("endpoint_recovered")) == 3


async def paid(running: Daemon, *, after: datetime) -> bool:
    """Every chain was read, and its newest payment is younger than `after`."""
    view = await running.store.view("kucoin")
    newest = [] if view is None else [n.last_outgoing_at for n in view.networks if n.last_outgoing_at is not None]
    return len(newest) == len(NETWORKS) and min(newest) > after


async def unseen(running: Daemon, *, looks: int) -> bool:
    """So many looks at the payments of each network failed."""
    metrics = await running.metrics()
    failures = [
        metrics.value("probe_failures_total", exchange="kucoin", probe=probe, reason="http_5xx")
        for probe in (wallets_name("kucoin", network.name) for network in NETWORKS)
    ]
    return all(count is not None and count >= looks for count in failures)


async def worth(running: Daemon) -> ExchangeView | None:
    """The view when both assets are read and have a price."""
    view = await running.store.view("kucoin")
    is_whole = view is not None and {b.asset for b in view.balances if b.usd is not None and b.hot} == {"ETH", "USDT"}
    return view if is_whole else None


async def verdict(running: Daemon) -> Told:
    status, text = await running.get("/api/v1/exchanges/kucoin/verdict")
    assert status == 200
    return msgspec.json.decode(text, type=Told)


async def can_leave(running: Daemon) -> Told | None:
    """When all that is ours is known to be able to leave."""
    told = await verdict(running)
    is_known = {each.asset for each in told.exits if not each.unknown} == MINE.keys()
    return told if is_known and not told.stale else None


async def exposed(running: Daemon, state: str) -> float:
    value = (await running.metrics()).value("exposure_usd", exchange="kucoin", state=state)
    assert value is not None
    return value


async def flow_of(running: Daemon, coins: int) -> Flow | None:
    """The flow whose largest payment was of so many coins."""
    flows = [entry.observation for entry in await running.journal() if type(entry.observation) is Flow]
    return next((flow for flow in flows if flow.outflow_max == coins), None)


def failed(running: Daemon) -> set[tuple[str, str]]:
    """The probes of the chain that ever failed, each with the reason."""
    lines = [(str(line["probe"]), str(line["reason"])) for line in running.events("probe_failed")]
    return {(probe, reason) for probe, reason in lines if "ethereum" in probe}


async def failing(running: Daemon, *, rounds: int) -> bool:
    """Every probe that looks at the chain each half minute has failed so often."""
    metrics = await running.metrics()
    failures = [
        metrics.value("probe_failures_total", exchange="kucoin", probe=f"kucoin-ethereum-{name}", reason="connection")
        for name in ("flows", "wallets", "hot")
    ]
    return all(count is not None and count >= rounds for count in failures)


async def assert_told_without_a_gap(running: Daemon) -> None:
    """Every window of flows begins where the one before ended, and no total ever dropped by more than was paid."""
    seen = [entry.observation for entry in await running.journal()]
    for asset in ("ETH", "USDT"):
        flows = [each for each in seen if type(each) is Flow and each.asset == asset]
        assert [flow.from_height for flow in flows[1:]] == [(flow.to_height or 0) + 1 for flow in flows[:-1]]
        totals = [
            each.amount for each in seen if type(each) is ReserveBalance and each.asset == asset and not each.role
        ]
        assert totals[0] - min(totals) <= 777 + 555 + 1
