"""How figures, times and states read: pure functions from model values to words."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from monitor.model import (
    DraftState,
    Evidence,
    ExchangeState,
    FailureReason,
    Incident,
    IncidentKind,
    RailVerdict,
    Severity,
    Stage,
)


class Tone(StrEnum):
    """How a thing is shown. Each tone has its own shape, so that nothing hangs on colour."""

    FINE = "fine"
    WARNING = "warning"
    BAD = "bad"
    UNKNOWN = "unknown"
    QUIET = "quiet"


class Mark(Struct, frozen=True):
    """A state as shown: a word, with the shape and colour of its tone."""

    word: str
    tone: Tone


EXCHANGE_TONES = {
    ExchangeState.OPERATIONAL: Tone.FINE,
    ExchangeState.DEGRADED: Tone.WARNING,
    ExchangeState.HALTED: Tone.BAD,
    ExchangeState.UNKNOWN: Tone.UNKNOWN,
}
RAIL_TONES = {
    RailVerdict.OPEN: Tone.FINE,
    RailVerdict.DELAYED: Tone.WARNING,
    RailVerdict.DISPUTED: Tone.WARNING,
    RailVerdict.SUSPENDED: Tone.BAD,
    RailVerdict.MAINTENANCE: Tone.BAD,
    RailVerdict.UNLISTED: Tone.QUIET,
    RailVerdict.UNKNOWN: Tone.UNKNOWN,
}
SEVERITY_TONES = {Severity.CRITICAL: Tone.BAD, Severity.WARNING: Tone.WARNING, Severity.INFO: Tone.QUIET}
STAGE_TONES = {
    Stage.INVESTIGATING: Tone.BAD,
    Stage.IDENTIFIED: Tone.WARNING,
    Stage.MONITORING: Tone.WARNING,
    Stage.RESOLVED: Tone.FINE,
}
DRAFT_TONES = {
    DraftState.PENDING: Tone.WARNING,
    DraftState.APPROVED: Tone.WARNING,
    DraftState.POSTED: Tone.FINE,
    DraftState.UNKNOWN_OUTCOME: Tone.BAD,
    DraftState.REFUSED: Tone.BAD,
    DraftState.REJECTED: Tone.QUIET,
    DraftState.SUPERSEDED: Tone.QUIET,
    DraftState.EXPIRED: Tone.QUIET,
}
OUR_OWN = (
    IncidentKind.BLIND,
    IncidentKind.POST_UNKNOWN,
    IncidentKind.DRAFT_WAITING,
    IncidentKind.UPDATE_DUE,
    IncidentKind.NETWORK_INCIDENT,
)
"""Incidents about ourselves, or concluded from those of several exchanges: nobody else could have known first."""

_SOURCES = {
    "chain": "the chain",
    "queue": "the withdrawal queue",
    "api": "the API",
    "system_status": "the system status",
    "status_page": "the status page",
    "announcement": "an announcement",
    "control": "the control targets",
    "draft": "the draft",
    "terms": "the terms",
    "verdict": "what we hold of it",
}
_REASONS = {
    FailureReason.CONNECTION: "no connection",
    FailureReason.DNS: "name not found",
    FailureReason.TLS: "TLS fails",
    FailureReason.HTTP_4XX: "HTTP 4xx",
    FailureReason.HTTP_5XX: "HTTP 5xx",
    FailureReason.BUG: "a bug of ours",
}
OFFICIAL = "the official word"
_SPEAKING = {"status_page": "status page", "announcement": "announcement"}
_LAST = "resumed"
"""The unit of words that say it is over."""
_ITS_OWN = {"api": "its API", "system_status": "its system status", "status_page": "its status page"}


def span(seconds: float) -> str:
    """A length of time in one unit: "4 s", "12 min", "3 h", "5 d". Less than nothing is "0 s"."""
    match max(0.0, seconds):
        case short if short < 90:
            return f"{short:.0f} s"
        case medium if medium < 90 * 60:
            return f"{medium / 60:.0f} min"
        case long if long < 48 * 3600:
            return f"{long / 3600:.0f} h"
        case age:
            return f"{age / 86_400:.0f} d"


def ago(at: datetime, now: datetime) -> str:
    """ "4 s ago", or "in 12 min" for what is to come by more than clocks disagree."""
    seconds = (now - at).total_seconds()
    return f"{span(seconds)} ago" if seconds > -5 else f"in {span(-seconds)}"


def clock(at: datetime, now: datetime) -> str:
    """An absolute time as short as it is clear: "14:02 UTC", "2 Feb 14:02 UTC", "2025-11-02 14:02 UTC"."""
    at = at.astimezone(UTC)
    if at.date() == now.astimezone(UTC).date():
        return f"{at:%H:%M} UTC"
    return f"{at.day} {at:%b %H:%M} UTC" if at.year == now.year else f"{at:%Y-%m-%d %H:%M} UTC"


def between(start: datetime, end: datetime, now: datetime) -> str:
    """ "02:00-04:00 UTC", "3 Feb 02:00-04:00 UTC", "3 Feb 22:00 UTC to 4 Feb 02:00 UTC"."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if start.date() == end.date():
        return f"{clock(start, now).removesuffix(' UTC')}-{end:%H:%M} UTC"
    return f"{clock(start, now)} to {clock(end, now)}"


