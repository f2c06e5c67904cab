"""The database in domain words. One connection writes, one transaction a change; readers see committed states only."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from msgspec.msgpack import Decoder
from sqlalchemy import Select, select
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitor.model import (
    Attempt,
    Closure,
    Draft,
    DraftState,
    Entry,
    ExchangeView,
    Flow,
    Incident,
    IncidentKind,
    Output,
    PreApproval,
    Transition,
    WalletUsage,
)
from monitor.model.records import DraftsAsked, IncidentsAsked, KeptAnswer
from monitor.store import (
    answers,
    audit,
    backup,
    checkpoints,
    closures,
    connection,
    journal,
    lease,
    outbox,
    projections,
    pushes,
    records,
    rescue,
    retention,
    schema,
    usages,
)
from monitor.store.connection import explained
from monitor.store.drills import Drills
from monitor.store.journal import SeriesTable
from monitor.store.lease import Lease
from monitor.store.notifications import Notifications
from monitor.store.people import PeopleStore
from monitor.store.rescue import Rescued
from monitor.store.schema import HEAD
from monitor.store.step import Checkpoint, DamagedError, Step, StoreError, UnavailableError

_CHUNK = 1_000  # entries read at a time
LONGEST = timedelta(days=90)  # that an incident over by now is taken to have lasted

_T = TypeVar("_T")
Wait: TypeAlias = Callable[[UnavailableError], Coroutine[Any, Any, None]]
_Work: TypeAlias = Callable[[AsyncConnection], Coroutine[Any, Any, _T]]


class Store:
    """Made by `open`. All times are aware; whatever the database refuses is a StoreError."""

    def __init__(
        self, writer: AsyncEngine, readers: AsyncEngine, *, file: Path | None = None, wait: Wait | None = None
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._file = file
        self._resources = AsyncExitStack()
        self.rescued: Rescued | None = None  # the file was damaged, and this one goes on in its place
        self._wait = wait
        self._known = SeriesTable()
        self.notifications = Notifications(write=self._write, look=self._look)
        self.drills = Drills(write=self._write, look=self._look)
        self.people = PeopleStore(write=self._write, look=self._look)

    @classmethod
    async def open(cls, url: str, *, exclusive: bool = True) -> "Store":
        """Open `sqlite+aiosqlite:///path` or `postgresql+asyncpg://...`, created and migrated as needed.

        With `exclusive=False` nothing is created or written: for a look at the database of a running daemon.
        Raises StoreError: held by another process, newer schema, foreign, damaged or unreachable.
        """
        parsed = connection.parse(url)
        shown = parsed.render_as_string(hide_password=True)
        async with AsyncExitStack() as resources:
            with explained(f"{shown} cannot be opened"):
                held = _enter(parsed, resources, exclusive=exclusive)
                file = connection.file_of(parsed)
                if held is None or file is None:
                    store = await cls._opened(parsed, resources, torn=False, exclusive=exclusive)
                else:
                    store = await cls._held(parsed, resources, held, file)
            store.owns(resources.pop_all())
            return store

    @classmethod
    async def _held(cls, url: URL, resources: AsyncExitStack, held: Lease, file: Path) -> "Store":
        """A SQLite file that is ours alone. A rescue that was cut short begins anew."""
        if held.after_crash:
            rescue.suspect(file)
        aside = rescue.under_way(file)
        if aside is None:
            torn = rescue.is_suspect(file)
            try:
                store = await cls._opened(url, resources, torn=torn, exclusive=True)
            except DamagedError:
                if held.is_first:  # it may be a file of somebody else's
                    lease.leave_no_trace(file)
                    raise
                aside = await asyncio.to_thread(rescue.put_aside, file)
            else:
                rescue.trust(file)
                return store
        await asyncio.to_thread(rescue.begin_anew, file, aside)
        store = await cls._opened(url, resources, torn=False, exclusive=True)
        store.rescued = await store.take_over(aside)
        rescue.finish(file)
        return store

    @classmethod
    async def _opened(cls, url: URL, resources: AsyncExitStack, *, torn: bool, exclusive: bool) -> "Store":
        async with AsyncExitStack() as engines:
            writer = connection.connect(url, size=1, writes=exclusive)
            engines.push_async_callback(writer.dispose)
            readers = connection.connect(url, size=connection.READERS, writes=False)
            engines.push_async_callback(readers.dispose)
            with explained("it cannot be read"):
                await _make_ready(writer, torn=torn, exclusive=exclusive)
            resources.push_async_callback(engines.pop_all().aclose)
        return cls(writer, readers, file=connection.file_of(url) if exclusive else None)

    async def take_over(self, aside: Path) -> Rescued:
        """What must not be lost of a damaged database, into this fresh one."""

        async def work(transaction: AsyncConnection) -> Rescued:
            return await transaction.run_sync(rescue.take_over, aside)

        return await self._write(work)

    def owns(self, resources: AsyncExitStack) -> None:
        """They end with it."""
        self._resources.push_async_callback(resources.aclose)

    def patient(self, wait: Wait) -> "Store":
        """The same database for whoever has time: where it cannot be used now, `wait` and try again.

        It is closed with this one.
        """
        return Store(self._writer, self._readers, file=self._file, wait=wait)

    async def close(self) -> None:
        """No other call may be under way."""
        await self._resources.aclose()

    async def commit(
        self, steps: Sequence[Step], *, views: Sequence[ExchangeView] = (), checkpoint: Checkpoint | None = None
    ) -> None:
        """Write everything or nothing. Raises StoreError for an entry whose `seq` is not after the head."""
        entries = [step.entry for step in steps]
        caused = projections.output_rows(steps)

        async def write(transaction: AsyncConnection) -> None:
            cells = await journal.append(transaction, entries, known=self._known)
            await projections.insert_outputs(transaction, caused)
            await projections.project(transaction, steps)
            await projections.show(transaction, views)
            await outbox.follow(transaction, steps)
            await usages.follow(transaction, steps)
            await audit.extend(transaction, entries, cells=cells, outputs=caused)
            if checkpoint is not None:
                await checkpoints.save(transaction, checkpoint)

        await self._write(write)

    async def append_history(self, entries: Sequence[Entry]) -> None:
        """Commit entries that are not judged, such as an imported journal. Some thousands a call are fastest."""
        await self.commit([Step(entry, ()) for entry in entries])

    async def head(self) -> Entry | None:
        """The newest entry."""
        return await self._look(lambda reader: journal.head(reader, known=self._known))

    async def entries(self, *, after: int = 0) -> AsyncIterator[Entry]:
        """Entries with `seq` > `after` in order, those committed meanwhile too. A slow reader holds no connection."""
        while chunk := await self._chunk(after=after):
            for entry in chunk:
                yield entry
            after = chunk[-1].seq

    async def outputs(self, *, after: int, limit: int | None = None) -> list[tuple[int, Output]]:
        """Transitions and drafts of the entries with `seq` > `after`, in order, each with its `seq`."""
        return await self._look(lambda reader: projections.outputs(reader, after=after, limit=limit))

    async def checkpoint(self, *, until: datetime | None = None) -> Checkpoint | None:
        """The newest one, or the newest that is not after `until`."""
        return await self._look(lambda reader: checkpoints.newest(reader, until=until))

    async def last_reading(self, probe: str) -> datetime | None:
        """When `probe` last saw something, failures apart."""
        return await self._look(lambda reader: journal.last_reading(reader, probe))

    async def last_flow(self, probe: str) -> Flow | None:
        """The newest flow that `probe` told: where its next window begins."""
        return await self._look(lambda reader: journal.last_flow(reader, probe, known=self._known))

    async def views(self) -> list[ExchangeView]:
        """By exchange, the world ("") among them."""
        return await self._all(select(schema.views.c.body).order_by(schema.views.c.exchange), projections.VIEWS)

    async def view(self, exchange: str) -> ExchangeView | None:
        wanted = select(schema.views.c.body).where(schema.views.c.exchange == exchange)
        return _first(await self._all(wanted, projections.VIEWS))

    async def incidents(self, *, open_only: bool = False, limit: int = 100) -> list[Incident]:
        """Newest opening first."""
        table = schema.incidents
        wanted = select(table.c.body).order_by(table.c.opened_at.desc(), table.c.id).limit(limit)
        return await self._all(wanted.where(table.c.open) if open_only else wanted, projections.INCIDENTS)

    async def shown(self) -> list[Incident]:
        """All that are open, however old, and the newest 100 of all."""
        table = schema.incidents
        newest = select(table.c.id).order_by(table.c.opened_at.desc(), table.c.id).limit(100)
        wanted = select(table.c.body).where(table.c.open | table.c.id.in_(newest))
        return await self._all(wanted.order_by(table.c.opened_at.desc(), table.c.id), projections.INCIDENTS)

    async def history(self, kinds: Sequence[IncidentKind], *, since: datetime) -> list[Incident]:
        """Of these kinds, those that are open or were opened up to `LONGEST` before `since`: newest opening first."""
        table = schema.incidents
        recent = table.c.opened_at >= schema.microseconds(since - LONGEST)
        wanted = select(table.c.body).where(table.c.kind.in_(kinds), table.c.open | recent)
        return await self._all(wanted.order_by(table.c.opened_at.desc(), table.c.id), projections.INCIDENTS)

    async def began(self) -> datetime | None:
        """When the journal begins. Of one whose readings were pruned: when its oldest kept entry is from."""
        return await self._look(journal.began)

    async def incident(self, incident_id: str) -> Incident | None:
        wanted = select(schema.incidents.c.body).where(schema.incidents.c.id == incident_id)
        return _first(await self._all(wanted, projections.INCIDENTS))

    async def transitions(self, incident_id: str) -> list[Transition]:
        """Of one incident, in order."""
        table = schema.outputs
        wanted = select(table.c.body).where(table.c.incident == incident_id, table.c.kind == projections.TRANSITION)
        return await self._all(wanted.order_by(table.c.seq, table.c.n), projections.TRANSITIONS)

    async def latest_transitions(self, limit: int) -> list[Transition]:
        """Of all incidents, the newest first."""
        table = schema.outputs
        wanted = select(table.c.body).where(table.c.kind == projections.TRANSITION)
        newest = wanted.order_by(table.c.seq.desc(), table.c.n.desc()).limit(limit)
        return await self._all(newest, projections.TRANSITIONS)

    async def posted(self, limit: int) -> list[Draft]:
        """Drafts that a channel took, the newest first."""
        table = schema.drafts
        wanted = select(table.c.body).where(table.c.state == DraftState.POSTED)
        return await self._all(wanted.order_by(table.c.created_at.desc(), table.c.id).limit(limit), projections.DRAFTS)

    async def drafts(self, *, pending_only: bool = False, limit: int = 100) -> list[Draft]:
        """Newest first."""
        table = schema.drafts
        wanted = select(table.c.body).order_by(table.c.created_at.desc(), table.c.id).limit(limit)
        pending = wanted.where(table.c.state == DraftState.PENDING)
        return await self._all(pending if pending_only else wanted, projections.DRAFTS)

    async def draft(self, draft_id: str) -> Draft | None:
        wanted = select(schema.drafts.c.body).where(schema.drafts.c.id == draft_id)
        return _first(await self._all(wanted, projections.DRAFTS))

    async def incidents_page(self, asked: IncidentsAsked) -> list[Incident]:
        """Newest opening first."""
        return await self._all(records.incidents(asked), projections.INCIDENTS)

    async def drafts_page(self, asked: DraftsAsked) -> list[Draft]:
        """Newest first."""
        return await self._all(records.drafts(asked), projections.DRAFTS)

    async def timeline(self, incident_id: str, *, skip: int, limit: int) -> list[Transition]:
        """Of one incident, in order, without the first `skip`."""
        return await self._all(records.timeline(incident_id, skip=skip, limit=limit), projections.TRANSITIONS)

    async def versions(self, draft: Draft) -> list[Draft]:
        """What was ever drafted for the incident and channel of `draft`, in order."""
        table = schema.outputs
        wanted = select(table.c.body).where(table.c.incident == draft.incident, table.c.kind == projections.DRAFT)
        found = await self._all(wanted.order_by(table.c.seq, table.c.n), projections.DRAFTS)
        return [each for each in found if each.channel == draft.channel]

    async def preapprovals(self) -> list[PreApproval]:
        """Texts that were ever signed beforehand, newest first."""
        table = schema.preapprovals
        wanted = select(table.c.body).order_by(table.c.signed_at.desc(), table.c.id)
        return await self._all(wanted, projections.PREAPPROVALS)

    async def held(self) -> bool:
        """Whether a person holds all publishing."""
        return await self._look(projections.is_held)

    async def due(self) -> list[Draft]:
        """Approved drafts that nobody has claimed, oldest first."""
        return await self._all(outbox.due(), projections.DRAFTS)

    async def unfinished(self) -> list[Attempt]:
        """Claimed and not settled. At start: those whose outcome nobody knows."""
        return await self._look(outbox.unfinished)

    async def unsettled(self) -> list[Attempt]:
        """Of unknown outcome, and not yet surely looked for."""
        return await self._look(outbox.unsettled)

    async def posts(self, draft: Draft) -> list[Draft]:
        """What the incident of `draft` has at its channel, oldest first."""
        return await self._look(lambda reader: outbox.posts(reader, draft))

    async def posted_since(self, channel: str, *, since: datetime) -> list[Draft]:
        """What went out at `channel` of what was written since then, oldest first."""
        return await self._look(lambda reader: outbox.posted_since(reader, channel, since=since))

    async def claim(self, draft_id: str, *, now: datetime) -> Draft | None:
        """Mark a draft as being sent, in one transaction, and return it.

        None unless it is queued, approved, not expired, nothing is held, its channel did not ask to wait longer, no
        earlier word of its incident is on its way there, and its text is exactly the one approved.
        """
        return await self._write(lambda transaction: outbox.claim(transaction, draft_id, now=now))

    async def closures(self) -> list[Closure]:
        """The newest of each host that ever told us to stop, those that are over too."""
        return await self._look(closures.read)

    async def keep_closure(self, closure: Closure) -> None:
        """On disk when this returns, in place of the former one of that host."""
        await self._write(lambda transaction: closures.keep(transaction, closure))

    async def taken_before(self, digest: bytes, *, until: datetime, now: datetime) -> bool:
        """Whether a push was taken before. From this question on it was, until its signature holds no longer."""
        if await self._look(lambda reader: pushes.is_kept(reader, digest)):
            return True
        return not await self._write(lambda transaction: pushes.keep(transaction, digest, until=until, now=now))

    async def begin_answer(
        self, key: bytes, *, fingerprint: bytes, now: datetime, until: datetime
    ) -> KeptAnswer | None:
        """Take a key; what is kept under it where it was taken before."""
        return await self._write(
            lambda transaction: answers.begin(transaction, key, fingerprint=fingerprint, now=now, until=until)
        )

    async def keep_answer(self, key: bytes, answer: KeptAnswer) -> None:
        """On disk when this returns."""
        await self._write(lambda transaction: answers.keep(transaction, key, answer))

    async def forget_answer(self, key: bytes) -> None:
        """Give a key back that nothing was done under."""
        await self._write(lambda transaction: answers.forget(transaction, key))

    async def usages(self) -> list[WalletUsage]:
        """What single wallets sent in the last days, oldest day first."""
        return await self._look(usages.read)

    async def prune(self, *, before: datetime) -> int:
        """Forget readings older than `before` that no retained checkpoint is followed by; returns how many."""
        oldest = await self._write(lambda transaction: retention.begin(transaction, before=before))
        if oldest is None:
            return 0
        span = await self._look(lambda reader: retention.span(reader, oldest, before=before))
        if span is None:
            return 0
        return sum([await self._write(partial(retention.forget, span=chunk)) for chunk in retention.chunks(span)])

    async def back_up(self, *, now: datetime, keep: int) -> Path | None:
        """A whole copy of the SQLite file, beside it; None of a server, which has its own ways. Raises BackupError."""
        file = self._file
        return None if file is None else await self._done(partial(backup.back_up, file, now=now, keep=keep))

    def backed_up_at(self) -> datetime | None:
        """When the newest copy was made; None where there is none."""
        return None if self._file is None else backup.newest(self._file)

    async def verify_audit(self) -> int | None:
        """The first `seq` at which commands or drafts are not what they were when committed; None if all are."""
        return await self._look(audit.first_broken)

    async def _write(self, work: _Work[_T]) -> _T:
        return await self._done(lambda: _run(self._writer.begin(), work, failing="the database cannot be written"))

    async def _look(self, work: _Work[_T]) -> _T:
        return await self._done(lambda: _run(self._readers.connect(), work, failing="the database cannot be read"))

    async def _done(self, work: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        while True:
            try:
                return await _finished(work())
            except DamagedError:
                if self._file is not None:
                    rescue.suspect(self._file)
                raise
            except UnavailableError as error:
                if self._wait is None:
                    raise
                await self._wait(error)

    async def _chunk(self, *, after: int) -> list[Entry]:
        return await self._look(lambda reader: journal.read(reader, after=after, limit=_CHUNK, known=self._known))

    async def _all(self, bodies: Select[bytes], decoder: Decoder[_T]) -> list[_T]:
        async def decoded(reader: AsyncConnection) -> list[_T]:
            return [decoder.decode(body) for body in (await reader.execute(bodies)).scalars()]

        return await self._look(decoded)


async def _run(connecting: AbstractAsyncContextManager[AsyncConnection], work: _Work[_T], *, failing: str) -> _T:
    with explained(failing):
        async with connecting as connection:
            return await work(connection)


async def _finished(work: Coroutine[Any, Any, _T]) -> _T:
    """Let work end even if the caller is cancelled meanwhile: a transaction cut off in the middle stays locked."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        task.result()
        raise


def _first(found: Sequence[_T]) -> _T | None:
    return found[0] if found else None


def _enter(url: URL, resources: AsyncExitStack, *, exclusive: bool) -> Lease | None:
    """Make the way to the database free. None where nobody needs a lease."""
    file = connection.file_of(url)
    if file is None:
        return None
    if not exclusive:
        if not file.exists():
            raise StoreError(f"there is no database {file}: it is made by the first `cexwatch run`")
        return None
    file.parent.mkdir(parents=True, exist_ok=True)
    held = lease.take(file)
    resources.callback(lease.give_back, held)
    return held


async def _make_ready(writer: AsyncEngine, *, torn: bool, exclusive: bool) -> None:
    async with writer.begin() as transaction:
        if torn:
            await connection.check(transaction)
        version = await connection.stored_version(transaction)
        if version == HEAD:
            return
        if not exclusive:
            raise StoreError(
                f"the database has schema {version}, and {HEAD} is needed: the next `cexwatch run` migrates it"
            )
        from monitor.store.migration import upgrade  # noqa: PLC0415 - most starts need no alembic, and its import takes long

        await transaction.run_sync(upgrade)
