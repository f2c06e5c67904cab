"""Silences: of what we send no notifications for a while. Detection, drafts and resolutions go on as ever."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from monitor.model.conclusion import Incident, Transition
from monitor.model.scope import covers
from monitor.model.words import Change, IncidentKind


class Silence(Struct, frozen=True, kw_only=True):
    """What matches all of `exchange`, `kind` and `scope` is not notified of; what is left empty matches everything."""

    id: str
    exchange: str = ""
    kind: IncidentKind | None = None
    scope: tuple[str, ...] = ()  # "asset@network" ..., "*@network", "*"
    created_at: datetime
    until: datetime
    comment: str
    actor: str


def is_silenced(found: Transition | Incident, silences: Iterable[Silence], now: datetime) -> bool:
    """Whether nobody is to be told of a transition, or of an open incident. That something is over is always told."""
    if type(found) is Transition and found.transition in (Change.RESOLVED, Change.RETRACTED):
        return False
    return any(now < silence.until and matches(silence, found) for silence in silences)


def matches(silence: Silence, found: Transition | Incident) -> bool:
    """Whether it is what the silence is about, in whole: what is wider than its scope is not."""
    if silence.exchange and silence.exchange != found.exchange:
        return False
    if silence.kind is not None and silence.kind is not found.kind:
        return False
    return not silence.scope or all(covers(silence.scope, item) for item in found.scope)


def active(silences: Iterable[Silence], now: datetime) -> list[Silence]:
    return [silence for silence in silences if now < silence.until]
