"""The budget of a host, and what becomes of it when the host says stop."""

import asyncio
import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from monitor.clock import Clock
from monitor.http.limits import (
    BANNED,
    JITTER_SECONDS,
    LONGEST_BAN_SECONDS,
    TOO_MANY,
    WALLED,
    Budget,
    Host,
    NotAskedError,
    Stop,
    Weight,
    chance,
    http_date,
    seconds_of_ban,
    seconds_to_wait,
)
from monitor.model import Closure, FailureReason
from tests.hand_clock import NOON, HandClock, StillClock, nearly_always, never

MINUTE = 60.0
HOUR = 3600.0
USED = Weight(header="X-Used", limit=100, window_seconds=60.0)
REMAINING = Weight(header="X-Left", limit=100, window_seconds=60.0, counts="remaining")


def host_of(
    clock: Clock, *, per_second: float = 5.0, weight: Weight | None = None, chance: Callable[[], float] = never
) -> Host:
    budget = Budget(per_second=per_second, weight=weight)
    return Host("api.example", clock, port=443, budget=budget, chance=chance)


async def refused(host: Host) -> bool:
    try:
        await host.turn()
    except NotAskedError:
        return True
    return False


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
    ("text", "seconds"),
    [
        ("Way too many requests; IP banned until 1770120030000.", 30.0),
        ('{"code":-1003,"msg":"IP(1.2.3.4) banned until 1770120000500. Please use websocket"}', 0.5),
        ("banned until 1770119999000", None),  # a second ago
        ("banned until 17701200300000", None),  # 14 digits are no milliseconds of our times
        ("banned until soon", None),
        ("", None),
    ],
)
def test_what_a_text_says_of_a_ban(text: str, seconds: float | None) -> None:
    assert seconds_of_ban(text, now=NOON) == seconds


@pytest.mark.parametrize(
    ("stop", "told", "chance", "seconds"),
    [
        pytest.param(TOO_MANY, 7.0, never, 7, id="as told"),
        pytest.param(TOO_MANY, 7.0, nearly_always, 7 + JITTER_SECONDS, id="a little later than told"),
        pytest.param(TOO_MANY, 1e9, nearly_always, HOUR, id="an hour at most"),
        pytest.param(TOO_MANY, float("inf"), never, HOUR, id="an hour at most, whatever the number"),
        pytest.param(BANNED, 86_400.0, never, 86_400, id="a day when banned"),
        pytest.param(BANNED, 1e9, never, LONGEST_BAN_SECONDS, id="three days at most when banned"),
        pytest.param(TOO_MANY, None, never, 30, id="30 s without a number"),
        pytest.param(TOO_MANY, None, nearly_always, 60, id="up to a minute without a number"),
        pytest.param(BANNED, None, never, 2 * MINUTE, id="two minutes when banned without a number"),
        pytest.param(WALLED, None, never, 30 * MINUTE, id="half an hour before a wall"),
    ],
)
async def test_a_host_stays_closed_for(
    stop: Stop, told: float | None, chance: Callable[[], float], seconds: float
) -> None:
    clock = HandClock()
    host = host_of(clock, chance=chance)
    closure = host.close(stop, told=told)
    assert (closure.host, closure.port, closure.reason, closure.refusals) == ("api.example", 443, stop.reason, 1)
    assert abs((closure.until - NOON).total_seconds() - seconds) < 0.001
    clock.hand = seconds - 1
    assert host.closure() == closure
    with pytest.raises(NotAskedError, match=re.escape("api.example")) as caught:
        await host.turn()
    assert caught.value.reason is stop.reason
    clock.hand = seconds
    assert host.closure() is None
    await host.turn()


def closed_seconds(host: Host, clock: HandClock, stop: Stop) -> int:
    """How long the host stays closed after one more refusal without a number, which is then over."""
    closure = host.close(stop, told=None)
    seconds = (closure.until - clock.now()).total_seconds()
    clock.hand += seconds + 0.001
    return round(seconds)


