"""What people say of incidents, of publishing and of notifications: told to the engines, answered when it is kept."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated

from msgspec import Meta, Struct

from monitor.model import Command, Incident, IncidentKind, Verb
from monitor.model.scope import ITEM
from monitor.model.silence import Silence, active
from monitor.web.api import told
from monitor.web.api.decisions import DOOR
from monitor.web.api.incidents import kept
from monitor.web.api.operation import Asked, Desk, NoQuery
from monitor.web.api.problem import RefusedError, absent
from monitor.web.api.told import IncidentRow
from monitor.web.api.visitor import Visitor
from monitor.web.deciding import status_of

_NOTHING: Mapping[str, str] = MappingProxyType({})
Item = Annotated[str, Meta(pattern=f"^(?:{ITEM.pattern})$", description="BTC@bitcoin, *@bitcoin, BTC@* or *")]
Until = Annotated[datetime, Meta(tz=True, description="Within the next 90 days")]


class Why(Struct, frozen=True, forbid_unknown_fields=True):
    """What others should know. To note, resolve, reopen and retract it is needed."""

    text: str = ""


class Reason(Struct, frozen=True, forbid_unknown_fields=True):
    reason: str = ""


class Silencing(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything given must match; what is left out matches everything."""

    text: str
    until: Until
    exchange: str = ""
    kind: IncidentKind | None = None
    scope: tuple[Item, ...] = ()


class Heeded(Struct, frozen=True, kw_only=True):
    incident: IncidentRow
    message: str


class Publishing(Struct, frozen=True, kw_only=True):
    held: bool
    message: str


class Silenced(Struct, frozen=True, kw_only=True):
    id: str
    until: datetime
    message: str


def annotating(verb: Verb) -> Callable[[Desk, Asked[NoQuery, Why]], Awaitable[Heeded]]:
    """The handler for one verb on an incident."""

    async def annotate(desk: Desk, asked: Asked[NoQuery, Why]) -> Heeded:
        incident = await _named(desk, asked.path["id"], asked.visitor)
        arguments = {"text": asked.body.text} if asked.body.text else _NOTHING
        command = _command(
            desk, asked.visitor, verb, exchange=incident.exchange, subject=incident.id, arguments=arguments
        )
        message = await _heard(desk, command)
        return Heeded(incident=told.incident_row(await _named(desk, incident.id, asked.visitor)), message=message)

    return annotate


async def _named(desk: Desk, name: str, visitor: Visitor) -> Incident:
    """An incident, or what a drill plays for who has signed in. Raises RefusedError where there is none."""
    drill = await desk.drills.one(name) if visitor.role is not None else None
    return drill.incident if drill is not None else await kept(desk, name)


async def hold(desk: Desk, asked: Asked[NoQuery, Reason]) -> Publishing:
    arguments = {"text": asked.body.reason} if asked.body.reason else _NOTHING
    return await _publishing(desk, _command(desk, asked.visitor, Verb.HOLD, arguments=arguments))


async def release(desk: Desk, asked: Asked[NoQuery, None]) -> Publishing:
    return await _publishing(desk, _command(desk, asked.visitor, Verb.RELEASE))


async def silence(desk: Desk, asked: Asked[NoQuery, Silencing]) -> Silenced:
    body = asked.body
    if body.exchange and await desk.records.view(body.exchange) is None:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "exchange: this exchange is not watched")
    arguments = {
        "exchange": body.exchange,
        "kind": body.kind or "",
        "scope": ",".join(body.scope),
        "until": body.until.isoformat(),
        "text": body.text,
    }
    command = _command(desk, asked.visitor, Verb.SILENCE, arguments=arguments)
    message = await _heard(desk, command)
    begun = [each for each in await _silences(desk) if each.id in message]
    if not begun:
        raise RefusedError(HTTPStatus.CONFLICT, "somebody ended it at once")
    return Silenced(id=begun[0].id, until=begun[0].until, message=message)


async def expire(desk: Desk, asked: Asked[NoQuery, None]) -> Silenced:
    known = {each.id: each for each in await _silences(desk)}
    over = known.get(asked.path["id"])
    if over is None:
        raise absent("silence")
    message = await _heard(desk, _command(desk, asked.visitor, Verb.EXPIRE_SILENCE, subject=over.id))
    return Silenced(id=over.id, until=desk.clock.now(), message=message)


def _command(
    desk: Desk,
    visitor: Visitor,
    verb: Verb,
    *,
    exchange: str = "",
    subject: str = "",
    arguments: Mapping[str, str] = _NOTHING,
) -> Command:
    if visitor.role is None:
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "sign in first")
    return Command(
        at=desk.clock.now(),
        exchange=exchange,
        probe=DOOR,
        verb=verb,
        actor=visitor.name,
        role=visitor.role,
        subject=subject,
        arguments=dict(arguments),
    )


async def _heard(desk: Desk, command: Command) -> str:
    """What the engines answer. Raises RefusedError where they refuse it."""
    reply = await desk.say(command)
    if not reply.ok:
        raise RefusedError(status_of(reply), reply.message)
    return reply.message


async def _publishing(desk: Desk, command: Command) -> Publishing:
    message = await _heard(desk, command)
    return Publishing(held=await desk.records.held(), message=message)


async def _silences(desk: Desk) -> Sequence[Silence]:
    world = await desk.records.view("")
    return () if world is None else active(world.silences, desk.clock.now())
