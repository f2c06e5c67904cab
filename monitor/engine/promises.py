"""What posted texts promised: an update by a certain time, until it is over. Who forgets is reminded."""

from collections.abc import Iterable, Mapping

from monitor.engine.finding import Finding, moment
from monitor.model import SUPPORT, Draft, DraftState, Evidence, Incident, IncidentKind, Severity, Stage

REMIND_SECONDS = 300.0  # before the promised time: enough to write, read and approve


def is_due(draft: Draft, now: float) -> bool:
    """A posted text promised an update that is to be written now."""
    return draft.state is DraftState.POSTED and draft.next_update_at is not None and now >= _remind_at(draft)


def times(drafts: Mapping[str, Draft], incidents: Iterable[Incident]) -> list[float]:
    """When reminders are due, past ones too."""
    kept = _kept_open(drafts, incidents)
    return [at for draft in kept for at in (_remind_at(draft), _promised(draft))]


def findings(
    drafts: Mapping[str, Draft], incidents: Iterable[Incident], *, severity: Severity, now: float
) -> list[Finding]:
    """One for each promise that is due, or was not kept."""
    return [_finding(draft, severity, now) for draft in _kept_open(drafts, incidents) if now >= _remind_at(draft)]


def _kept_open(drafts: Mapping[str, Draft], incidents: Iterable[Incident]) -> list[Draft]:
    """The newest posted text of each open incident and channel, where it promises another."""
    still_open = {incident.id for incident in incidents if incident.stage is not Stage.RESOLVED}
    newest: dict[tuple[str, str], Draft] = {}
    for draft in drafts.values():
        if draft.state is DraftState.POSTED and draft.incident in still_open and draft.channel != SUPPORT:
            newest[draft.incident, draft.channel] = draft
    return [draft for draft in newest.values() if draft.next_update_at is not None]


def _promised(draft: Draft) -> float:
    return draft.next_update_at.timestamp() if draft.next_update_at is not None else 0.0


def _remind_at(draft: Draft) -> float:
    return _promised(draft) - REMIND_SECONDS


def _finding(draft: Draft, severity: Severity, now: float) -> Finding:
    told = [_evidence(draft, "promise", _remind_at(draft))]
    is_late = now >= _promised(draft)
    told += [_evidence(draft, "overdue", _promised(draft))] if is_late else []
    by = f"{moment(_promised(draft)):%H:%M} UTC"
    said = f"the update promised by {by} is overdue" if is_late else f"an update is promised by {by}"
    return Finding(
        kind=IncidentKind.UPDATE_DUE,
        severity=severity,
        scope=("*",),
        summary=f"{said}: {draft.id} on {draft.channel}",
        since=_remind_at(draft),
        evidence=tuple(told),
    )


def _evidence(draft: Draft, source: str, at: float) -> Evidence:
    return Evidence(at=moment(at), probe="outbox", source=source, rail=draft.id, value=draft.state)
