"""A real Prometheus scrapes a page with every catalogued family; every query of every dashboard finds its series."""

import asyncio
import re
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import aiohttp
from aiohttp import web

from monitor.clock import Clock
from monitor.exposition import GATE, PREFIX, Family, Kind
from monitor.metrics import CATALOGUE
from monitor.model import Direction, ExchangeState, FailureReason, RailVerdict
from monitor.replay.stage import listening
from tests.board_questions import ALL, NONE, ONE, complaints, questions
from tests.prometheus_server import PATIENCE_SECONDS, prometheus
from tools.dashboards import BOARDS

SCRAPES = 5
FAMILIES = (*CATALOGUE, *GATE)
VALUES: dict[str, tuple[str, ...]] = {
    "exchange": ("gate", "kraken"),
    "network": ("bitcoin", "ethereum"),
    "asset": ("BTC", "ETH"),
    "direction": tuple(Direction),
    "state": tuple(RailVerdict),
    "window": ("1h", "24h"),
    "kind": ("withdrawal_halt",),
    "severity": ("critical",),
    "probe": ("gate-rails",),
    "reason": (FailureReason.TIMEOUT,),
    "channel": ("x", "statuspage"),
    "outcome": ("posted",),
    "target": ("pager",),
    "host": ("api.gateio.ws",),
    "chain": ("decisions", "people"),
    "version": ("0.1.0",),
    "sha256": ("3fa9c1b07e",),
    "python_version": ("3.13.0",),
    "origin": ("app", "guardian"),
    "holder": ("owner",),
    "what": ("delta",),
}
"""What the daemon writes under each label: its own words, and where it takes others, one that is not special."""
STATES = {"withdrawals_state": tuple(ExchangeState), "exposure_usd": ("withdrawable", "stuck", "unknown")}
STATES["exposure_coins"] = STATES["exposure_usd"]


class Page:
    """An endpoint that shows every family of the catalogue; what counts goes up by a scrape."""

    def __init__(self) -> None:
        self.scrapes = 0
        self.scraped = asyncio.Event()

    async def metrics(self, _: web.Request) -> web.Response:
        self.scrapes += 1
        if self.scrapes >= SCRAPES:
            self.scraped.set()
        return web.Response(text="".join(line for family in FAMILIES for line in self._lines(family)))

    def _lines(self, family: Family) -> Iterator[str]:
        yield family.header(openmetrics=False)
        states = STATES.get(family.name, VALUES["state"])
        values = [states if label == "state" else VALUES[label] for label in family.labels]
        for number, chosen in enumerate(product(*values)):
            labels = [f'{label}="{value}"' for label, value in zip(family.labels, chosen, strict=True)]
            if family.kind is Kind.HISTOGRAM:
                yield from self._buckets(family, labels)
            else:
                shown = "{" + ",".join(labels) + "}" if labels else ""
                yield f"{PREFIX}{family.name}{shown} {self._value(family, number, chosen)!r}\n"

    def _buckets(self, family: Family, labels: list[str]) -> Iterator[str]:
        name = PREFIX + family.name
        for bound in (*(str(bound) for bound in family.buckets), "+Inf"):
            inside = ",".join([*labels, f'le="{bound}"'])
            yield f"{name}_bucket{{{inside}}} {self.scrapes}\n"
        shown = "{" + ",".join(labels) + "}" if labels else ""
        yield f"{name}_sum{shown} {self.scrapes * 0.001}\n{name}_count{shown} {self.scrapes}\n"

    def _value(self, family: Family, number: int, chosen: tuple[str, ...]) -> float:
        if family.kind is Kind.COUNTER:
            return float(self.scrapes * (number + 1))
        if family.name.endswith("_timestamp_seconds"):
            ahead = "until" in family.name or "not_after" in family.name
            return time.time() + (600.0 if ahead else -60.0)
        if family.name in {"withdrawals_state", "rail_state"}:
            return float(chosen[-1] in {"halted", "suspended"})
        return 1.0 + number


async def test_every_query_of_every_dashboard_finds_its_series(tmp_path: Path) -> None:
    page = Page()
    app = web.Application()
    app.add_routes([web.get("/metrics", page.metrics)])
    async with (
        listening(app, Clock()) as exporter,
        prometheus(tmp_path, exporter.removeprefix("http://"), job="cexwatch") as url,
        aiohttp.ClientSession() as session,
    ):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await page.scraped.wait()
        asked = [question for board in BOARDS for chosen in (ALL, ONE) for question in questions(board, chosen)]
        told = [complaint for question in asked for complaint in await complaints(session, url, question)]
        elsewhere = [question for board in BOARDS for question in questions(board, NONE)]
        found = {question.place for question in elsewhere if not await complaints(session, url, question)}

    assert told == []
    assert len(asked) > 150
    jobs = {f"{board.title}: $job" for board in BOARDS}
    assert found == jobs, "what finds something of a job that is not there does not follow the choice"


def test_a_family_without_a_panel_is_named() -> None:
    asked = {
        name
        for board in BOARDS
        for question in questions(board, ALL)
        for name in re.findall(rf"{PREFIX}(\w+)", question.expr)
    }
    unseen = {family.name for family in FAMILIES if not {family.name, f"{family.name}_bucket"} & asked}

    assert unseen == UNSEEN


UNSEEN = {
    "rail_state_changed_timestamp_seconds",  # the timeline of rails shows when
    "incident_active",  # the table of open incidents has them by when they were opened
    "journal_head_seq",  # a number to quote, not to draw
    "drill_active",  # a drill is nothing that anybody watches
    "database_backup_timestamp_seconds",  # a night without a copy is told by its alert
    "audit_head",  # to be noted elsewhere
    "config_hash_info",  # to be compared, with a file or another daemon
    "freeze_gate_ledger_seq",  # a number to quote, with the head
    "freeze_gate_ledger_head",  # to be noted elsewhere
    "freeze_gate_ledger_recovered_timestamp_seconds",  # told by an alert, for a day
    "event_readers",  # says how many look at the pages, not how well cexwatch is
}
