"""What people do to an incident: acknowledge, identify, note, resolve, reopen. A word is heeded or refused."""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from monitor.engine.finding import Finding
from monitor.model import Change, Command, Incident, IncidentKind, Stage, Verb

REOPEN_WITHIN = timedelta(days=1)
MOST_CHARACTERS = 2_000
UNMEASURED = (
    IncidentKind.SUSPECTED_EXPLOIT,
    IncidentKind.UNCONFIRMED_MOVE,
    IncidentKind.TERMS_TIGHTENED,
    IncidentKind.FREEZE_SURGE,
)
"""Kinds of which no reading can tell that they are over: money that left is explained by a person, or forgotten."""


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
        case _:
            notes = (*incident.notes, f"{at:%H:%M} UTC {command.actor}: {text}")
            return Handled(replace(incident, notes=notes), Change.UPDATED, f"note {told}")


def stands(incident: Incident, findings: list[Finding], *, is_measured: bool) -> bool:
    """Nothing speaks against a person's word that an incident is over: what is found was known when it was said."""
    if incident.resolved_by is None or incident.resolved_at is None or is_measured:
        return False
    return all(found.at <= incident.resolved_at for finding in findings for found in finding.evidence)


def _refusal(incident: Incident, command: Command, text: str, *, at: datetime, is_measured: bool) -> str:
    """Why a word does not apply; "" where it does."""
    is_over, verb = incident.stage is Stage.RESOLVED, command.verb
    if verb in (Verb.NOTE, Verb.RESOLVE, Verb.REOPEN) and not text:
        return f"say what others should know: {verb} needs a text"
    if verb is Verb.NOTE:
        return ""
    if verb is Verb.REOPEN:
        return _why_not_reopened(incident, at)
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
    if at - incident.resolved_at > REOPEN_WITHIN:
        return f"incident {incident.id} was resolved at {_clock(incident.resolved_at)}, more than a day ago"
    return ""


def _resolved(incident: Incident, actor: str, at: datetime) -> Incident:
    return replace(incident, stage=Stage.RESOLVED, resolved_at=at, resolved_by=actor, kept_open_by=None)


def _reopened(incident: Incident, actor: str) -> Incident:
    return replace(
        incident,
        stage=Stage.INVESTIGATING,
        recovered_at=None,
        resolved_at=None,
        resolved_by=None,
        kept_open_by=actor,
    )


def _clock(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at is not None else "an unknown time"
