"""What systemd is told of us, as `sd_notify(3)` has it: that we are ready, that we live, that we stop.

Nothing is told where nothing asks for it, which `NOTIFY_SOCKET` and `WATCHDOG_USEC` do.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import structlog

from monitor.clock import Clock
from monitor.schedule import every

log = structlog.get_logger()

SEND_SECONDS = 1.0  # real ones, as those of the watchdog
MICROSECONDS = 1_000_000


class Supervisor:
    """`send` takes a line of the protocol; `watchdog_seconds` is after how long a silence we are ended, 0 for never."""

    def __init__(self, address: socket.socket | None, *, watchdog_seconds: float) -> None:
        self._address = address
        self._watchdog_seconds = watchdog_seconds
        self.is_deaf = False  # it did not take what it was told last

    async def ready(self) -> None:
        await self._tell("READY=1")

    async def stopping(self) -> None:
        await self._tell("STOPPING=1")

    async def watch(self, clock: Clock, is_turning: Callable[[], bool]) -> None:
        """Say that we live twice in the time we are given, for ever; but not while we do not turn."""

        async def beat() -> None:
            if is_turning():
                await self._tell("WATCHDOG=1")

        if self._address is not None and self._watchdog_seconds > 0:
            await every(self._watchdog_seconds / 2 * clock.speed, phase=0.0, clock=clock, work=beat)

    async def _tell(self, line: str) -> None:
        """What cannot be said is no reason to stop watching: whoever waits for it will act."""
        if self._address is None:
            return
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await asyncio.get_running_loop().sock_sendall(self._address, line.encode())
        except OSError as error:  # a TimeoutError is one
            if not self.is_deaf:
                log.warning("supervisor_not_told", said=line, error=str(error) or "it took nothing in a second")
            self.is_deaf = True
            return
        self.is_deaf = False


@asynccontextmanager
async def supervised(environ: Mapping[str, str]) -> AsyncIterator[Supervisor]:
    """Whoever started us and wants to hear of us; nobody, where the environment names none or it is not there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
        ours.setblocking(False)
        yield Supervisor(_connected(ours, environ), watchdog_seconds=_watchdog_seconds(environ))


def _connected(ours: socket.socket, environ: Mapping[str, str]) -> socket.socket | None:
    path = environ.get("NOTIFY_SOCKET", "")
    if not path:
        return None
    try:
        ours.connect("\0" + path[1:] if path.startswith("@") else path)  # "@": one that is in no folder
    except OSError as error:
        log.warning("supervisor_not_reached", socket=path, error=str(error))
        return None
    return ours


def _watchdog_seconds(environ: Mapping[str, str]) -> float:
    """0 where nobody watches, or it is another process that is watched."""
    told, watched = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    is_ours = watched in ("", str(os.getpid()))
    return int(told) / MICROSECONDS if told.isdecimal() and is_ours else 0.0
