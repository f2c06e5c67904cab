"""What our own people are to be told, by target: written before it is sent, and marked when it was."""

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar

import msgspec
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.model import Happened, Notification, Queued, Told
from monitor.store import schema
from monitor.store.schema import microseconds, moment

_T = TypeVar("_T")
_notifications = schema.notifications
_cursor = schema.notification_cursor
_incidents = schema.incidents
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Notification)


class State(StrEnum):
    WAITING = "waiting"
    PUT_OFF = "put_off"  # it waits, and nobody was to be told of its incident when it came
    SENDING = "sending"
    SENT = "sent"
    FOLDED = "folded"  # nobody needs to hear it any more


_UNSENT = (State.WAITING, State.PUT_OFF, State.SENDING)


class Run(Protocol):
    """Do some work in one transaction, or on one reader."""

    def __call__(self, work: Callable[[AsyncConnection], Coroutine[Any, Any, _T]], /) -> Awaitable[_T]: ...


class Notifications:
    """The store's part for notifications; made by it."""

    def __init__(self, *, write: Run, look: Run) -> None:
        self._write = write
        self._look = look

    async def cursor(self) -> int | None:
        """The journal entry up to which notifications were queued; None before the first."""

        async def read(reader: AsyncConnection) -> int | None:
            found = (await reader.execute(select(_cursor.c.seq))).scalar()
            return None if found is None else int(found)

        return await self._look(read)

    async def queue(self, rows: Iterable[tuple[str, Queued]], *, cursor: int) -> None:
        """Queue each at its target and move the cursor, in one transaction. What is known stays as it is."""
        wanted = list(rows)

        async def work(transaction: AsyncConnection) -> None:
            await _insert(transaction, wanted)
            await transaction.execute(delete(_cursor))
            await transaction.execute(insert(_cursor), {"id": 1, "seq": cursor})

        await self._write(work)

    async def unsent(self, target: str) -> list[Queued]:
        """In order, those that a message began to carry among them."""
        table = _notifications
        wanted = select(table.c.body, table.c.message, table.c.state).where(table.c.target == target)
        ordered = wanted.where(table.c.state.in_(_UNSENT)).order_by(table.c.seq, table.c.n)

        async def read(reader: AsyncConnection) -> list[Queued]:
            rows = await reader.execute(ordered)
            return [
                Queued(notification=_DECODER.decode(body), message=message, put_off=state == State.PUT_OFF)
                for body, message, state in rows
            ]

        return await self._look(read)

    async def told(self, target: str, subjects: Iterable[str], *, since: datetime) -> list[Told]:
        """What a target heard since then, and all it ever heard of `subjects` that is kept, oldest first."""
        table = _notifications
        columns = (table.c.subject, table.c.happened, table.c.message, table.c.sent_at, table.c.seq, table.c.n)
        sent = select(*columns).where(table.c.target == target, table.c.state == State.SENT)
        recent = sent.where(table.c.sent_at >= microseconds(since))
        wanted = list(dict.fromkeys(subjects))

        async def read(reader: AsyncConnection) -> list[Told]:
            found = {tuple(row) for row in await reader.execute(recent)}
            for first in range(0, len(wanted), 500):  # a database takes only so many values at once
                chunk = wanted[first : first + 500]
                found |= {tuple(row) for row in await reader.execute(sent.where(table.c.subject.in_(chunk)))}
            ordered = sorted(found, key=lambda row: row[3:])
            return [
                Told(subject=subject, happened=Happened(happened), message=message, sent_at=moment(sent_at))
                for subject, happened, message, sent_at, _, _ in ordered
            ]

        return await self._look(read)

    async def heard(self, subjects: Iterable[str]) -> set[tuple[str, str]]:
        """(target, subject) of those subjects that a target was told of, or is about to be."""
        table = _notifications
        wanted = list(dict.fromkeys(subjects))

        async def read(reader: AsyncConnection) -> set[tuple[str, str]]:
            found: set[tuple[str, str]] = set()
            for first in range(0, len(wanted), 500):
                chunk = wanted[first : first + 500]
                rows = await reader.execute(select(table.c.target, table.c.subject).where(table.c.subject.in_(chunk)))
                found |= {(target, subject) for target, subject in rows}
            return found

        return await self._look(read)

    async def begin(self, target: str, notifications: Sequence[Notification], *, message: str) -> None:
        """Write down which message carries these, before it is sent."""
        await self._mark(target, notifications, {"state": State.SENDING, "message": message})

    async def end(self, target: str, message: str, *, now: datetime) -> None:
        """The message has arrived."""
        carried = (
            (_notifications.c.target == target)
            & (_notifications.c.message == message)
            & _notifications.c.state.in_(_UNSENT)
        )
        values = {"state": State.SENT, "sent_at": microseconds(now)}
        await self._do(lambda transaction: transaction.execute(update(_notifications).where(carried).values(values)))

    async def fold(self, target: str, notifications: Sequence[Notification]) -> None:
        await self._mark(target, notifications, {"state": State.FOLDED})

    async def copy(self, source: str, target: str) -> int:
        """Queue at `target` what waits at `source`; returns how many it did not have yet."""
        waiting = [(target, queued) for queued in await self.unsent(source)]
        return await self._write(lambda transaction: _insert(transaction, waiting))

    async def prune(self, *, before: datetime) -> int:
        """Forget what was told or folded before then, but for incidents that are still open."""
        still_open = select(_incidents.c.id).where(_incidents.c.open)
        old = (_notifications.c.at < microseconds(before)) & _notifications.c.state.not_in(_UNSENT)
        unneeded = delete(_notifications).where(old, _notifications.c.subject.not_in(still_open))

        async def work(transaction: AsyncConnection) -> int:
            return (await transaction.execute(unneeded)).rowcount

        return await self._write(work)

    async def _mark(self, target: str, notifications: Sequence[Notification], values: dict[str, str]) -> None:
        if not notifications:
            return
        row = (
            (_notifications.c.target == target)
            & (_notifications.c.seq == bindparam("of"))
            & (_notifications.c.n == bindparam("at_n"))
        )
        statement = update(_notifications).where(row, _notifications.c.state != State.SENT).values(values)
        rows = [{"of": notification.seq, "at_n": notification.n} for notification in notifications]
        await self._do(lambda transaction: transaction.execute(statement, rows))

    async def _do(self, work: Callable[[AsyncConnection], Awaitable[object]]) -> None:
        async def done(transaction: AsyncConnection) -> None:
            await work(transaction)

        await self._write(done)


async def _insert(transaction: AsyncConnection, rows: Sequence[tuple[str, Queued]]) -> int:
    """Queue those that are not known yet: the two dialects say "or ignore" differently."""
    if not rows:
        return 0
    first = min(queued.notification.seq for _, queued in rows)
    columns = (_notifications.c.target, _notifications.c.seq, _notifications.c.n)
    known = {tuple(row) for row in await transaction.execute(select(*columns).where(_notifications.c.seq >= first))}
    new = [
        _row(target, queued)
        for target, queued in rows
        if (target, queued.notification.seq, queued.notification.n) not in known
    ]
    if new:
        await transaction.execute(insert(_notifications), new)
    return len(new)


def _row(target: str, queued: Queued) -> dict[str, object]:
    notification = queued.notification
    return {
        "target": target,
        "seq": notification.seq,
        "n": notification.n,
        "at": microseconds(notification.at),
        "subject": notification.subject,
        "happened": notification.happened,
        "state": State.PUT_OFF if queued.put_off else State.WAITING,
        "message": "",
        "sent_at": None,
        "body": _ENCODER.encode(notification),
    }
