"""A canary in every secret slot (faults G2, G3, D): whatever the world answers, none of them leaves the process."""

import asyncio
import json
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from base64 import b64encode, urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import get_args
from urllib.parse import quote

import aiohttp
import pytest
import structlog
from msgspec import Struct
from pydantic import BaseModel, SecretStr

from monitor import logs
from monitor.clock import Clock
from monitor.commands import Order, send
from monitor.config import load
from monitor.config.settings import sections
from monitor.model import DraftState, Verb
from monitor.probes import EXCHANGES, WITH_PASSPHRASE
from monitor.store import Store
from tests import warm
from tests.end_to_end.daemon import eventually
from tests.end_to_end.world import closed_port
from tests.fault_server import CANARY
from tests.faults.breaking import BrokenClockError
from tests.faults.parrots import MISDEEDS, Parrot, flock, parrot
from tests.hand_clock import NOON
from tests.servers import ControlServer, ExchangeServer
from tests.venues import Keys

ROOT = Path(__file__).parents[2]
SPEED = 40.0
LETTERS = 72  # of a secret
RAISED = 5  # errors that were logged
CHANNEL_SECRETS = (
    "consumer_key", "consumer_secret", "access_token", "access_token_secret", "statuspage_key", "webhook_secret",
)  # fmt: skip
STEADY, LONGTAIL = "steady", "longtail"
WALLETS = {
    "ethereum": ["0x" + "ee" * 20],
    "bitcoin": ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"],
    "tron": ["TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"],
}
LINK = re.compile(r'href="(/[^"#]*)"')

Slot = tuple[str, ...]
"""The way to a secret in the configuration, with `<name>` for a key of the person's choice."""


def slots() -> list[Slot]:
    """Every place where the configuration takes a secret."""
    return [
        (*way, key)
        for way, model in sections()
        for key, field in model.model_fields.items()
        if field.annotation is SecretStr or SecretStr in get_args(field.annotation)
    ]


def filled(value: object, way: Slot = ()) -> Iterator[tuple[Slot, str]]:
    """The secrets that a configuration holds, each with its slot."""
    match value:
        case SecretStr():
            yield way, value.get_secret_value()
        case BaseModel():
            for key, inner in value:
                yield from filled(inner, (*way, key))
        case dict():
            for inner in value.values():
                yield from filled(inner, (*way, "<name>"))
        case _:
            pass


class Nest:
    """Canaries by the environment variable that holds them: all begin alike, and no two are the same."""

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}

    def lay(self, slot: str, *, in_base64: bool = False) -> str:
        """The variable with a new canary for a slot."""
        variable = f"CANARY_{slot.upper()}"
        # As long as real keys are: what shows the beginning of a text only may cut it.
        canary = f"{CANARY}-{slot.lower().replace('_', '-')}-{len(self.variables):04d}".ljust(LETTERS, "x")
        self.variables[variable] = b64encode(canary.encode()).decode() if in_base64 else canary
        return variable

    def link(self, slot: str, url: str) -> str:
        """The variable with a URL that ends with a new canary."""
        variable = self.lay(slot)
        self.variables[variable] = f"{url}/{self.variables[variable]}"
        return variable

    def key(self, exchange: str, *, passphrase: bool = False, in_base64: bool = False) -> dict[str, str]:
        """Settings of an exchange with a key."""
        named = {
            "api_key_env": self.lay(f"{exchange}_key"),
            "api_secret_env": self.lay(f"{exchange}_secret", in_base64=in_base64),
        }
        return named | ({"api_passphrase_env": self.lay(f"{exchange}_phrase")} if passphrase else {})

    def keys(self, exchange: str) -> Keys:
        name = f"CANARY_{exchange.upper()}"
        return Keys(
            key=self.variables[f"{name}_KEY"],
            secret=self.variables[f"{name}_SECRET"],
            passphrase=self.variables.get(f"{name}_PHRASE", ""),
        )


