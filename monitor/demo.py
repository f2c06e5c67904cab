"""`cexwatch demo`: the real daemon against a staged exchange and staged chains on loopback, 30 times as fast as life.

It imports four generated weeks, then plays the script: a halt whose official word comes after 17 minutes, and a
campaign to withdraw everything during which reserves rise. The detector settings are the defaults.
"""

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec

from monitor import app
from monitor.clock import Clock
from monitor.engine.detectors import halt, rail, silence
from monitor.engine.run import Engines
from monitor.model import SUPPORT, Change, Draft, DraftState, ExchangeView, Incident, Role, Stage, Transition
from monitor.on_call import OnCall
from monitor.polls import wallets_name
from monitor.replay.history import history
from monitor.replay.importing import Judged, Standing, check, import_file
from monitor.replay.journal import write_line
from monitor.replay.payments import NETWORKS
from monitor.replay.script import Script
from monitor.replay.stage import Stage as Scene
from monitor.store.step import Checkpoint, Step
from monitor.store.store import Store

EXCHANGE = "examplex"
SPEED = 30.0
LOOK_SECONDS = 5.0

Say = Callable[[str], None]


async def run(
    *,
    say: Say,
    progress: Callable[[int, int], None],
    stop: asyncio.Event,
    listen: str,
    role: Role = Role.OBSERVER,
    speed: float = SPEED,
) -> None:
    """Play the whole story, or until `stop`. `progress(entries, of)` follows the import. Raises StartError.

    With `Role.OPERATOR` it is told as the exchange itself: people sign, publish and approve what is drafted.
    """
    script = Script()
    with tempfile.TemporaryDirectory(prefix="cexwatch-demo-") as folder:
        home = Path(folder)
        database = f"sqlite+aiosqlite:///{home}/cexwatch.db"
        say("Importing four generated weeks of payments, so that the detectors know what is usual ...")
        await _learn(script, home, database, progress)
        say(_settings())
        clock = Clock(start=script.start, speed=speed)
        async with Scene(script, clock) as scene:
            config = configure(home, scene, listen=listen, role=role)
            people = OnCall(home / "command.sock", exchange=EXCHANGE, halted_at=script.halted_at, clock=clock, say=say)
            narrator = Narrator(
                script,
                clock=clock,
                database=database,
                config=config,
                say=say,
                people=people if role is Role.OPERATOR else None,
            )
            async with asyncio.TaskGroup() as group:
                group.create_task(narrator.tell(stop), name="narrator")
                await app.run(config, clock=clock, environ={}, stop=stop, told=narrator.opened)


async def _learn(script: Script, home: Path, database: str, progress: Callable[[int, int], None]) -> None:
    probes = {network.name: wallets_name(EXCHANGE, network.name) for network in NETWORKS}
    journal = home / "four-weeks.jsonl"
    with journal.open("wb") as lines:
        lines.writelines(write_line(entry) for entry in history(script, exchange=EXCHANGE, probes=probes))
    count = check(journal, head=None, latest=script.start)
    store = await Store.open(database)

    async def commit(batch: Sequence[Judged], standing: Standing | None) -> None:
        steps = [Step(judged.entry, judged.outputs) for judged in batch]
        if standing is None:
            await store.commit(steps)
        else:
            checkpoint = Checkpoint(standing.seq, standing.at, standing.engines)
            await store.commit(steps, views=standing.views, checkpoint=checkpoint)

    try:
        await import_file(
            journal, engines=Engines.fresh(), after=0, commit=commit, progress=lambda done: progress(done, count)
        )
    finally:
        await store.close()


