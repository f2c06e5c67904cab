"""The median of several sources on loopback: a liar does not move it, silence ends it, and it never goes back."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta

import aiohttp
import pytest

from monitor.freeze.independent import IndependentTime, Told
from tests.freeze.time_sources import YEAR, Node, NtpServer, Way, ntp_server
from tests.hand_clock import NOON, HandClock

HOSTS = ("127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.6")
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HASTE = 5.0
"""How much faster clock time is for what waits for the silent: their time is up after 0.4 real seconds."""


class Desk:
    """NTP servers on hosts of their own, and what asks them."""

    def __init__(self, running: AsyncExitStack, session: aiohttp.ClientSession) -> None:
        self.clock = HandClock()
        self.servers: list[NtpServer] = []
        self._running = running
        self._session = session

    async def of(self, count: int) -> IndependentTime:
        for host in HOSTS[:count]:
            self.servers.append(await self._running.enter_async_context(ntp_server(self.clock, host=host)))
        return self.made([server.url for server in self.servers])

    async def node(self, host: str) -> Node:
        node = Node(host=host)
        await self._running.enter_async_context(node.server)
        return node

    def made(self, sources: Sequence[str]) -> IndependentTime:
        return IndependentTime(sources, clock=self.clock, session=self._session)

    def set_ways(self, *ways: Way) -> None:
        for server, way in zip(self.servers, ways, strict=True):
            server.way = way


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with AsyncExitStack() as running, aiohttp.ClientSession() as session:
        yield Desk(running, session)


async def test_nothing_is_known_before_anybody_was_asked(desk: Desk) -> None:
    time = await desk.of(3)
    assert time.now() is None
    assert time.answers() == [Told(source=host, seconds_since=None, offset_seconds=None) for host in HOSTS[:3]]


async def test_nothing_is_known_without_sources(desk: Desk) -> None:
    time = desk.made([])
    await time.ask()
    assert time.now() is None


@pytest.mark.parametrize(
    ("ahead", "median"),
    [
        pytest.param([0], 0, id="one source"),
        pytest.param([5, 3], 3, id="the earlier of two"),
        pytest.param([9, -4, 2], 2, id="the middle of three"),
        pytest.param([8, 1, 2, 7], 2, id="the earlier of the two in the middle of four"),
        pytest.param([0, 0, 31_536_000], 0, id="a liar a year ahead"),
        pytest.param([0, 1, -31_536_000], 0, id="a liar a year behind"),
        pytest.param([1, 0, 31_536_000, 2, 31_536_000], 2, id="two liars of five"),
    ],
)
async def test_the_median(desk: Desk, ahead: list[int], median: int) -> None:
    time = await desk.of(len(ahead))
    for server, seconds in zip(desk.servers, ahead, strict=True):
        server.time = NOON + seconds * SECOND
    await time.ask()
    assert time.now() == NOON + median * SECOND


@pytest.mark.parametrize(
    "silent",
    [
        pytest.param(Way.SILENT, id="silent"),
        pytest.param(Way.WRONG_ORIGINATE, id="wrong originate"),
        pytest.param(Way.KISS_OF_DEATH, id="kiss of death"),
        pytest.param(Way.UNSYNCHRONISED, id="unsynchronised"),
    ],
)
async def test_more_than_half_must_answer(desk: Desk, silent: Way) -> None:
    time = await desk.of(3)
    desk.clock.speed = HASTE
    desk.set_ways(Way.RIGHT, silent, silent)
    await time.ask()
    assert [told.seconds_since for told in time.answers()] == [0.0, None, None]
    assert time.now() is None
    desk.set_ways(Way.RIGHT, silent, Way.RIGHT)
    await time.ask()
    assert time.now() == NOON


async def test_half_is_not_more_than_half(desk: Desk) -> None:
    time = await desk.of(4)
    desk.set_ways(Way.RIGHT, Way.RIGHT, Way.KISS_OF_DEATH, Way.KISS_OF_DEATH)
    await time.ask()
    assert time.now() is None


async def test_a_late_answer_is_none(desk: Desk) -> None:
    time = await desk.of(1)
    desk.servers[0].trip_seconds = 2.5
    await time.ask()
    assert time.now() is None


async def test_of_two_that_answer_a_liar_does_not_win(desk: Desk) -> None:
    time = await desk.of(3)
    desk.set_ways(Way.RIGHT, Way.YEAR_AHEAD, Way.KISS_OF_DEATH)
    await time.ask()
    assert time.now() == NOON


async def test_it_moves_on_by_itself_for_ten_minutes(desk: Desk) -> None:
    time = await desk.of(3)
    await time.ask()
    desk.clock.hand += 600
    assert time.now() == NOON + 10 * MINUTE
    desk.clock.hand += 1
    assert time.now() is None


async def test_an_answer_is_forgotten_on_its_own(desk: Desk) -> None:
    """What two told ten minutes ago does not stand beside what the third tells now."""
    time = await desk.of(3)
    await time.ask()
    desk.set_ways(Way.RIGHT, Way.KISS_OF_DEATH, Way.KISS_OF_DEATH)
    desk.clock.hand += 599
    desk.servers[0].time = NOON + 599 * SECOND
    await time.ask()
    assert time.now() == NOON + 599 * SECOND
    desk.clock.hand += 2
    assert time.now() is None


async def test_a_step_of_our_clock_moves_nothing(desk: Desk) -> None:
    time = await desk.of(3)
    await time.ask()
    desk.clock.step(86_400)
    assert time.now() == NOON
    assert [told.offset_seconds for told in time.answers()] == [-86_400.0] * 3


async def test_it_never_goes_back(desk: Desk) -> None:
    time = await desk.of(3)
    desk.set_ways(Way.YEAR_AHEAD, Way.YEAR_AHEAD, Way.RIGHT)
    await time.ask()
    assert time.now() == NOON + YEAR
    desk.set_ways(Way.RIGHT, Way.RIGHT, Way.RIGHT)
    await time.ask()
    assert time.now() == NOON + YEAR, "it stands still until the others come there"
    for server in desk.servers:
        server.time = NOON + YEAR + SECOND
    await time.ask()
    assert time.now() == NOON + YEAR + SECOND


async def test_a_source_that_jumps_back_is_taken_at_its_word(desk: Desk) -> None:
    time = await desk.of(3)
    await time.ask()
    desk.servers[0].time = NOON - YEAR
    await time.ask()
    assert [told.offset_seconds for told in time.answers()] == [-YEAR.total_seconds(), 0.0, 0.0]
    assert time.now() == NOON


async def test_blocks_lag_and_servers_do_not(desk: Desk) -> None:
    """A block's time is 13 minutes behind: with one of two kinds silent the rest decides, and it is never early."""
    await desk.of(2)
    nodes = [await desk.node(host) for host in HOSTS[2:]]
    for node in nodes:
        node.time = NOON - 13 * MINUTE
    one_node = desk.made([*(server.url for server in desk.servers), nodes[0].server.url])
    await one_node.ask()
    assert one_node.now() == NOON
    most_are_nodes = desk.made([*(server.url for server in desk.servers), *(node.server.url for node in nodes)])
    await most_are_nodes.ask()
    assert most_are_nodes.now() == NOON - 13 * MINUTE


