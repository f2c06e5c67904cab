"""What a target is told next, and when: at most five messages a minute, order kept, flapping tamed. Pure.

A resolve is never dropped while the target believes that something is wrong.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from monitor.model import RISES, Happened, Notification, Told, Topic

MESSAGES = 5
PER = timedelta(minutes=1)
MOST_RISES = 2  # messages that an incident is open, an hour, once it flaps
RISES_PER = timedelta(hours=1)
SETTLED = timedelta(minutes=5)  # how long a resolve has to hold in a flapping incident


class Next(Struct, frozen=True, kw_only=True):
    """What to do now. More than one to `send` is one message; `fold` is to be told nobody any more."""

    send: tuple[Notification, ...] = ()
    is_flapping: bool = False
    fold: tuple[Notification, ...] = ()
    wait_until: datetime | None = None  # None: until something new is due


class _Ready(Struct):
    now: list[Notification] = []
    fold: list[Notification] = []
    later: list[datetime] = []
    flapping: set[str] = set()  # keys of notifications that say so


def plan(waiting: Sequence[Notification], told: Sequence[Told], *, about: Collection[Topic], now: datetime) -> Next:
    """`waiting` in order; `told`: what this target heard in the last hour, and the last thing of each waiting subject.

    Both oldest first.
    """
    ready = _Ready()
    known: dict[str, list[Told]] = {}
    for each in told:
        known.setdefault(each.subject, []).append(each)
    for subject, group in _by_subject(waiting).items():
        heard = known.get(subject, [])
        if any(notification.happened in (*RISES, Happened.RESOLVED) for notification in group):
            _of_incident(group, heard, now=now, ready=ready)
        else:
            _of_draft(group, heard, about=about, ready=ready)
    due = sorted(ready.now, key=lambda notification: (notification.seq, notification.n))
    fold = tuple(ready.fold)
    if not due:
        return Next(fold=fold, wait_until=min(ready.later, default=None))
    sent = sorted({each.message: each.sent_at for each in told if now - each.sent_at < PER}.values())
    left = MESSAGES - len(sent)
    if left <= 0:
        return Next(fold=fold, wait_until=sent[-MESSAGES] + PER)
    if len(due) > left:
        return Next(send=tuple(due), fold=fold)
    return Next(send=(due[0],), is_flapping=due[0].key in ready.flapping, fold=fold)


def _by_subject(waiting: Iterable[Notification]) -> Mapping[str, list[Notification]]:
    groups: dict[str, list[Notification]] = {}
    for notification in waiting:
        groups.setdefault(notification.subject, []).append(notification)
    return groups


def _of_draft(group: list[Notification], heard: Sequence[Told], *, about: Collection[Topic], ready: _Ready) -> None:
    """A draft that waits no longer is not shown any more; that it ended matters to those who saw it wait."""
    ended = [index for index, notification in enumerate(group) if notification.happened is not Happened.WAITING]
    last = ended[-1] if ended else -1
    was_shown = any(each.happened is Happened.WAITING for each in heard)
    for index, notification in enumerate(group):
        is_stale = notification.happened is Happened.WAITING and index < last
        is_news = notification.happened is not Happened.DECIDED or Topic.OUTCOMES in about or was_shown
        (ready.now if is_news and not is_stale else ready.fold).append(notification)


def _of_incident(group: list[Notification], heard: Sequence[Told], *, now: datetime, ready: _Ready) -> None:
    rises = _lately(heard, RISES, now)
    to_come = sum(notification.happened in RISES for notification in group)
    has_reopened = Happened.REOPENED in [
        *(each.happened for each in heard),
        *(notification.happened for notification in group),
    ]
    if not has_reopened or (len(rises) + to_come <= MOST_RISES and not _has_flapped(heard, now)):
        ready.now += group
        if group[-1].happened is Happened.REOPENED and len(rises) + to_come == MOST_RISES:
            ready.flapping.add(group[-1].key)
        return
    _of_flapping(group, heard, now=now, ready=ready)


def _has_flapped(heard: Sequence[Told], now: datetime) -> bool:
    """It was reopened lately, so an end of it has to hold."""
    return any(each.happened is Happened.REOPENED and now - each.sent_at < RISES_PER + SETTLED for each in heard)


def _lately(heard: Sequence[Told], what: Collection[Happened], now: datetime) -> list[datetime]:
    """When any of it was told within the hour."""
    return sorted(each.sent_at for each in heard if each.happened in what and now - each.sent_at < RISES_PER)


def _of_flapping(group: list[Notification], heard: Sequence[Told], *, now: datetime, ready: _Ready) -> None:
    """Only where it ended up counts, and only where that is not what the target believes already.

    That it became worse waits for nobody, once an hour: one that comes back small and grows each time flaps as well.
    """
    last, rises = heard[-1] if heard else None, _lately(heard, RISES, now)
    escalated = [notification for notification in group if notification.happened is Happened.ESCALATED]
    final = group[-1]
    is_open, believed_open = final.happened in RISES, last is not None and last.happened in RISES
    if escalated and is_open and not _lately(heard, (Happened.ESCALATED,), now):
        final = escalated[-1]  # it became worse: nobody waits for that
        due = now
    elif last is not None and is_open == believed_open:
        ready.fold += group
        return
    elif is_open:
        due = rises[-MOST_RISES] + RISES_PER if len(rises) >= MOST_RISES else now
    else:
        due = final.at + SETTLED
    ready.fold += [notification for notification in group if notification is not final]
    if due <= now:
        ready.now.append(final)
        ready.flapping.add(final.key)
    else:
        ready.later.append(due)
