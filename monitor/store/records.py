"""Pages of incidents and drafts, the newest first. A page goes on behind a record, so what is new moves nothing."""

from collections.abc import Sequence

from sqlalchemy import Column, ColumnElement, Select, Table, and_, or_, select

from monitor.model.records import DraftsAsked, IncidentsAsked, Place
from monitor.store import projections, schema
from monitor.store.schema import microseconds


def incidents(asked: IncidentsAsked) -> Select[bytes]:
    table = schema.incidents
    equal: Sequence[tuple[Column[object], object]] = (
        (table.c.exchange, asked.exchange),
        (table.c.kind, asked.kind),
        (table.c.severity, asked.severity),
        (table.c.open, asked.is_open),
    )
    wanted: list[ColumnElement[bool]] = [column == value for column, value in equal if value is not None]
    if asked.opened_from is not None:
        wanted.append(table.c.opened_at >= microseconds(asked.opened_from))
    if asked.opened_before is not None:
        wanted.append(table.c.opened_at < microseconds(asked.opened_before))
    return _newest_first(table, table.c.opened_at, wanted, after=asked.after, limit=asked.limit)


def drafts(asked: DraftsAsked) -> Select[bytes]:
    table = schema.drafts
    wanted: list[ColumnElement[bool]] = [table.c.state.in_(asked.states)]
    if asked.incident is not None:
        wanted.append(table.c.incident == asked.incident)
    return _newest_first(table, table.c.created_at, wanted, after=asked.after, limit=asked.limit)


def timeline(incident_id: str, *, skip: int, limit: int) -> Select[bytes]:
    """Transitions of one incident in order, without the first `skip`: none is ever put before another."""
    table = schema.outputs
    wanted = select(table.c.body).where(table.c.incident == incident_id, table.c.kind == projections.TRANSITION)
    return wanted.order_by(table.c.seq, table.c.n).offset(skip).limit(limit)


def _newest_first(
    table: Table, at: Column[object], wanted: list[ColumnElement[bool]], *, after: Place | None, limit: int
) -> Select[bytes]:
    if after is not None:
        moment = microseconds(after.at)
        wanted = [*wanted, or_(at < moment, and_(at == moment, table.c.id > after.id))]
    return select(table.c.body).where(*wanted).order_by(at.desc(), table.c.id).limit(limit)