async def test_what_is_told_of_the_answers(desk: Desk) -> None:
    await desk.of(1)
    node = await desk.node("127.0.0.3")
    time = desk.made([desk.servers[0].url, f"{node.server.url}/v3/key-canary"])
    desk.servers[0].time = NOON + 3 * SECOND
    await time.ask()
    desk.set_ways(Way.KISS_OF_DEATH)
    desk.clock.hand += 60
    await time.ask()
    assert time.answers() == [
        Told(source="127.0.0.2", seconds_since=60.0, offset_seconds=3.0),
        Told(source="127.0.0.3", seconds_since=0.0, offset_seconds=-60.0),
    ]


async def test_all_are_asked_at_once_and_every_minute(desk: Desk) -> None:
    time = await desk.of(3)
    times: list[float] = []
    third = asyncio.Event()

    class Watched(HandClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            times.append(self.hand)
            if len(times) == 3:
                third.set()

    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        watched = Watched()
        time = IndependentTime([server.url for server in desk.servers], clock=watched, session=session)
        watching = group.create_task(time.watch())
        await third.wait()
        watching.cancel()
    assert times[:3] == [60.0, 120.0, 180.0]
    assert min(len(server.nonces) for server in desk.servers) >= 3


async def test_the_silent_do_not_hold_up_each_other(desk: Desk) -> None:
    """Five that are silent are waited for together, no longer than for one."""
    time = await desk.of(5)
    desk.clock.speed = HASTE
    desk.set_ways(*[Way.SILENT] * 5)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await time.ask()
    assert loop.time() - began < 5 * 2.0 / HASTE


@pytest.mark.parametrize(
    "sources",
    [
        pytest.param(["ftp://a.example"], id="another scheme"),
        pytest.param(["a.example"], id="no scheme"),
        pytest.param(["ntp://"], id="no host"),
        pytest.param(["https:///path"], id="no host in a URL"),
        pytest.param(["ntp://a.example:99999"], id="no such port"),
        pytest.param(["ntp://a.example/key"], id="a path"),
        pytest.param(["ntp://a.example", "ntp://a.example"], id="twice the same"),
        pytest.param(["ntp://a.example", "ntp://A.example:123"], id="the same at its usual port"),
        pytest.param(["https://a.example/eth", "https://a.example/base"], id="two chains at one operator"),
    ],
)
async def test_sources_that_are_none(desk: Desk, sources: list[str]) -> None:
    with pytest.raises(ValueError, match=r"source of time|expected ntp|Port"):
        desk.made(sources)


async def test_an_error_shows_no_key(desk: Desk) -> None:
    with pytest.raises(ValueError, match=r"a\.example") as raised:
        desk.made(["wss://user:canary@a.example/canary?key=canary"])
    assert "canary" not in str(raised.value)
