"""What systemd is told, over a real datagram socket."""

import asyncio
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from monitor.clock import Clock
from monitor.supervisor import supervised
from tests.systemd import systemd

TWENTY_MS = "20000"


class Pipeline:
    """Turns as often as told, and then hangs; `has_hung` once it was found hanging three times."""

    def __init__(self, *, turns: int) -> None:
        self._turns = turns
        self._asked = 0
        self.has_hung = asyncio.Event()

    def is_turning(self) -> bool:
        self._asked += 1
        if self._asked >= self._turns + 3:
            self.has_hung.set()
        return self._asked <= self._turns


async def watch_until_hung(environ: Mapping[str, str], pipeline: Pipeline) -> None:
    async with supervised(environ) as supervisor, asyncio.timeout(20):
        watching = asyncio.ensure_future(supervisor.watch(Clock(), pipeline.is_turning))
        await pipeline.has_hung.wait()
        watching.cancel()


@pytest.mark.parametrize("name", ["", f"cexwatch-test-{os.getpid()}"], ids=["a file", "an abstract name"])
async def test_ready_and_stopping(tmp_path: Path, name: str) -> None:
    with systemd(tmp_path, name=name) as manager:
        async with supervised(manager.environ()) as supervisor:
            assert manager.left() == []
            await supervisor.ready()
            await supervisor.stopping()
        assert manager.left() == ["READY=1", "STOPPING=1"]


async def test_no_sign_of_life_from_one_that_hangs(tmp_path: Path) -> None:
    with systemd(tmp_path) as manager:
        await watch_until_hung(manager.environ(WATCHDOG_USEC=TWENTY_MS), Pipeline(turns=2))
        assert manager.left() == ["WATCHDOG=1", "WATCHDOG=1"]


async def test_watched_by_its_process(tmp_path: Path) -> None:
    with systemd(tmp_path) as manager:
        environ = manager.environ(WATCHDOG_USEC=TWENTY_MS, WATCHDOG_PID=str(os.getpid()))
        await watch_until_hung(environ, Pipeline(turns=1))
        assert manager.left() == ["WATCHDOG=1"]


@pytest.mark.parametrize(
    "watchdog",
    [
        pytest.param({}, id="no watchdog"),
        pytest.param({"WATCHDOG_USEC": TWENTY_MS, "WATCHDOG_PID": "1"}, id="another process is watched"),
        pytest.param({"WATCHDOG_USEC": "soon"}, id="no number"),
    ],
)
async def test_nobody_watches(tmp_path: Path, watchdog: dict[str, str]) -> None:
    with systemd(tmp_path) as manager:
        async with supervised(manager.environ(**watchdog)) as supervisor, asyncio.timeout(20):
            await supervisor.watch(Clock(), lambda: True)  # there is nothing to do, and it ends
        assert manager.left() == []


def nowhere(_: Path) -> Mapping[str, str]:
    return {}


def gone(folder: Path) -> Mapping[str, str]:
    return {"NOTIFY_SOCKET": str(folder / "gone")}


@pytest.mark.parametrize("environ", [nowhere, gone])
async def test_nobody_to_tell(tmp_path: Path, environ: Callable[[Path], Mapping[str, str]]) -> None:
    async with supervised({"WATCHDOG_USEC": TWENTY_MS, **environ(tmp_path)}) as supervisor, asyncio.timeout(20):
        await supervisor.ready()
        await supervisor.watch(Clock(), lambda: True)
        await supervisor.stopping()


async def test_it_goes_away(tmp_path: Path) -> None:
    with systemd(tmp_path) as manager:
        async with supervised(manager.environ()) as supervisor:
            await supervisor.ready()
            assert await manager.told() == "READY=1"
            (tmp_path / "notify").unlink()
            manager.close()
            await supervisor.stopping()
            await supervisor.stopping()


async def test_it_takes_nothing(tmp_path: Path) -> None:
    """Its queue is full: we wait for a second and go on."""
    with systemd(tmp_path) as manager:
        async with supervised(manager.environ()) as supervisor, asyncio.timeout(20):
            sent = 0
            while not supervisor.is_deaf:
                await supervisor.ready()
                sent += 1
            assert manager.left() == ["READY=1"] * (sent - 1)
            await supervisor.ready()
            assert not supervisor.is_deaf
