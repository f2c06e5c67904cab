"""Incidents, newest first, each with its timeline."""

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from monitor.model import Incident, IncidentKind, Severity
from monitor.model.records import IncidentsAsked, Place
from monitor.web.api import told
from monitor.web.api.discretion import discreet
from monitor.web.api.operation import Asked, Desk, NoQuery
from monitor.web.api.paging import NAME, USUAL, Cursor, Limit, Page, cursor, given, place, skipped, split
from monitor.web.api.problem import absent
from monitor.web.api.told import IncidentRow, IncidentTold, Step

_LISTING = "incidents"

Exchange = Annotated[str, Meta(pattern=NAME, description="The exchange's name")]
Open = Annotated[bool, Meta(description="true: those that are not resolved; false: those that are")]
From = Annotated[datetime, Meta(tz=True, description="Opened at this time or after it")]
To = Annotated[datetime, Meta(tz=True, description="Opened before this time")]


class IncidentsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"since": "from"}):
    """Conditions that must hold all together."""

    exchange: Exchange | UnsetType = UNSET
    kind: IncidentKind | UnsetType = UNSET
    severity: Severity | UnsetType = UNSET
    open: Open | UnsetType = UNSET
    since: From | UnsetType = UNSET
    to: To | UnsetType = UNSET
    limit: Limit = USUAL
    cursor: Cursor | UnsetType = UNSET


class TimelineQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    limit: Limit = USUAL
    cursor: Cursor | UnsetType = UNSET


async def listed(desk: Desk, asked: Asked[IncidentsQuery, None]) -> Page[IncidentRow]:
    query = asked.query
    page, last = split(await desk.records.incidents_page(_wanted(query)), query.limit)
    return Page(
        items=tuple(discreet(told.incident_row(each), asked.visitor) for each in page),
        next=None if last is None else cursor(_LISTING, query, Place(last.opened_at, last.id)),
    )


async def one(desk: Desk, asked: Asked[NoQuery, None]) -> IncidentTold:
    return discreet(told.incident_told(await kept(desk, asked.path["id"])), asked.visitor)


async def timeline(desk: Desk, asked: Asked[TimelineQuery, None]) -> Page[Step]:
    """Oldest first. Each is read with the one before it, to tell what was new."""
    incident = await kept(desk, asked.path["id"])
    skip, limit = skipped(incident.id, asked.query, asked.query.cursor), asked.query.limit
    before = min(skip, 1)
    read = await desk.records.timeline(incident.id, skip=skip - before, limit=before + limit + 1)
    page, last = split(read[before:], limit)
    earlier = [*read[:before], *page] if before else [None, *page]
    steps = (told.step(each, previous) for each, previous in zip(page, earlier, strict=False))
    return Page(
        items=tuple(discreet(each, asked.visitor) for each in steps),
        next=None if last is None else cursor(incident.id, asked.query, skip + limit),
    )


async def kept(desk: Desk, name: str) -> Incident:
    """Raises RefusedError where there is none."""
    found = await desk.records.incident(name)
    if found is None:
        raise absent("incident")
    return found


def _wanted(query: IncidentsQuery) -> IncidentsAsked:
    return IncidentsAsked(
        limit=query.limit + 1,
        after=place(_LISTING, query, query.cursor),
        exchange=given(query.exchange),
        kind=given(query.kind),
        severity=given(query.severity),
        is_open=given(query.open),
        opened_from=given(query.since),
        opened_before=given(query.to),
    )
