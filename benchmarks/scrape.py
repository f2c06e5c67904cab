"""How long a scrape over a socket blocks the event loop, next to prometheus_client's handler with the same series.

Run: PYTHONPATH=. python benchmarks/scrape.py [SERIES ...]. A task notes how long the loop did not turn while another
process scrapes; before each scrape every exchange was shown and every probe has looked.
"""

import asyncio
import gc
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter
from typing import NamedTuple
from urllib.request import Request, urlopen

import prometheus_client
from aiohttp import web
from msgspec.structs import replace
from prometheus_client.aiohttp import make_aiohttp_handler

from monitor.clock import Clock
from monitor.exposition import PREFIX, SHOWN, Intervals, exchange_groups
from monitor.metrics import Metrics
from monitor.model import Direction, ExchangeState, ExchangeView, NetworkView, ProbeView, RailVerdict, RailView
from monitor.web.scraping import Scraping
from monitor.web.server import serving

NOW = datetime(2026, 2, 3, 14, 2, 30, tzinfo=UTC)
INTERVALS = Intervals()
RAILS_AN_EXCHANGE = 40
ROUNDS = 30
PEER_ROUNDS = 10
LIMITS = {10_000: 5.0, 100_000: 25.0}  # milliseconds, by series
SERIES_A_PROBE = 13
GZIP = {"Accept-Encoding": "gzip"}
OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}


def exchange_view(exchange: str) -> ExchangeView:
    rails = (
        RailView(
            asset=f"COIN{number // 2}",
            network="ethereum",
            direction=Direction.WITHDRAWAL if number % 2 else Direction.DEPOSIT,
            verdict=RailVerdict.OPEN,
            since=NOW - timedelta(hours=number),
            first_read_at=NOW,
            source="api",
            raw="enabled",
            read_at=NOW,
            weight=1.0,
        )
        for number in range(RAILS_AN_EXCHANGE)
    )
    networks = (
        NetworkView(
            network=name,
            last_outgoing_at=NOW,
            outgoing_total=123_456,
            head_age_seconds=3.0,
            read_at=NOW,
            learned_seconds=86_400.0,
            silence_score=0.5,
        )
        for name in ("ethereum", "bsc", "tron")
    )
    return ExchangeView(
        exchange=exchange,
        at=NOW,
        withdrawals=ExchangeState.OPERATIONAL,
        since=NOW,
        reason="",
        rails=tuple(rails),
        counts={"withdrawal": {"open": 400}, "deposit": {"open": 410}},
        networks=tuple(networks),
        silence_threshold=14.2,
        probes=tuple(
            ProbeView(probe=f"{exchange}-{n}", last_success_at=NOW, failing_since=None)
            for n in ("assets", "trades", "status")
        ),
    )


