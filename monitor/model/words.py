"""The words of the house: one a thing, as enums and small values."""

from enum import StrEnum

from msgspec import Struct


class Role(StrEnum):
    OBSERVER = "observer"
    OPERATOR = "operator"


class Direction(StrEnum):
    WITHDRAWAL = "withdrawal"
    DEPOSIT = "deposit"


class RailState(StrEnum):
    """What a source says of a rail. What we hold of it is a `RailVerdict`."""

    OPEN = "open"
    DELAYED = "delayed"
    SUSPENDED = "suspended"
    MAINTENANCE = "maintenance"
    UNLISTED = "unlisted"


class RailVerdict(StrEnum):
    OPEN = "open"
    DELAYED = "delayed"
    SUSPENDED = "suspended"
    MAINTENANCE = "maintenance"
    UNLISTED = "unlisted"
    DISPUTED = "disputed"
    UNKNOWN = "unknown"


class ExchangeState(StrEnum):
    """Withdrawals of a whole exchange."""

    OPERATIONAL = "operational"
    DEGRADED = "degraded"
    HALTED = "halted"
    UNKNOWN = "unknown"


class Source(StrEnum):
    """Where a statement about a rail comes from, best rank first."""

    API = "api"
    SYSTEM_STATUS = "system_status"
    STATUS_PAGE = "status_page"
    ANNOUNCEMENT = "announcement"
    PERSON = "person"  # told by one of us, by configuration or command; never of a rail


class FailureReason(StrEnum):
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    DNS = "dns"
    TLS = "tls"
    HTTP_4XX = "http_4xx"
    HTTP_5XX = "http_5xx"
    RATE_LIMITED = "rate_limited"
    BLOCKED = "blocked"
    AUTH = "auth"
    SCHEMA = "schema"
    ENCODING = "encoding"
    SHAPE = "shape"
    STALE = "stale"
    LAG = "lag"
    WRONG_CHAIN = "wrong_chain"
    DISAGREEMENT = "disagreement"
    TOO_LARGE = "too_large"
    BUG = "bug"


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class IncidentKind(StrEnum):
    WITHDRAWAL_HALT = "withdrawal_halt"
    BANK_RUN = "bank_run"
    SUSPECTED_EXPLOIT = "suspected_exploit"
    SLOW_BLEED = "slow_bleed"
    RUNWAY_LOW = "runway_low"
    EXPOSURE_STUCK = "exposure_stuck"
    POST_UNKNOWN = "post_unknown"
    DRAFT_WAITING = "draft_waiting"
    UPDATE_DUE = "update_due"
    BLIND = "blind"
    RAIL_SUSPENDED = "rail_suspended"
    WITHDRAWALS_DEGRADED = "withdrawals_degraded"
    DRIP = "drip"
    OUTFLOW_SPIKE = "outflow_spike"
    UNCONFIRMED_MOVE = "unconfirmed_move"
    NETWORK_INCIDENT = "network_incident"
    TERMS_TIGHTENED = "terms_tightened"
    FREEZE_SURGE = "freeze_surge"
    CAMPAIGN = "campaign"
    MAINTENANCE = "maintenance"


class Stage(StrEnum):
    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"


class Notice(StrEnum):
    """What a draft is. The first four are those of the stages."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    MAINTENANCE = "maintenance"
    REOPENED = "reopened"  # after it was said in public that it is over
    CORRECTION = "correction"  # what was said turned out untrue
    RESERVES_STATEMENT = "reserves_statement"
    SUPPORT = "support"  # the answer for those who answer users; no channel publishes it


class Sentence(StrEnum):
    """What a text says beside the facts, if the configuration asks for it."""

    CHECK_ADDRESS = "check_address"
    SELF_CUSTODY = "self_custody"


class Change(StrEnum):
    """What happened to an incident."""

    OPENED = "opened"
    UPDATED = "updated"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    RETRACTED = "retracted"  # it was a false alarm


class Verb(StrEnum):
    """What a person can ask of the running daemon."""

    ACKNOWLEDGE = "acknowledge"
    IDENTIFY = "identify"
    NOTE = "note"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    RETRACT = "retract"  # it was a false alarm
    MAINTAIN = "maintain"
    END_MAINTENANCE = "end_maintenance"
    SILENCE = "silence"
    EXPIRE_SILENCE = "expire_silence"
    DRILL = "drill"  # begin a test incident
    END_DRILL = "end_drill"
    EDIT = "edit"
    APPROVE = "approve"
    REJECT = "reject"
    RETRY = "retry"
    HOLD = "hold"
    RELEASE = "release"
    BREAK_GLASS = "break_glass"  # approve alone where two are asked for
    SIGN = "sign"
    REVOKE = "revoke"


class DraftState(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    POSTED = "posted"
    REJECTED = "rejected"  # by a person
    REFUSED = "refused"  # by the channel
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    UNKNOWN_OUTCOME = "unknown_outcome"


class DeliveryOutcome(StrEnum):
    POSTED = "posted"
    REJECTED = "rejected"
    RATE_LIMITED = "rate_limited"
    UNKNOWN_OUTCOME = "unknown_outcome"


SUPPORT = "support"
"""In place of a channel: the draft is an answer for those who answer users."""


class RemoteError(Exception):
    """The world misbehaved. `reason` is what becomes of it in the journal; nothing was learned.

    `permanent`: asking again leads to the same. `unsent`: nothing of what we had to say has left us.
    """

    def __init__(self, reason: FailureReason, detail: str, *, permanent: bool = False, unsent: bool = False) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.permanent = permanent
        self.unsent = unsent


class Rail(Struct, frozen=True, order=True, array_like=True):
    """A way out of an exchange: one asset on one network. `*` is a source's "I know only the asset"."""

    asset: str
    network: str

    def __str__(self) -> str:
        return f"{self.asset}@{self.network}"


OTHER_NETWORKS = ("bitcoin", "litecoin", "dogecoin", "tron", "solana", "xrp")
"""The networks we can read that are no EVM chains."""
