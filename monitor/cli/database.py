"""The database of a running daemon, read beside it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from msgspec import Struct

from monitor.cli.outcome import tell
from monitor.clock import Clock
from monitor.config import Config
from monitor.store import Store
from monitor.web import phrases

OLD = timedelta(seconds=60)  # a daemon at work appends a tick every few seconds


class Desk(Struct, frozen=True):
    """A database as it was at `now`, the time of its newest entry: the clock of the daemon that writes it."""

    store: Store
    now: datetime


@asynccontextmanager
async def reading(config: Config) -> AsyncIterator[Desk]:
    """Raises StoreError. Says on standard error if nothing was written lately."""
    store = await Store.open(config.database, exclusive=False)
    try:
        head, real = await store.head(), Clock().now()
        now = head.observation.at if head is not None else real
        if real - now > OLD:
            tell(f"as of {phrases.exact(now)}, {phrases.ago(now, real)}: the newest entry there is")
        yield Desk(store, now)
    finally:
        await store.close()
