"""Nothing waits without a limit (fault H11): each queue has a size, a way out when it is full, and a depth."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct

from monitor.exposition import GATE, PREFIX, Kind
from monitor.metrics import CATALOGUE

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "monitor").rglob("*.py"))
HOMES = {"asyncio", "queue", "multiprocessing", "collections"}
SIZES = {"Queue": ("maxsize", 0), "LifoQueue": ("maxsize", 0), "PriorityQueue": ("maxsize", 0), "deque": ("maxlen", 1)}
"""Kind of queue -> the name and the place of the argument that limits it."""
LIMITLESS = {"SimpleQueue", "JoinableQueue"}


class Found(Struct, frozen=True, order=True):
    """`size` as it is written; "" where there is none."""

    module: str
    kind: str
    size: str


def queues(module: str, code: str) -> Iterator[Found]:
    tree = ast.parse(code)
    own = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in HOMES
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            kind = _kind(node.func, own)
            if kind in SIZES.keys() | LIMITLESS:
                yield Found(module, kind, _size(node, kind))


def _kind(called: ast.expr, own: dict[str, str]) -> str:
    match called:
        case ast.Attribute(value=ast.Name(id=home), attr=kind) if home in HOMES:
            return kind
        case ast.Name(id=name):
            return own.get(name, "")
        case _:
            return ""


def _size(call: ast.Call, kind: str) -> str:
    name, place = SIZES.get(kind, ("", 0))
    told = [keyword.value for keyword in call.keywords if keyword.arg == name]
    told += call.args[place : place + 1] if kind in SIZES else []
    unlimited = (ast.Constant(value) for value in (0, None))
    return "".join(ast.unparse(size) for size in told if ast.dump(size) not in map(ast.dump, unlimited))


FOUND = sorted(found for path in MODULES for found in queues(path.relative_to(ROOT).as_posix(), path.read_text()))
ROW = re.compile(r"^\| [^|]+ \| `(monitor/[^`]+)` \| `(\w+)` \| ([^|]+) \| `(\w+)` \|$", re.MULTILINE)
TOLD = ROW.findall((ROOT / "docs" / "architecture.md").read_text())


@pytest.mark.parametrize("found", FOUND, ids=lambda found: f"{found.module} {found.size}")
def test_every_queue_has_a_size(found: Found) -> None:
    assert found.size


def test_every_queue_is_told_with_its_way_out_and_its_depth() -> None:
    held = sorted((found.module, found.size) for found in FOUND if found.kind != "deque")

    assert held == sorted((module, size) for module, size, _, _ in TOLD)
    assert all(len(policy.split()) > 2 for _, _, policy, _ in TOLD)


def test_every_depth_is_a_gauge() -> None:
    gauges = {PREFIX + family.name for family in (*CATALOGUE, *GATE) if family.kind is Kind.GAUGE}

    assert {depth for _, _, _, depth in TOLD} <= gauges


@pytest.mark.parametrize(
    ("code", "sizes"),
    [
        pytest.param("import asyncio\nq = asyncio.Queue()", [""], id="no size"),
        pytest.param("import asyncio\nq = asyncio.Queue(0)", [""], id="a size that means none"),
        pytest.param("import asyncio\nq: asyncio.Queue[int] = asyncio.Queue(maxsize=N)", ["N"], id="a named size"),
        pytest.param("from asyncio import Queue as Q\nq = Q()", [""], id="under another name"),
        pytest.param("from queue import SimpleQueue\nq = SimpleQueue()", [""], id="one that has no size"),
        pytest.param("from collections import deque\nq = deque([], maxlen=None)", [""], id="a ring without an end"),
        pytest.param("from collections import deque\nq = deque([1], 5)", ["5"], id="a ring of five"),
        pytest.param("from monitor.engine.queue import Queue\nq = Queue(decided)", [], id="ours, which is no queue"),
    ],
)
def test_a_queue_without_a_size_is_found(code: str, sizes: list[str]) -> None:
    assert [found.size for found in queues("", code)] == sizes
