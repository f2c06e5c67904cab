"""A site to open in a browser: the real application over a real store, with a staged exchange in it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from monitor.exposition import Intervals
from monitor.metrics import Metrics
from monitor.model import DraftState, Entry, ExchangeState, ExchangeView, Output, Stage, Tick
from monitor.store.step import Step
from monitor.store.store import Store
from monitor.web.configured import ConfigurationPage, Configured, Setting
from monitor.web.live import Live
from monitor.web.server import application, serving
from tests.server.test_web import INCIDENT_ID, NOW, StillClock, before, draft, incident, transition, view
from tests.visitors import acting
from tests.visitors import faces as faces_of

LONG = "WITHDRAWALS-OF-ASSETS-ON-A-NETWORK-WITH-A-LONG-NAME-ARE-SUSPENDED-0123456789abcdef"
PATHS = [
    "/",
    "/exchanges/kraken",
    f"/incidents/{INCIDENT_ID}",
    "/reserves",
    "/scorecard",
    "/maintenance",
    "/detectors",
    "/configuration",
    "/about",
    "/drafts",
    "/exchanges/nowhere",
]


class Site(Struct):
    url: str
    store: Store
    bell: asyncio.Event
    seq: int = 0

    async def commit(self, *outputs: Output, views: Sequence[ExchangeView] = ()) -> None:
        """What the pipeline does with an entry."""
        self.seq += 1
        entry = Entry(self.seq, Tick(at=NOW - timedelta(days=40), probe="tick"))
        await self.store.commit([Step(entry, tuple(outputs))], views=views)
        self.bell.set()


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Site]:
    """Two exchanges, one halted since an hour ago and spoken of; nothing is open yet at the other."""
    store = await Store.open(f"sqlite+aiosqlite:///{folder}/cexwatch.db")
    metrics = Metrics(version="0.1.0", intervals=Intervals())
    live, bell, clock = Live(store, metrics=metrics), asyncio.Event(), StillClock()
    faces = faces_of(store, clock, metrics)
    acts = acting(store, store.people, clock, show=faces.page)
    routes = [live.route(), ConfigurationPage(_configured, show=faces.page).route(), *acts]
    app = application(faces, version="0.1.0", routes=routes)
    try:
        async with serving(app, host="127.0.0.1", port=0) as url, asyncio.TaskGroup() as group:
            task = group.create_task(live.run(bell))
            site = Site(url, store, bell)
            await _fill(site)
            yield site
            task.cancel()
    finally:
        await store.close()


async def _fill(site: Site) -> None:
    older = replace(
        incident(),
        id="kraken-withdrawal_halt-20260120T100000Z",
        since=before(days=14),
        opened_at=before(days=14, minutes=-3),
        official_at=None,
        recovered_at=before(days=13, hours=22),
        resolved_at=before(days=13, hours=21),
        stage=Stage.RESOLVED,
    )
    posted = replace(draft(), id="d-posted", state=DraftState.POSTED, decided_at=before(minutes=2))
    views = [
        view("kraken", ExchangeState.HALTED, words=f"funding paused {LONG}"),
        view("okx", ExchangeState.OPERATIONAL),
    ]
    await site.commit(older, incident(), transition(words=LONG), draft(), posted, views=views)


async def _configured() -> Configured:
    settings = (
        Setting(key="exchanges.kraken.interval", running="30s", on_disk="60s", differs=True),
        Setting(key="chains.ethereum.endpoints", running="https://….provider.example", on_disk=LONG, differs=True),
        Setting(key="x", running="not set", on_disk="not set", is_empty=True),
        Setting(key="exchanges.kraken.api_key", running="set, not shown", on_disk="set, not shown"),
    )
    return Configured(path="cexwatch.yaml", running_sha256="ab" * 32, disk_sha256="cd" * 32, settings=settings)
