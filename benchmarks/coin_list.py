"""What one reading of a 2.2 MB coin list costs: decode, our names, difference to the last one; against ccxt's parse of
the same bytes and `json.loads` with a walk, in the same run. And for how long the event loop stands still meanwhile.

Run from the top level: `PYTHONPATH=. python benchmarks/coin_list.py`. Where ccxt is not installed, its line says so.
"""

import argparse
import asyncio
import gc
import gzip
import json
import multiprocessing
import random
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from itertools import cycle
from multiprocessing.connection import Connection
from statistics import median, quantiles
from time import perf_counter, thread_time

from msgspec import Struct

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import ListRead, Rail
from monitor.probes.answer import Endpoint
from monitor.probes.exchanges import kucoin
from monitor.probes.listing import Compared, ListProbe, compare
from monitor.probes.rails import Listed

SIZE = 2_200_000
NETWORKS = ("eth", "bsc", "trx", "sol", "matic", "arbitrum", "optimism", "base", "avaxc", "kcc")
CHANGED_COINS = 5
TICK_SECONDS = 0.001
IDLE_SECONDS = 2.0
AIM = 0.1  # of ccxt's time
MOST_STILL_MILLISECONDS = 25.0

NOTHING_KNOWN = Compared([], {}, {}, [], [], {}, {})
WATCHED = [Rail(f"C{number:05}", "ethereum") for number in range(9)]

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


def in_turn(ours: Callable[[], object], theirs: Callable[[], object], *, rounds: int) -> tuple[float, float]:
    """Medians of two that are measured one after the other, so that a noisy minute falls on both."""
    pairs = [(milliseconds(ours, rounds=1), milliseconds(theirs, rounds=1)) for _ in range(rounds)]
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)


def parsed_by_ccxt(body: bytes) -> Callable[[], object]:
    """ccxt's own way from these bytes to its currencies, its network call left out."""
    import ccxt  # noqa: PLC0415  takes seconds, and need not be there

    exchange = ccxt.kucoin()
    exchange.publicGetCurrencies = lambda _parameters: exchange.parse_json(body.decode())
    return exchange.fetch_currencies  # type: ignore[no-any-return]


def serve(port: Connection, bodies: tuple[bytes, bytes], encoding: str) -> None:
    """Answers with one body and the other in turn."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n"
    answers = cycle([head % (encoding.encode(), len(body)) + body for body in bodies])

    class Answering(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            self._transport = transport

        def data_received(self, _data: bytes) -> None:
            self._transport.write(next(answers))

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


class Still(Struct):
    """Milliseconds by which ticks of 1 ms were late, and what the loop's own thread worked between two of them."""

    late: list[float] = []
    worked: list[float] = []

    async def tick(self, clock: Clock) -> None:
        while True:
            due, before = clock.monotonic() + TICK_SECONDS, thread_time()
            await clock.sleep(TICK_SECONDS)
            self.late.append((clock.monotonic() - due) * 1000)
            self.worked.append((thread_time() - before) * 1000)

    def __str__(self) -> str:
        p99 = quantiles(self.late, n=100, method="inclusive")[-1]
        return f"{max(self.late):7.2f} ms at most, p99 {p99:.2f} ms; its own work {max(self.worked):.2f} ms at most"


async def idle(clock: Clock) -> Still:
    """What the machine does to a loop that has nothing to do."""
    still = Still()
    async with asyncio.TaskGroup() as group:
        ticking = group.create_task(still.tick(clock), name="ticks")
        await clock.sleep(IDLE_SECONDS)
        ticking.cancel()
    return still


async def reading(clock: Clock, port: int, *, rounds: int) -> tuple[Still, Still]:
    """While a `ListProbe` reads, compares and tells the list: the first time, when all is new, and later."""
    first, later = Still(), Still()
    async with Http(clock, per_second={"127.0.0.1": 1000.0}) as http, asyncio.TaskGroup() as group:
        url = f"http://127.0.0.1:{port}/"
        endpoint = Endpoint(partial(http.get, url, allow_private=True), partial(http.heed, url), interval=60.0)
        probe = ListProbe(endpoint, clock, exchange="kucoin", name="list", interval=60.0, decode=kucoin.rails)
        for still, times in ((first, 1), (later, rounds)):
            ticking = group.create_task(still.tick(clock), name="ticks")
            await clock.sleep(10 * TICK_SECONDS)
            for _ in range(times):
                told = (await probe.observe())[-1]
                assert isinstance(told, ListRead)
                assert told.changed
            await clock.sleep(10 * TICK_SECONDS)
            ticking.cancel()
    return first, later


def stillness(bodies: tuple[bytes, bytes], encoding: str, *, rounds: int) -> tuple[Still, Still]:
    """`reading`, with the server in a process of its own."""
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there, bodies, encoding), daemon=True)
    server.start()
    try:
        gc.collect()
        gc.freeze()  # as the daemon does when it is ready
        return asyncio.run(reading(Clock(), here.recv(), rounds=rounds))
    finally:
        server.kill()
        server.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    body = coin_list(SIZE)
    later = flipped(body)
    readings = kucoin.rails(later).rails
    known = compare(NOTHING_KNOWN, kucoin.rails(body), watched=WATCHED)
    assert len(compare(known, kucoin.rails(later), watched=WATCHED).changed) == CHANGED_COINS
    listed = kucoin.rails(later)
    shuffled = Listed([*listed.rails[7:], *listed.rails[:7]], (), listed.terms)
    figures = {
        "decode and map": milliseconds(lambda: kucoin.rails(later), rounds=rounds),
        "difference": milliseconds(lambda: compare(known, listed, watched=WATCHED), rounds=rounds),
        "in another order": milliseconds(lambda: compare(known, shuffled, watched=WATCHED), rounds=rounds),
        "all of it": milliseconds(lambda: compare(known, kucoin.rails(later), watched=WATCHED), rounds=rounds),
        "json.loads and a walk": milliseconds(lambda: walk(later), rounds=rounds),
    }
    print(f"{len(later) / 1e6:.1f} MB, {len(readings) // 2} rails in both directions, median of {rounds}")
    for what, cost in figures.items():
        print(f"  {what:<22} {cost:7.2f} ms")
    print(f"  ratio to a walk        {figures['all of it'] / figures['json.loads and a walk']:7.2f}")
    print(f"event loop late by (aim: at most {MOST_STILL_MILLISECONDS:.0f} ms)")
    print(f"  idle                   {asyncio.run(idle(Clock()))}")
    for encoding, packed in (("identity", (body, later)), ("gzip", (gzip.compress(body), gzip.compress(later)))):
        for reading_of, still in zip(("first", "later"), stillness(packed, encoding, rounds=rounds), strict=True):
            print(f"  {reading_of}, {encoding:<15} {still}")
    # Last, as the objects of ccxt make every collection longer.
    if find_spec("ccxt") is None:
        print("  ratio to ccxt          skipped: ccxt is not installed (the extra [ccxt])")
    else:
        parse = parsed_by_ccxt(later)
        gc.collect()
        gc.freeze()
        ours, theirs = in_turn(lambda: compare(known, kucoin.rails(later), watched=WATCHED), parse, rounds=rounds)
        print(f"  ours, ccxt's           {ours:7.2f} ms, {theirs:.2f} ms, in turn, medians of {rounds}")
        print(f"  ratio to ccxt          {ours / theirs:7.2f} (aim: at most {AIM})")


if __name__ == "__main__":
    main()
