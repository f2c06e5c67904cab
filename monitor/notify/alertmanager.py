"""Open incidents as alerts, pushed to every member of an Alertmanager cluster (its API v2, `POST /api/v2/alerts`).

What fires is sent again before it would end, what is over for a while after it ended: each push holds all of it, so
one that is lost costs nothing, and neither does a restart. An incident that is hushed since it opened is held back; one
that fires goes on, for what we stop sending is called resolved.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
import structlog
from msgspec import Struct

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import Drill, ExchangeView, Incident, RemoteError, Severity
from monitor.model.silence import Silence
from monitor.notify.bell import rung
from monitor.notify.hush import never_told, settling
from monitor.notify.words import DRILL_MARK, Links

log = structlog.get_logger()

SECONDS = 10.0  # real ones
LASTS = 4  # intervals that an alert fires without being sent again
RESENT = timedelta(minutes=15)  # how long a resolved alert is sent again
MOST = 1_000
DRILLS = 100  # the newest, whether or not they are over


class Alert(
    Struct,
    frozen=True,
    kw_only=True,
    rename={"starts_at": "startsAt", "ends_at": "endsAt", "generator_url": "generatorURL"},
):
    """As the API has it. Where `ends_at` is to come the alert fires."""

    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    ends_at: datetime
    generator_url: str


class Incidents(Protocol):
    async def incidents(self, *, open_only: bool = False, limit: int = 100) -> list[Incident]: ...
    async def view(self, exchange: str) -> ExchangeView | None: ...


class Drilled(Protocol):
    async def newest(self, limit: int) -> list[Drill]: ...
    async def pushed(self, drills: Iterable[str], *, url: str, at: datetime) -> None: ...


class Alertmanager:
    """`pushed` is told whether a member took it."""

    def __init__(
        self,
        http: Http,
        urls: Sequence[str],
        store: Incidents,
        drills: Drilled,
        clock: Clock,
        *,
        interval: timedelta,
        severities: Sequence[Severity],
        links: Links,
        pushed: Callable[[bool], None],
        allow_private: bool,
    ) -> None:
        self._http = http
        self._urls = urls
        self._store = store
        self._drills = drills
        self._clock = clock
        self._interval = interval
        self._severities = severities
        self._links = links
        self._pushed = pushed
        self._allow_private = allow_private
        self._failing: dict[str, str] = {}
        self._held_back = set[str]()
        self._took: set[tuple[str, str]] = set()  # which member knows of which drill, as far as it is written down
        self._bell = asyncio.Event()

    def ring(self) -> None:
        """Something changed."""
        self._bell.set()

    async def run(self) -> None:
        """Push at every ring and every interval, for ever."""
        while True:
            self._bell.clear()
            await self.push()
            await rung(self._bell, self._clock, within=self._interval.total_seconds())

    async def push(self) -> None:
        """All that fires and what ended lately, to every member at once."""
        now = self._clock.now()
        drills = [drill.incident for drill in await self._drills.newest(DRILLS)]
        opened = await self._store.incidents(open_only=True, limit=MOST)
        opened += [drill for drill in drills if drill.resolved_at is None]
        self._held_back = settling(opened, self._held_back) | never_told(opened, await self._silences(), now)
        known = {incident.id: incident for incident in [*opened, *drills, *await self._store.incidents()]}
        pushed = [incident for incident in known.values() if incident.id not in self._held_back]
        marked = {drill.id for drill in drills}
        found = alerts(
            pushed, drills=marked, severities=self._severities, interval=self._interval, links=self._links, now=now
        )
        if found:
            body = msgspec.json.encode(found)
            told = [alert.labels["incident"] for alert in found if alert.labels["incident"] in marked]
            async with asyncio.TaskGroup() as members:
                for url in self._urls:
                    members.create_task(self._push(url, body, drills=told), name="alertmanager")

    async def _silences(self) -> tuple[Silence, ...]:
        world = await self._store.view("")
        return world.silences if world is not None else ()

    async def _push(self, url: str, body: bytes, *, drills: Collection[str]) -> None:
        try:
            await self._http.post(f"{url}/api/v2/alerts", body, allow_private=self._allow_private, timeout=SECONDS)
        except RemoteError as error:
            self._pushed(False)
            if self._failing.get(url) != error.reason:
                log.warning("alerts_not_pushed", alertmanager=url, reason=error.reason, detail=error.detail)
            self._failing[url] = error.reason
            return
        self._pushed(True)
        self._failing.pop(url, None)
        fresh = {(url, drill) for drill in drills} - self._took
        if fresh:
            self._took |= fresh
            await self._drills.pushed([drill for _, drill in sorted(fresh)], url=url, at=self._clock.now())


def alerts(
    incidents: Iterable[Incident],
    *,
    drills: Collection[str] = (),
    severities: Sequence[Severity],
    interval: timedelta,
    links: Links,
    now: datetime,
) -> list[Alert]:
    """Those that fire, and those that ended within `RESENT`. `drills`: which of them are tests."""
    return [
        _alert(
            incident,
            links,
            ends_at=incident.resolved_at or now + LASTS * interval,
            is_drill=incident.id in drills,
        )
        for incident in incidents
        if incident.severity in severities and (incident.resolved_at is None or now - incident.resolved_at <= RESENT)
    ]


def _alert(incident: Incident, links: Links, *, ends_at: datetime, is_drill: bool) -> Alert:
    """Its labels stay while it fires, but for a severity that grows: that is another alert, as in Prometheus. A drill
    has the name and the label that it has there, and goes the way that its severity goes.
    """
    name = "Drill" if is_drill else "".join(word.capitalize() for word in incident.kind.split("_"))
    mark = DRILL_MARK if is_drill else ""
    scope = "everything" if "*" in incident.scope else ", ".join(incident.scope)
    return Alert(
        labels={
            "alertname": f"Cexwatch{name}",
            "severity": incident.severity.value,
            "exchange": incident.exchange,
            "incident": incident.id,
            **({"drill": "true"} if is_drill else {}),
        },
        annotations={
            "summary": f"{mark}{incident.kind.replace('_', ' ').capitalize()}.",
            "description": f"{mark}{incident.exchange or 'all exchanges'}: {incident.summary}. Scope: {scope}.",
        },
        starts_at=incident.opened_at,
        ends_at=ends_at,
        generator_url=links.incident(incident.id),
    )