@pytest.mark.parametrize(
    ("stop", "chance", "seconds"),
    [
        pytest.param(TOO_MANY, nearly_always, [60, 120, 240, 480, 900, 900], id="too many, at most"),
        pytest.param(TOO_MANY, never, [30, 30, 30, 30, 30, 30], id="too many, at least"),
        pytest.param(WALLED, nearly_always, [3600, 7200, 10_800, 10_800], id="a wall, at most"),
        pytest.param(BANNED, nearly_always, [240, 480, 960, 1920, 3840, 7680, 10_800], id="banned, at most"),
    ],
)
def test_the_bound_of_the_wait_doubles_with_refusals_in_a_row(
    stop: Stop, chance: Callable[[], float], seconds: list[int]
) -> None:
    clock = HandClock()
    host = host_of(clock, chance=chance)
    assert [closed_seconds(host, clock, stop) for _ in seconds] == seconds
    host.answered()
    assert closed_seconds(host, clock, stop) == seconds[0]


def test_waits_are_spread_over_all_that_lies_between() -> None:
    clock = HandClock()
    hosts = [host_of(clock, chance=chance) for _ in range(200)]
    ends = sorted((host.close(TOO_MANY, told=None).until - NOON).total_seconds() for host in hosts)
    assert ends[0] >= 30
    assert ends[-1] <= 60
    assert ends[150] - ends[50] > 5  # the middle half of an even spread is 15 s wide


def test_refusals_of_one_moment_are_one_refusal() -> None:
    clock = HandClock()
    host = host_of(clock, chance=nearly_always)
    assert {host.close(TOO_MANY, told=None) for _ in range(5)} == {host.closure()}
    host.answered()  # one that was in flight with them
    clock.hand = 60.0
    assert closed_seconds(host, clock, TOO_MANY) == 120


def test_the_latest_of_several_ends_counts() -> None:
    host = host_of(HandClock())
    host.close(BANNED, told=600.0)
    assert host.close(TOO_MANY, told=7.0).until == NOON + timedelta(seconds=600)
    assert host.close(TOO_MANY, told=900.0).until == NOON + timedelta(seconds=900)


def test_a_refusal_inside_an_answer_does_not_count_as_let_in() -> None:
    clock = HandClock()
    host = host_of(clock, chance=nearly_always)
    waits = []
    for _ in range(3):
        host.answered()
        host.refused_inside()
        waits.append(closed_seconds(host, clock, TOO_MANY))
    assert waits == [60, 120, 240]
    host.answered()
    host.answered()
    host.refused_inside()
    assert closed_seconds(host, clock, TOO_MANY) == 60


def closure(*, until: datetime, reason: FailureReason = FailureReason.RATE_LIMITED, refusals: int = 3) -> Closure:
    return Closure(host="api.example", port=443, reason=reason, until=until, refusals=refusals)


@pytest.mark.parametrize(
    ("reason", "hours", "held_hours"),
    [
        pytest.param(FailureReason.BLOCKED, 30, 30, id="a ban"),
        pytest.param(FailureReason.RATE_LIMITED, 0.5, 0.5, id="a limit"),
        pytest.param(FailureReason.BLOCKED, 90_000, 72, id="a ban kept by a clock that was years ahead"),
        pytest.param(FailureReason.RATE_LIMITED, 90_000, 1, id="a limit kept by a clock that was years ahead"),
    ],
)
async def test_a_closure_holds_over_a_restart(reason: FailureReason, hours: float, held_hours: float) -> None:
    clock = HandClock()
    host = host_of(clock)
    host.hold(closure(until=NOON + timedelta(hours=hours), reason=reason))
    clock.hand = held_hours * HOUR - 1
    assert await refused(host)
    clock.hand += 2
    await host.turn()


