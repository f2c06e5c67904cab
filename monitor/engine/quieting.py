"""Silences as people begin and end them."""

import hashlib
from datetime import datetime, timedelta

import msgspec

from monitor.engine.finding import moment
from monitor.model import Command, IncidentKind, Reply, Verb
from monitor.model.scope import ITEM
from monitor.model.silence import Silence, active

LONGEST = timedelta(days=90)
MOST = 100
MOST_CHARACTERS = 500

Silences = dict[str, Silence]
"""By id, oldest first."""


def obeyed(silences: Silences, command: Command, now: float) -> tuple[Silences, Reply]:
    """The silences that hold after a person's word, and the answer to it."""
    held = {silence.id: silence for silence in active(silences.values(), moment(now))}
    if command.verb is Verb.EXPIRE_SILENCE:
        if held.pop(command.subject, None) is None:
            return held, Reply(ok=False, message=f"no silence {command.subject!r} is active")
        return held, Reply(ok=True, message=f"silence {command.subject} is over")
    match _begun(command, now):
        case str(why):
            return held, Reply(ok=False, message=why)
        case _ if len(held) >= MOST:
            return held, Reply(ok=False, message=f"{MOST} silences are active: expire some first")
        case silence:
            answer = f"silence {silence.id} until {silence.until:%Y-%m-%d %H:%M} UTC: notifications only, nothing else"
            return held | {silence.id: silence}, Reply(ok=True, message=answer)


def _begun(command: Command, now: float) -> Silence | str:
    told = command.arguments
    scope = tuple(sorted({item.strip() for item in told.get("scope", "").split(",") if item.strip()}))
    wrong = [item for item in scope if ITEM.fullmatch(item) is None]
    comment = told.get("text", "").strip()
    try:
        until = msgspec.convert(told.get("until", ""), datetime)
        kind = msgspec.convert(told["kind"], IncidentKind) if told.get("kind") else None
    except msgspec.ValidationError as error:
        return f"expected until as 2026-02-03T14:00:00Z, and a kind of incident: {error}"
    if wrong:
        return f"expected a scope like BTC@bitcoin, *@ethereum or *, got {wrong[0]!r}"
    if not 0 < len(comment) <= MOST_CHARACTERS:
        return f"say why, in at most {MOST_CHARACTERS} characters: others will ask"
    if until.tzinfo is None or not timedelta(0) < until - moment(now) <= LONGEST:
        return f"expected an end in the next {LONGEST.days} days, with a zone, got {told.get('until')!r}"
    return Silence(
        id=_name(command),
        exchange=told.get("exchange", ""),
        kind=kind,
        scope=scope,
        created_at=command.at,
        until=until,
        comment=comment,
        actor=command.actor,
    )


def _name(command: Command) -> str:
    told = (f"{key}={value}" for key, value in sorted(command.arguments.items()))
    named = "\n".join((command.at.isoformat(), command.actor, *told))
    return f"s-{hashlib.sha256(named.encode()).hexdigest()[:10]}"
