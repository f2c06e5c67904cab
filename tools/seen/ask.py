"""Asks Prometheus what Grafana would ask for a board: every panel over its time, every variable filled in."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import ceil

import aiohttp
import msgspec
from msgspec import Raw, Struct

SCRAPE_SECONDS = 15.0  # `timeInterval` of dashboards/provisioning/datasources
POINTS = 700  # of a panel of half the width of a desk's screen, which Grafana asks for at most


class Look(Struct, frozen=True, kw_only=True):
    """From where and when one looks at the boards."""

    job: str
    begin: datetime
    end: datetime
    exchange: str  # that is chosen where one must choose

    @property
    def step(self) -> float:
        wanted = (self.end - self.begin) / timedelta(seconds=1) / POINTS
        return max(SCRAPE_SECONDS, ceil(wanted / SCRAPE_SECONDS) * SCRAPE_SECONDS)

    def filled(self, expr: str, *, single: bool) -> str:
        """The query with what one has chosen; the rest is All. The interval is what Grafana makes of `step`."""
        interval = max(self.step + SCRAPE_SECONDS, 4 * SCRAPE_SECONDS)
        chosen = {
            "$__rate_interval": f"{interval:.0f}s",
            "$job": self.job,
            "$exchange": self.exchange if single else ".+",
            "$instance": ".+",
            "$network": ".+",
        }
        for name, value in chosen.items():
            expr = expr.replace(name, value)
        return expr


class Target(Struct, rename="camel"):
    expr: str
    ref_id: str
    instant: bool = False
    format: str = "time_series"
    legend_format: str = ""


class Panel(Struct):
    id: int
    title: str
    targets: list[Target]


class Annotation(Struct):
    expr: str


class Annotations(Struct):
    list: list[Annotation]


class Variable(Struct):
    name: str
    multi: bool = False


class Variables(Struct):
    list: list[Variable]


class Board(Struct):
    panels: list[Panel]
    annotations: Annotations
    templating: Variables

    @property
    def single(self) -> bool:
        return any(variable.name == "exchange" and not variable.multi for variable in self.templating.list)


class Answer(Struct, frozen=True):
    """Prometheus's own `data.result`, untouched, for one query of one panel."""

    panel: int
    target: Target | None  # None: the board's annotations
    result: Raw


class _Data(Struct):
    result: Raw


class _Body(Struct):
    data: _Data


class Seen(Struct, frozen=True):
    """A board with its answers, for who draws it; times in milliseconds."""

    document: Raw
    answers: list[Answer]
    begin: float
    end: float
    step: float


async def seen(session: aiohttp.ClientSession, prometheus: str, document: bytes, look: Look) -> Seen:
    """`document` is the board's JSON."""
    board = msgspec.json.decode(document, type=Board)
    answers = []
    for panel, target, expr, instant in _questions(board):
        filled = look.filled(expr, single=board.single)
        answers.append(Answer(panel, target, await _asked(session, prometheus, look, expr=filled, instant=instant)))
    return Seen(Raw(document), answers, look.begin.timestamp() * 1000, look.end.timestamp() * 1000, look.step * 1000)


def _questions(board: Board) -> Iterator[tuple[int, Target | None, str, bool]]:
    for panel in board.panels:
        for target in panel.targets:
            yield panel.id, target, target.expr, target.instant
    for annotation in board.annotations.list:
        yield 0, None, annotation.expr, False


async def _asked(session: aiohttp.ClientSession, prometheus: str, look: Look, *, expr: str, instant: bool) -> Raw:
    """Raises aiohttp.ClientResponseError where Prometheus does not understand the query."""
    path, asked = "query", {"query": expr, "time": str(look.end.timestamp())}
    if not instant:
        begin = look.begin.timestamp() // look.step * look.step
        path = "query_range"
        asked = {"query": expr, "start": str(begin), "end": str(look.end.timestamp()), "step": str(look.step)}
    async with session.get(f"{prometheus}/api/v1/{path}", params=asked, raise_for_status=True) as response:
        return msgspec.json.decode(await response.read(), type=_Body).data.result
