"""What is shown: projections that the store keeps and pages, API and metrics read."""

from datetime import datetime
from decimal import Decimal

from msgspec import Struct

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
    reason: str = ""  # why it is unknown
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
    asset: str
    network: str
    amount: Decimal
    read_at: datetime
    wallets: int
    wallets_read: int


class WindowView(Struct, frozen=True, kw_only=True):
    """Maintenance that was announced: it is under way, or to come."""

    starts_at: datetime
    ends_at: datetime
    scope: tuple[str, ...]  # "asset@network" ..., or "*"
    source: str


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
    samples: tuple[SampleView, ...] = ()
