"""Real nodes on the test's clock, on which hot wallets really send, and what they sent in the days before."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct

from monitor.clock import Clock
from monitor.model import Observation, WalletActivity
from monitor.polls import wallets_name
from monitor.schedule import every
from tests.anvil import Anvil, anvil

BLOCK_SECONDS = 12
HOT_WALLETS = 2
STRANGER = "0x" + "00" * 18 + "beef"
SEED = 20260203


class Network(Struct, frozen=True, kw_only=True):
    name: str
    chain_id: int
    per_minute: int  # payments


NETWORKS = (
    Network(name="ethereum", chain_id=1, per_minute=20),
    Network(name="bsc", chain_id=56, per_minute=15),
    Network(name="arbitrum", chain_id=42161, per_minute=10),
)


class PayingChain:
    """A node that makes a block whenever it is told to, dated by the clock, with what its hot wallets owe by then."""

    def __init__(self, network: Network, node: Anvil, clock: Clock, *, wallets: Sequence[str]) -> None:
        self.network = network
        self.node = node
        self.wallets = tuple(wallets)
        self.is_paying = True
        self._clock = clock
        self._paid_until = clock.now()

    async def make_block(self) -> None:
        now = self._clock.now()
        payments = int((now - self._paid_until).total_seconds() / 60 * self.network.per_minute)
        self._paid_until += timedelta(seconds=60 / self.network.per_minute * payments)
        for number in range(payments if self.is_paying else 0):
            payment = {"from": self.wallets[number % HOT_WALLETS], "to": STRANGER, "value": "0x1"}
            await self.node.rpc("eth_sendTransaction", payment)
        await self.node.rpc("evm_setNextBlockTimestamp", int(now.timestamp()))
        await self.node.rpc("evm_mine")

    def settings(self) -> str:
        return f"{{chain_id: {self.network.chain_id}, endpoints: ['{self.node.url}'], allow_private: true}}"


class Chains:
    def __init__(self, chains: Sequence[PayingChain]) -> None:
        self._chains = tuple(chains)

    def stop_paying(self) -> None:
        for chain in self._chains:
            chain.is_paying = False

    def pay_again(self) -> None:
        for chain in self._chains:
            chain.is_paying = True

    def configure(self, folder: Path, *, exchange: str) -> str:
        """Write the address book of an exchange; the section `chains` of a configuration."""
        book = folder / "reserves"
        book.mkdir()
        wallets = "".join(f"      {c.network.name}: {list(c.wallets)}\n" for c in self._chains)
        (book / f"{exchange}.yaml").write_text(
            f"exchange: {exchange}\nlists:\n  - source: this test\n    as_of: 2026-02-03\n    wallets:\n{wallets}"
        )
        sections = "".join(f"  {c.network.name}: {c.settings()}\n" for c in self._chains)
        return f"chains:\n{sections}"


@asynccontextmanager
async def paying_chains(clock: Clock) -> AsyncIterator[Chains]:
    """Every network of `NETWORKS`, with a block every 12 clock seconds."""
    async with AsyncExitStack() as running:
        chains = []
        for network in NETWORKS:
            genesis = clock.now() - timedelta(minutes=1)
            node = await running.enter_async_context(anvil(chain_id=network.chain_id, genesis=genesis))
            await node.rpc("evm_setAutomine", False)
            await node.put_multicall()
            chains.append(PayingChain(network, node, clock, wallets=await node.accounts()))
        async with asyncio.TaskGroup() as group:
            beats = [
                group.create_task(every(BLOCK_SECONDS, phase=0.0, clock=clock, work=chain.make_block), name="blocks")
                for chain in chains
            ]
            yield Chains(chains)
            for beat in beats:
                beat.cancel()


def past_payments(*, exchange: str, until: datetime, days: int) -> Iterator[Observation]:
    """A reading a minute and network with the rates of `NETWORKS`, as the daemon itself would have taken them."""
    rng = random.Random(SEED)
    for minute in range(days * 1440, 0, -1):
        at = until - timedelta(minutes=minute)
        for network in NETWORKS:
            yield WalletActivity(
                at=at,
                exchange=exchange,
                probe=wallets_name(exchange, network.name),
                network=network.name,
                outgoing=sum(rng.random() < network.per_minute / 100 for _ in range(100)),
                last_at=at - timedelta(seconds=2),
                window_seconds=60.0,
                coverage=1.0,
                head_age_seconds=2.0,
            )
