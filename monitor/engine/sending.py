"""What became of a draft at its channel, and what follows from it: waiting, another channel, another try."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from monitor.model import Delivery, DeliveryOutcome, Draft, DraftState, Judging

_OUTCOMES = {
    DeliveryOutcome.POSTED: DraftState.POSTED,
    DeliveryOutcome.REJECTED: DraftState.REFUSED,
    DeliveryOutcome.UNKNOWN_OUTCOME: DraftState.UNKNOWN_OUTCOME,
}


def delivered(draft: Draft, delivery: Delivery, *, at: datetime) -> Draft | None:
    """The draft as a delivery leaves it; None where that changes nothing.

    What was sent is sent, whatever was decided of it meanwhile. One that waits is still what it was.
    """
    if draft.state is DraftState.POSTED:
        return None
    if delivery.outcome is DeliveryOutcome.RATE_LIMITED:
        # Journals from before reasons were told hold deliveries that changed no draft.
        return _waiting(draft, delivery) if delivery.reason else None
    return replace(
        draft,
        state=_OUTCOMES[delivery.outcome],
        remote_id=delivery.remote_id,
        decided_at=at,
        reason=delivery.reason,
        searched=delivery.searched,
        limited_since=None,
        waits_until=None,
    )


def _waiting(draft: Draft, delivery: Delivery) -> Draft:
    since = delivery.at if draft.limited_since is None else draft.limited_since
    return replace(draft, reason=delivery.reason, limited_since=since, waits_until=delivery.until)


def channels_of(written: Sequence[Draft], judging: Judging) -> list[str]:
    """Where an incident is spoken of now: the usual channels, and a fall-back where one of them cannot post.

    `written`: the drafts of the incident, oldest first. Where something was posted, the incident is told to its end.
    """
    offered = [
        fallback
        for channel, fallback in judging.fallbacks.items()
        if _cannot_post(written, channel, patience=judging.fallback_seconds.get(channel, 0.0))
        or _is_in_use(written, fallback, instead_of=channel)
    ]
    return list(dict.fromkeys([*judging.channels, *offered]))


def _is_in_use(written: Sequence[Draft], fallback: str, *, instead_of: str) -> bool:
    """It has posted, or its words wait for a person and the other channel has still not posted."""
    states = [d.state for d in written if d.channel == fallback]
    if DraftState.POSTED in states or not states:
        return bool(states)
    other = [d.state for d in written if d.channel == instead_of]
    return any(state in (DraftState.PENDING, DraftState.APPROVED) for state in states) and (
        other[-1:] != [DraftState.POSTED]
    )


def _cannot_post(written: Sequence[Draft], channel: str, *, patience: float) -> bool:
    """The newest words for it were refused, or have to wait for longer than `patience` seconds."""
    newest = next((d for d in reversed(written) if d.channel == channel), None)
    if newest is None:
        return False
    if newest.state is DraftState.REFUSED:
        return True
    if newest.limited_since is None or newest.waits_until is None or newest.state is not DraftState.APPROVED:
        return False
    return (newest.waits_until - newest.limited_since).total_seconds() > patience


def renewed(draft: Draft, *, now: datetime, expiry_seconds: float) -> Draft:
    """As it stood before its first try, with the whole of its time before it."""
    return replace(
        draft,
        state=DraftState.PENDING,
        expires_at=now + timedelta(seconds=expiry_seconds),
        remote_id=None,
        reason="",
        searched=False,
    )


def no_retry(draft: Draft, *, newest: Draft) -> str | None:
    """Why a draft is not to be sent once more. `newest`: of its incident and channel."""
    if draft.state is DraftState.UNKNOWN_OUTCOME and not draft.searched:
        return f"nobody has surely looked yet whether draft {draft.id} is up: look yourself, or wait until it says so"
    if newest.id != draft.id:
        return f"draft {newest.id} has taken the place of draft {draft.id}"
    return None
