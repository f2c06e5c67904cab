"""SIGTERM ends the daemon in order, whatever it is doing: exit code 0 within ten seconds, and nothing half done."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from monitor.clock import Clock
from monitor.commands import Order, send
from monitor.model import Draft, DraftState, Reply, Verb
from tests.faults.ledger import Ledger, check_posts, looking
from tests.faults.lives import Lives, write_config
from tests.servers import ControlServer, ExchangeServer

SPEED = 60.0
START = datetime(2026, 2, 3, tzinfo=UTC)
EXIT_SECONDS = 10.0
DEADLINE = 40.0


class Sleeper:
    """Takes connections and requests, and never answers."""

    url: str

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self._over = asyncio.Event()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        self.url = f"http://{host}:{port}"
        async with server:
            yield
            self._over.set()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        self.asked.set()
        await self._over.wait()
        writer.close()


class House:
    """A daemon that watches one exchange, all on loopback and in a folder."""

    def __init__(self, folder: Path, *, url: str, lives: Lives, control: tuple[str, str]) -> None:
        self.database = f"sqlite+aiosqlite:///{folder}/cexwatch.db"
        self.socket = folder / "cexwatch.sock"
        self.posts = folder / "posts"
        self.lives = lives
        self._config = write_config(folder, {"gate": url}, control=control)
        self._start = START

    async def live(self) -> None:
        await self.lives.begin(self._config, start=self._start)
        await self.lives.hears("ready")

    async def stop(self) -> None:
        """Send SIGTERM and expect an end in order."""
        async with asyncio.timeout(EXIT_SECONDS):
            self.lives.send(signal.SIGTERM)
            status = await self.lives.ends()
        assert status == 0, "".join(self.lives.raw)
        assert self.lives.raw == []

    async def look(self) -> Ledger:
        ledger = Ledger(self.database)
        await ledger.read_on()
        assert ledger.at is not None
        self._start = ledger.at
        return ledger

    async def drafted(self) -> Draft:
        """Wait for a draft that waits for a person."""
        told = await self.lives.hears("draft_waiting")
        async with looking(self.database) as store:
            draft = await store.draft(told.draft)
        assert draft is not None
        return draft


@asynccontextmanager
async def house(folder: Path, *, url: str) -> AsyncIterator[House]:
    clock = Clock(start=START, speed=SPEED)
    async with AsyncExitStack() as running:
        controls = [await running.enter_async_context(ControlServer(clock)) for _ in range(2)]
        lives = await running.enter_async_context(Lives(speed=SPEED))
        await running.enter_async_context(asyncio.timeout(DEADLINE))
        yield House(folder, url=url, lives=lives, control=(controls[0].url, controls[1].url))


async def test_it_ends_while_a_probe_hangs(tmp_path: Path) -> None:
    sleeper = Sleeper()
    async with sleeper.listening(), house(tmp_path, url=sleeper.url) as daemon:
        await daemon.live()
        await sleeper.asked.wait()
        await daemon.stop()
        await daemon.look()


@pytest.mark.soak
async def test_it_ends_while_somebody_is_connected_and_says_nothing(tmp_path: Path) -> None:
    async with ExchangeServer(Clock(start=START, speed=SPEED)) as exchange, house(tmp_path, url=exchange.url) as daemon:
        await daemon.live()
        _, writer = await asyncio.open_unix_connection(str(daemon.socket))
        try:
            await daemon.stop()
        finally:
            writer.close()
            await writer.wait_closed()


@pytest.mark.soak
async def test_it_ends_while_a_draft_is_delivered(tmp_path: Path) -> None:
    async with ExchangeServer(Clock(start=START, speed=SPEED)) as exchange, house(tmp_path, url=exchange.url) as daemon:
        await daemon.live()
        exchange.suspend_all()
        draft = await daemon.drafted()
        approval = Order(verb=Verb.APPROVE, subject=draft.id, text_sha256=draft.text_sha256)
        assert (await send(daemon.socket, approval)).ok
        while not await _posts(daemon.posts):
            pass
        await daemon.stop()
        await _check_posted_once(daemon, draft)


@pytest.mark.soak
async def test_it_ends_while_a_command_is_on_its_way(tmp_path: Path) -> None:
    async with ExchangeServer(Clock(start=START, speed=SPEED)) as exchange, house(tmp_path, url=exchange.url) as daemon:
        await daemon.live()
        exchange.suspend_all()
        draft = await daemon.drafted()
        approval = Order(verb=Verb.APPROVE, subject=draft.id, text_sha256=draft.text_sha256)
        reader, writer = await asyncio.open_unix_connection(str(daemon.socket))
        try:
            writer.write(msgspec.json.encode(approval) + b"\n")
            await writer.drain()
            await daemon.stop()
            answer = await reader.readline()
        finally:
            writer.close()
            await writer.wait_closed()
        ledger = await daemon.look()
        is_approved = ledger.drafts[draft.id].state is not DraftState.PENDING
        assert is_approved == any(command.verb is Verb.APPROVE for command in ledger.commands)
        assert is_approved or not answer or not msgspec.json.decode(answer, type=Reply).ok


async def _check_posted_once(daemon: House, draft: Draft) -> None:
    """At the latest the next life notes what became of it."""
    await daemon.look()
    await daemon.live()
    async with asyncio.TaskGroup() as group:
        stopping = group.create_task(daemon.lives.ends())
        while not await _is_posted(daemon.database, draft.id):
            pass
        daemon.lives.send(signal.SIGTERM)
    assert stopping.result() == 0
    ledger = await daemon.look()
    check_posts(ledger, daemon.posts)
    assert list(ledger.posted) == [draft.id]


async def _is_posted(database: str, draft: str) -> bool:
    async with looking(database) as store:
        found = await store.draft(draft)
    return found is not None and found.state is DraftState.POSTED


async def _posts(folder: Path) -> list[Path]:
    return await asyncio.to_thread(lambda: list(folder.glob("*.txt")))
