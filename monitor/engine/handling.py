"""What people do to an incident: acknowledge, identify, note, resolve, reopen, retract. A word is heeded or refused."""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from monitor.engine.finding import Finding, told_by
from monitor.model import Change, Command, Evidence, Incident, IncidentKind, Source, Stage, Verb

REOPEN_WITHIN = timedelta(days=1)
MOST_CHARACTERS = 2_000
UNMEASURED = (
    IncidentKind.SUSPECTED_EXPLOIT,
    IncidentKind.UNCONFIRMED_MOVE,
    IncidentKind.TERMS_TIGHTENED,
)
"""Kinds of which no reading can tell that they are over: money that left is explained by a person, or forgotten."""
OF_OURSELVES = (
    IncidentKind.BLIND,
    IncidentKind.UPDATE_DUE,
    IncidentKind.DRAFT_WAITING,
    IncidentKind.POST_UNKNOWN,
)
"""Kinds that tell how it stands with us, which is never a false alarm."""


class Handled(Struct, frozen=True):
    """An incident as a person leaves it, and what is told of that."""

    incident: Incident
    change: Change
    summary: str


def handled(incident: Incident, command: Command, *, at: datetime, is_measured: bool) -> Handled | str:
    """What a person's word makes of an incident, or why it is refused. `is_measured`: readings tell when it is over."""
    text, by = command.arguments.get("text", "").strip(), f"by {command.actor}"
    if len(text) > MOST_CHARACTERS:
        return f"at most {MOST_CHARACTERS:,} characters, and these are {len(text):,}"
    why = _refusal(incident, command, text, at=at, is_measured=is_measured)
    if why:
        return why
    told = f"{by}: {text}" if text else by
    match command.verb:
        case Verb.ACKNOWLEDGE:
            return Handled(replace(incident, acknowledged_by=command.actor), Change.ACKNOWLEDGED, told)
        case Verb.IDENTIFY:
            return Handled(replace(incident, stage=Stage.IDENTIFIED), Change.IDENTIFIED, told)
        case Verb.RESOLVE:
            return Handled(_resolved(incident, command.actor, at), Change.RESOLVED, told)
        case Verb.REOPEN:
            return Handled(_reopened(incident, command.actor), Change.REOPENED, told)
        case Verb.RETRACT:
            return Handled(_retracted(incident, command.actor, at), Change.RETRACTED, f"false alarm {told}")
        case _:
            notes = (*incident.notes, f"{at:%H:%M} UTC {command.actor}: {text}")
            return Handled(replace(incident, notes=notes), Change.UPDATED, f"note {told}")


def stands(incident: Incident, findings: list[Finding], *, is_measured: bool) -> bool:
    """Nothing speaks against a person's word that an incident is over: what is found was known when it was said."""
    if incident.retracted_by is not None:
        return all(_is_what_was_false(finding, incident) for finding in findings)
    if incident.resolved_by is None or incident.resolved_at is None or is_measured:
        return False
    return all(found.at <= incident.resolved_at for finding in findings for found in finding.evidence)


def _is_what_was_false(finding: Finding, incident: Incident) -> bool:
    """Nothing began after the incident's end. What is counted (payments, a queue) is told anew with each reading, and
    then its beginning is that of the finding; what a list says is dated by its change.
    """
    over = incident.resolved_at or incident.updated_at
    if finding.since is not None and finding.since > over.timestamp():
        return False
    known = {told_by(evidence) for evidence in incident.evidence}
    return all(e.at <= over or (_is_counted(e) and told_by(e) in known) for e in finding.evidence)


def _is_counted(evidence: Evidence) -> bool:
    return evidence.source not in set(Source)


def _refusal(incident: Incident, command: Command, text: str, *, at: datetime, is_measured: bool) -> str:
    """Why a word does not apply; "" where it does."""
    is_over, verb = incident.stage is Stage.RESOLVED, command.verb
    if verb in (Verb.NOTE, Verb.RESOLVE, Verb.REOPEN, Verb.RETRACT) and not text:
        return f"say what others should know: {verb} needs a text"
    if verb is Verb.NOTE:
        return ""
    if verb is Verb.REOPEN:
        return _why_not_reopened(incident, at)
    if verb is Verb.RETRACT:
        return _why_not_retracted(incident, at)
    if is_over:
        by = f" by {incident.resolved_by}" if incident.resolved_by is not None else ""
        return f"incident {incident.id} was already resolved at {_clock(incident.resolved_at)}{by}; reopen it first"
    if verb is Verb.RESOLVE and is_measured and incident.kept_open_by is None:
        return f"incident {incident.id} is measured: it resolves by itself, once readings tell that it is over"
    if verb is Verb.ACKNOWLEDGE and incident.acknowledged_by == command.actor:
        return f"incident {incident.id} was already acknowledged by {command.actor}"
    if verb is Verb.IDENTIFY and incident.stage is not Stage.INVESTIGATING:
        since = f" since {_clock(incident.recovered_at)}" if incident.stage is Stage.MONITORING else ""
        return f"incident {incident.id} is already {incident.stage}{since}"
    return ""


def _why_not_reopened(incident: Incident, at: datetime) -> str:
    if incident.resolved_at is None:
        return f"incident {incident.id} is open: it is {incident.stage}"
    return _why_too_late(incident, at)


def _why_not_retracted(incident: Incident, at: datetime) -> str:
    if incident.kind in OF_OURSELVES:
        return f"incident {incident.id} is about ourselves: it ends by itself, and nothing of it was said in public"
    if incident.retracted_by is not None:
        return f"incident {incident.id} was already retracted by {incident.retracted_by}"
    return _why_too_late(incident, at)


def _why_too_late(incident: Incident, at: datetime) -> str:
    if incident.resolved_at is not None and at - incident.resolved_at > REOPEN_WITHIN:
        return f"incident {incident.id} was resolved at {_clock(incident.resolved_at)}, more than a day ago"
    return ""


def _resolved(incident: Incident, actor: str, at: datetime) -> Incident:
    return replace(incident, stage=Stage.RESOLVED, resolved_at=at, resolved_by=actor, kept_open_by=None)


def _retracted(incident: Incident, actor: str, at: datetime) -> Incident:
    """Over, and for what reason. One that was over keeps its end, and who said so."""
    over = incident if incident.stage is Stage.RESOLVED else _resolved(incident, actor, at)
    return replace(over, retracted_by=actor)


def _reopened(incident: Incident, actor: str) -> Incident:
    return replace(
        incident,
        stage=Stage.INVESTIGATING,
        recovered_at=None,
        resolved_at=None,
        resolved_by=None,
        retracted_by=None,
        kept_open_by=actor,
    )


def _clock(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at is not None else "an unknown time"
