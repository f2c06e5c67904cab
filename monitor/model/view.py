"""What is shown: projections that the store keeps and pages, API and metrics read."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from monitor.model.silence import Silence
from monitor.model.words import Direction, ExchangeState, RailVerdict


class RailView(Struct, frozen=True, kw_only=True):
    asset: str
    network: str
    direction: Direction
    verdict: RailVerdict
    since: datetime | None  # None: it was so when we first looked
    first_read_at: datetime | None
    source: str
    raw: str
    read_at: datetime | None
    weight: float = 0.0  # 0: not watched
    reason: str = ""  # why it is unknown, or counts as off although it is open
    probe: str = ""  # whose word it is


class NetworkView(Struct, frozen=True, kw_only=True):
    """A network's payments as the chain shows them."""

    network: str
    last_outgoing_at: datetime | None
    outgoing_total: int
    head_age_seconds: float | None
    read_at: datetime
    learned_seconds: float
    silence_score: float


class ProbeView(Struct, frozen=True, kw_only=True):
    probe: str
    last_success_at: datetime | None
    failing_since: datetime | None
    reason: str = ""
    detail: str = ""
    unread: int = 0  # rows of its list that cannot be read
    unread_detail: str = ""  # the first of them, and why


class BalanceView(Struct, frozen=True, kw_only=True):
    """One asset on one network, of the addresses we know. Amounts are coins; None is not known."""

    asset: str
    network: str
    amount: Decimal
    read_at: datetime
    wallets: int
    wallets_read: int
    height: int | None = None
    usd: Decimal | None = None  # worth of `amount`
    hot: Decimal | None = None  # of it in hot wallets, as of `hot_read_at`
    hot_read_at: datetime | None = None
    cold: Decimal | None = None
    change_1h: Decimal | None = None
    change_24h: Decimal | None = None
    change_7d: Decimal | None = None
    inflow_1h: Decimal | None = None
    outflow_1h: Decimal | None = None
    inflow_24h: Decimal | None = None
    outflow_24h: Decimal | None = None
    flows_since: datetime | None = None  # from when on its flows are known without a gap
    runway_seconds: float | None = None  # how long the hot wallets last at the outflow of the last hour


class FlowView(Struct, frozen=True, kw_only=True):
    """Coins seen to come and leave since an asset is watched on a network; a reorg takes some of them back."""

    asset: str
    network: str
    inflow_total: float
    outflow_total: float
    read_at: datetime


class CoverageView(Struct, frozen=True, kw_only=True):
    """What we see of an asset, beside what the exchange says it holds."""

    asset: str
    ours: Decimal
    published: Decimal
    as_of: datetime
    source: str


class ReservesView(Struct, frozen=True, kw_only=True):
    """What the known addresses hold together. Every sum is of what could be priced, at the prices of now."""

    usd: Decimal
    unpriced: tuple[str, ...] = ()  # assets held that have no price now
    unread: int = 0  # wallets that could not be read
    own_tokens_usd: Decimal = Decimal(0)  # of `usd`, in tokens that the exchange issued itself
    change_1h_usd: Decimal | None = None  # of the coins, at the prices of now: a price move is no change
    change_24h_usd: Decimal | None = None
    change_7d_usd: Decimal | None = None
    net_flow_24h_usd: Decimal | None = None
    coverage: tuple[CoverageView, ...] = ()
    priced_at: datetime | None = None  # the oldest price in it


class WayView(Struct, frozen=True, kw_only=True):
    """One network by which an exposure can leave, or not."""

    network: str
    verdict: RailVerdict
    since: datetime | None
    limit: Decimal | None = None  # coins that can leave by it now; None: no limit is known
    why: str = ""  # what limits it: "the hot wallet holds 3,100 ETH", "at most 500 a day"


class ExposureView(Struct, frozen=True, kw_only=True):
    """What the user holds of one asset: amount == withdrawable + stuck + unknown, in coins."""

    asset: str
    amount: Decimal
    told_at: datetime
    withdrawable: Decimal
    stuck: Decimal
    unknown: Decimal
    usd: Decimal | None = None  # worth of `amount`
    ways: tuple[WayView, ...] = ()
    hot: Decimal | None = None  # in the exchange's hot wallets, on the networks that are open


