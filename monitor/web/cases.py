"""What pages say of incidents and their drafts: pure functions that templates call with the page's time."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from monitor.model import Draft, DraftState, Evidence, Incident, Severity, Transition
from monitor.notices.lint import X
from monitor.notices.price import price_of
from monitor.notices.weight import LIMIT, weighted_length
from monitor.web.pages import Cell
from monitor.web.phrases import Mark, Tone, clock, exact, reading, span

FORGOTTEN = timedelta(days=1)
_TOLD_NO = (DraftState.REFUSED, DraftState.APPROVED)
SEVEREST_FIRST = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


class Found(Struct, frozen=True):
    """Evidence that one source gave on several rails at once."""

    at: datetime
    source: str
    probe: str
    reading: str
    rails: tuple[str, ...]


class Step(Struct, frozen=True):
    """A transition in an incident's timeline and what was found since the one before."""

    transition: Transition
    findings: tuple[Found, ...]


def open_incidents(incidents: Iterable[Incident]) -> list[Incident]:
    """Those that are not resolved, the most severe first and the newest of them first."""
    shown = sorted((i for i in incidents if i.resolved_at is None), key=lambda i: i.opened_at, reverse=True)
    return sorted(shown, key=lambda i: SEVEREST_FIRST.index(i.severity))


def opened(incident: Incident, now: datetime) -> str:
    """Since when it is so, as far as known."""
    if incident.since is None:
        return f"since before {clock(incident.opened_at, now)}"
    return f"since {clock(incident.since, now)}"


def stale(incident: Incident, now: datetime) -> str:
    """That nothing is read any more of what it is judged by; "" for one that is, or is over."""
    if incident.stale_since is None or incident.resolved_at is not None:
        return ""
    since = clock(incident.stale_since, now)
    return f"Stale since {since}: nothing that it is judged by was read since, so it stays as it is."


def scope(incident: Incident) -> str:
    return "everything" if "*" in incident.scope else ", ".join(incident.scope)


def steps(transitions: Sequence[Transition]) -> list[Step]:
    """The timeline, oldest first; a transition repeats all evidence so far, a step holds what was new."""
    shown: list[Step] = []
    known: tuple[Evidence, ...] = ()
    for transition in transitions:
        shown.append(Step(transition, _findings(each for each in transition.evidence if each not in known)))
        known = transition.evidence
    return shown


def _findings(evidence: Iterable[Evidence]) -> tuple[Found, ...]:
    rails: dict[tuple[datetime, str, str, str], list[str]] = {}
    for each in evidence:
        named = rails.setdefault((each.at, each.source, each.probe, reading(each)), [])
        if each.rail is not None:
            named.append(each.rail.removeprefix("*@"))
    return tuple(Found(*key, rails=tuple(named)) for key, named in rails.items())


def instants(incident: Incident) -> Mapping[str, datetime | None]:
    """The times an incident is told by."""
    return {
        "first sign": incident.since,
        "opened": incident.opened_at,
        "official word": incident.official_at,
        "recovered": incident.recovered_at,
        "resolved": incident.resolved_at,
    }


def expiry(draft: Draft, now: datetime) -> Cell:
    """How long a waiting draft can still be approved; nothing for one that waits no longer."""
    if draft.state is not DraftState.PENDING:
        return Cell("")
    left = (draft.expires_at - now).total_seconds()
    if left <= 0:
        return Cell("expired", Tone.QUIET, clock(draft.expires_at, now))
    return Cell(f"expires in {span(left)}", Tone.WARNING if left < 300 else None, clock(draft.expires_at, now))


def lint(draft: Draft) -> Mark:
    """What the linter has against a draft, in short."""
    errors = sum(problem.level == "error" for problem in draft.problems)
    if errors:
        return Mark(f"{errors} error{'s' if errors > 1 else ''}", Tone.BAD)
    warnings = len(draft.problems)
    if warnings:
        return Mark(f"{warnings} warning{'s' if warnings > 1 else ''}", Tone.WARNING)
    return Mark("clean", Tone.FINE)


def is_open(draft: Draft, now: datetime) -> bool:
    """A person has to decide on it, or it is on its way; what nobody knows of is forgotten after a day."""
    if draft.state is DraftState.UNKNOWN_OUTCOME:
        return now - draft.created_at < FORGOTTEN
    return draft.state is DraftState.PENDING or (draft.state is DraftState.APPROVED and bool(draft.reason))


def at_its_channel(draft: Draft) -> list[str]:
    """What a person should know of the channel: what the post costs, why it is not up, until when it waits."""
    lines = []
    if draft.channel == X:
        lines.append(f"{weighted_length(draft.text)} of {LIMIT} characters, ${price_of(draft.text)}")
    if draft.reason:
        lines.append(f"not posted: {draft.reason}" if draft.state in _TOLD_NO else draft.reason)
    if draft.waits_until is not None:
        lines.append(f"waits until {exact(draft.waits_until)}")
    return lines
