"""The seam of the voice: a channel takes an approved draft and says what became of it."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct

from monitor.model import Attempt, DeliveryOutcome, Draft


class Receipt(Struct, frozen=True, kw_only=True):
    outcome: DeliveryOutcome
    remote_id: str | None = None  # where it is found there
    until: datetime | None = None  # rate limited: not before
    reason: str = ""  # for a person, where it was not posted


def posted(remote_id: str) -> Receipt:
    return Receipt(outcome=DeliveryOutcome.POSTED, remote_id=remote_id)


class Channel(Protocol):
    name: str
    public: bool  # cannot be taken back or recognised, so it is tried once; others must be idempotent by draft id

    async def publish(self, draft: Draft, *, first: str | None) -> Receipt:
        """Send exactly `draft.text`. `first` is the remote id of what its incident said here first.

        Raises RemoteError where that failed or may have failed.
        """
        ...

    async def find(self, attempt: Attempt, *, first: str | None) -> Receipt | None:
        """The receipt of what an attempt left at the channel; None where it has surely left nothing.

        Raises RemoteError where the channel cannot tell.
        """
        ...
