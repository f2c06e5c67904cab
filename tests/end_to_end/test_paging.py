"""From a verdict to the pager through the real Prometheus and Alertmanager, by the files that ship."""

import asyncio
import random
import sys
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from statistics import quantiles

import pytest
from aiohttp import web
from msgspec.structs import replace

from monitor import demo
from monitor.clock import Clock
from monitor.commands import Order, send
from monitor.exposition import Intervals
from monitor.metrics import Metrics
from monitor.model import Incident, Role, Stage, Verb
from monitor.replay.script import Script
from monitor.replay.stage import Stage as Scene
from monitor.replay.stage import listening
from tests.alertmanager_server import free_port
from tests.end_to_end.daemon import daemon
from tests.pager import Pager
from tests.server.store_samples import incident
from tests.shipped import HURRIED, alerting

HALT = {"alertname": "CexwatchWithdrawalHalt", "severity": "critical"}
DRILLED = {"alertname": "CexwatchDrill", "severity": "critical", "drill": "true", "kind": "withdrawal_halt"}
DRILL = Order(verb=Verb.DRILL, subject=demo.EXCHANGE, arguments={"exchange": demo.EXCHANGE, "seconds": "360"})
"""Of six minutes of the story: three seconds."""
SPEED = 120.0
BEFORE = timedelta(minutes=12)  # of the story, in which nothing happens
DAEMONS, EXCHANGES = 6, 20
FLIPPING_SECONDS = 180.0
OPEN_SECONDS = (45.0, 105.0)  # of any length, or every end would fall on a beat of the minute that groups have
PAGE_SECONDS = 45.0
RESOLVE_SECONDS = 780.0  # ten minutes are kept, and a minute of grouping, a scrape and an evaluation come on top


@pytest.mark.timeout(180)
async def test_the_demo_and_then_a_drill_page_and_end(tmp_path: Path) -> None:
    """The demo's halt, with every interval of the alerting shortened to seconds (`HURRIED`)."""
    home, address = tmp_path / "demo", f"127.0.0.1:{free_port()}"
    home.mkdir()
    async with Pager() as pager, alerting(tmp_path, [address], pager.base, instead=HURRIED):
        script = Script()
        clock = Clock(start=script.start + BEFORE, speed=SPEED)
        async with Scene(script, clock) as scene, daemon(_demo(home, scene, address), clock):
            await pager.until(lambda: pager.first("pager", "firing", **HALT) is not None, within=60.0)
            await pager.until(lambda: pager.first("pager", "resolved", **HALT) is not None, within=60.0)
            page = pager.first("pager", "firing", **HALT)
            assert page is not None
            assert page.alert.labels["exchange"] == demo.EXCHANGE
            assert page.alert.annotations["summary"] == "An exchange has stopped paying withdrawals."
            assert "drill" not in page.alert.labels
            assert (await send(home / "command.sock", DRILL)).ok
            await pager.until(lambda: pager.first("pager", "resolved", **DRILLED) is not None, within=60.0)
            drill = pager.first("pager", "firing", **DRILLED)
            assert drill is not None
            assert drill.alert.annotations["summary"].startswith("Drill: ")


class Exposition:
    """What one daemon shows of its incidents; `flip` opens or ends that of an exchange."""

    def __init__(self) -> None:
        self.metrics = Metrics(version="0", intervals=Intervals())
        self._open: dict[str, Incident] = {}

    def flip(self, exchange: str, *, to: bool) -> None:
        if to:
            self._open[exchange] = replace(incident(f"{exchange}-halt", Stage.INVESTIGATING), exchange=exchange)
        else:
            del self._open[exchange]
        self.metrics.show_incidents(list(self._open.values()))

    async def answer(self, request: web.Request) -> web.Response:
        body, content_type = self.metrics.render(request.headers.get("Accept", ""), now=Clock().now())
        return web.Response(body=body, headers={"Content-Type": content_type})


@pytest.mark.soak
@pytest.mark.timeout(1500)
async def test_a_page_comes_within_45_s_of_the_verdict_with_what_ships(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Six daemons, because a scrape's phase follows from the target's address; verdicts flip at any moment."""
    chance, clock, loop = random.Random(7), Clock(), asyncio.get_running_loop()
    shown = [Exposition() for _ in range(DAEMONS)]
    flipped: dict[str, float] = {}
    ended: dict[str, float] = {}

    async def live(exchange: str, on: Exposition) -> None:
        await clock.sleep(chance.uniform(0.0, FLIPPING_SECONDS))
        on.flip(exchange, to=True)
        flipped[exchange] = loop.time()
        await clock.sleep(chance.uniform(*OPEN_SECONDS))
        on.flip(exchange, to=False)
        ended[exchange] = loop.time()

    def resolved() -> bool:
        return all(pager.first("pager", "resolved", exchange=name) is not None for name in flipped)

    async with AsyncExitStack() as running:
        pager = await running.enter_async_context(Pager())
        targets = [await running.enter_async_context(listening(_serving(each), clock)) for each in shown]
        addresses = [target.removeprefix("http://") for target in targets]
        await running.enter_async_context(alerting(tmp_path, addresses, pager.base))
        async with asyncio.TaskGroup() as lives:
            for number in range(DAEMONS * EXCHANGES):
                lives.create_task(live(f"exchange-{number}", shown[number % DAEMONS]))
        await pager.until(resolved, within=RESOLVE_SECONDS)

    pages = sorted(_first(pager, "firing", name) - at for name, at in flipped.items())
    ends = sorted(_first(pager, "resolved", name) - at for name, at in ended.items())
    with capsys.disabled():
        sys.stdout.write(f"\n{len(pages)} flips, seconds from the verdict to the pager: {_summary(pages)}")
        sys.stdout.write(f"\n{len(ends)} ends, seconds from the end to the pager: {_summary(ends)}\n")
    assert len(pages) == DAEMONS * EXCHANGES
    assert quantiles(pages, n=20)[-1] <= PAGE_SECONDS


def _demo(home: Path, scene: Scene, address: str) -> Path:
    return demo.configure(home, scene, listen=address, role=Role.OBSERVER)


def _serving(exposition: Exposition) -> web.Application:
    app = web.Application()
    app.router.add_get("/metrics", exposition.answer)
    return app


def _first(pager: Pager, status: str, exchange: str) -> float:
    found = pager.first("pager", status, exchange=exchange)
    assert found is not None, f"{exchange} was never {status}"
    return found.at


def _summary(seconds: list[float]) -> str:
    cuts = quantiles(seconds, n=20)
    return f"p50 {cuts[9]:.1f}, p95 {cuts[18]:.1f}, max {seconds[-1]:.1f}"
