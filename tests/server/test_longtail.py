"""The long tail through the real ccxt in its own process, which asks an exchange on loopback."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.clock import Clock
from monitor.http.limits import NotAskedError
from monitor.model import Closure, Direction, FailureReason, RailState, RemoteError
from monitor.probes.account import Credentials
from monitor.probes.longtail import Longtail, rails
from monitor.probes.rails import RailReading
from tests.faults.virtual_clock import VirtualClock

pytest.importorskip("ccxt", reason="the extra ccxt is not installed")

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)

WHITEBIT = {
    "BTC": {
        "name": "Bitcoin",
        "can_withdraw": True,
        "can_deposit": True,
        "min_withdraw": "0.0003",
        "max_withdraw": "0",
        "networks": {"deposits": ["BTC"], "withdraws": ["BTC"], "default": "BTC"},
        "limits": {"deposit": {"BTC": {"min": "0.0001"}}, "withdraw": {"BTC": {"min": "0.0003"}}},
        "currency_precision": 8,
    },
    "USDT": {
        "name": "Tether",
        "can_withdraw": False,
        "can_deposit": True,
        "min_withdraw": "5",
        "max_withdraw": "0",
        "networks": {"deposits": ["ERC20", "TRC20"], "withdraws": ["ERC20"], "default": "ERC20"},
        "limits": {"deposit": {}, "withdraw": {"ERC20": {"min": "5"}}},
        "currency_precision": 6,
    },
}


def kraken_asset(altname: str, status: str) -> dict[str, object]:
    return {"aclass": "currency", "altname": altname, "decimals": 10, "display_decimals": 5, "status": status}


KRAKEN = {
    "error": [],
    "result": {"XXBT": kraken_asset("XBT", "deposit_only"), "XETH": kraken_asset("ETH", "withdrawal_only")},
}


def gate_chain(name: str, *, closed: bool) -> dict[str, object]:
    return {
        "name": name,
        "addr": "",
        "withdraw_disabled": closed,
        "withdraw_delayed": False,
        "deposit_disabled": False,
    }


GATE = [
    {
        "currency": "USDT",
        "name": "Tether",
        "delisted": False,
        "withdraw_disabled": False,
        "withdraw_delayed": False,
        "deposit_disabled": False,
        "trade_disabled": False,
        "chain": "ETH",
        "chains": [gate_chain("ETH", closed=True), gate_chain("TRX", closed=False)],
    }
]

BODIES: dict[str, object] = {
    "/api/v4/public/assets": WHITEBIT,
    "/0/public/Assets": KRAKEN,
    "/api/v4/spot/currencies": GATE,
}


class Exchange:
    """Several exchanges' lists on one port, and what was asked of them."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status = 200
        self.was_asked = asyncio.Event()
        self.answers = asyncio.Event()
        self.answers.set()
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        self.server = TestServer(app)

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        self.was_asked.set()
        await self.answers.wait()
        return web.json_response(BODIES.get(request.path, {}), status=self.status)

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")


@pytest.fixture
async def exchange() -> AsyncIterator[Exchange]:
    exchange = Exchange()
    async with exchange.server:
        yield exchange


@pytest.fixture
async def longtail() -> AsyncIterator[Longtail]:
    async with Longtail(Clock()) as longtail:
        yield longtail


async def read(longtail: Longtail, exchange: Exchange, name: str) -> dict[tuple[str, str, Direction], RailReading]:
    answer = await longtail.ask(name, url=exchange.url, credentials=None)
    return {(each.asset, each.network, each.direction): each for each in rails(answer.body).rails}


async def test_flags_of_coin_and_network_with_the_exchanges_own_words(longtail: Longtail, exchange: Exchange) -> None:
    listed = await read(longtail, exchange, "whitebit")
    assert listed["BTC", "bitcoin", Direction.WITHDRAWAL].state is RailState.OPEN
    assert listed["USDT", "ethereum", Direction.WITHDRAWAL].state is RailState.SUSPENDED
    coin = listed["USDT", "*", Direction.WITHDRAWAL]
    assert (coin.state, coin.raw) == (RailState.SUSPENDED, "coin closed can_withdraw=False can_deposit=True")


async def test_krakens_status_is_read_from_its_own_answer(longtail: Longtail, exchange: Exchange) -> None:
    listed = await read(longtail, exchange, "kraken")
    assert listed["BTC", "*", Direction.WITHDRAWAL].state is RailState.SUSPENDED
    assert listed["BTC", "*", Direction.DEPOSIT].state is RailState.OPEN
    assert listed["ETH", "*", Direction.WITHDRAWAL].state is RailState.OPEN
    assert "status=deposit_only" in listed["BTC", "*", Direction.WITHDRAWAL].raw


async def test_a_network_of_an_open_coin_at_gate_can_be_closed(longtail: Longtail, exchange: Exchange) -> None:
    listed = await read(longtail, exchange, "gate")
    states = {network: listed["USDT", network, Direction.WITHDRAWAL].state for network in ("*", "ethereum", "tron")}
    assert states == {"*": RailState.OPEN, "ethereum": RailState.SUSPENDED, "tron": RailState.OPEN}
    assert "withdraw_disabled=True" in listed["USDT", "ethereum", Direction.WITHDRAWAL].raw


