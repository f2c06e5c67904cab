"""What entries caused: the outputs as they came, and what stands now of incidents, drafts, views and the hold."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Column, bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.model import (
    Command,
    Draft,
    Drill,
    ExchangeView,
    Incident,
    Output,
    PreApproval,
    Reply,
    Stage,
    Transition,
    Verb,
)
from monitor.store import schema
from monitor.store.schema import microseconds
from monitor.store.step import Step

TRANSITION = "transition"
DRAFT = "draft"
DRILL = "drill"

DRAFTS = msgspec.msgpack.Decoder(Draft)
PREAPPROVALS = msgspec.msgpack.Decoder(PreApproval)
DRILLS = msgspec.msgpack.Decoder(Drill)
INCIDENTS = msgspec.msgpack.Decoder(Incident)
TRANSITIONS = msgspec.msgpack.Decoder(Transition)
VIEWS = msgspec.msgpack.Decoder(ExchangeView)
_ENCODER = msgspec.msgpack.Encoder()


class OutputRow(Struct, frozen=True):
    """A transition, draft or drill at its place: the `n`-th output of entry `seq`."""

    seq: int
    n: int
    exchange: str
    kind: str
    incident: str
    body: bytes


def output_rows(steps: Iterable[Step]) -> list[OutputRow]:
    rows = []
    for step in steps:
        for n, output in enumerate(step.outputs):
            match output:
                case Transition():
                    told = (output.exchange, TRANSITION, output.incident)
                case Draft():
                    told = (output.exchange, DRAFT, output.incident)
                case Drill():
                    told = (output.incident.exchange, DRILL, output.incident.id)
                case _:
                    continue
            rows.append(OutputRow(step.entry.seq, n, *told, _ENCODER.encode(output)))
    return rows


async def outputs(connection: AsyncConnection, *, after: int, limit: int | None = None) -> list[tuple[int, Output]]:
    """Transitions, drafts and drills of the entries with `seq` > `after`, in order, at most `limit`."""
    table = schema.outputs
    statement = select(table.c.seq, table.c.kind, table.c.body).where(table.c.seq > after)
    rows = await connection.execute(statement.order_by(table.c.seq, table.c.n).limit(limit))
    return [(seq, _output(kind, body)) for seq, kind, body in rows]


def _output(kind: str, body: bytes) -> Output:
    if kind == DRILL:
        return DRILLS.decode(body)
    return TRANSITIONS.decode(body) if kind == TRANSITION else DRAFTS.decode(body)


async def insert_outputs(connection: AsyncConnection, rows: Sequence[OutputRow]) -> None:
    if rows:
        await connection.execute(insert(schema.outputs), [msgspec.structs.asdict(row) for row in rows])


async def project(connection: AsyncConnection, steps: Sequence[Step]) -> None:
    """Bring incidents, drafts and the hold up to what `steps` say last of each."""
    incidents: dict[str, dict[str, object]] = {}
    drafts: dict[str, dict[str, object]] = {}
    drills: dict[str, dict[str, object]] = {}
    signed: dict[str, dict[str, object]] = {}
    for output in chain.from_iterable(step.outputs for step in steps):
        match output:
            case Incident():
                incidents[output.id] = _incident_row(output)
            case Draft():
                drafts[output.id] = _draft_row(output)
            case Drill():
                drills[output.incident.id] = _drill_row(output)
            case PreApproval():
                signed[output.id] = _signed_row(output)
            case _:
                pass
    holds: dict[int, dict[str, object]] = {}
    for step in steps:
        holds |= _hold(step)
    await _replace(connection, schema.incidents.c.id, incidents)
    await _replace(connection, schema.drafts.c.id, drafts)
    await _replace(connection, schema.drills.c.id, drills)
    await _replace(connection, schema.preapprovals.c.id, signed)
    await _replace(connection, schema.holds.c.id, holds)


async def show(connection: AsyncConnection, views: Iterable[ExchangeView]) -> None:
    """Keep the last of `views` of each exchange."""
    rows = {
        view.exchange: {"exchange": view.exchange, "at": microseconds(view.at), "body": _ENCODER.encode(view)}
        for view in views
    }
    await _replace(connection, schema.views.c.exchange, rows)


async def is_held(connection: AsyncConnection) -> bool:
    return bool((await connection.execute(select(schema.holds.c.held))).scalar())


def _hold(step: Step) -> dict[int, dict[str, object]]:
    """The one row of the hold as the command of `step` leaves it, if it is one and was granted."""
    match step.entry.observation:
        case Command(verb=Verb.HOLD | Verb.RELEASE) as command if any(_grants(output) for output in step.outputs):
            held = command.verb is Verb.HOLD
            return {1: {"id": 1, "held": held, "actor": command.actor, "at": microseconds(command.at)}}
        case _:
            return {}


def _grants(output: Output) -> bool:
    match output:
        case Reply(ok=True):
            return True
        case _:
            return False


def _incident_row(incident: Incident) -> dict[str, object]:
    return {
        "id": incident.id,
        "exchange": incident.exchange,
        "kind": incident.kind,
        "stage": incident.stage,
        "open": incident.stage is not Stage.RESOLVED,
        "opened_at": microseconds(incident.opened_at),
        "severity": incident.severity,
        "body": _ENCODER.encode(incident),
    }


def _drill_row(drill: Drill) -> dict[str, object]:
    return {
        "id": drill.incident.id,
        "exchange": drill.incident.exchange,
        "open": drill.incident.stage is not Stage.RESOLVED,
        "opened_at": microseconds(drill.incident.opened_at),
        "body": _ENCODER.encode(drill),
    }


def _draft_row(draft: Draft) -> dict[str, object]:
    return {
        "id": draft.id,
        "incident": draft.incident,
        "state": draft.state,
        "channel": draft.channel,
        "created_at": microseconds(draft.created_at),
        "expires_at": microseconds(draft.expires_at),
        "body": _ENCODER.encode(draft),
    }


def _signed_row(signed: PreApproval) -> dict[str, object]:
    return {
        "id": signed.id,
        "exchange": signed.exchange,
        "signed_at": microseconds(signed.signed_at),
        "body": _ENCODER.encode(signed),
    }


async def _replace(
    connection: AsyncConnection,
    key: Column[Any],
    rows: Mapping[str, dict[str, object]] | Mapping[int, dict[str, object]],
) -> None:
    """Delete and insert: the two dialects write an upsert differently, and one transaction holds both."""
    if rows:
        await connection.execute(delete(key.table).where(key == bindparam("gone")), [{"gone": name} for name in rows])
        await connection.execute(insert(key.table), list(rows.values()))
