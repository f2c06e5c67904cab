"""What a scenario is made of: what was published, what is assumed, and the events that follow from both.

A scenario is a reconstruction. Only what a claim gives is fact; every rate, size and delay without one is assumed, and
stands in `assumed` in words. Amounts are whole coins, times aware and UTC.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from monitor.model import Rail, RailState
from monitor.replay.truth import Event as Happened

LEARNING = timedelta(weeks=4)


class Claim(Struct, frozen=True, kw_only=True):
    """Something that was published, in our words."""

    what: str
    source: str
    url: str = ""
    published: date | None = None  # None: the source gives no date


class Chain(Struct, frozen=True, kw_only=True):
    """A network as the exchange uses it on an ordinary day. All of it is assumed, but for a reserve with a claim."""

    network: str
    asset: str
    payments: float  # outgoing transactions a minute, the mean over a week
    typical: Decimal  # median coins of one
    block_seconds: float | None = None  # mean time between blocks, where readings come with them; None: every minute
    reserve: Decimal | None = None  # coins held when the story begins; None: neither reserves nor flows are read


class Pace(Struct, frozen=True, kw_only=True, tag_field="what", tag=str.lower):
    """Payments against the usual rate, on some networks or on all."""

    start: datetime
    end: datetime
    factor: float
    networks: tuple[str, ...] = ()  # none: all
    largest: Decimal | None = None  # no payment is larger than this


class Rush(Struct, frozen=True, kw_only=True, tag_field="what", tag=str.lower):
    """Coins that move on top of the usual, evenly over the time and in transactions of one size."""

    start: datetime
    end: datetime
    network: str
    way: Literal["in", "out"]
    coins: Decimal
    transactions: int


class Move(Struct, frozen=True, kw_only=True, tag_field="what", tag=str.lower):
    """One transfer: to an address that is on nobody's list, or `internal` to one of the exchange."""

    at: datetime
    network: str
    coins: Decimal
    cold: bool = False
    internal: bool = False


class Flags(Struct, frozen=True, kw_only=True, tag_field="what", tag=str.lower):
    """What the exchange's own list says of some rails from then on, or of all."""

    at: datetime
    state: RailState
    rails: tuple[Rail, ...] = ()  # none: all


class Words(Struct, frozen=True, kw_only=True, tag_field="what", tag=str.lower):
    """What the exchange said, in the words that were published; `...` where only parts of them were."""

    at: datetime
    text: str
    topic: Literal["suspended", "resumed", "delayed", "maintenance"] | None = None
    url: str | None = None


class Talk(Struct, frozen=True, kw_only=True, tag_field="what", tag=str.lower):
    """Mentions against the usual number."""

    start: datetime
    end: datetime
    factor: float


Event = Pace | Rush | Move | Flags | Words | Talk


class Scenario(Struct, frozen=True, kw_only=True):
    """A story of one exchange. Before `begins` everything is ordinary, for `LEARNING`."""

    name: str  # the day it begins, and a word
    title: str
    exchange: str
    begins: datetime
    ends: datetime
    claims: tuple[Claim, ...]
    assumed: tuple[str, ...]
    chains: tuple[Chain, ...]
    events: tuple[Event, ...]
    truth: tuple[Happened, ...]
    rails: tuple[Rail, ...] = ()  # of the exchange's list, read from a day before; none: nobody reads it
    mentions: float | None = None  # usual number in five minutes; None: nobody counts them
