"""What is approved and not delivered. A draft enters once; at most one claim of it is ever open."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.model import Delivery, DeliveryOutcome, Draft, DraftState
from monitor.store import projections, schema
from monitor.store.schema import microseconds
from monitor.store.step import Step

_outbox = schema.outbox
_drafts = schema.drafts


class OutboxState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    DONE = "done"


def due() -> Select[bytes]:
    """Bodies of the drafts that are approved and queued, in order of creation."""
    return _in_state(OutboxState.QUEUED).where(_drafts.c.state == DraftState.APPROVED)


def unfinished() -> Select[bytes]:
    """Bodies of the drafts whose sending has no outcome yet."""
    return _in_state(OutboxState.SENDING)


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
    still_queued = (_outbox.c.draft == draft_id) & (_outbox.c.state == OutboxState.QUEUED)
    marked = await connection.execute(
        update(_outbox).where(still_queued).values(state=OutboxState.SENDING, updated_at=microseconds(now))
    )
    return draft if marked.rowcount == 1 else None


def _may_be_sent(draft: Draft, *, approved_sha256: str, now: datetime) -> bool:
    is_approved = hashlib.sha256(draft.text.encode()).hexdigest() == approved_sha256
    return is_approved and draft.state is DraftState.APPROVED and now < draft.expires_at


def _in_state(state: OutboxState) -> Select[bytes]:
    bodies = select(_drafts.c.body).join(_outbox, _drafts.c.id == _outbox.c.draft)
    return bodies.where(_outbox.c.state == state).order_by(_drafts.c.created_at, _drafts.c.id)


async def _enqueue(connection: AsyncConnection, draft: Draft, *, at: datetime) -> None:
    row = (await connection.execute(select(_outbox.c.state).where(_outbox.c.draft == draft.id))).one_or_none()
    values = {
        "draft": draft.id,
        "channel": draft.channel,
        "state": OutboxState.QUEUED,
        "text_sha256": draft.text_sha256,
        "updated_at": microseconds(at),
    }
    if row is None:
        await connection.execute(insert(_outbox), [values])
    elif row.state == OutboxState.QUEUED:
        await connection.execute(update(_outbox).where(_outbox.c.draft == draft.id).values(values))


async def _settle(connection: AsyncConnection, delivery: Delivery) -> None:
    row = _outbox.c.draft == delivery.draft
    values: dict[str, object] = {"state": OutboxState.DONE, "updated_at": microseconds(delivery.at)}
    if delivery.outcome is DeliveryOutcome.RATE_LIMITED:
        # Only an open claim goes back: what is done stays done, whatever a late answer says.
        row &= _outbox.c.state == OutboxState.SENDING
        not_before = microseconds(delivery.until) if delivery.until is not None else None
        values |= {"state": OutboxState.QUEUED, "not_before": not_before}
    await connection.execute(update(_outbox).where(row).values(values))