async def test_the_silent_empty_list_of_an_exchange_that_needs_a_key_says_so(
    longtail: Longtail, exchange: Exchange
) -> None:
    answer = await longtail.ask("binance", url=exchange.url, credentials=None)
    with pytest.raises(RemoteError) as caught:
        rails(answer.body)
    assert caught.value.reason is FailureReason.AUTH
    assert "without a key" in caught.value.detail
    assert exchange.asked == []


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        pytest.param(429, FailureReason.RATE_LIMITED, id="too many requests"),
        pytest.param(503, FailureReason.HTTP_5XX, id="unavailable"),
    ],
)
async def test_an_error_of_the_exchange_keeps_its_reason(
    longtail: Longtail, exchange: Exchange, status: int, reason: FailureReason
) -> None:
    exchange.status = status
    answer = await longtail.ask("whitebit", url=exchange.url, credentials=None)
    with pytest.raises(RemoteError) as caught:
        rails(answer.body)
    assert caught.value.reason is reason


async def test_a_name_that_ccxt_does_not_know_is_told(longtail: Longtail, exchange: Exchange) -> None:
    answer = await longtail.ask("nowhere", url=exchange.url, credentials=None)
    with pytest.raises(RemoteError, match="ccxt knows no exchange nowhere"):
        rails(answer.body)


async def test_the_process_is_started_again_when_it_was_killed(longtail: Longtail, exchange: Exchange) -> None:
    await read(longtail, exchange, "whitebit")
    process = longtail.process_id
    assert process is not None
    os.kill(process, signal.SIGKILL)
    # A question may still reach the pipe of the dying process, and fails; the next one starts another.
    with contextlib.suppress(RemoteError):
        await read(longtail, exchange, "whitebit")
    listed = await read(longtail, exchange, "whitebit")
    assert listed
    assert longtail.process_id != process


async def test_the_answer_to_a_question_given_up_on_is_not_taken_for_the_next_ones(
    longtail: Longtail, exchange: Exchange
) -> None:
    exchange.answers.clear()
    given_up = asyncio.create_task(read(longtail, exchange, "whitebit"))
    async with asyncio.timeout(30):
        await exchange.was_asked.wait()
    given_up.cancel()
    exchange.answers.set()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    for _ in range(2):
        listed = await read(longtail, exchange, "kraken")
        assert {asset for asset, _, _ in listed} == {"BTC", "ETH"}


async def test_an_address_that_is_none_does_not_end_the_process(longtail: Longtail) -> None:
    answer = await longtail.ask("whitebit", url="http://[::1", credentials=None)
    with pytest.raises(RemoteError, match="ccxt cannot read it: ValueError"):
        rails(answer.body)


class Kept:
    def __init__(self) -> None:
        self.closures: list[Closure] = []

    async def remember(self, closure: Closure) -> None:
        self.closures.append(closure)


@pytest.mark.parametrize("reason", [FailureReason.RATE_LIMITED, FailureReason.BLOCKED])
async def test_a_stop_is_kept_over_a_restart(reason: FailureReason) -> None:
    kept = Kept()
    async with Longtail(Clock(), remember=kept.remember) as longtail:
        await longtail.heed("whitebit", RemoteError(reason, "stop"))
    async with Longtail(Clock(), closures=kept.closures) as longtail:
        with pytest.raises(NotAskedError, match="ccxt whitebit: not asked") as caught:
            await longtail.ask("whitebit", url=None, credentials=None)
        assert longtail.process_id is None
    assert caught.value.reason is reason


async def test_a_good_answer_forgives_the_refusals_before_it(exchange: Exchange) -> None:
    clock, kept = VirtualClock(NOON), Kept()
    refused = Closure(
        host="ccxt whitebit",
        port=0,
        reason=FailureReason.RATE_LIMITED,
        until=NOON + timedelta(minutes=5),
        refusals=5,
    )
    async with Longtail(clock, closures=[refused], remember=kept.remember) as longtail:
        clock.leap(301.0)
        await read(longtail, exchange, "whitebit")
        await longtail.heed("whitebit", RemoteError(FailureReason.RATE_LIMITED, "stop"))
    assert [closure.refusals for closure in kept.closures] == [1]


def told_of(process: int | None) -> bytes:
    """What everybody on the machine may read of a process."""
    return b"".join(Path(f"/proc/{process}/{part}").read_bytes() for part in ("cmdline", "environ"))


async def test_a_key_shows_in_no_argument_of_the_process(longtail: Longtail, exchange: Exchange) -> None:
    key = Credentials("S3CR3T-key", "S3CR3T-secret", "S3CR3T-phrase")
    await longtail.ask("whitebit", url=exchange.url, credentials=key)
    process = longtail.process_id
    assert b"S3CR3T" not in told_of(process)
