"""Of which open incidents nobody is told anew: what a person silenced, and what a larger incident explains. Pure.

It waits, and is told when it is neither any longer and still open. What was told before is told to its end.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from monitor.model import (
    RISES,
    Drill,
    Happened,
    Incident,
    IncidentKind,
    Notification,
    Output,
    Queued,
    Stage,
    Told,
    Transition,
)
from monitor.model.rollup import causes
from monitor.model.silence import Silence, is_silenced

_WIDE = (IncidentKind.BLIND, IncidentKind.NETWORK_INCIDENT)
"""What can explain others: of ten thousand incidents at once each is held against these alone."""


class Audible(Struct, frozen=True):
    """What of a queue can be told now, and what is to be told nobody any more. The rest goes on waiting."""

    now: list[Notification]
    fold: list[Notification]


def hushed(incidents: Sequence[Incident], silences: Collection[Silence], now: datetime) -> set[str]:
    """Those of the open incidents that nobody is to be told of."""
    wide = [each for each in incidents if each.kind in _WIDE]
    return {each.id for each in incidents if any(True for _ in _reasons(each, wide, silences, now))}


def never_told(incidents: Sequence[Incident], silences: Collection[Silence], now: datetime) -> set[str]:
    """Those of the open incidents that are hushed since they opened."""
    wide = [each for each in incidents if each.kind in _WIDE]
    return {
        each.id for each in incidents if any(since <= each.opened_at for since in _reasons(each, wide, silences, now))
    }


def silenced(outputs: Iterable[Output], silences: Collection[Silence]) -> set[str]:
    """The incidents of transitions that were silenced when they happened, whatever became of them since."""
    transitions = (output.happened if type(output) is Drill else output for output in outputs)
    return {each.incident for each in transitions if type(each) is Transition and is_silenced(each, silences, each.at)}


def settling(incidents: Iterable[Incident], put_off: Collection[str]) -> set[str]:
    """Those of which nobody was told and that are about to end: nobody need hear of them for the minutes left."""
    return {each.id for each in incidents if each.id in put_off and each.stage is Stage.MONITORING}


def audible(waiting: Sequence[Queued], told: Sequence[Told], hush: Collection[str]) -> Audible:
    """`waiting` and `told` oldest first; `hush`: the incidents that nobody is told of now.

    What was put off and is over by now was never told, so neither is its end.
    """
    found = Audible([], [])
    last = {each.subject: each.happened for each in told}
    for subject, group in _by_subject(waiting).items():
        ends = [index for index, each in enumerate(group) if each.notification.happened is Happened.RESOLVED]
        after = ends[-1] + 1 if ends else 0
        _tell_to_its_end(group[:after], hush=subject in hush, is_open=last.get(subject) in RISES, found=found)
        if subject not in hush:
            found.now.extend(each.notification for each in group[after:])
    found.now.sort(key=lambda notification: (notification.seq, notification.n))
    return found


def _tell_to_its_end(group: Sequence[Queued], *, hush: bool, is_open: bool, found: Audible) -> None:
    has_left_out = False
    for each in group:
        is_rise = each.notification.happened in RISES
        is_left_out = (is_rise and (each.put_off or hush)) or (not is_rise and has_left_out and not is_open)
        has_left_out = has_left_out or is_left_out
        if not is_left_out:
            is_open = is_rise
        (found.fold if is_left_out else found.now).append(each.notification)


def _by_subject(waiting: Iterable[Queued]) -> dict[str, list[Queued]]:
    groups: dict[str, list[Queued]] = {}
    for each in waiting:
        groups.setdefault(each.notification.subject, []).append(each)
    return groups


def _reasons(
    incident: Incident, wide: Sequence[Incident], silences: Iterable[Silence], now: datetime
) -> Iterator[datetime]:
    """Since when each reason holds."""
    yield from (silence.created_at for silence in silences if is_silenced(incident, [silence], now))
    explained_by = causes(incident, wide)
    if explained_by:
        yield max(cause.opened_at for cause in explained_by)
