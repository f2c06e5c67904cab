"""Pushes to the real server: only what is signed, fresh, new and right in every row is taken."""

import asyncio
import gzip
import hmac
import logging
import os
import re
import sqlite3
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import msgspec
import pytest
from aiohttp import web

from monitor.clock import Clock
from monitor.exposition import Intervals
from monitor.metrics import Metrics
from monitor.model import FailureReason, Rail, Reading, RemoteError, WithdrawalQueue
from monitor.probes.push import PUSHES_PER_SECOND, SILENT_SECONDS, Push
from monitor.store.store import Store
from monitor.web.push import LARGEST_BODY, Pushes
from monitor.web.server import application, serving
from tests.faults.virtual_clock import VirtualClock
from tests.installed import program
from tests.server.store_samples import opened
from tests.visitors import faces as faces_of

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)
SECRET = "S3CR3T-of-kraken"  # noqa: S105 - stands for one
ROW: dict[str, object] = {
    "asset": "btc",
    "network": "BTC",
    "requested": 4,
    "broadcast": 3,
    "pending": 1,
    "oldest_seconds": 40,
    "window_seconds": 60,
}
BODY = msgspec.json.encode([ROW])


def signed(body: bytes, time: str, *, secret: str = SECRET) -> dict[str, str]:
    signature = hmac.digest(secret.encode(), time.encode() + b"." + body, "sha256").hex()
    return {"X-Cexwatch-Time": time, "X-Cexwatch-Signature": signature}


