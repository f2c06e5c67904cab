"""A real Prometheus scrapes the demo while it plays: every query of every board finds something, or says why not."""

import asyncio
import re
import time
from pathlib import Path

import aiohttp
import pytest
from msgspec.structs import replace

from monitor.demo import run
from monitor.model import Role
from tests.board_questions import ALL, Question, ask, questions
from tests.end_to_end.daemon import eventually
from tests.prometheus_server import prometheus
from tools.boards.freeze import FREEZE
from tools.dashboards import BOARDS

STAGED = [board for board in BOARDS if board is not FREEZE]  # whose gate is a process of its own
SPEED = 60.0  # twice as fast as people watch it
SPOKEN = "count_over_time(cexwatch_detection_lead_seconds[1m]) >= 5"  # the exchange has: 27 minutes of its clock
NO_PRICE = "the stage has no market that prices its coins"
NO_HOLDING = "nobody of the story keeps coins there"
NO_HOUR = "the story is told before an hour of reserves is known"
NO_TARGET = "the demo tells nobody but the terminal"
ALL_WELL = "empty when all is well"
NO_MENTIONS = "mentions cost money and are not read"
NO_GATE = "the stage offers no withdrawal freeze"
EMPTY = {
    "Exchange: Do its users lock themselves? (activated an hour)": NO_GATE,
    "Exchange: Do its users lock themselves? (frozen now)": NO_GATE,
    "Exchange: Is it talked of? (days)": NO_MENTIONS,
    "Exchange: Is it talked of? (days, threshold)": NO_MENTIONS,
    "Reserves and exits: What do they hold?": NO_PRICE,
    "Reserves and exits: What are coins worth?": NO_PRICE,
    "Reserves and exits: Can your own leave?": NO_HOLDING,
    "Reserves and exits: Can your own leave, coin by coin?": NO_HOLDING,
    "Reserves and exits: Who loses coins?": NO_HOUR,
    "Reserves and exits: Of what, and how much of it?": NO_HOUR,
    "Reserves and exits: How many coins left, net of those that came?": NO_HOUR,
    "Reserves and exits: Which hot wallets run dry first?": "no hour of outflow is known",
    "Reserves and exits: How much of what they claim do we see?": "the exchange claims nothing",
    "Notices: Which posts had to be looked for?": ALL_WELL,
    "Notices: What did channels cost?": "a file costs nothing",
    "Notices: Who of ours is not told yet?": NO_TARGET,
    "Notices: What was posted, and what failed? ({{channel}} failed: {{reason}})": ALL_WELL,
    "Notices: Are our own people told? ({{target}})": NO_TARGET,
    "Notices: Are our own people told? ({{target}} failed: {{reason}})": NO_TARGET,
    "Notices: Is a target deaf?": NO_TARGET,
    "Overview: Why do looks fail?": ALL_WELL,
    "Daemon health: Why do looks fail?": ALL_WELL,
    "Daemon health: Who changed a format?": ALL_WELL,
    "Daemon health: Heartbeat heard?": "none is configured",
    "Daemon health: Which hosts are closed to us?": ALL_WELL,
    "Daemon health: Which certificates end next?": "the stage speaks without TLS",
}
"""Queries that find nothing on the demo, and why. Each of them has data in test_dashboard_queries."""


class Demo:
    """The page of a demo as soon as it says where it is."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.page: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def say(self, line: str) -> None:
        if found := re.search(r"The page: http://(\S+)", line):
            self.page.set_result(found[1])

    async def play(self) -> None:
        await run(
            say=self.say,
            progress=lambda _done, _of: None,
            stop=self.stop,
            listen="127.0.0.1:0",
            role=Role.OPERATOR,
            speed=SPEED,
        )


@pytest.mark.soak
async def test_every_query_of_every_dashboard_finds_something_on_the_demo(tmp_path: Path) -> None:
    demo, begin = Demo(), time.monotonic()
    async with asyncio.TaskGroup() as group, aiohttp.ClientSession() as session:
        group.create_task(demo.play(), name="demo")
        async with prometheus(tmp_path, await demo.page, job="cexwatch") as url:

            async def spoken() -> bool:
                return (await ask(session, url, Question("", SPOKEN))).found

            await eventually(spoken, within=100)
            # At some instant of the story, for incidents and drafts come and go.
            seconds = time.monotonic() - begin
            asked = [replace(each, seconds=seconds) for board in STAGED for each in questions(board, ALL)]
            answers = [(each.place.removeprefix("cexwatch / "), await ask(session, url, each)) for each in asked]
        demo.stop.set()

    assert [answer.error for _, answer in answers if answer.error] == []
    assert {place for place, answer in answers if not answer.found} == set(EMPTY)
