"""What a chain keeps in memory for 50,000 watched addresses: the newest blocks, and what probes know of wallets.

A scripted chain moves coins as Ethereum does, first for as many blocks as are kept and then as many again, after which
nothing more may be needed. Run from the top level: `PYTHONPATH=. python benchmarks/chain_memory.py`.
"""

import argparse
import asyncio
import gc
import multiprocessing
import os
import random
import resource
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from msgspec import Struct

from monitor.chains.blocks import KEPT_BLOCKS, KEPT_TRANSFERS, BlockLog, Transfer, Transfers
from monitor.chains.ledger import Head, Holding, Movements, Snapshot, Token
from monitor.clock import Clock
from monitor.model import Flow
from monitor.probes.activity import ActivityProbe
from monitor.probes.flows import FlowsProbe
from monitor.probes.reserves import ReservesProbe
from monitor.reserves.book import Address
from monitor.reserves.roles import Wallets

ADDRESSES = 50_000
EXCHANGES = 20
BLOCKS_A_LOOK = 10  # two minutes of Ethereum
LOOKS_A_BALANCE = 5
BLOCK_SECONDS = 12
HOT_SHARE = 50  # of this many addresses one sends
USUAL_A_BLOCK = 150  # transfers from or to listed addresses; a block of Ethereum has about 500 in all
MOST_A_BLOCK = KEPT_TRANSFERS // KEPT_BLOCKS
MOST_MEGABYTES = 250.0
MOST_LATER_SHARE = 0.10  # of the growth

START = datetime(2026, 2, 3, 12, tzinfo=UTC)
COIN = Token(asset="ETH")
TOKENS = (
    Token(asset="USDT", contract="0x" + "a1" * 20, decimals=6),
    Token(asset="USDC", contract="0x" + "a2" * 20, decimals=6),
)
HELD = (COIN, *TOKENS)


class Figures(Struct, frozen=True, kw_only=True):
    """Megabytes resident more than with the address book alone."""

    begun: float  # after the first look at everything
    kept: float  # when all blocks are kept
    later: float  # as many blocks later
    peak: float
    transfers: int


class Moving:
    """A `Ledger` whose transfers are made up block by block, the same each time, as a node would tell them."""

    network = "ethereum"
    coin = COIN
    endpoints = 2

    def __init__(self, addresses: Sequence[str], *, per_block: int) -> None:
        self.height = 0
        self.transfers = 0
        self._addresses = addresses
        self._hot = addresses[::HOT_SHARE]
        self._per_block = per_block
        self._log = BlockLog(self)

    def watch(self, addresses: Iterable[str]) -> None:
        self._log.watch(addresses)

    async def head(self) -> Head:
        return _head(self.height)

    async def tips(self) -> list[Head]:
        return [_head(self.height)] * self.endpoints

    async def block(self, number: int) -> Head:
        return _head(number)

    async def balances(self, holdings: Sequence[Holding]) -> Snapshot:
        amounts = {holding: 10**20 + place for place, holding in enumerate(holdings)}
        return Snapshot(head=_head(self.height), endpoint="one.example", amounts=amounts)

    async def second(self, holdings: Sequence[Holding], *, first: Snapshot) -> Snapshot:
        assert first.head == _head(self.height)
        return await self.balances(holdings)

    async def movements(self, addresses: Collection[str], *, after: Head, upto: Head) -> Movements:
        return await self._log.movements(addresses, after=after, upto=upto)

    async def read(self, addresses: Collection[str], *, after: Head, upto: Head) -> Transfers:
        """What `BlockLog` asks of a chain."""
        assert len(addresses) == len(self._addresses)
        blocks = [_head(number) for number in range(after.number + 1, upto.number + 1)]
        transfers = [transfer for block in blocks for transfer in self._in(block)]
        self.transfers += len(transfers)
        return Transfers(transfers=transfers)

    def _in(self, block: Head) -> list[Transfer]:
        chance = random.Random(block.number)  # noqa: S311  seeded transfers, not a secret
        return [self._transfer(block, chance) for _ in range(self._per_block)]

    def _transfer(self, block: Head, chance: random.Random) -> Transfer:
        token = chance.choice(HELD)
        stranger = f"0x{chance.getrandbits(160):040x}"
        amount, fee = chance.getrandbits(70), 21_000 * chance.getrandbits(34) if token is COIN else 0
        is_payment = chance.random() < 0.5
        # Not the very text that is watched: an answer brings its own.
        ours = chance.choice(self._hot if is_payment else self._addresses).encode().decode()
        source, destination = (ours, stranger) if is_payment else (stranger, ours)
        return Transfer(
            block=block,
            transaction=f"0x{chance.getrandbits(256):064x}",
            token=token,
            sources=((source, amount + fee),),
            destinations=((destination, amount),),
            signers=(source,),
            fee=fee,
        )


class Hand(Clock):
    """It shows the time of the chain's newest block."""

    def __init__(self, ledger: Moving) -> None:
        super().__init__(start=START)
        self._ledger = ledger

    def now(self) -> datetime:
        return _head(self._ledger.height).timestamp


class Watch(Struct, frozen=True):
    """What looks at one exchange."""

    activity: ActivityProbe
    flows: FlowsProbe
    reserves: ReservesProbe


