"""What an exchange's own words say of withdrawals, recognised by the literal table of `languages`.

Words that are not recognised are kept and never guessed; about trading or deposits alone, nothing is said.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Literal

from msgspec import Struct

from monitor.probes.languages import DONE, LANGUAGES, MAINTENANCE_ANYWHERE, TIME, Language

Topic = Literal["suspended", "resumed", "delayed", "maintenance"]

LONGEST_TEXT = 4_000
LEAD = 40
"""Characters before a match in which a word like "will" makes it something to come."""
CLAUSE = 120
"""Characters before a match in which an "if" or "once" belongs to it."""
BEHIND = 12
"""Characters behind a stop in which it may be said that it lasts."""

_BREAK = re.compile(r"(?<!\d\.)(?<=[.!?;])\s+|(?<=\d\.)\s+(?![a-z])|(?<=[\u3002\uff01\uff1f\uff1b])|[|\n]+")
"""The end of a sentence; "10.03. um 12 Uhr" is none."""
_COMMA = re.compile(r"[,\u3001]")


class _Patterns(Struct, frozen=True):
    """A language's words, put together into what is searched for."""

    mention: re.Pattern[str]
    stopped: re.Pattern[str]
    to_stop: re.Pattern[str]
    resumed: re.Pattern[str]
    impaired: re.Pattern[str]
    calm: re.Pattern[str]
    maintenance: re.Pattern[str]
    wallet_maintenance: re.Pattern[str]
    future: re.Pattern[str]
    condition: re.Pattern[str]
    lasting: re.Pattern[str]
    future_behind: int


def plain(text: str) -> str:
    """At most 4,000 characters on one line, without control or formatting characters."""
    marked = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text[: 4 * LONGEST_TEXT])
    printable = "".join(c for c in marked if c.isprintable() or c.isspace())
    return " ".join(printable.split())[:LONGEST_TEXT].rstrip()


def recognised(text: str) -> Topic | None:
    """What `text` says of withdrawals; None where it says nothing that the table knows, or contradicts itself.

    `suspended`: they do not go out. `delayed`: they are said to be slow, troubled or failing. `maintenance`: a stop
    that is announced for a time or explained by maintenance. `resumed`: they go out again, not for the first time.
    """
    told = [_folded(sentence) for sentence in _BREAK.split(text[:LONGEST_TEXT])]
    sentences = [sentence for sentence in told if sentence.strip() and not sentence.endswith("?")]
    is_maintenance = any(MAINTENANCE_ANYWHERE.search(sentence) is not None for sentence in sentences)
    found = {
        topic
        for sentence in sentences
        for language in LANGUAGES
        for topic in _topics(sentence, _patterns(language), is_maintenance=is_maintenance)
    }
    if "resumed" in found:
        return None if "lasting" in found else "resumed"
    for topic in _WORST_LAST:
        if topic in found:
            return topic
    return None


_WORST_LAST: tuple[Topic, ...] = ("maintenance", "suspended", "delayed")
"""Maintenance explains a stop that the same text tells; both are more than a delay."""


def _folded(text: str) -> str:
    """Small letters without the Turkish dots that make two words of one."""
    return unicodedata.normalize("NFKC", text).casefold().replace("\u0307", "").replace("\u0131", "i")


def _topics(sentence: str, words: _Patterns, *, is_maintenance: bool) -> set[str]:
    topics: set[str] = set()
    if words.wallet_maintenance.search(sentence) is not None and DONE.search(sentence) is None:
        topics.add("maintenance")
    if words.mention.search(sentence) is None:
        return topics
    if any(not _is_unreal(sentence, match, words) for match in words.resumed.finditer(sentence)):
        topics.add("resumed")
    stirred = words.calm.sub(" . ", sentence)
    # A stop that maintenance explains is planned, and so is one to come at a stated time.
    is_explained = words.maintenance.search(sentence) is not None
    is_timed = is_maintenance or TIME.search(sentence) is not None
    for match, is_to_come in _stops(stirred, words):
        topics.add("maintenance" if is_explained or (is_timed and is_to_come) else "suspended")
        if words.lasting.search(stirred[match.start() : match.end() + BEHIND]) is not None:
            topics.add("lasting")
    if any(not _is_unreal(stirred, match, words) for match in words.impaired.finditer(stirred)):
        topics.add("delayed")
    return topics


def _stops(sentence: str, words: _Patterns) -> Iterator[tuple[re.Match[str], bool]]:
    """Each stop that the sentence claims, and whether it is still to come."""
    for match in words.stopped.finditer(sentence):
        if not _is_conditional(sentence, match, words):
            yield match, _is_future(sentence, match, words)
    for match in words.to_stop.finditer(sentence):
        if _is_future(sentence, match, words) and not _is_conditional(sentence, match, words):
            yield match, True


def _is_unreal(sentence: str, match: re.Match[str], words: _Patterns) -> bool:
    return _is_future(sentence, match, words) or _is_conditional(sentence, match, words)


def _is_future(sentence: str, match: re.Match[str], words: _Patterns) -> bool:
    before = _before(sentence, match, reach=LEAD)
    behind = _COMMA.split(sentence[match.end() : match.end() + words.future_behind])[0]
    return words.future.search(before + match[0] + behind) is not None


def _is_conditional(sentence: str, match: re.Match[str], words: _Patterns) -> bool:
    return words.condition.search(_before(sentence, match, reach=CLAUSE)) is not None


def _before(sentence: str, match: re.Match[str], *, reach: int) -> str:
    """The clause up to the match."""
    return _COMMA.split(sentence[max(0, match.start() - reach) : match.start()])[-1]


@cache
def _patterns(language: Language) -> _Patterns:
    gap = rf"(?:(?!{language.cut})(?:[^.!?;:\u3002]|(?<=\d)[.:])){{0,{language.reach}}}?"
    calm_gap = rf"(?:(?!{language.stopped})[^.!?;\u3002]){{0,{language.reach}}}?"
    subject = language.withdrawals

    def joined(verb: str) -> re.Pattern[str]:
        after = rf"(?:{subject}){gap}(?:{verb})"
        before = rf"(?:{verb})(?!\s*,){gap}(?:{subject})"
        return re.compile(f"{after}|{before}" if language.verb_first else after)

    return _Patterns(
        mention=re.compile(subject),
        stopped=joined(language.stopped),
        to_stop=joined(language.to_stop),
        resumed=joined(language.resumed),
        impaired=joined(language.impaired),
        calm=re.compile(
            rf"(?:{subject}){calm_gap}(?:{language.calm})|(?:{language.calm_first}){calm_gap}(?:{subject})"
        ),
        maintenance=re.compile(language.maintenance),
        wallet_maintenance=re.compile(language.wallet_maintenance),
        future=re.compile(language.future),
        condition=re.compile(language.condition),
        lasting=re.compile(language.lasting),
        future_behind=language.future_behind,
    )