class Narrator:
    """Says what happens as it happens, read from the store like any other face."""

    def __init__(
        self, script: Script, *, clock: Clock, database: str, config: Path, say: Say, people: OnCall | None
    ) -> None:
        self._people = people
        self._script = script
        self._clock = clock
        self._database = database
        self._config = config
        self._say = say
        self._said: set[str] = set()
        self._usual: ExchangeView | None = None
        self._address = asyncio.get_running_loop().create_future()

    def opened(self, address: str) -> None:
        self._address.set_result(address)

    async def tell(self, stop: asyncio.Event) -> None:
        """Until the story is told."""
        address = await self._address
        self._say(f"\nThe page: {address}   (30 minutes pass in one)\n")
        store = await Store.open(self._database, exclusive=False)
        try:
            if self._people is not None:
                await self._people.sign()
            while not stop.is_set() and self._clock.now() < self._script.ends_at:
                for line in await self._news(store):
                    self._say(line)
                if self._people is not None:
                    await self._people.act(await store.drafts(), await store.incidents(open_only=True))
                await self._clock.sleep(LOOK_SECONDS)
            incidents = await store.incidents()
            self._say(_remember(incidents) if self._people is None else self._people.summary())
        finally:
            await store.close()
            stop.set()

    async def _news(self, store: Store) -> list[str]:
        now, script = self._clock.now(), self._script
        staged = [
            (script.halted_at, "on stage: payments stop on every chain; nobody says so"),
            (script.flags_off_at, "on stage: the exchange's own flags turn off"),
            (script.official_at, "on stage: the exchange's status page speaks for the first time"),
            (script.resumed_at, "on stage: payments run again"),
            (script.campaign_at, "on stage: a campaign to withdraw everything; withdrawals at three times the usual"),
        ]
        news = [(at, line) for at, line in staged if at <= now]
        for incident in await store.incidents():
            news += [(t.at, _told(t)) for t in await store.transitions(incident.id)]
        if self._people is None:
            news += [(d.created_at, self._asked(d)) for d in await store.drafts() if _waits(d)]
        view = await store.view(EXCHANGE)
        if view is not None:
            news += self._campaign(view, now)
        fresh = [(at, line) for at, line in sorted(news) if line not in self._said]
        self._said.update(line for _, line in fresh)
        return [f"{at:%H:%M:%S}  {line}" for at, line in fresh]

    def _campaign(self, view: ExchangeView, now: datetime) -> Iterator[tuple[datetime, str]]:
        script = self._script
        if self._usual is None and now >= script.campaign_at and view.balances:
            self._usual = view
        if self._usual is None or now < script.ends_at - timedelta(minutes=5):
            return
        rise = _worth(view) / _worth(self._usual) - 1
        line = (
            f"campaign: {view.paid_5m or 0} payments in 5 minutes ({self._usual.paid_5m or 0} before it), and yet the "
            f"reserves are up {rise:.1%}; withdrawals {view.withdrawals}: no incident, nobody is woken"
        )
        if not any(said.startswith("campaign:") for said in self._said):
            yield now, line

    def _asked(self, draft: Draft) -> str:
        command = f"cexwatch drafts approve {draft.id} --config {self._config}"
        return f"draft ({draft.stage}): {draft.text}\n          waits for a person: {command}"


def _waits(draft: Draft) -> bool:
    return draft.state is DraftState.PENDING and draft.channel != SUPPORT


def _told(transition: Transition) -> str:
    if transition.transition is Change.OPENED:
        knew = ", ".join(dict.fromkeys(evidence.source for evidence in transition.evidence))
        return f"DETECTED {transition.kind} ({transition.severity}) by {knew}: {transition.summary}"
    return f"incident {transition.transition}: {transition.summary}"


def _remember(incidents: list[Incident]) -> str:
    halts = [i for i in incidents if i.official_at is not None]
    if not halts:
        return "\nNothing to remember: the story was cut short."
    halt_ = halts[0]
    lead = (halt_.official_at - halt_.opened_at).total_seconds() / 60 if halt_.official_at is not None else 0.0
    end = "and is resolved" if halt_.stage is Stage.RESOLVED else "and goes on"
    return (
        f"\nRemember: the chain knew first, {lead:.0f} minutes before the exchange said a word "
        f"(we at {halt_.opened_at:%H:%M}, they at {halt_.official_at:%H:%M} UTC). "
        f"The halt lasted {_minutes(halt_)} {end}."
    )


def _minutes(incident: Incident) -> str:
    until = incident.recovered_at
    since = incident.since or incident.opened_at
    return f"{(until - since).total_seconds() / 60:.0f} minutes" if until is not None else "until the end of the story"


def _worth(view: ExchangeView) -> Decimal:
    return sum((balance.amount for balance in view.balances), Decimal(0))


def _settings() -> str:
    return (
        f"Detector settings are the defaults: a rail is off after {rail.BAD_POLLS} polls >= {rail.BAD_SECONDS:.0f} s "
        f"apart; a halt is {halt.HALT_SHARE:.0%} of the watched weight off within {halt.WINDOW_SECONDS / 60:.0f} min, "
        f"or payments that stop on more than half of the busy streams, by a log likelihood ratio of {silence.COLD:.1f} "
        "or more (its own history sets that once a week is known)."
    )


def configure(home: Path, scene: Scene, *, listen: str, role: Role) -> Path:
    """The configuration of the demo, as a user would write it."""
    (home / "reserves").mkdir()
    book = {
        "exchange": EXCHANGE,
        "lists": [
            {
                "source": "the stage",
                "as_of": "2026-02-03",
                "wallets": {network: list(wallets) for network, wallets in scene.wallets.items()},
            }
        ],
    }
    (home / "reserves" / f"{EXCHANGE}.yaml").write_bytes(msgspec.json.encode(book))
    config = {
        "listen": listen,
        "database": f"sqlite:///{home}/cexwatch.db",
        "socket": f"{home}/command.sock",
        "role": role,
        "speaks_for": EXCHANGE if role is Role.OPERATOR else "",
        "log": {"level": "error"},
        "exchanges": {
            EXCHANGE: {
                "api": "kucoin",
                "title": "Example Exchange",
                "url": scene.exchange_url,
                "status_page": scene.status_url,
                "allow_private": True,
            }
        },
        "chains": {
            network.name: {
                "chain_id": network.chain_id,
                "endpoints": [scene.chain_urls[network.name]],
                "allow_private": True,
            }
            for network in NETWORKS
        },
        "control": {"targets": list(scene.control_urls), "allow_private": True},
        "prices": {"sources": []},
        "channels": {"file": {"folder": str(home / "posts")}},
    }
    path = home / "cexwatch.yaml"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(config), indent=2))
    return path
