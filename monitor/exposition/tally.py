"""What the daemon counts. prometheus_client counts; a series is written anew only when it has changed."""

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TypeVar

import prometheus_client

from monitor.exposition.text import PREFIX, Block, Family, Kind, cut, line, series

Labels = tuple[str, ...]
L = TypeVar("L", bound=Labels)
Metric = prometheus_client.Counter | prometheus_client.Gauge | prometheus_client.Histogram
WRITTEN_TOGETHER = 50  # series with what they have of parts: about a millisecond


class Tally:
    """Label values are cut here, once. `registry` holds the library's own of all that is counted."""

    def __init__(self, families: Iterable[Family]) -> None:
        # A _created series beside each counter and histogram would double them, and no Prometheus reads it from here.
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = prometheus_client.CollectorRegistry()
        self._families = {family.name: family for family in families}
        named = self._families.values()
        self._counters = {f.name: _counter(f, self.registry) for f in named if f.kind is Kind.COUNTER}
        self._gauges = {f.name: _gauge(f, self.registry) for f in named if f.kind is Kind.GAUGE}
        self._histograms = {f.name: _histogram(f, self.registry) for f in named if f.kind is Kind.HISTOGRAM}
        self._lines: dict[str, dict[Labels, bytes]] = {name: {} for name in self._families}
        self._joined: dict[str, bytes] = {}
        self._changed: dict[tuple[str, Labels], Metric] = {}
        everything: dict[str, Metric] = {**self._counters, **self._gauges, **self._histograms}
        for name, metric in everything.items():
            if not self._families[name].labels:
                self._changed[name, ()] = metric

    def count(self, name: str, *labels: str, by: float = 1) -> None:
        values = _cut(labels)
        counter = self._counters[name].labels(*values) if values else self._counters[name]
        counter.inc(by)
        self._changed[name, values] = counter

    def put(self, name: str, *labels: str, value: float) -> None:
        """A gauge shows `value`."""
        values = _cut(labels)
        gauge = self._gauges[name].labels(*values) if values else self._gauges[name]
        gauge.set(value)
        self._changed[name, values] = gauge

    def put_only(self, name: str, shown: Mapping[L, float]) -> None:
        """A gauge has these series, and no others any more."""
        self._gauges[name].clear()
        self._lines[name].clear()
        self._joined.pop(name, None)
        self._changed = {key: metric for key, metric in self._changed.items() if key[0] != name}
        for labels, value in shown.items():
            self.put(name, *labels, value=value)

    def observe(self, name: str, *labels: str, value: float) -> None:
        values = _cut(labels)
        histogram = self._histograms[name].labels(*values) if values else self._histograms[name]
        histogram.observe(value)
        self._changed[name, values] = histogram

    def pieces(self) -> Iterator[None]:
        """Write what has changed, some of it at each step."""
        while self._changed:
            for key in list(islice(self._changed, WRITTEN_TOGETHER)):
                self._write(*key, self._changed.pop(key))
            yield

    def block(self) -> Block:
        """All that is counted, as it is now. A family without a series has its header, as with the library."""
        for _ in self.pieces():
            pass
        for name in self._lines.keys() - self._joined.keys():
            self._joined[name] = b"".join(self._lines[name].values())
        return Block(lines=dict(self._joined))

    def _write(self, name: str, values: Labels, metric: Metric) -> None:
        own = dict(zip(self._families[name].labels, values, strict=True))
        samples = (sample for collected in metric.collect() for sample in collected.samples)
        text = "".join(line(series(each.name, own | each.labels), each.value) for each in samples)
        self._lines[name][values] = text.encode()
        self._joined.pop(name, None)


def _cut(labels: Labels) -> Labels:
    return tuple(cut(label) for label in labels)


def _counter(family: Family, registry: prometheus_client.CollectorRegistry) -> prometheus_client.Counter:
    return prometheus_client.Counter(PREFIX + family.name, family.help, family.labels, registry=registry)


def _gauge(family: Family, registry: prometheus_client.CollectorRegistry) -> prometheus_client.Gauge:
    gauge = prometheus_client.Gauge(PREFIX + family.name, family.help, family.labels, registry=registry)
    if family.name.endswith(("_timestamp_seconds", "_offset_seconds")) and not family.labels:
        # The library starts at 0, which reads as an age of half a century to an alert, or as a clock that is right.
        gauge.set(math.nan)
    return gauge


def _histogram(family: Family, registry: prometheus_client.CollectorRegistry) -> prometheus_client.Histogram:
    return prometheus_client.Histogram(
        PREFIX + family.name, family.help, family.labels, registry=registry, buckets=family.buckets
    )
