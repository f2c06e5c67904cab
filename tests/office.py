"""The daemon's decisions in one process: a real store, engines, pages and socket, and a halt that wants a text."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import tests.journals as j
from monitor.config import Config
from monitor.engine.run import Engines
from monitor.exposition import Intervals
from monitor.metrics import Metrics
from monitor.model import (
    SUPPORT,
    Command,
    ConfigApplied,
    Draft,
    Judging,
    Observation,
    PersonRole,
    RailState,
    Role,
    Tick,
    Verb,
)
from monitor.notices.draft import sha256
from monitor.people.accounts import Accounts
from monitor.people.passwords import Passwords
from monitor.pipeline import Pipeline
from monitor.reception import receiving
from monitor.store import Store
from monitor.web.live import Live
from tests.hand_clock import HandClock

EXCHANGE = "examplex"
PASSWORD = "a long night in february"  # noqa: S105 - of accounts that live for a test
ROLES = {
    "vera": PersonRole.VIEWER,
    "paul": PersonRole.PUBLISHER,
    "anna": PersonRole.APPROVER,
    "otto": PersonRole.APPROVER,
    "iris": PersonRole.ADMIN,
}
HALTED = 10.0  # minutes after the beginning


class Office:
    """`clock` shows the time of the newest entry until a test moves its hand."""

    def __init__(self, folder: Path, store: Store, config: Config, clock: HandClock) -> None:
        self.folder = folder
        self.store = store
        self.config = config
        self.clock = clock
        self.url = ""
        self.pipeline: Pipeline

    async def learn(self, entries: Sequence[Observation]) -> None:
        """Take entries in and wait until they are committed."""
        for entry in entries:
            await self.pipeline.take((entry,))
        # It is answered when it is committed, and all that was queued is in the same group.
        await self.pipeline.ask(Command(at=entries[0].at, probe="test", verb=Verb.NOTE, actor="test"))

    async def passes(self, minutes: float) -> None:
        self.clock.hand += minutes * 60
        await self.learn([Tick(at=self.clock.now(), exchange=EXCHANGE, probe="tick")])

    async def halt(self, *, from_minute: float = 0.0) -> Draft:
        """All withdrawals are suspended; the draft that says so."""
        await self.learn(closing(from_minute))
        return await self.pending()

    async def pending(self) -> Draft:
        """The text that waits to be published; answers for agents wait for nobody."""
        return next(each for each in await self.store.drafts(pending_only=True) if each.channel != SUPPORT)

    async def draft(self, draft_id: str) -> Draft:
        found = await self.store.draft(draft_id)
        assert found is not None
        return found


def closing(begin: float = 0.0) -> list[Observation]:
    minutes = [begin + n for n in range(1, int(HALTED))]
    return [
        *j.rail(begin, RailState.OPEN),
        j.read(begin, changed=len(j.MAJORS)),
        *(j.read(minute) for minute in minutes[:3]),
        *j.rail(begin + 4, RailState.SUSPENDED),
        j.read(begin + 4, changed=len(j.MAJORS)),
        *(j.read(minute) for minute in minutes[4:]),
    ]


def config_of(folder: Path, *, required: int = 1, **more: object) -> Config:
    told = {
        "exchanges": {EXCHANGE: None},
        "listen": "127.0.0.1:0",
        "database": f"sqlite:///{folder}/cexwatch.db",
        "approval": {"required": required},
    }
    return Config.model_validate({**told, **more})


@asynccontextmanager
async def office(
    folder: Path, *, required: int = 1, start: datetime | None = None, people: bool = True, **more: object
) -> AsyncIterator[Office]:
    config = config_of(folder, required=required, **more)
    clock = HandClock(start or j.at(0) + timedelta(minutes=HALTED))
    store = await Store.open(config.database)
    try:
        here = Office(folder, store, config, clock)
        if people:
            await admit(store, clock)
        async with working(here):
            yield here
    finally:
        await store.close()


def covering(text: str) -> Command:
    """An approver's signature under a text of a halt, given before it begins."""
    return Command(
        at=j.at(-1),
        exchange=EXCHANGE,
        probe="web",
        verb=Verb.SIGN,
        actor="anna",
        role=PersonRole.APPROVER,
        arguments={"text": text, "kinds": "withdrawal_halt", "rails": "*"},
        text_sha256=sha256(text),
    )


class OnePassword(Passwords):
    """Hashes the password of all accounts once: it is made to take long, and so many people are admitted."""

    async def hashed(self, password: str) -> str:
        return _HASHES.get(password) or _HASHES.setdefault(password, await super().hashed(password))


_HASHES: dict[str, str] = {}


async def admit(store: Store, clock: HandClock) -> None:
    accounts = Accounts(store.people, clock, OnePassword())
    for name, role in ROLES.items():
        await accounts.add(name, role=role, password=PASSWORD, actor="test")


@asynccontextmanager
async def working(here: Office) -> AsyncIterator[None]:
    metrics = Metrics(version="0", intervals=Intervals(wallets=60.0))
    here.pipeline = Pipeline(store=here.store, engines=Engines.fresh(), clock=here.clock, metrics=metrics, seq=0)
    live = Live(here.store, metrics=metrics)
    judged = Judging(role=Role.OPERATOR, speaks_for=EXCHANGE, approvals_required=here.config.approval.required)
    doors = receiving(
        here.store,
        config=lambda: here.config,
        metrics=metrics,
        clock=here.clock,
        alive=here.pipeline.is_alive,
        ready=lambda: None,
        silent=list,
        doubt=str,
        config_sha256=lambda: None,
        ask=here.pipeline.ask,
        routes=lambda _: [live.route()],
    )
    async with asyncio.TaskGroup() as group, doors as here.url:
        group.create_task(here.pipeline.run())
        showing = group.create_task(live.run(here.pipeline.committed))
        await here.pipeline.ask(ConfigApplied(at=j.at(-1), probe="config", config=judged, sha256=""))
        try:
            yield
        finally:
            showing.cancel()
            here.pipeline.stop()
