"""What may not go out. Each rule is a function of the text and the facts; the same text has the same problems for ever.

Words are looked for in the text without the names of the exchange, assets and networks, since those are not ours, and
with its masks off. A language whose words we do not know is judged by its figures, length, links and characters.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator

from msgspec import Struct

from monitor.model import SUPPORT, Notice, Problem, Role, Stage
from monitor.notices.disguise import flat, mixed, spelled_link, unmasked
from monitor.notices.facts import EVERYTHING, Facts, assets_of
from monitor.notices.figures import LETTER, says_next_update, unproven, without_names
from monitor.notices.languages import ENGLISH, is_known, language_of
from monitor.notices.templates import SUPPORT_LIMIT
from monitor.notices.vocabulary import VOCABULARIES, Vocabulary
from monitor.notices.weight import EMOJI, LIMIT, LINK, weighted_length

X = "x"

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_MENTION = re.compile(r"(?<!\w)[@\uff20]\w")
_CASHTAG = re.compile(r"(?<![\w$])\$[a-z]{1,6}(?:[._][a-z]{1,2})?(?!\w)", re.IGNORECASE)
_TIME_WITHOUT_UTC = re.compile(
    r"(?<![\d:.,])\d{1,2}:\d{2}(?::\d{2})?(?![\d:])(?!\s*(?:-|\u2013|to|and|until|至|到)\s*\d)(?!\s*UTC\b)"
)
_PROMISES_ANOTHER = (
    Notice.INVESTIGATING,
    Notice.IDENTIFIED,
    Notice.MONITORING,
    Notice.REOPENED,
    Notice.CORRECTION,
)


class _Case(Struct, frozen=True, kw_only=True):
    text: str
    flat: str  # one line, compatibility forms folded
    ours: str  # `flat` without names, as a reader takes it
    role: Role
    notice: Notice
    stage: Stage
    channel: str
    language: str
    facts: Facts

    def words(self) -> Vocabulary:
        return VOCABULARIES[self.language]


def lint(
    text: str,
    *,
    role: Role,
    stage: Stage,
    channel: str,
    facts: Facts,
    notice: Notice | None = None,
    language: str = ENGLISH,
) -> tuple[Problem, ...]:
    """What is wrong with `text`, in the order of the rules. An error forbids approval, a warning is shown.

    `notice` is what the text is, by default that of its stage.
    """
    line = flat(text)
    case = _Case(
        text=text,
        flat=line,
        ours=unmasked(without_names(line, facts)),
        role=role,
        notice=notice or Notice(stage),
        stage=stage,
        channel=channel,
        language=language,
        facts=facts,
    )
    rules = RULES if is_known(language) else (*OF_ANY_LANGUAGE, _unchecked)
    return tuple(problem for rule in rules for problem in rule(case))


def _empty(case: _Case) -> Iterator[Problem]:
    if not case.flat:
        yield _error("empty", "there is no text")


def _hidden(case: _Case) -> Iterator[Problem]:
    seen = EMOJI.sub("", case.text)
    found = dict.fromkeys(char for char in seen if char != "\n" and unicodedata.category(char) in _HIDDEN)
    if found:
        listed = ", ".join(f"U+{ord(char):04X}" for char in found)
        yield _error("hidden", f"control or direction characters: {listed}")
    for word in mixed(without_names(case.flat, case.facts)):
        yield _error("hidden", f"'{word}' mixes letters of several scripts that look alike")


def _length(case: _Case) -> Iterator[Problem]:
    weight = weighted_length(case.text)
    if case.channel == X and weight > LIMIT:
        yield _error("length", f"{weight} of {LIMIT} weighted characters")
    if case.channel == SUPPORT and len(case.text) > SUPPORT_LIMIT:
        yield _error("length", f"{len(case.text)} of {SUPPORT_LIMIT} characters")


def _on_x(case: _Case) -> Iterator[Problem]:
    if case.channel != X:
        return
    if _MENTION.search(case.flat):
        yield _error("mention", "mentions an account; X forbids unsolicited mentions by automation")
    if len(_CASHTAG.findall(case.flat)) > 1:
        yield _error("cashtag", "more than one cashtag; X allows one")
    if link := LINK.search(case.flat):
        yield _warning("link", f"'{link[0]}' is a link: weighs 23, the post costs $0.200 instead of $0.015")
    if any(flat(posted) == case.flat for posted in case.facts.posted):
        yield _error("duplicate", "the same text was posted within 24 hours; X refuses it")


def _disguised(case: _Case) -> Iterator[Problem]:
    if found := spelled_link(case.flat):
        yield _error("link", f"'{found}' is a link that is written as none")


def _voice(case: _Case) -> Iterator[Problem]:
    if case.role is not Role.OBSERVER:
        return
    if not case.words().we_observe.search(case.flat):
        yield _error("voice", "an observer's text says 'we observe'")
    if found := _found(case, lambda words: words.as_the_exchange):
        yield _error("voice", f"'{found}' speaks as the exchange")


def _cause(case: _Case) -> Iterator[Problem]:
    if found := _found(case, lambda words: words.cause):
        yield _early(case, "cause", f"'{found}' names a cause or a culprit")


def _promise(case: _Case) -> Iterator[Problem]:
    if found := _found(case, lambda words: words.promise):
        yield _early(case, "eta", f"'{found}' promises or foretells")


def _safe(case: _Case) -> Iterator[Problem]:
    # An asset may be called SAFE or SAFU: the plain sentence is looked for with names in it, the rest without.
    plain = unmasked(case.flat)
    sentences = (words.safe_funds.search(plain) for words in VOCABULARIES.values())
    found = next((match[0] for match in sentences if match), None) or _found(case, lambda words: words.safe)
    if found and case.facts.treasury is None:
        yield _error("safe", f"'{found}' says that funds are safe, which nobody confirmed for the treasury")
    elif found:
        yield _warning("safe", f"'{found}' says that funds are safe: {case.facts.treasury} confirmed it")


def _figures(case: _Case) -> Iterator[Problem]:
    for figure in dict.fromkeys(unproven(case.flat, case.facts)):
        yield _error("number", f"'{figure}' is not in the evidence")
    if found := _TIME_WITHOUT_UTC.search(case.flat):
        yield _error("utc", f"'{found[0]}' needs UTC after it")


def _age(case: _Case) -> Iterator[Problem]:
    if found := _found(case, lambda words: words.age):
        yield _error("age", f"'{found}' ages; write the UTC time")


def _unaffected(case: _Case) -> Iterator[Problem]:
    for words in VOCABULARIES.values():
        for sentence in re.split(r"[.!?;]+(?:\s|$)|\u3002", case.ours):
            if words.well.search(sentence):
                yield from _well(sentence, words, case.facts)


def _well(sentence: str, words: Vocabulary, facts: Facts) -> Iterator[Problem]:
    measured = (
        (words.deposits, facts.deposits_unaffected),
        (words.trading, facts.trading_unaffected),
        (words.others, False),
    )
    for subject, holds in measured:
        if not holds and (found := subject.search(sentence)):
            yield _error("unaffected", f"'{found[0]}' is said to be unaffected, which is not measured")


def _scope(case: _Case) -> Iterator[Problem]:
    said = case.flat.casefold()
    if case.facts.money is not None:
        return
    if EVERYTHING in case.facts.scope:
        if not case.words().withdrawals.search(said):
            yield _warning("scope", "does not say that withdrawals are affected")
        return
    if language_of(case.language).everything in said:
        yield _warning("scope", "says all withdrawals, the evidence is about some")
    missing = [asset for asset in assets_of(case.facts.scope) if asset and not _is_named(asset, said)]
    if missing and not case.words().counted.search(said):
        yield _warning("scope", f"does not name {', '.join(missing)}")


def _is_named(asset: str, said: str) -> bool:
    return re.search(rf"(?<!{LETTER}){re.escape(asset.casefold())}(?!{LETTER})", said) is not None


def _next_update(case: _Case) -> Iterator[Problem]:
    is_over = case.stage is Stage.RESOLVED or case.facts.is_retracted
    if case.notice in _PROMISES_ANOTHER and not is_over and not says_next_update(case.flat):
        yield _warning("next_update", "does not say when the next update comes ('Next update by 14:30 UTC')")


def _unchecked(case: _Case) -> Iterator[Problem]:
    yield _warning("language", f"the words of '{case.language}' are not checked; those of its English twin are")


def _found(case: _Case, of: Callable[[Vocabulary], re.Pattern[str]]) -> str | None:
    """The first word of such a kind, in whatever language it is said."""
    matches = (of(words).search(case.ours) for words in VOCABULARIES.values())
    return next((match[0] for match in matches if match), None)


def _error(rule: str, message: str) -> Problem:
    return Problem(rule=rule, level="error", message=message)


def _warning(rule: str, message: str) -> Problem:
    return Problem(rule=rule, level="warning", message=message)


def _early(case: _Case, rule: str, message: str) -> Problem:
    """An error in the first post, a warning when more is known."""
    return _error(rule, message) if case.stage is Stage.INVESTIGATING else _warning(rule, message)


Rule = Callable[[_Case], Iterator[Problem]]
OF_ANY_LANGUAGE: tuple[Rule, ...] = (_empty, _hidden, _length, _on_x, _disguised, _figures)
RULES: tuple[Rule, ...] = (
    _empty,
    _hidden,
    _length,
    _on_x,
    _disguised,
    _voice,
    _cause,
    _promise,
    _safe,
    _figures,
    _age,
    _unaffected,
    _scope,
    _next_update,
)
