"""The command line as people and supervisors meet it: real processes against loopback servers."""

import asyncio
import json
import os
import pty
import resource
import signal
import sqlite3
import subprocess
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from monitor.clock import Clock
from monitor.model import DraftState, Observation, RailState, Transition
from monitor.probes import EXCHANGES
from monitor.replay.journal import write_line
from monitor.replay.stage import listening
from monitor.restart import resume
from monitor.store.store import Store
from tests import journals, warm
from tests.end_to_end.daemon import eventually
from tests.servers import ControlServer, ExchangeServer

ROOT = Path(__file__).parents[2]
GATE = "gate"
HEAVY = {"aiohttp", "jinja2", "msgspec", "numpy", "pydantic", "ruamel", "sqlalchemy", "structlog"}
COMMANDS = (
    [],
    ["run"],
    ["demo"],
    ["probe"],
    ["probe", "once"],
    ["incidents"],
    *(
        ["incidents", name]
        for name in ("ls", "show", "ack", "identify", "note", "resolve", "reopen", "retract", "postmortem")
    ),
    ["drafts"],
    *(["drafts", name] for name in ("ls", "show", "approve", "edit", "reject")),
    ["maintenance"],
    *(["maintenance", name] for name in ("add", "end", "list", "preview")),
    ["silence"],
    *(["silence", name] for name in ("add", "expire", "list")),
    ["drill"],
    *(["drill", name] for name in ("start", "stop", "list")),
    ["hold"],
    ["release"],
    ["exchanges"],
    ["detectors"],
    ["check-config"],
    ["config"],
    ["config", "schema"],
    ["config", "reference"],
    ["dashboards"],
    ["dashboards", "export"],
    ["replay"],
    ["backtest"],
    ["journal"],
    ["journal", "export"],
    ["journal", "import"],
    ["journal", "from-csv"],
    ["journal", "from-prometheus"],
    ["report"],
    *(["report", name] for name in ("incident", "backtest", "stress")),
)
START_SECONDS = 60.0


class Ended(Struct, frozen=True):
    code: int
    out: str
    err: str


async def start(*arguments: str | Path, stdin: int = DEVNULL, of: tuple[str, str] = ("-m", "monitor")) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *of,
        *map(str, arguments),
        stdin=stdin,
        stdout=PIPE,
        stderr=PIPE,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "120"},
    )


async def cexwatch(*arguments: str | Path, stdin: int | bytes = DEVNULL) -> Ended:
    """Run the command line to its end; unless there is a `stdin`, nobody is at a terminal."""
    environ = {**os.environ, "COLUMNS": "120"}
    code, out, err = await warm.call(*map(str, arguments), environ=environ, stdin=stdin)
    assert b"Traceback" not in err
    return Ended(code, out.decode(), err.decode())


@contextmanager
def terminal(typed: str) -> Iterator[int]:
    """A standard input at which a person has typed something."""
    person, program = pty.openpty()
    os.write(person, typed.encode())
    try:
        yield program
    finally:
        os.close(person)
        os.close(program)


class World(Struct, frozen=True):
    exchange: ExchangeServer
    config: Path


@asynccontextmanager
async def watched(folder: Path, names: Sequence[str] = (GATE,)) -> AsyncIterator[World]:
    """One exchange under several names, two control targets, and the configuration that watches them."""
    clock = Clock()
    async with ExchangeServer(clock) as exchange, ControlServer(clock) as one, ControlServer(clock) as other:
        yield World(exchange, configure(folder, dict.fromkeys(names, exchange.url), [one.url, other.url]))


