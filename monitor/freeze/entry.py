"""What the ledger holds, and the chain of hashes that ties every entry to all before it.

There is no entry that shortens or lifts a freeze: what cannot be written cannot be obeyed.
"""

import hashlib
from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec import Struct

GENESIS = bytes(32)
ACCOUNT_BYTES = 16  # 128 bits of a keyed hash: two accounts of one exchange will not meet


class Origin(StrEnum):
    APP = "app"  # the exchange's app, signed
    LINK = "link"  # the account's own page
    GUARDIAN = "guardian"  # somebody the owner trusted beforehand
    RECOVERY = "recovery"  # written again after the ledger was damaged


class LedgerBegun(Struct, frozen=True, kw_only=True, tag_field="kind", tag="ledger_begun"):
    at: datetime
    ledger: str  # a random name: two ledgers are never taken for one


class KeyIntroduced(Struct, frozen=True, kw_only=True, tag_field="kind", tag="key_introduced"):
    """From here on accounts may be hashed with this key. `check` tells another key under the same name."""

    at: datetime
    key_id: str
    check: bytes


class FreezeActivated(Struct, frozen=True, kw_only=True, tag_field="kind", tag="freeze_activated"):
    at: datetime
    account: bytes  # keyed hash
    key_id: str
    until: datetime  # whole seconds; never earlier than that of an entry before it for the same account
    requested_at: datetime  # as the request says
    origin: Origin
    begins: bool  # the account was not frozen before: what is pending must be cancelled
    request: bytes | None = None  # hash of a signed request: the same one again is a replay
    idempotency: bytes | None = None  # hash of what the app calls its attempt


class LinkMade(Struct, frozen=True, kw_only=True, tag_field="kind", tag="link_made"):
    """A page that can freeze the account, and nothing else."""

    at: datetime
    link: bytes  # keyed hash of the token in its address
    account: bytes
    key_id: str
    is_guardian: bool
    remind: bool  # told 2 h before a freeze ends
    request: bytes | None = None


class LinkRevoked(Struct, frozen=True, kw_only=True, tag_field="kind", tag="link_revoked"):
    at: datetime
    link: bytes


class Reported(Struct, frozen=True, kw_only=True, tag_field="kind", tag="reported"):
    """The exchange has taken note of these reports."""

    at: datetime
    reports: tuple[str, ...]


class TimeConfirmed(Struct, frozen=True, kw_only=True, tag_field="kind", tag="time_confirmed"):
    """This machine's clock and independent time had both passed `at`."""

    at: datetime


class Recovered(Struct, frozen=True, kw_only=True, tag_field="kind", tag="recovered"):
    """What was left of a damaged ledger is written again below; its remains lie beside it."""

    at: datetime
    reason: str
    head: bytes  # the last hash that was known


Entry = LedgerBegun | KeyIntroduced | FreezeActivated | LinkMade | LinkRevoked | Reported | TimeConfirmed | Recovered


class Row(Struct, frozen=True, gc=False):
    """An entry as it is stored; `digest` covers it and, through the one before, everything earlier."""

    seq: int
    body: bytes
    digest: bytes


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Entry)


def encode(entry: Entry) -> bytes:
    return _ENCODER.encode(entry)


def decode(body: bytes) -> Entry:
    """Raises msgspec.MsgspecError."""
    entry: Entry = _DECODER.decode(body)
    return entry


def linked(seq: int, body: bytes, previous: bytes) -> Row:
    """The row `seq` that follows one whose digest is `previous`."""
    return Row(seq, body, hashlib.sha256(previous + seq.to_bytes(8) + body).digest())


def chained(bodies: list[bytes], *, after: Row | None) -> list[Row]:
    """Rows that go on after `after`; None where nothing is there yet."""
    seq, previous = (0, GENESIS) if after is None else (after.seq, after.digest)
    rows = []
    for body in bodies:
        row = linked(seq + 1, body, previous)
        rows.append(row)
        seq, previous = row.seq, row.digest
    return rows


def follows(row: Row, before: Row | None) -> bool:
    """Whether the row is the next one after `before`, unaltered."""
    seq, previous = (0, GENESIS) if before is None else (before.seq, before.digest)
    return row == linked(seq + 1, row.body, previous)
