"""Drafts: a text for one stage and channel, the facts it rests on, and its hash. What a person approves is the hash."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec.structs import replace

from monitor.model import Draft, DraftState, IncidentKind, Problem, Role, Stage
from monitor.notices.facts import Facts
from monitor.notices.lint import lint
from monitor.notices.templates import SHIPPED, WordingError, render, speaks

__all__ = ["Facts", "claims", "compose", "edited", "holds", "sha256", "speaks"]


class _Claims(msgspec.Struct, frozen=True, kw_only=True):
    """To the minute, as a text says it. A further source or reading makes no text untrue, so they are no claims."""

    kind: IncidentKind
    stage: Stage
    scope: list[str]
    since: datetime | None
    detected_at: datetime | None  # said only where `since` is not known
    recovered_at: datetime | None
    resolved_at: datetime | None
    official_at: datetime | None
    deposits_unaffected: bool
    trading_unaffected: bool


def claims(facts: Facts) -> str:
    """What a draft from these facts rests on, as canonical JSON."""
    return msgspec.json.encode(_claims(facts)).decode()


def holds(said: str, facts: Facts) -> bool:
    """Whether a text that rests on `said` is still true and says all it must.

    That something is unaffected may become measured later; a text that does not say so is no less true, and asking an
    approver again at each flicker of a measurement would cost more than the sentence is worth.
    """
    old, new = msgspec.json.decode(said, type=_Claims), _claims(facts)
    if old.deposits_unaffected > new.deposits_unaffected or old.trading_unaffected > new.trading_unaffected:
        return False
    alike = replace(new, deposits_unaffected=old.deposits_unaffected, trading_unaffected=old.trading_unaffected)
    return alike == old


def _claims(facts: Facts) -> _Claims:
    return _Claims(
        kind=facts.kind,
        stage=facts.stage,
        scope=sorted(facts.scope),
        since=_minute(facts.since),
        detected_at=_minute(facts.detected_at) if facts.since is None else None,
        recovered_at=_minute(facts.recovered_at),
        resolved_at=_minute(facts.resolved_at),
        official_at=_minute(facts.official_at),
        deposits_unaffected=facts.deposits_unaffected,
        trading_unaffected=facts.trading_unaffected,
    )


def compose(
    facts: Facts,
    *,
    incident: str,
    channel: str,
    role: Role,
    templates: Mapping[str, str],
    now: datetime,
    expiry_seconds: float,
) -> Draft:
    """A pending draft of an incident whose kind `speaks`. `templates` override ours by "<role>/<stage>"."""
    said = claims(facts)
    text, problems = _worded(facts, channel=channel, role=role, templates=templates)
    named = "|".join((incident, facts.stage, channel, now.astimezone(UTC).isoformat(), said))
    return Draft(
        id=f"d-{sha256(named)[:10]}",
        incident=incident,
        exchange=facts.exchange,
        stage=facts.stage,
        channel=channel,
        role=role,
        text=text,
        text_sha256=sha256(text),
        state=DraftState.PENDING,
        problems=problems,
        created_at=now,
        expires_at=now + timedelta(seconds=expiry_seconds),
        claims=said,
    )


def edited(draft: Draft, *, text: str, facts: Facts, actor: str, now: datetime) -> Draft:
    """The draft with a person's text: linted again, pending, as long to live as a new one, decided by its editor."""
    return replace(
        draft,
        text=text,
        text_sha256=sha256(text),
        state=DraftState.PENDING,
        problems=lint(text, role=draft.role, stage=draft.stage, channel=draft.channel, facts=facts),
        expires_at=now + (draft.expires_at - (draft.decided_at or draft.created_at)),
        decided_by=actor,
        decided_at=now,
    )


def sha256(text: str) -> str:
    """Hex SHA-256 of exactly these characters in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def _worded(facts: Facts, *, channel: str, role: Role, templates: Mapping[str, str]) -> tuple[str, tuple[Problem, ...]]:
    """The user's template where it holds, else ours with the reason as a problem."""
    key = f"{role}/{facts.stage}"
    ours = render(SHIPPED[key], facts)
    ours_problems = lint(ours, role=role, stage=facts.stage, channel=channel, facts=facts)
    if key not in templates:
        return ours, ours_problems
    try:
        text = render(templates[key], facts)
    except WordingError as error:
        return ours, (*ours_problems, _broken(key, str(error)))
    problems = lint(text, role=role, stage=facts.stage, channel=channel, facts=facts)
    errors = dict.fromkeys(problem.rule for problem in problems if problem.level == "error")
    if errors:
        return ours, (*ours_problems, _broken(key, f"its text breaks the rules {', '.join(errors)}"))
    return text, problems


def _broken(key: str, reason: str) -> Problem:
    message = f"your template {key} is not used, this is the shipped text: {reason}. Edit the draft to take it as it is"
    return Problem(rule="template", level="error", message=message)


def _minute(at: datetime | None) -> datetime | None:
    return None if at is None else at.astimezone(UTC).replace(second=0, microsecond=0)