def configure(folder: Path, exchanges: dict[str, str], controls: Sequence[str], *, more: str = "") -> Path:
    path = folder / "cexwatch.yaml"
    folder.mkdir(exist_ok=True)
    lines = [
        "listen: 127.0.0.1:0",
        f"database: sqlite:///{folder}/cexwatch.db",
        f"channels: {{file: {{folder: '{folder}/posts'}}}}",
        f"control: {{targets: [{', '.join(controls)}], allow_private: true}}",
        "prices: {sources: []}",
        "exchanges:",
        *(f"  {name}: {{url: '{url}', status_page: '', allow_private: true}}" for name, url in exchanges.items()),
        more,
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def offline(folder: Path, more: str = "") -> Path:
    """A configuration for commands that look at nothing."""
    return configure(folder, {GATE: "http://127.0.0.1:9"}, ["http://127.0.0.1:9/a", "http://127.0.0.1:9/b"], more=more)


def halted(*, minutes_ago: float) -> list[Observation]:
    """Ten minutes of Gate that ended so long ago; four minutes before that all its withdrawals went off."""
    shift = Clock().now() - timedelta(minutes=minutes_ago + 9) - journals.START
    entries = journals.rail(0, RailState.OPEN, exchange=GATE)
    for minute in range(10):
        entries += journals.rail(minute, RailState.SUSPENDED, exchange=GATE) if minute == 5 else []
        entries.append(journals.read(minute, exchange=GATE))
    return [replace(entry, at=entry.at + shift, probe="gate-currencies") for entry in entries]


def written(folder: Path, entries: Sequence[Observation], *, name: str = "journal.jsonl") -> Path:
    path = folder / name
    path.write_bytes(b"".join(write_line(entry) for entry in entries))
    return path


@asynccontextmanager
async def reading(folder: Path) -> AsyncIterator[Store]:
    store = await Store.open(f"sqlite+aiosqlite:///{folder}/cexwatch.db", exclusive=False)
    try:
        yield store
    finally:
        await store.close()


async def test_help_loads_nothing_but_the_command_line() -> None:
    asked = [[*command, "--help"] for command in COMMANDS]
    program = f"""
import sys
from monitor.__main__ import main
for arguments in {asked!r}:
    sys.argv = ["cexwatch", *arguments]
    try:
        main()
    except SystemExit as end:
        assert not end.code, arguments
print(*sorted({{name.partition(".")[0] for name in sys.modules}}), file=sys.stderr)
"""
    out, err = await (await start(of=("-c", program))).communicate()
    assert set(err.decode().split()) & HEAVY == set()
    assert out.count(b"Usage: cexwatch") == len(COMMANDS)


def test_help_takes_less_than_half_a_second() -> None:
    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "monitor", "--help"], stdout=subprocess.DEVNULL, check=True, cwd=ROOT)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(3)) < 0.5


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param([], "Usage: cexwatch", id="no command"),
        pytest.param(["nonsense"], "No such command 'nonsense'", id="no such command"),
        pytest.param(["probe", "once", "--nonsense"], "No such option: --nonsense", id="no such option"),
        pytest.param(["exchanges", "krakn"], "did you mean 'kraken'?", id="no such exchange"),
        pytest.param(["replay", "journal.jsonl"], "Missing option '--out'", id="an option is missing"),
        pytest.param(["run", "--config", "nowhere.yaml"], "nowhere.yaml: cannot be read", id="no configuration"),
        pytest.param(["journal", "export", "--since", "yesterday"], "--since yesterday: expected a time", id="no time"),
        pytest.param(["journal", "export", "--since", "2026-02-03T14:00:00"], "expected a time zone", id="no zone"),
        pytest.param(["drafts", "edit", "d", "--text", "a", "--file", "b"], "not both", id="two texts"),
    ],
)
async def test_a_wrong_command_line_ends_with_3(arguments: list[str], told: str) -> None:
    ended = await cexwatch(*arguments)
    assert (ended.code, ended.out) == (3, "")
    assert told in ended.err


async def test_the_shipped_configuration_is_fine() -> None:
    ended = await cexwatch("check-config", "config/cexwatch.yaml")
    assert (ended.code, ended.err) == (0, "")
    exchanges = len(EXCHANGES)
    assert ended.out.startswith(f"ok: {exchanges} exchanges, {9 * exchanges} watched rails, 13 chains, ")


async def test_check_config_tells_every_problem_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "cexwatch.yaml"
    path.write_text("exchanges:\n  krakn:\n  gate: {interval: soon}\n")
    ended = await cexwatch("check-config", path)
    assert ended.code == 3
    assert ended.err.splitlines() == [
        f"cexwatch: {path}:2 exchanges.krakn: unknown exchange, did you mean 'kraken'?",
        f"cexwatch: {path}:3 exchanges.gate.interval: expected a duration like 30s, got 'soon'",
    ]


async def test_check_config_reads_the_address_books(tmp_path: Path) -> None:
    (tmp_path / "reserves").mkdir()
    (tmp_path / "reserves" / "gate.yaml").write_text("exchange: gate\nlists: 3\n")
    ended = await cexwatch("check-config", offline(tmp_path))
    assert ended.code == 3
    assert f"{tmp_path}/reserves/gate.yaml" in ended.err


