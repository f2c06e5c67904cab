"""Drills: test incidents that a person begins. They stand apart from what is found, so no verdict and no draft knows of
one, and a real incident of the same exchange is told beside it. Their clock is that of the entries, so what is real is
judged when it would have been.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from monitor.engine.handling import handled
from monitor.engine.state import Decided
from monitor.model import (
    Change,
    Command,
    Drill,
    Incident,
    IncidentKind,
    Output,
    Reply,
    Severity,
    Stage,
    Transition,
    Verb,
)
from monitor.notices.approval import forbidden

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(hours=4)
MOST_CHARACTERS = 500
SEVERITIES = (Severity.CRITICAL, Severity.WARNING)
"""What anybody is told of."""

NOT_OF_AN_EXCHANGE = (
    IncidentKind.BLIND,
    IncidentKind.NETWORK_INCIDENT,
    IncidentKind.POST_UNKNOWN,
    IncidentKind.DRAFT_WAITING,
    IncidentKind.UPDATE_DUE,
)
"""Kinds that explain others, which a drill could hide then, or that are about a draft, which a drill has none of."""

VERBS = (Verb.DRILL, Verb.END_DRILL)
HEEDED = (Verb.ACKNOWLEDGE, Verb.IDENTIFY, Verb.NOTE, Verb.RESOLVE)
_SECONDS = re.compile(r"[0-9]{1,6}")


class _Wish(Struct, frozen=True, kw_only=True):
    kind: IncidentKind
    severity: Severity
    length: timedelta
    text: str


class Drills:
    """At most one drill of an exchange is open."""

    def __init__(self, exchange: str, decided: Decided) -> None:
        self.exchange = exchange
        self.decided = decided

    def is_about(self, command: Command) -> bool:
        """Whether a person's word is on a drill."""
        return command.verb in VERBS or command.subject.startswith(f"{self.exchange}-drill-")

    def obey(self, command: Command, *, retired: bool) -> list[Output]:
        """A person's word on a drill: what becomes of it, and the answer. `retired`: nobody watches the exchange."""
        why = forbidden(command.verb, command.role)
        match why or (f"{self.exchange} is no longer watched" if retired else self._changed(command)):
            case str(refused):
                return [Reply(ok=False, message=refused)]
            case drill:
                return [self._keep(drill), Reply(ok=True, message=_answer(drill))]

    def expire(self, at: datetime) -> list[Drill]:
        """End one whose time is up at `at`, as of that time."""
        drill = self._open()
        if drill is None or drill.until > at:
            return []
        return [self._keep(_ended(drill, drill.until, by=None, summary="the drill's time is up"))]

    def close(self, at: datetime) -> list[Drill]:
        """End one because nobody watches the exchange any more."""
        drill = self._open()
        return [] if drill is None else [self._keep(_ended(drill, at, by=None, summary="no longer watched"))]

    def _changed(self, command: Command) -> Drill | str:
        match command.verb:
            case Verb.DRILL:
                return self._begun(command)
            case Verb.END_DRILL:
                return self._stopped(command)
            case _:
                return self._heeded(command)

    def _begun(self, command: Command) -> Drill | str:
        match self._why_not(command.at) or _wished(command.arguments):
            case str(why):
                return why
            case wish:
                drill = self._played(wish, command)
        if self._is_newest(drill.incident.id):
            return f"drill {drill.incident.id} began in this very second: ask again in the next"
        return drill

    def _played(self, wish: _Wish, command: Command) -> Drill:
        at, until = command.at, command.at + wish.length
        about = f"; {wish.text}" if wish.text else ""
        summary = f"nothing is wrong: a test that {command.actor} began, until {until:%H:%M} UTC{about}"
        incident = Incident(
            id=f"{self.exchange}-drill-{wish.kind}-{at:%Y%m%dT%H%M%SZ}",
            exchange=self.exchange,
            kind=wish.kind,
            severity=wish.severity,
            stage=Stage.INVESTIGATING,
            scope=("*",),
            summary=summary,
            opened_at=at,
            since=at,
            updated_at=at,
        )
        happened = _happened(incident, Change.OPENED, at, summary)
        return Drill(incident=incident, happened=happened, until=until, actor=command.actor)

    def _why_not(self, at: datetime) -> str:
        """Why none can begin; "" where one can."""
        drill = self._open()
        if drill is None:
            return ""
        name, began = drill.incident.id, (at - drill.incident.opened_at).total_seconds() / 60
        return (
            f"drill {name} of {self.exchange} has been open for {began:.0f} min, begun by {drill.actor}, "
            f"until {drill.until:%H:%M} UTC: stop it first"
        )

    def _stopped(self, command: Command) -> Drill | str:
        drill = self.decided.drill
        if drill is None or drill.incident.id != command.subject:
            return self._unknown(command)
        if drill.incident.resolved_at is not None:
            return f"drill {command.subject} was over at {drill.incident.resolved_at:%H:%M} UTC"
        return _ended(drill, command.at, by=command.actor, summary=f"stopped by {command.actor}")

    def _heeded(self, command: Command) -> Drill | str:
        """What is said of it as of an incident."""
        drill = self.decided.drill
        if drill is None or drill.incident.id != command.subject:
            return self._unknown(command)
        if command.verb not in HEEDED:
            return f"{command.subject} is a drill: {command.verb} does not apply to it"
        if drill.incident.resolved_at is not None and command.verb is not Verb.NOTE:
            return f"drill {command.subject} was over at {drill.incident.resolved_at:%H:%M} UTC"
        at = command.at
        match handled(drill.incident, command, at=at, is_measured=False):
            case str(why):
                return why
            case word:
                changed = replace(word.incident, updated_at=at)
                first = at if command.verb is Verb.ACKNOWLEDGE else None
                return replace(
                    drill,
                    incident=changed,
                    happened=_happened(changed, word.change, at, word.summary),
                    acknowledged_at=drill.acknowledged_at or first,
                )

    def _unknown(self, command: Command) -> str:
        return f"no drill {command.subject} of {self.exchange} can be changed: only the newest can"

    def _is_newest(self, incident: str) -> bool:
        return self.decided.drill is not None and self.decided.drill.incident.id == incident

    def _open(self) -> Drill | None:
        drill = self.decided.drill
        return None if drill is None or drill.incident.resolved_at is not None else drill

    def _keep(self, drill: Drill) -> Drill:
        self.decided.drill = drill
        return drill


