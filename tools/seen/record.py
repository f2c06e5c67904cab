"""Plays `cexwatch demo --operator` and keeps every page of metrics, dated by the demo's own clock.

The demo's clock is months away from ours and thirty times as fast. Prometheus evaluates at any instant, so that pages
which are dated as the daemon saw time give ages, rates and intervals as they would have been.
"""

import asyncio
import re
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from time import monotonic

import aiohttp
from msgspec import Struct

from monitor.demo import SPEED
from monitor.replay.script import ENDS_AFTER, START

SCRAPE_SECONDS = 15.0  # of the demo's clock, as dashboards/prometheus.yml scrapes
BEGIN, END = START, START + ENDS_AFTER - timedelta(minutes=1)
JOB, INSTANCE = "cexwatch", "demo:9877"
_HEAD = re.compile(r"^cexwatch_journal_head_timestamp_seconds (\S+)$", re.MULTILINE)
_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")


class Page(Struct, frozen=True):
    """What `/metrics` answered; `at` is of the machine's monotonic clock."""

    at: float
    text: str


async def played() -> list[Page]:
    """Every page of one whole demo; three and a half minutes."""
    arguments = ["-m", "monitor", "demo", "--operator", "--listen", "127.0.0.1:0"]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=PIPE)
    assert process.stdout is not None  # noqa: S101 # asked for
    pages: list[Page] = []
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        while line := await process.stdout.readline():
            print(line.decode().rstrip())  # noqa: T201 # the story, while one waits
            if found := re.search(rb"The page: (\S+)", line):
                group.create_task(_scrape(session, found[1].decode(), pages), name="scrape")
        if await process.wait():
            raise SystemExit("the demo failed")
    return pages


async def _scrape(session: aiohttp.ClientSession, page: str, pages: list[Page]) -> None:
    """On a grid, until nobody answers."""
    due = monotonic()
    while True:
        try:
            async with session.get(f"{page}/metrics") as response:
                pages.append(Page(due, await response.text()))
        except aiohttp.ClientError:
            return
        due += SCRAPE_SECONDS / SPEED
        await asyncio.sleep(max(0.0, due - monotonic()))


def lines(pages: list[Page]) -> Iterator[str]:
    """OpenMetrics for `promtool tsdb create-blocks-from`, as if a Prometheus had scraped it."""
    # An entry is dated when it is made and shown after it is committed: the least delayed head tells the clock.
    heads = [(page, float(found[1])) for page in pages if (found := _HEAD.search(page.text))]
    ahead = max(head - page.at * SPEED for page, head in heads)
    for page in pages:
        at = f"{page.at * SPEED + ahead:.3f}"
        yield f'up{{job="{JOB}",instance="{INSTANCE}"}} 1 {at}\n'
        for line in page.text.splitlines():
            if found := _SAMPLE.match(line):
                name, labels, value = found.groups()
                inside = ",".join(filter(None, (labels, f'job="{JOB}"', f'instance="{INSTANCE}"')))
                yield f"{name}{{{inside}}} {value} {at}\n"
    yield "# EOF\n"


def main(out: Path) -> None:
    pages = asyncio.run(played())
    with out.open("w") as file:
        file.writelines(lines(pages))
