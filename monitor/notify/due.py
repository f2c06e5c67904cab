"""Which notifications committed outputs give, and to which targets: pure, so that a restart finds the same ones."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from monitor.model import (
    SUPPORT,
    Change,
    Draft,
    DraftState,
    Drill,
    Happened,
    Notification,
    Output,
    Severity,
    Topic,
    Transition,
)
from monitor.notify.words import Links, drilled, of_decided, of_transition, of_waiting

_CHANGES = {
    Change.OPENED: Happened.OPENED,
    Change.ESCALATED: Happened.ESCALATED,
    Change.REOPENED: Happened.REOPENED,
    Change.RESOLVED: Happened.RESOLVED,
    Change.RETRACTED: Happened.RESOLVED,
}
_TOPICS = {Severity.CRITICAL: Topic.PAGES, Severity.WARNING: Topic.WARNINGS}
_ENDS = (Happened.RESOLVED, Happened.DECIDED, Happened.SENT)
_SENT = (DraftState.POSTED, DraftState.REFUSED, DraftState.UNKNOWN_OUTCOME)


class Routed(Struct, frozen=True):
    target: str
    notification: Notification


def notifications(outputs: Sequence[tuple[int, Output]], links: Links) -> list[Notification]:
    """In order, of outputs each with the `seq` of its entry. An info incident gives none; people look at those.

    Neither does an answer for those who answer users: nobody decides on it, and the page has it. Nor that a channel
    lets an approved draft wait: it is what it was.
    """
    found: list[Notification] = []
    for (seq, output), n in zip(outputs, _places(outputs), strict=True):
        match output:
            case Transition() if output.transition in _CHANGES and output.severity is not Severity.INFO:
                found.append(_of_transition(output, seq, n, links))
            case Transition(transition=Change.RESOLVED | Change.RETRACTED):
                found.append(_of_transition(output, seq, n, links))  # whoever heard of it hears that it is over
            case Drill(happened=happened) if happened.transition in _CHANGES:
                found.append(drilled(_of_transition(happened, seq, n, links)))
            case Draft() if output.channel == SUPPORT or _waits_at_its_channel(output):
                pass
            case Draft(state=DraftState.PENDING):
                found.append(_of_waiting(output, seq, n, links))
            case Draft():
                successor = _successor(output, (later for other, later in outputs if other == seq))
                found.append(_of_decided(output, seq, n, links, successor))
            case _:
                pass
    return found


def routed(
    found: Iterable[Notification], targets: Mapping[str, Collection[Topic]], *, told: Collection[tuple[str, str]]
) -> list[Routed]:
    """Each notification with each target that is about it. `told`: (target, subject) of what a target has heard before.

    The end goes to whoever heard of the beginning, whatever its severity is by now.
    """
    known = set(told)
    rows: list[Routed] = []
    for notification in found:
        for target, about in targets.items():
            has_heard = notification.happened in _ENDS and (target, notification.subject) in known
            if not has_heard and not _wants(notification, about):
                continue
            known.add((target, notification.subject))
            rows.append(Routed(target, notification))
    return rows


def _wants(notification: Notification, about: Collection[Topic]) -> bool:
    if notification.topic is Topic.OUTCOMES:  # to whom a draft was shown, its end is told
        return Topic.OUTCOMES in about or Topic.DRAFTS in about
    if notification.happened is Happened.RESOLVED and notification.severity is Severity.INFO:
        return False
    return notification.topic in about


def _places(outputs: Sequence[tuple[int, Output]]) -> Iterator[int]:
    """The place of each among those of its entry."""
    former, n = None, 0
    for seq, _ in outputs:
        n = n + 1 if seq == former else 0
        former = seq
        yield n


def _waits_at_its_channel(draft: Draft) -> bool:
    return draft.state is DraftState.APPROVED and draft.limited_since is not None


def _successor(draft: Draft, beside: Iterable[Output]) -> Draft | None:
    """The draft that was written in place of this one."""
    for output in beside:
        match output:
            case Draft(state=DraftState.PENDING, replaces=draft.id):
                return output
            case _:
                pass
    return None


def _of_transition(transition: Transition, seq: int, n: int, links: Links) -> Notification:
    title, text = of_transition(transition, links)
    return Notification(
        seq=seq,
        n=n,
        at=transition.at,
        topic=_TOPICS.get(transition.severity, Topic.WARNINGS),
        subject=transition.incident,
        happened=_CHANGES[transition.transition],
        severity=transition.severity,
        title=title,
        text=text,
    )


def _of_waiting(draft: Draft, seq: int, n: int, links: Links) -> Notification:
    title, text = of_waiting(draft, links)
    return Notification(
        seq=seq,
        n=n,
        at=draft.decided_at or draft.created_at,
        topic=Topic.DRAFTS,
        subject=draft.id,
        happened=Happened.WAITING,
        severity=Severity.WARNING,
        title=title,
        text=text,
    )


def _of_decided(draft: Draft, seq: int, n: int, links: Links, successor: Draft | None) -> Notification:
    title, text = of_decided(draft, links, successor=successor)
    is_unclear = draft.state in (DraftState.UNKNOWN_OUTCOME, DraftState.REFUSED)
    return Notification(
        seq=seq,
        n=n,
        at=draft.decided_at or draft.created_at,
        topic=Topic.OUTCOMES,
        subject=draft.id,
        happened=Happened.SENT if draft.state in _SENT else Happened.DECIDED,
        severity=Severity.CRITICAL if is_unclear else Severity.INFO,
        title=title,
        text=text,
    )
