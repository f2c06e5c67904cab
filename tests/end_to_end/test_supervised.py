"""The daemon as a systemd unit of `Type=notify` runs it."""

import os
from pathlib import Path

from tests.end_to_end.daemon import started
from tests.end_to_end.world import world
from tests.freeze.process import gate_process
from tests.systemd import systemd

WATCHDOG_USEC = "500000"


async def test_life_of_the_freeze_gates_unit(tmp_path: Path) -> None:
    async with gate_process(tmp_path) as gate:
        with systemd(tmp_path) as manager:
            await gate.start(**manager.environ(WATCHDOG_USEC=WATCHDOG_USEC))
            lines = [await manager.told() for _ in range(4)]
            assert sorted(lines) == ["READY=1", *["WATCHDOG=1"] * 3]
            assert await gate.stop() == 0
            *beats, last = manager.left()
            assert last == "STOPPING=1"
            assert set(beats) <= {"WATCHDOG=1"}


async def test_life_of_a_unit(tmp_path: Path) -> None:
    async with world(("gate",), speed=1) as around:
        config = around.configure(tmp_path)
        with systemd(tmp_path) as manager:
            environ = {**os.environ, **manager.environ(WATCHDOG_USEC=WATCHDOG_USEC)}
            async with started(["-m", "monitor", "run", "--config", str(config)], tmp_path, environ=environ) as running:
                lines = [await manager.told() for _ in range(4)]
                assert sorted(lines) == ["READY=1", *["WATCHDOG=1"] * 3]
                await running.stop()
            *beats, last = manager.left()
            assert last == "STOPPING=1"
            assert set(beats) <= {"WATCHDOG=1"}
