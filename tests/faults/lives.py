"""Lives of the daemon under a test: begun, listened to and ended as often as the test wants."""

import asyncio
import os
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
import msgspec

from monitor.model import Change
from tests.faults.daemon import Order

ROOT = Path(__file__).parents[2]
LINE_BYTES = 2**24
BUGS = ("engine_raised", "probe_raised", "channel_bug", "replay_diverged", "checkpoint_of_another_version")
"""Lines of the log that no fault of the world may lead to."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the daemon, its log's or the test's own."""

    event: str
    pid: int = 0
    page: str = ""
    status: int = 0
    draft: str = ""
    incident: str = ""
    change: Change | None = None


class Lives:
    """Starts a process that has imported the daemon, and in it one life after the other."""

    def __init__(self, *, speed: float) -> None:
        self._speed = speed
        self._folder = tempfile.TemporaryDirectory()
        self._pid = 0
        self.raw: list[str] = []  # what the present life said that was no line of the log

    async def __aenter__(self) -> Self:
        self._process = await _python("-m", "tests.faults.daemon", folder=self._folder.name)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
        self._stdin.close()
        await self._stdout.read()
        await self._process.wait()
        self._folder.cleanup()

    async def bare_import(self) -> float:
        """Real seconds that a process needs to import the daemon and end."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        process = await _python("-c", "import monitor.app", folder=self._folder.name)
        assert await process.wait() == 0
        return loop.time() - began

    async def begin(self, config: Path, *, start: datetime) -> int:
        """Begin a life and return its pid. The former one must have died."""
        self.raw = []
        order = Order(config=str(config), start=start, speed=self._speed)
        self._stdin.write(msgspec.json.encode(order) + b"\n")
        await self._stdin.drain()
        self._pid = (await self.hears("born")).pid
        return self._pid

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the present life, if there is one."""
        if self._pid:
            os.kill(self._pid, number)

    async def said(self) -> AsyncIterator[Said]:
        """What the present life says until it has died, that included."""
        while True:
            line = await self._stdout.readline()
            assert line, "the process that begins lives has ended"
            if line.isspace():
                continue
            try:
                said = msgspec.json.decode(line, type=Said)
            except msgspec.DecodeError:
                self.raw.append(line.decode(errors="replace"))
                continue
            assert said.event not in BUGS, line.decode()
            if said.event == "died":
                self._pid = 0
            yield said
            if said.event == "died":
                return

    async def hears(self, event: str) -> Said:
        """Wait for an event. Fails if the life ends before."""
        async for said in self.said():
            if said.event == event:
                return said
        raise AssertionError(f"it ended before {event!r}: {''.join(self.raw)}")

    async def ends(self) -> int:
        """Wait for the end of the present life: its exit code, or minus the signal."""
        return (await self.hears("died")).status

    @property
    def _stdin(self) -> asyncio.StreamWriter:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def _stdout(self) -> asyncio.StreamReader:
        assert self._process.stdout is not None
        return self._process.stdout


async def _python(*arguments: str, folder: str) -> Process:
    """Bytecode goes to `folder`, so that an import costs what it costs where the daemon is installed."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environ |= {"PYTHONPYCACHEPREFIX": folder}
    return await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdin=PIPE, stdout=PIPE, stderr=STDOUT, cwd=ROOT, env=environ, limit=LINE_BYTES
    )


def write_config(folder: Path, exchanges: Mapping[str, str], *, control: tuple[str, str]) -> Path:
    """A configuration of exchanges (name -> URL) on loopback, all it keeps in `folder`. Returns its file."""
    (folder / "reserves").mkdir()
    named = "".join(
        f"  {name}: {{url: {url}, status_page: '', interval: 10s, allow_private: true}}\n"
        for name, url in exchanges.items()
    )
    file = folder / "cexwatch.yaml"
    file.write_text(
        f"listen: 127.0.0.1:0\n"
        f"database: sqlite:///{folder}/cexwatch.db\n"
        f"exchanges:\n{named}"
        f"control: {{targets: [{', '.join(control)}], allow_private: true}}\n"
        "prices: {sources: []}\n"
        f"drafts: {{expiry: 2h}}\n"
        f"channels: {{file: {{folder: {folder}/posts}}}}\n"
    )
    return file


async def is_ready(page: str) -> bool:
    async with aiohttp.ClientSession() as session, session.get(f"{page}/readyz") as answer:
        return answer.status == 200


async def metric(page: str, name: str) -> float:
    """The value of a metric without labels."""
    async with aiohttp.ClientSession() as session, session.get(f"{page}/metrics") as answer:
        text = await answer.text()
    return next(float(line.split()[1]) for line in text.splitlines() if line.split()[0] == name)
