"""What the public is told: an operator's posted texts, or an observer's transitions. Pure.

Nothing else gets here: no note, no name of a person, no text that was not posted, nothing of one's own account.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from msgspec import Struct

from monitor.model import Change, Draft, DraftState, Incident, IncidentKind, Severity, Stage, Transition

KEPT = timedelta(days=90)
MOST = 50
PRIVATE = (IncidentKind.BLIND, IncidentKind.POST_UNKNOWN, IncidentKind.DRAFT_WAITING, IncidentKind.EXPOSURE_STUCK)
"""About ourselves, or about what somebody holds."""

_STAGES = {
    Change.OPENED: Stage.INVESTIGATING,
    Change.ESCALATED: Stage.INVESTIGATING,
    Change.REOPENED: Stage.INVESTIGATING,
    Change.IDENTIFIED: Stage.IDENTIFIED,
    Change.MONITORING: Stage.MONITORING,
    Change.RESOLVED: Stage.RESOLVED,
    Change.RETRACTED: Stage.RESOLVED,
}
"""Updates and acknowledgements are left out: their words are people's."""
_SENTENCES = {
    Change.IDENTIFIED: "The cause is said to be known.",
    Change.MONITORING: "The signs have cleared; it is watched whether that holds.",
    Change.RESOLVED: "It is back to normal.",
    Change.RETRACTED: "It was a false alarm.",
}
_OPEN_SOURCES = ("chain", "api", "system_status", "status_page", "announcement", "terms", "verdict")
"""What anybody can look up. What rests on anything else is told without its figures."""


class Update(Struct, frozen=True, kw_only=True):
    """One thing said in public. Its `id` never changes."""

    id: str
    incident: str
    exchange: str
    kind: IncidentKind
    severity: Severity
    stage: Stage
    scope: tuple[str, ...]
    at: datetime
    text: str


class Case(Struct, frozen=True, kw_only=True):
    """An incident as the public knows it: its updates, the newest first."""

    id: str
    exchange: str
    kind: IncidentKind
    severity: Severity
    stage: Stage
    updates: tuple[Update, ...]

    @property
    def began_at(self) -> datetime:
        return self.updates[-1].at

    @property
    def changed_at(self) -> datetime:
        return self.updates[0].at


def recent(updates: Sequence[Update], *, now: datetime) -> list[Update]:
    """What a feed holds: the newest of the last 90 days."""
    return [update for update in updates if now - update.at <= KEPT][:MOST]


def observed(transitions: Iterable[Transition]) -> list[Update]:
    """Of an observer: what happened to incidents, the newest first."""
    updates = {
        update.id: update
        for transition in transitions
        if transition.transition in _STAGES and transition.kind not in PRIVATE
        for update in (_observed(transition),)
    }
    return _newest_first(updates.values())


def posted(drafts: Iterable[Draft], incidents: Mapping[str, Incident]) -> list[Update]:
    """Of an operator: each text that was posted, once for all channels, the newest first.

    Where the same was said on several channels in other words, the first words count.
    """
    said: dict[tuple[str, Stage, str], Draft] = {}
    for draft in sorted(drafts, key=_posted_at):
        if draft.state is DraftState.POSTED:
            said.setdefault((draft.incident, draft.stage, draft.claims), draft)
    known = ((draft, incidents.get(draft.incident)) for draft in said.values())
    return _newest_first(_posted(draft, incident) for draft, incident in known if incident is not None)


def cases(updates: Sequence[Update]) -> list[Case]:
    """The incidents that `updates` (the newest first) are of, the one that changed last first."""
    of: dict[str, list[Update]] = {}
    for update in updates:
        of.setdefault(update.incident, []).append(update)
    return [_case(mine) for mine in of.values()]


def heading(exchange: str, kind: IncidentKind, titles: Mapping[str, str]) -> str:
    """ "Kraken: withdrawal halt"."""
    return f"{titles.get(exchange) or exchange.capitalize() or 'Several exchanges'}: {kind.replace('_', ' ')}"


def _case(updates: Sequence[Update]) -> Case:
    newest = updates[0]
    return Case(
        id=newest.incident,
        exchange=newest.exchange,
        kind=newest.kind,
        severity=newest.severity,
        stage=newest.stage,
        updates=tuple(updates),
    )


def _observed(transition: Transition) -> Update:
    at = transition.at
    return Update(
        id=_id(f"{transition.incident}/{transition.transition}/{at.isoformat()}"),
        incident=transition.incident,
        exchange=transition.exchange,
        kind=transition.kind,
        severity=transition.severity,
        stage=_STAGES[transition.transition],
        scope=transition.scope,
        at=at,
        text=f"{_sentence(transition)} Scope: {_scope(transition.scope)}.",
    )


def _sentence(transition: Transition) -> str:
    fixed = _SENTENCES.get(transition.transition)
    if fixed is not None:
        return fixed
    if all(each.source in _OPEN_SOURCES for each in transition.evidence):
        return f"We observe: {transition.summary}."
    return f"We observe: {transition.kind.replace('_', ' ')}."


def _posted(draft: Draft, incident: Incident) -> Update:
    return Update(
        id=_id(f"{draft.incident}/{draft.stage}/{draft.claims}"),
        incident=draft.incident,
        exchange=draft.exchange,
        kind=incident.kind,
        severity=incident.severity,
        stage=draft.stage,
        scope=incident.scope,
        at=_posted_at(draft),
        text=draft.text,
    )


def _posted_at(draft: Draft) -> datetime:
    return draft.decided_at or draft.created_at


def _id(name: str) -> str:
    return f"urn:uuid:{uuid5(NAMESPACE_URL, f'cexwatch:{name}')}"


def _scope(scope: Collection[str]) -> str:
    return "everything" if "*" in scope else ", ".join(scope)


def _newest_first(updates: Iterable[Update]) -> list[Update]:
    return sorted(updates, key=lambda update: (update.at, update.id), reverse=True)
