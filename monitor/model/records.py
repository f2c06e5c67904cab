"""What can be asked of the records that the store keeps, page by page, and the answers it keeps for who asks again."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from monitor.model.words import DraftState, IncidentKind, Severity


class Place(Struct, frozen=True):
    """A place in a list that goes from the newest to the oldest: behind the record `id` of the time `at`."""

    at: Annotated[datetime, Meta(tz=True)]
    id: Annotated[str, Meta(pattern="^[ -~]{1,200}$")]


class IncidentsAsked(Struct, frozen=True, kw_only=True):
    """A page of incidents. None is no condition; `opened_before` is not in the span itself."""

    limit: int
    after: Place | None = None
    exchange: str | None = None
    kind: IncidentKind | None = None
    severity: Severity | None = None
    is_open: bool | None = None
    opened_from: datetime | None = None
    opened_before: datetime | None = None


class DraftsAsked(Struct, frozen=True, kw_only=True):
    """A page of drafts in one of `states`."""

    limit: int
    states: tuple[DraftState, ...]
    after: Place | None = None
    incident: str | None = None


class KeptAnswer(Struct, frozen=True):
    """What was answered under a key. `status` is None while it is under way, or where nobody knows how it ended."""

    fingerprint: bytes  # of what was asked
    status: int | None = None
    content_type: str = ""
    body: bytes = b""