def _head(number: int) -> Head:
    return Head(number=number, hash=f"0x{number:064x}", timestamp=START + timedelta(seconds=number * BLOCK_SECONDS))


def book(count: int) -> list[Address]:
    chance = random.Random(5)  # noqa: S311
    return [
        Address(
            exchange=f"exchange{place % EXCHANGES}",
            network="ethereum",
            address=f"0x{chance.getrandbits(160):040x}",
            source="a benchmark",
            as_of=date(2026, 2, 3),
        )
        for place in range(count)
    ]


def watches(ledger: Moving, addresses: Sequence[Address]) -> list[Watch]:
    """As `monitor.polls` puts them together."""
    clock, labelled = Hand(ledger), frozenset(address.address for address in addresses)
    found = []
    for name in dict.fromkeys(address.exchange for address in addresses):
        wallets = Wallets([address for address in addresses if address.exchange == name])
        activity = ActivityProbe(
            ledger,
            clock,
            exchange=name,
            name=f"{name}-ethereum-wallets",
            interval=60.0,
            wallets=wallets,
            reach=KEPT_BLOCKS,
            since=None,
        )
        flows = FlowsProbe(
            ledger,
            clock,
            exchange=name,
            name=f"{name}-ethereum-flows",
            interval=60.0,
            wallets=wallets,
            tokens=HELD,
            labelled=labelled,
            depth=2,
            reach=KEPT_BLOCKS,
            last=None,
        )
        reserves = ReservesProbe(
            ledger, clock, exchange=name, name=f"{name}-ethereum-reserves", wallets=wallets, tokens=HELD
        )
        found.append(Watch(activity, flows, reserves))
    return found


async def look(watched: Sequence[Watch], *, at_balances: bool) -> int:
    """One round of everything; answers how many flows were told."""
    flows = 0
    for watch in watched:
        await watch.activity.observe()
        flows += sum(type(seen) is Flow for seen in await watch.flows.observe())
        if at_balances:
            await watch.reserves.observe()
    return flows


async def follow(ledger: Moving, watched: Sequence[Watch], *, blocks: int) -> None:
    told = 0
    for turn in range(1, blocks // BLOCKS_A_LOOK + 1):
        ledger.height += BLOCKS_A_LOOK
        told += await look(watched, at_balances=turn % LOOKS_A_BALANCE == 0)
    assert told == blocks // BLOCKS_A_LOOK * len(watched) * len(HELD)


def resident() -> float:
    """Megabytes of this process now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure(port: Connection, addresses: int, blocks: int, per_block: int) -> None:
    listed = book(addresses)
    before = resident()
    ledger = Moving([address.address for address in listed], per_block=per_block)
    watched = watches(ledger, listed)
    ledger.watch(address.address for address in listed)
    asyncio.run(look(watched, at_balances=True))
    begun = resident()
    asyncio.run(follow(ledger, watched, blocks=blocks))
    kept, transfers = resident(), ledger.transfers
    asyncio.run(follow(ledger, watched, blocks=blocks))
    later = resident()
    port.send(
        Figures(
            begun=begun - before,
            kept=kept - before,
            later=later - before,
            peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6 - before,
            transfers=transfers,
        )
    )


def measured(*, addresses: int, blocks: int, per_block: int) -> Figures:
    """In a process of its own, which nothing has grown before."""
    here, there = multiprocessing.Pipe()
    arguments = (there, addresses, blocks, per_block)
    process = multiprocessing.get_context("spawn").Process(target=measure, args=arguments, daemon=True)
    process.start()
    there.close()  # so that its end is the end of what can be received
    try:
        return here.recv()  # type: ignore[no-any-return]
    finally:
        process.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--addresses", type=int, default=ADDRESSES)
    parser.add_argument("--blocks", type=int, default=KEPT_BLOCKS)
    options = parser.parse_args()
    addresses, blocks = options.addresses, options.blocks
    print(f"{addresses:,} addresses of {EXCHANGES} exchanges, {blocks} blocks kept, {len(HELD)} assets")
    for what, per_block in (("as usual", USUAL_A_BLOCK), ("as much as is kept", MOST_A_BLOCK)):
        figures = measured(addresses=addresses, blocks=blocks, per_block=per_block)
        per_transfer = (figures.kept - figures.begun) * 1e6 / figures.transfers
        later = figures.later - figures.kept
        print(f"{what}: {per_block} transfers a block, {figures.transfers:,} of them kept")
        print(f"  first look             {figures.begun:7.1f} MB, {figures.begun * 1e6 / addresses:,.0f} B an address")
        print(f"  all blocks kept        {figures.kept:7.1f} MB, {per_transfer:,.0f} B a transfer")
        print(f"  as many blocks later   {later:+7.1f} MB (aim: at most {MOST_LATER_SHARE:.0%} more)")
        print(
            f"  peak growth            {figures.peak:7.1f} MB, {figures.peak * 1e6 / addresses:,.0f} B an address"
            f" (aim: at most {MOST_MEGABYTES:.0f} MB)"
        )
        assert later <= MOST_LATER_SHARE * figures.kept, "it grows without end"
        assert figures.peak <= MOST_MEGABYTES, "more than it may be"


if __name__ == "__main__":
    main()
