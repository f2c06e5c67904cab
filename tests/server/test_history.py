"""What `HistoryProbe` tells of one's own withdrawals, from a server that shows a list of them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from functools import partial

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, RemoteError, WithdrawalSample
from monitor.probes.answer import Endpoint, decode, refusal
from monitor.probes.history import RECENT_SECONDS, HistoryProbe, Withdrawal, WithdrawalState
from tests.hand_clock import NOON, HandClock

MINUTE = timedelta(minutes=1)
WEEK = timedelta(seconds=RECENT_SECONDS)


class Site:
    """An exchange whose history a test writes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.withdrawals: list[Withdrawal] = []
        self.says = b""  # instead of a list
        app = web.Application()
        app.add_routes([web.get("/history", self._history)])
        self.server = TestServer(app)

    async def _history(self, _request: web.Request) -> web.Response:
        body = self.says or msgspec.json.encode(self.withdrawals)
        return web.Response(body=body, headers={"Date": format_datetime(self._clock.now(), usegmt=True)})

    def write(
        self,
        state: WithdrawalState,
        *,
        name: str = "a",
        ago: timedelta = 5 * MINUTE,
        over: timedelta | None = None,
        asset: str = "BTC",
    ) -> None:
        """Put a withdrawal that was requested `ago` into the list, or in the place of the one with its name.

        `over`: how long after the request it ended.
        """
        requested_at = self._clock.now() - ago
        withdrawal = Withdrawal(
            id=name,
            asset=asset,
            network="bitcoin",
            state=state,
            requested_at=requested_at,
            finished_at=None if over is None else requested_at + over,
        )
        self.withdrawals = [each for each in self.withdrawals if each.id != name] + [withdrawal]

    def move(self, name: str, state: WithdrawalState, *, over: timedelta | None = None) -> None:
        """The same withdrawal, further on."""
        found = next(each for each in self.withdrawals if each.id == name)
        finished_at = None if over is None else found.requested_at + over
        moved = msgspec.structs.replace(found, state=state, finished_at=finished_at)
        self.withdrawals = [moved if each is found else each for each in self.withdrawals]


def read(body: bytes) -> list[Withdrawal]:
    if body.startswith(b"!"):
        raise refusal(body.decode())
    return decode(body, list[Withdrawal])


class Look:
    """A probe at its site, and the hand of the clock."""

    def __init__(self, site: Site, http: Http, clock: HandClock, *, frozen_until: datetime | None = None) -> None:
        self.site = site
        self.clock = clock
        self.http = http
        url = str(site.server.make_url("/history"))
        self._probe = HistoryProbe(
            Endpoint(partial(http.get, url, allow_private=True), partial(http.heed, url), interval=60.0),
            clock,
            exchange="examplex",
            name="examplex-withdrawals",
            interval=60.0,
            decode=read,
            frozen_until=frozen_until,
        )

    def frozen(self, until: datetime) -> "Look":
        return Look(self.site, self.http, self.clock, frozen_until=until)

    async def told(self) -> list[WithdrawalSample]:
        return [line for line in await self._probe.observe() if isinstance(line, WithdrawalSample)]

    async def states(self) -> list[tuple[str, float]]:
        return [(line.state, line.elapsed_seconds) for line in await self.told()]

    async def assets(self) -> list[str]:
        return [line.asset for line in await self.told()]


@pytest.fixture
async def look() -> AsyncIterator[Look]:
    clock = HandClock()
    site = Site(clock)
    async with site.server, Http(clock) as http:
        yield Look(site, http, clock)


async def test_what_waits_is_told_at_every_reading_with_its_age(look: Look) -> None:
    look.site.write("pending", ago=5 * MINUTE)
    assert await look.states() == [("pending", 300.0)]
    look.clock.hand += 60
    assert await look.states() == [("pending", 360.0)]
    assert await look.states() == [("pending", 360.0)]


async def test_each_further_state_is_told_once(look: Look) -> None:
    look.site.write("pending")
    await look.told()
    look.site.move("a", "sent")
    look.clock.hand += 60
    assert await look.states() == [("sent", 360.0)]
    assert await look.states() == []
    look.site.move("a", "confirmed", over=10 * MINUTE)
    assert await look.states() == [("confirmed", 600.0)]
    assert await look.states() == []


async def test_a_failure_is_told_once(look: Look) -> None:
    look.site.write("pending")
    await look.told()
    look.site.move("a", "failed", over=2 * MINUTE)
    assert [await look.states(), await look.states()] == [[("failed", 120.0)], []]


async def test_one_that_came_and_went_between_readings_is_told(look: Look) -> None:
    await look.told()
    look.site.write("confirmed", ago=MINUTE)
    assert [await look.states(), await look.states()] == [[("confirmed", 60.0)], []]


