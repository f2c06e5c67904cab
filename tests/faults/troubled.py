"""The daemon on a machine whose troubles a test orders: one line each, by a named pipe beside its configuration.

`python -m tests.faults.troubled CONFIG SPEED WALL SHOWN`, as `tests.end_to_end.start`. Orders: `step SECONDS` of the
wall clock, `block SECONDS` of the event loop, `cancel TASK`.
"""

import asyncio
import os
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

from monitor.app import run
from monitor.clock import Clock
from monitor.starting import StartError

PIPE = "orders"


class TroubledClock(Clock):
    """Whose machine's wall clock was stepped, until that is taken over."""

    def __init__(self, *, start: datetime, speed: float) -> None:
        super().__init__(start=start, speed=speed)
        self.follows_wall = True
        self.ahead = 0.0

    def wall_offset(self) -> float:
        return self.ahead

    def step(self, seconds: float) -> None:
        super().step(seconds)
        self.ahead -= seconds


def obey(order: str, clock: TroubledClock) -> None:
    match order.split():
        case ["step", seconds]:
            clock.ahead += float(seconds)
        case ["block", seconds]:
            time.sleep(float(seconds))
        case ["cancel", name]:
            next(task for task in asyncio.all_tasks() if task.get_name() == name).cancel()
        case _:
            raise ValueError(order)


async def live(config: Path, clock: TroubledClock) -> None:
    def told(address: str) -> None:
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()

    pipe = config.parent / PIPE
    pipe.unlink(missing_ok=True)  # of a former life
    os.mkfifo(pipe)
    descriptor = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)

    def heard() -> None:
        for order in os.read(descriptor, 4096).decode().splitlines():
            obey(order, clock)

    asyncio.get_running_loop().add_reader(descriptor, heard)
    await run(config, clock=clock, environ=os.environ, stop=asyncio.Event(), told=told)


def main(config: str, speed: str, wall: str, shown: str) -> int:
    elapsed = Clock().now() - datetime.fromisoformat(wall)
    start = datetime.fromisoformat(shown) + timedelta(seconds=elapsed.total_seconds() * float(speed))
    try:
        asyncio.run(live(Path(config), TroubledClock(start=start, speed=float(speed))))
    except StartError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