@pytest.mark.parametrize(
    ("name", "template", "told"),
    [
        pytest.param("observer/resolvd", "We observe", "did you mean observer/resolved?", id="no stage"),
        pytest.param(
            "observer/resolved", "{{ withdrwals }}", "'withdrwals' is undefined", id="a word that is not there"
        ),
        pytest.param("observer/resolved", "{% if %}", "Expected an expression", id="not a template"),
        pytest.param("observer/investigating", "We observe funds are safe.", "says that funds are safe", id="a claim"),
    ],
)
async def test_check_config_tries_the_templates(tmp_path: Path, name: str, template: str, told: str) -> None:
    file = tmp_path / "templates" / f"{name}.j2"
    file.parent.mkdir(parents=True)
    file.write_text(template)
    ended = await cexwatch("check-config", offline(tmp_path, "drafts: {templates: templates}"))
    assert ended.code == 3
    assert f"{file}: " in ended.err
    assert told in ended.err


async def test_check_config_tries_the_urls_of_apprise_and_repeats_none(tmp_path: Path) -> None:
    (tmp_path / "urls").write_text("json://127.0.0.1:9/\n# the old one\npigeon://coop/verysecret\n")
    (tmp_path / "urls").chmod(0o600)
    path = offline(tmp_path, "paging: direct\nnotify: {targets: {oncall: {urls_file: urls, about: [pages]}}}")
    ended = await cexwatch("check-config", path)
    assert ended.code == 3
    line = 1 + [text.startswith("notify:") for text in path.read_text().splitlines()].index(True)
    assert f"{path}:{line} notify.targets.oncall.urls_file: URL 2 in urls cannot be read by apprise" in ended.err
    assert "pigeon" not in ended.err
    (tmp_path / "urls").write_text("json://127.0.0.1:9/\n")
    assert (await cexwatch("check-config", path)).code == 0


async def test_the_shipped_templates_pass_as_ones_own(tmp_path: Path) -> None:
    ended = await cexwatch("check-config", offline(tmp_path, f"drafts: {{templates: '{ROOT}/config/templates'}}"))
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize(
    ("what", "file"), [("schema", "config/cexwatch.schema.json"), ("reference", "docs/configuration.md")]
)
async def test_what_config_prints_is_what_is_shipped(what: str, file: str) -> None:
    assert (await cexwatch("config", what)).out == (ROOT / file).read_text()


async def test_probe_once_prints_the_page_in_a_terminal(tmp_path: Path) -> None:
    async with watched(tmp_path, ["kraken", "kucoin", "gate", "htx", "bitget"]) as world:
        world.exchange.suspend("USDT", "tron")
        ended = await cexwatch("probe", "once", "gate", "KuCoin", "--config", world.config)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("2 operational, at ")
    row = next(line for line in ended.out.splitlines() if "USDT tron" in line)
    assert row.split()[:5] == ["USDT", "tron", "suspended", "open", "before"]
    assert "no wallet of it is known on a chain we read" in ended.out
    assert not (tmp_path / "cexwatch.db").exists()


def nothing(_: ExchangeServer) -> None:
    """All is well."""


@pytest.mark.parametrize(
    ("trouble", "strict", "code"),
    [
        pytest.param(nothing, [], 0, id="all operational"),
        pytest.param(nothing, ["--strict"], 0, id="all rails open"),
        pytest.param(ExchangeServer.suspend_all, [], 1, id="halted"),
        pytest.param(ExchangeServer.go_dark, [], 2, id="unknown"),
        pytest.param(lambda exchange: exchange.suspend("SOL", "solana"), [], 0, id="a rail off does not count"),
        pytest.param(lambda exchange: exchange.suspend("SOL", "solana"), ["--strict"], 1, id="a rail off counts"),
    ],
)
async def test_probe_once_ends_with_what_it_saw(
    tmp_path: Path, trouble: Callable[[ExchangeServer], None], strict: list[str], code: int
) -> None:
    async with watched(tmp_path) as world:
        trouble(world.exchange)
        ended = await cexwatch("probe", "once", "--json", *strict, "--config", world.config)
    assert (ended.code, ended.err) == (code, "")
    seen = json.loads(ended.out)
    word = {1: "halted", 2: "unknown"}.get(code, "operational")
    assert [view["withdrawals"] for view in seen["exchanges"]] == ["operational" if strict else word]
    assert seen["generated_at"].endswith("Z")