class Door:
    """The daemon's side of a push, and what came through."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.clock = clock
        self.taken: list[Reading] = []
        self.kraken = Push(clock, exchange="kraken", secret=SECRET)
        self.pushes = Pushes(
            clock, receivers=lambda: {"kraken": self.kraken}, taken_before=store.taken_before, take=self._take
        )
        self.url = ""
        self.session: aiohttp.ClientSession

    async def _take(self, reading: Reading) -> None:
        self.taken.append(reading)

    def time(self, *, seconds: float = 0.0) -> str:
        return str(int(self.clock.now().timestamp() + seconds))

    async def push(self, body: bytes, headers: dict[str, str], *, exchange: str = "kraken") -> tuple[int, str]:
        async with self.session.post(f"{self.url}/api/v1/push/{exchange}", data=body, headers=headers) as response:
            return response.status, await response.text()


@asynccontextmanager
async def opened_door(store: Store, clock: Clock) -> AsyncIterator[Door]:
    door = Door(store, clock)
    metrics = Metrics(version="0.1.0", intervals=Intervals())
    faces = faces_of(store, clock, metrics)
    app = application(faces, version="0.1.0", routes=[door.pushes.route()])
    async with (
        serving(app, host="127.0.0.1", port=0) as door.url,
        aiohttp.ClientSession() as door.session,
    ):
        yield door


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with opened(tmp_path / "cexwatch.db") as store, opened_door(store, VirtualClock(NOON)) as door:
        yield door


async def test_a_push_becomes_a_reading(door: Door) -> None:
    body = msgspec.json.encode([ROW, {**ROW, "asset": "USDT", "network": "TRC20", "oldest_seconds": None}])
    assert await door.push(body, signed(body, door.time())) == (202, "taken: 2 rails\n")
    [(first, second)] = door.taken
    assert first == WithdrawalQueue(
        at=NOON,
        exchange="kraken",
        probe="kraken-push",
        asset="BTC",
        network="bitcoin",
        requested=4,
        broadcast=3,
        pending=1,
        oldest_seconds=40.0,
        window_seconds=60.0,
    )
    assert type(second) is WithdrawalQueue
    assert Rail(second.asset, second.network) == Rail("USDT", "tron")
    assert second.oldest_seconds is None


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 401, id="not signed"),
        pytest.param(signed(BODY, str(int(NOON.timestamp())), secret="another"), 401, id="with another secret"),  # noqa: S106
        pytest.param(signed(BODY + b" ", str(int(NOON.timestamp()))), 401, id="for another body"),
        pytest.param(
            {**signed(BODY, str(int(NOON.timestamp()))), "X-Cexwatch-Time": str(int(NOON.timestamp()) + 1)},
            401,
            id="for another time",
        ),
        pytest.param({"X-Cexwatch-Time": str(int(NOON.timestamp())), "X-Cexwatch-Signature": "00" * 32}, 401, id="no"),
        pytest.param({"X-Cexwatch-Time": "\u0662", "X-Cexwatch-Signature": "x"}, 401, id="in other digits"),
        pytest.param(signed(BODY, str(int(NOON.timestamp()) - 301)), 408, id="five minutes ago"),
        pytest.param(signed(BODY, str(int(NOON.timestamp()) + 301)), 408, id="in five minutes"),
        pytest.param(signed(BODY, "99999999999"), 408, id="in three thousand years"),
        pytest.param(signed(BODY, "2026-02-03T12:00:00Z"), 400, id="with a date"),
        pytest.param(signed(BODY, f"{NOON.timestamp():.3f}"), 400, id="with a fraction of a second"),
        pytest.param(signed(BODY, ""), 400, id="with no time"),
        pytest.param(signed(BODY, str(int(NOON.timestamp()) - 300)), 202, id="just not five minutes ago"),
        pytest.param(signed(BODY, str(int(NOON.timestamp()) + 300)), 202, id="just not in five minutes"),
        pytest.param(
            {name: value.upper() for name, value in signed(BODY, str(int(NOON.timestamp()))).items()},
            202,
            id="in capitals",
        ),
    ],
)
async def test_only_what_is_signed_and_fresh_is_taken(door: Door, headers: dict[str, str], status: int) -> None:
    answered, text = await door.push(BODY, headers)
    assert answered == status, text
    assert len(door.taken) == (status == 202)
    assert SECRET not in text


async def test_nobody_learns_which_exchanges_there_are(door: Door) -> None:
    answers = {
        await door.push(BODY, headers, exchange=exchange)
        for exchange in ("kraken", "mtgox")
        for headers in (
            signed(BODY, door.time(), secret="another"),  # noqa: S106 - a wrong one
            signed(BODY, door.time(seconds=-4000), secret="another"),  # noqa: S106
            {},
        )
    }
    assert len(answers) == 1
    assert await door.push(BODY, signed(BODY, door.time()), exchange="mtgox") in answers
    assert door.taken == []


async def test_no_push_is_taken_twice(door: Door) -> None:
    headers = signed(BODY, door.time())
    assert (await door.push(BODY, headers))[0] == 202
    for spelled in (headers, {name: value.upper() for name, value in headers.items()}):
        assert await door.push(BODY, spelled) == (409, "this push was taken before: sign each with its own time\n")
    assert (await door.push(BODY, signed(BODY, door.time(seconds=1))))[0] == 202
    assert len(door.taken) == 2


async def test_the_same_push_at_the_same_time_is_taken_once(door: Door) -> None:
    headers = signed(BODY, door.time())
    answers = await asyncio.gather(*[door.push(BODY, headers) for _ in range(20)])
    statuses = [status for status, _ in answers]
    assert statuses.count(202) == 1
    assert set(statuses) <= {202, 409, 429}
    assert len(door.taken) == 1


async def test_a_restart_does_not_forget_what_was_taken(tmp_path: Path) -> None:
    clock = VirtualClock(NOON)
    headers = signed(BODY, str(int(NOON.timestamp())))
    for status in (202, 409):
        async with opened(tmp_path / "cexwatch.db") as store, opened_door(store, clock) as door:
            assert (await door.push(BODY, headers))[0] == status
            clock.leap(290.0)


async def test_what_was_taken_is_forgotten_when_its_signature_holds_no_longer(tmp_path: Path) -> None:
    path = tmp_path / "cexwatch.db"
    async with opened(path) as store:
        for n in range(3):
            now = NOON + timedelta(seconds=200 * n)
            assert not await store.taken_before(bytes([n]) * 32, until=now + timedelta(minutes=5), now=now)
        assert await store.taken_before(bytes([2]) * 32, until=NOON, now=NOON)
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT digest FROM pushes ORDER BY digest").fetchall() == [
            (b"\x01" * 32,),
            (b"\x02" * 32,),
        ]
    database.close()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        pytest.param(b"", "Input data was truncated", id="nothing"),
        pytest.param(b"{}", "Expected `array`, got `object`", id="not a list"),
        pytest.param(b"[]", "0 rows, and a push has 1 to 1000 - at `$`", id="no row"),
        pytest.param(b"[1]", "Expected `object`, got `int` - at `$[0]`", id="a row that is a number"),
        pytest.param(b'[{"asset": "\xff"}]', "not UTF-8: ", id="no text"),
        pytest.param(b"[" * 100_000, "Expected `object`, got `array` - at `$[0]`", id="brackets"),
        pytest.param({"requested": -1}, "Expected `int` >= 0 - at `$[1].requested`", id="negative"),
        pytest.param({"requested": 1.5}, "Expected `int`, got `float` - at `$[1].requested`", id="a fraction"),
        pytest.param({"broadcast": "3"}, "Expected `int`, got `str` - at `$[1].broadcast`", id="a word"),
        pytest.param({"pending": None}, "Expected `int`, got `null` - at `$[1].pending`", id="null"),
        pytest.param({"pending": False}, "Expected `int`, got `bool` - at `$[1].pending`", id="false"),
        pytest.param({"pending": 10**13}, "Expected `int` <= 1000000000000 - at `$[1].pending`", id="too many"),
        pytest.param({"window_seconds": 0}, "Expected `float` > 0.0 - at `$[1].window_seconds`", id="no window"),
        pytest.param({"oldest_seconds": -1}, "Expected `float` >= 0.0 - at `$[1].oldest_seconds`", id="from tomorrow"),
        pytest.param({"oldest": 1}, "Object contains unknown field `oldest` - at `$[1]`", id="a name misspelled"),
        pytest.param({"asset": ""}, "Expected `str` of length >= 1 - at `$[1].asset`", id="no asset"),
        pytest.param({"asset": "A@B"}, "Expected words for asset and network, without", id="an asset and a network"),
        pytest.param({"network": "*"}, "Expected words for asset and network, without", id="every network"),
        pytest.param({"asset": "BTC"}, "BTC@bitcoin is there twice - at `$[1]`", id="a rail twice"),
    ],
)
async def test_a_push_that_is_wrong_anywhere_is_refused_whole(
    door: Door, body: bytes | dict[str, object], told: str
) -> None:
    match body:
        case bytes():
            raw = body
        case dict():
            raw = msgspec.json.encode([ROW, {**ROW, "asset": "ETH", **body}])
    status, text = await door.push(raw, signed(raw, door.time()))
    assert (status, text[: len(told)]) == (400, told)
    assert door.taken == []


async def test_a_body_may_be_as_large_as_told_and_no_larger(door: Door) -> None:
    full = BODY + b" " * (LARGEST_BODY - len(BODY))
    assert (await door.push(full, signed(full, door.time())))[0] == 202
    for body in (full + b" ", full * 3):
        assert await door.push(body, signed(body, door.time())) == (413, f"more than {LARGEST_BODY} bytes\n")
    assert len(door.taken) == 1


async def test_a_packed_body_is_refused_in_words(door: Door) -> None:
    for body, packing in ((gzip.compress(BODY), "gzip"), (gzip.compress(b" " * 50_000_000), "gzip"), (BODY, "br")):
        status, text = await door.push(body, {**signed(body, door.time()), "Content-Encoding": packing})
        assert (status, text) == (415, "packed: send the body as it is, without Content-Encoding\n")
    assert door.taken == []


async def test_a_body_arrives_as_it_was_sent_whatever_its_packing() -> None:
    async def length(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    app = web.Application()
    app.add_routes([web.post("/", length)])
    packed = gzip.compress(b" " * 100_000)
    headers = {"Content-Encoding": "gzip"}
    async with (
        serving(app, host="127.0.0.1", port=0) as url,
        aiohttp.ClientSession() as session,
        session.post(url, data=packed, headers=headers) as response,
    ):
        assert await response.text() == str(len(packed))


async def test_more_than_five_a_second_are_refused_and_replays_do_not_count(door: Door) -> None:
    first = signed(BODY, door.time())
    assert (await door.push(BODY, first))[0] == 202
    for _ in range(2 * PUSHES_PER_SECOND):
        assert (await door.push(BODY, first))[0] == 409
        assert (await door.push(BODY, signed(BODY, "1")))[0] == 408
    for n in range(1, PUSHES_PER_SECOND):
        assert (await door.push(BODY, signed(BODY, door.time(seconds=n))))[0] == 202
    refused = signed(BODY, door.time(seconds=PUSHES_PER_SECOND))
    async with door.session.post(f"{door.url}/api/v1/push/kraken", data=BODY, headers=refused) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "1")
    assert isinstance(door.clock, VirtualClock)
    door.clock.leap(1.0)
    assert (await door.push(BODY, refused))[0] == 202


async def test_only_a_post_is_answered(door: Door) -> None:
    async with door.session.get(f"{door.url}/api/v1/push/kraken") as response:
        assert response.status == 405


async def test_a_client_that_hangs_up_in_its_body_leaves_no_trace(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    parts = urlsplit(door.url)
    for end in (b"", b"5\r\nab"):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(b"POST /api/v1/push/kraken HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + end)
        writer.write_eof()
        async with asyncio.timeout(5):
            answer = await reader.read()
        assert not answer or re.match(rb"HTTP/1\.1 4\d\d ", answer)
        writer.close()
        await writer.wait_closed()
    assert (await door.push(BODY, signed(BODY, door.time())))[0] == 202
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_when_nothing_is_pushed_any_more_the_probe_fails() -> None:
    clock = VirtualClock(NOON)
    push = Push(clock, exchange="kraken", secret=SECRET)
    clock.leap(SILENT_SECONDS)
    assert await push.observe() == ()
    clock.leap(1.0)
    with pytest.raises(RemoteError, match="nothing was pushed for 181 s") as caught:
        await push.observe()
    assert caught.value.reason is FailureReason.STALE
    push.admit()
    assert await push.observe() == ()
    clock.leap(SILENT_SECONDS + 1)
    push.admit()
    push.dismiss()
    with pytest.raises(RemoteError, match="nothing was pushed for 181 s"):
        await push.observe()
    assert SECRET not in repr(push)


async def test_the_example_of_the_documentation_is_taken(tmp_path: Path) -> None:
    for tool in ("bash", "openssl", "curl"):
        program(tool)
    [example] = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/operator.md").read_text(encoding="utf-8"), re.DOTALL)
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\n")
    async with opened(tmp_path / "cexwatch.db") as store, opened_door(store, Clock()) as door:
        environ = {"PATH": os.environ["PATH"], "CEXWATCH_URL": door.url, "CEXWATCH_PUSH_SECRET": str(secret)}
        process = await asyncio.create_subprocess_exec("bash", "-euc", example, stdout=PIPE, stderr=PIPE, env=environ)
        output, errors = await asyncio.wait_for(process.communicate(), 30)
        assert (process.returncode, output, errors) == (0, b"taken: 1 rails\n", b"")
        [[row]] = door.taken
        assert type(row) is WithdrawalQueue
        assert (str(Rail(row.asset, row.network)), row.requested, row.broadcast, row.pending) == (
            "BTC@bitcoin",
            4,
            3,
            1,
        )

        secret.write_text("another\n")
        process = await asyncio.create_subprocess_exec("bash", "-euc", example, stdout=PIPE, stderr=PIPE, env=environ)
        output, _ = await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode != 0
        assert output == b"the signature is not that of this time and body\n"
