"""What a backtest is matched against: events that did happen, told by a file or by the exchange's own words."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec import Struct

from monitor.model import Stage, Statement
from monitor.replay.journal import JournalError

STATEMENT_LEAD = timedelta(hours=1)
"""Words come late, so a page this long before them is about the same thing."""
UNENDED = timedelta(hours=6)
"""How long an event of words lasts whose end nobody told."""
NOTE_CHARACTERS = 120


class Event(Struct, frozen=True, kw_only=True):
    """Something that happened, or that looks like it and must not page. Times are aware."""

    kind: str  # a word of `IncidentKind`, or of what is none ("reshuffle")
    exchange: str
    start: datetime
    end: datetime
    must_page: bool = True
    note: str = ""


class TruthSource(StrEnum):
    FILE = "truth file"
    STATEMENTS = "official words"
    NONE = "nothing"


class Truth(Struct, frozen=True, kw_only=True):
    """Events by start. A page up to `lead_seconds` before an event belongs to it."""

    source: TruthSource
    events: tuple[Event, ...] = ()
    lead_seconds: float = 0.0


def beside(journal: Path) -> Path:
    """Where the truth of a journal is looked for: `halt.jsonl` -> `halt.truth.jsonl`."""
    return journal.with_name(f"{journal.stem}.truth.jsonl")


def read_truth(path: Path) -> Truth:
    """Events of a file, one JSON object a line. Raises JournalError for a line that is none, OSError for the file."""
    decoder = msgspec.json.Decoder(Event)
    events = []
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.isspace():
                continue
            try:
                event = decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise JournalError(
                    f"{path}:{number} expected an event as JSON (kind, exchange, start, end, must_page): {error}"
                ) from error
            events.append(_checked(event, f"{path}:{number}"))
    return Truth(source=TruthSource.FILE, events=tuple(sorted(events, key=lambda event: event.start)))


def truth_of(statements: Iterable[Statement]) -> Truth:
    """Events as the exchanges told them: from words that withdrawals are off or slow to words that they are back."""
    begun: dict[str, Event] = {}
    events: list[Event] = []
    for words in sorted(statements, key=lambda words: words.published_at):
        event = begun.get(words.exchange)
        if event is not None and words.published_at > event.end:
            events.append(begun.pop(words.exchange))
            event = None
        if _says_over(words) and event is not None:
            begun.pop(words.exchange)
            events.append(msgspec.structs.replace(event, end=words.published_at))
        elif _says_begun(words) and event is None:
            begun[words.exchange] = _event(words)
    events += begun.values()
    source = TruthSource.STATEMENTS if events else TruthSource.NONE
    events.sort(key=lambda event: (event.start, event.exchange))
    return Truth(source=source, events=tuple(events), lead_seconds=STATEMENT_LEAD.total_seconds())


def _checked(event: Event, place: str) -> Event:
    if event.start.tzinfo is None or event.end.tzinfo is None:
        raise JournalError(f"{place} expected times with a zone, as in 2026-02-03T14:00:00Z")
    if event.end < event.start:
        raise JournalError(f"{place} ends before it starts")
    return event


def _says_begun(words: Statement) -> bool:
    if words.topic is not None:
        return words.topic in ("suspended", "delayed")
    is_open = words.stage in (Stage.INVESTIGATING, Stage.IDENTIFIED)
    return is_open and "withdraw" in words.text.casefold()


def _says_over(words: Statement) -> bool:
    return words.topic == "resumed" or words.stage is Stage.RESOLVED


def _event(words: Statement) -> Event:
    return Event(
        kind="withdrawal_halt" if words.topic != "delayed" else "withdrawals_degraded",
        exchange=words.exchange,
        start=words.published_at,
        end=words.published_at + UNENDED,
        note=" ".join(words.text.split())[:NOTE_CHARACTERS],
    )
