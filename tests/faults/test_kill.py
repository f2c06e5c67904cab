"""The daemon is killed at random instants while incidents come and go and a person approves what to say of them."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import aiohttp
import pytest

from monitor.clock import Clock
from monitor.commands import CommandError, Order, send
from monitor.model import Change, Draft, DraftState, Incident, IncidentKind, Stage, Verb
from monitor.store import Store
from tests.faults.ledger import ALL, Ledger, check_posts, check_replay, looking
from tests.faults.lives import Lives, is_ready, metric, write_config
from tests.servers import RAILS, ControlServer, ExchangeServer

SEED = 20260203
SPEED = 300.0
START = datetime(2026, 2, 3, tzinfo=UTC)
SHORT_LIFE_SECONDS = 1.4
LONG_LIFE_SECONDS = 3.5  # long enough for a checkpoint
LONG_LIVES = 0.2
READY_SECONDS = 1.5  # beside the import
SETTLED_SECONDS = 60.0


class Person:
    """Opens and closes the exchanges' flags and decides on drafts; remembers what the daemon acknowledged."""

    def __init__(
        self, *, database: str, socket: Path, exchanges: Mapping[str, ExchangeServer], rng: random.Random
    ) -> None:
        self._database = database
        self._socket = socket
        self._exchanges = exchanges
        self._rng = rng
        self.is_calm = False  # nothing is closed any more
        self.acknowledged: list[Order] = []
        self.approved: dict[str, str] = {}  # draft -> text; an answer that was not heard may have been a yes

    async def act(self) -> None:
        """Decide on every waiting draft, then close what is open or reopen what was noticed. Raises CommandError."""
        async with looking(self._database) as store:
            drafts = await store.drafts(pending_only=True)
        for draft in drafts:
            await self._decide(draft)
        async with looking(self._database) as store:
            stages = {outage.exchange: outage.stage for outage in await _outages(store)}
        for name, server in self._exchanges.items():
            self._turn(server, stages.get(name))

    async def is_done(self) -> bool:
        """No exchange is halted, and every draft has found its end."""
        async with looking(self._database) as store:
            states = {draft.state for draft in await store.drafts(limit=ALL)}
            return not await _outages(store) and not states & {DraftState.PENDING, DraftState.APPROVED}

    def _turn(self, server: ExchangeServer, stage: Stage | None) -> None:
        match stage:
            case None if not self.is_calm:
                for rail in self._rng.sample(RAILS, k=self._rng.randint(4, len(RAILS))):
                    server.suspend(rail.asset, rail.network)
            case None | Stage.INVESTIGATING | Stage.IDENTIFIED:
                server.reopen_all()
            case _:
                pass

    async def _decide(self, draft: Draft) -> None:
        text, sha256 = draft.text, draft.text_sha256
        match self._rng.randrange(6):
            case 0:
                await self._ask(Order(verb=Verb.REJECT, subject=draft.id))
                return
            case 1:
                text = f"{draft.text}\nWe will update this post."
                reply = await self._ask(Order(verb=Verb.EDIT, subject=draft.id, arguments={"text": text}))
                if reply:
                    async with looking(self._database) as store:
                        edited = await store.draft(draft.id)
                    assert edited is not None
                    sha256 = edited.text_sha256
            case 2:
                assert not await self._ask(Order(verb=Verb.APPROVE, subject=draft.id, text_sha256="0" * 64))
            case _:
                pass
        self.approved[draft.id] = text
        await self._ask(Order(verb=Verb.APPROVE, subject=draft.id, text_sha256=sha256))

    async def _ask(self, order: Order) -> bool:
        reply = await send(self._socket, order)
        if reply.ok:
            self.acknowledged.append(order)
        return reply.ok


async def _outages(store: Store) -> list[Incident]:
    """Open incidents but those about our own posts: a person was told, and nothing ends them soon."""
    return [i for i in await store.incidents(open_only=True) if i.kind is not IncidentKind.POST_UNKNOWN]


