"""What is observed. These types are the wire format of the journal (docs/journal.md): JSON Lines by `kind`.

Amounts are decimal strings in whole coins, times RFC 3339 UTC, network names ours; the exchange's own word is `raw`.
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from monitor.model.judging import Judging
from monitor.model.people import PersonRole
from monitor.model.words import (
    DeliveryOutcome,
    Direction,
    ExchangeState,
    FailureReason,
    RailState,
    Source,
    Stage,
    Verb,
)


class Observed(Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What every journal line has. `exchange` is "" for what concerns the world and not one exchange."""

    at: datetime  # when the probe saw it
    exchange: str = ""
    probe: str
    vantage: str = "local"


class RailStatus(Observed, frozen=True, kw_only=True, tag="rail_status"):
    asset: str
    network: str
    direction: Direction
    state: RailState
    raw: str  # the exchange's own word
    source: Source = Source.API


class ListRead(Observed, frozen=True, kw_only=True, tag="list_read"):
    """A probe read its whole list; every rail not in this reading's `rail_status` lines is as it was.

    `complete`: all of it was told, as after a start, so that what is not told is not listed. `flaws`: rows of it that
    could not be read. Both are None in journals that do not know them.
    """

    rails: int
    changed: int
    complete: bool | None = None
    flaws: int | None = None


class RailTerms(Observed, frozen=True, kw_only=True, tag="rail_terms"):
    asset: str
    network: str
    fee: Decimal | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    remaining: Decimal | None = None
    confirmations: int | None = None


class SystemStatus(Observed, frozen=True, kw_only=True, tag="system_status"):
    component: Literal["withdrawals", "deposits", "trading", "all"]
    state: Literal["operational", "degraded", "maintenance", "outage"]
    raw: str
    source: Source = Source.SYSTEM_STATUS


class TradeActivity(Observed, frozen=True, kw_only=True, tag="trade_activity"):
    market: str
    newest_trade_at: datetime
    price: Decimal


class WalletActivity(Observed, frozen=True, kw_only=True, tag="wallet_activity"):
    """Outgoing transactions since the last reading. A stream is (exchange, network, probe, wallet)."""

    network: str
    wallet: str | None = None  # label in the address book; None is all of the network
    outgoing: int
    amount: Decimal | None = None  # coins sent
    last_at: datetime | None = None  # newest outgoing
    window_seconds: float
    coverage: float  # 0..1
    head_age_seconds: float | None = None


class WalletUsage(Observed, frozen=True, kw_only=True, tag="wallet_usage"):
    """What one address sent on a day so far (UTC); a later one of the same day replaces it. Roles are told by these."""

    network: str
    address: str
    day: datetime  # its first moment
    outgoing: int
    last_at: datetime  # newest outgoing


class WithdrawalQueue(Observed, frozen=True, kw_only=True, tag="withdrawal_queue"):
    """The operator's own truth."""

    asset: str
    network: str
    requested: int
    broadcast: int
    pending: int
    oldest_seconds: float | None = None
    window_seconds: float


class ReserveBalance(Observed, frozen=True, kw_only=True, tag="reserve_balance"):
    """`role` is None for all wallets together; with one, it is the part of that total which such wallets hold."""

    asset: str
    network: str
    role: Literal["hot", "cold"] | None = None
    amount: Decimal
    height: int
    wallets: int
    wallets_read: int


class PublishedReserve(Observed, frozen=True, kw_only=True, tag="published_reserve"):
    asset: str
    amount: Decimal
    as_of: datetime
    source: str


class Exposure(Observed, frozen=True, kw_only=True, tag="exposure"):
    """What the user holds at the exchange. The newest reading of a probe counts, whole: what it leaves out is gone."""

    asset: str
    amount: Decimal


class Statement(Observed, frozen=True, kw_only=True, tag="statement"):
    """The exchange's own words, recognised (`stage`, `topic`) or not (None)."""

    stage: Stage | None = None
    text: str
    url: str | None = None
    published_at: datetime
    source: Source = Source.STATUS_PAGE
    topic: Literal["suspended", "resumed", "delayed", "maintenance"] | None = None  # of withdrawals


class MaintenanceWindow(Observed, frozen=True, kw_only=True, tag="maintenance_window"):
    starts_at: datetime
    ends_at: datetime
    scope: tuple[str, ...]
    source: Source = Source.STATUS_PAGE
    name: str = ""  # as a person calls it
    actor: str = ""  # who told it: a person, "configuration", or "" for a probe


