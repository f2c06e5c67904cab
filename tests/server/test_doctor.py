"""`cexwatch doctor` against servers that are well, and against what can be wrong with each of them."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
from aiohttp import web
from msgspec import Struct

from monitor.clock import Clock
from monitor.replay.stage import listening
from monitor.store.store import Store
from tests.end_to_end.world import World, closed_port, configure, world
from tests.receiver import Receiver
from tests.server.test_cli import Ended, cexwatch
from tests.servers import ExchangeServer

CHAIN_ID = 1
EXCHANGE = "kucoin"  # the server answers for all that is looked at there


class Call(Struct):
    id: int
    method: str


class Node:
    """An EVM node that has just seen a block, of `chain_id`."""

    def __init__(self, clock: Clock, *, chain_id: int) -> None:
        self._clock = clock
        self._chain_id = chain_id

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        application = web.Application()
        application.add_routes([web.post("/", self._answer)])
        async with listening(application, self._clock) as url:
            yield url

    async def _answer(self, request: web.Request) -> web.Response:
        asked = msgspec.json.decode(await request.read(), type=list[Call] | Call)
        calls = [asked] if isinstance(asked, Call) else asked
        answers = [{"jsonrpc": "2.0", "id": call.id, "result": self._result(call.method)} for call in calls]
        return web.Response(body=msgspec.json.encode(answers[0] if isinstance(asked, Call) else answers))

    def _result(self, method: str) -> object:
        match method:
            case "eth_chainId":
                return hex(self._chain_id)
            case "eth_syncing":
                return False
            case "eth_getBlockByNumber":
                seen = hex(int(self._clock.now().timestamp()))
                return {"number": "0x10", "hash": "0x" + "1" * 64, "parentHash": "0x" + "2" * 64, "timestamp": seen}
            case _:
                raise AssertionError(method)


def findings(ended: Ended) -> dict[str, str]:
    """What is to be said of each, "MEND" first where it is to be mended; several of one in a line each."""
    found: dict[str, list[str]] = {}
    for line in ended.out.splitlines():
        match = re.fullmatch(r"(ok|MEND) +([\w.]+): (.*)", line)
        assert match is not None, line
        how, what, said = match.groups()
        found.setdefault(what, []).append(f"MEND {said}" if how == "MEND" else said)
    return {what: "\n".join(lines) for what, lines in found.items()}


def databases(folder: Path) -> list[Path]:
    return list(folder.glob("*.db"))


async def examined(config: Path) -> Ended:
    return await cexwatch("doctor", "--config", config)


def chain(*endpoints: str) -> str:
    return f"chains: {{ethereum: {{chain_id: {CHAIN_ID}, allow_private: true, endpoints: [{', '.join(endpoints)}]}}}}"


def told(alertmanager: str, urls: Path, *, url: str) -> str:
    urls.write_text(f"{url}\n")
    urls.chmod(0o600)
    lines = (
        "paging: direct",
        f"external_url: {alertmanager}",
        f"alertmanager: {{urls: ['{alertmanager}']}}",
        f"notify: {{targets: {{oncall: {{urls_file: '{urls}', about: [pages]}}}}}}",
    )
    return "\n".join(lines)


class WholeExchange(ExchangeServer):
    """It also says how its trading is."""

    def _answers(self) -> dict[str, Callable[[web.Request], object]]:
        status = {"code": "200000", "data": {"status": "open", "msg": ""}}
        return super()._answers() | {"/api/v1/status": lambda _: status}


@asynccontextmanager
async def surroundings() -> AsyncIterator[World]:
    """An exchange that is well, at the true time."""
    async with world((), speed=1, start=None) as around, WholeExchange(around.clock) as exchange:
        around.exchanges = {EXCHANGE: exchange}
        yield around


async def test_all_is_well(tmp_path: Path) -> None:
    async with (
        surroundings() as around,
        Receiver(around.clock) as receiver,
        Node(around.clock, chain_id=CHAIN_ID).listening() as node,
    ):
        more = told(receiver.base, tmp_path / "urls", url=receiver.url)
        ended = await examined(around.configure(tmp_path, more=f"{more}\n{chain(node)}"))
        assert receiver.heard == [], "a message is not sent to see whether it could be"
    assert (ended.code, ended.err) == (0, ""), ended.out
    found = findings(ended)
    assert tuple(found) == (
        "database",
        "control",
        "clock",
        f"exchanges.{EXCHANGE}",
        "chains.ethereum",
        "alertmanager",
        "notify",
        "external_url",
    )
    assert "the first `cexwatch run` makes it" in found["database"]
    assert found["chains.ethereum"] == "127.0.0.1: at block 16"
    assert not databases(tmp_path), "it looks, and makes nothing"


async def test_everything_is_wrong(tmp_path: Path) -> None:
    """Each is told with what to do, and none hides another."""
    async with surroundings() as around, Node(around.clock, chain_id=56).listening() as other:
        around.switch_off()
        async with Node(around.clock, chain_id=CHAIN_ID).listening() as node:
            with closed_port() as nobody:
                more = told(nobody, tmp_path / "urls", url=f"{nobody}".replace("http", "json"))
                config = around.configure(tmp_path, more=f"{more}\n{chain(node, other, nobody)}")
                (tmp_path / "cexwatch.db").write_text("this is no database")
                ended = await examined(config)
    assert ended.code == 1
    found = findings(ended)
    assert found["database"].startswith("MEND ")
    assert found["control"].startswith("MEND 0 of 2 targets answer: ")
    assert found["clock"].startswith("MEND no two control targets agree on the time")
    assert all(line.startswith(f"MEND {EXCHANGE}") for line in found[f"exchanges.{EXCHANGE}"].splitlines())
    first, second, third = found["chains.ethereum"].splitlines()
    assert first == "127.0.0.1: at block 16"
    assert (second[:5], second.rpartition("; ")[2]) == (
        "MEND ",
        "that is another chain: look at chain_id and at the endpoint",
    )
    assert (third[:5], third.rpartition("; ")[2][:20]) == ("MEND ", "nobody answers there")
    assert "nobody answers there" in found["alertmanager"]
    assert "Links in notifications lead there" in found["external_url"]


async def test_clock_is_wrong(tmp_path: Path) -> None:
    true = Clock()
    wrong = Clock(start=true.now() + timedelta(seconds=90))
    async with world((), speed=1, start=wrong.now()) as elsewhere, surroundings() as around:
        config = configure(
            tmp_path,
            exchanges={EXCHANGE: around.exchanges[EXCHANGE].url},
            status_page=around.status_page.url,
            controls=[control.url for control in elsewhere.controls],
        )
        ended = await examined(config)
    assert ended.code == 1
    found = re.fullmatch(r"MEND it is (\d+) s behind: .*", findings(ended)["clock"])
    assert found is not None
    assert 85 <= int(found[1]) <= 95


async def test_daemon_does_not_run(tmp_path: Path) -> None:
    async with surroundings() as around:
        config = around.configure(tmp_path)
        store = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/cexwatch.db")
        await store.close()
        empty = await examined(config)
    assert (empty.code, findings(empty)["database"]) == (0, "nothing is in it yet"), empty.out


async def test_targets_are_unreadable(tmp_path: Path) -> None:
    async with surroundings() as around, Receiver(around.clock) as receiver:
        ended = await examined(
            around.configure(tmp_path, more=told(receiver.base, tmp_path / "urls", url="nonsense://x"))
        )
    assert ended.code == 1
    assert "cannot be read by apprise" in findings(ended)["notify"]
    assert "nonsense" not in ended.out


async def test_key_is_refused(tmp_path: Path) -> None:
    for name in ("key", "secret"):
        (tmp_path / name).write_text("a" * 32)
        (tmp_path / name).chmod(0o600)
    async with surroundings() as around, Receiver(around.clock) as refusing:
        refusing.behave(then=401)
        keys = f"api_key_file: '{tmp_path}/key', api_secret_file: '{tmp_path}/secret'"
        binance = f"  binance: {{url: '{refusing.base}', allow_private: true, status_page: '', {keys}}}"
        ended = await examined(around.configure(tmp_path, more=binance))
    assert ended.code == 1
    found = findings(ended)
    assert found[f"exchanges.{EXCHANGE}"] == "answers"
    assert "the key is refused: look at its rights" in found["exchanges.binance"]
    assert "a" * 32 not in ended.out + ended.err


async def test_wrong_configuration(tmp_path: Path) -> None:
    config = tmp_path / "cexwatch.yaml"
    config.write_text("exchanges: {gate: {interval: soon}}\n")
    ended = await examined(config)
    assert (ended.code, ended.out) == (3, "")
    assert "expected a duration" in ended.err
