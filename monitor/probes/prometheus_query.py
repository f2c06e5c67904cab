"""The operator's own queue of withdrawals, by PromQL from a Prometheus or what speaks its query API."""

import math
from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, Rail, Reading, RemoteError
from monitor.probes import promql
from monitor.probes.answer import Endpoint, own_endpoint, shortened
from monitor.probes.queue import QueueFlaw, QueueRow, queue_reading, rail_of, row_of
from monitor.probes.rows import rows

STALE_SECONDS = 60.0
"""An instant query is answered with values of this instant; an older one comes from a cache."""


class QueueQueries(Struct, frozen=True, kw_only=True):
    """PromQL. `requested` and `broadcast` count within the window, `pending` now; "" for no `oldest_seconds`."""

    requested: str
    broadcast: str
    pending: str
    oldest_seconds: str = ""


class PrometheusQueueProbe:
    """Asks each query and joins the answers by asset and network.

    `increase()` extrapolates, so counts within the window come with fractions: they are rounded half up, and more than
    none is at least one. A rail that only `requested` or `broadcast` does not know has none of these; one without
    `pending`, or with a count that is negative or no number, cannot be read.
    """

    def __init__(
        self,
        http: Http,
        clock: Clock,
        *,
        exchange: str,
        name: str,
        url: str,
        queries: QueueQueries,
        asset_label: str,
        network_label: str,
        window_seconds: float,
        interval: float,
        allow_private: bool,
        token: str = "",
    ) -> None:
        self.name = name
        self.exchange = exchange
        self.interval = interval
        self._clock = clock
        self._labels = (asset_label, network_label)
        self._window_seconds = window_seconds
        self._endpoints = [
            own_endpoint(
                http,
                promql.address(url, "query", query=query),
                token=token,
                allow_private=allow_private,
                interval=interval,
            )
            for query in (queries.requested, queries.broadcast, queries.pending, queries.oldest_seconds)
            if query
        ]

    async def observe(self) -> Reading:
        keys = QueueQueries.__struct_fields__
        vectors = _Vectors(*[await self._vector(key, at) for key, at in zip(keys, self._endpoints, strict=False)])
        joined = list(_joined(vectors))
        return queue_reading(
            [each for each in joined if type(each) is QueueRow],
            [*vectors.flaws(), *(each for each in joined if type(each) is QueueFlaw)],
            at=self._clock.now(),
            exchange=self.exchange,
            probe=self.name,
            window_seconds=self._window_seconds,
        )

    async def _vector(self, key: str, endpoint: Endpoint) -> "_Vector":
        try:
            answer = await endpoint.fetch()
            series = await endpoint.read(answer, _series)
        except RemoteError as error:
            raise RemoteError(error.reason, shortened(f"{key}: {error.detail}"), permanent=error.permanent) from error
        _refuse_old(series.good, key=key, now=answer.date or self._clock.now())
        return _read(series, key=key, labels=self._labels)


class _Series(Struct, frozen=True):
    metric: dict[str, str]
    value: tuple[float, str]  # unix seconds, number


class _Answered(Struct, frozen=True):
    good: list[_Series]
    flaws: list[str]


class _Vector(Struct, frozen=True):
    """The values of a query by rail; `wrong` tells of a rail why its value cannot be had."""

    values: dict[Rail, float] = {}
    wrong: dict[Rail, str] = {}
    flaws: list[QueueFlaw] = []


class _Vectors(Struct, frozen=True):
    requested: _Vector
    broadcast: _Vector
    pending: _Vector
    oldest_seconds: _Vector = _Vector()

    def flaws(self) -> list[QueueFlaw]:
        return [*self.requested.flaws, *self.broadcast.flaws, *self.pending.flaws, *self.oldest_seconds.flaws]


def _series(body: bytes) -> _Answered:
    read = rows(promql.result(body, "vector"), _Series, asset="", path="$.data.result")
    return _Answered(read.good, [flaw.detail for flaw in read.flaws])


def _refuse_old(series: Iterable[_Series], *, key: str, now: datetime) -> None:
    oldest = min((each.value[0] for each in series), default=now.timestamp())
    age = now.timestamp() - oldest
    if age > STALE_SECONDS:
        raise RemoteError(FailureReason.STALE, f"{key}: of {age:.0f} s ago")


def _read(series: _Answered, *, key: str, labels: tuple[str, str]) -> _Vector:
    vector = _Vector(flaws=[QueueFlaw(detail=f"{key}: {detail}") for detail in series.flaws])
    for each in series.good:
        asset, network = (each.metric.get(label, "") for label in labels)
        if not asset or not network:
            vector.flaws.append(QueueFlaw(detail=f"{key}: a series without the labels {' and '.join(labels)}"))
            continue
        rail = rail_of(asset, network)
        if rail in vector.values:
            vector.wrong[rail] = f"{key}: {rail} has two series; aggregate with `sum by ({', '.join(labels)})`"
        vector.values[rail] = promql.number(each.value[1])
    return vector


def _joined(vectors: _Vectors) -> Iterator[QueueRow | QueueFlaw]:
    known = (vectors.requested, vectors.broadcast, vectors.pending)
    for rail in sorted({rail for vector in known for rail in vector.values}):
        try:
            yield _row(rail, vectors)
        except RemoteError as error:
            yield QueueFlaw(detail=error.detail, rail=rail)


def _row(rail: Rail, vectors: _Vectors) -> QueueRow:
    """Raises `RemoteError` (schema)."""
    pending = _value(vectors.pending, rail, "pending")
    if pending is None or pending != math.floor(pending):
        raise RemoteError(FailureReason.SCHEMA, f"{rail}: pending is {_spelled(pending)}, not a whole number")
    return row_of(
        {
            "asset": rail.asset,
            "network": rail.network,
            "requested": _rounded(_value(vectors.requested, rail, "requested")),
            "broadcast": _rounded(_value(vectors.broadcast, rail, "broadcast")),
            "pending": int(pending),
            "oldest_seconds": _oldest(vectors.oldest_seconds.values.get(rail)) if pending else None,
        }
    )


def _value(vector: _Vector, rail: Rail, key: str) -> float | None:
    """None where the query does not know the rail. Raises `RemoteError` (schema) for what counts nothing."""
    if rail in vector.wrong:
        raise RemoteError(FailureReason.SCHEMA, vector.wrong[rail])
    value = vector.values.get(rail)
    if value is not None and not (math.isfinite(value) and value >= 0):
        raise RemoteError(FailureReason.SCHEMA, f"{rail}: {key} is {value:g}, which counts nothing")
    return value


def _rounded(value: float | None) -> int:
    return max(1, math.floor(value + 0.5)) if value else 0


def _oldest(value: float | None) -> float | None:
    """An age comes out just below zero where clocks differ."""
    return 0.0 if value is not None and value < 0 else value


def _spelled(value: float | None) -> str:
    return "missing" if value is None else f"{value:g}"
