"""History out of a Prometheus: a real one with blocks made for the test, and one that misbehaves."""

import asyncio
import shutil
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from monitor.clock import Clock
from monitor.http import Http
from monitor.imports.ranges import Prometheus, Series, Span
from monitor.model import FailureReason, Observation, RemoteError, WalletActivity
from monitor.replay.journal import read_entries
from monitor.replay.stage import listening
from tests.journals import START, at
from tests.prometheus_server import prometheus
from tests.server.test_cli import cexwatch
from tests.server.test_queue_sources import success

MINUTE = timedelta(minutes=1)
TOKEN = "S3CR3T-token"  # noqa: S105 - stands for one
UNSEEN = range(130, 141)  # minutes without a scrape
RESTARTED = 200  # when the counter begins again from zero


def _counter(minute: int) -> int:
    return 3 * (minute - RESTARTED) if minute >= RESTARTED else 3 * minute


async def _blocks(folder: Path, minutes: int) -> None:
    """Four hours of a counter and a gauge as Prometheus keeps them, without staleness markers in the gap."""
    scraped = [minute for minute in range(minutes) if minute not in UNSEEN]
    lines = ["# TYPE sent counter"]
    lines += [f'sent_total{{chain="bitcoin"}} {_counter(m)} {at(m).timestamp():.0f}' for m in scraped]
    lines += ["# TYPE held gauge"]
    lines += [f'held{{asset="BTC",network="bitcoin"}} {100 - m * 0.25} {at(m).timestamp():.0f}' for m in scraped]
    (folder / "history.txt").write_text("\n".join([*lines, "# EOF"]) + "\n")
    tool = shutil.which("promtool")
    assert tool is not None
    made = await asyncio.create_subprocess_exec(
        tool, "tsdb", "create-blocks-from", "openmetrics", folder / "history.txt", folder / "data", stdout=DEVNULL
    )
    assert await made.wait() == 0


@asynccontextmanager
async def keeping(folder: Path, *, minutes: int = 240) -> AsyncIterator[str]:
    """A real Prometheus that keeps this history; its address."""
    if shutil.which("promtool") is not None:
        await _blocks(folder, minutes)
    async with prometheus(folder, "127.0.0.1:9", job="nobody") as url:
        yield url


def asking(url: str, out: Path, *more: str) -> tuple[str | Path, ...]:
    span = ("--start", START.isoformat(), "--end", at(239).isoformat())
    return ("journal", "from-prometheus", "--url", url, *span, "--out", out, *more)


def entries(path: Path) -> list[Observation]:
    return [entry.observation for entry in read_entries(path)]


