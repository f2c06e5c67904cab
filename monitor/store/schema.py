"""The tables, valid on SQLite and PostgreSQL. Times are microseconds since 1970 UTC, bodies are MessagePack."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
)

HEAD = "0009"  # the newest of migrations/versions
VERSION_TABLE = "schema_version"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """Microseconds since 1970 UTC of an aware time, exactly."""
    return (at - _EPOCH) // _MICROSECOND


def moment(stored: int) -> datetime:
    """The UTC time of `microseconds`."""
    return _EPOCH + timedelta(microseconds=stored)


metadata = MetaData()

# Only INTEGER PRIMARY KEY is SQLite's own row key; under BIGINT every row would be found through a second index.
_row_key = BigInteger().with_variant(Integer(), "sqlite")

series = Table(
    "series",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("exchange", Text, nullable=False),
    Column("probe", Text, nullable=False),
    Column("vantage", Text, nullable=False),
    Column("keys", Text, nullable=False),
    UniqueConstraint("kind", "exchange", "probe", "vantage", "keys", name="series_identity"),
)

journal = Table(
    "journal",
    metadata,
    Column("seq", _row_key, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("series", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

outputs = Table(
    "outputs",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("exchange", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("incident", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("outputs_by_incident", "incident", "seq", "n"),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("exchange", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("severity", Text, nullable=False, server_default=""),
    Index("incidents_by_opening", "opened_at"),
)

drills = Table(
    "drills",
    metadata,
    Column("id", Text, primary_key=True),
    Column("exchange", Text, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("drills_by_opening", "opened_at"),
)

drill_pushes = Table(
    "drill_pushes",
    metadata,
    Column("drill", Text, primary_key=True),
    Column("url", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
)

drafts = Table(
    "drafts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("incident", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("drafts_by_creation", "created_at"),
    Index("drafts_by_incident", "incident", "channel"),
)

views = Table(
    "views",
    metadata,
    Column("exchange", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("draft", Text, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("text_sha256", Text, nullable=False),
    Column("not_before", BigInteger),
    Column("updated_at", BigInteger, nullable=False),
    Column("claimed_at", BigInteger),
    Column("searched", Boolean, nullable=False, server_default=false()),
)

holds = Table(
    "holds",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("held", Boolean, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("exchange", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", _row_key, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    Column("previous", LargeBinary, nullable=False),
)

closures = Table(
    "closures",
    metadata,
    Column("host", Text, primary_key=True),
    Column("port", Integer, primary_key=True, autoincrement=False),
    Column("reason", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("refusals", Integer, nullable=False),
)

pushes = Table(
    "pushes",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("until", BigInteger, nullable=False),
)

usages = Table(
    "usages",
    metadata,
    Column("network", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("day", BigInteger, primary_key=True, autoincrement=False),
    Column("exchange", Text, nullable=False),
    Column("outgoing", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("probe", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

answers = Table(
    "answers",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("status", Integer),
    Column("content_type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

preapprovals = Table(
    "preapprovals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("exchange", Text, nullable=False),
    Column("signed_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("password", Text, nullable=False),  # a hash of argon2; "" signs in by the proxy only
    Column("disabled", Boolean, nullable=False),
    Column("at", BigInteger, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),  # SHA-256 of the token, which nobody keeps but the device
    Column("id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Index("sessions_by_account", "account"),
)

guesses = Table(
    "guesses",
    metadata,
    Column("key", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
)

deeds = Table(
    "deeds",
    metadata,
    Column("n", _row_key, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("previous", LargeBinary, nullable=False),
)

notifications = Table(
    "notifications",
    metadata,
    Column("target", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("subject", Text, nullable=False),
    Column("happened", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("sent_at", BigInteger),
    Column("body", LargeBinary, nullable=False),
    Index("notifications_by_subject", "subject"),
    Index("notifications_by_state", "target", "state", "sent_at"),
)

notification_cursor = Table(
    "notification_cursor",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
)
