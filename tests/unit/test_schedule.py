"""When things are due: on a grid of monotonic time, or at the times of a crontab line on whatever clock there is."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from monitor.clock import Clock
from monitor.schedule import SEATS_OF_A_CHAIN, Seats, at_times, every
from tests.faults.virtual_clock import VirtualClock

START = datetime(2026, 2, 3, 0, 30, tzinfo=UTC)
HOUR = 3600.0
DAY = 24 * HOUR


class Work:
    """Takes as long as it is told, turn by turn, and notes when it began."""

    def __init__(self, clock: Clock, *, lasting: tuple[float, ...] = ()) -> None:
        self._clock = clock
        self._lasting = list(lasting)
        self._at_work = 0
        self.began: list[float] = []
        self.began_at: list[datetime] = []

    async def __call__(self) -> None:
        self._at_work += 1
        assert self._at_work == 1, "two at a time"
        self.began.append(round(self._clock.monotonic(), 6))
        self.began_at.append(self._clock.now())
        if self._lasting:
            await self._clock.sleep(self._lasting.pop(0))
        self._at_work -= 1


async def passing(
    clock: VirtualClock, schedule: Callable[[], Awaitable[None]], *, seconds: float, step: float = 0.0
) -> None:
    """Run a schedule for that long; half way the wall clock takes a step."""

    async def run() -> None:
        await schedule()

    async with asyncio.TaskGroup() as group:
        running = group.create_task(run())
        await clock.let_pass(seconds / 2)
        clock.step(step)
        await clock.let_pass(seconds / 2)
        running.cancel()


@pytest.mark.parametrize(
    ("interval", "phase", "lasting", "began"),
    [
        pytest.param(10.0, 3.0, (), [3, 13, 23, 33, 43, 53], id="work of no length"),
        pytest.param(10.0, 3.0, (4.0, 9.9), [3, 13, 23, 33, 43, 53], id="work shorter than the interval"),
        pytest.param(10.0, 3.0, (10.0,), [3, 13, 23, 33, 43, 53], id="work as long as the interval"),
        pytest.param(10.0, 3.0, (10.5,), [3, 23, 33, 43, 53], id="one turn missed"),
        pytest.param(10.0, 3.0, (25.0,), [3, 33, 43, 53], id="two turns missed"),
        pytest.param(10.0, 0.0, (0.0, 15.0, 15.0), [0, 10, 30, 50], id="late again and again"),
        pytest.param(60.0, 59.0, (), [59], id="hardly a turn"),
        pytest.param(20.0, 0.013, (), [0.02, 20.02, 40.02], id="due times share a grid of 20 ms"),
    ],
)
async def test_turns_keep_their_grid(
    interval: float, phase: float, lasting: tuple[float, ...], began: list[float]
) -> None:
    clock = VirtualClock(START)
    work = Work(clock, lasting=lasting)
    await passing(clock, lambda: every(interval, phase=phase, clock=clock, work=work), seconds=59.9)
    assert work.began == began


async def test_the_grid_begins_when_the_schedule_does() -> None:
    clock = VirtualClock(START)
    clock.leap(1234.5)
    work = Work(clock)
    await passing(clock, lambda: every(10.0, phase=3.0, clock=clock, work=work), seconds=20.0)
    assert work.began == [1237.5, 1247.5]


@pytest.mark.parametrize("step", [-HOUR, -1.0, 1.0, HOUR])
async def test_a_step_of_the_wall_clock_moves_no_poll(step: float) -> None:
    clock = VirtualClock(START)
    work = Work(clock)
    await passing(clock, lambda: every(10.0, phase=0.0, clock=clock, work=work), seconds=59.0, step=step)
    assert work.began == [0, 10, 20, 30, 40, 50]


async def test_an_error_of_the_work_is_not_swallowed() -> None:
    clock = VirtualClock(START)

    async def fail() -> None:
        raise ArithmeticError

    with pytest.raises(ExceptionGroup) as raised:
        await passing(clock, lambda: every(10.0, phase=0.0, clock=clock, work=fail), seconds=20.0)
    assert raised.value.subgroup(ArithmeticError) is not None


@pytest.mark.parametrize(
    ("cron", "days", "times"),
    [
        pytest.param("17 3 * * *", 3, ["03 03:17", "04 03:17", "05 03:17"], id="once a day"),
        pytest.param("30 0 * * *", 2, ["04 00:30", "05 00:30"], id="not for the minute it was started in"),
        pytest.param("0 */6 * * *", 1, ["03 06:00", "03 12:00", "03 18:00", "04 00:00"], id="every six hours"),
        pytest.param("0 12 * * sun", 7, ["08 12:00"], id="on Sundays"),
    ],
)
async def test_calendar_work_follows_the_crontab_in_utc(cron: str, days: int, times: list[str]) -> None:
    clock = VirtualClock(START)
    work = Work(clock)
    await passing(clock, lambda: at_times(cron, clock=clock, work=work), seconds=days * DAY)
    assert [f"{at:%d %H:%M}" for at in work.began_at] == times
    assert all(at.second == 0 for at in work.began_at)


async def test_calendar_work_that_takes_longer_than_a_turn_leaves_turns_out() -> None:
    clock = VirtualClock(START)
    work = Work(clock, lasting=(2.5 * HOUR,))
    await passing(clock, lambda: at_times("0 * * * *", clock=clock, work=work), seconds=5 * HOUR)
    assert [f"{at:%H:%M}" for at in work.began_at] == ["01:00", "04:00", "05:00"]


@pytest.mark.parametrize("step", [pytest.param(HOUR, id="an hour forward"), pytest.param(-HOUR, id="an hour backward")])
async def test_calendar_work_follows_a_confirmed_step_of_the_clock(step: float) -> None:
    clock = VirtualClock(START)
    work = Work(clock)
    await passing(clock, lambda: at_times("0 12 * * *", clock=clock, work=work), seconds=20 * HOUR, step=step)
    (at,) = work.began_at
    assert timedelta(0) <= at - datetime(2026, 2, 3, 12, tzinfo=UTC) < timedelta(minutes=2)


async def test_calendar_work_keeps_up_with_an_accelerated_clock() -> None:
    clock = Clock(start=START + timedelta(hours=2), speed=50_000.0)
    work = Work(clock)
    third = asyncio.Event()

    async def note() -> None:
        await work()
        if len(work.began_at) == 3:
            third.set()

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        running = group.create_task(at_times("17 3 * * *", clock=clock, work=note))
        await third.wait()
        running.cancel()
    # However late a busy machine wakes it: never early, and never twice for one day.
    days = [(at - timedelta(hours=3, minutes=17)).date() for at in work.began_at]
    assert days == sorted(set(days))
    assert days[0] >= START.date()


async def test_a_chain_that_hangs_keeps_nobody_else_waiting() -> None:
    seats, hangs = Seats(), asyncio.Event()

    async def look(network: str) -> None:
        async with seats.of(network):
            await hangs.wait()

    async with asyncio.TaskGroup() as group:
        for network in ("ethereum", "bitcoin"):
            for _ in range(2 * SEATS_OF_A_CHAIN):
                group.create_task(look(network))
        await asyncio.sleep(0)
        assert seats.of("ethereum").locked()
        assert not seats.of("").locked()
        assert not seats.of("tron").locked()
        hangs.set()