def test_a_closure_that_is_over_is_forgotten_at_a_restart() -> None:
    host = host_of(HandClock())
    host.hold(closure(until=NOON))
    assert host.closure() is None
    assert host.close(TOO_MANY, told=None).refusals == 1


def test_refusals_are_counted_on_over_a_restart() -> None:
    clock = HandClock()
    host = host_of(clock)
    host.hold(closure(until=NOON + timedelta(seconds=30), refusals=3))
    clock.hand = 31.0
    assert host.close(TOO_MANY, told=None).refusals == 4


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
    host = host_of(clock, per_second=per_second)
    given: list[float] = []
    for _ in turns:
        await host.turn()
        given.append(clock.hand)
    assert given == turns


async def test_a_queue_of_our_own_making_is_refused_at_30_seconds() -> None:
    host = host_of(StillClock())
    for _ in range(5 * 31):
        await host.turn()
    with pytest.raises(NotAskedError, match="our own queue is too long"):
        await host.turn()


async def test_who_waits_for_a_turn_hears_of_a_stop() -> None:
    host = host_of(Clock(speed=10), per_second=1)
    await host.turn()

    async def stop() -> None:
        host.close(TOO_MANY, told=None)

    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(refused(host))
        group.create_task(stop())
    assert waiting.result()


async def turns(host: Host, clock: HandClock, *, number: int) -> list[float]:
    given = []
    for _ in range(number):
        await host.turn()
        given.append(round(clock.hand, 3))
    return given


@pytest.mark.parametrize(
    ("weight", "header", "told", "expected"),
    [
        pytest.param(USED, "X-Used", ["49", "49"], [0, 0, 0, 0], id="less than half used"),
        pytest.param(USED, "X-Used", ["50", "60"], [0, 15, 30, 45], id="half used: what is left lasts a window"),
        pytest.param(USED, "X-Used", ["90", "91"], [0, 6.667, 13.333, 20], id="nine tenths used"),
        pytest.param(REMAINING, "X-Left", ["50", "40"], [0, 15, 30, 45], id="half is left"),
        pytest.param(USED, "X-Used", ["60", "20"], [0, 0, 0, 0], id="a new window began"),
        pytest.param(USED, "X-Used", ["60", "soon"], [0, 1.5, 3, 4.5], id="garbage changes nothing"),
        pytest.param(USED, "X-Used", ["-60", "9" * 400], [0, 0, 0, 0], id="no number"),
        pytest.param(USED, "x-other", ["99", "99"], [0, 0, 0, 0], id="another header"),
    ],
)
async def test_a_budget_of_weights_is_spread_before_it_is_used_up(
    weight: Weight, header: str, told: list[str], expected: list[float]
) -> None:
    clock = HandClock()
    host = host_of(clock, weight=weight)
    for text in told:
        host.weigh({header: text})
    assert await turns(host, clock, number=4) == expected


@pytest.mark.parametrize("told", ["95", "100", "250"])
async def test_a_host_rests_for_a_window_when_its_budget_is_almost_used_up(told: str) -> None:
    clock = HandClock()
    host = host_of(clock, weight=USED)
    host.weigh({"X-Used": told})
    with pytest.raises(NotAskedError, match="budget is almost used up") as caught:
        await host.turn()
    assert caught.value.reason is FailureReason.RATE_LIMITED
    clock.hand = 29.0
    assert await refused(host)
    assert await turns(host, clock, number=0) == []
    clock.hand = 31.0  # soon enough to wait for
    assert await turns(host, clock, number=2) == [60, 60]
    host.weigh({"X-Used": "2"})
    assert await turns(host, clock, number=2) == [60, 60]


async def test_who_waits_for_a_turn_hears_of_a_used_up_budget() -> None:
    host = host_of(Clock(speed=10), per_second=1, weight=USED)
    await host.turn()

    async def hear() -> None:
        host.weigh({"X-Used": "99"})

    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(refused(host))
        group.create_task(hear())
    assert waiting.result()