def _wished(told: Mapping[str, str]) -> _Wish | str:
    """What a person asks for, or why it cannot be."""
    try:
        kind = msgspec.convert(told.get("kind", IncidentKind.WITHDRAWAL_HALT), IncidentKind)
        severity = msgspec.convert(told.get("severity", Severity.CRITICAL), Severity)
    except msgspec.ValidationError as error:
        return f"expected a kind of incident and a severity: {error}"
    if kind in NOT_OF_AN_EXCHANGE:
        return f"{kind} is about ourselves or about many exchanges: drill a kind of one exchange, like withdrawal_halt"
    if severity not in SEVERITIES:
        return f"nobody is told of {severity}: drill {' or '.join(SEVERITIES)}"
    seconds, text = told.get("seconds", ""), " ".join(told.get("text", "").split())
    if _SECONDS.fullmatch(seconds) is None or not SHORTEST <= timedelta(seconds=int(seconds)) <= LONGEST:
        return "a drill lasts from 1 minute to 4 hours"
    if len(text) > MOST_CHARACTERS:
        return f"at most {MOST_CHARACTERS} characters, and these are {len(text):,}"
    return _Wish(kind=kind, severity=severity, length=timedelta(seconds=int(seconds)), text=text)


def _ended(drill: Drill, at: datetime, *, by: str | None, summary: str) -> Drill:
    incident = replace(drill.incident, stage=Stage.RESOLVED, resolved_at=at, resolved_by=by, updated_at=at)
    return replace(drill, incident=incident, happened=_happened(incident, Change.RESOLVED, at, summary))


def _happened(incident: Incident, change: Change, at: datetime, summary: str) -> Transition:
    return Transition(
        at=at,
        incident=incident.id,
        transition=change,
        kind=incident.kind,
        severity=incident.severity,
        exchange=incident.exchange,
        scope=incident.scope,
        summary=summary,
        evidence=(),
    )


def _answer(drill: Drill) -> str:
    name, change = drill.incident.id, drill.happened.transition
    if change is Change.OPENED:
        return f"drill {name} until {drill.until:%H:%M} UTC: the pages are real, and nothing is public"
    return f"drill {name}: {change}"