def exact(at: datetime) -> str:
    """ "2026-02-03 14:02:10 UTC"."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def count(number: int) -> str:
    return f"{number:,}"


def amount(coins: Decimal) -> str:
    """Coins to read, not to reckon with: whole ones from 1,000 on, else at most four digits after the point."""
    if abs(coins) >= 1000:
        return f"{coins:,.0f}"
    text = f"{coins:,.4f}"
    return text.rstrip("0").rstrip(".")


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters of a text, in one line, without those that steer the display."""
    line = "".join(character for character in " ".join(text.split()) if character.isprintable())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def worded(name: str) -> str:
    """A kind or reason as a person writes it: "withdrawal_halt" is "withdrawal halt"."""
    return name.replace("_", " ")


def blamed(reason: str) -> str:
    """Why a probe cannot see, of the words of `FailureReason`."""
    return next((words for known, words in _REASONS.items() if known == reason), worded(reason))


def source(name: str) -> str:
    return _SOURCES.get(name, name)


def its_own(source_name: str) -> str:
    """A source as something of the exchange: "its status page"."""
    return _ITS_OWN.get(source_name) or source(source_name)


def several(names: Sequence[str], limit: int) -> str:
    """ "BTC@bitcoin, ETH@ethereum and 4 more"."""
    more = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {more} more" if more > 0 else "")


def reading(evidence: Evidence) -> str:
    """What was read: a bare figure with its unit, a phrase as it is."""
    is_phrase = evidence.unit is None or " " in evidence.value
    return evidence.value if is_phrase else f"{evidence.value} {evidence.unit}"


def who_knew(incident: Incident, now: datetime) -> str:
    """Who knew first, and by how many minutes; "" without evidence, and where it is about ourselves.

    "The chain knew first, at 14:02:10 UTC; the API 3 min later; the official word 17 min later."
    """
    heard = first_heard(incident)
    if not heard or incident.kind in OUR_OWN:
        return ""
    (first, at), *later = sorted(heard.items(), key=lambda pair: pair[1])
    verb = "came" if first == OFFICIAL else "knew"
    parts = [f"{first[0].upper()}{first[1:]} {verb} first, at {at.astimezone(UTC):%H:%M:%S} UTC"]
    parts += [f"{name} {_later(then, at)}" for name, then in later]
    if OFFICIAL not in heard:
        ended = incident.resolved_at if incident.resolved_at is not None else now
        parts.append(f"no official word in {span((ended - at).total_seconds())}")
    return "; ".join(parts) + "."


def their_words(incident: Incident) -> str:
    """How long before or after us each of the exchange's sources spoke; "" while none did.

    "Their first word: status page 14:19 UTC, 17 min after us. They say it is over: status page 14:45 UTC, ...".
    """
    first: dict[str, datetime] = {}
    last: dict[str, datetime] = {}
    for words in (evidence for evidence in incident.evidence if _is_spoken(evidence)):
        if words.unit == _LAST:
            last[words.source] = max(words.at, last.get(words.source, words.at))
        else:
            first[words.source] = min(words.at, first.get(words.source, words.at))
    sentences: list[str] = []
    if first:
        sentences.append(f"Their first word: {_spoken(first, incident.opened_at, 'us')}.")
    if last and incident.recovered_at is not None:
        sentences.append(f"They say it is over: {_spoken(last, incident.recovered_at, 'we saw it recover')}.")
    elif last:
        sentences.append(
            f"They say it is over: {_spoken(last, incident.opened_at, 'us')}; we have not seen it recover."
        )
    return " ".join(sentences)


def _is_spoken(evidence: Evidence) -> bool:
    """Words, and not what a source says of a rail."""
    return evidence.rail is None and evidence.source in _SPEAKING


def _spoken(times: Mapping[str, datetime], ours: datetime, us: str) -> str:
    earliest_first = sorted(times.items(), key=lambda pair: (pair[1], pair[0]))
    return "; ".join(f"{_SPEAKING[name]} {clock(at, ours)}, {apart(at, ours)} {us}" for name, at in earliest_first)


def apart(at: datetime, ours: datetime) -> str:
    """ "17 min after", "2 min before", "at the same time as"."""
    seconds = (at - ours).total_seconds()
    if abs(seconds) < 1:
        return "at the same time as"
    return f"{span(abs(seconds))} {'after' if seconds > 0 else 'before'}"


def first_heard(incident: Incident) -> dict[str, datetime]:
    """The first time of each source; all words together are the official one."""
    heard: dict[str, datetime] = {}
    for evidence in incident.evidence:
        if _is_spoken(evidence):
            continue
        name = source(evidence.source)
        heard[name] = min(evidence.at, heard.get(name, evidence.at))
    if incident.official_at is not None:
        heard[OFFICIAL] = incident.official_at
    return heard


def _later(then: datetime, at: datetime) -> str:
    seconds = (then - at).total_seconds()
    return f"{span(seconds)} later" if seconds >= 1 else "at the same time"
