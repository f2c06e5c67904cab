"""The house: who may import whom, who owns which package, and that the middle is pure."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "monitor").rglob("*.py"))

ARROWS: dict[str, set[str]] = {
    "model": set(),
    "clock": set(),
    "bech32": set(),
    "notices": {"model"},
    "reserves": {"model", "bech32"},
    "engine": {"model", "notices", "reserves"},
    "http": {"model", "clock"},
    "chains": {"model", "clock", "http", "bech32"},
    "probes": {"model", "clock", "http", "chains", "reserves"},
    "channels": {"model", "clock", "http", "notices"},
    "notify": {"model", "clock", "http"},
    "telling": {"model", "clock", "http", "config", "schedule", "metrics", "store", "notify", "web"},
    "store": {"model"},
    "exposition": {"model"},
    "metrics": {"model", "exposition"},
    "config": {"model"},
    "maintenance": {"model", "config"},
    "schedule": {"clock"},
    "supervisor": {"clock", "schedule"},
    "life": set(),
    "memory": set(),
    "watching": {"clock", "life", "metrics", "pipeline", "polls", "probes", "schedule", "timekeeping"},
    "closed_hosts": {"model", "store"},
    "timekeeping": {"clock", "probes"},
    "people": {"model", "clock", "store"},
    "commands": {"model", "clock", "people"},
    "restart": {"model", "engine", "store"},
    "committing": {"model", "clock", "engine", "store", "metrics"},
    "pipeline": {"model", "clock", "committing", "engine", "store", "metrics", "probes"},
    "replay": {"model", "clock", "engine"},
    "imports": {"model", "config", "http", "probes"},
    "report": {"model", "engine", "replay", "web"},
    "logs": set(),
    "shipped": set(),
    "voices": {"model", "clock", "http", "config", "channels"},
    "web": {"model", "clock", "metrics", "notices", "people", "reserves", "store"},
    "ccxt_reader": set(),
    "ledgers": {"clock", "http", "config", "chains"},
    "exchange_probes": {"model", "clock", "http", "config", "ledgers", "probes"},
    "polls": {"model", "clock", "http", "config", "exchange_probes", "ledgers", "probes", "reserves"},
    "reception": {"model", "clock", "commands", "config", "metrics", "people", "store", "web"},
    "starting": {"config", "exposition", "logs", "channels", "polls", "probes", "reserves", "telling", "voices"},
    "app": {
        "model", "clock", "http", "config", "schedule", "commands", "restart", "pipeline", "polls", "exchange_probes",
        "engine", "store", "starting",
        "metrics", "channels", "reception", "web", "reserves", "notices", "probes", "logs", "exposition", "maintenance",
        "on_disk", "voices", "telling", "supervisor", "closed_hosts",
        "timekeeping", "life", "watching", "memory", "nightly",
    },
    "nightly": {"clock", "config", "metrics", "store"},
    "on_disk": {"config", "web"},
    "on_call": {"model", "clock", "commands", "notices", "people"},
    "demo": {"app", "model", "clock", "engine", "on_call", "polls", "replay", "store"},
    "cli": {
        "demo",
        "model", "clock", "http", "config", "commands", "polls", "exchange_probes", "ledgers", "chains", "engine",
        "store", "replay", "report", "imports", "app", "starting", "logs", "channels", "voices", "telling",
        "probes", "notices", "web", "reserves", "restart",
        "people", "maintenance", "shipped", "freeze",
    },
    "freeze": {"clock", "config", "exposition", "model", "schedule", "supervisor"},
    "__main__": {"cli"},
    "__init__": set(),
}  # fmt: skip
"""Room -> rooms it may know."""

OWNERS: dict[str, set[str]] = {
    "aiohttp": {
        "monitor/http/", "monitor/reception.py", "monitor/web/", "monitor/replay/stage.py", "monitor/channels/x",
        "monitor/freeze/",
    },
    "aiohttp_jinja2": {"monitor/web/"},
    "aiodns": {"monitor/http/"},
    "alembic": {"monitor/store/"},
    "apprise": {"monitor/notify/apprise_process.py"},
    "apscheduler": {"monitor/schedule.py"},
    "argon2": {"monitor/people/"},
    "base58": {"monitor/chains/", "monitor/reserves/"},
    "ccxt": {"monitor/ccxt_reader.py"},
    "cryptography": {"monitor/freeze/signing.py"},
    "dateutil": {"monitor/config/maintenance.py"},
    "defusedxml": {"monitor/probes/feeds.py"},
    "eth_hash": {"monitor/reserves/"},
    "jmespath": {"monitor/config/", "monitor/probes/"},
    "jinja2": {"monitor/channels/webhook.py", "monitor/notices/", "monitor/report/", "monitor/web/", "monitor/freeze/"},
    "matplotlib": {"monitor/report/"},
    "msgspec": {"monitor/"},
    "oauthlib": {"monitor/channels/x_session.py"},
    "numpy": {"monitor/chains/", "monitor/replay/"},
    "prometheus_client": {"monitor/exposition/"},
    "pydantic": {"monitor/config/"},
    "rich": {"monitor/cli/"},
    "ruamel": {"monitor/config/", "monitor/reserves/"},
    "segno": {"monitor/cli/"},
    "sqlalchemy": {"monitor/store/", "monitor/freeze/database.py"},
    "structlog": {
        "monitor/app.py", "monitor/committing.py", "monitor/pipeline.py", "monitor/restart.py", "monitor/channels/",
        "monitor/chains/",
        "monitor/cli/", "monitor/reception.py", "monitor/logs.py", "monitor/web/", "monitor/notify/",
        "monitor/supervisor.py", "monitor/closed_hosts.py", "monitor/timekeeping.py",
        "monitor/life.py", "monitor/nightly.py", "monitor/freeze/",
    },
    "typer": {"monitor/cli/"},
    "tweepy": {"monitor/channels/x", "monitor/probes/"},
}  # fmt: skip
"""Third-party package -> where it may be imported."""

PURE = ("model", "notices", "bech32.py", "reserves", "engine")
IMPURE_MODULES = {"asyncio", "logging", "os", "random", "secrets", "socket", "structlog", "subprocess", "time", "uuid"}
IMPURE_CALLS = {"open", "print", "now", "utcnow", "today"}
TIME_READERS = {"monitor/clock.py"}
BROAD_EXCEPTS = {"monitor/pipeline.py": 2, "monitor/channels/outbox.py": 1}


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def _imports(path: Path) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import():
                found += [alias.name for alias in node.names]
            case ast.ImportFrom(level=0, module=str(module)):
                found.append(module)
            case ast.ImportFrom():
                pytest.fail(f"{_name(path)}: imports are absolute")
    return found


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_imports_point_one_way(path: Path) -> None:
    relative = path.relative_to(ROOT / "monitor")
    room = relative.parts[0].removesuffix(".py")
    known = ARROWS[room] | {room}
    wrong = sorted({_room(m) for m in _imports(path) if m.split(".")[0] == "monitor"} - known - {"__init__"})
    assert wrong == [], f"{room} may not know {wrong}"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_packages_are_imported_by_their_owners(path: Path) -> None:
    for module in _imports(path):
        owners = OWNERS.get(module.split(".")[0], {"monitor/"})
        assert any(_name(path).startswith(owner) for owner in owners), f"{module} belongs to {sorted(owners)}"


@pytest.mark.parametrize("path", [p for p in MODULES if p.relative_to(ROOT / "monitor").parts[0] in PURE], ids=_name)
def test_the_middle_is_pure(path: Path) -> None:
    assert set(_imports(path)) & IMPURE_MODULES == set()
    for node in ast.walk(ast.parse(path.read_text())):
        assert not isinstance(node, ast.Await | ast.AsyncFunctionDef | ast.AsyncWith | ast.AsyncFor)
        match node:
            case ast.Call(func=ast.Name(id=called)) | ast.Call(func=ast.Attribute(attr=called)):
                assert called not in IMPURE_CALLS, f"line {node.lineno} calls {called}"
            case ast.For(iter=ast.Set() | ast.SetComp()) | ast.comprehension(iter=ast.Set() | ast.SetComp()):
                pytest.fail(f"{_name(path)} iterates a set: its order is not the same in every run")
            case _:
                pass


@pytest.mark.parametrize("path", [p for p in MODULES if _name(p) not in TIME_READERS], ids=_name)
def test_only_the_clock_reads_time(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Attribute(value=ast.Name(id="datetime" | "time" as owner), attr=called):
                assert called not in {"now", "utcnow", "time", "monotonic", "sleep"}, f"{owner}.{called}"
            case ast.Attribute(value=ast.Name(id="asyncio"), attr="sleep" | "create_task"):
                pytest.fail(f"{_name(path)}:{node.lineno} sleeps or starts a task on its own")
            case _:
                pass


def test_broad_excepts_are_at_the_borders_only() -> None:
    found: dict[str, int] = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.ExceptHandler(type=None | ast.Name(id="Exception" | "BaseException")):
                    found[_name(path)] = found.get(_name(path), 0) + 1
                case _:
                    pass
    assert found == BROAD_EXCEPTS


def test_no_drawers_for_odds_and_ends() -> None:
    drawers = {"utils", "helpers", "common", "base", "types", "constants", "manager"}
    assert [_name(path) for path in MODULES if path.stem in drawers] == []
