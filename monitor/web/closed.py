"""When something was closed: stretches of time from incidents, united and cut, so that no minute counts twice."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from monitor.model import Incident, Stage

_OVER = (Stage.MONITORING, Stage.RESOLVED)


class Stretch(Struct, frozen=True, order=True):
    """From `begin` up to `end`, which is later."""

    begin: datetime
    end: datetime


def stretch(incident: Incident, now: datetime) -> Stretch | None:
    """How long an incident's signals stood: from its first sign, or its opening where the first sign is not known.

    None for one that ended as it began, or was a false alarm.
    """
    if incident.retracted_by is not None:
        return None
    begin = min(incident.since or incident.opened_at, incident.opened_at)
    return _positive(begin, ended(incident, now))


def ended(incident: Incident, now: datetime) -> datetime:
    """When its signals cleared; `now` while they stand."""
    if incident.stage in _OVER:
        return incident.recovered_at or incident.resolved_at or incident.updated_at
    return now


def by_source(incident: Incident, source: str, now: datetime) -> Stretch | None:
    """How long one source says that it lasted, as far as the incident itself goes."""
    told = next((span for span in incident.spans if span.source == source), None)
    whole = stretch(incident, now)
    if told is None or whole is None:
        return None
    begin = max(told.began_at or whole.begin, whole.begin)
    return _positive(begin, min(told.ended_at or whole.end, whole.end))


def united(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same time, in order and without overlaps."""
    found: list[Stretch] = []
    for each in sorted(stretches):
        if found and each.begin <= found[-1].end:
            found[-1] = Stretch(found[-1].begin, max(found[-1].end, each.end))
        else:
            found.append(each)
    return found


def within(stretches: Iterable[Stretch], window: Stretch) -> list[Stretch]:
    """What of them lies in the window."""
    cut = (_positive(max(each.begin, window.begin), min(each.end, window.end)) for each in stretches)
    return [each for each in cut if each is not None]


def total(stretches: Sequence[Stretch]) -> timedelta:
    """Of stretches that do not overlap."""
    return sum((each.end - each.begin for each in stretches), timedelta(0))


def _positive(begin: datetime, end: datetime) -> Stretch | None:
    return Stretch(begin, end) if end > begin else None
