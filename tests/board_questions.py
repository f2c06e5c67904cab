"""What Grafana asks for a board, with its variables filled in, and what a Prometheus answers."""

import math
import re
import time
from collections.abc import Iterator

import aiohttp
import msgspec

from tools.boards.board import Board
from tools.boards.grafana import document


class Found(msgspec.Struct):
    metric: dict[str, str]
    value: tuple[float, str] | None = None
    values: list[tuple[float, str]] = []

    def numbers(self) -> list[float]:
        return [float(text) for _, text in ([self.value] if self.value else self.values)]


class Data(msgspec.Struct):
    result: list[Found]


class Answer(msgspec.Struct):
    status: str
    data: Data | None = None
    error: str = ""
    warnings: list[str] = []
    infos: list[str] = []

    @property
    def found(self) -> bool:
        """Something that is a number."""
        series = self.data.result if self.data is not None else []
        return any(not math.isnan(number) for each in series for number in each.numbers())


class Question(msgspec.Struct, frozen=True):
    """A query with its variables filled in, where it stands, and of how many of the last seconds (0: of now alone)."""

    place: str
    expr: str
    seconds: float = 0


async def ask(session: aiohttp.ClientSession, url: str, question: Question) -> Answer:
    now = time.time()
    path, asked = "query", {"query": question.expr, "time": str(now)}
    if question.seconds:
        begin = now - question.seconds
        path, asked = "query_range", {"query": question.expr, "start": str(begin), "end": str(now), "step": "1"}
    async with session.get(f"{url}/api/v1/{path}", params=asked) as response:
        return msgspec.json.decode(await response.read(), type=Answer)


def questions(board: Board, chosen: dict[str, str]) -> Iterator[Question]:
    """Every query as Grafana would send it: of panels, of annotations, of variables."""
    drawn = msgspec.convert(document(board), type=Drawn)
    for panel in drawn.panels:
        for target in panel.targets:
            series = f" ({target.legend})" if len(panel.targets) > 1 else ""
            yield Question(
                f"{board.title}: {panel.title}{series}", filled(target.expr, chosen), 0 if target.instant else 5
            )
    for annotation in drawn.annotations.list:
        yield Question(f"{board.title}: annotations", filled(annotation.expr, chosen), 5)
    for variable in drawn.templating.list:
        if found := re.fullmatch(r"label_values\((.*), (\w+)\)", variable.definition):
            expr = f"count by ({found[2]}) ({filled(found[1], chosen)})"
            yield Question(f"{board.title}: ${variable.name}", expr)


def filled(expr: str, chosen: dict[str, str]) -> str:
    for name, value in chosen.items():
        expr = expr.replace(f"${name}", value)
    assert "$" not in expr, expr
    return expr


class Target(msgspec.Struct):
    expr: str
    instant: bool
    legend: str = msgspec.field(name="legendFormat")


class Panel(msgspec.Struct):
    title: str
    targets: list[Target]


class Annotation(msgspec.Struct):
    expr: str


class Annotations(msgspec.Struct):
    list: list[Annotation]


class Variable(msgspec.Struct):
    name: str
    definition: str = ""


class Variables(msgspec.Struct):
    list: list[Variable]


class Drawn(msgspec.Struct):
    panels: list[Panel]
    annotations: Annotations
    templating: Variables


ALL = {"job": ".+", "instance": ".+", "exchange": ".+", "network": ".+", "__rate_interval": "4s"}
ONE = {**ALL, "job": "cexwatch", "exchange": "kraken", "network": "bitcoin"}
NONE = {**ALL, "job": "other"}


async def complaints(session: aiohttp.ClientSession, url: str, question: Question) -> list[str]:
    answer = await ask(session, url, question)
    if answer.status != "success" or answer.data is None:
        return [f"{question.place}: {answer.error}: {question.expr}"]
    told = [f"{question.place}: {word}" for word in (*answer.warnings, *answer.infos)]
    if not answer.found:
        told.append(f"{question.place}: no data: {question.expr}")
    return told
