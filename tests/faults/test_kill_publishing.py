"""The daemon is killed at every step of a public post (fault H2): it is up once, or a person is told that it is not."""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import Struct

from monitor.clock import Clock
from monitor.commands import CommandError, Order, send
from monitor.model import Draft, DraftState, Stage, Verb
from tests.faults.ledger import ALL, Ledger, looking
from tests.faults.lives import Lives, write_config
from tests.servers import ControlServer, ExchangeServer
from tests.x_posts import KEYRING, Step, Way, XPosts

SEED = 20260203
SPEED = 100.0
START = datetime(2026, 2, 3, tzinfo=UTC)
LONG_AFTER = START + timedelta(days=1)  # lives begin where the journal ends, so the server's clock is ahead of each
SETTLED_SECONDS = 45.0
KNOWN = (DraftState.POSTED, DraftState.REFUSED)


class Kill(Struct, frozen=True):
    """When the life ends that publishes: at a step of the request, or so many seconds after the approval."""

    at: Step | None = None
    after: float = 0.0
    way: Way = Way.WELL


class Trial:
    def __init__(self, folder: Path, *, lives: Lives, exchange: ExchangeServer, x: XPosts, config: Path) -> None:
        self.database = f"sqlite+aiosqlite:///{folder}/cexwatch.db"
        self.ledger = Ledger(self.database)
        self._socket = folder / "cexwatch.sock"
        self._lives = lives
        self._exchange = exchange
        self._x = x
        self._config = config

    async def publish(self, kill: Kill) -> str:
        """Approve the first draft of a halt in a life that is killed. Returns its id."""
        self._x.ways = [kill.way]
        await self._lives.begin(self._config, start=START)
        await self._lives.hears("ready")
        self._exchange.suspend_all()
        waiting = (await self._lives.hears("draft_waiting")).draft
        if kill.at is not None:
            self._x.on_step = lambda step: self._lives.send(signal.SIGKILL) if step is kill.at else None
        draft = await self._draft(waiting)
        try:
            await self._ask(Order(verb=Verb.APPROVE, subject=waiting, text_sha256=draft.text_sha256))
            if kill.at is None:
                asyncio.get_running_loop().call_later(kill.after, self._lives.send, signal.SIGKILL)
        except CommandError:
            assert kill.at is not None  # it was killed before it could say that it had heard
        async with asyncio.timeout(SETTLED_SECONDS):
            assert await self._lives.ends() == -signal.SIGKILL, self._lives.raw
        await self.ledger.read_on()
        return waiting

    async def settle(self, name: str) -> Draft:
        """What a life that nobody kills makes of it."""
        self._x.on_step = lambda _: None
        assert self.ledger.at is not None
        await self._lives.begin(self._config, start=self.ledger.at)
        await self._lives.hears("ready")

        async def is_settled() -> bool:
            draft = await self._draft(name)
            return draft.state in KNOWN or draft.searched

        async with asyncio.timeout(SETTLED_SECONDS), asyncio.TaskGroup() as group:
            end = group.create_task(self._lives.ends())
            await _until(is_settled)
            self._lives.send(signal.SIGTERM)
        assert end.result() == 0, self._lives.raw
        await self.ledger.read_on()
        return self.ledger.drafts[name]

    async def _draft(self, name: str) -> Draft:
        async with looking(self.database) as store:
            draft = await store.draft(name)
        assert draft is not None
        return draft

    async def _ask(self, order: Order) -> None:
        assert (await send(self._socket, order)).ok


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    while not await holds():
        await asyncio.get_running_loop().run_in_executor(None, lambda: None)


def _with_x(config: Path, x: XPosts) -> Path:
    """The configuration with X in place of files."""
    named = {
        "consumer_key": KEYRING.consumer_key,
        "consumer_secret": KEYRING.consumer_secret,
        "access_token": KEYRING.access_token,
        "access_token_secret": KEYRING.access_token_secret,
    }
    lines = [line for line in config.read_text().splitlines() if not line.startswith("channels:")]
    settings = [f"api_base_url: '{x.url}'", "allow_private: true"]
    for name, secret in named.items():
        (config.parent / name).write_text(secret)
        (config.parent / name).chmod(0o600)
        settings.append(f"{name}_file: {name}")
    lines.append(f"channels: {{file: null, x: {{{', '.join(settings)}}}}}")
    config.write_text("\n".join(lines) + "\n")
    return config


async def _killed(folder: Path, kill: Kill) -> tuple[Draft, XPosts]:
    clock = Clock(start=START, speed=SPEED)
    async with AsyncExitStack() as running:
        exchange = await running.enter_async_context(ExchangeServer(clock))
        controls = [await running.enter_async_context(ControlServer(clock)) for _ in range(2)]
        x = await running.enter_async_context(XPosts(now=lambda: LONG_AFTER))
        config = write_config(folder, {"kraken": exchange.url}, control=(controls[0].url, controls[1].url))
        lives = await running.enter_async_context(Lives(speed=SPEED))
        trial = Trial(folder, lives=lives, exchange=exchange, x=x, config=_with_x(config, x))
        name = await trial.publish(kill)
        draft = await trial.settle(name)
        async with looking(trial.database) as store:
            assert await store.drafts(limit=ALL)
        return draft, x


def _check(draft: Draft, x: XPosts) -> None:
    assert draft.stage is Stage.INVESTIGATING
    assert x.refused_signatures == 0
    assert len(x.attempts) <= 1, "it was sent a second time, and nobody had asked for that"
    match draft.state:
        case DraftState.POSTED:
            assert x.texts() == [draft.text]
            assert draft.remote_id == x.posts[0].id
        case DraftState.UNKNOWN_OUTCOME | DraftState.REFUSED:
            assert x.texts() == []
            assert draft.reason != ""
        case state:
            pytest.fail(f"{state} is no end")


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("kill", "state"),
    [
        pytest.param(Kill(at=Step.RECEIVED, way=Way.DROP_BEFORE), DraftState.UNKNOWN_OUTCOME, id="when it was sent"),
        pytest.param(Kill(at=Step.TAKEN), DraftState.POSTED, id="when it was taken"),
        pytest.param(Kill(at=Step.ANSWERED), DraftState.POSTED, id="when it was answered"),
        pytest.param(Kill(after=0.0), None, id="when it was approved"),
        pytest.param(Kill(after=0.02), None, id="a moment after it was approved"),
    ],
)
async def test_killed_while_it_publishes_it_is_up_once_or_a_person_is_told(
    kill: Kill, state: DraftState | None, tmp_path: Path
) -> None:
    draft, x = await _killed(tmp_path, kill)
    _check(draft, x)
    assert state is None or draft.state is state


@pytest.mark.soak
@pytest.mark.timeout(3000)
async def test_killed_at_random_instants_it_is_up_once_or_a_person_is_told(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    for n in range(100):
        folder = tmp_path / f"{n:03d}"
        folder.mkdir()
        way = rng.choice([Way.WELL, Way.DROP_AFTER, Way.DROP_BEFORE, Way.HTML, Way.NO_JSON_AFTER])
        _check(*await _killed(folder, Kill(after=rng.uniform(0, 0.15), way=way)))
