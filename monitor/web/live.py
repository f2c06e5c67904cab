"""News of incidents as server-sent events (WHATWG HTML, section 9.2). The id of each is its place in the journal.

A reader that falls behind is dropped, and asks again with the last id it saw: nobody waits for it.
"""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Protocol

import msgspec
import structlog
from aiohttp import web
from msgspec import Struct

from monitor.metrics import Metrics
from monitor.model import Change, Entry, IncidentKind, Output, Severity, Transition

log = structlog.get_logger()

PATH = "/events"
READERS = 100
WAITING = 64  # events a reader may be behind
MISSED = 200  # events that are told again; a reader who missed more is told to look at the page
HEARTBEAT_SECONDS = 15.0  # real ones, as are the next
WRITE_SECONDS = 10.0
CHANGED_SECONDS = 5.0  # pages change with every reading: they are told of it no oftener
LONGEST_ID = 18  # digits: what the journal numbers its entries with
RETRY_MILLISECONDS = 3000
HEARTBEAT = b": still here\n\n"
HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Happenings(Protocol):
    """What the events are made of."""

    async def head(self) -> Entry | None: ...
    async def outputs(self, *, after: int, limit: int | None = None) -> Sequence[tuple[int, Output]]: ...


class Said(Struct, frozen=True, kw_only=True):
    """What an event holds of a transition. Nothing in it waits for an approval."""

    incident: str
    transition: Change
    kind: IncidentKind
    severity: Severity
    exchange: str
    summary: str


class Event(Struct, frozen=True):
    """`seq` is that of its entry; None for one that is no news but says that pages have changed."""

    seq: int | None
    body: bytes


CHANGED = Event(None, b"event: changed\ndata: {}\n\n")


class Reader:
    """One stream, behind by at most `WAITING` events."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self.queue: asyncio.Queue[Event] = asyncio.Queue(WAITING)
        self.is_dropped = False

    def tell(self, event: Event) -> None:
        try:
            self.queue.put_nowait(event)
        except asyncio.QueueFull:
            self.drop()

    def drop(self) -> None:
        """It fell too far behind."""
        if not self.is_dropped:
            self._metrics.reader_dropped()
        self.is_dropped = True

    def end(self) -> None:
        self.is_dropped = True
        if self.queue.empty():
            self.queue.put_nowait(CHANGED)  # wakes it


class Live:
    """One task (`run`) looks at the store for all readers, and at nothing while there are none."""

    def __init__(
        self,
        store: Happenings,
        *,
        metrics: Metrics,
        readers: int = READERS,
        heartbeat: float = HEARTBEAT_SECONDS,
        write: float = WRITE_SECONDS,
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._most = readers
        self._heartbeat = heartbeat
        self._write = write
        self._readers: dict[Reader, None] = {}
        self._seen = 0
        self._changed_at = -CHANGED_SECONDS
        self._is_over = False

    def route(self) -> web.RouteDef:
        return web.get(PATH, self.stream)

    async def run(self, committed: asyncio.Event) -> None:
        """Tell what was committed each time that rings. Ends every stream when it is cancelled."""
        try:
            while True:
                await committed.wait()
                committed.clear()
                if self._readers:
                    await self._tell()
                    self._measure()
        finally:
            self._is_over = True
            for reader in self._readers:
                reader.end()

    async def _tell(self) -> None:
        outputs = await self._store.outputs(after=self._seen, limit=MISSED)
        for event in events(outputs):
            for reader in self._readers:
                reader.tell(event)
        self._seen = max(self._seen, *(seq for seq, _ in outputs)) if outputs else self._seen
        now = asyncio.get_running_loop().time()
        if now - self._changed_at >= CHANGED_SECONDS:
            self._changed_at = now
            for reader in self._readers:
                if reader.queue.empty():
                    reader.tell(CHANGED)

    def _measure(self) -> None:
        behind = max((reader.queue.qsize() for reader in self._readers), default=0)
        self._metrics.streamed(readers=len(self._readers), behind=behind)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """503 where all seats are taken."""
        if self._is_over or len(self._readers) >= self._most:
            retry = {"Retry-After": "60", "Cache-Control": "no-store"}
            return web.Response(text="all seats are taken\n", status=HTTPStatus.SERVICE_UNAVAILABLE, headers=retry)
        reader = Reader(self._metrics)
        self._readers[reader] = None  # before the first wait, so that no seat is given twice and no news is missed
        self._measure()
        try:
            return await self._serve(request, reader)
        finally:
            del self._readers[reader]
            self._measure()

    async def _serve(self, request: web.Request, reader: Reader) -> web.StreamResponse:
        response = web.StreamResponse(headers=HEADERS)
        try:
            await response.prepare(request)
            seen = await self._catch_up(request, response)
            while not reader.is_dropped:
                event = await _next(reader, self._heartbeat)
                if reader.is_dropped:
                    break
                if event is None:
                    await self._send(response, HEARTBEAT)
                elif event.seq is None or event.seq > seen:
                    await self._send(response, event.body)
        except TimeoutError:
            reader.drop()
        except ConnectionError:
            log.debug("reader_gone", remote=request.remote)
        if request.transport is not None and not self._is_over:
            request.transport.abort()  # what it did not take is not waited for; the browser comes again
        return response

    async def _catch_up(self, request: web.Request, response: web.StreamResponse) -> int:
        """Tell again what the reader missed; returns the `seq` it has seen now."""
        head = await self._store.head()
        newest = head.seq if head is not None else 0
        if len(self._readers) == 1:
            self._seen = newest
        after = _last_id(request)
        opening = f"retry: {RETRY_MILLISECONDS}\n\n".encode()
        if after is None:
            await self._send(response, opening + HEARTBEAT)
            return newest
        missed = await self._store.outputs(after=after, limit=MISSED) if after <= newest else []
        if after > newest or len(missed) >= MISSED:
            await self._send(response, opening + f"id: {newest}\nevent: reset\ndata: {{}}\n\n".encode())
            return newest
        await self._send(response, opening + HEARTBEAT + b"".join(event.body for event in events(missed)))
        return max([after, *(seq for seq, _ in missed)])

    async def _send(self, response: web.StreamResponse, body: bytes) -> None:
        async with asyncio.timeout(self._write):
            await response.write(body)


def events(outputs: Sequence[tuple[int, Output]]) -> list[Event]:
    """Of the transitions among them. Only the last of an entry bears its id: who is cut off between two asks again."""
    told = [(seq, output) for seq, output in outputs if type(output) is Transition]
    last = {seq: place for place, (seq, _) in enumerate(told)}
    return [Event(seq, _body(each, seq if last[seq] == place else None)) for place, (seq, each) in enumerate(told)]


def _body(transition: Transition, seq: int | None) -> bytes:
    said = Said(
        incident=transition.incident,
        transition=transition.transition,
        kind=transition.kind,
        severity=transition.severity,
        exchange=transition.exchange,
        summary=transition.summary,
    )
    named = b"" if seq is None else f"id: {seq}\n".encode()
    return named + b"event: incident\ndata: " + msgspec.json.encode(said) + b"\n\n"


def _last_id(request: web.Request) -> int | None:
    told = request.headers.get("Last-Event-ID", "")
    return int(told) if told.isascii() and told.isdigit() and len(told) <= LONGEST_ID else None


async def _next(reader: Reader, seconds: float) -> Event | None:
    """None where nothing comes in time."""
    try:
        async with asyncio.timeout(seconds):
            return await reader.queue.get()
    except TimeoutError:
        return None
