"""The JSON that a trading system polls before it sends money, from the real server."""

import asyncio
import re
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest
from msgspec.structs import replace

from monitor.model import ExchangeState, ExchangeView
from tests.server.test_web import Kept, browsing, view
from tests.statistics import FIRING, QUIET

NOW = datetime(2026, 2, 3, 14, 24, 30, tzinfo=UTC)
KRAKEN = view("kraken", ExchangeState.HALTED)
PATH = "/api/v1/exchanges/kraken/verdict"
EXITS = "/api/v1/exchanges/kraken/exits"
DETECTORS = "/api/v1/exchanges/kraken/detectors"


@asynccontextmanager
async def asking(
    *views: ExchangeView, path: str = PATH, alive: Callable[[], bool] = lambda: True
) -> AsyncIterator[aiohttp.ClientResponse]:
    async with browsing(Kept(shown=list(views)), alive=alive) as session, session.get(path) as answer:
        yield answer


async def test_the_verdict_with_its_sources_and_its_end() -> None:
    async with asking(KRAKEN) as answer:
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert answer.headers["Cache-Control"] == "no-store"
        told = await answer.json()
    assert list(told) == [
        "exchange",
        "state",
        "since",
        "stale",
        "reason",
        "generated_at",
        "age_seconds",
        "valid_until",
        "sources",
        "stalled_networks",
        "exits",
        "exits_in_words",
    ]
    assert (told["exchange"], told["state"], told["stale"]) == ("kraken", "halted", False)
    assert (told["since"], told["valid_until"]) == ("2026-02-03T14:12:30Z", "2026-02-03T14:27:30Z")
    assert told["age_seconds"] == 60.0
    [source] = told["sources"]
    assert source == {
        "probe": "kraken-assets",
        "last_success": "2026-02-03T14:23:30Z",
        "failing_since": "2026-02-03T14:24:00Z",
        "reason": "timeout: funding paused",
    }
    [held] = told["exits"]
    assert sum(Decimal(held[part]) for part in ("withdrawable", "stuck", "unknown")) == Decimal(held["amount"])
    assert told["exits_in_words"][0].startswith("Kraken $12.5M: $7.8M can leave now by ethereum")


@pytest.mark.parametrize(
    "header",
    [{"X-Forwarded-For": "203.0.113.9"}, {"Host": "status.example.org"}],
    ids=["by a proxy", "by another name"],
)
async def test_others_are_told_the_state_and_nothing_of_what_you_hold(header: dict[str, str]) -> None:
    async with browsing(Kept(shown=[KRAKEN])) as session:
        for path in (PATH, EXITS):
            async with session.get(path) as answer:
                told = await answer.json()
            assert told["exits"], "at the machine"
            assert told["exits_in_words"]
            async with session.get(path, headers=header) as answer:
                told = await answer.json()
            assert (answer.status, told["exits"], told["exits_in_words"]) == (200, [], [])
            assert "5000" not in str(told)
            assert told["exchange"] == "kraken"


@pytest.mark.parametrize(
    "valid_until", [pytest.param(NOW - timedelta(seconds=1), id="past it"), pytest.param(None, id="never valid")]
)
async def test_a_verdict_past_its_end_is_unknown(valid_until: datetime | None) -> None:
    async with asking(replace(KRAKEN, valid_until=valid_until)) as answer:
        told = await answer.json()
    assert (answer.status, told["state"], told["stale"]) == (200, "unknown", True)
    assert "it was halted" in told["reason"]
    assert [held["unknown"] for held in told["exits"]] == ["5000"]


async def test_the_detectors_with_what_fires_first() -> None:
    async with asking(replace(KRAKEN, statistics=(QUIET, FIRING)), path=DETECTORS) as answer:
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
        told = await answer.json()
    assert (told["exchange"], told["stale"]) == ("kraken", False)
    assert [each["state"] for each in told["statistics"]] == ["firing", "quiet"]
    assert told["statistics"][0]["threshold"] == 14.7


@pytest.mark.parametrize("path", [PATH, DETECTORS, "/api/v1/exchanges/nowhere/verdict", "/api/v1/reserves"])
async def test_while_the_daemon_does_not_turn_nothing_is_told(path: str) -> None:
    async with asking(KRAKEN, path=path, alive=lambda: False) as answer:
        assert (answer.status, answer.content_type) == (503, "application/problem+json")
        assert answer.headers["Cache-Control"] == "no-store"
        assert (await answer.json())["status"] == 503


@pytest.mark.parametrize(
    ("shown", "path"),
    [
        pytest.param(KRAKEN, "/api/v1/exchanges/nowhere/verdict", id="never heard of"),
        pytest.param(replace(KRAKEN, retired=True), PATH, id="no longer watched"),
        pytest.param(replace(KRAKEN, retired=True), DETECTORS, id="detectors of what is no longer watched"),
    ],
)
async def test_an_exchange_that_is_not_watched_is_a_404_in_json(shown: ExchangeView, path: str) -> None:
    async with asking(shown, path=path) as answer:
        assert (answer.status, (await answer.json())["detail"]) == (404, "this exchange is not watched")


async def test_the_ranking_as_json() -> None:
    okx = replace(KRAKEN, exchange="okx", title="OKX", reserves=None)
    async with asking(KRAKEN, okx, path="/api/v1/reserves") as answer:
        told = await answer.json()
    assert (told["of"], answer.headers["Cache-Control"]) == ("the addresses we know", "no-store")
    [kraken] = told["exchanges"]
    assert (kraken["exchange"], kraken["usd"], kraken["change_1h_usd"], kraken["unread"]) == (
        "kraken",
        "1003365625",
        None,
        1,
    )
    assert [(held["asset"], held["amount"], held["wallets_read"]) for held in kraken["assets"]] == [
        ("ETH", "401346.25", 11)
    ]


async def test_it_only_answers() -> None:
    async with browsing(Kept(shown=[KRAKEN])) as session, session.post(PATH, json={}) as answer:
        assert answer.status == 405


@pytest.mark.parametrize(
    ("shown", "may"),
    [
        pytest.param(
            replace(KRAKEN, withdrawals=ExchangeState.OPERATIONAL, valid_until=datetime(2999, 1, 1, tzinfo=UTC)),
            "True",
            id="operational",
        ),
        pytest.param(replace(KRAKEN, valid_until=datetime(2999, 1, 1, tzinfo=UTC)), "False", id="halted"),
        pytest.param(replace(KRAKEN, withdrawals=ExchangeState.OPERATIONAL), "False", id="past its end by now"),
        pytest.param(replace(KRAKEN, exchange="gate"), "False", id="not watched"),
    ],
)
async def test_the_documented_example_sends_only_if_it_knows(shown: ExchangeView, may: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    [example] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    async with browsing(Kept(shown=[shown])) as session, session.get("/healthz") as answer:
        program = f"{example}\nprint(may_send('kraken', {str(answer.url.origin())!r}))"
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=PIPE)
        out, _ = await process.communicate()
    assert out.decode().strip() == may
