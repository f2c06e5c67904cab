"""How long a scrape blocks the loop, next to prometheus_client's generate_latest of the same series in the same run.

`python benchmarks/scrape.py [SERIES]`; medians of 30 rounds that take turns.
"""

import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median

import prometheus_client
from msgspec.structs import replace

from monitor.exposition import PREFIX, SHOWN, Intervals, exchange_groups
from monitor.metrics import Metrics
from monitor.model import Direction, ExchangeState, ExchangeView, NetworkView, ProbeView, RailVerdict, RailView

NOW = datetime(2026, 2, 3, 14, 2, 30, tzinfo=UTC)
INTERVALS = Intervals()
RAILS_AN_EXCHANGE = 40
ROUNDS = 30
LIMIT_MILLISECONDS = 20.0


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
            ProbeView(probe=f"{exchange}-{n}", last_success_at=NOW, failing_since=None) for n in ("assets", "trades")
        ),
    )


def views(series: int) -> list[ExchangeView]:
    """As many exchanges as it takes."""
    each = sum(len(group.samples) for group in exchange_groups(exchange_view("exchange0"), INTERVALS))
    return [exchange_view(f"exchange{number}") for number in range(series // each + 1)]


def changed(view: ExchangeView) -> ExchangeView:
    """One rail shut; the rest was read again."""
    first, *others = view.rails
    return replace(view, rails=(replace(first, verdict=RailVerdict.SUSPENDED), *others))


class Peer:
    """The same samples through the library: a collector that makes its families at each scrape."""

    def __init__(self, shown: list[ExchangeView]) -> None:
        self._samples = [s for view in shown for group in exchange_groups(view, INTERVALS) for s in group.samples]

    def __len__(self) -> int:
        return len(self._samples)

    def collect(self) -> Iterator[prometheus_client.Metric]:
        families = {
            family.name: prometheus_client.Metric(PREFIX + family.name, family.help, "gauge") for family in SHOWN
        }
        labels = {family.name: family.labels for family in SHOWN}
        for sample in self._samples:
            named = dict(zip(labels[sample.family], sample.labels, strict=True))
            families[sample.family].add_sample(PREFIX + sample.family, named, sample.value)
        yield from families.values()


def milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def main(series: int) -> None:
    shown = views(series)
    metrics = Metrics(version="benchmark", intervals=INTERVALS, max_series=10 * series)
    for view in shown:
        metrics.show(view)
        metrics.probed(view.exchange, f"{view.exchange}-assets", 0.1)
    peer = Peer(shown)
    scrape, library, change, stale = [], [], [], []
    for number in range(ROUNDS):
        scrape.append(milliseconds(lambda: metrics.render("text/plain", now=NOW)))
        library.append(milliseconds(lambda: prometheus_client.generate_latest(peer)))
        change.append(milliseconds(partial(metrics.show, changed(shown[number % len(shown)]))))
    for _ in range(ROUNDS):
        for view in shown:
            metrics.show(view)
        stale.append(milliseconds(lambda: metrics.render("text/plain", now=NOW + timedelta(hours=1))))
    body, _ = metrics.render("text/plain", now=NOW)
    print(f"{len(peer)} series of {len(shown)} exchanges, {len(body) / 1e6:.1f} MB, medians of {ROUNDS}")
    print(f"  a scrape                          {median(scrape):8.2f} ms (limit {LIMIT_MILLISECONDS:.0f} ms at 10,000)")
    print(f"  a scrape when all values went old {median(stale):8.2f} ms")
    print(f"  showing one changed exchange      {median(change):8.2f} ms")
    print(f"  generate_latest of the same       {median(library):8.2f} ms")
    print(f"  ratio scrape / generate_latest    {median(scrape) / median(library):8.4f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
