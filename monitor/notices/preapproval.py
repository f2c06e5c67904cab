"""Texts signed by day, with slots that facts fill at night: a slot takes a name or a UTC time and nothing else."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from monitor.model import Covered, Draft, IncidentKind, PreApproval, Role, Stage
from monitor.notices.draft import reworded, sha256
from monitor.notices.facts import EVERYTHING, Facts, assets_of
from monitor.notices.languages import shown_at
from monitor.notices.lint import lint
from monitor.notices.templates import is_about_money, speaks

KINDS = tuple(
    kind for kind in IncidentKind if speaks(kind) and not is_about_money(kind) and kind is not IncidentKind.MAINTENANCE
)
"""Of incidents that are first spoken of as something that is looked into."""
LONGEST = 2_000  # characters of a text
_TIME = r"(?:[1-9]\d? [A-Z][a-z]{2} \d{4}, )?(?:[01]\d|2[0-3]):[0-5]\d UTC"
SHAPES: Mapping[str, re.Pattern[str]] = {
    "asset": re.compile(r"[A-Z0-9]{1,12}(?:\.[A-Za-z]{1,4})?", re.ASCII),
    "network": re.compile(r"[a-z0-9][a-z0-9-]{1,31}", re.ASCII),
    "since": re.compile(_TIME, re.ASCII),
    "next_update": re.compile(_TIME, re.ASCII),
}
"""Slot -> what may stand there."""

_SLOT = re.compile(r"\{([^{}]*)\}")
_RAIL = re.compile(r"\*|[A-Z0-9.]{1,20}@(?:\*|[a-z0-9-]{1,32})", re.ASCII)
_AT = datetime(2026, 2, 3, 2, 19, tzinfo=UTC)


class Wish(Struct, frozen=True, kw_only=True):
    """What somebody wants to sign."""

    text: str
    kinds: tuple[IncidentKind, ...]
    rails: tuple[str, ...]
    expires_at: datetime


class UnfitError(Exception):
    """A signed text cannot be said of an incident; says why."""


class SlotError(UnfitError):
    """The facts do not fill a slot; says which and why."""


def flaws(wish: Wish, *, role: Role) -> list[str]:
    """Why a text cannot be signed as it is."""
    found = [f"the kind {kind} has no first text" for kind in wish.kinds if kind not in KINDS]
    found += [f"'{rail}' is not a rail such as USDT@tron, USDT@* or *" for rail in wish.rails if not _is_rail(rail)]
    found += [f"there is no slot {{{slot}}}: they are {', '.join(SHAPES)}" for slot in _unknown(wish.text)]
    if not wish.kinds or not wish.rails:
        found.append("a signature needs kinds of incidents and rails that it is for")
    if len(wish.text) > LONGEST:
        found.append(f"{len(wish.text)} characters, and {LONGEST} are the most")
    if not found:
        found += _unlawful(wish, role)
    return found


def filled(text: str, facts: Facts) -> str:
    """The text with its slots filled by facts. Raises SlotError."""
    return _SLOT.sub(lambda found: _value(found[1], facts), text)


def worded(draft: Draft, facts: Facts, signed: Iterable[PreApproval], *, now: datetime, required: int) -> Draft:
    """The draft in the first words signed for such an incident that may be said of it, or as it is."""
    for each in signed:
        try:
            return covered(draft, facts, each, now=now, required=required)
        except UnfitError:
            continue
    return draft


def covered(draft: Draft, facts: Facts, signed: PreApproval, *, now: datetime, required: int) -> Draft:
    """The draft in these words and no others. Raises UnfitError with what speaks against that, SlotError among it."""
    why = lapsed(signed, now=now, required=required) or _beyond(signed, facts)
    if why is not None:
        raise UnfitError(why)
    told = reworded(draft, text=filled(signed.text, facts), facts=facts, now=now)
    broken = dict.fromkeys(problem.rule for problem in told.problems if problem.level == "error")
    if broken:
        raise UnfitError(f"said now it would break the rules {', '.join(broken)}")
    return replace(told, covered=Covered(preapproval=signed.id, text_sha256=told.text_sha256))


def lapsed(signed: PreApproval, *, now: datetime, required: int) -> str | None:
    """Why a signature does not hold any more, or not yet; None when it does."""
    if signed.revoked_at is not None:
        return f"{signed.id} was revoked by {signed.revoked_by} at {signed.revoked_at:%Y-%m-%d %H:%M} UTC"
    if now >= signed.expires_at:
        return f"{signed.id} expired at {signed.expires_at:%Y-%m-%d %H:%M} UTC"
    signers = dict.fromkeys(each.by for each in signed.signatures)
    if len(signers) < required:
        return f"{signed.id} has {len(signers)} of {required} signatures"
    return None


def holds_for(draft: Draft, signed: Mapping[str, PreApproval], *, now: datetime, required: int) -> str | None:
    """Why a draft cannot go out as a text signed beforehand; None when it can."""
    covered = draft.covered
    if covered is None:
        return "the text was not signed beforehand"
    if covered.text_sha256 != sha256(draft.text):
        return "the text was changed after it was found to be a signed one"
    if covered.preapproval not in signed:
        return f"{covered.preapproval} is not known any more"
    return lapsed(signed[covered.preapproval], now=now, required=required)


def _beyond(signed: PreApproval, facts: Facts) -> str | None:
    if facts.stage is not Stage.INVESTIGATING:
        return f"{signed.id} is for the first text of an incident, and this one is {facts.stage}"
    if facts.exchange != signed.exchange:
        return f"{signed.id} is for {signed.exchange}"
    if facts.kind not in signed.kinds:
        return f"{signed.id} is not for {facts.kind}"
    outside = [rail for rail in facts.scope if not any(_takes(pattern, rail) for pattern in signed.rails)]
    return f"{signed.id} is not for {', '.join(outside)}" if outside else None


def _takes(pattern: str, rail: str) -> bool:
    if pattern in (EVERYTHING, rail):
        return True
    asset, _, network = pattern.partition("@")
    return network == EVERYTHING and rail.startswith(f"{asset}@")


def _value(slot: str, facts: Facts) -> str:
    if slot not in SHAPES:
        raise SlotError(f"there is no slot {{{slot}}}")
    value = _told(slot, facts)
    if SHAPES[slot].fullmatch(value) is None:
        raise SlotError(f"{value!r} is not what may stand for {{{slot}}}")
    return value


def _told(slot: str, facts: Facts) -> str:
    assets = assets_of(facts.scope)
    networks = dict.fromkeys(network for those in assets.values() for network in those)
    match slot:
        case "asset":
            return _only("asset", list(assets))
        case "network":
            return _only("network", list(networks))
        case "since":
            return _time("since", facts.since, facts)
        case _:
            return _time("next_update", facts.next_update_at, facts)


def _only(slot: str, names: list[str]) -> str:
    if len(names) != 1 or names[0] in (EVERYTHING, ""):
        raise SlotError(f"{{{slot}}} needs exactly one, and the incident is about {', '.join(names) or 'none'}")
    return names[0]


def _time(slot: str, at: datetime | None, facts: Facts) -> str:
    if at is None:
        raise SlotError(f"the time for {{{slot}}} is not known")
    return shown_at(at, day=facts.detected_at.astimezone(UTC).date())


def _unknown(text: str) -> list[str]:
    rest = _SLOT.sub("", text)
    odd = [char for char in "{}" if char in rest]
    return [slot for slot in dict.fromkeys(_SLOT.findall(text)) if slot not in SHAPES] + odd


def _is_rail(rail: str) -> bool:
    return _RAIL.fullmatch(rail) is not None


def _unlawful(wish: Wish, role: Role) -> list[str]:
    """What the linter has against the text with its slots filled."""
    facts = _sample(wish)
    try:
        text = filled(wish.text, facts)
    except SlotError as error:
        return [str(error)]
    problems = lint(text, role=role, stage=Stage.INVESTIGATING, channel="", facts=facts)
    return [f"{problem.rule}: {problem.message}" for problem in problems if problem.level == "error"]


def _sample(wish: Wish) -> Facts:
    """Facts in which everything that a text can claim is so: whether it is at night, the draft's own linter says."""
    has_names = "{asset}" in wish.text or "{network}" in wish.text
    return Facts(
        exchange="exchange",
        title="Exchange",
        kind=wish.kinds[0],
        stage=Stage.INVESTIGATING,
        scope=("USDT@tron",) if has_names else (EVERYTHING,),
        since=_AT,
        detected_at=_AT,
        next_update_at=_AT.replace(hour=3),
        trading_unaffected=True,
        deposits_unaffected=True,
    )
