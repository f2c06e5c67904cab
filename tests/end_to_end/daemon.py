"""The daemon as its users meet it: a process, a page, a command socket, a folder of posts and a database."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import aiohttp
import msgspec
from prometheus_client.parser import text_string_to_metric_families

from monitor.clock import Clock
from monitor.commands import Order, send
from monitor.model import (
    SUPPORT,
    Change,
    Draft,
    DraftState,
    Entry,
    Incident,
    IncidentKind,
    Reply,
    Stage,
    Transition,
    Verb,
)
from monitor.store.store import Store
from tests import warm

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
STOP_SECONDS = 10.0
LOOK_SECONDS = 0.05

T = TypeVar("T")


async def eventually(look: Callable[[], Awaitable[T | None]], *, within: float = 30.0) -> T:
    """The first true answer of `look`, asked again and again for at most `within` real seconds."""
    try:
        async with asyncio.timeout(within):
            while True:
                found = await look()
                if found:
                    return found
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError as error:
        raise AssertionError(f"not so within {within:.0f} s: {look.__qualname__}") from error


class Metrics:
    """One scrape."""

    def __init__(self, text: str) -> None:
        self._samples = {
            (sample.name.removeprefix("cexwatch_"), frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float | None:
        """None where there is no such series."""
        return self._samples.get((name, frozenset(labels.items())))

    def having(self, name: str, label: str) -> set[str]:
        """The values of a label among the series of a metric."""
        return {dict(labels)[label] for known, labels in self._samples if known == name}

    def states(self, exchange: str) -> set[str]:
        """The states in which an exchange's withdrawals are said to be."""
        return {
            label
            for (name, labels), value in self._samples.items()
            if name == "withdrawals_state" and value == 1 and ("exchange", exchange) in labels
            for key, label in labels
            if key == "state"
        }


class Daemon:
    """A running daemon. `store` reads its database beside it, as `cexwatch incidents ls` does."""

    def __init__(
        self, process: Process | warm.Daemon, *, page: str, folder: Path, store: Store, session: aiohttp.ClientSession
    ) -> None:
        self.page = page
        self.store = store
        self.posts = folder / "posts"
        self._process = process
        self._socket = folder / "cexwatch.sock"
        self._log = folder / "log.jsonl"
        self._session = session

    @property
    def pid(self) -> int:
        return self._process.pid

    async def get(self, path: str) -> tuple[int, str]:
        async with self._session.get(self.page + path) as response:
            return response.status, await response.text()

    async def metrics(self) -> Metrics:
        status, text = await self.get("/metrics")
        assert status == 200
        return Metrics(text)

    async def order(
        self,
        verb: Verb,
        subject: str = "",
        *,
        text_sha256: str | None = None,
        text: str | None = None,
        arguments: Mapping[str, str] = {},
    ) -> Reply:
        arguments = {**arguments, **({} if text is None else {"text": text})}
        return await send(self._socket, Order(verb=verb, subject=subject, text_sha256=text_sha256, arguments=arguments))

    async def approve(self, draft: Draft) -> Reply:
        """Approve exactly the text that was shown."""
        return await self.order(Verb.APPROVE, draft.id, text_sha256=draft.text_sha256)

    def posted(self) -> list[bytes]:
        """What was published, in order of writing; files that are being written count, for nobody may see them."""
        return [file.read_bytes() for file in sorted(self.posts.glob("*"))] if self.posts.exists() else []

    def events(self, event: str) -> list[dict[str, object]]:
        """Log lines of one event."""
        decoder = msgspec.json.Decoder(dict[str, object])
        lines = (decoder.decode(line) for line in self._log.read_bytes().splitlines() if line.startswith(b"{"))
        return [line for line in lines if line["event"] == event]

    def reload(self) -> None:
        self._process.send_signal(signal.SIGHUP)

    async def stop(self) -> None:
        """SIGTERM: it ends by itself, in time and without complaint."""
        self._process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOP_SECONDS):
            assert await self._process.wait() == 0

    async def kill(self) -> None:
        """The machine goes down."""
        self._process.kill()
        await self._process.wait()

    async def state_is(self, exchange: str, state: str) -> None:
        async def said() -> bool:
            return (await self.metrics()).states(exchange) == {state}

        await eventually(said)

    async def incident(self, kind: IncidentKind, *, exchange: str = "") -> Incident:
        """The newest incident of a kind, as soon as there is one."""

        async def found() -> Incident | None:
            incidents = await self.store.incidents()
            return next((i for i in incidents if i.kind is kind and i.exchange == exchange), None)

        return await eventually(found)

    async def transition(self, incident: str, change: Change) -> Transition:
        """The newest transition of an incident that is such a change, as soon as there is one."""

        async def found() -> Transition | None:
            transitions = await self.store.transitions(incident)
            return next((t for t in reversed(transitions) if t.transition is change), None)

        return await eventually(found)

    async def pending(self, incident: str) -> Draft:
        """The draft of an incident that waits, as soon as there is one."""

        async def found() -> Draft | None:
            drafts = await self.store.drafts(pending_only=True)
            return next((d for d in drafts if d.incident == incident and d.channel != SUPPORT), None)

        return await eventually(found)

    async def draft_of(self, incident: str, stage: Stage) -> Draft:
        """The newest draft of a stage of an incident, as soon as there is one."""

        async def found() -> Draft | None:
            drafts = await self.store.drafts()
            posts = [draft for draft in drafts if draft.channel != SUPPORT]
            return next((draft for draft in posts if draft.incident == incident and draft.stage is stage), None)

        return await eventually(found)

    async def draft_becomes(self, draft: Draft, state: DraftState) -> Draft:
        async def became() -> Draft | None:
            now = await self.store.draft(draft.id)
            return now if now is not None and now.state is state else None

        return await eventually(became)

    async def journal(self) -> list[Entry]:
        return [entry async for entry in self.store.entries()]