async def test_probe_once_shows_the_rails_of_the_assets_asked_for(tmp_path: Path) -> None:
    async with watched(tmp_path) as world:
        world.exchange.suspend("SOL", "solana")
        asked = ("probe", "once", "--asset", "btc", "--strict", "--json", "--config", world.config)
        ended = await cexwatch(*asked)
        other = await cexwatch("probe", "once", "--asset", "DOGE", "--config", world.config)
    assert ended.code == 0
    assert {rail["asset"] for view in json.loads(ended.out)["exchanges"] for rail in view["rails"]} == {"BTC"}
    assert (other.code, other.out) == (3, "")
    assert "--asset DOGE: not watched there" in other.err


async def test_exchanges_tells_of_all_in_100_columns_without_a_configuration() -> None:
    ended = await cexwatch("exchanges")
    assert (ended.code, ended.err) == (0, "")
    names = [line.split()[0] for line in ended.out.splitlines()[2:] if line[:1].isalpha()]
    assert names[: len(EXCHANGES)] == list(EXCHANGES)
    assert max(len(line.rstrip()) for line in ended.out.splitlines()) <= 100
    whole = json.loads((await cexwatch("exchanges", "--json")).out)
    assert [each["exchange"] for each in whole] == list(EXCHANGES)
    assert {each["exchange"]: each["flags"] for each in whole}["binance"] == "with key"


async def test_exchanges_tells_all_of_one() -> None:
    ended = await cexwatch("exchanges", "Binance")
    assert (ended.code, ended.err) == (0, "")
    told = " ".join(ended.out.split())
    for fact in (
        "/sapi/v1/capital/config/getall",
        "withdrawEnable",
        "with a read-only key",
        *EXCHANGES["binance"].traps,
    ):
        assert fact in told


async def test_explain_tells_what_was_asked_and_which_word_decided(tmp_path: Path) -> None:
    async with watched(tmp_path, ["gate", "okx"]) as world:
        world.exchange.suspend("USDT", "tron")
        asked = ("probe", "once", "gate", "okx", "--explain", "--config", world.config)
        ended, as_json = await cexwatch(*asked), await cexwatch(*asked, "--json")
    assert (ended.code, ended.err) == (2, "")
    gate = ended.out[ended.out.index("Gate operational") :]
    lines = [line.strip() for line in gate.splitlines()]
    assert f"GET {world.exchange.url}/api/v4/spot/currencies" in lines
    first = next(place for place, line in enumerate(lines) if "USDT@tron withdrawal" in line)
    assert lines[first].startswith("suspended")
    assert "gate-currencies (api): suspended" in lines[first + 1]
    assert "the only source" in lines[first + 1]
    assert lines[first + 2].startswith("[currency=USDT].chains[name=TRX].withdraw_disabled")
    assert first < next(place for place, line in enumerate(lines) if "BTC@bitcoin withdrawal" in line)

    explained = {each["exchange"]: each for each in json.loads(as_json.out)["explained"]}
    missing = [probe for probe in explained["okx"]["probes"] if probe["key"] == "missing"]
    assert {probe["result"] for probe in missing} == {"not asked"}
    (word,) = explained["gate"]["rails"][0]["words"]
    assert (word["state"], word["decides"], word["probe"]) == ("suspended", True, "gate-currencies")


async def test_without_explain_nothing_is_explained(tmp_path: Path) -> None:
    async with watched(tmp_path) as world:
        ended = await cexwatch("probe", "once", "--json", "--config", world.config)
    assert "explained" not in json.loads(ended.out)


