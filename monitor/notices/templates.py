"""The texts we ship, the same as in config/templates, and how a template becomes a text. A template sees words only."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from monitor.model import SUPPORT, IncidentKind, Notice, Role, Sentence
from monitor.notices import amounts, chinese_observer, chinese_operator, english_observer, english_operator
from monitor.notices.facts import Facts, namings, notice_of, title_of
from monitor.notices.languages import ENGLISH, language_of, shown_at
from monitor.notices.sandbox import Word, WordingError, rendered
from monitor.notices.weight import LIMIT, weighted_length

__all__ = ["SHIPPED", "WordingError", "key_of", "render", "speaks", "words_of"]

SUPPORT_LIMIT = 300
"""Characters of an answer to users."""
_NAMED_SOURCES = 2
_OF_MONEY = (IncidentKind.CAMPAIGN, IncidentKind.BANK_RUN)
# Chinese sentences stand without a space between them.
_AFTER_FULL_WIDTH = re.compile(r"(?<=[\u3000-\u303f\uff00-\uffef]) | (?=[\u3000-\u303f\uff00-\uffef])")

SHIPPED: Mapping[str, str] = MappingProxyType(
    {
        **english_operator.OPERATOR,
        **english_observer.OBSERVER,
        **chinese_operator.OPERATOR,
        **chinese_observer.OBSERVER,
    }
)
"""By "<role>/<notice>" in English, "<role>/<notice>.<language>" in others."""


def key_of(role: Role, notice: Notice, language: str = ENGLISH) -> str:
    return f"{role}/{notice}" if language == ENGLISH else f"{role}/{notice}.{language}"


def speaks(kind: IncidentKind) -> bool:
    """Whether an incident of this kind has drafts at all."""
    return kind in language_of(ENGLISH).states or kind in _OF_MONEY


def is_about_money(kind: IncidentKind) -> bool:
    """Whether its drafts are statements of what came in and went out."""
    return kind in _OF_MONEY


def render(
    template: str,
    facts: Facts,
    *,
    role: Role,
    channel: str,
    language: str = ENGLISH,
    sentences: tuple[Sentence, ...] = (),
) -> str:
    """The text of `template`, with the fullest naming of the scope that fits a post.

    Lines are joined by a space, an empty line starts a paragraph. Optional sentences go before a name is shortened to
    nothing but a count. Raises WordingError.
    """
    words = words_of(facts, language=language)
    said = _said(role, sentences, language)
    shortened = namings(facts.scope, language=language)
    text = ""
    for withdrawals, added in [(naming, added) for added in dict.fromkeys((said, "")) for naming in shortened]:
        text = _joined(rendered(template, {**words, "withdrawals": withdrawals, "sentences": added}))
        if fits(text, channel=channel):
            break
    return text


def fits(text: str, *, channel: str) -> bool:
    """Every text is written to fit a post of X, wherever it goes; an answer to users has a bound of its own."""
    return len(text) <= SUPPORT_LIMIT if channel == SUPPORT else weighted_length(text) <= LIMIT


def words_of(facts: Facts, *, language: str = ENGLISH) -> dict[str, Word]:
    """All that a template is given, but `withdrawals` and `sentences`, which depend on what fits."""
    day = facts.detected_at.astimezone(UTC).date()
    words = language_of(language)

    def at(time: datetime | None) -> str:
        return "" if time is None else shown_at(time, day=day, language=language)

    named = [words.sources[source] for source in facts.sources if source in words.sources]
    return {
        "title": title_of(facts, language=language),
        "kind": facts.kind.value,
        "stage": facts.stage.value,
        "notice": notice_of(facts).value,
        "state": words.states.get(facts.kind, ""),
        "since": at(facts.since),
        "detected": at(facts.detected_at),
        "recovered": at(facts.recovered_at),
        "resolved": at(facts.resolved_at),
        "official": at(facts.official_at),
        "next_update": at(facts.next_update_at),
        "corrected": at(facts.corrected_at),
        "starts": at(facts.starts_at),
        "ends": at(facts.ends_at),
        "retracted": facts.is_retracted,
        "deposits_unaffected": facts.deposits_unaffected,
        "trading_unaffected": facts.trading_unaffected,
        "unaffected": facts.deposits_unaffected and facts.trading_unaffected,
        "sources": named[:_NAMED_SOURCES],
        "page": facts.page,
        **_of_money(facts, at(facts.money.since) if facts.money else "", at(facts.money.until) if facts.money else ""),
    }


def _of_money(facts: Facts, since: str, until: str) -> dict[str, Word]:
    money = facts.money
    return {
        "money_since": since,
        "money_until": until,
        "received": amounts.received(money) if money else "",
        "sent": amounts.sent(money) if money else "",
        "net": amounts.net(money) if money else "",
    }


def _said(role: Role, sentences: tuple[Sentence, ...], language: str) -> str:
    words = language_of(language).sentences
    return " ".join(words[role, sentence] for sentence in sentences if (role, sentence) in words)


def _joined(text: str) -> str:
    lines = (" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text))
    joined = unicodedata.normalize("NFC", "\n\n".join(line for line in lines if line))
    return _AFTER_FULL_WIDTH.sub("", joined)
