"""An incident with what was recorded around it: from a journal file, or from the database of a daemon."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from monitor.cli import screen
from monitor.cli.database import Desk, reading
from monitor.cli.outcome import fail
from monitor.config import Config
from monitor.engine.run import Engines, judge, without
from monitor.model import Entry, EntryRefused, Incident
from monitor.report.case import Case, Origin, cases_of, record
from monitor.report.period import Period, around
from monitor.report.recorder import Recorder
from monitor.store import Store

EVERY = 1_000_000
REPORT_ENTRIES = 5_000
NAMED = 8  # of the incidents that there are


class Told(msgspec.Struct, frozen=True):
    """A case with what was recorded around it, and the time as of which it is told."""

    case: Case
    recorder: Recorder
    origin: Origin
    at: datetime


def case_of_a_journal(journal: Path, incident_id: str) -> Told:
    """Ends the command where there is no such incident. Raises JournalError, OSError."""
    with screen.counting("judging", unit="entries") as progress:
        known = cases_of(journal, judging=None, progress=progress)
    case = known.cases.get(incident_id)
    if case is None:
        ids = ", ".join(list(known.cases)[:NAMED])
        more = f" and {len(known.cases) - NAMED} more" if len(known.cases) > NAMED else ""
        fail(f"{journal} leads to no incident {incident_id!r}; it leads to {ids + more or 'none'}")
    period = _period(case.incident, until=known.origin.last_at)
    with screen.counting("recording", unit="entries") as progress:
        recorder, _ = record(journal, period, judging=None, exchanges=_only(case.incident), progress=progress)
    return Told(case, recorder, known.origin, known.origin.last_at or case.incident.updated_at)


async def case_of_the_daemon(config: Config, incident_id: str) -> Told:
    """What was decided is told as it was decided. Ends the command where there is none. Raises StoreError."""
    async with reading(config) as desk:
        incident = await desk.store.incident(incident_id)
        if incident is None:
            fail(f"there is no incident {incident_id!r}; `cexwatch incidents ls --all` lists them")
        drafts = [draft for draft in await desk.store.drafts(limit=EVERY) if draft.incident == incident_id]
        transitions = await desk.store.transitions(incident_id)
        period = _period(incident, until=desk.now)
        recorder, origin = await recorded(desk, period, exchanges=_only(incident))
        at = desk.now
    return Told(Case(incident=incident, transitions=tuple(transitions), drafts=tuple(drafts)), recorder, origin, at)


async def recorded(desk: Desk, period: Period, *, exchanges: Sequence[str] | None) -> tuple[Recorder, Origin]:
    """Judge again what the database holds, from the last checkpoint before what is shown."""
    engines, after = await _engines(desk.store, before=period.shown_from)
    recorder = Recorder(engines, period, exchanges=exchanges)
    refused: set[tuple[int, str]] = set()
    last = after
    async for entry in _entries(desk.store, after=after, until=period.shown_to):
        last = entry.seq
        if type(entry.observation) is EntryRefused:
            refused.add((entry.observation.seq, entry.observation.exchange))
    count = 0
    first_at, last_at = None, None
    with screen.counting("judging", unit="entries") as progress:
        async for entry in _entries(desk.store, after=after, until=period.shown_to):
            outputs = judge(engines, entry.observation, without(engines, entry.seq, refused))
            count, last_at = count + 1, entry.observation.at
            first_at = first_at if first_at is not None else last_at
            recorder.take(entry.observation, outputs)
            if count % REPORT_ENTRIES == 0:
                progress(entry.seq - after, last - after)
    return recorder, Origin(name="the daemon's database", entries=count, first_at=first_at, last_at=last_at)


async def _entries(store: Store, *, after: int, until: datetime) -> AsyncIterator[Entry]:
    """Up to the first that is after `until`."""
    async for entry in store.entries(after=after):
        if entry.observation.at > until:
            return
        yield entry


async def _engines(store: Store, *, before: datetime) -> tuple[Engines, int]:
    """As they were before a time, or fresh ones where no checkpoint of this version is kept from before it."""
    checkpoint = await store.checkpoint(until=before)
    if checkpoint is None:
        return Engines.fresh(), 0
    try:
        return Engines.restore(checkpoint.engines), checkpoint.seq
    except msgspec.ValidationError:
        return Engines.fresh(), 0


def _period(incident: Incident, *, until: datetime | None) -> Period:
    begin = min(incident.since or incident.opened_at, incident.opened_at)
    return around(begin, incident.resolved_at or until or incident.updated_at)


def _only(incident: Incident) -> list[str] | None:
    """One about ourselves is shown beside all exchanges."""
    return [incident.exchange] if incident.exchange else None