async def test_ctrl_c_is_quiet(tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        asked.set()
        await asyncio.Event().wait()
        return web.Response()

    application = web.Application()
    application.add_routes([web.get("/{path:.*}", hang)])
    async with listening(application, Clock()) as url:
        process = await start("probe", "once", "--config", configure(tmp_path, {GATE: url}, [f"{url}/a", f"{url}/b"]))
        async with asyncio.timeout(START_SECONDS):
            await asked.wait()
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
    assert (process.returncode, out, err) == (130, b"", b"")


async def test_replay_writes_the_transitions(tmp_path: Path) -> None:
    journal, out = written(tmp_path, halted(minutes_ago=60)), tmp_path / "transitions.jsonl"
    ended = await cexwatch("replay", journal, "--out", out)
    assert ended.code == 0
    assert ended.out.startswith("20 entries, 1 transitions, 1 incidents in ")
    assert [json.loads(line)["kind"] for line in out.read_text().splitlines()] == ["withdrawal_halt"]


async def test_replay_judges_by_another_configuration_if_asked(tmp_path: Path) -> None:
    journal, out = written(tmp_path, halted(minutes_ago=60)), tmp_path / "transitions.jsonl"
    config = offline(tmp_path, "watch: {DOGE: [dogecoin]}")
    ended = await cexwatch("replay", journal, "--out", out, "--config", config)
    assert (ended.code, out.read_bytes()) == (0, b"")


async def test_a_line_that_is_no_entry_is_told_with_its_place(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    journal.write_text('{"kind":"tick","at":"2026-01-05T00:00:00Z","probe":"tick"}\n{"kind":"tock"}\n')
    ended = await cexwatch("replay", journal, "--out", tmp_path / "out.jsonl")
    assert ended.code == 1
    assert ended.err.startswith(f"cexwatch: {journal}:2 expected one journal entry")


async def test_import_leads_to_what_replay_tells_and_a_restart_agrees(tmp_path: Path) -> None:
    config, out = offline(tmp_path), tmp_path / "transitions.jsonl"
    journal = written(tmp_path, halted(minutes_ago=60))
    ended = await cexwatch("journal", "import", journal, "--config", config)
    assert (ended.code, ended.err) == (0, "")
    await cexwatch("replay", journal, "--out", out)
    async with reading(tmp_path) as store:
        (incident,) = await store.incidents()
        checkpoint, resumed = await store.checkpoint(), await resume(store)
        assert checkpoint is not None
        assert (resumed.diverged, resumed.seq) == (0, checkpoint.seq)
        assert await store.transitions(incident.id) == [
            msgspec.json.decode(line, type=Transition) for line in out.read_bytes().splitlines()
        ]
        assert {view.exchange: view.withdrawals for view in await store.views()}[GATE] == "halted"


async def test_what_was_imported_can_be_exported_and_imported_again(tmp_path: Path) -> None:
    one, other = offline(tmp_path / "one"), offline(tmp_path / "other")
    exported = tmp_path / "export.jsonl"
    assert (await cexwatch("journal", "import", written(tmp_path, halted(minutes_ago=60)), "--config", one)).code == 0
    assert (await cexwatch("journal", "export", "--out", exported, "--config", one)).code == 0
    assert (await cexwatch("journal", "import", exported, "--config", other)).code == 0
    again = await cexwatch("journal", "export", "--config", other)
    assert (again.code, again.out) == (0, exported.read_text())
    last = again.out.splitlines()[-1]
    later = await cexwatch("journal", "export", "--since", json.loads(last)["at"], "--config", other)
    assert (later.code, later.out) == (0, f"{last}\n")


async def test_nothing_of_a_broken_file_is_imported(tmp_path: Path) -> None:
    config = offline(tmp_path)
    journal = written(tmp_path, [journals.tick(minute) for minute in range(6_000)])
    with journal.open("a") as file:
        file.write("{}\n")
    ended = await cexwatch("journal", "import", journal, "--config", config)
    assert ended.code == 1
    assert f"{journal}:6001 " in ended.err
    assert (await cexwatch("journal", "export", "--config", config)).out == ""


async def test_entries_at_the_wrong_time_are_not_imported(tmp_path: Path) -> None:
    config = offline(tmp_path)
    first = await cexwatch("journal", "import", written(tmp_path, halted(minutes_ago=60)), "--config", config)
    assert first.code == 0
    for minutes_ago, told in ((90, "import into a new database, or only what is newer"), (-30, "which is yet to come")):
        wrong = written(tmp_path, halted(minutes_ago=minutes_ago), name="wrong.jsonl")
        ended = await cexwatch("journal", "import", wrong, "--config", config)
        assert (ended.code, ended.out) == (1, "")
        assert told in ended.err


async def test_reading_commands_need_a_database(tmp_path: Path) -> None:
    ended = await cexwatch("incidents", "ls", "--config", offline(tmp_path))
    assert (ended.code, ended.out) == (1, "")
    assert "it is made by the first `cexwatch run`" in ended.err


async def test_a_decision_needs_a_running_daemon(tmp_path: Path) -> None:
    ended = await cexwatch("hold", "--config", offline(tmp_path))
    assert (ended.code, ended.out) == (1, "")
    assert f"no daemon listens at {tmp_path}/cexwatch.sock" in ended.err


@asynccontextmanager
async def on_call(folder: Path) -> AsyncIterator[Path]:
    """A daemon that has been watching a halt for some minutes; the configuration by which to reach it."""
    async with watched(folder) as world:
        world.exchange.suspend_all()
        imported = written(folder, halted(minutes_ago=0.2))
        assert (await cexwatch("journal", "import", imported, "--config", world.config)).code == 0
        process = await start("run", "--config", world.config)
        assert process.stdout is not None
        assert process.stderr is not None
        async with asyncio.TaskGroup() as group:
            async with asyncio.timeout(START_SECONDS):
                address = await process.stdout.readline()
            assert address.startswith(b"http://127.0.0.1:")
            log = group.create_task(process.stderr.read())
            try:
                yield world.config
            finally:
                process.send_signal(signal.SIGTERM)
                await process.wait()
        assert process.returncode == 0, log.result()


async def test_an_incident_is_found_read_and_acknowledged(tmp_path: Path) -> None:
    async with on_call(tmp_path) as config:
        listed = await cexwatch("incidents", "ls", "--config", config)
        assert listed.out.startswith("CRITICAL  gate  withdrawal halt  investigating\n")
        incident = listed.out.rpartition("cexwatch incidents show ")[2].strip()

        for order in (["ack", incident], ["note", incident, "their desk does not answer"]):
            answered = await cexwatch("incidents", *order, "--config", config)
            assert (answered.code, answered.err) == (0, "")
        shown = await cexwatch("incidents", "show", incident, "--config", config)
        assert "acknowledged by" in shown.out
        assert "The API knew first, at " in shown.out
        assert "their desk does not answer" in shown.out
        assert "the API, BTC@bitcoin, ETH@ethereum" in shown.out
        whole = json.loads((await cexwatch("incidents", "show", incident, "--json", "--config", config)).out)
        assert whole["transitions"][0]["transition"] == "opened"

        for verb in ("show", "ack"):
            missing = await cexwatch("incidents", verb, "nonsense", "--config", config)
            assert (missing.code, missing.out) == (1, "")
            assert "nonsense" in missing.err
        second = await cexwatch("run", "--config", config)
        assert second.code == 1
        assert "another cexwatch runs on this database" in second.err


async def test_a_start_that_may_succeed_later_ends_otherwise_than_a_wrong_configuration(tmp_path: Path) -> None:
    (tmp_path / "not-mounted").touch()
    config = offline(tmp_path)
    settled = config.read_text()
    config.write_text(settled.replace(f"sqlite:///{tmp_path}", f"sqlite:///{tmp_path}/not-mounted"))
    unreachable = await cexwatch("run", "--config", config)
    assert (unreachable.code, unreachable.out) == (1, "")
    assert "cannot be opened" in unreachable.err
    config.write_text(settled)
    assert (
        await cexwatch("journal", "import", written(tmp_path, halted(minutes_ago=60)), "--config", config)
    ).code == 0
    with sqlite3.connect(tmp_path / "cexwatch.db") as database:
        database.execute("UPDATE journal SET at = at + 7200000000")
    database.close()
    early = await cexwatch("run", "--config", config)
    assert early.code == 1
    assert "set the clock right" in early.err
    config.write_text(f"{settled}\nunknown: 1\n")
    assert (await cexwatch("run", "--config", config)).code == 3


async def test_maintenance_is_announced_seen_and_ended(tmp_path: Path) -> None:
    async with on_call(tmp_path) as config:
        end = ("--config", config)
        planned = ("--start", "2099-03-29T02:30", "--zone", "Europe/Berlin", "--duration", "2h", "--scope", "*@bitcoin")
        told = await cexwatch("maintenance", "add", "gate", *planned, "--name", "new wallets", *end)
        assert (told.code, told.err) == (0, "")
        assert "the clocks leave out 2099-03-29 02:30: it begins at 03:30 CEST" in told.out
        assert "announced from 2099-03-29T01:30:00+00:00 to 2099-03-29T03:30:00+00:00" in told.out
        (window,) = json.loads((await cexwatch("maintenance", "list", "--json", *end)).out)["windows"]
        assert (window["exchange"], window["window"]["name"], window["is_under_way"]) == ("gate", "new wallets", False)
        ended = await cexwatch("maintenance", "end", window["window"]["id"], *end)
        assert (ended.code, ended.err) == (0, "")
        assert (await cexwatch("maintenance", "list", *end)).out == "no maintenance is known of\n"


async def test_silences_are_begun_seen_and_ended(tmp_path: Path) -> None:
    async with on_call(tmp_path) as config:
        end = ("--config", config)
        told = await cexwatch("silence", "add", "we move wallets", "--for", "4h", "--exchange", "gate", *end)
        assert (told.code, told.err) == (0, "")
        (silence,) = json.loads((await cexwatch("silence", "list", "--json", *end)).out)["silences"]
        assert (silence["exchange"], silence["comment"]) == ("gate", "we move wallets")
        assert (await cexwatch("silence", "expire", silence["id"], *end)).code == 0
        assert (await cexwatch("silence", "list", *end)).out == "nothing is silenced\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(["maintenance", "add", "gat", "--start", "now", "--duration", "2h"], "gate", id="no exchange"),
        pytest.param(["maintenance", "add", "gate", "--start", "soon", "--duration", "2h"], "--start", id="no time"),
        pytest.param(
            ["maintenance", "add", "gate", "--start", "now", "--duration", "2h", "--scope", "b"],
            "--scope",
            id="no scope",
        ),
        pytest.param(["silence", "add", "why", "--for", "long"], "--for: expected a duration", id="no length"),
        pytest.param(["silence", "add", "why", "--for", "4h", "--kind", "halt"], "no such kind", id="no kind"),
    ],
)
async def test_words_that_make_no_sense_reach_no_daemon(tmp_path: Path, arguments: list[str], told: str) -> None:
    ended = await cexwatch(*arguments, "--config", offline(tmp_path))
    assert (ended.code, ended.out) == (3, "")
    assert told in ended.err


