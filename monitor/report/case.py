"""What a journal file tells: its incidents with their drafts, and what is recorded of a period of it."""

import hashlib
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from monitor.engine.run import Engines
from monitor.model import Draft, Incident, Judging, Transition
from monitor.replay.journal import count_lines, read_entries, refusals
from monitor.replay.replay import REPORT_ENTRIES, replay
from monitor.report.period import Period
from monitor.report.recorder import Recorder

Progress = Callable[[int, int], None]


class Case(Struct, frozen=True, kw_only=True):
    """An incident as it ended up, with its history and its drafts, oldest first."""

    incident: Incident
    transitions: tuple[Transition, ...]
    drafts: tuple[Draft, ...]


class Origin(Struct, frozen=True, kw_only=True):
    """Where the figures of a report come from. Times are None of what is empty."""

    name: str
    entries: int
    first_at: datetime | None
    last_at: datetime | None
    sha256: str = ""  # of a file


class Known(Struct, frozen=True):
    """All incidents of a journal, by id."""

    origin: Origin
    cases: dict[str, Case]


def cases_of(journal: Path, *, judging: Judging | None, progress: Progress) -> Known:
    """Judge a journal and keep what it led to. Raises JournalError, OSError."""
    incidents: dict[str, Incident] = {}
    transitions: dict[str, list[Transition]] = {}
    drafts: dict[str, Draft] = {}
    total, count = count_lines(journal), 0
    first: datetime | None = None
    last: datetime | None = None
    for entry, outputs in replay(read_entries(journal), judging=judging, refused=refusals(journal)):
        count, last = count + 1, entry.observation.at
        first = first if first is not None else last
        for output in outputs:
            match output:
                case Incident():
                    incidents[output.id] = output
                case Transition():
                    transitions.setdefault(output.incident, []).append(output)
                case Draft():
                    drafts[output.id] = output
                case _:
                    pass
        if count % REPORT_ENTRIES == 0:
            progress(count, total)
    progress(count, count)
    origin = Origin(name=journal.name, entries=count, first_at=first, last_at=last, sha256=_sha256(journal))
    return Known(origin, {name: _case(each, transitions, drafts) for name, each in incidents.items()})


def record(
    journal: Path, period: Period, *, judging: Judging | None, exchanges: Collection[str] | None, progress: Progress
) -> tuple[Recorder, Origin]:
    """Judge a journal as far as the period goes and take down what a report shows. Raises JournalError, OSError."""
    engines = Engines.fresh()
    recorder = Recorder(engines, period, exchanges=exchanges)
    total, count = count_lines(journal), 0
    first: datetime | None = None
    last: datetime | None = None
    for entry, outputs in replay(read_entries(journal), judging=judging, refused=refusals(journal), engines=engines):
        count, last = count + 1, entry.observation.at
        first = first if first is not None else last
        if not recorder.take(entry.observation, outputs):
            break
        if count % REPORT_ENTRIES == 0:
            progress(count, total)
    progress(count, count)
    origin = Origin(name=journal.name, entries=count, first_at=first, last_at=last, sha256=_sha256(journal))
    return recorder, origin


def _case(incident: Incident, transitions: dict[str, list[Transition]], drafts: dict[str, Draft]) -> Case:
    return Case(
        incident=incident,
        transitions=tuple(transitions.get(incident.id, [])),
        drafts=tuple(draft for draft in drafts.values() if draft.incident == incident.id),
    )


def _sha256(journal: Path) -> str:
    with journal.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
