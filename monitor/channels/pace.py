"""How often the same is said: a rail that opens and closes all the time is not news at every turn."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from monitor.model import Draft, Stage

SPAN = timedelta(hours=1)
MOST = 2


class _Said(Struct, frozen=True):
    """What of a draft's claims tells one story from another."""

    scope: list[str] = []


def waits_until(draft: Draft, posted: Sequence[Draft], *, now: datetime) -> datetime | None:
    """Until when `draft` has to wait for what was `posted` at its channel, oldest first; None where it need not.

    An incident that goes on through its stages is told as it goes. One that says again what it has said before of the
    same rails, in an hour that has seen two posts of its exchange, flaps: it waits until the older of the two is an
    hour old. That it is over is told always.
    """
    if draft.stage is Stage.RESOLVED:
        return None
    last_hour = [p for p in posted if p.exchange == draft.exchange and _posted_at(p) > now - SPAN]
    recent = [p for p in last_hour if p.stage is not Stage.RESOLVED]
    said = (draft.stage, _scope(draft))
    if len(recent) < MOST or all((p.stage, _scope(p)) != said for p in recent):
        return None
    return _posted_at(recent[-MOST]) + SPAN


def _posted_at(post: Draft) -> datetime:
    return post.created_at if post.decided_at is None else post.decided_at


def _scope(draft: Draft) -> list[str]:
    return msgspec.json.decode(draft.claims, type=_Said).scope
