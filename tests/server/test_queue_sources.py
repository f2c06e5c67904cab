"""The operator's own queue, from a real Prometheus, from one that misbehaves and from a JSON document."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, ProbeFailure, Reading, RemoteError, WithdrawalQueue
from monitor.probes.http_json import JsonQueueProbe, QueuePaths
from monitor.probes.prometheus_query import PrometheusQueueProbe, QueueQueries
from monitor.replay.stage import listening
from tests.faults.virtual_clock import VirtualClock
from tests.prometheus_server import PATIENCE_SECONDS, prometheus

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)
TOKEN = "S3CR3T-token"  # noqa: S105 - stands for one
QUERIES = QueueQueries(requested="asked + on(asset) {a=~'b&c'}", broadcast="sent", pending="waiting")
WITH_AGE = msgspec.structs.replace(QUERIES, oldest_seconds="age")


def lines(reading: Reading) -> dict[str, tuple[int, int, int, float | None]]:
    """Requested, broadcast, pending and the age of the oldest, by rail."""
    return {
        f"{seen.asset}@{seen.network}": (seen.requested, seen.broadcast, seen.pending, seen.oldest_seconds)
        for seen in reading
        if type(seen) is WithdrawalQueue
    }


def unread(reading: Reading) -> list[tuple[str | None, str | None, str]]:
    return [(seen.asset, seen.network, seen.detail) for seen in reading if type(seen) is ProbeFailure]


class Source:
    """Answers a query of PromQL, or "" for the page, with the body that stands under it."""

    def __init__(self, url: str, clock: Clock, bodies: dict[str, bytes], seen: list[web.Request]) -> None:
        self.url = url
        self.clock = clock
        self.bodies = bodies
        self.seen = seen

    def tell(self, **vectors: Mapping[tuple[str, str], str]) -> None:
        """Values by asset and network, of this moment."""
        for key, values in vectors.items():
            now = self.clock.now().timestamp()
            series = [
                {"metric": {"asset": asset, "network": network}, "value": [now, value]}
                for (asset, network), value in values.items()
            ]
            self.answer(key, {"status": "success", "data": {"resultType": "vector", "result": series}})

    def answer(self, key: str, body: object) -> None:
        self.bodies[msgspec.structs.asdict(QUERIES).get(key, key)] = msgspec.json.encode(body)

    def prometheus(self, http: Http, queries: QueueQueries = QUERIES, *, token: str = "") -> PrometheusQueueProbe:
        return PrometheusQueueProbe(
            http,
            self.clock,
            exchange="kraken",
            name="kraken-queue",
            url=self.url,
            queries=queries,
            asset_label="asset",
            network_label="network",
            window_seconds=120.0,
            interval=15.0,
            allow_private=True,
            token=token,
        )

    def page(self, http: Http, *, rows: str = "@", token: str = "", **paths: str) -> JsonQueueProbe:
        names = ("asset", "network", "requested", "broadcast", "pending", "oldest_seconds")
        return JsonQueueProbe(
            http,
            self.clock,
            exchange="kraken",
            name="kraken-queue",
            url=f"{self.url}/queue",
            rows=rows,
            paths=QueuePaths(**{name: paths.get(name, name) for name in names}),
            window_seconds=120.0,
            interval=15.0,
            allow_private=True,
            token=token,
        )


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    bodies: dict[str, bytes] = {}
    seen: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        query = request.query.get("query", "")
        if query not in bodies:
            raise web.HTTPBadRequest(text='{"status":"error"}')
        return web.Response(body=bodies[query], content_type="application/json")

    clock = VirtualClock(NOON)
    app = web.Application()
    app.add_routes([web.get("/api/v1/query", answer), web.get("/queue", answer)])
    async with listening(app, clock) as url:
        yield Source(url, clock, bodies, seen)


@pytest.fixture
async def http(source: Source) -> AsyncIterator[Http]:
    async with Http(source.clock, per_second={"127.0.0.1": 1000.0}) as client:
        yield client


BTC, USDT = ("BTC", "bitcoin"), ("usdt", "TRC20")


async def test_vectors_are_joined_by_asset_and_network_in_our_words(source: Source, http: Http) -> None:
    source.tell(
        requested={BTC: "6", USDT: "0"}, broadcast={BTC: "5.7"}, pending={BTC: "2", USDT: "0"}, age={BTC: "41.5"}
    )
    reading = await source.prometheus(http, WITH_AGE, token=TOKEN).observe()
    assert lines(reading) == {"BTC@bitcoin": (6, 6, 2, 41.5), "USDT@tron": (0, 0, 0, None)}
    first = reading[0]
    assert type(first) is WithdrawalQueue
    assert (first.at, first.exchange, first.probe, first.window_seconds) == (NOON, "kraken", "kraken-queue", 120.0)
    assert [request.query["query"] for request in source.seen] == [*msgspec.structs.astuple(WITH_AGE)]
    assert {request.headers["Authorization"] for request in source.seen} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("told", "counted"),
    [
        pytest.param("5.4999", 5, id="down"),
        pytest.param("4.5", 5, id="half up"),
        pytest.param("0.2", 1, id="more than none is at least one"),
        pytest.param("0", 0, id="none"),
        pytest.param("-0", 0, id="none below zero"),
        pytest.param("1e3", 1000, id="as Prometheus writes large ones"),
    ],
)
async def test_fractions_of_increase_are_rounded(source: Source, http: Http, told: str, counted: int) -> None:
    source.tell(requested={BTC: told}, broadcast={BTC: told}, pending={BTC: "0"})
    assert lines(await source.prometheus(http).observe()) == {"BTC@bitcoin": (counted, counted, 0, None)}


@pytest.mark.parametrize(
    ("key", "told", "detail"),
    [
        pytest.param("requested", "NaN", "requested is nan, which counts nothing", id="no number"),
        pytest.param("broadcast", "+Inf", "broadcast is inf, which counts nothing", id="infinite"),
        pytest.param("broadcast", "-1", "broadcast is -1, which counts nothing", id="negative"),
        pytest.param("requested", "many", "requested is nan, which counts nothing", id="a word"),
        pytest.param("pending", "NaN", "pending is nan, which counts nothing", id="waiting no number"),
        pytest.param("pending", "2.5", "pending is 2.5, not a whole number", id="waiting in parts"),
        pytest.param("pending", "1e13", "Expected `int` <= 1000000000000 - at `$.pending`", id="waiting for ever"),
        pytest.param("age", "NaN", "Expected `float` >= 0.0 - at `$.oldest_seconds`", id="waiting nobody knows since"),
    ],
)
async def test_a_value_that_counts_nothing_costs_its_rail(
    source: Source, http: Http, key: str, told: str, detail: str
) -> None:
    source.tell(
        requested={BTC: "1", USDT: "1"},
        broadcast={BTC: "1", USDT: "1"},
        pending={BTC: "1", USDT: "1"},
        age={BTC: "1", USDT: "1"},
    )
    source.tell(**{key: {BTC: told, USDT: "1"}})
    reading = await source.prometheus(http, WITH_AGE).observe()
    assert lines(reading) == {"USDT@tron": (1, 1, 1, 1.0)}
    [(asset, network, said)] = unread(reading)
    assert (asset, network) == BTC
    assert said.endswith(detail)


async def test_a_pair_without_pending_is_not_read_and_one_without_counts_has_none(source: Source, http: Http) -> None:
    source.tell(requested={BTC: "3"}, broadcast={}, pending={USDT: "4"})
    reading = await source.prometheus(http).observe()
    assert lines(reading) == {"USDT@tron": (0, 0, 4, None)}
    assert unread(reading) == [("BTC", "bitcoin", "BTC@bitcoin: pending is missing, not a whole number")]


async def test_two_series_of_a_pair_cost_it(source: Source, http: Http) -> None:
    source.tell(requested={BTC: "3", ("btc", "BTC"): "1", USDT: "1"}, broadcast={}, pending={BTC: "1", USDT: "1"})
    reading = await source.prometheus(http).observe()
    assert lines(reading) == {"USDT@tron": (1, 0, 1, None)}
    told = "requested: BTC@bitcoin has two series; aggregate with `sum by (asset, network)`"
    assert unread(reading) == [("BTC", "bitcoin", told)]


async def test_a_series_without_labels_is_told_and_costs_no_other(source: Source, http: Http) -> None:
    source.tell(requested={BTC: "3", ("", "bitcoin"): "1"}, broadcast={BTC: "1"}, pending={BTC: "1"})
    reading = await source.prometheus(http).observe()
    assert lines(reading) == {"BTC@bitcoin": (3, 1, 1, None)}
    assert unread(reading) == [(None, None, "requested: a series without the labels asset and network")]


async def test_an_age_is_not_asked_of_an_empty_queue_and_never_below_zero(source: Source, http: Http) -> None:
    source.tell(
        requested={},
        broadcast={},
        pending={BTC: "0", USDT: "1"},
        age={BTC: "NaN", USDT: "-0.3", ("SOL", "solana"): "1"},
    )
    reading = await source.prometheus(http, WITH_AGE).observe()
    assert lines(reading) == {"BTC@bitcoin": (0, 0, 0, None), "USDT@tron": (0, 0, 1, 0.0)}
    assert unread(reading) == []


def success(kind: str, result: object, **more: object) -> dict[str, object]:
    return {"status": "success", "data": {"resultType": kind, "result": result}, **more}


@pytest.mark.parametrize(
    ("body", "reason", "detail"),
    [
        pytest.param(
            {"status": "error", "errorType": "bad_data", "error": "parse error: unclosed left parenthesis"},
            FailureReason.HTTP_4XX,
            "broadcast: bad_data: parse error: unclosed left parenthesis",
            id="a query it does not understand",
        ),
        pytest.param(
            {"status": "error", "errorType": "timeout", "error": "query timed out"},
            FailureReason.HTTP_5XX,
            "broadcast: timeout: query timed out",
            id="a query it has no time for",
        ),
        pytest.param(
            success("scalar", [1770120000, "3"]),
            FailureReason.SCHEMA,
            "broadcast: the result is a scalar, not a vector",
            id="a number without labels",
        ),
        pytest.param(
            success("matrix", []),
            FailureReason.SCHEMA,
            "broadcast: the result is a matrix, not a vector",
            id="a range",
        ),
        pytest.param(
            success("vector", [], warnings=["a store did not answer"]),
            FailureReason.SHAPE,
            "broadcast: answered with a warning: a store did not answer",
            id="part of the data",
        ),
        pytest.param({"status": "success"}, FailureReason.SCHEMA, "broadcast: no error and no `data`", id="no data"),
        pytest.param(
            success("vector", [{"metric": {}, "histogram": [1770120000, {}]}]),
            FailureReason.SCHEMA,
            "broadcast: 1 of 1 rows; Object missing required field `value` - at `$.data.result[0]`",
            id="a histogram",
        ),
        pytest.param("<html>", FailureReason.SCHEMA, "broadcast: Expected `object`", id="something else"),
        pytest.param(
            success("vector", [{"metric": {"asset": "BTC", "network": "bitcoin"}, "value": [1770119900, "1"]}]),
            FailureReason.STALE,
            "broadcast: of 100 s ago",
            id="values of the past",
        ),
    ],
)
async def test_an_answer_that_is_none_is_a_failure_of_its_query(
    source: Source, http: Http, body: object, reason: FailureReason, detail: str
) -> None:
    source.tell(requested={BTC: "3"}, pending={BTC: "1"})
    source.answer("broadcast", body)
    with pytest.raises(RemoteError) as caught:
        await source.prometheus(http, token=TOKEN).observe()
    assert (caught.value.reason, caught.value.detail[: len(detail)]) == (reason, detail)
    assert TOKEN not in f"{caught.value!r}"


async def test_a_status_that_refuses_the_query_names_it(source: Source, http: Http) -> None:
    source.tell(requested={BTC: "3"})
    with pytest.raises(RemoteError, match=r"broadcast: 127\.0\.0\.1 answered 400") as caught:
        await source.prometheus(http).observe()
    assert caught.value.reason is FailureReason.HTTP_4XX


@pytest.mark.parametrize(
    ("pairs", "reason", "detail"),
    [
        pytest.param([], FailureReason.SHAPE, "no asset and network in it", id="no series"),
        pytest.param(
            [(f"A{n}", "x") for n in range(1001)], FailureReason.SHAPE, "1001 assets and networks", id="series a user"
        ),
        pytest.param([("a@b", "x")], FailureReason.SCHEMA, "1 of 1 rows; Expected words", id="none that can be read"),
    ],
)
async def test_no_queue_at_all_is_a_failure_and_never_zero(
    source: Source, http: Http, pairs: list[tuple[str, str]], reason: FailureReason, detail: str
) -> None:
    source.tell(requested={}, broadcast={}, pending=dict.fromkeys(pairs, "0"))
    with pytest.raises(RemoteError) as caught:
        await source.prometheus(http).observe()
    assert (caught.value.reason, caught.value.detail[: len(detail)]) == (reason, detail)


ROW = {"asset": "BTC", "network": "BTC", "requested": 4, "broadcast": 3, "pending": 1, "oldest_seconds": 40}


async def test_a_page_as_it_comes(source: Source, http: Http) -> None:
    source.answer("", [ROW, {**ROW, "asset": "eth", "network": "ERC20", "oldest_seconds": None}])
    reading = await source.page(http, token=TOKEN).observe()
    assert lines(reading) == {"BTC@bitcoin": (4, 3, 1, 40.0), "ETH@ethereum": (4, 3, 1, None)}
    assert {seen.probe for seen in reading} == {"kraken-queue"}
    assert source.seen[0].headers["Authorization"] == f"Bearer {TOKEN}"


async def test_a_page_of_any_shape_by_a_mapping(source: Source, http: Http) -> None:
    item = {"coin": "USDT", "chain": "Tron", "last_2m": {"in": "7", "out": [1, 1]}, "waiting": {"ids": ["a", "b"]}}
    source.answer("", {"data": {"queues": [item]}})
    probe = source.page(
        http,
        rows="data.queues",
        asset="coin",
        network="chain",
        requested="to_number(last_2m.in)",
        broadcast="sum(last_2m.out)",
        pending="length(waiting.ids)",
    )
    assert lines(await probe.observe()) == {"USDT@tron": (7, 2, 2, None)}


@pytest.mark.parametrize(
    ("wrong", "detail"),
    [
        pytest.param({"requested": -1}, "Expected `int` >= 0 - at `$.requested`", id="negative"),
        pytest.param({"broadcast": 1.5}, "Expected `int`, got `float` - at `$.broadcast`", id="a fraction"),
        pytest.param({"pending": "3"}, "Expected `int`, got `str` - at `$.pending`", id="a word"),
        pytest.param({"pending": True}, "Expected `int`, got `bool` - at `$.pending`", id="true"),
        pytest.param({"pending": None}, "Expected `int`, got `null` - at `$.pending`", id="null"),
        pytest.param({"oldest_seconds": -5}, "Expected `float` >= 0.0 - at `$.oldest_seconds`", id="from the future"),
    ],
)
async def test_an_item_that_does_not_fit_costs_itself(
    source: Source, http: Http, wrong: dict[str, object], detail: str
) -> None:
    source.answer("", [ROW, {**ROW, "asset": "ETH", "network": "ETH", **wrong}])
    reading = await source.page(http).observe()
    assert lines(reading) == {"BTC@bitcoin": (4, 3, 1, 40.0)}
    [(asset, network, said)] = unread(reading)
    assert (asset, network) == ("ETH", "ethereum")
    assert said.startswith(f"item 1: {detail}")


@pytest.mark.parametrize(
    "item",
    [
        pytest.param({}, id="empty"),
        pytest.param(None, id="null"),
        pytest.param([ROW], id="a list"),
        pytest.param({**ROW, "asset": 5}, id="an asset that is a number"),
        pytest.param({**ROW, "asset": "B\u0000C"}, id="an asset that cannot be shown"),
        pytest.param({**ROW, "network": "x" * 100}, id="a network that is a story"),
    ],
)
async def test_an_item_of_nobody_is_told_without_a_name(source: Source, http: Http, item: object) -> None:
    source.answer("", [ROW, item])
    [(asset, network, _)] = unread(await source.page(http).observe())
    assert (asset, network) == (None, None)


async def test_an_expression_that_fails_in_an_item_costs_the_item(source: Source, http: Http) -> None:
    source.answer("", [ROW, {**ROW, "asset": "ETH", "requested": "four"}])
    reading = await source.page(http, requested="abs(requested)").observe()
    assert lines(reading) == {"BTC@bitcoin": (4, 3, 1, 40.0)}
    assert unread(reading)[0][2].startswith("item 1: `abs(requested)` does not fit: ")


async def test_of_two_rows_for_a_rail_none_counts(source: Source, http: Http) -> None:
    source.answer("", [ROW, {**ROW, "network": "bitcoin", "broadcast": 0}, {**ROW, "asset": "LTC", "network": "LTC"}])
    reading = await source.page(http).observe()
    assert lines(reading) == {"LTC@litecoin": (4, 3, 1, 40.0)}
    assert unread(reading) == [("BTC", "bitcoin", "BTC@bitcoin is there twice")]


@pytest.mark.parametrize(
    ("rows", "body", "reason", "detail"),
    [
        pytest.param("data", {"data": {}}, FailureReason.SCHEMA, "`data` is not a list", id="a mapping"),
        pytest.param("data", {}, FailureReason.SCHEMA, "`data` is not a list", id="nothing there"),
        pytest.param("keys(@)", [], FailureReason.SCHEMA, "`keys(@)` does not fit", id="another shape"),
        pytest.param("@[::0]", [1], FailureReason.SCHEMA, "`@[::0]` does not fit", id="an expression that cannot be"),
        pytest.param("@", [], FailureReason.SHAPE, "no asset and network in it", id="an empty list"),
        pytest.param("@", [{}], FailureReason.SCHEMA, "1 of 1 rows; item 0: ", id="no item that fits"),
        pytest.param("@", [ROW] * 1001, FailureReason.SHAPE, "1001 assets and networks", id="more than there can be"),
    ],
)
async def test_a_page_that_is_none_is_a_failure(
    source: Source, http: Http, rows: str, body: object, reason: FailureReason, detail: str
) -> None:
    source.answer("", body)
    with pytest.raises(RemoteError) as caught:
        await source.page(http, rows=rows).observe()
    assert (caught.value.reason, caught.value.detail[: len(detail)]) == (reason, detail)


class Wallet:
    """An exporter of withdrawals: it broadcasts as many as are requested until it is stuck."""

    def __init__(self) -> None:
        self.requested = self.broadcast = 0
        self.is_stuck = False
        self.scraped = asyncio.Event()

    async def metrics(self, _: web.Request) -> web.Response:
        self.requested += 3
        self.broadcast = self.broadcast if self.is_stuck else self.requested
        self.scraped.set()
        labels = '{asset="btc",network="bitcoin"}'
        text = (
            f"# TYPE withdrawals_requested_total counter\nwithdrawals_requested_total{labels} {self.requested}\n"
            f"# TYPE withdrawals_broadcast_total counter\nwithdrawals_broadcast_total{labels} {self.broadcast}\n"
            f"# TYPE withdrawals_pending gauge\nwithdrawals_pending{labels} {self.requested - self.broadcast}\n"
        )
        return web.Response(text=text)

    async def next_scrape(self) -> None:
        self.scraped.clear()
        await self.scraped.wait()


async def until_read(probe: PrometheusQueueProbe, wallet: Wallet, *, is_stuck: bool) -> Reading:
    """The first reading, a scrape after another, that shows requests with payments or, stuck, without any."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            await wallet.next_scrape()
            try:
                reading = await probe.observe()
            except RemoteError as error:
                assert error.reason is FailureReason.SHAPE, error  # noqa: PT017 - before its second scrape it has no increase
                continue
            [(requested, broadcast, _, _)] = lines(reading).values()
            if requested and (broadcast == 0) is is_stuck:
                return reading


