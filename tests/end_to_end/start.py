"""The entry point of the daemon under test: the composition root on a clock that agrees with the test's.

`python -m tests.end_to_end.start CONFIG SPEED WALL SHOWN`: when the wall clock said WALL, that clock showed SHOWN.
"""

import asyncio
import os
import sys
from datetime import datetime, timedelta
from pathlib import Path

from monitor.app import run
from monitor.clock import Clock
from monitor.starting import StartError


def main(config: str, speed: str, wall: str, shown: str) -> int:
    elapsed = Clock().now() - datetime.fromisoformat(wall)
    start = datetime.fromisoformat(shown) + timedelta(seconds=elapsed.total_seconds() * float(speed))
    clock = Clock(start=start, speed=float(speed))
    try:
        asyncio.run(watch(Path(config), clock))
    except StartError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


async def watch(config: Path, clock: Clock) -> None:
    def told(address: str) -> None:
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()

    await run(config, clock=clock, environ=os.environ, stop=asyncio.Event(), told=told)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
