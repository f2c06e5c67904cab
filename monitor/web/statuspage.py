"""Our state in the shape of an Atlassian Statuspage's public API (v2): what reads those reads us unchanged. Pure.

Its words have none for "unknown": a component whose state is not known is left out, and the page's status says so.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal
from uuid import NAMESPACE_URL, uuid5

from msgspec import Struct

from monitor.model import ExchangeState, Severity, Stage
from monitor.model.view import WindowView
from monitor.web.updates import MOST, Case, Update, heading

Impact = Literal["none", "minor", "major", "critical", "maintenance"]

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_IMPACTS: Mapping[Severity, Impact] = {
    Severity.INFO: "none",
    Severity.WARNING: "minor",
    Severity.CRITICAL: "critical",
}
_COMPONENT_STATES = {
    ExchangeState.OPERATIONAL: "operational",
    ExchangeState.DEGRADED: "degraded_performance",
    ExchangeState.HALTED: "major_outage",
}


class Watched(Struct, frozen=True, kw_only=True):
    """An exchange as the page shows it."""

    exchange: str
    title: str
    state: ExchangeState
    changed_at: datetime | None
    windows: tuple[WindowView, ...] = ()


class Page(Struct, frozen=True, kw_only=True):
    id: str = "cexwatch"
    name: str
    url: str
    time_zone: str = "Etc/UTC"
    updated_at: datetime


class Status(Struct, frozen=True, kw_only=True):
    indicator: Impact
    description: str


class Component(Struct, frozen=True, kw_only=True):
    id: str
    name: str
    status: str
    created_at: datetime = _NEVER
    updated_at: datetime
    position: int
    description: str = "Withdrawals"
    showcase: bool = True
    start_date: str | None = None
    group_id: str | None = None
    page_id: str = "cexwatch"
    group: bool = False
    only_show_if_degraded: bool = False


class IncidentUpdate(Struct, frozen=True, kw_only=True):
    id: str
    status: str
    body: str
    incident_id: str
    created_at: datetime
    updated_at: datetime
    display_at: datetime
    affected_components: list[Component] = []
    deliver_notifications: bool = True
    custom_tweet: str | None = None
    tweet_id: str | None = None


class Incident(Struct, frozen=True, kw_only=True):
    id: str
    name: str
    status: str
    created_at: datetime
    updated_at: datetime
    monitoring_at: datetime | None
    resolved_at: datetime | None
    impact: Impact
    shortlink: str
    started_at: datetime
    page_id: str = "cexwatch"
    incident_updates: list[IncidentUpdate]
    components: list[Component]


class Maintenance(Struct, frozen=True, kw_only=True):
    id: str
    name: str
    status: str
    created_at: datetime
    updated_at: datetime
    monitoring_at: datetime | None = None
    resolved_at: datetime | None = None
    impact: Impact = "maintenance"
    shortlink: str
    started_at: datetime
    page_id: str = "cexwatch"
    incident_updates: list[IncidentUpdate] = []
    components: list[Component] = []
    scheduled_for: datetime
    scheduled_until: datetime


class Summary(Struct, frozen=True, kw_only=True):
    page: Page
    components: list[Component]
    incidents: list[Incident]
    scheduled_maintenances: list[Maintenance]
    status: Status


class StatusOnly(Struct, frozen=True, kw_only=True):
    page: Page
    status: Status


class Components(Struct, frozen=True, kw_only=True):
    page: Page
    components: list[Component]


class Incidents(Struct, frozen=True, kw_only=True):
    page: Page
    incidents: list[Incident]


class Standing(Struct, frozen=True, kw_only=True):
    """What all answers are made of; `url` is the address of our pages."""

    title: str
    url: str
    watched: Sequence[Watched]
    cases: Sequence[Case]
    now: datetime

    @property
    def titles(self) -> Mapping[str, str]:
        return {each.exchange: each.title for each in self.watched}


def summary(standing: Standing) -> Summary:
    return Summary(
        page=_page(standing),
        components=_components(standing),
        incidents=_incidents(standing, unresolved_only=True),
        scheduled_maintenances=_maintenances(standing),
        status=_status(standing),
    )


def status(standing: Standing) -> StatusOnly:
    return StatusOnly(page=_page(standing), status=_status(standing))


def components(standing: Standing) -> Components:
    return Components(page=_page(standing), components=_components(standing))


def incidents(standing: Standing) -> Incidents:
    return Incidents(page=_page(standing), incidents=_incidents(standing, unresolved_only=False))


def unresolved(standing: Standing) -> Incidents:
    return Incidents(page=_page(standing), incidents=_incidents(standing, unresolved_only=True))


def _page(standing: Standing) -> Page:
    changes = [each.changed_at for each in standing.watched if each.changed_at is not None]
    changes += [case.changed_at for case in standing.cases]
    return Page(name=standing.title, url=standing.url, updated_at=max(changes, default=_NEVER))


def _status(standing: Standing) -> Status:
    """The worst there is, and what is not known: that is never "all systems operational"."""
    counts = {state: sum(each.state is state for each in standing.watched) for state in ExchangeState}
    impacts = [_IMPACTS[case.severity] for case in standing.cases if case.stage is not Stage.RESOLVED]
    told = [f"{counts[state]} {state}" for state in ExchangeState if counts[state]]
    if counts[ExchangeState.HALTED] or "critical" in impacts:
        return Status(indicator="critical", description=f"Withdrawals: {', '.join(told)}")
    if counts[ExchangeState.DEGRADED]:
        return Status(indicator="major", description=f"Withdrawals: {', '.join(told)}")
    if counts[ExchangeState.UNKNOWN] or "minor" in impacts:
        return Status(indicator="minor", description=f"Withdrawals: {', '.join(told)}")
    return Status(indicator="none", description="All withdrawals operational")


def _components(standing: Standing) -> list[Component]:
    known = [each for each in standing.watched if each.state in _COMPONENT_STATES]
    return [_component(each, position) for position, each in enumerate(known, start=1)]


def _component(watched: Watched, position: int) -> Component:
    return Component(
        id=watched.exchange,
        name=watched.title,
        status=_COMPONENT_STATES[watched.state],
        updated_at=watched.changed_at or _NEVER,
        position=position,
    )


def _incidents(standing: Standing, *, unresolved_only: bool) -> list[Incident]:
    """All that are open, or the newest ones."""
    shown = {component.id: component for component in _components(standing)}
    still_open = [case for case in standing.cases if case.stage is not Stage.RESOLVED]
    return [
        _incident(case, standing, [shown[case.exchange]] if case.exchange in shown else [])
        for case in (still_open if unresolved_only else standing.cases[:MOST])
    ]


def _incident(case: Case, standing: Standing, affected: list[Component]) -> Incident:
    return Incident(
        id=case.id,
        name=heading(case.exchange, case.kind, standing.titles),
        status=case.stage.value,
        created_at=case.began_at,
        updated_at=case.changed_at,
        monitoring_at=_last(case, Stage.MONITORING),
        resolved_at=case.changed_at if case.stage is Stage.RESOLVED else None,
        impact=_IMPACTS[case.severity],
        shortlink=f"{standing.url}/incidents/{case.id}",
        started_at=case.began_at,
        incident_updates=[_update(update, affected) for update in case.updates],
        components=affected,
    )


def _last(case: Case, stage: Stage) -> datetime | None:
    return next((update.at for update in case.updates if update.stage is stage), None)


def _update(update: Update, affected: list[Component]) -> IncidentUpdate:
    return IncidentUpdate(
        id=update.id.removeprefix("urn:uuid:"),
        status=update.stage.value,
        body=update.text,
        incident_id=update.incident,
        created_at=update.at,
        updated_at=update.at,
        display_at=update.at,
        affected_components=affected,
    )


def _maintenances(standing: Standing) -> list[Maintenance]:
    """What was announced, is not over, and can be looked up."""
    return [
        _maintenance(window, each, standing)
        for each in standing.watched
        for window in each.windows
        if window.ends_at > standing.now
    ]


def _maintenance(window: WindowView, watched: Watched, standing: Standing) -> Maintenance:
    scope = "everything" if "*" in window.scope else ", ".join(window.scope)
    name = f"{watched.exchange}/{window.starts_at.isoformat()}/{scope}"
    return Maintenance(
        id=str(uuid5(NAMESPACE_URL, f"cexwatch:{name}")),
        name=f"{watched.title}: maintenance of {scope}",
        status="in_progress" if window.starts_at <= standing.now else "scheduled",
        created_at=window.starts_at,
        updated_at=window.starts_at,
        shortlink=f"{standing.url}/exchanges/{watched.exchange}",
        started_at=window.starts_at,
        scheduled_for=window.starts_at,
        scheduled_until=window.ends_at,
    )