def views(series: int) -> list[ExchangeView]:
    """As many exchanges as it takes."""
    view = exchange_view("exchange0")
    each = sum(len(group.samples) for group in exchange_groups(view, INTERVALS)) + SERIES_A_PROBE * len(view.probes)
    return [exchange_view(f"exchange{number}") for number in range(series // each + 1)]


class Peer:
    """The same samples through the library: a collector that makes its families at each scrape."""

    def __init__(self, shown: list[ExchangeView]) -> None:
        self._samples = [s for view in shown for group in exchange_groups(view, INTERVALS) for s in group.samples]

    def collect(self) -> Iterator[prometheus_client.Metric]:
        families = {
            family.name: prometheus_client.Metric(PREFIX + family.name, family.help, "gauge") for family in SHOWN
        }
        labels = {family.name: family.labels for family in SHOWN}
        for sample in self._samples:
            named = dict(zip(labels[sample.family], sample.labels, strict=True))
            families[sample.family].add_sample(PREFIX + sample.family, named, sample.value)
        yield from families.values()


class Blocked:
    """The longest time between two turns of the loop since it was last asked."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._turned_at = perf_counter()
        self._longest = 0.0
        self._turn()

    def milliseconds(self) -> float:
        longest, self._longest = self._longest, 0.0
        return longest * 1000

    def _turn(self) -> None:
        now = perf_counter()
        self._longest = max(self._longest, now - self._turned_at)
        self._turned_at = now
        self._loop.call_soon(self._turn)


class Scraper:
    """Another process, so that what it costs to read the answer is not taken for what it costs to give it."""

    def __init__(self, process: asyncio.subprocess.Process, address: str) -> None:
        self._process = process
        self._address = address

    async def scrape(self, how: "How") -> int:
        """The bytes that came."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([self._address, how.path, how.headers]).encode() + b"\n")
        return int(await self._process.stdout.readline())


class How(NamedTuple):
    words: str
    path: str
    headers: dict[str, str]
    is_old: bool = False  # every value that can be too old is


WAYS = (
    How("text", "/metrics", {}),
    How("text, gzip", "/metrics", GZIP),
    How("OpenMetrics, gzip", "/metrics", GZIP | OPENMETRICS),
    How("text, all values went old", "/metrics", {}, is_old=True),
)
PEERS = (How("prometheus_client, text", "/peer", {}), How("prometheus_client, text, gzip", "/peer", GZIP))


class Stage:
    """A daemon's metrics, full, and the same in the library's registry."""

    def __init__(self, series: int) -> None:
        self.clock = Clock(start=NOW)
        self.shown = views(series)
        self.metrics = Metrics(version="benchmark", intervals=INTERVALS, max_series=10 * series)
        registry = prometheus_client.CollectorRegistry()
        registry.register(Peer(self.shown))
        app = web.Application()
        app.router.add_get("/metrics", Scraping(self.metrics, self.clock).answer)
        app.router.add_get("/peer", make_aiohttp_handler(registry))
        self.app = app

    def live(self, *, is_old: bool) -> None:
        """All is shown and every probe has looked; then an hour passes, or not."""
        for view in self.shown:
            self.metrics.show(replace(view, at=self.clock.now()) if is_old else view)
            for probe in view.probes:
                self.metrics.probed(view.exchange, probe.probe, 0.1)
        if is_old:
            self.clock.step(3600.0)


async def blocked(scraper: Scraper, stage: Stage, how: How, gaps: Blocked) -> float:
    """Milliseconds: the longest that a scrape kept the loop from turning, the median of some."""
    longest = []
    for _ in range(PEER_ROUNDS if how in PEERS else ROUNDS):
        stage.live(is_old=how.is_old)
        await asyncio.sleep(0)
        gaps.milliseconds()
        await scraper.scrape(how)
        longest.append(gaps.milliseconds())
        if how.is_old:
            stage.clock.step(-3600.0)
    return median(longest)


async def idle(gaps: Blocked) -> float:
    """The same of a loop that does nothing: what the machine's other work costs."""
    longest = []
    for _ in range(ROUNDS):
        gaps.milliseconds()
        await asyncio.sleep(0.05)
        longest.append(gaps.milliseconds())
    return median(longest)


async def main(series: int, limit: float) -> None:
    stage = Stage(series)
    stage.live(is_old=False)
    body, _ = stage.metrics.render("text/plain", now=NOW)
    written = sum(not line.startswith(b"#") for line in body.splitlines())
    process = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "--scraper", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    gc.freeze()  # as the daemon does after its start
    async with serving(stage.app, host="127.0.0.1", port=0) as address:
        scraper, gaps = Scraper(process, address), Blocked()
        print(f"{written} series of {len(stage.shown)} exchanges, {len(body) / 1e6:.1f} MB, over a socket;")
        print(f"the longest that the loop did not turn, median of {ROUNDS} scrapes (library: {PEER_ROUNDS})")
        print(f"  nothing to do                 {await idle(gaps):9.2f} ms")
        ours = {how.words: await blocked(scraper, stage, how, gaps) for how in WAYS}
        theirs = {how.words: await blocked(scraper, stage, how, gaps) for how in PEERS}
    process.terminate()
    await process.wait()
    for words, lasted in (ours | theirs).items():
        print(f"  {words:<30}{lasted:9.2f} ms" + (f" (limit {limit:.0f})" if words in ours else ""))
    print(f"  ratio text / prometheus_client{ours[WAYS[0].words] / theirs[PEERS[0].words]:9.4f}")


def scrape_for_ever() -> None:
    for told in sys.stdin:
        address, path, headers = json.loads(told)
        with urlopen(Request(address + path, headers=headers)) as answer:  # noqa: S310 - our own address
            print(len(answer.read()), flush=True)


if __name__ == "__main__":
    if "--scraper" in sys.argv:
        scrape_for_ever()
    else:
        for number in [int(word) for word in sys.argv[1:]] or LIMITS:
            asyncio.run(main(number, LIMITS.get(number, LIMITS[100_000])))
