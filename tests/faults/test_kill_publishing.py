"""The daemon is killed at every step of a public post (fault H2): it is up once, or a person is told that it is not."""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Protocol

import pytest
from msgspec import Struct, structs

from monitor.clock import Clock
from monitor.commands import CommandError, Order, send
from monitor.model import Draft, DraftState, Stage, Verb
from tests.faults.ledger import Ledger, looking
from tests.faults.lives import Lives, write_config
from tests.servers import ControlServer, ExchangeServer
from tests.statuspage_api import COMPONENTS, KEY, PAGE, StatuspageApi
from tests.steps import Step, go_on
from tests.webhook_receiver import SECRET, Receiver
from tests.x_posts import KEYRING, Way, XPosts

SEED = 20260203
SPEED = 100.0
START = datetime(2026, 2, 3, tzinfo=UTC)
LONG_AFTER = START + timedelta(days=1)  # lives begin where the journal ends, so the server's clock is ahead of each
SETTLED_SECONDS = 45.0
KNOWN = (DraftState.POSTED, DraftState.REFUSED)


class Server(Protocol):
    """What a channel speaks to."""

    on_step: Callable[[Step], None]


class Kill(Struct, frozen=True):
    """When the life ends that publishes: at a step of the request, or so many seconds after the approval."""

    at: Step | None = None
    after: float = 0.0
    way: Way = Way.WELL


class Trial:
    def __init__(self, folder: Path, *, lives: Lives, exchange: ExchangeServer, server: Server, config: Path) -> None:
        self.database = f"sqlite+aiosqlite:///{folder}/cexwatch.db"
        self.ledger = Ledger(self.database)
        self._socket = folder / "cexwatch.sock"
        self._lives = lives
        self._exchange = exchange
        self._server = server
        self._config = config

    async def publish(self, kill: Kill) -> str:
        """Approve the first draft of a halt in a life that is killed. Returns its id."""
        await self._lives.begin(self._config, start=START)
        await self._lives.hears("ready")
        self._exchange.suspend_all()
        waiting = (await self._lives.hears("draft_waiting")).draft
        if kill.at is not None:
            self._server.on_step = lambda step: self._lives.send(signal.SIGKILL) if step is kill.at else None
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
        self._server.on_step = go_on
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


def _with(config: Path, name: str, secrets: dict[str, str], settings: list[str]) -> Path:
    """The configuration with this channel in place of files."""
    lines = [line for line in config.read_text().splitlines() if not line.startswith("channels:")]
    for secret, value in secrets.items():
        (config.parent / secret).write_text(value)
        (config.parent / secret).chmod(0o600)
        settings.append(f"{secret}_file: {secret}")
    lines.append(f"channels: {{file: null, {name}: {{{', '.join(settings)}}}}}")
    config.write_text("\n".join(lines) + "\n")
    return config


def _with_x(config: Path, x: XPosts) -> Path:
    secrets = {name: str(value) for name, value in structs.asdict(KEYRING).items()}
    return _with(config, "x", secrets, [f"api_base_url: '{x.url}'", "allow_private: true"])


def _with_statuspage(config: Path, api: StatuspageApi) -> Path:
    settings = [f"api_base_url: '{api.url}'", "allow_private: true", f"page: {PAGE}", f"components: [{COMPONENTS[0]}]"]
    return _with(config, "statuspage", {"api_key": KEY}, settings)


async def _killed(folder: Path, kill: Kill, *, server: Server, change: Callable[[Path], Path]) -> Draft:
    clock = Clock(start=START, speed=SPEED)
    async with AsyncExitStack() as running:
        exchange = await running.enter_async_context(ExchangeServer(clock))
        controls = [await running.enter_async_context(ControlServer(clock)) for _ in range(2)]
        config = write_config(folder, {"kraken": exchange.url}, control=(controls[0].url, controls[1].url))
        lives = await running.enter_async_context(Lives(speed=SPEED))
        trial = Trial(folder, lives=lives, exchange=exchange, server=server, config=change(config))
        return await trial.settle(await trial.publish(kill))


async def _killed_at_x(folder: Path, kill: Kill) -> tuple[Draft, XPosts]:
    async with XPosts(now=lambda: LONG_AFTER) as x:
        x.ways = [kill.way]
        return await _killed(folder, kill, server=x, change=partial(_with_x, x=x)), x


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
        pytest.param(Kill(at=Step.ANSWERED), DraftState.POSTED, marks=pytest.mark.soak, id="when it was answered"),
        pytest.param(Kill(after=0.0), None, marks=pytest.mark.soak, id="when it was approved"),
        pytest.param(Kill(after=0.02), None, marks=pytest.mark.soak, id="a moment after it was approved"),
    ],
)
async def test_killed_while_it_publishes_it_is_up_once_or_a_person_is_told(
    kill: Kill, state: DraftState | None, tmp_path: Path
) -> None:
    draft, x = await _killed_at_x(tmp_path, kill)
    _check(draft, x)
    assert state is None or draft.state is state


STEPS = [
    pytest.param(Step.RECEIVED, marks=pytest.mark.soak),
    Step.TAKEN,
    pytest.param(Step.ANSWERED, marks=pytest.mark.soak),
]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("step", STEPS, ids=str)
async def test_killed_while_it_tells_statuspage_there_is_one_incident(step: Step, tmp_path: Path) -> None:
    async with StatuspageApi(monotonic=count(step=10).__next__) as api:
        draft = await _killed(tmp_path, Kill(at=step), server=api, change=partial(_with_statuspage, api=api))
        assert draft.state is DraftState.POSTED
        assert api.texts() == [draft.text]
        assert draft.remote_id == api.incidents[0].id
        assert api.writes == 1


@pytest.mark.timeout(180)
@pytest.mark.parametrize("step", STEPS, ids=str)
async def test_killed_while_it_tells_a_server_of_yours_that_acts_once(step: Step, tmp_path: Path) -> None:
    async with Receiver() as receiver:
        change = partial(_with, name="webhook", secrets={"secret": SECRET}, settings=[f"url: '{receiver.url}'"])
        draft = await _killed(tmp_path, Kill(at=step), server=receiver, change=change)
        assert draft.state is DraftState.POSTED
        assert set(receiver.heard) == {draft.id}
        assert receiver.taken == {draft.id: 1}


@pytest.mark.soak
@pytest.mark.timeout(3000)
async def test_killed_at_random_instants_it_is_up_once_or_a_person_is_told(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    for n in range(100):
        folder = tmp_path / f"{n:03d}"
        folder.mkdir()
        way = rng.choice([Way.WELL, Way.DROP_AFTER, Way.DROP_BEFORE, Way.HTML, Way.NO_JSON_AFTER])
        _check(*await _killed_at_x(folder, Kill(after=rng.uniform(0, 0.15), way=way)))
