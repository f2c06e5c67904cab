"""Drafts: a text for one notice and channel, what it rests on, and its hash. What a person approves is the hash."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from monitor.model import SUPPORT, Draft, DraftState, Notice, Problem, Role, Sentence
from monitor.notices.claims import claims, holds, is_untrue
from monitor.notices.facts import Facts, notice_of
from monitor.notices.figures import promised
from monitor.notices.languages import ENGLISH, is_known
from monitor.notices.lint import lint
from monitor.notices.templates import SHIPPED, WordingError, key_of, render, speaks

__all__ = ["Facts", "claims", "compose", "edited", "holds", "is_untrue", "reworded", "sha256", "speaks"]


class _Manner(Struct, frozen=True, kw_only=True):
    """Who speaks, where, of what, and in which words."""

    role: Role
    channel: str
    notice: Notice
    templates: Mapping[str, str]
    language: str
    sentences: tuple[Sentence, ...]


class _Worded(Struct, frozen=True):
    text: str
    problems: tuple[Problem, ...]
    language: str


def compose(
    facts: Facts,
    *,
    incident: str,
    channel: str,
    role: Role,
    templates: Mapping[str, str],
    now: datetime,
    expiry_seconds: float,
    language: str = ENGLISH,
    sentences: tuple[Sentence, ...] = (),
    corrects: str | None = None,
    replaces: str | None = None,
) -> Draft:
    """A pending draft of an incident whose kind `speaks`. `templates` override ours by "<role>/<notice>[.<language>]".

    `corrects` and `replaces` are ids of the drafts it is the answer to.
    """
    said = claims(facts)
    notice = Notice.SUPPORT if channel == SUPPORT else notice_of(facts)
    manner = _Manner(
        role=role, channel=channel, notice=notice, templates=templates, language=language, sentences=sentences
    )
    worded, english = _in_both(facts, manner)
    named = "|".join((incident, notice_of(facts), channel, now.astimezone(UTC).isoformat(), said))
    return Draft(
        id=f"d-{sha256(named)[:10]}",
        incident=incident,
        exchange=facts.exchange,
        stage=facts.stage,
        channel=channel,
        role=role,
        text=worded.text,
        text_sha256=sha256(worded.text),
        state=DraftState.PENDING,
        problems=worded.problems,
        created_at=now,
        expires_at=now + timedelta(seconds=expiry_seconds),
        claims=said,
        notice=notice,
        language=worded.language,
        english=english,
        corrects=corrects,
        replaces=replaces,
        next_update_at=_promised(worded.text, facts, language=worded.language, now=now),
    )


def edited(draft: Draft, *, text: str, facts: Facts, actor: str, now: datetime) -> Draft:
    """The draft with a person's text: linted again, pending, as long to live as a new one, decided by its editor."""
    return replace(
        reworded(draft, text=text, facts=facts, now=now),
        state=DraftState.PENDING,
        expires_at=now + (draft.expires_at - (draft.decided_at or draft.created_at)),
        decided_by=actor,
        decided_at=now,
    )


def reworded(draft: Draft, *, text: str, facts: Facts, now: datetime) -> Draft:
    """The draft with another text, linted again."""
    problems = lint(
        text,
        role=draft.role,
        stage=draft.stage,
        channel=draft.channel,
        facts=facts,
        notice=draft.notice,
        language=draft.language,
    )
    return replace(
        draft,
        text=text,
        text_sha256=sha256(text),
        problems=(*problems, *_of_the_twin(draft, text)),
        next_update_at=_promised(text, facts, language=draft.language, now=now),
    )


def sha256(text: str) -> str:
    """Hex SHA-256 of exactly these characters in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def _promised(text: str, facts: Facts, *, language: str, now: datetime) -> datetime | None:
    """In a language we cannot read it is what its template was given."""
    return promised(text, after=now) if is_known(language) else facts.next_update_at


def _of_the_twin(draft: Draft, text: str) -> tuple[Problem, ...]:
    if draft.english is None or text == draft.text:
        return ()
    message = "the English below is of the text before the edit: let somebody read this one who can"
    return (Problem(rule="language", level="warning", message=message),)


def _in_both(facts: Facts, manner: _Manner) -> tuple[_Worded, str | None]:
    """The text to be posted, and its English twin where that is another: what is wrong with the twin is wrong."""
    worded = _worded(facts, manner)
    if worded.language == ENGLISH:
        return worded, None
    twin = _worded(facts, replace(manner, language=ENGLISH))
    problems = () if is_known(worded.language) else tuple(_named(p) for p in twin.problems if p.rule not in _OF_LENGTH)
    return replace(worded, problems=(*worded.problems, *problems)), twin.text


_OF_LENGTH = ("length", "duplicate", "link")
"""Rules that are about what is posted, and the twin is not."""


def _named(problem: Problem) -> Problem:
    return replace(problem, message=f"in English: {problem.message}")


def _worded(facts: Facts, manner: _Manner) -> _Worded:
    """The user's template where it holds, else ours with the reason as a problem."""
    key = key_of(manner.role, manner.notice, manner.language)
    if key not in manner.templates:
        return _ours(facts, manner)
    try:
        text = _rendered(manner.templates[key], facts, manner)
    except WordingError as error:
        return _in_place_of(key, str(error), _ours(facts, manner))
    problems = _linted(text, facts, manner)
    errors = dict.fromkeys(problem.rule for problem in problems if problem.level == "error")
    if errors:
        return _in_place_of(key, f"its text breaks the rules {', '.join(errors)}", _ours(facts, manner))
    return _Worded(text, problems, manner.language)


def _ours(facts: Facts, manner: _Manner) -> _Worded:
    """In English where there is no text in that language."""
    key = key_of(manner.role, manner.notice, manner.language)
    if key not in SHIPPED:
        english = _ours(facts, replace(manner, language=ENGLISH))
        missing = Problem(rule="language", level="warning", message=f"there is no template {key}, so this is English")
        return replace(english, problems=(*english.problems, missing))
    text = _rendered(SHIPPED[key], facts, manner)
    return _Worded(text, _linted(text, facts, manner), manner.language)


def _rendered(template: str, facts: Facts, manner: _Manner) -> str:
    return render(
        template,
        facts,
        role=manner.role,
        channel=manner.channel,
        language=manner.language,
        sentences=manner.sentences,
    )


def _linted(text: str, facts: Facts, manner: _Manner) -> tuple[Problem, ...]:
    return lint(
        text,
        role=manner.role,
        stage=facts.stage,
        channel=manner.channel,
        facts=facts,
        notice=manner.notice,
        language=manner.language,
    )


def _in_place_of(key: str, reason: str, ours: _Worded) -> _Worded:
    message = f"your template {key} is not used, this is the shipped text: {reason}. Edit the draft to take it as it is"
    return replace(ours, problems=(*ours.problems, Problem(rule="template", level="error", message=message)))
