"""Delivers what is approved: at least once where a channel recognises a draft again, at most once in public.

A public post of unclear outcome is looked for. What is found is posted; what is surely not there goes to a person, and
nothing here sends it a second time by itself. Each channel has work of its own: one that hangs holds up no other.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from monitor.channels.channel import Channel, Receipt
from monitor.channels.looking import Looks, begun
from monitor.channels.pace import SPAN, waits_until
from monitor.clock import Clock
from monitor.model import Attempt, Delivery, DeliveryOutcome, Draft, RemoteError

log = structlog.get_logger()

PUBLISH_SECONDS = 45.0  # real ones; a channel may have to ask twice
LOOK_SECONDS = 10.0
FIRST_BACK_OFF_SECONDS = 10.0
LONGEST_BACK_OFF_SECONDS = 320.0
REASON_CHARACTERS = 200

DIED = "the daemon was stopped while it was being sent"


class OutboxStore(Protocol):
    async def due(self) -> list[Draft]:
        """Approved and queued, oldest first."""
        ...

    async def claim(self, draft_id: str, *, now: datetime) -> Draft | None:
        """In one transaction: check again that it may be sent at `now`, and mark it as being sent."""
        ...

    async def unfinished(self) -> list[Attempt]:
        """Being sent, outcome not known: what a former life of ours left."""
        ...

    async def unsettled(self) -> list[Attempt]:
        """Of unknown outcome, and not yet surely looked for."""
        ...

    async def posts(self, draft: Draft) -> Sequence[Draft]:
        """What the incident of `draft` has at its channel, oldest first."""
        ...

    async def posted_since(self, channel: str, *, since: datetime) -> Sequence[Draft]:
        """What went out at `channel` of what was written since then, oldest first."""
        ...


class Outbox:
    """Every outcome is handed to `deliver` as a journal entry, whose commit settles the row."""

    def __init__(
        self,
        store: OutboxStore,
        channels: Mapping[str, Channel],
        clock: Clock,
        deliver: Callable[[Delivery], Awaitable[None]],
    ) -> None:
        self._store = store
        self._channels = channels
        self._clock = clock
        self._deliver = deliver
        self._bell = asyncio.Event()
        self._failures: dict[str, int] = {}
        self._looks: dict[str, Looks] = {}
        self._working: dict[str, asyncio.Task[None]] = {}  # by channel
        self._missed: dict[str, None] = {}  # channels that were rung for while they worked

    def ring(self) -> None:
        """Something may have become due."""
        self._bell.set()

    async def run(self) -> None:
        """Finish what was begun, then deliver at each ring. Looks by itself too, for what had to wait."""
        for attempt in await self._store.unfinished():
            await self._resume(attempt)
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._bell.clear()
                await self._begin_work(tasks)
                await self._rest(tasks)

    async def _begin_work(self, tasks: asyncio.TaskGroup) -> None:
        """Let every channel work that has something to do; one that is at it looks once more before it ends."""
        now = self._clock.now()
        sought = [a.draft for a in await self._store.unsettled() if self._is_to_be_sought(a, now)]
        for name in dict.fromkeys(draft.channel for draft in [*await self._store.due(), *sought]):
            task = self._working.get(name)
            if task is None or task.done():
                self._working[name] = tasks.create_task(self._work(name), name=f"outbox-{name}")
            else:
                self._missed[name] = None

    async def _rest(self, tasks: asyncio.TaskGroup) -> None:
        """Until somebody rings, or it is time to look again."""
        rung = tasks.create_task(self._wait_for_ring(), name="outbox-bell")
        try:
            while busy := [task for task in self._working.values() if not task.done()]:
                done, _ = await asyncio.wait([rung, *busy], timeout=LOOK_SECONDS, return_when="FIRST_COMPLETED")
                if rung in done or not done:
                    return
            alarm = tasks.create_task(self._look_again(), name="outbox-alarm")
            await asyncio.wait([rung])
            alarm.cancel()
        finally:
            rung.cancel()

    async def _wait_for_ring(self) -> None:
        await self._bell.wait()

    async def _look_again(self) -> None:
        await self._clock.sleep(LOOK_SECONDS)
        self.ring()

    async def _work(self, name: str) -> None:
        """Rounds of a channel, until nobody has rung since the last one began."""
        self._missed[name] = None
        while name in self._missed:
            del self._missed[name]
            await self._round(name)

    async def _round(self, name: str) -> None:
        """What is due at a channel, in order, and then what is to be looked for there."""
        for due in [draft for draft in await self._store.due() if draft.channel == name]:
            await self._publish(due)
        now = self._clock.now()
        for attempt in await self._store.unsettled():
            if attempt.draft.channel == name and self._is_to_be_sought(attempt, now):
                await self._seek(attempt, self._channels[name])

    async def _publish(self, due: Draft) -> None:
        now = self._clock.now()
        posted = await self._store.posted_since(due.channel, since=now - 2 * SPAN)
        until = waits_until(due, posted, now=now)
        if until is not None:
            if due.waits_until != until:
                reason = "the same was said already in an hour with two posts: it goes on and off"
                await self._hand_over(due, Receipt(outcome=DeliveryOutcome.RATE_LIMITED, until=until, reason=reason))
            return
        draft = await self._store.claim(due.id, now=now)
        if draft is not None:
            await self._hand_over(draft, await self._attempt(draft))

    async def _resume(self, attempt: Attempt) -> None:
        """What a private channel has is posted; what it has not is claimed anew, for it may be held or rejected by now.

        A public one is looked through in its time.
        """
        channel = self._channels.get(attempt.draft.channel)
        if channel is None or channel.public:
            await self._hand_over(attempt.draft, _unknown(DIED))
            return
        requeued = Receipt(outcome=DeliveryOutcome.RATE_LIMITED, until=self._clock.now(), reason=DIED)
        await self._hand_over(attempt.draft, await self._found(attempt, channel) or requeued)

    async def _attempt(self, draft: Draft) -> Receipt:
        channel = self._channels.get(draft.channel)
        if channel is None:
            log.error("draft_not_sent", draft=draft.id, channel=draft.channel, reason="channel is not configured")
            return _rejected("the channel is not configured any more")
        began_at = self._clock.now()
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                receipt = await channel.publish(draft, first=await self._first(draft))
        except RemoteError as error:
            _log_failure(draft, error)
            return await self._failed(Attempt(draft=draft, began_at=began_at), channel, error)
        except TimeoutError:
            log.warning("draft_not_sent", draft=draft.id, channel=channel.name, reason="timeout")
            reason = f"no answer within {PUBLISH_SECONDS:g} s"
            return await self._unclear(Attempt(draft=draft, began_at=began_at), channel, reason)
        except Exception:  # a channel's bug must not silence the other channels
            log.exception("channel_bug", draft=draft.id, channel=channel.name)
            reason = "a bug of ours: see the log"
            return _unknown(reason) if channel.public else _rejected(reason)
        self._failures.pop(draft.id, None)
        return receipt

    async def _first(self, draft: Draft) -> str | None:
        """Where the first post of the incident is found at the channel of `draft`."""
        posts = await self._store.posts(draft)
        return next((post.remote_id for post in posts if post.remote_id is not None), None)

    async def _failed(self, attempt: Attempt, channel: Channel, error: RemoteError) -> Receipt:
        if error.permanent:
            return _rejected(str(error))
        if error.unsent:
            return self._put_off(attempt.draft, str(error))
        return await self._unclear(attempt, channel, str(error))

    async def _unclear(self, attempt: Attempt, channel: Channel, reason: str) -> Receipt:
        """It may be up. What a private channel has not goes back into the queue, where a hold can still stop it."""
        if channel.public:
            return _unknown(reason)
        return await self._found(attempt, channel) or self._put_off(attempt.draft, reason)

    def _put_off(self, draft: Draft, reason: str) -> Receipt:
        failures = self._failures.get(draft.id, 0)
        self._failures[draft.id] = failures + 1
        seconds = min(FIRST_BACK_OFF_SECONDS * 2**failures, LONGEST_BACK_OFF_SECONDS)
        until = self._clock.now() + timedelta(seconds=seconds)
        return Receipt(outcome=DeliveryOutcome.RATE_LIMITED, until=until, reason=reason)

    def _is_to_be_sought(self, attempt: Attempt, now: datetime) -> bool:
        channel = self._channels.get(attempt.draft.channel)
        if channel is None or not channel.public:
            return False
        return self._looks.setdefault(attempt.draft.id, begun(now)).is_due(now)

    async def _seek(self, attempt: Attempt, channel: Channel) -> None:
        """Look once whether an attempt of unknown outcome is up, and tell what that decides."""
        looks = self._looks[attempt.draft.id]
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                found = await channel.find(attempt, first=await self._first(attempt.draft))
        except (RemoteError, TimeoutError) as error:
            looks.failed(self._clock.now())
            log.warning("draft_not_found", draft=attempt.draft.id, channel=channel.name, detail=str(error))
            return
        if found is not None:
            del self._looks[attempt.draft.id]
            await self._hand_over(attempt.draft, found, searched=True)
        elif looks.missed(self._clock.now()):
            del self._looks[attempt.draft.id]
            reason = f"{attempt.draft.reason}; it is not there: retry, or let it be"
            await self._hand_over(attempt.draft, _unknown(reason), searched=True)

    async def _found(self, attempt: Attempt, channel: Channel) -> Receipt | None:
        """What the channel has of it, as far as it can tell."""
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                return await channel.find(attempt, first=await self._first(attempt.draft))
        except (RemoteError, TimeoutError) as error:
            log.warning("draft_not_found", draft=attempt.draft.id, channel=channel.name, detail=str(error))
            return None

    async def _hand_over(self, draft: Draft, receipt: Receipt, *, searched: bool = False) -> None:
        delivery = Delivery(
            at=self._clock.now(),
            exchange=draft.exchange,
            probe="outbox",
            draft=draft.id,
            channel=draft.channel,
            outcome=receipt.outcome,
            remote_id=receipt.remote_id,
            until=receipt.until,
            reason=receipt.reason[:REASON_CHARACTERS],
            searched=searched,
        )
        await self._deliver(delivery)


def _rejected(reason: str) -> Receipt:
    return Receipt(outcome=DeliveryOutcome.REJECTED, reason=reason)


def _unknown(reason: str) -> Receipt:
    return Receipt(outcome=DeliveryOutcome.UNKNOWN_OUTCOME, reason=reason)


def _log_failure(draft: Draft, error: RemoteError) -> None:
    log.warning("draft_not_sent", draft=draft.id, channel=draft.channel, reason=error.reason, detail=error.detail)
