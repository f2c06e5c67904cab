"""What a text may say of an incident, and its words: the scope, the times, names that others chose."""

import re
import unicodedata
from datetime import UTC, date, datetime

from msgspec import Struct

from monitor.model import Evidence, IncidentKind, Stage
from monitor.notices.weight import weighted_length

EVERYTHING = "*"
ALL_WITHDRAWALS = "all withdrawals"
NAMED_ASSETS = 3
NAMED_NETWORKS = 2
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_IN_A_NAME = " -+&'_."
_TITLE_WEIGHT = 24
_NAME_WEIGHT = 64


class Facts(Struct, frozen=True, kw_only=True):
    """All that a draft may rest on. Times are UTC; `scope` is rails "asset@network", or "*"."""

    exchange: str
    title: str  # the exchange's name as people write it
    kind: IncidentKind
    stage: Stage
    scope: tuple[str, ...]
    since: datetime | None  # None: it was so when we first looked
    detected_at: datetime
    recovered_at: datetime | None = None
    resolved_at: datetime | None = None
    official_at: datetime | None = None  # first official word
    next_update_at: datetime | None = None
    trading_unaffected: bool = False  # measured, not assumed
    deposits_unaffected: bool = False
    evidence: tuple[Evidence, ...] = ()
    disputed: tuple[str, ...] = ()  # rails of the scope on which two lists of the exchange contradict each other
    sources: tuple[str, ...] = ()  # where it was seen, in order of arrival; the words of `Evidence.source`


def utc(at: datetime, *, day: date) -> str:
    """ "14:02 UTC" on `day`, "3 Feb 2026, 14:02 UTC" on another."""
    at = at.astimezone(UTC)
    clock = f"{at:%H:%M} UTC"
    return clock if at.date() == day else f"{at.day} {MONTHS[at.month - 1]} {at.year}, {clock}"


def plain(name: str, *, weight: int = _NAME_WEIGHT) -> str:
    """A name that others chose, without what a post would act on: links, mentions, cashtags, hidden characters.

    At most `weight` weighted characters; "" where nothing is left.
    """
    if name.isascii() and name.isalnum() and len(name) <= weight:
        return name
    kept = (char if char.isalnum() or char in _IN_A_NAME else " " for char in unicodedata.normalize("NFKC", name))
    unlinked = re.sub(r"\.(?=\w{2})", " ", "".join(kept))
    cut = _trim(unlinked)[:weight]
    while weighted_length(cut) > weight:
        cut = cut[:-1]
    return _trim(cut)


def title_of(facts: Facts) -> str:
    return plain(facts.title, weight=_TITLE_WEIGHT) or plain(facts.exchange, weight=_TITLE_WEIGHT) or "the exchange"


def assets_of(scope: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Asset -> its networks, both plain and in the order of `scope`; "*" is the network of a source that knows none."""
    networks: dict[str, tuple[str, ...]] = {}
    for rail in scope:
        asset, _, network = rail.partition("@")
        name = EVERYTHING if network == EVERYTHING else plain(network)
        networks[plain(asset)] = (*networks.get(plain(asset), ()), name)
    return networks


def namings(scope: tuple[str, ...]) -> tuple[str, ...]:
    """The withdrawals that a scope means, in words, from the fullest naming to the shortest.

    An asset is always named with its networks, because one of several being off is not the asset being off.
    """
    if EVERYTHING in scope:
        return (ALL_WITHDRAWALS,)
    assets = assets_of(scope)
    names = [_with_networks(asset, networks) for asset, networks in assets.items() if asset]
    shortest = f"withdrawals of {len(assets)} asset{_s(len(assets))}"
    if len(assets) == 1 and names:
        return (f"{names[0]} withdrawals", shortest)
    named = (_listed(names[:count], total=len(assets)) for count in range(min(NAMED_ASSETS, len(names)), 0, -1))
    return (*(f"withdrawals of {words}" for words in named), shortest)


def _with_networks(asset: str, networks: tuple[str, ...]) -> str:
    if EVERYTHING in networks or "" in networks:
        return asset
    if len(networks) > NAMED_NETWORKS:
        return f"{asset} ({len(networks)} networks)"
    return f"{asset} ({', '.join(networks)})"


def _listed(names: list[str], *, total: int) -> str:
    more = total - len(names)
    if more:
        return f"{', '.join(names)} and {more} more asset{_s(more)}"
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _trim(name: str) -> str:
    return " ".join(name.split()).strip(_IN_A_NAME)
