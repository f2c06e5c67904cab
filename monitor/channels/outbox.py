"""Delivers what is approved: at least once where a channel recognises a draft again, at most once in public.

An unclear outcome of a public post goes to a person. Nothing here sends it a second time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from monitor.channels.channel import Channel, Receipt
from monitor.clock import Clock
from monitor.model import Delivery, DeliveryOutcome, Draft, RemoteError

log = structlog.get_logger()

PUBLISH_SECONDS = 20.0  # real ones
LOOK_SECONDS = 10.0
FIRST_BACK_OFF_SECONDS = 10.0
LONGEST_BACK_OFF_SECONDS = 320.0

_REJECTED = Receipt(outcome=DeliveryOutcome.REJECTED)
_UNKNOWN = Receipt(outcome=DeliveryOutcome.UNKNOWN_OUTCOME)


class OutboxStore(Protocol):
    async def due(self) -> list[Draft]:
        """Approved and queued, oldest first."""
        ...

    async def claim(self, draft_id: str, *, now: datetime) -> Draft | None:
        """In one transaction: check again that it may be sent at `now`, and mark it as being sent."""
        ...

    async def unfinished(self) -> list[Draft]:
        """Being sent, outcome not known: what a former life of ours left."""
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

    def ring(self) -> None:
        """Something may have become due."""
        self._bell.set()

    async def run(self) -> None:
        """Finish what was begun, then deliver at each ring. Looks by itself too, for what had to wait."""
        for draft in await self._store.unfinished():
            await self._resume(draft)
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._bell.clear()
                await self._round()
                alarm = tasks.create_task(self._look_again(), name="outbox-alarm")
                await self._bell.wait()
                alarm.cancel()

    async def _round(self) -> None:
        for due in await self._store.due():
            draft = await self._store.claim(due.id, now=self._clock.now())
            if draft is not None:
                await self._hand_over(draft, await self._attempt(draft))

    async def _resume(self, draft: Draft) -> None:
        """What a private channel has is posted; what it has not is claimed anew, for it may be held or rejected by now.

        In public only a person can tell whether it is up.
        """
        channel = self._channels.get(draft.channel)
        if channel is None or channel.public:
            await self._hand_over(draft, _UNKNOWN)
            return
        requeued = Receipt(outcome=DeliveryOutcome.RATE_LIMITED, until=self._clock.now())
        await self._hand_over(draft, await self._found(draft, channel) or requeued)

    async def _found(self, draft: Draft, channel: Channel) -> Receipt | None:
        """What the channel has of it, as far as it can tell."""
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                return await channel.find(draft)
        except (RemoteError, TimeoutError) as error:
            log.warning("draft_not_found", draft=draft.id, channel=channel.name, detail=str(error))
            return None

    async def _attempt(self, draft: Draft) -> Receipt:
        channel = self._channels.get(draft.channel)
        if channel is None:
            log.error("draft_not_sent", draft=draft.id, channel=draft.channel, reason="channel is not configured")
            return _REJECTED
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                receipt = await channel.publish(draft)
        except RemoteError as error:
            log.warning(
                "draft_not_sent", draft=draft.id, channel=channel.name, reason=error.reason, detail=error.detail
            )
            return _REJECTED if error.permanent else await self._unclear(draft, channel)
        except TimeoutError:
            log.warning("draft_not_sent", draft=draft.id, channel=channel.name, reason="timeout")
            return await self._unclear(draft, channel)
        except Exception:  # a channel's bug must not silence the other channels
            log.exception("channel_bug", draft=draft.id, channel=channel.name)
            return _UNKNOWN if channel.public else _REJECTED
        self._failures.pop(draft.id, None)
        return receipt

    async def _unclear(self, draft: Draft, channel: Channel) -> Receipt:
        """It may be up. What a private channel has not goes back into the queue, where a hold can still stop it."""
        if channel.public:
            return _UNKNOWN
        found = await self._found(draft, channel)
        if found is not None:
            return found
        failures = self._failures.get(draft.id, 0)
        self._failures[draft.id] = failures + 1
        seconds = min(FIRST_BACK_OFF_SECONDS * 2**failures, LONGEST_BACK_OFF_SECONDS)
        until = self._clock.now() + timedelta(seconds=seconds)
        return Receipt(outcome=DeliveryOutcome.RATE_LIMITED, until=until)

    async def _hand_over(self, draft: Draft, receipt: Receipt) -> None:
        delivery = Delivery(
            at=self._clock.now(),
            exchange=draft.exchange,
            probe="outbox",
            draft=draft.id,
            channel=draft.channel,
            outcome=receipt.outcome,
            remote_id=receipt.remote_id,
            until=receipt.until,
        )
        await self._deliver(delivery)

    async def _look_again(self) -> None:
        await self._clock.sleep(LOOK_SECONDS)
        self.ring()
