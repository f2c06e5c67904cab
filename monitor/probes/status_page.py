"""A status page (Statuspage v2): how the exchange says it is, and its own words about incidents.

Pages lag: in the halts we know of the first word came about 17 minutes in.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from monitor.clock import Clock
from monitor.model import FailureReason, Reading, RemoteError, Source, Stage, Statement, SystemStatus
from monitor.probes.answer import Fetch, decode
from monitor.probes.system_status import SystemState

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

    @property
    def published_at(self) -> datetime:
        return (self.display_at or self.created_at).astimezone(UTC)

    @property
    def stage(self) -> Stage | None:
        return _STAGES.get(self.status)


class _Incident(Struct, frozen=True):
    id: str
    status: str
    incident_updates: list[_Update]
    shortlink: str | None = None


class _Status(Struct, frozen=True):
    indicator: Literal["none", "minor", "major", "critical", "maintenance"]
    description: str


class _Summary(Struct, frozen=True):
    status: _Status
    incidents: list[_Incident]


class _History(Struct, frozen=True):
    incidents: list[_Incident]


class StatusPageProbe:
    """Reads `summary.json`, and `incidents.json` when an incident left the summary: it lists only unresolved ones, so
    their last words stand elsewhere. Each update is reported once; what was over before the first reading is not.
    """

    def __init__(
        self, summary: Fetch, history: Fetch, clock: Clock, *, exchange: str, name: str, interval: float
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

    async def observe(self) -> Reading:
        answer = await self._summary()
        page = decode(answer.body, _Summary)
        last_words = await self._last_words(self._open - {incident.id for incident in page.incidents})
        at = self._clock.now()
        statements = self._statements(at, [*last_words, *page.incidents])
        self._reported = {
            incident.id: {update.id for update in incident.incident_updates} for incident in page.incidents
        }
        self._open = {incident.id for incident in page.incidents if incident.status not in _OVER}
        self._is_first = False
        return (self._status(at, page.status), *statements)

    async def _last_words(self, left: set[str]) -> list[_Incident]:
        if not left:
            return []
        try:
            answer = await self._history()
        except RemoteError as error:
            if error.reason is not FailureReason.HTTP_4XX:
                raise
            return []  # a page without a history will not have one at the next reading either
        return [incident for incident in decode(answer.body, _History).incidents if incident.id in left]

    def _statements(self, at: datetime, incidents: Iterable[_Incident]) -> list[Statement]:
        return [
            Statement(
                at=at,
                exchange=self.exchange,
                probe=self.name,
                stage=update.stage,
                text=update.body,
                url=incident.shortlink,
                published_at=update.published_at,
            )
            for incident in incidents
            if not (self._is_first and incident.status in _OVER)
            for update in sorted(incident.incident_updates, key=lambda update: update.published_at)
            if update.id not in self._reported.get(incident.id, ())
        ]

    def _status(self, at: datetime, status: _Status) -> SystemStatus:
        return SystemStatus(
            at=at,
            exchange=self.exchange,
            probe=self.name,
            component="all",
            state=_STATES[status.indicator],
            raw=status.description,
            source=Source.STATUS_PAGE,
        )
