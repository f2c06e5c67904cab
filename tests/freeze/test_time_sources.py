"""One source of time asked once: what it may say, and what counts as no answer."""

import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from monitor.freeze import final_block, sntp
from monitor.model import FailureReason, RemoteError
from tests.anvil import anvil
from tests.freeze.time_sources import Node, NtpServer, Way, block, ntp_server
from tests.hand_clock import NOON, HandClock
from tests.loopback import CUT_OFF, Answer, as_json, as_text

SECOND = timedelta(seconds=1)
BILLION_YEARS = "0x" + "f" * 14


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def server(clock: HandClock) -> AsyncIterator[NtpServer]:
    async with ntp_server(clock) as server:
        yield server


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def asked(server: NtpServer, clock: HandClock) -> datetime:
    host, _, port = server.url.removeprefix("ntp://").partition(":")
    return await sntp.ask(host, int(port), clock=clock)


@pytest.mark.parametrize(
    "time",
    [
        pytest.param(NOON + timedelta(microseconds=654_321), id="now"),
        pytest.param(datetime(2036, 2, 7, 6, 28, 15, 999_999, tzinfo=UTC), id="the last of the first era"),
        pytest.param(datetime(2036, 2, 7, 6, 28, 17, tzinfo=UTC), id="the second era"),
        pytest.param(datetime(2103, 12, 31, tzinfo=UTC), id="the end of what can be told apart"),
    ],
)
async def test_a_server_tells_the_time(server: NtpServer, clock: HandClock, time: datetime) -> None:
    server.time = time
    assert await asked(server, clock) == time


async def test_half_of_the_trip_is_added(server: NtpServer, clock: HandClock) -> None:
    server.trip_seconds = 1.5
    assert await asked(server, clock) == NOON + timedelta(seconds=0.75)


async def test_a_late_reply_is_none(server: NtpServer, clock: HandClock) -> None:
    server.trip_seconds = 2.1
    with pytest.raises(RemoteError) as raised:
        await asked(server, clock)
    assert raised.value.reason is FailureReason.TIMEOUT


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        pytest.param(Way.KISS_OF_DEATH, FailureReason.BLOCKED, id="kiss of death"),
        pytest.param(Way.UNSYNCHRONISED, FailureReason.STALE, id="leap 3"),
        pytest.param(Way.STRATUM_16, FailureReason.STALE, id="stratum 16"),
        pytest.param(Way.CLIENT, FailureReason.SHAPE, id="not a server's mode"),
        pytest.param(Way.NO_TIME, FailureReason.SHAPE, id="a transmit timestamp of zero"),
    ],
)
async def test_what_is_not_believed(server: NtpServer, clock: HandClock, way: Way, reason: FailureReason) -> None:
    server.way = way
    with pytest.raises(RemoteError) as raised:
        await asked(server, clock)
    assert raised.value.reason is reason


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(Way.SILENT, id="silence"),
        pytest.param(Way.WRONG_ORIGINATE, id="a reply to another question"),
        pytest.param(Way.SHORT, id="a reply that is cut short"),
    ],
)
async def test_what_is_no_reply(server: NtpServer, clock: HandClock, way: Way) -> None:
    server.way = way
    clock.speed = 10.0
    with pytest.raises(RemoteError) as raised:
        await asked(server, clock)
    assert raised.value.reason is FailureReason.TIMEOUT
    assert len(server.nonces) == 1


async def test_a_forged_reply_does_not_keep_out_the_right_one(server: NtpServer, clock: HandClock) -> None:
    server.way = Way.FORGED_FIRST
    assert await asked(server, clock) == NOON


async def test_no_question_is_like_another(server: NtpServer, clock: HandClock) -> None:
    for _ in range(8):
        await asked(server, clock)
    assert len(set(server.nonces)) == 8
    assert len({nonce >> 48 for nonce in server.nonces}) > 1, "all of its bits are drawn"


async def test_nobody_listens(clock: HandClock) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(RemoteError) as raised:
        await sntp.ask("127.0.0.1", port, clock=clock)
    assert raised.value.reason is FailureReason.CONNECTION