@pytest.mark.parametrize("state", ["sent", "confirmed", "failed"])
async def test_what_was_over_at_the_first_reading_is_told_only_with_its_end(look: Look, state: WithdrawalState) -> None:
    look.site.write(state, name="told", asset="BTC", over=3 * MINUTE)
    look.site.write(state, name="nobody knows when", asset="ETH")
    assert [(line.asset, line.elapsed_seconds) for line in await look.told()] == [("BTC", 180.0)]
    assert await look.told() == []


@pytest.mark.parametrize(
    ("ago", "told"),
    [
        pytest.param(WEEK - MINUTE, ["BTC"], id="within a week"),
        pytest.param(WEEK + MINUTE, [], id="more than a week ago"),
    ],
)
async def test_what_is_long_over_is_not_told(look: Look, ago: timedelta, told: list[str]) -> None:
    look.site.write("confirmed", ago=ago, over=MINUTE)
    assert await look.assets() == told


async def test_what_waits_for_weeks_is_told_all_the_same(look: Look) -> None:
    look.site.write("pending", ago=3 * WEEK)
    assert await look.states() == [("pending", 3 * RECENT_SECONDS)]


@pytest.mark.parametrize(
    "until",
    [
        pytest.param(NOON + MINUTE, id="in UTC"),
        pytest.param((NOON + MINUTE).astimezone(timezone(timedelta(hours=9))), id="in Seoul"),
    ],
)
async def test_on_a_frozen_account_only_what_waits_is_frozen(look: Look, until: datetime) -> None:
    frozen = look.frozen(until)
    look.site.write("pending", name="a", asset="BTC", ago=9 * MINUTE)
    look.site.write("confirmed", name="b", asset="ETH", over=MINUTE)
    look.site.write("failed", name="c", asset="SOL", ago=MINUTE, over=MINUTE)
    assert await frozen.states() == [("frozen", 540.0), ("confirmed", 60.0), ("failed", 60.0)]
    look.clock.hand += 60
    assert await frozen.states() == [("pending", 600.0)]


async def test_lines_are_ordered_by_request_whatever_the_list_does(look: Look) -> None:
    for name, ago in (("c", 3), ("a", 9), ("b", 3)):
        look.site.write("pending", name=name, asset=name.upper(), ago=ago * MINUTE)
    assert await look.assets() == ["A", "B", "C"]
    look.site.withdrawals.reverse()
    assert await look.assets() == ["A", "B", "C"]


async def test_a_request_from_the_future_has_no_age(look: Look) -> None:
    look.site.write("pending", ago=-MINUTE)
    assert await look.states() == [("pending", 0.0)]


async def test_a_line_is_the_exchanges_and_in_utc(look: Look) -> None:
    look.site.write("pending")
    (line,) = await look.told()
    assert (line.exchange, line.probe) == ("examplex", "examplex-withdrawals")
    assert (line.at, line.at.tzinfo) == (NOON, UTC)
    assert (line.asset, line.network) == ("BTC", "bitcoin")


async def test_a_reading_that_failed_loses_nothing(look: Look) -> None:
    look.site.write("pending")
    await look.told()
    look.site.move("a", "confirmed", over=6 * MINUTE)
    look.site.says = b'{"not": "a list"}'
    with pytest.raises(RemoteError) as caught:
        await look.told()
    assert caught.value.reason is FailureReason.SCHEMA
    look.site.says = b""
    assert await look.states() == [("confirmed", 360.0)]


async def test_a_refusal_inside_an_answer_closes_the_host(look: Look) -> None:
    look.site.says = b"! too many requests"
    with pytest.raises(RemoteError) as caught:
        await look.told()
    assert caught.value.reason is FailureReason.RATE_LIMITED
    (closure,) = look.http.closed()
    look.site.says = b""
    with pytest.raises(RemoteError):
        await look.told()
    look.clock.hand += (closure.until - look.clock.now()).total_seconds() + 1
    assert await look.told() == []


async def test_one_that_left_the_list_and_comes_back_over_is_told_with_its_end(look: Look) -> None:
    look.site.write("pending")
    await look.told()
    held, look.site.withdrawals = look.site.withdrawals, []
    assert await look.told() == []
    look.site.withdrawals = held
    look.site.move("a", "confirmed", over=6 * MINUTE)
    assert await look.states() == [("confirmed", 360.0)]


async def test_a_list_that_was_empty_for_once_makes_no_news_of_what_was_told(look: Look) -> None:
    look.site.write("pending")
    await look.told()
    look.site.move("a", "confirmed")
    assert await look.states() == [("confirmed", 300.0)]
    held, look.site.withdrawals = look.site.withdrawals, []
    assert await look.told() == []
    look.site.withdrawals = held
    look.clock.hand += 3600
    assert await look.told() == []
