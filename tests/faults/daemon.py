"""The daemon as the fault tests run it: the real composition with a clock that goes faster and starts where it is told.

A life is a process forked from this one, which has imported everything, so that many can follow each other. Orders come
as JSON lines on standard input; JSON lines on standard output tell what happens, among the lines of the daemon's log.
"""

import asyncio
import os
import sys
from datetime import datetime
from pathlib import Path

import msgspec

from monitor.app import run
from monitor.clock import Clock


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Live with this configuration from `start` on."""

    config: str
    start: datetime
    speed: float


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    event: str
    pid: int = 0
    page: str = ""
    status: int = 0  # exit code, or the signal that ended it as a negative number


def tell(told: Told) -> None:
    """A line of its own, whatever a killed process had begun to write."""
    os.write(sys.stdout.fileno(), b"\n" + msgspec.json.encode(told) + b"\n")


async def live(order: Order) -> None:
    tell(Told(event="born", pid=os.getpid()))
    clock = Clock(start=order.start, speed=order.speed)
    environ, stop = dict(os.environ), asyncio.Event()

    def told(page: str) -> None:
        tell(Told(event="ready", page=page))

    await run(Path(order.config), clock=clock, environ=environ, stop=stop, told=told)


def main() -> None:
    while line := sys.stdin.buffer.readline():
        order = msgspec.json.decode(line, type=Order)
        pid = os.fork()
        if pid == 0:
            # It is to end as any other program ends, its threads and buffers included.
            asyncio.run(live(order))
            return
        _, status = os.waitpid(pid, 0)
        tell(Told(event="died", pid=pid, status=os.waitstatus_to_exitcode(status)))


if __name__ == "__main__":
    main()
