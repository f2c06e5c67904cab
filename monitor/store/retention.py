"""Which readings may be forgotten: old ones that no retained checkpoint is followed by.

What a person said, what was delivered and what was judged by stay for ever, as do outputs, incidents and drafts.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.model import Command, ConfigApplied, Delivery, EntryRefused
from monitor.store import checkpoints, layout, schema
from monitor.store.checkpoints import Place
from monitor.store.schema import microseconds

CHUNK = 5_000  # entries looked at in one transaction, so that a commit waits for milliseconds

_KEPT = tuple(layout.tag_of(kind) for kind in (Command, Delivery, ConfigApplied, EntryRefused))
_journal = schema.journal


class Span(Struct, frozen=True):
    """Where the readings to forget are: `first` <= seq <= `last`, and their age."""

    first: int
    last: int
    before: int


async def begin(connection: AsyncConnection, *, before: datetime) -> Place | None:
    """Choose the checkpoint that becomes the oldest and drop those before it; None if nothing may be forgotten.

    Checkpoints go before readings, so that none is ever followed by a hole.
    """
    oldest = _oldest_to_keep(await checkpoints.places(connection), before=before)
    if oldest is not None:
        await checkpoints.drop_before(connection, oldest.seq)
    return oldest


async def span(connection: AsyncConnection, oldest: Place, *, before: datetime) -> Span | None:
    """Readings older than `before` up to `oldest`, without the head: its `seq` must not be given again."""
    head = (await connection.execute(select(func.max(_journal.c.seq)))).scalar() or 0
    span = Span(first=0, last=min(oldest.seq, head - 1), before=microseconds(before))
    bounds = select(func.min(_journal.c.seq), func.max(_journal.c.seq)).where(_forgettable(span))
    first, last = (await connection.execute(bounds)).one()
    return None if first is None else Span(first, last, span.before)


def chunks(span: Span) -> list[Span]:
    starts = range(span.first, span.last + 1, CHUNK)
    return [Span(start, min(start + CHUNK - 1, span.last), span.before) for start in starts]


async def forget(connection: AsyncConnection, span: Span) -> int:
    """Delete the readings in `span`; returns how many there were."""
    return (await connection.execute(delete(_journal).where(_forgettable(span)))).rowcount


def _oldest_to_keep(places: Sequence[Place], *, before: datetime) -> Place | None:
    """Of `places` newest first, the first that is not after `before` and leaves a restart its choice."""
    old = (place for place in places[checkpoints.NEWEST - 1 :] if place.at <= before)
    return next(old, None)


def _forgettable(span: Span) -> ColumnElement[bool]:
    readings = select(schema.series.c.id).where(schema.series.c.kind.not_in(_KEPT))
    return (
        _journal.c.seq.between(span.first, span.last) & (_journal.c.at < span.before) & _journal.c.series.in_(readings)
    )
