"""States of the engines at places in the journal: the newest three, and the first of each day for retention."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.store import schema
from monitor.store.schema import microseconds, moment
from monitor.store.step import Checkpoint

NEWEST = 3

_table = schema.checkpoints


class Place(Struct, frozen=True):
    """Where a checkpoint is."""

    seq: int
    at: datetime


async def save(connection: AsyncConnection, checkpoint: Checkpoint) -> None:
    """Insert a checkpoint in place of one of the same entry; drop those that neither restart nor retention needs."""
    rows = [
        {"seq": checkpoint.seq, "exchange": exchange, "at": microseconds(checkpoint.at), "body": body}
        for exchange, body in checkpoint.engines.items()
    ]
    await connection.execute(delete(_table).where(_table.c.seq == checkpoint.seq))
    await connection.execute(insert(_table), rows)
    needless = _needless(await places(connection))
    if needless:
        await connection.execute(delete(_table).where(_table.c.seq.in_(needless)))


async def newest(connection: AsyncConnection, *, until: datetime | None = None) -> Checkpoint | None:
    """Of those not after `until`, if it is given."""
    last = select(func.max(_table.c.seq))
    if until is not None:
        last = last.where(_table.c.at <= microseconds(until))
    chosen = select(_table).where(_table.c.seq == last.scalar_subquery()).order_by(_table.c.exchange)
    rows = (await connection.execute(chosen)).all()
    if not rows:
        return None
    return Checkpoint(rows[0].seq, moment(rows[0].at), {row.exchange: row.body for row in rows})


async def places(connection: AsyncConnection) -> list[Place]:
    """All checkpoints, newest first."""
    rows = await connection.execute(select(_table.c.seq, _table.c.at).distinct().order_by(_table.c.seq.desc()))
    return [Place(row.seq, moment(row.at)) for row in rows]


async def drop_before(connection: AsyncConnection, seq: int) -> None:
    await connection.execute(delete(_table).where(_table.c.seq < seq))


def _needless(ordered: list[Place]) -> list[int]:
    """Of checkpoints newest first, those that are neither among the newest nor the first of their UTC day."""
    first_of_day = {place.at.date(): place.seq for place in ordered}
    return [place.seq for place in ordered[NEWEST:] if first_of_day[place.at.date()] != place.seq]
