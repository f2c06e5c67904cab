"""What a text may say of an incident, and its words: the scope, the times, names that others chose."""

import re
import unicodedata
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from monitor.model import Evidence, IncidentKind, Notice, Stage
from monitor.notices.languages import ENGLISH, Language, language_of
from monitor.notices.weight import weighted_length

EVERYTHING = "*"
NAMED_ASSETS = 3
NAMED_NETWORKS = 2
_IN_A_NAME = " -+&'_."
_TITLE_WEIGHT = 24
_NAME_WEIGHT = 64


class Moved(Struct, frozen=True, kw_only=True):
    """What came into and left the known wallets, whole: in coins of `asset`, or in dollars where that is "USD"."""

    asset: str
    received: Decimal
    sent: Decimal


class Money(Struct, frozen=True, kw_only=True):
    """All that moved from `since` to `until`."""

    since: datetime
    until: datetime
    moved: tuple[Moved, ...]  # the largest first


class Facts(Struct, frozen=True, kw_only=True):
    """All that a draft may rest on. Times are UTC; `scope` is rails "asset@network", or "*"."""

    exchange: str
    title: str  # the exchange's name as people write it
    kind: IncidentKind
    stage: Stage
    scope: tuple[str, ...]
    since: datetime | None  # None: it was so when we first looked
    detected_at: datetime
    notice: Notice | None = None  # None: that of the stage
    recovered_at: datetime | None = None
    resolved_at: datetime | None = None
    official_at: datetime | None = None  # first official word
    next_update_at: datetime | None = None
    trading_unaffected: bool = False  # measured, not assumed
    deposits_unaffected: bool = False
    evidence: tuple[Evidence, ...] = ()
    disputed: tuple[str, ...] = ()  # rails of the scope on which two lists of the exchange contradict each other
    sources: tuple[str, ...] = ()  # where it was seen, in order of arrival; the words of `Evidence.source`
    corrected_at: datetime | None = None  # when the text was posted that a correction is about
    is_retracted: bool = False  # a person said that it was a false alarm
    starts_at: datetime | None = None  # of the maintenance that was announced
    ends_at: datetime | None = None
    money: Money | None = None
    page: str = ""  # where others reach our page
    treasury: str | None = None  # who confirmed for the treasury that funds are safe
    posted: tuple[str, ...] = ()  # texts that X had within the last 24 h


def notice_of(facts: Facts) -> Notice:
    return facts.notice or Notice(facts.stage)


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


def title_of(facts: Facts, *, language: str = ENGLISH) -> str:
    named = plain(facts.title, weight=_TITLE_WEIGHT) or plain(facts.exchange, weight=_TITLE_WEIGHT)
    return named or language_of(language).nobody


def assets_of(scope: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Asset -> its networks, both plain and in the order of `scope`; "*" is the network of a source that knows none."""
    networks: dict[str, tuple[str, ...]] = {}
    for rail in scope:
        asset, _, network = rail.partition("@")
        name = EVERYTHING if network == EVERYTHING else plain(network)
        networks[plain(asset)] = (*networks.get(plain(asset), ()), name)
    return networks


def namings(scope: tuple[str, ...], *, language: str = ENGLISH) -> tuple[str, ...]:
    """The withdrawals that a scope means, in words, from the fullest naming to the shortest.

    An asset is always named with its networks, because one of several being off is not the asset being off.
    """
    words = language_of(language)
    if EVERYTHING in scope:
        return (words.everything,)
    assets = assets_of(scope)
    names = [_with_networks(asset, networks, words) for asset, networks in assets.items() if asset]
    shortest = words.count(len(assets))
    if len(assets) == 1 and names:
        return (words.one(names[0]), shortest)
    counts = range(min(NAMED_ASSETS, len(names)), 0, -1)
    named = (_listed(names[:count], total=len(assets), words=words) for count in counts)
    return (*(words.several(listed) for listed in named), shortest)


def _with_networks(asset: str, networks: tuple[str, ...], words: Language) -> str:
    if EVERYTHING in networks or "" in networks:
        return asset
    if len(networks) > NAMED_NETWORKS:
        return words.networks(asset, len(networks))
    return words.on(asset, words.comma.join(networks))


def _listed(names: list[str], *, total: int, words: Language) -> str:
    more = total - len(names)
    if more:
        return words.more(words.comma.join(names), more)
    return f"{words.comma.join(names[:-1])}{words.and_}{names[-1]}"


def _trim(name: str) -> str:
    return " ".join(name.split()).strip(_IN_A_NAME)