async def test_a_real_prometheus_tells_a_queue_that_is_stuck(tmp_path: Path) -> None:
    wallet, clock = Wallet(), Clock()
    app = web.Application()
    app.add_routes([web.get("/metrics", wallet.metrics)])
    counted = "sum by (asset, network) (increase(withdrawals_{}_total[3s]))"
    async with (
        listening(app, clock) as exporter,
        prometheus(tmp_path, exporter.removeprefix("http://"), job="wallet") as url,
        Http(clock, per_second={"127.0.0.1": 1000.0}) as http,
    ):
        probe = Source(url, clock, {}, []).prometheus(
            http,
            QueueQueries(
                requested=counted.format("requested"),
                broadcast=counted.format("broadcast"),
                pending="sum by (asset, network) (withdrawals_pending)",
            ),
        )
        paying = await until_read(probe, wallet, is_stuck=False)
        assert lines(paying)["BTC@bitcoin"][2] == 0
        wallet.is_stuck = True
        stuck = await until_read(probe, wallet, is_stuck=True)
        requested, broadcast, pending, _ = lines(stuck)["BTC@bitcoin"]
        assert requested >= 3
        assert broadcast == 0
        assert pending >= 3

        lost = Source(url, clock, {}, []).prometheus(
            http, QueueQueries(requested="nothing_here", broadcast="nothing_here", pending="nothing_here")
        )
        with pytest.raises(RemoteError, match="no asset and network in it"):
            await lost.observe()
        misspelled = Source(url, clock, {}, []).prometheus(
            http, QueueQueries(requested="sum by (", broadcast="x", pending="x")
        )
        with pytest.raises(RemoteError, match=r"requested: 127\.0\.0\.1 answered 400"):
            await misspelled.observe()
