"""A status page as Atlassian Statuspage publishes it: API v2, `summary.json` and `incidents.json`.

The summary lists unresolved incidents only (every page documents so under /api), so a resolved one leaves it; its
last word is in `incidents.json`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

from monitor.model import Stage
from monitor.replay.script import IncidentUpdate

Health = Literal["operational", "degraded_performance", "partial_outage", "major_outage"]

PAGE_ID = "st4g3dp4g3id"
INCIDENT_ID = "st4g3d1nc1dn"
INCIDENT_NAME = "Withdrawals delayed"
AFFECTED = "Withdrawals"
COMPONENTS = (AFFECTED, "Deposits", "Spot Trading", "Website and API")
CREATED = "2024-01-15T09:00:00.000Z"


class _Page(Struct):
    name: str
    url: str
    updated_at: str
    id: str = PAGE_ID
    time_zone: str = "Etc/UTC"


class _Component(Struct):
    id: str
    name: str
    status: Health
    updated_at: str
    position: int
    created_at: str = CREATED
    description: None = None
    showcase: bool = False
    start_date: None = None
    group_id: None = None
    page_id: str = PAGE_ID
    group: bool = False
    only_show_if_degraded: bool = False


class _AffectedComponent(Struct):
    code: str
    name: str
    old_status: Health
    new_status: Health


class _Update(Struct):
    id: str
    status: Stage
    body: str
    created_at: str
    updated_at: str
    display_at: str
    affected_components: list[_AffectedComponent] | None
    incident_id: str = INCIDENT_ID
    deliver_notifications: bool = True
    custom_tweet: None = None
    tweet_id: None = None


class _Incident(Struct):
    status: Stage
    created_at: str
    updated_at: str
    monitoring_at: str | None
    resolved_at: str | None
    started_at: str
    incident_updates: list[_Update]
    components: list[_Component]
    id: str = INCIDENT_ID
    name: str = INCIDENT_NAME
    impact: str = "major"
    shortlink: str = ""
    page_id: str = PAGE_ID
    reminder_intervals: None = None


class _Status(Struct):
    indicator: Literal["none", "minor", "major", "critical"]
    description: str


class _Summary(Struct):
    page: _Page
    components: list[_Component]
    incidents: list[_Incident]
    scheduled_maintenances: list[_Incident]
    status: _Status


class _Incidents(Struct):
    page: _Page
    incidents: list[_Incident]


def summary(name: str, url: str, updates: Sequence[IncidentUpdate]) -> bytes:
    """`GET /api/v2/summary.json` of a page with one incident, whose `updates` are given newest first."""
    is_open = bool(updates) and updates[0].stage is not Stage.RESOLVED
    status = _Status("major", "Partial System Outage") if is_open else _Status("none", "All Systems Operational")
    incidents = [_incident(updates)] if is_open else []
    return msgspec.json.encode(_Summary(_page(name, url, updates), _components(updates), incidents, [], status))


def incidents(name: str, url: str, updates: Sequence[IncidentUpdate]) -> bytes:
    """`GET /api/v2/incidents.json`: resolved ones too."""
    return msgspec.json.encode(_Incidents(_page(name, url, updates), [_incident(updates)] if updates else []))


def _page(name: str, url: str, updates: Sequence[IncidentUpdate]) -> _Page:
    return _Page(name=name, url=url, updated_at=_stamp(updates[0].at) if updates else CREATED)


def _components(updates: Sequence[IncidentUpdate]) -> list[_Component]:
    changed = _stamp(updates[0].at) if updates else CREATED
    return [
        _Component(
            id=_component_id(position),
            name=name,
            status=_health(updates) if name == AFFECTED else "operational",
            updated_at=changed if name == AFFECTED else CREATED,
            position=position,
        )
        for position, name in enumerate(COMPONENTS, start=1)
    ]


def _incident(updates: Sequence[IncidentUpdate]) -> _Incident:
    newest, first = updates[0], updates[-1]
    monitoring = [update.at for update in updates if update.stage is Stage.MONITORING]
    return _Incident(
        status=newest.stage,
        created_at=_stamp(first.at),
        updated_at=_stamp(newest.at),
        monitoring_at=_stamp(monitoring[-1]) if monitoring else None,
        resolved_at=_stamp(newest.at) if newest.stage is Stage.RESOLVED else None,
        started_at=_stamp(first.at),
        incident_updates=[_update(updates[index:]) for index in range(len(updates))],
        components=[component for component in _components(updates) if component.name == AFFECTED],
    )


def _update(updates: Sequence[IncidentUpdate]) -> _Update:
    """The newest of `updates`, which are all until then."""
    newest, number, written = updates[0], len(updates), _stamp(updates[0].at)
    return _Update(
        id=f"st4g3dupd{number:03d}",
        status=newest.stage,
        body=newest.text,
        created_at=written,
        updated_at=written,
        display_at=written,
        affected_components=_affected(updates),
    )


def _affected(updates: Sequence[IncidentUpdate]) -> list[_AffectedComponent] | None:
    # Real pages leave the list out of a closing update.
    if updates[0].stage is Stage.RESOLVED:
        return None
    old, new = _health(updates[1:]), _health(updates)
    return [_AffectedComponent(code=_component_id(1), name=AFFECTED, old_status=old, new_status=new)]


def _health(updates: Sequence[IncidentUpdate]) -> Health:
    if not updates:
        return "operational"
    match updates[0].stage:
        case Stage.INVESTIGATING:
            return "major_outage"
        case Stage.IDENTIFIED:
            return "partial_outage"
        case Stage.MONITORING:
            return "degraded_performance"
        case Stage.RESOLVED:
            return "operational"


def _component_id(position: int) -> str:
    return f"st4g3dcmp{position:03d}"


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