@asynccontextmanager
async def daemon(config: Path, clock: Clock) -> AsyncIterator[Daemon]:
    """Run the daemon of `config` on a clock that agrees with `clock`; at the end it is stopped by SIGTERM."""
    wall = Clock().now()
    shown = clock.now()
    arguments = (str(config), str(clock.speed), wall.isoformat(), shown.isoformat())
    with (config.parent / "log.jsonl").open("ab") as log:
        async with (
            warm.daemon(*arguments, err=log.fileno()) as process,
            _attended(process, config.parent) as running,
        ):
            yield running


@asynccontextmanager
async def started(
    arguments: Sequence[str], folder: Path, *, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Daemon]:
    """Run Python with `arguments` until its page is ready, whose address it prints first. `environ` None is ours."""
    with (folder / "log.jsonl").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, stdin=DEVNULL, stdout=PIPE, stderr=log, cwd=ROOT, env=environ
        )
    async with _attended(process, folder) as running:
        yield running


@asynccontextmanager
async def _attended(process: Process | warm.Daemon, folder: Path) -> AsyncIterator[Daemon]:
    try:
        page = await _address(process, folder)
        store = await Store.open(f"sqlite+aiosqlite:///{folder}/cexwatch.db", exclusive=False)
        try:
            async with aiohttp.ClientSession() as session:
                running = Daemon(process, page=page, folder=folder, store=store, session=session)
                assert await running.get("/readyz") == (200, "ready\n")
                yield running
                if process.returncode is None:
                    await running.stop()
        finally:
            await store.close()
    except BaseException:
        sys.stderr.write((folder / "log.jsonl").read_text())
        raise
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def run_command(*arguments: str) -> str:
    """What `cexwatch` prints; it must end with exit code 0."""
    code, out, err = await warm.call(*arguments, environ=os.environ)
    assert code == 0, err.decode()
    return out.decode()


async def _address(process: Process | warm.Daemon, folder: Path) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(START_SECONDS):
        line = await process.stdout.readline()
    page = line.decode().strip().rpartition(" ")[2]
    assert page.startswith("http://127.0.0.1:"), f"{page!r}; {(folder / 'log.jsonl').read_text()}"
    return page
