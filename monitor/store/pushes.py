"""Pushes that were taken, kept as long as their signatures hold: none is taken again, also after a restart."""

from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.store import schema
from monitor.store.schema import microseconds

_table = schema.pushes


async def is_kept(connection: AsyncConnection, digest: bytes) -> bool:
    found = await connection.execute(select(_table.c.digest).where(_table.c.digest == digest))
    return found.first() is not None


async def keep(connection: AsyncConnection, digest: bytes, *, until: datetime, now: datetime) -> bool:
    """Keep a digest, and forget those that no longer matter at `now`. False where it was kept already."""
    if await is_kept(connection, digest):
        return False
    await connection.execute(delete(_table).where(_table.c.until < microseconds(now)))
    await connection.execute(insert(_table), {"digest": digest, "until": microseconds(until)})
    return True
