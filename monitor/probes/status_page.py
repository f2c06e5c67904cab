"""A status page (Statuspage v2): how the exchange says it is, and its own words about incidents.

Pages lag: in the halts we know of the first word came about 17 minutes in. A page that cannot be read says nothing.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

from monitor.clock import Clock
from monitor.model import FailureReason, ProbeFailure, Reading, RemoteError, Source, Stage, Statement, SystemStatus
from monitor.probes.announcements import link
from monitor.probes.answer import Endpoint, decode
from monitor.probes.figures import refuse_odd
from monitor.probes.listing import LONGEST_RAW, Compared, RailMemory
from monitor.probes.rows import MOST_FLAWS, Rows, salvaged
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
    incidents: list[Raw]
    components: list[Raw] = []
    scheduled_maintenances: list[Maintenance] = []


class _History(Struct, frozen=True):
    incidents: list[Raw]


class _Page(Struct, frozen=True):
    summary: _Summary
    incidents: Rows[_Incident]
    rails: Compared


class _Failing(Struct, frozen=True):
    reason: FailureReason
    detail: str


class StatusPageProbe:
    """Reads `summary.json`, and `incidents.json` when an incident left the summary: it lists only unresolved ones, so
    their last words stand elsewhere. Each update is reported once; what was over before the first reading is not.

    An incident or an update that cannot be read costs itself, and last words that cannot be had now are asked for
    again; either is a failure, told once. Components that are rails are told as a list is, its `list_read` last;
    maintenances as `Maintenances` says.
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
        self._failing: frozenset[_Failing] = frozenset()
        self._rails = RailMemory(exchange=exchange, probe=name, source=Source.STATUS_PAGE)
        self._maintenances = Maintenances(exchange=exchange, probe=name)

    async def observe(self) -> Reading:
        """Raises `RemoteError`, with reason `shape` for a page that has lost nine of its rails in ten."""
        answer = await self._summary.fetch()
        page = await self._summary.read(answer, self._page)
        incidents = page.incidents.good
        failing = [_Failing(FailureReason.SCHEMA, flaw.detail) for flaw in page.incidents.flaws[:MOST_FLAWS]]
        owing = self._open & {flaw.asset for flaw in page.incidents.flaws}
        left = self._open - owing - {incident.id for incident in incidents}
        last_words: list[_Incident] = []
        try:
            last_words = await self._last_words(left)
        except RemoteError as error:
            failing.append(_Failing(error.reason, f"{INCIDENTS_PATH} has last words that we do not have yet"))
            owing |= left
        at = self._clock.now()
        rails = self._told_rails(at, page.rails)  # before words count as told: it may refuse the page
        # Many long texts take longer to recognise than the event loop may stand still.
        statements = await asyncio.to_thread(self._statements, at, [*last_words, *incidents])
        self._remember(incidents, owing=owing)
        return (
            *self._failures(at, failing),
            self._status(at, page.summary.status),
            *statements,
            *self._maintenances.told(at, page.summary.scheduled_maintenances),
            *rails,
        )

    def _page(self, body: bytes) -> _Page:
        summary = decode(body, _Summary)
        return _Page(summary, _incidents(summary.incidents), self._rails.compared(listed(summary.components)))

    def _told_rails(self, at: datetime, rails: Compared) -> Reading:
        """Nothing for a page that has never named a rail."""
        is_list = rails.doors or rails.flaws or self._rails.rails
        return self._rails.told(at, rails) if is_list else ()

    def _remember(self, incidents: Sequence[_Incident], *, owing: set[str]) -> None:
        """`owing`: open ones of which we could not read now what was said."""
        seen = {incident.id: {update.id for update in incident.incident_updates} for incident in incidents}
        self._reported = {name: self._reported.get(name, set()) | seen.get(name, set()) for name in {*seen, *owing}}
        self._open = {incident.id for incident in incidents if incident.status not in _OVER} | owing
        self._is_first = False

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
        return [incident for incident in _incidents(history.incidents).good if incident.id in left]

    def _failures(self, at: datetime, failing: Sequence[_Failing]) -> Iterator[ProbeFailure]:
        before, self._failing = self._failing, frozenset(failing)
        for each in failing:
            if each not in before:
                yield ProbeFailure(
                    at=at, exchange=self.exchange, probe=self.name, reason=each.reason, detail=each.detail
                )

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
            raw=plain(status.description)[:LONGEST_RAW],
            source=Source.STATUS_PAGE,
        )


def _incidents(raws: Sequence[Raw]) -> Rows[_Incident]:
    """A page has few: one of them that is wrong is no sign that all are."""
    return salvaged(raws, _Incident, asset="id", path="$.incidents")