class WindowView(Struct, frozen=True, kw_only=True):
    """Maintenance that was announced: it is under way, or to come."""

    starts_at: datetime
    ends_at: datetime
    scope: tuple[str, ...]  # "asset@network" ..., or "*"
    source: str
    id: str = ""
    name: str = ""
    actor: str = ""  # who told it; "" is a probe


class SampleView(Struct, frozen=True, kw_only=True):
    """The withdrawals of the operator's own account on one rail, as one probe tells them."""

    probe: str
    asset: str
    network: str
    read_at: datetime
    pending: int
    oldest_seconds: float | None  # of those that are pending
    frozen: bool  # they wait because the account's owner froze it
    took_seconds: float | None  # the last one that left, from request to transaction
    took_at: datetime | None
    failed_24h: int


class StatisticState(StrEnum):
    LEARNING = "learning"
    QUIET = "quiet"
    SUSPICIOUS = "suspicious"  # shown and measured; opens nothing
    FIRING = "firing"
    UNKNOWN = "unknown"  # nothing is read that it could be reckoned from


class StatisticView(Struct, frozen=True, kw_only=True):
    """One statistic of a detector as it stands, and what would make it fire."""

    detector: str  # "silence", "outflow", "campaign", ...
    subject: str  # what it is about: "*" for the exchange, "bitcoin", "BTC@bitcoin 24h"
    state: StatisticState
    value: float | None = None
    threshold: float | None = None  # fires from here on
    observed: float | None = None  # what was counted, in `unit`
    expected: float | None = None  # what is usual, in `unit`
    unit: str = ""  # "transactions a minute", "BTC in 24 h"
    words: str  # a sentence for a tired person: what it is, and what would fire


class HoldView(Struct, frozen=True, kw_only=True):
    """Who holds all publishing, since when and why."""

    actor: str
    at: datetime
    reason: str = ""


class FreezesView(Struct, frozen=True, kw_only=True):
    """How many users have frozen their own withdrawals, as of `read_at`. Of whom, nothing is known."""

    active: int | None
    activations_total: int
    latest_until: datetime
    read_at: datetime


class ExchangeView(Struct, frozen=True, kw_only=True):
    """Everything a face shows of one exchange, as of `at`. `exchange` is "" for the world."""

    exchange: str
    at: datetime
    withdrawals: ExchangeState
    since: datetime | None
    reason: str  # why, in a person's words
    rails: tuple[RailView, ...] = ()  # watched ones
    counts: dict[str, dict[str, int]] = {}  # direction -> verdict -> rails of the whole list
    newly_off_24h: int = 0
    weight_off: float = 0.0
    networks: tuple[NetworkView, ...] = ()
    paid_5m: int | None = None
    last_trade_at: datetime | None = None
    trading: str = ""
    statement: str = ""
    statement_at: datetime | None = None
    probes: tuple[ProbeView, ...] = ()
    silence_score: float = 0.0
    silence_threshold: float = 0.0
    silence_note: str = ""  # "learning, 25 min of 6 h", "watch: ethereum", ...
    balances: tuple[BalanceView, ...] = ()
    blind: bool = False
    held: bool = False
    title: str = ""  # its name as people write it
    retired: bool = False  # the configuration no longer names it
    windows: tuple[WindowView, ...] = ()  # the next one first
    hold: HoldView | None = None  # of the world, while publishing is held
    silences: tuple[Silence, ...] = ()  # of the world: those that are active, oldest first
    called_off: tuple[str, ...] = ()  # windows that a person ended, until they would have ended
    samples: tuple[SampleView, ...] = ()
    reserves: ReservesView | None = None
    exposures: tuple[ExposureView, ...] = ()
    valid_until: datetime | None = None  # past it, this view says nothing of now
    stalled: tuple[str, ...] = ()  # networks without new blocks
    usd: dict[str, Decimal] = {}  # price of what it holds or the user does
    flows: tuple[FlowView, ...] = ()
    statistics: tuple[StatisticView, ...] = ()  # of every detector that keeps one
    freezes: FreezesView | None = None  # users' own withdrawal freezes, where the exchange's gate is read
