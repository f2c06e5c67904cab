"""Follows what is committed, queues who is to be told of it, and keeps a sender for each target.

The cursor and what is queued are one transaction: a kill between commit and sending loses nothing and repeats nothing.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol

from monitor.clock import Clock
from monitor.model import ExchangeView, Notification, Output, Topic
from monitor.notify.due import notifications, routed
from monitor.notify.sender import Counters, Say, Sender, Target, Waiting
from monitor.notify.words import Links


class Outputs(Protocol):
    """What was committed."""

    async def outputs(self, *, after: int) -> list[tuple[int, Output]]: ...
    async def view(self, exchange: str) -> ExchangeView | None: ...


class Queue(Waiting, Protocol):
    async def cursor(self) -> int | None: ...
    async def queue(self, rows: Iterable[tuple[str, Notification]], *, cursor: int) -> None: ...
    async def heard(self, subjects: Iterable[str]) -> Collection[tuple[str, str]]: ...


class Notifier:
    """`says` is how each target is told, by name."""

    def __init__(
        self,
        outputs: Outputs,
        queue: Queue,
        clock: Clock,
        *,
        targets: Sequence[Target],
        says: Callable[[str], Say],
        links: Links,
        counters: Counters,
    ) -> None:
        self._outputs = outputs
        self._queue = queue
        self._links = links
        self._about = {target.name: target.about for target in targets}
        self._bell = asyncio.Event()
        self.senders = {
            target.name: Sender(
                target,
                queue,
                clock,
                says(target.name),
                links=links,
                counters=counters,
                passed_on=self._ring,
            )
            for target in targets
        }

    def ring(self) -> None:
        """Something was committed."""
        self._bell.set()

    async def begin(self, head: int) -> None:
        """Before anything else is committed: who has told nothing yet begins after `head`, the newest entry."""
        if await self._queue.cursor() is None:
            await self._queue.queue([], cursor=head)

    async def run(self) -> None:
        """For ever, beginning with what a former life left."""
        async with asyncio.TaskGroup() as tasks:
            for name, sender in self.senders.items():
                tasks.create_task(sender.run(), name=f"notify-{name}")
            while True:
                self._bell.clear()
                await self._follow()
                await self._bell.wait()

    def mute(self) -> str:
        """Why nobody can be paged, if every target that is about pages has failed for long; "" otherwise."""
        pagers = [s for s in self.senders.values() if Topic.PAGES in s.target.about]
        if not pagers or not all(sender.is_down() for sender in pagers):
            return ""
        return f"pages do not arrive: {', '.join(sender.target.name for sender in pagers)}"

    async def _follow(self) -> None:
        cursor = await self._queue.cursor() or 0
        outputs = await self._outputs.outputs(after=cursor)
        if outputs:
            world = await self._outputs.view("")
            found = notifications(outputs, self._links, silences=world.silences if world is not None else ())
            told = await self._queue.heard(notification.subject for notification in found)
            rows = [(each.target, each.notification) for each in routed(found, self._about, told=told)]
            await self._queue.queue(rows, cursor=outputs[-1][0])
            for name in dict.fromkeys(target for target, _ in rows):
                self._ring(name)

    def _ring(self, target: str) -> None:
        if target in self.senders:
            self.senders[target].ring()
