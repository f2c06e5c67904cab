"""A template before it is needed: rendered of made-up incidents, at every length, and judged as a draft would be."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from difflib import get_close_matches

from msgspec.structs import replace

from monitor.model import SUPPORT, IncidentKind, Notice, Role, Stage
from monitor.notices.facts import Facts, Money, Moved
from monitor.notices.languages import ENGLISH
from monitor.notices.lint import lint
from monitor.notices.templates import SHIPPED, WordingError, render

NOW = datetime(2026, 2, 3, 2, 21, tzinfo=UTC)
BARE = Facts(
    exchange="examplex",
    title="Examplex",
    kind=IncidentKind.WITHDRAWAL_HALT,
    stage=Stage.INVESTIGATING,
    scope=("*",),
    since=None,
    detected_at=NOW,
)
FULL = replace(
    BARE,
    scope=("ETH@ethereum", "USDT@tron"),
    since=NOW - timedelta(minutes=2),
    official_at=NOW + timedelta(minutes=15),
    next_update_at=NOW + timedelta(minutes=29),
    trading_unaffected=True,
    deposits_unaffected=True,
    sources=("chain", "api"),
    page="https://status.example.com",
)
"""An incident of which nothing is known, and one of which everything is."""
_WITHDRAWALS = (IncidentKind.WITHDRAWAL_HALT, IncidentKind.RAIL_SUSPENDED, IncidentKind.WITHDRAWALS_DEGRADED)
_MONEY = Money(
    since=NOW.replace(hour=1, minute=0),
    until=NOW,
    moved=(Moved(asset="USD", received=Decimal("31200000"), sent=Decimal("45900000")),),
)
_STAGES = {
    Notice.INVESTIGATING: (Stage.INVESTIGATING,),
    Notice.IDENTIFIED: (Stage.IDENTIFIED,),
    Notice.MONITORING: (Stage.MONITORING,),
    Notice.RESOLVED: (Stage.RESOLVED,),
    Notice.MAINTENANCE: tuple(Stage),
    Notice.REOPENED: (Stage.INVESTIGATING,),
    Notice.CORRECTION: (Stage.INVESTIGATING, Stage.IDENTIFIED, Stage.RESOLVED),
    Notice.RESERVES_STATEMENT: (Stage.INVESTIGATING,),
    Notice.SUPPORT: tuple(Stage),
}


def parts_of(name: str) -> tuple[Role, Notice, str]:
    """Role, notice and language of a template's name. Raises WordingError with what was expected."""
    role, _, rest = name.partition("/")
    notice, _, language = rest.partition(".")
    if role not in list(Role) or notice not in list(Notice):
        near = get_close_matches(name.partition(".")[0], [key for key in SHIPPED if "." not in key], n=1)
        guess = f"; did you mean {near[0]}?" if near else ""
        raise WordingError(f"no draft uses it: expected <role>/<notice> or <role>/<notice>.<language>{guess}")
    return Role(role), Notice(notice), language or ENGLISH


def languages(names: Iterable[str]) -> list[str]:
    """Of the templates with these names; names that no draft uses have none."""
    found = set()
    for name in names:
        with suppress(WordingError):
            found.add(parts_of(name)[2])
    return sorted(found)


def problems(templates: Mapping[str, str], channels: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """What would keep a text of ours in place of a person's: the template's name, and why."""
    for name, template in templates.items():
        try:
            role, notice, language = parts_of(name)
        except WordingError as error:
            yield name, str(error)
            continue
        yield from ((name, said) for said in dict.fromkeys(_wrong(template, role, notice, language, channels)))


def example(notice: Notice, stage: Stage | None = None) -> Facts:
    """An incident of which all is known, at the (first) stage of a notice."""
    kind = {
        Notice.MAINTENANCE: IncidentKind.MAINTENANCE,
        Notice.RESERVES_STATEMENT: IncidentKind.BANK_RUN,
    }.get(notice, IncidentKind.WITHDRAWAL_HALT)
    return told(notice, stage or _STAGES[notice][0], replace(FULL, kind=kind))


def cases(notice: Notice) -> Iterator[Facts]:
    """Incidents of each kind that a notice can be of, at each of its stages, with nothing and with everything known."""
    for stage in _STAGES[notice]:
        for kind in _kinds(notice):
            for facts in (BARE, FULL):
                yield told(notice, stage, replace(facts, kind=kind))


def told(notice: Notice, stage: Stage, facts: Facts) -> Facts:
    """What is known of the same incident where that notice is due."""
    known = _at(stage, facts)
    if notice is Notice.SUPPORT:
        return _of_kind(known)
    if notice is Notice.CORRECTION:
        corrected = replace(known, corrected_at=NOW + timedelta(minutes=4), recovered_at=None, resolved_at=None)
        known = replace(corrected, is_retracted=stage is Stage.RESOLVED)
    is_own = notice.value != stage.value
    return _of_kind(replace(known, notice=notice if is_own else None))


def _of_kind(facts: Facts) -> Facts:
    match facts.kind:
        case IncidentKind.MAINTENANCE if facts.since is not None:
            return replace(facts, starts_at=NOW.replace(minute=0), ends_at=NOW.replace(hour=5, minute=0))
        case IncidentKind.CAMPAIGN | IncidentKind.BANK_RUN:
            return replace(facts, money=_MONEY, next_update_at=None)
        case _:
            return facts


def _kinds(notice: Notice) -> tuple[IncidentKind, ...]:
    match notice:
        case Notice.MAINTENANCE:
            return (IncidentKind.MAINTENANCE,)
        case Notice.RESERVES_STATEMENT:
            return (IncidentKind.CAMPAIGN, IncidentKind.BANK_RUN)
        case Notice.SUPPORT:
            return (*_WITHDRAWALS, IncidentKind.MAINTENANCE, IncidentKind.BANK_RUN)
        case _:
            return _WITHDRAWALS


def _at(stage: Stage, facts: Facts) -> Facts:
    """What is known of the same incident at a later stage."""
    recovered, resolved = NOW + timedelta(minutes=20), NOW + timedelta(minutes=40)
    match stage:
        case Stage.INVESTIGATING | Stage.IDENTIFIED:
            return replace(facts, stage=stage)
        case Stage.MONITORING:
            return replace(facts, stage=stage, recovered_at=recovered)
        case Stage.RESOLVED:
            return replace(facts, stage=stage, recovered_at=recovered, resolved_at=resolved, next_update_at=None)


def _wrong(template: str, role: Role, notice: Notice, language: str, channels: tuple[str, ...]) -> Iterator[str]:
    for facts in cases(notice):
        for channel in (SUPPORT,) if notice is Notice.SUPPORT else channels:
            try:
                text = render(template, facts, role=role, channel=channel, language=language)
            except WordingError as error:
                yield str(error)
                continue
            found = lint(
                text, role=role, stage=facts.stage, channel=channel, facts=facts, notice=notice, language=language
            )
            yield from (f"{problem.rule}: {problem.message}" for problem in found if problem.level == "error")
