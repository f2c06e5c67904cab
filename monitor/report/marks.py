"""What is marked on a picture's line of time: what happened to the incident, and what the exchange said."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from monitor.model import Change, Statement, Transition
from monitor.report.period import Period


class MarkKind(StrEnum):
    OPENED = "opened"
    RECOVERED = "recovered"
    RESOLVED = "resolved"
    WORDS = "official words"


class TimeMark(Struct, frozen=True):
    at: datetime
    kind: MarkKind


_KINDS = {
    Change.OPENED: MarkKind.OPENED,
    Change.REOPENED: MarkKind.OPENED,
    Change.ESCALATED: MarkKind.OPENED,
    Change.MONITORING: MarkKind.RECOVERED,
    Change.RESOLVED: MarkKind.RESOLVED,
    Change.RETRACTED: MarkKind.RESOLVED,
}


def marks_of(transitions: Iterable[Transition], statements: Iterable[Statement], period: Period) -> Sequence[TimeMark]:
    """Those within what is shown, in order."""
    found = [TimeMark(each.at, _KINDS[each.transition]) for each in transitions if each.transition in _KINDS]
    found += [TimeMark(words.published_at, MarkKind.WORDS) for words in statements]
    shown = [mark for mark in found if period.shown_from <= mark.at <= period.shown_to]
    return sorted(dict.fromkeys(shown), key=lambda mark: mark.at)
