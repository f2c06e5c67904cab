"""Follows what is committed, queues who is to be told of it, and keeps a sender for each target.

The cursor and what is queued are one transaction: a kill between commit and sending loses nothing and repeats nothing.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol

from monitor.clock import Clock
from monitor.model import RISES, Drill, ExchangeView, Incident, Output, Queued, Topic
from monitor.model.silence import Silence
from monitor.notify.due import Routed, notifications, routed
from monitor.notify.hush import hushed, settling, silenced
from monitor.notify.sender import Counters, Say, Sender, Target, Waiting
from monitor.notify.words import Links

MOST = 100_000  # incidents that are open at once


class Outputs(Protocol):
    """What was committed."""

    async def outputs(self, *, after: int) -> list[tuple[int, Output]]: ...
    async def view(self, exchange: str) -> ExchangeView | None: ...
    async def incidents(self, *, open_only: bool = False, limit: int = 100) -> list[Incident]: ...


class Drilled(Protocol):
    async def open(self) -> list[Drill]: ...


class Queue(Waiting, Protocol):
    async def cursor(self) -> int | None: ...
    async def queue(self, rows: Iterable[tuple[str, Queued]], *, cursor: int) -> None: ...
    async def heard(self, subjects: Iterable[str]) -> Collection[tuple[str, str]]: ...


class Notifier:
    """`says` is how each target is told, by name."""

    def __init__(
        self,
        outputs: Outputs,
        queue: Queue,
        clock: Clock,
        *,
        drills: Drilled,
        targets: Sequence[Target],
        says: Callable[[str], Say],
        links: Links,
        counters: Counters,
    ) -> None:
        self._outputs = outputs
        self._queue = queue
        self._drills = drills
        self._clock = clock
        self._links = links
        self._about = {target.name: target.about for target in targets}
        self._bell = asyncio.Event()
        self.senders = {
            target.name: Sender(
                target,
                queue,
                clock,
                says(target.name),
                hushed=self._hushed,
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
            found = notifications(outputs, self._links)
            told = await self._queue.heard(notification.subject for notification in found)
            rows = await self._weighed(routed(found, self._about, told=told), [output for _, output in outputs])
            await self._queue.queue(rows, cursor=outputs[-1][0])
            for name in dict.fromkeys(target for target, _ in rows):
                self._ring(name)

    async def _weighed(self, found: Sequence[Routed], outputs: Sequence[Output]) -> list[tuple[str, Queued]]:
        """What is for whom, and whether nobody is to be told of its incident now."""
        quiet = set[str]()
        if any(each.notification.happened in RISES for each in found):
            silences = await self._silences()
            quiet = silenced(outputs, silences) | hushed(await self._open(), silences, self._clock.now())
        return [
            (each.target, Queued(notification=each.notification, put_off=_is_put_off(each, quiet))) for each in found
        ]

    async def _hushed(self, waiting: Sequence[Queued]) -> set[str]:
        rises = {each.notification.subject for each in waiting if each.notification.happened in RISES}
        if not rises:
            return set()
        opened = await self._open()
        put_off = {each.notification.subject for each in waiting if each.put_off}
        return rises & (hushed(opened, await self._silences(), self._clock.now()) | settling(opened, put_off))

    async def _open(self) -> list[Incident]:
        opened = await self._outputs.incidents(open_only=True, limit=MOST)
        return [*opened, *(drill.incident for drill in await self._drills.open())]

    async def _silences(self) -> tuple[Silence, ...]:
        world = await self._outputs.view("")
        return world.silences if world is not None else ()

    def _ring(self, target: str) -> None:
        if target in self.senders:
            self.senders[target].ring()


def _is_put_off(found: Routed, quiet: Collection[str]) -> bool:
    return found.notification.happened in RISES and found.notification.subject in quiet
