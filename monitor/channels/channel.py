"""The seam of the voice: a channel takes an approved draft and says what became of it."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct

from monitor.model import DeliveryOutcome, Draft


class Receipt(Struct, frozen=True, kw_only=True):
    outcome: DeliveryOutcome
    remote_id: str | None = None  # where it is found there
    until: datetime | None = None  # rate limited: not before


class Channel(Protocol):
    name: str
    public: bool  # cannot be taken back or recognised, so it is tried once; others must be idempotent by draft id

    async def publish(self, draft: Draft) -> Receipt:
        """Send exactly `draft.text`. Raises RemoteError where that failed or may have failed."""
        ...

    async def find(self, draft: Draft) -> Receipt | None:
        """The receipt of exactly this draft where the channel has it; None where it has not, or cannot tell."""
        ...
