"""A process that asks a host again and again and keeps what it is told in a database. Arguments: database, address."""

import asyncio
import sys

from monitor.clock import Clock
from monitor.http import Http
from monitor.http.limits import NotAskedError
from monitor.model import RemoteError
from monitor.store import Store

BETWEEN_SECONDS = 0.01


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def ask(database: str, url: str) -> None:
    """Say what becomes of each try, for ever."""
    clock = Clock()
    store = await Store.open(database)
    async with Http(clock, closures=await store.closures(), remember=store.keep_closure) as http:
        while True:
            try:
                await http.get(url, allow_private=True)
            except NotAskedError as error:
                say(f"not asked: {error.reason}")
            except RemoteError as error:
                say(f"asked: {error.reason}")
            await clock.sleep(BETWEEN_SECONDS)


if __name__ == "__main__":
    asyncio.run(ask(*sys.argv[1:]))