async def test_a_counter_of_a_real_prometheus(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    counter = ("--kind", "wallet_activity", "--query", "sent_total", "--set", "exchange=kraken")
    async with keeping(tmp_path) as url:
        shown = await cexwatch(*asking(url, out, *counter, "--label", "network=chain"))
    assert shown.code == 0, shown.err
    found = {round((e.at - START) / MINUTE): e.outgoing for e in entries(out) if type(e) is WalletActivity}
    seen = [minute for minute in range(1, 240) if minute not in UNSEEN and minute - 1 not in UNSEEN]
    assert list(found) == seen, "what was not scraped is no entry, and no zero"
    assert {minute: count for minute, count in found.items() if count != 3} == {RESTARTED: 0}
    assert {(e.exchange, e.probe) for e in entries(out)} == {("kraken", "prometheus")}


async def test_an_expression_that_may_hold_old_values_is_told_how_to_be_fresh(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    held, fresh = "sum by (chain) (sent_total)", "sum by (chain) (last_over_time(sent_total[59999ms]))"
    kind = ("--kind", "wallet_activity", "--set", "exchange=kraken", "--label", "network=chain")
    async with keeping(tmp_path) as url:
        warned = await cexwatch(*asking(url, out, *kind, "--query", held))
        assert "last_over_time(x[59999ms]) inside of the query" in warned.err
        shown = await cexwatch(*asking(url, out, *kind, "--query", fresh))
    assert (shown.code, shown.err) == (0, "")
    minutes = [round((entry.at - START) / MINUTE) for entry in entries(out)]
    assert not set(minutes) & {*UNSEEN, UNSEEN.stop}


async def test_a_gauge_of_a_real_prometheus(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    gauge = ("--kind", "reserve_balance", "--query", "amount=held", "--set", "exchange=kraken", "--step", "1h")
    async with keeping(tmp_path) as url:
        shown = await cexwatch(*asking(url, out, *gauge))
    assert shown.code == 0, shown.err
    told = msgspec.json.decode(out.read_bytes().splitlines()[1])
    assert (told["at"], told["amount"], told["asset"]) == ("2026-01-05T01:00:00Z", "85", "BTC")


async def test_what_a_real_prometheus_refuses_is_told(tmp_path: Path) -> None:
    async with keeping(tmp_path, minutes=10) as url:
        shown = await cexwatch(*asking(url, tmp_path / "o", "--kind", "price", "--query", "sum(", "--set", "asset=BTC"))
    assert shown.code == 1
    assert "400" in shown.err
    assert not (tmp_path / "o").exists()


async def test_a_series_that_says_nothing_of_its_network_is_told_and_nothing_written(tmp_path: Path) -> None:
    counter = ("--kind", "wallet_activity", "--query", "sent_total", "--set", "exchange=kraken")
    async with keeping(tmp_path, minutes=10) as url:
        shown = await cexwatch(*asking(url, tmp_path / "o", *counter))
    assert shown.code == 1
    assert 'chain="bitcoin"}: nothing tells its network: --set network=..., or --label network=LABEL' in shown.err


Answer = Callable[[web.Request], web.Response]


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[tuple[Prometheus, list[web.Request]]]:
    clock, seen = Clock(), []

    async def respond(request: web.Request) -> web.Response:
        seen.append(request)
        return answer(request)

    app = web.Application()
    app.add_routes([web.get("/api/v1/query_range", respond)])
    async with listening(app, clock) as url, Http(clock, per_second={"127.0.0.1": 1000.0}) as http:
        yield Prometheus(http, url, token=TOKEN), seen


def grid(request: web.Request, *, padding: str = "") -> web.Response:
    """The value of each step is its own time; more points than Prometheus gives are refused."""
    start, end, step = (float(request.query[name]) for name in ("start", "end", "step"))
    count = round((end - start) / step) + 1
    if count > 11_000:
        body = {"status": "error", "errorType": "bad_data", "error": "exceeded maximum resolution of 11,000 points"}
        return web.json_response(body, status=400)
    values = [[start + n * step, f"{start + n * step:.0f}"] for n in range(count)]
    return web.json_response(success("matrix", [{"metric": {"pad": padding * count}, "values": values}]))


async def asked(server: Prometheus, minutes: int) -> list[Series]:
    return await server.series("x", Span(at(0), at(minutes), MINUTE), progress=lambda _, __: None)


async def test_a_range_that_is_too_long_for_one_answer() -> None:
    async with served(grid) as (server, seen):
        [series] = await asked(server, 25_000)
    assert [at_ for at_, _ in series.values] == [at(minute).timestamp() for minute in range(25_001)]
    assert len(seen) == 3
    assert seen[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert seen[0].query["query"] == "last_over_time(x[59999ms])"


async def test_an_answer_that_is_too_large_is_asked_in_halves() -> None:
    def heavy(request: web.Request) -> web.Response:
        start, end = float(request.query["start"]), float(request.query["end"])
        return grid(request) if end - start < 3000 * 60 else web.Response(body=b" " * (9 * 2**20))

    async with served(heavy) as (server, seen):
        [series] = await asked(server, 9_000)
    assert [at_ for at_, _ in series.values] == [at(minute).timestamp() for minute in range(9_001)]
    assert len(seen) > 3


async def test_what_is_no_number_is_no_value() -> None:
    def odd(_: web.Request) -> web.Response:
        values = [[at(0).timestamp(), "1"], [at(1).timestamp(), "NaN"], [at(2).timestamp(), "+Inf"]]
        return web.json_response(success("matrix", [{"metric": {}, "values": values}]))

    async with served(odd) as (server, _):
        [series] = await asked(server, 2)
    assert series.values == [(at(0).timestamp(), 1.0)]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(success("vector", []), FailureReason.SCHEMA, id="no range"),
        pytest.param(success("matrix", [{"metric": {}}]), FailureReason.SCHEMA, id="a series without values"),
        pytest.param(success("matrix", [], warnings=["a store did not answer"]), FailureReason.SHAPE, id="in part"),
        pytest.param({"status": "error", "errorType": "timeout", "error": "x"}, FailureReason.HTTP_5XX, id="too slow"),
    ],
)
async def test_an_answer_that_is_none(body: object, reason: FailureReason) -> None:
    async with served(lambda _: web.json_response(body)) as (server, _):
        with pytest.raises(RemoteError) as caught:
            await asked(server, 5)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param(("--kind", "nonsense", "--query", "x"), "--kind nonsense: expected one of flow", id="kind"),
        pytest.param(("--kind", "flow", "--query", "x"), "flow needs a query for outflow", id="one of two measures"),
        pytest.param(("--kind", "price", "--query", "x", "--step", "soon"), "--step soon: expected", id="step"),
        pytest.param(("--kind", "price", "--query", "x", "--set", "asset"), "--set asset: expected FIELD=", id="set"),
    ],
)
async def test_a_command_that_is_wrong_asks_nobody(tmp_path: Path, more: tuple[str, ...], expected: str) -> None:
    shown = await cexwatch(*asking("http://127.0.0.1:9", tmp_path / "o", *more))
    assert shown.code == 3
    assert expected in shown.err


async def test_nobody_there_is_one_line(tmp_path: Path) -> None:
    price = ("--kind", "price", "--query", "x", "--set", "asset=BTC")
    shown = await cexwatch(*asking("http://127.0.0.1:9", tmp_path / "o", *price))
    assert shown.code == 1
    assert len(shown.err.splitlines()) == 1


async def test_a_table_on_the_command_line(tmp_path: Path) -> None:
    mapping, table, out = (tmp_path / name for name in ("m.yaml", "t.csv", "o.jsonl"))
    mapping.write_text(
        "kind: price\nat: {column: day, format: '%Y-%m-%d', zone: UTC}\n"
        "columns: {usd: close}\nconstants: {asset: BTC, source: table}\n"
    )
    table.write_text("day,close\n2026-01-05,70000\n2026-01-06,soon\n2026-01-07,71000\n")
    shown = await cexwatch("journal", "from-csv", mapping, table, "-o", out)
    assert shown.code == 2, "some rows could not be read"
    assert f"{table}:3 close: expected a number, got 'soon'" in shown.err
    assert len(entries(out)) == 2
    mapping.write_text("kind: price\n")
    assert (await cexwatch("journal", "from-csv", mapping, table, "-o", out)).code == 3
