"""What is approved and what became of it. A draft enters once; at most one claim of it is ever open.

queued -> sending -> done, back to queued where its channel lets it wait, or unknown: then it is looked for, and only
one that was surely not found can be queued again, by a person.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from sqlalchemy import ColumnElement, Select, and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.model import Attempt, Delivery, DeliveryOutcome, Draft, DraftState
from monitor.store import projections, schema
from monitor.store.schema import microseconds, moment
from monitor.store.step import Step

ORDER_PATIENCE = timedelta(minutes=10)
"""How long later words of an incident wait for an earlier one that nobody can find: then they matter more."""

_outbox = schema.outbox
_drafts = schema.drafts


class OutboxState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    UNKNOWN = "unknown"
    DONE = "done"


class _Settled(Struct, frozen=True):
    """What a delivery makes of a row, and of which rows."""

    values: dict[str, object]
    where: ColumnElement[bool]


def due() -> Select[bytes]:
    """Bodies of the drafts that are approved and queued, in order of creation."""
    bodies = select(_drafts.c.body).join(_outbox, _drafts.c.id == _outbox.c.draft)
    queued = bodies.where(_outbox.c.state == OutboxState.QUEUED, _drafts.c.state == DraftState.APPROVED)
    return queued.order_by(_drafts.c.created_at, _drafts.c.id)


async def unfinished(connection: AsyncConnection) -> list[Attempt]:
    """Claims without an outcome."""
    return await _attempts(connection, _outbox.c.state == OutboxState.SENDING)


async def unsettled(connection: AsyncConnection) -> list[Attempt]:
    """Attempts of unknown outcome whose channel was not looked through yet."""
    is_open = and_(_outbox.c.state == OutboxState.UNKNOWN, _outbox.c.searched.is_(False))
    return await _attempts(connection, is_open)


async def posts(connection: AsyncConnection, draft: Draft) -> list[Draft]:
    """What the incident of `draft` has at its channel, oldest first."""
    bodies = select(_drafts.c.body).where(
        _drafts.c.incident == draft.incident,
        _drafts.c.channel == draft.channel,
        _drafts.c.state == DraftState.POSTED,
    )
    rows = await connection.execute(bodies.order_by(_drafts.c.created_at, _drafts.c.id))
    return [projections.DRAFTS.decode(body) for body in rows.scalars()]


async def posted_since(connection: AsyncConnection, channel: str, *, since: datetime) -> list[Draft]:
    """What went out at `channel` from drafts that were written since then or later, oldest first."""
    bodies = select(_drafts.c.body).where(
        _drafts.c.channel == channel,
        _drafts.c.state == DraftState.POSTED,
        _drafts.c.created_at >= microseconds(since),
    )
    rows = await connection.execute(bodies.order_by(_drafts.c.created_at, _drafts.c.id))
    return [projections.DRAFTS.decode(body) for body in rows.scalars()]


async def follow(connection: AsyncConnection, steps: Sequence[Step]) -> None:
    """Queue what `steps` approved and settle what they delivered."""
    for step in steps:
        for output in step.outputs:
            match output:
                case Draft(state=DraftState.APPROVED):
                    await _enqueue(connection, output, at=step.entry.observation.at)
                case _:
                    pass
        match step.entry.observation:
            case Delivery() as delivery:
                await _settle(connection, delivery)
            case _:
                pass


async def claim(connection: AsyncConnection, draft_id: str, *, now: datetime) -> Draft | None:
    """Mark a queued draft as being sent and return it, or None if it may not be sent at `now`."""
    wanted = select(_outbox, _drafts.c.body).join(_drafts, _drafts.c.id == _outbox.c.draft)
    row = (await connection.execute(wanted.where(_outbox.c.draft == draft_id))).one_or_none()
    if row is None or row.state != OutboxState.QUEUED or await projections.is_held(connection):
        return None
    draft = projections.DRAFTS.decode(row.body)
    waits = row.not_before is not None and microseconds(now) < row.not_before
    if waits or not _may_be_sent(draft, approved_sha256=row.text_sha256, now=now):
        return None
    if await _is_overtaking(connection, draft, now=now):
        return None
    still_queued = (_outbox.c.draft == draft_id) & (_outbox.c.state == OutboxState.QUEUED)
    at = microseconds(now)
    marked = await connection.execute(
        update(_outbox).where(still_queued).values(state=OutboxState.SENDING, updated_at=at, claimed_at=at)
    )
    return draft if marked.rowcount == 1 else None


def _may_be_sent(draft: Draft, *, approved_sha256: str, now: datetime) -> bool:
    is_approved = hashlib.sha256(draft.text.encode()).hexdigest() == approved_sha256
    return is_approved and draft.state is DraftState.APPROVED and now < draft.expires_at


async def _is_overtaking(connection: AsyncConnection, draft: Draft, *, now: datetime) -> bool:
    """Whether an earlier word of the same incident is still on its way to the same channel."""
    at = microseconds(draft.created_at)
    is_earlier = or_(_drafts.c.created_at < at, and_(_drafts.c.created_at == at, _drafts.c.id < draft.id))
    is_on_its_way = or_(
        _outbox.c.state == OutboxState.SENDING,
        and_(
            _outbox.c.state == OutboxState.QUEUED,
            _drafts.c.state == DraftState.APPROVED,
            _drafts.c.expires_at > microseconds(now),
        ),
        and_(
            _outbox.c.state == OutboxState.UNKNOWN,
            _outbox.c.searched.is_(False),
            _outbox.c.claimed_at > microseconds(now - ORDER_PATIENCE),
        ),
    )
    of_the_same = and_(_drafts.c.incident == draft.incident, _drafts.c.channel == draft.channel)
    earlier = select(_outbox.c.draft).join(_drafts, _drafts.c.id == _outbox.c.draft)
    found = await connection.execute(earlier.where(of_the_same, is_earlier, is_on_its_way).limit(1))
    return found.first() is not None


async def _attempts(connection: AsyncConnection, where: ColumnElement[bool]) -> list[Attempt]:
    columns = select(_drafts.c.body, _outbox.c.claimed_at, _outbox.c.updated_at)
    rows = await connection.execute(
        columns.join(_drafts, _drafts.c.id == _outbox.c.draft).where(where).order_by(_drafts.c.created_at, _drafts.c.id)
    )
    # Without a time it was claimed by a version that did not note it.
    return [
        Attempt(
            draft=projections.DRAFTS.decode(body), began_at=moment(updated_at if claimed_at is None else claimed_at)
        )
        for body, claimed_at, updated_at in rows
    ]


async def _enqueue(connection: AsyncConnection, draft: Draft, *, at: datetime) -> None:
    values: dict[str, object] = {
        "draft": draft.id,
        "channel": draft.channel,
        "state": OutboxState.QUEUED,
        "text_sha256": draft.text_sha256,
        "updated_at": microseconds(at),
    }
    mine = _outbox.c.draft == draft.id
    row = (await connection.execute(select(_outbox.c.state, _outbox.c.searched).where(mine))).one_or_none()
    if row is None:
        await connection.execute(insert(_outbox), [values])
    elif row.state == OutboxState.QUEUED:
        await connection.execute(update(_outbox).where(mine).values(values))
    elif row.state == OutboxState.UNKNOWN and row.searched:
        again = values | {"searched": False, "not_before": None, "claimed_at": None}
        await connection.execute(update(_outbox).where(mine).values(again))


async def _settle(connection: AsyncConnection, delivery: Delivery) -> None:
    settled = _settled(delivery)
    row = and_(_outbox.c.draft == delivery.draft, settled.where)
    await connection.execute(
        update(_outbox).where(row).values(settled.values | {"updated_at": microseconds(delivery.at)})
    )


def _settled(delivery: Delivery) -> _Settled:
    """What is done stays done, whatever a late answer says."""
    is_open = _outbox.c.state == OutboxState.SENDING
    match delivery.outcome:
        case DeliveryOutcome.RATE_LIMITED:
            not_before = microseconds(delivery.until) if delivery.until is not None else None
            values: dict[str, object] = {"state": OutboxState.QUEUED, "not_before": not_before}
            return _Settled(values, or_(is_open, _outbox.c.state == OutboxState.QUEUED))
        case DeliveryOutcome.UNKNOWN_OUTCOME:
            values = {"state": OutboxState.UNKNOWN, "searched": delivery.searched}
            return _Settled(values, or_(is_open, _outbox.c.state == OutboxState.UNKNOWN))
        case DeliveryOutcome.REJECTED:
            return _Settled({"state": OutboxState.DONE}, is_open)
        case DeliveryOutcome.POSTED:
            return _Settled({"state": OutboxState.DONE}, _outbox.c.state != OutboxState.DONE)
