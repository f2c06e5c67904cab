"""The budget of a host, and what becomes of it when the host says stop."""

import asyncio
import re
from datetime import UTC, datetime

import pytest

from monitor.clock import Clock
from monitor.http import Http
from monitor.limits import Host, NotAskedError, http_date, seconds_to_wait
from monitor.model import FailureReason
from tests.fault_server import FaultServer, failure, http, says

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)
JSON = b'{"coins":[1,2,3]}'


class HandClock(Clock):
    """Time passes only while somebody sleeps, and then at once."""

    def __init__(self) -> None:
        super().__init__(start=NOON)
        self.hand = 0.0

    def monotonic(self) -> float:
        return self.hand

    async def sleep(self, seconds: float) -> None:
        self.hand += seconds


async def test_a_host_that_said_stop_is_not_asked_until_it_is_time() -> None:
    clock = HandClock()
    stop = http(status="429 Too Many Requests", headers={"Retry-After": "7"})
    async with Http(clock) as client, FaultServer({"/a": says(stop), "/b": says(http(JSON))}) as server:
        assert (await failure(client, server.url("/a"))).reason is FailureReason.RATE_LIMITED
        clock.hand = 6.9
        with pytest.raises(NotAskedError) as caught:
            await client.get(server.url("/b"), allow_private=True)
        assert caught.value.reason is FailureReason.RATE_LIMITED
        clock.hand = 7.1
        assert (await client.get(server.url("/b"), allow_private=True)).body == JSON
    assert [request.path for request in server.requests] == ["/a", "/b"]


async def test_a_banned_client_says_that_it_is_blocked() -> None:
    clock = HandClock()
    ban = http(status="418 I'm a teapot", headers={"Retry-After": "86400"})
    async with Http(clock) as client, FaultServer({"/": says(ban)}) as server:
        await failure(client, server.url("/"))
        clock.hand = 86_000.0
        assert (await failure(client, server.url("/"))).reason is FailureReason.BLOCKED
    assert len(server.requests) == 1


async def test_a_retry_after_date_counts_from_the_answers_own_date() -> None:
    clock = HandClock()  # shows another day than the server
    headers = {"Date": "Wed, 04 Feb 2026 00:00:00 GMT", "Retry-After": "Wed, 04 Feb 2026 00:00:20 GMT"}
    stop = http(status="429 Too Many Requests", headers=headers)
    async with Http(clock) as client, FaultServer({"/": says(stop)}) as server:
        await failure(client, server.url("/"))
        clock.hand = 19.0
        await failure(client, server.url("/"))
        assert len(server.requests) == 1
        clock.hand = 21.0
        await failure(client, server.url("/"))
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("1000000000", 1e9),
        ("9" * 5000, float("inf")),
        ("Tue, 03 Feb 2026 12:00:30 GMT", 30.0),
        ("Tue, 03 Feb 2026 14:00:30 +0200", 30.0),
        ("Tue, 03 Feb 2026 12:00:30 -0000", 30.0),
        ("Tue, 03 Feb 2026 11:59:00 GMT", None),
        ("", None),
        ("0", None),
        ("-1", None),
        ("1.5", None),
        ("NaN", None),
        ("٣", None),
        ("soon", None),
        ("Tue, 99 Feb 2026 12:00:30 GMT", None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", None),
    ],
)
def test_what_a_retry_after_header_asks_for(text: str, seconds: float | None) -> None:
    assert seconds_to_wait(text, now=NOON) == seconds


@pytest.mark.parametrize(
    ("text", "date"),
    [("Tue, 03 Feb 2026 12:00:00 GMT", NOON), ("", None), ("yesterday", None), ("1770120000", None)],
)
def test_a_date_header_is_a_utc_time_or_nothing(text: str, date: datetime | None) -> None:
    assert http_date(text) == date