def _forms() -> list[bytes]:
    """How the beginning of every canary may be written."""
    plain = CANARY.encode()
    spelled = [plain, quote(CANARY, safe="").encode(), plain.hex().encode(), plain.hex().upper().encode()]
    spelled += [
        "".join(f"%{byte:02x}" for byte in plain).encode(),
        "".join(f"\\x{byte:02x}" for byte in plain).encode(),
    ]
    spelled += [CANARY.encode("utf-16-le"), CANARY.encode("utf-16-be"), plain[::-1]]
    for encode in (b64encode, urlsafe_b64encode):
        for before in range(3):
            # Of the first and last characters some bits belong to what stands around it.
            code = encode(bytes(before) + plain)
            spelled.append(code[-(-before * 8 // 6) : (before + len(plain)) * 8 // 6])
    return list(dict.fromkeys(spelled))


FORMS = _forms()


def found(data: bytes) -> list[str]:
    """What stands around the canaries in `data`."""
    places = (place for form in FORMS if (place := data.find(form)) >= 0)
    return [data[max(0, place - 150) : place + 80].decode(errors="replace") for place in places]


def test_the_forms_are_found() -> None:
    canary = f"{CANARY}-kraken-secret-0001"
    for around in ("", "a", "ab", "abc"):
        text = f"{around}{canary}{around}".encode()
        for said in (text, b64encode(text), urlsafe_b64encode(text), text.hex().encode(), quote(text).encode()):
            assert found(b"what: " + said)
    assert found(b'{"key": "S3CR3T", "other": "xyz-S3CR3T"}') == []


@pytest.mark.parametrize("as_json", [pytest.param(True, id="JSON"), pytest.param(False, id="console")])
def test_what_a_traceback_cuts_short_holds_no_part_of_a_key(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """A log that shows variables shows the beginning of long ones, and half a key is no known secret."""
    key = f"{CANARY}-key".ljust(LETTERS, "x")
    logs.configure(level="info", json=as_json, secrets=[key])
    try:
        _send(
            f'{{"id":1770120599417,"method":"private/get-networks","api_key":"{key}","nonce":1770120599417}}'.encode()
        )
    except BrokenClockError:
        structlog.get_logger().exception("probe_raised", probe="cryptocom-networks")
    finally:
        structlog.reset_defaults()
    told = capsys.readouterr().err
    assert "the hand fell off" in told
    assert found(told.encode()) == []


def _send(body: bytes) -> None:
    payload = [body]
    raise BrokenClockError(f"the hand fell off after {len(payload)}")


class World(Struct, frozen=True):
    """Everything around the daemon, and the configuration that leads there."""

    folder: Path
    config: Path
    nest: Nest
    birds: Mapping[str, Parrot]
    queue: Parrot
    steady: ExchangeServer

    @property
    def crash(self) -> Path:
        """Where a file ends the daemon."""
        return self.folder / "crash"

    @property
    def environ(self) -> dict[str, str]:
        return {**os.environ, **self.nest.variables, "PYTHONFAULTHANDLER": "1"}


@asynccontextmanager
async def world(folder: Path, *, with_ccxt: bool = False) -> AsyncIterator[World]:
    nest, clock = Nest(), Clock(start=NOON, speed=SPEED)
    signing = {name: exchange for name, exchange in EXCHANGES.items() if exchange.sign is not None}
    in_base64 = ("kraken", "coinbase")
    keyed = {
        name: nest.key(name, passphrase=exchange.passphrase, in_base64=name in in_base64)
        for name, exchange in signing.items()
    }
    alone = {name: nest.key(name) for name in ("refusing", "plain", "nowhere", LONGTAIL, STEADY)}
    queue_tokens = {name: nest.lay(f"queue_{name}") for name in ("prometheus", "json", "push")}
    bearer, endpoint, node_password, node_key = (
        nest.lay(slot) for slot in ("x_bearer", "endpoint", "node_password", "node_key")
    )
    talk_token = nest.lay("mentions")
    gate_token = nest.lay("freezes")
    speaking = {name: nest.lay(f"channel_{name}") for name in CHANNEL_SECRETS}
    # An access token of X begins with the number of its account.
    nest.variables[speaking["access_token"]] = f"1234567890-{nest.variables[speaking['access_token']]}"
    own = [
        nest.variables[name]
        for name in (
            *queue_tokens.values(), talk_token, gate_token, bearer, endpoint, node_password, node_key,
            *speaking.values(),
        )
    ]  # fmt: skip
    async with AsyncExitStack() as running:
        birds = await running.enter_async_context(flock(keys=nest.keys, clock=clock))
        queue = await running.enter_async_context(parrot(own, first=3))
        steady = await running.enter_async_context(ExchangeServer(clock))
        controls = [await running.enter_async_context(ControlServer(clock)) for _ in range(2)]
        refusing = running.enter_context(closed_port())
        port = queue.url.rpartition(":")[2]
        at: dict[str, dict[str, object]] = {
            **{name: {"url": bird.url, "withdrawal_history": signing[name].history is not None, **keyed[name]}
               for name, bird in birds.items()},
            "refusing": {"api": "gate", "url": refusing, "withdrawal_history": True, **alone["refusing"]},
            "plain": {"api": "gate", "url": f"https://127.0.0.1:{port}", "withdrawal_history": True, **alone["plain"]},
            "nowhere": {"api": "gate", "url": "http://gate.invalid", "withdrawal_history": True, **alone["nowhere"]},
            STEADY: {"api": "gate", "url": steady.url, **alone[STEADY]},
        }  # fmt: skip
        if with_ccxt:  # whose import takes seconds
            bird = await running.enter_async_context(parrot([nest.keys(LONGTAIL).key, nest.keys(LONGTAIL).secret]))
            at[LONGTAIL] = {"ccxt": "bingx", "url": bird.url, **alone[LONGTAIL]}
            birds[LONGTAIL] = bird
        told = nest.link("told", queue.url.replace("http://", "json://"))
        beat = nest.link("beat", f"{queue.url}/ping")
        everywhere = {"status_page": "", "announcements": "", "interval": "20s", "allow_private": True}
        exchanges = {name: everywhere | settings for name, settings in at.items()}
        queries = {"requested": "r", "broadcast": "b", "pending": "p"}
        exchanges[STEADY]["queue"] = {
            "prometheus": {"url": queue.url, **queries, "token_env": queue_tokens["prometheus"]},
            "http_json": {"url": f"{queue.url}/queue", "token_env": queue_tokens["json"]},
            "push": {"secret_env": queue_tokens["push"]},
        }
        exchanges[STEADY]["freezes"] = {"url": queue.url, "interval": "20s", "token_env": gate_token}
        exchanges[STEADY]["mentions"] = {
            "http_json": {
                "url": f"{queue.url}/talk",
                "query": "everything",
                "window": "1m",
                "interval": "1m",
                "allow_private": True,
                "token_env": talk_token,
            }
        }
        (folder / "reserves").mkdir()
        lists = [{"source": "this test", "as_of": "2026-02-03", "wallets": WALLETS}]
        (folder / "reserves" / f"{STEADY}.yaml").write_text(json.dumps({"exchange": STEADY, "lists": lists}))
        at_nodes: dict[str, object] = {"allow_private": True, "interval": "10s"}
        chains: dict[str, dict[str, object]] = {
            "ethereum": {"chain_id": 1, "endpoints": [f"{queue.url}/v3/{nest.variables[endpoint]}"]},
            "bitcoin": {"endpoints": [f"core+{queue.url}"], "rpc_user": "us", "rpc_password_env": node_password},
            "tron": {"endpoints": [queue.url], "api_key_env": node_key},
        }
        config = {
            "role": "operator",
            "speaks_for": STEADY,
            "listen": "127.0.0.1:0",
            "database": f"sqlite:///{folder}/cexwatch.db",
            "log": {"level": "debug", "format": "json"},
            "exchanges": exchanges,
            "chains": {name: chain | at_nodes for name, chain in chains.items()},
            "control": {"targets": [control.url for control in controls], "allow_private": True},
            "prices": {"sources": []},
            "x": {"bearer_token_env": bearer},
            "channels": {
                "file": {"folder": f"{folder}/posts"},
                "x": {
                    "api_base_url": queue.url,
                    "allow_private": True,
                    **{f"{name}_env": speaking[name] for name in CHANNEL_SECRETS[:4]},
                },
                "statuspage": {
                    "page": "abc",
                    "api_base_url": queue.url,
                    "allow_private": True,
                    "api_key_env": speaking["statuspage_key"],
                },
                "webhook": {"url": f"{queue.url}/hook", "secret_env": speaking["webhook_secret"]},
            },
            "external_url": "https://cexwatch.example.org",
            "paging": "direct",
            "notify": {"targets": {"oncall": {"urls_env": told, "about": ["pages", "warnings", "drafts", "outcomes"]}}},
            "heartbeat": {"url_env": beat, "interval": "20s", "allow_private": True},
            "limits": {"max_series": 50_000, "requests_per_second": {"127.0.0.1": 200}},
        }
        path = folder / "cexwatch.yaml"
        path.write_text(json.dumps(config))
        yield World(folder, path, nest, birds, queue, steady)


class Life(Struct, frozen=True):
    process: Process
    page: str
    said: Path  # standard output and standard error


@asynccontextmanager
async def life(around: World, name: str) -> AsyncIterator[Life]:
    """A run of the daemon on a clock that breaks now and then."""
    said = around.folder / f"{name}.log"
    arguments = (str(around.config), str(SPEED), NOON.isoformat())
    with said.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.breaking", *arguments, str(around.crash),
            stdin=DEVNULL, stdout=out, stderr=out, cwd=ROOT, env=around.environ,
        )  # fmt: skip

    async def ready() -> str | None:
        assert process.returncode is None, said.read_text()
        told = re.search(r"^page (http://\S+)$", said.read_text(), re.MULTILINE)
        return told[1] if told is not None else None

    try:
        yield Life(process, await eventually(ready), said)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def crawled(page: str) -> AsyncIterator[tuple[str, bytes]]:
    """Every page that can be reached, with its headers, and what machines read."""
    waiting, seen = ["/", "/metrics", "/healthz", "/readyz", "/api/v1/status", "/nowhere"], set[str]()
    async with aiohttp.ClientSession() as session:
        while waiting:
            path = waiting.pop()
            if path in seen:
                continue
            seen.add(path)
            async with session.get(page + path) as response:
                body = await response.read()
                yield path, str(response.headers).encode() + body
                if response.content_type == "text/html":
                    waiting += LINK.findall(body.decode())
        body = b'[{"asset": "BTC"}]'
        for headers in ({}, {"X-Cexwatch-Time": "1", "X-Cexwatch-Signature": "00" * 32}):
            async with session.post(f"{page}/api/v1/push/{STEADY}", data=body, headers=headers) as response:
                yield f"push {response.status}", await response.read()


async def command(around: World, *arguments: str) -> bytes:
    """What `cexwatch` says, on both of its outputs."""
    _, out, err = await warm.call(*arguments, environ=around.environ)
    assert b"Traceback" not in err, err.decode()
    assert out or err
    return out + err


def written(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file that the daemon made."""
    ours = ("cexwatch.yaml", f"reserves/{STEADY}.yaml")
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.is_file() and name not in ours:
            yield name, file.read_bytes()


async def test_every_slot_has_a_canary_of_its_own(tmp_path: Path) -> None:
    async with world(tmp_path) as around:
        loaded = load(around.config, around.nest.variables, known_exchanges=EXCHANGES, passphrases=WITH_PASSPHRASE)
    held = list(filled(loaded.config))
    assert {way for way, _ in held} == set(slots()), "a slot of the configuration has no canary in this test"
    assert len({canary for _, canary in held}) == len(held)
    assert all(found(canary.encode()) for _, canary in held)
    # A URL is no slot: that the key in it is not shown is for those who show it.
    (endpoint,) = loaded.config.chains["ethereum"].endpoints
    for shown in (repr(loaded.config), str(loaded.config), loaded.config.model_dump_json()):
        assert found(shown.replace(endpoint, "").encode()) == []


async def test_no_canary_leaves_the_process(tmp_path: Path) -> None:
    heard: dict[str, bytes] = {}
    async with world(tmp_path, with_ccxt=True) as around:
        await _lived_through(around, heard)
    assert {name: places for name, data in heard.items() if (places := found(data))} == {}


async def _lived_through(around: World, heard: dict[str, bytes]) -> None:
    async with life(around, "first") as running:
        await eventually(partial(_raised, running))
        await _approve_drafts(around)
        await _until_all_misbehaved(around)
        heard |= {f"GET {path}": body async for path, body in crawled(running.page)}
        heard |= dict(written(around.folder))  # with what is still in the WAL
        running.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await running.process.wait() == 0
    assert any(name.startswith("posts/") for name, _ in written(around.folder))
    heard |= await _commanded(around)
    heard |= dict(written(around.folder))


@pytest.mark.parametrize("end", [pytest.param("crash", id="a bug"), pytest.param("abort", id="SIGABRT")])
async def test_no_canary_is_in_what_a_crash_leaves_behind(tmp_path: Path, end: str) -> None:
    async with world(tmp_path) as around, life(around, end) as running:
        await eventually(partial(_raised, running))
        if end == "crash":
            around.crash.touch()
        else:
            running.process.send_signal(signal.SIGABRT)
        async with asyncio.timeout(20):
            assert await running.process.wait() != 0
        said = running.said.read_bytes()
    assert (b"the spring broke" if end == "crash" else b"Fatal Python error: Aborted") in said
    assert {name: places for name, data in written(tmp_path) if (places := found(data))} == {}


async def _raised(running: Life) -> bool:
    """Keys have been on the wire, and in the frames of errors that were logged."""
    return running.said.read_bytes().count(b"probe_raised") >= RAISED


async def _approve_drafts(around: World) -> None:
    """So that there is a post, and every other channel was tried."""
    around.steady.suspend_all()
    store = await Store.open(f"sqlite+aiosqlite:///{around.folder}/cexwatch.db", exclusive=False)
    try:

        async def all_tried() -> bool:
            for draft in await store.drafts(pending_only=True):
                order = Order(verb=Verb.APPROVE, subject=draft.id, text_sha256=draft.text_sha256)
                await send(around.folder / "cexwatch.sock", order)
            drafts = await store.drafts()
            tried = {d.channel for d in drafts if d.state is DraftState.POSTED or d.reason}
            return tried == {"file", "x", "statuspage", "webhook"}

        await eventually(all_tried)
    finally:
        await store.close()


async def _until_all_misbehaved(around: World) -> None:
    async def did() -> bool:
        birds = [bird for name, bird in around.birds.items() if name != LONGTAIL]
        is_read = LONGTAIL not in around.birds or around.birds[LONGTAIL].requests.total() > 1
        return is_read and all(len(bird.done) == len(MISDEEDS) for bird in (*birds, around.queue))

    await eventually(did, within=40)


async def _commanded(around: World) -> dict[str, bytes]:
    config = str(around.config)
    commands: Sequence[Sequence[str]] = (
        ("check-config", config),
        ("probe", "once", "--json", "--config", config, *(name for name in around.birds if name != LONGTAIL), STEADY),
        ("journal", "export", "--config", config),
        ("drafts", "ls", "--all", "--json", "--config", config),
    )
    async with asyncio.TaskGroup() as group:
        tasks = {" ".join(words[:3]): group.create_task(command(around, *words)) for words in commands}
    return {name: task.result() for name, task in tasks.items()}
