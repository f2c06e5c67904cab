"""Figures in a text: each time, day and number must be one of the facts."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from monitor.notices import amounts
from monitor.notices.facts import EVERYTHING, NAMED_ASSETS, Facts, assets_of, plain, title_of
from monitor.notices.languages import MONTHS
from monitor.notices.numerals import Numeral, numerals

LAST_HOUR, LAST_MINUTE = 23, 59
GONE = "\u25a1"  # stands where a word was taken out, so that its neighbours do not become a phrase

_MONTHS = {month.lower(): at for at, month in enumerate(MONTHS, start=1)}
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})[a-z]*\.?"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})",
        r"(?:(?P<year>\d{4})\s*年)?\s*(?P<month>\d{1,2})\s*月\s*(?P<day>\d{1,2})\s*[日号]",
        rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+{_MONTH}(?:,?\s+(?P<year>\d{{4}}))?(?![\d:])",
        rf"\b{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<year>\d{{4}}))?(?![\d:])",
    )
)
# Chinese puts no space between a name and the words around it.
LETTER = r"[^\W\u3040-\u9fff]"
_TIME = re.compile(r"(?<![\d:.,])(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?(?![\d:])")
_TOKEN_STANDARD = re.compile(r"\b(?:ERC|TRC|BEP)-?20\b")
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_SCALED = re.compile(
    rf"(?P<number>{_NUMBER.pattern})(?:\s*(?P<scale>(?:thousand|million|billion|bn|[kmb])\b|[百千万亿]))?", re.I
)
_SCALES = {"thousand": 10**3, "k": 10**3, "million": 10**6, "m": 10**6, "billion": 10**9, "bn": 10**9, "b": 10**9}
_SCALES |= {"百": 10**2, "千": 10**3, "万": 10**4, "亿": 10**8}
# When we speak again is the speaker's own promise, not a finding.
_AT = r"(?:\d{1,2} [a-z]+ \d{4}, ?|\d{4}年\d{1,2}月\d{1,2}日 ?)?(?P<hour>\d{1,2}):(?P<minute>\d{2})\s*UTC\b"
_NEXT_UPDATE = re.compile(
    r"(?:\bupdates?(?:\s+will be \w+)?\s*(?:\b(?:by|at|before|around|no later than)|:)|下一?次更新\D{0,8}?)\s*"
    rf"{_AT}",
    re.IGNORECASE,
)


class _Proof(Struct, frozen=True):
    times: frozenset[tuple[int, int]]
    days: frozenset[date]
    numbers: frozenset[Decimal]


def unproven(text: str, facts: Facts) -> tuple[str, ...]:
    """The figures of `text` that the facts do not hold, as written. The time of the next update is free."""
    proof = _proof(facts)
    found: list[str] = []
    text = _TOKEN_STANDARD.sub(GONE, _NEXT_UPDATE.sub(GONE, text))
    text = text.replace(facts.page, GONE) if facts.page else text
    for pattern in _DATES:
        text = _take(pattern, text, found, holds=lambda match: _is_known_day(match, proof))
    text = _take(_TIME, text, found, holds=lambda match: (int(match["hour"]), int(match["minute"])) in proof.times)
    text = without_names(text, facts)
    text = _take(_SCALED, text, found, holds=lambda match: _value(match) in proof.numbers)
    return (*found, *(numeral.text for numeral in numerals(text) if not _is_proven(numeral, proof)))


def _is_proven(numeral: Numeral, proof: "_Proof") -> bool:
    return numeral.value is not None and Decimal(numeral.value) in proof.numbers


def promised(text: str, *, after: datetime) -> datetime | None:
    """By when a text says that the next one comes: the first such time of day after it was posted."""
    match = _NEXT_UPDATE.search(text)
    if match is None or int(match["hour"]) > LAST_HOUR or int(match["minute"]) > LAST_MINUTE:
        return None
    at = after.astimezone(UTC).replace(hour=int(match["hour"]), minute=int(match["minute"]), second=0, microsecond=0)
    return at if at > after else at + timedelta(days=1)


def says_next_update(text: str) -> bool:
    return _NEXT_UPDATE.search(text) is not None


def without_names(text: str, facts: Facts) -> str:
    """`text` without the names of the exchange, the assets and the networks: they are not our words."""
    rails = (*facts.scope, *(found.rail for found in facts.evidence if found.rail is not None))
    names = [facts.title, facts.exchange, title_of(facts)]
    for rail in rails:
        names += rail.split("@")
    for asset, networks in assets_of(rails).items():
        names += [asset, *networks]
    if facts.money is not None:
        names += [plain(moved.asset, weight=amounts.ASSET_WEIGHT) for moved in facts.money.moved]
    known = sorted({name for name in names if name.strip() and name != EVERYTHING}, key=lambda name: (-len(name), name))
    if not known:
        return text
    return re.sub(rf"(?<!{LETTER})(?:{'|'.join(map(re.escape, known))})(?!{LETTER})", GONE, text)


def _take(pattern: re.Pattern[str], text: str, found: list[str], *, holds: Callable[[re.Match[str]], bool]) -> str:
    def taken(match: re.Match[str]) -> str:
        if not holds(match):
            found.append(match[0])
        return GONE

    return pattern.sub(taken, text)


def _proof(facts: Facts) -> _Proof:
    told = (
        facts.since,
        facts.detected_at,
        facts.recovered_at,
        facts.resolved_at,
        facts.official_at,
        facts.next_update_at,
        facts.corrected_at,
        facts.starts_at,
        facts.ends_at,
        *((facts.money.since, facts.money.until) if facts.money else ()),
        *(found.at for found in facts.evidence),
    )
    times: list[datetime] = [at.astimezone(UTC) for at in told if at is not None]
    measured = (_NUMBER.findall(found.value) for found in facts.evidence)
    numbers = [Decimal(number.replace(",", "")) for value in measured for number in value]
    return _Proof(
        times=frozenset((at.hour, at.minute) for at in times),
        days=frozenset(at.date() for at in times),
        numbers=frozenset((*numbers, *_counts(facts), *_moved(facts))),
    )


def _counts(facts: Facts) -> list[Decimal]:
    assets = assets_of(facts.scope)
    rest = (len(assets) - named for named in range(1, NAMED_ASSETS + 1))
    counts = (len(facts.scope), len(assets), len(facts.sources), *rest, *(len(found) for found in assets.values()))
    return [Decimal(count) for count in counts if count > 0]


def _moved(facts: Facts) -> list[Decimal]:
    """What came and went, as a text of ours writes it: a figure with more digits is none that anybody needs."""
    if facts.money is None:
        return []
    written = " ".join((amounts.received(facts.money), amounts.sent(facts.money), amounts.net(facts.money)))
    return [_value(match) for match in _SCALED.finditer(written)]


def _is_known_day(match: re.Match[str], proof: _Proof) -> bool:
    word = match["month"].lower()
    month = _MONTHS[word] if word in _MONTHS else int(word)
    year = match["year"]
    return any(
        (day.month, day.day) == (month, int(match["day"])) and year in (None, str(day.year))
        for day in sorted(proof.days)
    )


def _value(match: re.Match[str]) -> Decimal:
    scale = match["scale"]
    number = Decimal(match["number"].replace(",", ""))
    return number * _SCALES[scale.lower()] if scale else number
