"""What one reading of a 2 MB coin list costs: decode, our names, difference to the last one; against `json.loads` and a
walk over its dictionaries, in the same run.
"""

import argparse
import gc
import json
import random
from collections.abc import Callable
from statistics import median
from time import perf_counter

from monitor.probes.exchanges import kucoin
from monitor.probes.rails import by_door, changes

SIZE = 2 * 2**20
NETWORKS = ("eth", "bsc", "trx", "sol", "matic", "arbitrum", "optimism", "base", "avaxc", "kcc")
CHANGED_COINS = 5

Flags = dict[tuple[str, str], tuple[bool, bool]]


def coin_list(size: int) -> bytes:
    """A KuCoin v3 list of about `size` bytes, the same each time."""
    chance = random.Random(2)  # noqa: S311  a seeded list, not a secret
    coins: list[dict[str, object]] = []
    length = 0
    while length < size:
        coins.append(_coin(f"C{len(coins):05}", chance))
        length += len(json.dumps(coins[-1], separators=(",", ":"))) + 1
    return json.dumps({"code": "200000", "data": coins}, separators=(",", ":")).encode()


def _coin(name: str, chance: random.Random) -> dict[str, object]:
    chains = [
        {
            "chainName": network.upper(),
            "withdrawalMinSize": "10",
            "depositMinSize": "0.5",
            "withdrawFeeRate": "0",
            "withdrawalMinFee": "4.5",
            "isWithdrawEnabled": chance.random() > 0.13,
            "isDepositEnabled": chance.random() > 0.13,
            "confirms": 12,
            "preConfirms": 12,
            "contractAddress": f"0x{chance.getrandbits(160):040x}",
            "chainId": network,
        }
        for network in chance.sample(NETWORKS, chance.randint(1, 4))
    ]
    return {
        "currency": name,
        "name": name,
        "fullName": name,
        "precision": 8,
        "isMarginEnabled": False,
        "chains": chains,
    }


def flipped(body: bytes) -> bytes:
    """The list as it reads when a few coins have closed."""
    return body.replace(b'"isWithdrawEnabled":true', b'"isWithdrawEnabled":false', CHANGED_COINS)


def walk(body: bytes) -> Flags:
    """The same facts by the standard library, with neither types nor our names."""
    return {
        (coin["currency"], chain["chainId"]): (chain["isWithdrawEnabled"], chain["isDepositEnabled"])
        for coin in json.loads(body)["data"]
        for chain in coin["chains"]
    }


def milliseconds(work: Callable[[], object], *, rounds: int) -> float:
    """Median over `rounds`, collections in between and not within."""
    times = []
    for _ in range(rounds):
        gc.collect()
        began = perf_counter()
        work()
        times.append((perf_counter() - began) * 1000)
    return median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    body = coin_list(SIZE)
    later = flipped(body)
    before, after = by_door(kucoin.rails(body)), by_door(kucoin.rails(later))
    readings = kucoin.rails(later)
    assert len(changes(before, after)) == CHANGED_COINS
    figures = {
        "decode and map": milliseconds(lambda: kucoin.rails(later), rounds=rounds),
        "index by door": milliseconds(lambda: by_door(readings), rounds=rounds),
        "difference": milliseconds(lambda: changes(before, after), rounds=rounds),
        "all of it": milliseconds(lambda: changes(before, by_door(kucoin.rails(later))), rounds=rounds),
        "json.loads and a walk": milliseconds(lambda: walk(later), rounds=rounds),
    }
    print(f"{len(later) / 2**20:.1f} MB, {len(readings) // 2} rails in both directions, median of {rounds}")
    for what, cost in figures.items():
        print(f"  {what:<22} {cost:7.2f} ms")
    print(f"  ratio                  {figures['all of it'] / figures['json.loads and a walk']:7.2f}")


if __name__ == "__main__":
    main()
