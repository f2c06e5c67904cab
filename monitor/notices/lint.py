"""What may not go out. Each rule is a function of the text and the facts; the same text has the same problems for ever.

Words are looked for in the text without the names of the exchange, assets and networks, since those are not ours.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator

from msgspec import Struct

from monitor.model import Problem, Role, Stage
from monitor.notices.facts import ALL_WITHDRAWALS, EVERYTHING, Facts, assets_of
from monitor.notices.figures import says_next_update, unproven, without_names
from monitor.notices.weight import EMOJI, LIMIT, LINK, weighted_length

X = "x"

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_MENTION = re.compile(r"(?<!\w)[@\uff20]\w")
_CASHTAG = re.compile(r"(?<![\w$])\$[a-z]{1,6}(?:[._][a-z]{1,2})?(?!\w)", re.IGNORECASE)

_CAUSE = re.compile(
    r"\b(?:hack(?:s|ed|er|ers|ing)?|exploit\w*|attack\w*|breach\w*|compromised|stolen|theft|drained"
    r"|insolven\w*|bankrupt\w*|third[- ]party|due to|owing to|because of|caused by|as a result of)\b",
    re.IGNORECASE,
)
_PROMISE = re.compile(
    r"\bwill (?:resume|reopen|return|restart|have|fix|restore|resolve|be(?! (?:posted|shared|given|published)))\b"
    r"|\b(?:soon|shortly|momentarily|eta|asap)\b"
    r"|\b(?:fixed|resolved|restored|back|resumed|reopened|available|completed) (?:by|within|before)\b"
    r"|\bwithin (?:the|an?|a few|\d+|minutes|hours|days)\b"
    r"|\bin (?:the next|an hour|a few|a couple|\d+ (?:min|hour|day))"
    r"|\bexpect(?:ed|s)?\b(?! (?:an?|another|the next) update)|\b(?:estimate[ds]?|anticipate[ds]?)\b"
    r"|\b(?:guarantee\w*|promise\w*)\b",
    re.IGNORECASE,
)
_AGE = re.compile(
    r"\bago\b|\bso far\b|\bfor the (?:last|past)\b|\b(?:earlier )?(?:today|tonight|yesterday|tomorrow)\b", re.I
)
_FUNDS = r"(?:funds?|assets?|money|coins?|balances?|reserves?|holdings?|deposits?|everything)"
_SAFE_FUNDS = re.compile(
    rf"\b{_FUNDS}\s+(?:are|is|remain|remains|stay|stays|were)\s+(?:\w+%?\s+)?(?:safe|safu|secured?)\b", re.IGNORECASE
)
_SAFE = re.compile(
    rf"\bsafu\b|\b{_FUNDS}\b[^.!?]{{0,60}}\b(?:safe|secured?|protected|intact|not at risk|fully backed)\b"
    rf"|\b(?:safe|secured?|protected)\b[^.!?]{{0,30}}\b{_FUNDS}\b"
    r"|\bno\b[^.!?]{0,30}\bfunds?\b[^.!?]{0,30}\b(?:lost|stolen|missing|affected|at risk)\b"
    r"|\bfunds?\b[^.!?]{0,30}\b(?:unaffected|not affected)\b|\b(?:1:1|fully) (?:backed|reserved)\b",
    re.IGNORECASE,
)
_WELL = re.compile(
    r"\b(?:unaffected|unimpacted|not (?:be(?:en|ing)? )?(?:affected|impacted)|normal|normally|as usual|continues?"
    r"|continuing|remains? (?:open|available)|available|operational|working|fine)\b",
    re.IGNORECASE,
)
_ELSE = re.compile(r"\b(?:other|others|else|rest of)\b", re.IGNORECASE)
_TIME_WITHOUT_UTC = re.compile(
    r"(?<![\d:.,])\d{1,2}:\d{2}(?::\d{2})?(?![\d:])(?!\s*(?:-|\u2013|to|and|until)\s*\d)(?!\s*UTC\b)"
)
_AS_THE_EXCHANGE = re.compile(
    r"\bour (?!address|page|reading|measure|observ|data|source|report|evidence|probe)\w+"
    r"|\bwe(?: are|'re) (?:aware|working|investigating|fixing|restoring|sorry)\b"
    r"|\bwe (?:apologi[sz]e|regret|paused?|suspend(?:ed)?|resumed?|halted|restored|fixed)\b"
    r"|\bwe(?: have|'ve) (?:identified|fixed|resolved|paused|suspended|halted|restored|resumed)\b|\bapologies\b",
    re.IGNORECASE,
)
_WE_OBSERVE = re.compile(r"\bwe observe\b", re.IGNORECASE)
_WITHDRAWALS = re.compile(r"\bwithdrawals?\b", re.IGNORECASE)


class _Case(Struct, frozen=True, kw_only=True):
    text: str
    flat: str  # one line, compatibility forms folded
    ours: str  # `flat` without names
    role: Role
    stage: Stage
    channel: str
    facts: Facts


def lint(text: str, *, role: Role, stage: Stage, channel: str, facts: Facts) -> tuple[Problem, ...]:
    """What is wrong with `text`, in the order of the rules. An error forbids approval, a warning is shown."""
    flat = " ".join(unicodedata.normalize("NFKC", text).replace("\u2019", "'").split())
    case = _Case(
        text=text,
        flat=flat,
        ours=without_names(flat, facts),
        role=role,
        stage=stage,
        channel=channel,
        facts=facts,
    )
    return tuple(problem for rule in RULES for problem in rule(case))


def _empty(case: _Case) -> Iterator[Problem]:
    if not case.flat:
        yield _error("empty", "there is no text")


def _hidden(case: _Case) -> Iterator[Problem]:
    seen = EMOJI.sub("", case.text)
    found = dict.fromkeys(char for char in seen if char != "\n" and unicodedata.category(char) in _HIDDEN)
    if found:
        listed = ", ".join(f"U+{ord(char):04X}" for char in found)
        yield _error("hidden", f"control or direction characters: {listed}")


def _length(case: _Case) -> Iterator[Problem]:
    weight = weighted_length(case.text)
    if case.channel == X and weight > LIMIT:
        yield _error("length", f"{weight} of {LIMIT} weighted characters")


def _on_x(case: _Case) -> Iterator[Problem]:
    if case.channel != X:
        return
    if _MENTION.search(case.flat):
        yield _error("mention", "mentions an account; X forbids unsolicited mentions by automation")
    if len(_CASHTAG.findall(case.flat)) > 1:
        yield _error("cashtag", "more than one cashtag; X allows one")
    if link := LINK.search(case.flat):
        yield _warning("link", f"'{link[0]}' is a link: weighs 23, the post costs $0.200 instead of $0.015")


def _voice(case: _Case) -> Iterator[Problem]:
    if case.role is not Role.OBSERVER:
        return
    if not _WE_OBSERVE.search(case.flat):
        yield _error("voice", "an observer's text says 'we observe'")
    if found := _AS_THE_EXCHANGE.search(case.ours):
        yield _error("voice", f"'{found[0]}' speaks as the exchange")


def _cause(case: _Case) -> Iterator[Problem]:
    if found := _CAUSE.search(case.ours):
        yield _early(case, "cause", f"'{found[0]}' names a cause or a culprit")


def _promise(case: _Case) -> Iterator[Problem]:
    if found := _PROMISE.search(case.ours):
        yield _early(case, "eta", f"'{found[0]}' promises or foretells")


def _safe(case: _Case) -> Iterator[Problem]:
    # An asset may be called SAFE or SAFU: the plain sentence is looked for with names in it, the rest without.
    if found := _SAFE_FUNDS.search(case.flat) or _SAFE.search(case.ours):
        yield _error("safe", f"'{found[0]}' says that funds are safe")


def _figures(case: _Case) -> Iterator[Problem]:
    for figure in dict.fromkeys(unproven(case.flat, case.facts)):
        yield _error("number", f"'{figure}' is not in the evidence")
    if found := _TIME_WITHOUT_UTC.search(case.flat):
        yield _error("utc", f"'{found[0]}' needs UTC after it")
    if found := _AGE.search(case.ours):
        yield _error("age", f"'{found[0]}' ages; write the UTC time")


def _unaffected(case: _Case) -> Iterator[Problem]:
    measured = {"deposit": case.facts.deposits_unaffected, "trad(?:e|es|ing)": case.facts.trading_unaffected}
    for sentence in re.split(r"[.!?;]+(?:\s|$)", case.ours):
        if not _WELL.search(sentence):
            continue
        for subject, holds in measured.items():
            if not holds and (found := re.search(rf"\b{subject}\w*", sentence, re.IGNORECASE)):
                yield _error("unaffected", f"'{found[0]}' is said to be unaffected, which is not measured")
        if found := _ELSE.search(sentence):
            yield _error("unaffected", f"'{found[0]}' is said to be unaffected, which is not measured")


def _scope(case: _Case) -> Iterator[Problem]:
    flat = case.flat.casefold()
    if EVERYTHING in case.facts.scope:
        if not _WITHDRAWALS.search(flat):
            yield _warning("scope", "does not say that withdrawals are affected")
        return
    if ALL_WITHDRAWALS in flat:
        yield _warning("scope", "says all withdrawals, the evidence is about some")
    names = [asset for asset in assets_of(case.facts.scope) if asset]
    missing = [name for name in names if not re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", flat)]
    if missing and not re.search(r"\b(?:more|of \d+) assets?\b", flat):
        yield _warning("scope", f"does not name {', '.join(missing)}")


def _next_update(case: _Case) -> Iterator[Problem]:
    if case.stage is not Stage.RESOLVED and not says_next_update(case.flat):
        yield _warning("next_update", "does not say when the next update comes ('Next update by 14:30 UTC')")


def _error(rule: str, message: str) -> Problem:
    return Problem(rule=rule, level="error", message=message)


def _warning(rule: str, message: str) -> Problem:
    return Problem(rule=rule, level="warning", message=message)


def _early(case: _Case, rule: str, message: str) -> Problem:
    """An error in the first post, a warning when more is known."""
    return _error(rule, message) if case.stage is Stage.INVESTIGATING else _warning(rule, message)


RULES: tuple[Callable[[_Case], Iterator[Problem]], ...] = (
    _empty,
    _hidden,
    _length,
    _on_x,
    _voice,
    _cause,
    _promise,
    _safe,
    _figures,
    _unaffected,
    _scope,
    _next_update,
)