async def test_preview_tells_the_next_times_and_what_clocks_do_to_them(tmp_path: Path) -> None:
    config = offline(tmp_path)
    rule = (
        "{name: weekly, exchange: gate, start: 2026-01-04T02:30, duration: 2h, rrule: FREQ=WEEKLY, zone: Europe/Berlin}"
    )
    config.write_text(f"{config.read_text()}\nmaintenance: [{rule}]\n")
    shown = await cexwatch("maintenance", "preview", "--from", "2026-03-22", "--times", "3", "--config", config)
    assert (shown.code, shown.err) == (0, "")
    assert "2026-03-29 01:30 to 03:30" in shown.out
    assert "2026-03-29 03:30 CEST" in shown.out
    assert "the clocks leave out 02:30: it begins at 03:30" in shown.out
    assert "2026-04-05 00:30 to 02:30" in shown.out


async def test_a_draft_is_approved_only_as_it_was_shown(tmp_path: Path) -> None:
    async with on_call(tmp_path) as config, reading(tmp_path) as store:
        draft = next(each for each in await store.drafts(pending_only=True) if each.channel == "file")
        drafts = ("drafts", "approve", draft.id, "--config", config)

        unasked = await cexwatch(*drafts)
        assert (unasked.code, draft.text in unasked.out) == (3, True)
        with terminal("n\n") as stdin:
            assert (await cexwatch(*drafts, stdin=stdin)).code == 1
        assert (await cexwatch("hold", "--config", config)).code == 0
        held = await cexwatch(*drafts, "--yes")
        assert (held.code, held.err) == (1, "cexwatch: publishing is held; release it first\n")
        assert (await cexwatch("release", "--config", config)).code == 0

        text = "We observe all withdrawals halted at Gate."
        edited = await cexwatch("drafts", "edit", draft.id, "--text", text, "--config", config)
        assert (edited.code, text in edited.out) == (0, True)
        stale = await cexwatch(*drafts, "--sha256", draft.text_sha256)
        assert (stale.code, stale.out) == (1, "")
        with terminal("y\n") as stdin:
            approved = await cexwatch(*drafts, stdin=stdin)
        assert approved.code == 0

        async def is_posted() -> bool:
            now = await store.draft(draft.id)
            return now is not None and now.state is DraftState.POSTED

        await eventually(is_posted)
        assert [file.read_text() for file in (tmp_path / "posts").iterdir()] == [text]
