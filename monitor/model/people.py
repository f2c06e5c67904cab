"""People: what they may do, what they approved, and what they signed beforehand."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from monitor.model.words import IncidentKind


class PersonRole(StrEnum):
    """What somebody may do; notices/approval.py says what each of them does."""

    VIEWER = "viewer"
    PUBLISHER = "publisher"
    APPROVER = "approver"
    ADMIN = "admin"


class Approval(Struct, frozen=True, kw_only=True):
    """One person's yes to exactly the text with this hash."""

    by: str
    at: datetime
    role: PersonRole
    text_sha256: str


class PreApproval(Struct, frozen=True, kw_only=True):
    """A text with slots that was signed by day, for on-call to publish unedited at night."""

    id: str
    exchange: str
    text: str  # with {asset}, {network}, {since}, {next_update} where the facts go
    text_sha256: str
    kinds: tuple[IncidentKind, ...]  # of incidents it may be used for
    rails: tuple[str, ...]  # "asset@network", "asset@*", or "*" for anything
    signed_at: datetime
    expires_at: datetime
    signatures: tuple[Approval, ...]
    revoked_by: str | None = None
    revoked_at: datetime | None = None


class Covered(Struct, frozen=True, kw_only=True):
    """That the text with this hash is a signed one with its slots filled by facts."""

    preapproval: str
    text_sha256: str


class Account(Struct, frozen=True, kw_only=True):
    """Somebody who can sign in. `password` is a hash of argon2, "" where only the proxy can name them."""

    name: str
    role: PersonRole
    password: str = ""
    disabled: bool = False
    at: datetime


class Session(Struct, frozen=True, kw_only=True):
    """A device that is signed in. `digest` is the SHA-256 of its token, which nobody keeps but the device."""

    digest: bytes
    id: str
    account: str
    device: str
    address: str
    began_at: datetime
    seen_at: datetime


class Deed(Struct, frozen=True, kw_only=True):
    """What was done to accounts and sign-ins. Never a password, a token or a hash of one."""

    at: datetime
    actor: str
    what: str
    subject: str = ""
    detail: str = ""
