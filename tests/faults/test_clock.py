"""A machine whose clock is wrong (faults F3, F4, F5): looks keep their pace, the journal its order, silences theirs."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from monitor.clock import Clock
from monitor.model import Control, Verb
from tests.end_to_end.daemon import Daemon, eventually
from tests.end_to_end.world import START, World, world
from tests.faults.machine import order, troubled

SPEED = 60.0
WATCHED = ("gate",)
CONTROL = timedelta(seconds=15)
MINUTES = timedelta(minutes=1)


async def controls(running: Daemon) -> list[datetime]:
    return [e.observation.at for e in await running.journal() if type(e.observation) is Control]


def check_pace(times: Sequence[datetime]) -> None:
    """Looks are taken when they are due, give or take what a busy machine costs at this speed."""
    gaps = [b - a for a, b in pairwise(times)]
    assert abs(median(gap.total_seconds() for gap in gaps) - CONTROL.total_seconds()) < 3.0
    assert max(gaps) < 4 * CONTROL


async def more_looks(running: Daemon, count: int) -> None:
    wanted = len(await controls(running)) + count

    async def are_taken() -> bool:
        return len(await controls(running)) >= wanted

    await eventually(are_taken)


async def steps_taken(running: Daemon) -> float | None:
    return (await running.metrics()).value("clock_steps_total")


async def silenced(running: Daemon) -> float | None:
    return (await running.metrics()).value("silences_active")


async def begin_a_silence(running: Daemon, *, until: datetime) -> None:
    said = await running.order(Verb.SILENCE, arguments={"until": until.isoformat(), "text": "planned"})
    assert said.ok, said.message

    async def is_shown() -> bool:
        return await silenced(running) == 1

    await eventually(is_shown)


def step_the_world(around: World, seconds: float) -> None:
    """The servers' Date headers agree with the machine from now on."""
    around.clock.step(seconds)


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(-60.0, id="F3 a minute back"),
        pytest.param(-3600.0, id="F3 an hour back", marks=pytest.mark.soak),
        pytest.param(600.0, id="F4 ten minutes on", marks=pytest.mark.soak),
        pytest.param(10 * 365 * 86400.0, id="F4 ten years on"),
    ],
)
async def test_a_step_that_the_world_does_not_confirm_changes_nothing(seconds: float, tmp_path: Path) -> None:
    async with world(WATCHED, speed=SPEED) as around, troubled(around.configure(tmp_path), around.clock) as running:
        await running.state_is("gate", "operational")
        await begin_a_silence(running, until=START + timedelta(days=2))
        order(tmp_path, f"step {seconds}")
        await more_looks(running, 6)
        check_pace(await controls(running))
        assert await steps_taken(running) == 0
        assert await silenced(running) == 1
        assert await running.store.incidents() == []


@pytest.mark.parametrize(
    ("seconds", "taken"),
    [
        pytest.param(-30.0, 1, id="F3 half a minute back"),
        pytest.param(-3600.0, 0, id="F3 an hour back: we run ahead", marks=pytest.mark.soak),
        pytest.param(600.0, 1, id="F4 ten minutes on"),
    ],
)
async def test_a_step_that_the_world_confirms_turns_no_stored_time_back(
    seconds: float, taken: int, tmp_path: Path
) -> None:
    async with world(WATCHED, speed=SPEED) as around, troubled(around.configure(tmp_path), around.clock) as running:
        await running.state_is("gate", "operational")
        await begin_a_silence(running, until=START + timedelta(hours=2))
        before = len(await controls(running))
        step_the_world(around, seconds)
        order(tmp_path, f"step {seconds}")

        async def is_followed() -> bool:
            return await steps_taken(running) == taken

        await eventually(is_followed)
        stepped_after = len(await controls(running))
        await more_looks(running, 8)
        own = [e.observation.at for e in await running.journal() if e.observation.probe in ("control", "tick")]
        assert own == sorted(own)
        times = await controls(running)
        if seconds > 0:  # what the step was seen in may be judged and not yet written
            stepped_after = 1 + max(range(len(times) - 1), key=lambda n: times[n + 1] - times[n])
        check_pace(times[:stepped_after])
        check_pace(times[stepped_after + 1 :])
        waited = timedelta(seconds=max(0.0, -seconds))  # our time stands still until the world's is past it
        looked = (len(times) - stepped_after - 3) * CONTROL
        assert times[-1] - times[stepped_after] > looked - waited, "it caught up on turns"
        assert before <= stepped_after
        assert await silenced(running) == 1
        assert await running.store.incidents() == []
        await running.state_is("gate", "operational")


async def test_f4_a_machine_that_wakes_up_years_ahead_believes_the_world(tmp_path: Path) -> None:
    async with world(WATCHED, speed=SPEED) as around:
        config = around.configure(tmp_path)
        async with troubled(config, around.clock) as running:
            await running.state_is("gate", "operational")
            await begin_a_silence(running, until=around.clock.now() + timedelta(days=2))
        wrong = Clock(start=around.clock.now() + timedelta(days=3650), speed=SPEED)
        async with troubled(config, wrong) as running:
            await more_looks(running, 3)
            assert max(await controls(running)) < around.clock.now() + MINUTES
            assert await silenced(running) == 1
            assert await running.store.incidents() == []
            assert len(running.events("clock_set")) == 1


async def test_f5_a_clock_that_is_half_a_minute_off_is_measured(tmp_path: Path) -> None:
    async with world(WATCHED, speed=1.0) as around:
        ahead = Clock(start=around.clock.now() + timedelta(seconds=30))
        async with troubled(around.configure(tmp_path), ahead) as running:

            async def is_measured() -> bool:
                offset = (await running.metrics()).value("clock_offset_seconds")
                return offset is not None and -32 < offset < -28

            await eventually(is_measured)
            assert await steps_taken(running) == 0