@pytest.mark.parametrize(
    ("reason", "wait", "seconds"),
    [
        pytest.param(FailureReason.RATE_LIMITED, 7.0, 7, id="as told"),
        pytest.param(FailureReason.RATE_LIMITED, 1e9, 3600, id="an hour at most"),
        pytest.param(FailureReason.BLOCKED, 86_400.0, 86_400, id="a day when banned"),
        pytest.param(FailureReason.BLOCKED, 1e9, 3 * 86_400, id="three days at most when banned"),
        pytest.param(FailureReason.RATE_LIMITED, None, 30, id="30 s without a number"),
    ],
)
async def test_a_host_stays_closed_for(reason: FailureReason, wait: float | None, seconds: int) -> None:
    clock = HandClock()
    host = Host("api.example", clock, per_second=5)
    host.close(reason, wait=wait)
    clock.hand = seconds - 1
    with pytest.raises(NotAskedError, match=re.escape("api.example")) as caught:
        await host.turn()
    assert caught.value.reason is reason
    clock.hand = seconds
    await host.turn()


async def closure_seconds(host: Host, clock: HandClock) -> float:
    """How long the host stays closed after one more refusal without a number, which is then over."""
    began = clock.hand
    host.close(FailureReason.RATE_LIMITED, wait=None)
    while True:
        try:
            await host.turn()
        except NotAskedError:
            clock.hand += 1
        else:
            return clock.hand - began


async def test_refusals_in_a_row_double_the_wait_up_to_15_minutes() -> None:
    clock = HandClock()
    host = Host("api.example", clock, per_second=5)
    assert [await closure_seconds(host, clock) for _ in range(8)] == [30, 60, 120, 240, 480, 900, 900, 900]
    host.answered()
    assert await closure_seconds(host, clock) == 30


async def test_refusals_of_one_moment_are_one_refusal() -> None:
    clock = HandClock()
    host = Host("api.example", clock, per_second=5)
    for _ in range(5):
        host.close(FailureReason.RATE_LIMITED, wait=None)
    host.answered()  # one that was in flight with them
    assert await closure_seconds(host, clock) == 30
    assert await closure_seconds(host, clock) == 60


@pytest.mark.parametrize(
    ("per_second", "turns"),
    [
        pytest.param(5.0, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2], id="five a second"),
        pytest.param(2.5, [0, 0, 1, 1, 2], id="a fraction is left out"),
        pytest.param(0.5, [0, 2, 4, 6], id="one in two seconds"),
    ],
)
async def test_turns_keep_the_budget(per_second: float, turns: list[float]) -> None:
    clock = HandClock()
    host = Host("api.example", clock, per_second=per_second)
    given: list[float] = []
    for _ in turns:
        await host.turn()
        given.append(clock.hand)
    assert given == turns


class StillClock(HandClock):
    """No time passes, as for many callers at one moment."""

    async def sleep(self, seconds: float) -> None:
        pass


async def test_a_queue_of_our_own_making_is_refused_at_30_seconds() -> None:
    host = Host("api.example", StillClock(), per_second=5)
    for _ in range(5 * 31):
        await host.turn()
    with pytest.raises(NotAskedError, match="our own queue"):
        await host.turn()


async def refused(host: Host) -> bool:
    try:
        await host.turn()
    except NotAskedError:
        return True
    return False


async def test_who_waits_for_a_turn_hears_of_a_stop() -> None:
    host = Host("api.example", Clock(speed=10), per_second=1)
    await host.turn()

    async def stop() -> None:
        host.close(FailureReason.RATE_LIMITED, wait=None)

    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(refused(host))
        group.create_task(stop())
    assert waiting.result()


async def test_everything_that_asks_a_host_shares_its_budget() -> None:
    clock = HandClock()
    scripts = {"/a": says(http()), "/b": says(http())}
    asked: list[float] = []
    async with Http(clock, per_second={"127.0.0.1": 2.0}) as client, FaultServer(scripts) as server:
        for path in ("/a", "/b", "/a", "/b", "/a"):
            await client.get(server.url(path), allow_private=True)
            asked.append(clock.hand)
    assert asked == [0, 0, 1, 1, 2]
