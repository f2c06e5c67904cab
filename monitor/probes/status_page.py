"""A status page (Statuspage v2): how the exchange says it is, and its own words about incidents.

Pages lag: in the halts we know of the first word came about 17 minutes in. A page that cannot be read says nothing.
"""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

from monitor.clock import Clock
from monitor.model import FailureReason, Reading, RemoteError, Source, Stage, Statement, SystemStatus
from monitor.probes.announcements import link
from monitor.probes.answer import Endpoint, decode
from monitor.probes.figures import refuse_odd
from monitor.probes.listing import LARGE_BODY, Compared, RailMemory
from monitor.probes.status_maintenance import Maintenance, Maintenances
from monitor.probes.status_rails import listed
from monitor.probes.system_status import SystemState
from monitor.probes.wording import plain, recognised

SUMMARY_PATH = "/api/v2/summary.json"
INCIDENTS_PATH = "/api/v2/incidents.json"

_STATES: dict[str, SystemState] = {
    "none": "operational",
    "minor": "degraded",
    "major": "degraded",
    "critical": "outage",
    "maintenance": "maintenance",
}
_STAGES = {stage.value: stage for stage in Stage}
_OVER = ("resolved", "postmortem")
_LONGEST_RAW = 200

_Time = Annotated[datetime, Meta(tz=True)]


class _Update(Struct, frozen=True):
    id: str
    status: str
    body: str
    created_at: _Time
    display_at: _Time | None = None

    def __post_init__(self) -> None:
        refuse_odd(self.published_at_as_told)

    @property
    def published_at_as_told(self) -> datetime:
        return self.display_at or self.created_at

    @property
    def published_at(self) -> datetime:
        return self.published_at_as_told.astimezone(UTC)

    @property
    def stage(self) -> Stage | None:
        return _STAGES.get(self.status)


class _Incident(Struct, frozen=True):
    id: str
    status: str
    incident_updates: list[_Update]
    name: str = ""
    shortlink: str | None = None


class _Status(Struct, frozen=True):
    indicator: Literal["none", "minor", "major", "critical", "maintenance"]
    description: str


class _Summary(Struct, frozen=True):
    status: _Status
    incidents: list[_Incident]
    components: list[Raw] = []
    scheduled_maintenances: list[Maintenance] = []


class _History(Struct, frozen=True):
    incidents: list[_Incident]


class _Page(Struct, frozen=True):
    summary: _Summary
    rails: Compared


class StatusPageProbe:
    """Reads `summary.json`, and `incidents.json` when an incident left the summary: it lists only unresolved ones, so
    their last words stand elsewhere. Each update is reported once; what was over before the first reading is not.

    Components that are rails are told as a list is, its `list_read` last; maintenances as `Maintenances` says.
    """

    def __init__(
        self, summary: Endpoint, history: Endpoint, clock: Clock, *, exchange: str, name: str, interval: float
    ) -> None:
        self.name = name
        self.exchange = exchange
        self.interval = interval
        self._summary = summary
        self._history = history
        self._clock = clock
        self._is_first = True
        self._reported: dict[str, set[str]] = {}  # incident -> updates, of the incidents last seen on the page
        self._open: set[str] = set()
        self._rails = RailMemory(exchange=exchange, probe=name, source=Source.STATUS_PAGE)
        self._maintenances = Maintenances(exchange=exchange, probe=name)

    async def observe(self) -> Reading:
        """Raises `RemoteError`, with reason `shape` for a page that has lost nine of its rails in ten."""
        answer = await self._summary.fetch()
        if len(answer.body) < LARGE_BODY:
            page = await self._summary.read(answer, self._page)
        else:
            page = await asyncio.to_thread(self._page, answer.body)
        incidents = page.summary.incidents
        last_words = await self._last_words(self._open - {incident.id for incident in incidents})
        at = self._clock.now()
        rails = self._told_rails(at, page.rails)  # before words count as told: it may refuse the page
        # Many long texts take longer to recognise than the event loop may stand still.
        statements = await asyncio.to_thread(self._statements, at, [*last_words, *incidents])
        self._reported = {incident.id: {update.id for update in incident.incident_updates} for incident in incidents}
        self._open = {incident.id for incident in incidents if incident.status not in _OVER}
        self._is_first = False
        return (
            self._status(at, page.summary.status),
            *statements,
            *self._maintenances.told(at, page.summary.scheduled_maintenances),
            *rails,
        )

    def _page(self, body: bytes) -> _Page:
        summary = decode(body, _Summary)
        return _Page(summary, self._rails.compared(listed(summary.components)))

    def _told_rails(self, at: datetime, rails: Compared) -> Reading:
        """Nothing for a page that has never named a rail."""
        is_list = rails.doors or rails.flaws or self._rails.rails
        return self._rails.told(at, rails) if is_list else ()

    async def _last_words(self, left: set[str]) -> list[_Incident]:
        if not left:
            return []
        try:
            answer = await self._history.fetch()
        except RemoteError as error:
            if error.reason is not FailureReason.HTTP_4XX:
                raise
            return []  # a page without a history will not have one at the next reading either
        history = await self._history.read(answer, partial(decode, shape=_History))
        return [incident for incident in history.incidents if incident.id in left]

    def _statements(self, at: datetime, incidents: Iterable[_Incident]) -> list[Statement]:
        return [
            self._statement(at, incident, update)
            for incident in incidents
            if not (self._is_first and incident.status in _OVER)
            for update in sorted(incident.incident_updates, key=lambda update: update.published_at)
            if update.id not in self._reported.get(incident.id, ())
        ]

    def _statement(self, at: datetime, incident: _Incident, update: _Update) -> Statement:
        """An update that says nothing of withdrawals itself, as "we are investigating", is of what its title says."""
        topic = recognised(update.body)
        if topic is None and update.stage in (Stage.INVESTIGATING, Stage.IDENTIFIED):
            topic = recognised(incident.name)
        return Statement(
            at=at,
            exchange=self.exchange,
            probe=self.name,
            stage=update.stage,
            topic=topic,
            text=plain(update.body),
            url=link(incident.shortlink),
            published_at=update.published_at,
        )

    def _status(self, at: datetime, status: _Status) -> SystemStatus:
        return SystemStatus(
            at=at,
            exchange=self.exchange,
            probe=self.name,
            component="all",
            state=_STATES[status.indicator],
            raw=plain(status.description)[:_LONGEST_RAW],
            source=Source.STATUS_PAGE,
        )
