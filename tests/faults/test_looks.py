"""Looks that go wrong through our own fault (faults F2, F6, F8, F9): counted, taken again, and no task dies of them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.engine.run import Engines
from monitor.exposition import Intervals
from monitor.life import LEAST_SECONDS, Life
from monitor.metrics import Metrics
from monitor.model import Control, FailureReason, ProbeFailure, Reading, RemoteError
from monitor.pipeline import Pipeline
from monitor.schedule import Patience, at_times, every
from tests.end_to_end.daemon import Metrics as Scrape
from tests.faults.virtual_clock import VirtualClock
from tests.server.store_samples import opened, read

START = datetime(2026, 2, 3, tzinfo=UTC)
LABELS = {"exchange": "", "probe": "sick"}


class Sick:
    """A probe that does one thing after the other."""

    name = "sick"
    exchange = ""
    interval = 10.0

    def __init__(self, *looks: Callable[[], Awaitable[Reading]]) -> None:
        self._looks = list(looks)

    async def observe(self) -> Reading:
        return await self._looks.pop(0)()


async def fine() -> Reading:
    return (Control(at=START, probe="sick", ok=True, targets=2, targets_ok=2),)


async def raises() -> Reading:
    raise ZeroDivisionError


async def cancels_itself() -> Reading:
    raise asyncio.CancelledError


async def times_out() -> Reading:
    raise RemoteError(FailureReason.TIMEOUT, "no answer")


async def is_refused() -> Reading:
    raise RemoteError(FailureReason.RATE_LIMITED, "too many")


async def looked(
    folder: Path, *looks: Callable[[], Awaitable[Reading]], times: int, stood_still: bool = False
) -> tuple[list[FailureReason | None], Scrape]:
    """What is in the journal after so many turns, None for a look that was fine, and the metrics."""
    probe = Sick(*looks)
    async with opened(folder / "cexwatch.db") as store:
        metrics = Metrics(version="0", intervals=Intervals())
        pipeline = Pipeline(
            store=store,
            engines=Engines.fresh(),
            clock=VirtualClock(START),
            metrics=metrics,
            seq=0,
            stood_still=lambda _: stood_still,
        )
        for _ in range(times):
            await pipeline.observe(probe)
        pipeline.stop()
        await pipeline.run()
        seen = [entry.observation for entry in await read(store)]
    reasons = [each.reason if type(each) is ProbeFailure else None for each in seen if each.probe == "sick"]
    return reasons, Scrape(metrics.render("text/plain", now=START)[0].decode())


@pytest.mark.parametrize("ends", [raises, cancels_itself], ids=["a bug in a parser", "a cancellation that got out"])
async def test_f9_a_look_that_ends_as_none_may_is_a_failure_and_the_next_one_comes(
    ends: Callable[[], Awaitable[Reading]], tmp_path: Path
) -> None:
    reasons, metrics = await looked(tmp_path, ends, ends, fine, times=3)
    assert reasons == [FailureReason.BUG, FailureReason.BUG, None]
    assert metrics.value("probe_task_restarts_total", **LABELS) == 2


async def test_f9_a_task_that_is_truly_cancelled_ends(tmp_path: Path) -> None:
    async def waits() -> Reading:
        await asyncio.Event().wait()
        return ()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await looked(tmp_path, waits, times=1)


def test_f9_who_raises_again_and_again_is_asked_ever_less_often() -> None:
    patience, turns = Patience(), []
    for _ in range(20):
        turns.append(patience.is_over())
        if turns[-1]:
            patience.tell(raised=True)
    taken = [place for place, is_taken in enumerate(turns) if is_taken]
    assert taken == [0, 1, 3, 7, 15]
    while not patience.is_over():
        pass
    patience.tell(raised=False)
    assert patience.is_over()


async def test_f2_a_look_that_failed_while_we_stood_still_is_taken_again(tmp_path: Path) -> None:
    reasons, metrics = await looked(tmp_path, times_out, fine, times=1, stood_still=True)
    assert reasons == [None]
    assert metrics.value("looks_contaminated_total", **LABELS) == 1
    assert metrics.value("probe_failures_total", **LABELS, reason="timeout") is None


async def test_f2_who_refuses_us_is_not_asked_again_for_that(tmp_path: Path) -> None:
    reasons, metrics = await looked(tmp_path, is_refused, times=1, stood_still=True)
    assert reasons == [FailureReason.RATE_LIMITED]
    assert metrics.value("looks_contaminated_total", **LABELS) is None


async def test_f2_a_loop_that_was_blocked_is_known_to_have_been() -> None:
    life = Life()
    life.turn()
    began = asyncio.get_running_loop().time()
    assert not life.stood_still(began)
    time.sleep(1.1)  # noqa: ASYNC251 - this is the fault
    assert life.stood_still(began), "before the loop has turned"
    life.turn()
    assert life.stood_still(began)
    assert not life.stood_still(asyncio.get_running_loop().time())
    life.stop()


async def test_f9_who_waits_for_ever_is_silent_after_three_periods() -> None:
    life = Life()
    loop = asyncio.get_running_loop()
    with life.turn_of("gate", period=20.0, longest=10.0):
        pass
    begin, passed = loop.time(), 0.0
    real, loop.time = loop.time, lambda: begin + passed  # type: ignore[method-assign]
    try:
        while passed < 60:
            passed += 1
            life.turn()
        assert life.silent() == []
        while passed < 63:
            passed += 1
            life.turn()
        assert life.silent() == ["gate"]
        passed += 3600  # the whole process was stopped: that is nobody's silence
        with life.turn_of("gate", period=20.0, longest=10.0):
            pass
        life.turn()
        assert life.silent() == []
        assert LEAST_SECONDS < 60.0
    finally:
        loop.time = real  # type: ignore[method-assign]
        life.stop()


async def test_f8_turns_that_a_long_look_took_are_counted_and_shift_no_other() -> None:
    clock = VirtualClock(START)
    began: list[float] = []
    left_out: list[int] = []

    async def look() -> None:
        assert len(began) == 0 or clock.monotonic() - began[-1] >= 15.0, "two at a time"
        began.append(clock.monotonic())
        await clock.sleep(15.0)

    async with asyncio.TaskGroup() as group:
        running = group.create_task(every(10.0, phase=0.0, clock=clock, work=look, overran=left_out.append))
        await clock.let_pass(100.0)
        running.cancel()
    assert began == [0, 20, 40, 60, 80, 100]
    assert left_out == [1] * 5


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Apia", "America/New_York", "Europe/Berlin"])
@pytest.mark.parametrize(
    "around",
    [
        pytest.param(datetime(2026, 3, 8, tzinfo=UTC), id="clocks go forward in New York"),
        pytest.param(datetime(2026, 3, 29, tzinfo=UTC), id="and in Berlin"),
        pytest.param(datetime(2026, 10, 25, tzinfo=UTC), id="clocks go back in Berlin"),
        pytest.param(datetime(2028, 2, 29, tzinfo=UTC), id="a leap day"),
    ],
)
async def test_f6_nightly_work_is_done_once_a_day_whatever_the_zone_of_the_machine(
    zone: str, around: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        clock = VirtualClock(around - timedelta(days=1))
        done: list[datetime] = []

        async def work() -> None:
            done.append(clock.now())

        async with asyncio.TaskGroup() as group:
            running = group.create_task(at_times("17 3 * * *", clock=clock, work=work))
            await clock.let_pass(3 * 86_400.0)
            running.cancel()
        assert [(at.day, at.hour, at.minute) for at in done] == [
            ((around + timedelta(days=day)).day, 3, 17) for day in (-1, 0, 1)
        ]
        assert all(at.tzinfo is UTC for at in done)
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()
