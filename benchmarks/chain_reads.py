"""What it costs to read balances of 50,000 addresses at one block through Multicall3, from a real node beside us.

And what of it is the decoding of the answer, against eth_abi on the same bytes in the same run. Run from the top level,
with anvil where tests/anvil.py says: `PYTHONPATH=. python benchmarks/chain_reads.py`.
"""

import argparse
import asyncio
import gc
import random
import resource
from collections.abc import Callable
from statistics import median
from time import perf_counter, process_time

from eth_abi.abi import decode, encode
from eth_hash.auto import keccak
from msgspec import Struct

from monitor.chains import multicall
from monitor.chains.evm import EvmChain
from monitor.chains.ledger import Holding, Token
from monitor.clock import Clock
from monitor.http import Http
from tests.anvil import anvil

ADDRESSES = 50_000
RESULTS = 5_000
READ_EVERY_SECONDS = 12.0
LEAST_RATIO = 20.0
LEAST_PER_SECOND = 30_000
MOST_SHARE = 0.01  # of one core

# A token of which everybody holds something: the upper 90 bits of the hash of the address.
BALANCE_OF_ANYBODY = "0x6004355f5260205f2060a61c5f5260205ff3"

COIN = Token(asset="ETH")
TOKEN = Token(asset="USDT", contract="0x" + "a1" * 20, decimals=6)


class Costs(Struct):
    """Of one reading of all addresses."""

    wall_seconds: list[float] = []
    cpu_seconds: list[float] = []


def amounts(count: int) -> list[int]:
    """As wallets have them: many nothing, some in six decimals, most in eighteen, the same each time."""
    chance = random.Random(4)  # noqa: S311  a seeded list, not a secret
    return [
        chance.choice((0, chance.getrandbits(40), chance.getrandbits(78), chance.getrandbits(90))) for _ in range(count)
    ]


def holdings(count: int) -> list[Holding]:
    chance = random.Random(5)  # noqa: S311
    return [Holding(f"0x{chance.getrandbits(160):040x}", COIN if place % 2 else TOKEN) for place in range(count)]


def balance(holding: Holding) -> int:
    """What the node should tell."""
    if holding.token == COIN:
        return 0
    return int.from_bytes(keccak(bytes.fromhex(holding.address[2:]).rjust(32, b"\0")), "big") >> 166


def milliseconds(work: Callable[[], object]) -> float:
    gc.collect()
    began = perf_counter()
    work()
    return (perf_counter() - began) * 1000


def decoding(rounds: int) -> tuple[float, float]:
    """Milliseconds of ours and of eth_abi for the same answer: medians of both, measured in turn."""
    exact = [(True, amount.to_bytes(32, "big")) for amount in [*amounts(RESULTS - 2), 2**256 - 1, 2**255]]
    for told in (exact, exact[:-2]):
        answer = encode(["(bool,bytes)[]"], [told])
        (theirs,) = decode(["(bool,bytes)[]"], answer)
        ours = multicall.decode(answer, count=len(told))
        assert ours.numbers == [int.from_bytes(data, "big") for _, data in theirs]
        assert ours.misses == {}
    pairs = [
        (
            median(milliseconds(lambda: multicall.decode(answer, count=len(told))) for _ in range(10)),
            milliseconds(lambda: decode(["(bool,bytes)[]"], answer)),
        )
        for _ in range(rounds)
    ]
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def reading(rounds: int) -> tuple[Costs, float, float]:
    """All addresses each time; and by how many megabytes the peak rose with the first reading, and with all."""
    costs = Costs()
    clock = Clock()
    async with anvil() as node, Http(clock, per_second={"127.0.0.1": 10_000.0}) as http:
        await node.put_multicall()
        await node.rpc("anvil_setCode", TOKEN.contract, BALANCE_OF_ANYBODY)
        await node.mine()
        gc.collect()
        before = peak_megabytes()
        asked = holdings(ADDRESSES)
        ours = EvmChain(http, clock, network="ethereum", chain_id=1, endpoints=[node.endpoint])
        read = (await ours.balances(asked)).amounts
        first = peak_megabytes() - before
        assert read == {holding: balance(holding) for holding in asked}
        gc.collect()
        gc.freeze()  # as the daemon does when it is ready
        for _ in range(rounds):
            await node.mine()
            wall, cpu = perf_counter(), process_time()
            await ours.balances(asked)
            costs.wall_seconds.append(perf_counter() - wall)
            costs.cpu_seconds.append(process_time() - cpu)
    return costs, first, peak_megabytes() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    costs, first, all_of_them = asyncio.run(reading(rounds))  # first, as a peak does not fall
    wall, cpu = median(costs.wall_seconds), median(costs.cpu_seconds)
    print(f"{ADDRESSES} addresses at one block of a local anvil, medians of {rounds}")
    print(f"  balances a second      {ADDRESSES / wall:9.0f} (aim: at least {LEAST_PER_SECOND})")
    print(f"  our CPU                {cpu * 1000:9.1f} ms ({min(costs.cpu_seconds) * 1000:.1f} at least)")
    share = cpu / READ_EVERY_SECONDS
    print(f"  each {READ_EVERY_SECONDS:.0f} s              {share:9.2%} of a core (aim: at most {MOST_SHARE:.0%})")
    print(f"  peak memory            {first:9.1f} MB more after one reading, {all_of_them:.1f} after {rounds + 1}")
    ours, theirs = decoding(rounds)
    print(f"decoding {RESULTS} results of aggregate3, in turn, medians of {rounds}")
    print(f"  ours, eth_abi's        {ours:9.2f} ms, {theirs:.2f} ms")
    print(f"  ratio                  {theirs / ours:9.1f} (aim: at least {LEAST_RATIO:.0f})")


if __name__ == "__main__":
    main()