class Flow(Observed, frozen=True, kw_only=True, tag="flow"):
    """What came into and left the known wallets as one set, in the blocks from `from_height` to `to_height`, both in.

    Counts, squares and maximum are of single payments to others, as a batch makes several. Fees are part of `outflow`:
    inflow - outflow is what the balance of the set changed by. What moved within the set is `internal` and in neither.
    """

    asset: str
    network: str
    window_seconds: float
    inflow: Decimal
    outflow: Decimal
    inflow_count: int | None = None
    outflow_count: int | None = None
    outflow_sum_of_squares: Decimal | None = None
    outflow_max: Decimal | None = None
    internal: Decimal | None = None
    from_height: int | None = None
    to_height: int | None = None
    block_hash: str | None = None
    cold_outflow: Decimal | None = None
    unlabelled_outflow: Decimal | None = None


class Reorg(Observed, frozen=True, kw_only=True, tag="reorg"):
    """Takes back what this probe told of the blocks from `from_height` on."""

    network: str
    from_height: int
    old_hash: str
    new_hash: str


class ChainState(Observed, frozen=True, kw_only=True, tag="chain_state"):
    """Of the world: a chain without new blocks pays nobody, and that is no exchange's doing."""

    network: str
    state: Literal["moving", "stalled"]
    height: int


class Price(Observed, frozen=True, kw_only=True, tag="price"):
    asset: str
    usd: Decimal
    source: str


class Mentions(Observed, frozen=True, kw_only=True, tag="mentions"):
    query: str
    count: int
    window_seconds: float


class WithdrawalSample(Observed, frozen=True, kw_only=True, tag="withdrawal_sample"):
    asset: str
    network: str
    state: Literal["pending", "sent", "confirmed", "failed", "frozen"]
    elapsed_seconds: float


class ProbeFailure(Observed, frozen=True, kw_only=True, tag="probe_failure"):
    """We could not look. It is neither "fine" nor "halted". With an asset: at this part of what was read."""

    reason: FailureReason
    detail: str
    asset: str | None = None
    network: str | None = None  # None with an asset: at a row of it that was not known before


class Control(Observed, frozen=True, kw_only=True, tag="control"):
    """Can this vantage see at all?"""

    ok: bool
    targets: int
    targets_ok: int
    hosts: int = 0
    hosts_failing: int = 0


class FreezeActivated(Observed, frozen=True, kw_only=True, tag="freeze_activated"):
    """Users of the exchange froze their own withdrawals; of whom, nothing is known here.

    Where the gate's `total` is told, what was activated is its growth, so that a restart counts nothing twice.
    """

    count: int  # since the reading before
    until: datetime  # the latest end; that of the reading where nobody is frozen
    total: int | None = None  # activations since the gate's ledger began
    active: int | None = None  # accounts that are frozen


class Command(Observed, frozen=True, kw_only=True, tag="command"):
    """A person's word. `subject` is an incident or draft id, or "" where the verb needs none."""

    verb: Verb
    actor: str
    subject: str = ""
    arguments: dict[str, str] = {}
    text_sha256: str | None = None
    # The default is what journals from before there were roles hold: words of the machine's own user.
    role: PersonRole = PersonRole.ADMIN


class Delivery(Observed, frozen=True, kw_only=True, tag="delivery"):
    draft: str
    channel: str
    outcome: DeliveryOutcome
    remote_id: str | None = None
    until: datetime | None = None
    reason: str = ""  # why it was not posted, or why nobody knows
    searched: bool = False  # the channel was looked through for it: what is said here was found, not answered


class ConfigApplied(Observed, frozen=True, kw_only=True, tag="config_applied"):
    config: Judging
    sha256: str


class Tick(Observed, frozen=True, kw_only=True, tag="tick"):
    pass


class Verdict(Observed, frozen=True, kw_only=True, tag="verdict"):
    """An engine's word on its exchange. Always derived: one found in a journal is compared, never applied."""

    withdrawals: ExchangeState
    networks_off: tuple[str, ...] = ()
    weight_off: float = 0.0


class EntryRefused(Observed, frozen=True, kw_only=True, tag="entry_refused"):
    """The engine of `exchange` raised on entry `seq` and goes on without it."""

    seq: int
    reason: str


Observation = (
    RailStatus
    | ListRead
    | RailTerms
    | SystemStatus
    | TradeActivity
    | WalletActivity
    | WithdrawalQueue
    | ReserveBalance
    | PublishedReserve
    | Exposure
    | Statement
    | MaintenanceWindow
    | Flow
    | Reorg
    | ChainState
    | Price
    | Mentions
    | WithdrawalSample
    | ProbeFailure
    | Control
    | FreezeActivated
    | Command
    | Delivery
    | ConfigApplied
    | Tick
    | Verdict
    | EntryRefused
    | WalletUsage
)

Reading = tuple[Observation, ...]
"""All observations of one probe, vantage and `at`, its `list_read` last: the unit of queueing and appending."""


class Entry(Struct, frozen=True):
    """An observation at its place in the journal."""

    seq: int
    observation: Observation