class Trial:
    """A folder, loopback exchanges and a person; lives of the daemon go by."""

    def __init__(self, folder: Path, *, lives: Lives, person: Person, config: Path) -> None:
        self._folder = folder
        self._lives = lives
        self._person = person
        self._config = config
        self._database = _database(folder)
        self.ledger = Ledger(self._database)
        self.ready_seconds: list[float] = []

    async def first_life(self) -> None:
        """Make the database, and end in order."""
        await self._lives.begin(self._config, start=START)
        await self._lives.hears("ready")
        self._lives.send(signal.SIGTERM)
        assert await self._lives.ends() == 0, self._lives.raw
        await self._look()

    async def killed_life(self, after: float) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self._lives.begin(self._config, start=self._now())
        loop.call_later(after, self._lives.send, signal.SIGKILL)
        async for said in self._lives.said():
            try:
                match said.event:
                    case "ready":
                        assert await is_ready(said.page)
                        self.ready_seconds.append(loop.time() - began)
                        assert await metric(said.page, "cexwatch_replay_divergence_total") == 0
                        await self._person.act()
                    case "incident" | "draft_waiting":
                        await self._person.act()
                    case "died":
                        assert said.status == -signal.SIGKILL, self._lives.raw
                    case _:
                        pass
            except (CommandError, aiohttp.ClientError):
                continue  # it was killed in the middle of a word
        await self._look()

    async def last_life(self) -> None:
        """Let everything come to its end, and stop in order."""
        self._person.is_calm = True
        await self._lives.begin(self._config, start=self._now())
        await self._lives.hears("ready")
        async with asyncio.timeout(SETTLED_SECONDS), asyncio.TaskGroup() as group:
            end = group.create_task(self._lives.ends())
            while not await self._person.is_done():
                await self._person.act()
            self._lives.send(signal.SIGTERM)
        assert end.result() == 0, self._lives.raw
        await self._look()
        check_posts(self.ledger, self._folder / "posts")
        await check_replay(self._database)

    async def _look(self) -> None:
        await self.ledger.read_on()
        journaled = Counter(repr((c.verb, c.subject, c.arguments, c.text_sha256)) for c in self.ledger.commands)
        wanted = Counter(repr((o.verb, o.subject, o.arguments, o.text_sha256)) for o in self._person.acknowledged)
        assert wanted <= journaled, "an acknowledged command is lost"
        for draft in self.ledger.posted:
            assert self.ledger.drafts[draft].text == self._person.approved[draft]

    def _now(self) -> datetime:
        assert self.ledger.at is not None
        return self.ledger.at


def _database(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder}/cexwatch.db"


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(5, id="5 kills", marks=[pytest.mark.timeout(300)]),
        pytest.param(500, id="500 kills", marks=[pytest.mark.soak, pytest.mark.timeout(3000)]),
    ],
)
async def test_killed_at_any_instant_it_goes_on_where_it_was(kills: int, tmp_path: Path) -> None:
    rng = random.Random(SEED)
    clock = Clock(start=START, speed=SPEED)
    async with AsyncExitStack() as running:
        kraken = await running.enter_async_context(ExchangeServer(clock))
        gate = await running.enter_async_context(ExchangeServer(clock))
        controls = [await running.enter_async_context(ControlServer(clock)) for _ in range(2)]
        config = write_config(
            tmp_path, {"kraken": kraken.url, "gate": gate.url}, control=(controls[0].url, controls[1].url)
        )
        person = Person(
            database=_database(tmp_path),
            socket=tmp_path / "cexwatch.sock",
            exchanges={"kraken": kraken, "gate": gate},
            rng=rng,
        )
        lives = await running.enter_async_context(Lives(speed=SPEED))
        trial = Trial(tmp_path, lives=lives, person=person, config=config)
        await trial.first_life()
        bare = [await lives.bare_import() for _ in range(3)]
        for _ in range(kills):
            longest = LONG_LIFE_SECONDS if rng.random() < LONG_LIVES else SHORT_LIFE_SECONDS
            await trial.killed_life(rng.uniform(0, longest))
        await trial.last_life()
    print(_summary(trial, person, bare=bare, kills=kills))  # noqa: T201 - the figures belong into the record
    # The process had imported everything, so what remains is the start; the import is what a busy machine may add.
    assert median(trial.ready_seconds) <= READY_SECONDS
    assert max(trial.ready_seconds) <= READY_SECONDS + median(bare)
    assert len(trial.ledger.posted) >= kills // 10
    assert _begun(trial.ledger) >= kills // 10


def _begun(ledger: Ledger) -> int:
    """How often an exchange was found halted or degraded."""
    outages = [t for t in ledger.transitions if t.kind is not IncidentKind.POST_UNKNOWN]
    return sum(t.transition in (Change.OPENED, Change.REOPENED) for t in outages)


def _summary(trial: Trial, person: Person, *, bare: list[float], kills: int) -> str:
    ready, ledger = trial.ready_seconds, trial.ledger
    return (
        f"\n{kills} kills: {ledger.seq} entries, {ledger.lists_read} lists, {_begun(ledger)} outages, "
        f"{len(person.acknowledged)} commands acknowledged, {len(ledger.posted)} posts; "
        f"bare import median {median(bare):.2f} s, max {max(bare):.2f} s; "
        f"ready without it in {len(ready)} lives: median {median(ready):.2f} s, max {max(ready):.2f} s"
    )