@pytest.mark.parametrize("host", ["no-such-name.invalid", "a" * 70, "a..b"])
async def test_a_name_that_leads_nowhere(host: str, clock: HandClock, session: aiohttp.ClientSession) -> None:
    with pytest.raises(RemoteError):
        await sntp.ask(host, 123, clock=clock)
    with pytest.raises(RemoteError):
        await final_block.ask(f"http://{host}/", clock=clock, session=session)


async def test_a_node_tells_when_its_final_block_was_made(clock: HandClock, session: aiohttp.ClientSession) -> None:
    node = Node()
    async with node.server as server:
        assert await final_block.ask(server.url, clock=clock, session=session) == NOON


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(
            as_json({"jsonrpc": "2.0", "id": 1, "result": None}), FailureReason.SHAPE, id="no final block yet"
        ),
        pytest.param(
            as_json({"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "no"}}),
            FailureReason.SHAPE,
            id="an error",
        ),
        pytest.param(block("0x6980", number=2), FailureReason.SHAPE, id="the answer to another question"),
        pytest.param(block(1_770_000_000), FailureReason.SCHEMA, id="a number that is no quantity"),
        pytest.param(block("0x"), FailureReason.SCHEMA, id="an empty quantity"),
        pytest.param(block("0x-6980"), FailureReason.SCHEMA, id="less than nothing"),
        pytest.param(block(BILLION_YEARS), FailureReason.SCHEMA, id="a billion years ahead"),
        pytest.param(as_json([]), FailureReason.SCHEMA, id="another shape"),
        pytest.param(as_text("[" * 60_000), FailureReason.SCHEMA, id="nesting without end"),
        pytest.param(Answer(body=b'{"id":1,"result":{"timestamp":"\xff"}}'), FailureReason.SCHEMA, id="no text"),
        pytest.param(CUT_OFF, FailureReason.SCHEMA, id="cut off"),
        pytest.param(as_text(" " * 65_537), FailureReason.TOO_LARGE, id="too large"),
        pytest.param(as_text("", status=307), FailureReason.SHAPE, id="a redirect"),
        pytest.param(as_text("", status=502), FailureReason.SHAPE, id="a bad gateway"),
        pytest.param(
            Answer(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}), FailureReason.ENCODING, id="compressed"
        ),
    ],
)
async def test_nonsense_of_a_node(
    clock: HandClock, session: aiohttp.ClientSession, answer: Answer, reason: FailureReason
) -> None:
    node = Node()
    async with node.server as server:
        server.fail(answer)
        with pytest.raises(RemoteError) as raised:
            await final_block.ask(server.url, clock=clock, session=session)
    assert raised.value.reason is reason


async def test_a_redirect_leads_nowhere(clock: HandClock, session: aiohttp.ClientSession) -> None:
    node, elsewhere = Node(), Node(host="127.0.0.2")
    async with node.server as server, elsewhere.server as other:
        server.fail(Answer(body=b"", status=307, headers={"Location": other.url}))
        with pytest.raises(RemoteError):
            await final_block.ask(server.url, clock=clock, session=session)
        assert other.asked == []


async def test_a_node_that_hangs(clock: HandClock, session: aiohttp.ClientSession) -> None:
    node = Node()
    clock.speed = 50.0
    async with node.server as server:
        server.fall_silent()
        with pytest.raises(RemoteError) as raised:
            await final_block.ask(server.url, clock=clock, session=session)
    assert raised.value.reason is FailureReason.TIMEOUT


async def test_a_real_node(clock: HandClock, session: aiohttp.ClientSession) -> None:
    """Only what is final counts: a node whose newest block is 12 s younger does not tell of that one."""
    async with anvil(genesis=NOON) as node:
        await node.pace(12)
        await node.mine(8)
        height = await node.height()
        assert await final_block.ask(node.url, clock=clock, session=session) == await node.time(height - 2)
        assert await node.time() - await node.time(height - 2) == 24 * SECOND
