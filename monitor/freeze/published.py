"""What the gate publishes: who is frozen until when, as hashes, signed.

    magic (8) | length of the head (4, big endian) | head (JSON) | records | signature (64)

A record is the account's keyed hash (16) and its end in Unix seconds (8, big endian). A snapshot's records are in
order; a delta's are those that came after the sequence number it names, and it answers a challenge of whoever asked.
"""

import struct
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from monitor.freeze.entry import ACCOUNT_BYTES
from monitor.freeze.signing import SIGNATURE_BYTES, Signer, Verifier

MAGIC = b"CXFRZ\x00\x01\n"
RECORD = struct.Struct(f">{ACCOUNT_BYTES}sQ")
_LENGTH = struct.Struct(">I")
_LONGEST_HEAD = 16_384


class KeyNamed(Struct, frozen=True):
    """A key that accounts are hashed with. `check`, in hex, tells it from others and nothing about it."""

    id: str
    check: str


class Head(Struct, frozen=True, kw_only=True):
    ledger: str  # two ledgers count for themselves
    after: int | None  # a delta: what whoever asked had; None: a snapshot
    seq: int  # of the ledger's last entry that is in it
    digest: str  # that entry's, in hex: a note of it kept elsewhere tells a ledger that was rolled back
    count: int
    made_at: datetime
    passed: datetime | None  # ends up to here are reached; None: no end is, as independent time is missing
    keys: tuple[KeyNamed, ...]  # the newest first; who lacks one does not find everybody who is frozen
    challenge: str = ""


class NonsenseError(Exception):
    """It is not what a gate publishes."""


class Published(Struct, frozen=True):
    head: Head
    records: memoryview  # RECORD.size bytes each


def sealed(head: Head, records: Iterable[bytes], signer: Signer) -> list[bytes]:
    """The pieces of it in order, signature last."""
    told = msgspec.json.encode(head)
    pieces = [MAGIC, _LENGTH.pack(len(told)), told, *records]
    return [*pieces, signer.sign(pieces)]


def read(body: bytes, verifier: Verifier) -> Published:
    """Raises ForgedError, NonsenseError."""
    start = len(MAGIC) + _LENGTH.size
    if not body.startswith(MAGIC) or len(body) < start + SIGNATURE_BYTES:
        raise NonsenseError("not a snapshot of a freeze gate")
    whole = memoryview(body)
    verifier.check([whole[:-SIGNATURE_BYTES]], body[-SIGNATURE_BYTES:])
    length = _LENGTH.unpack_from(body, len(MAGIC))[0]
    records = whole[start + length : -SIGNATURE_BYTES]
    if length > _LONGEST_HEAD or len(records) % RECORD.size:
        raise NonsenseError("signed, but not as this version writes it")
    try:
        head = msgspec.json.decode(whole[start : start + length], type=Head)
    except msgspec.MsgspecError as error:
        raise NonsenseError(f"signed, but not as this version writes it: {error}") from error
    if head.count * RECORD.size != len(records):
        raise NonsenseError("signed, but not as this version writes it: the count is another")
    return Published(head, records)


def packed(records: Iterable[tuple[bytes, int]]) -> bytes:
    return b"".join(RECORD.pack(account, end) for account, end in records)


def unpacked(records: memoryview) -> Sequence[tuple[bytes, int]]:
    return list(RECORD.iter_unpack(records))
