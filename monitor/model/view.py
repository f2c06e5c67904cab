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


class BalanceView(Struct, frozen=True, kw_only=True):
    asset: str
    network: str
    amount: Decimal
    read_at: datetime
    wallets: int
    wallets_read: int


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
