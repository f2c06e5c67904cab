"""Faults B1 to B11 of our list: connections that fail in every way, each with its reason and in bounded time."""

import asyncio
import random
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import tests.journals as j
from monitor.clock import Clock
from monitor.http import Http
from monitor.http.sockets import UNACKNOWLEDGED_MILLISECONDS, to_anywhere
from monitor.model import FailureReason, RailState, RemoteError
from tests.certificates import Authority
from tests.fault_server import (
    FaultServer,
    Peer,
    Script,
    black_hole,
    chunked,
    drips,
    failure,
    http,
    in_turn,
    never_ends,
    says,
    says_and_closes,
    says_and_hangs,
    says_and_resets,
)
from tests.name_server import Reply, name_server

JSON = b'{"coins":[1,2,3]}'
ROOT = Path(__file__).parents[2]
NAME = "api.exchange.test"


@pytest.fixture
async def client() -> AsyncIterator[Http]:
    async with Http(Clock(), per_second={"127.0.0.1": 1000.0, NAME: 1000.0}) as client:
        yield client


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param(says_and_hangs(b""), FailureReason.TIMEOUT, id="B2 accepts and never answers"),
        pytest.param(drips(HEAD + bytes(100_000), every_seconds=0.02), FailureReason.TIMEOUT, id="B3 drips"),
        pytest.param(says_and_resets(HEAD + bytes(99)), FailureReason.CONNECTION, id="B5 reset in the body"),
        pytest.param(says_and_closes(HEAD + bytes(99)), FailureReason.CONNECTION, id="B5 truncated"),
        pytest.param(says_and_closes(chunked(JSON) + b"zz\r\n"), FailureReason.CONNECTION, id="B5 bad chunk"),
        pytest.param(
            says_and_closes(http(JSON, headers={"X-Huge": "a" * 2**20})), FailureReason.CONNECTION, id="B11 1 MB header"
        ),
        pytest.param(
            says_and_closes(http(JSON, headers={f"X-{n}": "a" for n in range(10_000)})),
            FailureReason.CONNECTION,
            id="B11 10,000 headers",
        ),
        pytest.param(
            never_ends(b"HTTP/1.1 200 OK\r\n", b"X-More: a\r\n" * 1000), FailureReason.CONNECTION, id="B11 endless head"
        ),
    ],
)
async def test_b_an_answer_that_is_not_whole_is_a_failure(client: Http, script: Script, reason: FailureReason) -> None:
    clock = Clock()
    async with FaultServer({"/": script}) as server:
        error = await failure(client, server.url("/"), timeout=1.0)
    assert error.reason is reason
    assert clock.monotonic() < 3


async def test_b1_a_syn_black_hole_costs_three_seconds(client: Http) -> None:
    clock = Clock()
    with black_hole() as port:
        assert (await failure(client, f"http://127.0.0.1:{port}/", timeout=10.0)).reason is FailureReason.TIMEOUT
    assert 2.5 < clock.monotonic() < 5


async def test_b2_a_connection_without_an_answer_is_closed(client: Http) -> None:
    closed = asyncio.Event()

    async def hangs(peer: Peer) -> None:
        await peer.hang()
        closed.set()

    async with FaultServer({"/": hangs}) as server:
        await failure(client, server.url("/"), timeout=0.2)
        async with asyncio.timeout(5):
            await closed.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has TCP_USER_TIMEOUT")
def test_b4_a_peer_that_vanished_is_noticed_while_there_is_time() -> None:
    with to_anywhere((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1))) as connection:
        waits = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    assert waits == UNACKNOWLEDGED_MILLISECONDS < 5000


class Fickle:
    """Answers the first request of each connection and ends it on the second, with or without a FIN."""

    def __init__(self, *, politely: bool) -> None:
        self._politely = politely
        self._answered: set[int] = set()

    async def __call__(self, peer: Peer) -> None:
        if peer.request.connection not in self._answered:
            self._answered.add(peer.request.connection)
            await peer.send(http(JSON))
        elif self._politely:
            peer.close()
        else:
            peer.reset()


@pytest.mark.parametrize(
    "politely", [pytest.param(False, id="B4 the peer vanished"), pytest.param(True, id="B6 closed at reuse")]
)
async def test_b_a_dead_idle_connection_costs_a_get_nothing_and_a_post_is_sent_once(
    client: Http, politely: bool
) -> None:
    async with FaultServer({"/": Fickle(politely=politely)}) as server:
        for _ in range(3):
            assert (await client.get(server.url("/"), allow_private=True)).body == JSON
        assert [request.connection for request in server.requests] == [1, 1, 2, 2, 3]
        with pytest.raises(RemoteError) as caught:
            await client.post(server.url("/"), b"[]", allow_private=True)
    assert caught.value.reason is FailureReason.CONNECTION
    assert [request.method for request in server.requests].count("POST") == 1


async def test_b5_the_beginning_of_an_answer_is_not_kept_for_the_next(client: Http) -> None:
    script = in_turn(says_and_resets(http(b'{"open":false}')[:-1]), says(http(JSON)))
    async with FaultServer({"/": script}) as server:
        assert (await failure(client, server.url("/"))).reason is FailureReason.CONNECTION
        assert (await client.get(server.url("/"), allow_private=True)).body == JSON


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def test_b7_a_certificate_that_we_trust_tells_when_it_ends(authority: Authority) -> None:
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=20)
    async with (
        Http(Clock(), trusted=authority.trusted) as client,
        FaultServer({"/": says(http(JSON))}, tls=authority.serving(ends=ends)) as server,
    ):
        assert client.certificates() == {}
        assert (await client.get(server.url("/", scheme="https"), allow_private=True)).body == JSON
        assert client.certificates() == {"127.0.0.1": ends}


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        pytest.param("expired", "certificate has expired", id="expired"),
        pytest.param("another", "IP address mismatch", id="of another host"),
        pytest.param("unknown", "unable to get local issuer certificate", id="of an unknown authority"),
    ],
)
async def test_b7_tls_that_proves_nothing_is_refused(
    authority: Authority, tmp_path: Path, fault: str, said: str
) -> None:
    serving = {
        "expired": lambda: authority.serving(ends=datetime.now(UTC) - timedelta(hours=1)),
        "another": lambda: authority.serving("api.exchange.test"),
        "unknown": lambda: Authority(tmp_path, "somebody else").serving(),
    }[fault]()
    async with (
        Http(Clock(), trusted=authority.trusted) as client,
        FaultServer({"/": says(http(JSON))}, tls=serving) as server,
    ):
        error = await failure(client, server.url("/", scheme="https"))
        assert client.certificates() == {}
    assert error.reason is FailureReason.TLS
    assert said in error.detail
    assert server.requests == []


async def test_b7_a_server_of_old_tls_is_refused(client: Http) -> None:
    async def alerts(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(bytes.fromhex("15 0302 0002 02 46"))  # alert of TLS 1.1: fatal, protocol_version
        await reader.read()
        writer.close()

    async with await asyncio.start_server(alerts, "127.0.0.1", 0) as server:
        error = await failure(client, f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert error.reason is FailureReason.TLS
    assert "protocol version" in error.detail


async def test_b7_a_stalled_handshake_ends_with_connecting(client: Http) -> None:
    async def stalls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(stalls, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        clock = Clock()
        error = await failure(client, f"https://127.0.0.1:{port}/", timeout=10.0)
    assert error.reason is FailureReason.TIMEOUT
    assert clock.monotonic() < 5


async def test_b8_few_files_to_open_leave_the_page_its_own() -> None:
    """Thirty hosts that hang would take two files each of the sixty-four there are."""
    taken = asyncio.Semaphore(0)

    async def hangs(peer: Peer) -> None:
        taken.release()
        await peer.hang()

    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(FaultServer({"/": hangs})) for _ in range(30)]
        program = f'ulimit -n 64; exec "{sys.executable}" -m tests.faults.crowded "$@"'
        urls = [server.url("/") for server in servers for _ in range(2)]
        process = await asyncio.create_subprocess_exec(
            "sh", "-c", program, "crowded", *urls, cwd=ROOT, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        async with asyncio.timeout(60), Http(Clock()) as client:
            port = int(await process.stdout.readline())
            for _ in range(10):
                await taken.acquire()
            for _ in range(3):
                assert (await client.get(f"http://127.0.0.1:{port}/", allow_private=True)).body == b"ok"
            reasons = (await process.stdout.readline()).decode().split()
            assert await process.wait() == 0
    assert reasons == ["timeout"] * len(urls)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
@pytest.mark.parametrize("dead", [pytest.param("closed", id="refused"), pytest.param("silent", id="black hole")])
async def test_b9_a_dead_ipv6_address_costs_a_fraction_of_a_second(dead: str) -> None:
    async with (
        FaultServer({"/": says(http(JSON))}) as server,
        name_server({NAME: Reply(addresses=["::1", "127.0.0.1"])}) as replies,
        Http(Clock(), nameservers=[replies.address]) as client,
    ):
        clock = Clock()
        if dead == "closed":
            await client.get(server.url("/", host=NAME), allow_private=True)
        else:
            with black_hole("::1", server.port):
                await client.get(server.url("/", host=NAME), allow_private=True)
        assert clock.monotonic() < 1.5


async def test_b10_slow_answers_and_lost_ones_change_no_verdict() -> None:
    chance = random.Random(10)

    async def shaky(peer: Peer) -> None:
        if chance.random() < 0.05:
            peer.reset()
        elif chance.random() < 0.03:
            await peer.drip(http(JSON)[:20], every_seconds=0.1)  # two seconds late
            await peer.send(http(JSON)[20:])
        else:
            await peer.send(http(JSON))

    seen = [*j.rail(0, RailState.OPEN), j.read(0)]
    reasons: set[FailureReason] = set()
    async with Http(Clock(), per_second={"127.0.0.1": 1000.0}) as client, FaultServer({"/": shaky}) as server:
        for minute in range(1, 120):
            try:
                answer = await client.get(server.url("/"), allow_private=True)
            except RemoteError as error:
                reasons.add(error.reason)
                seen.append(j.failed(minute, "examplex-api"))
            else:
                assert answer.body == JSON
                seen.append(j.read(minute))
    assert reasons == {FailureReason.CONNECTION}
    assert j.told(seen) == []


async def test_b11_bytes_after_an_answer_spoil_no_later_one(client: Http) -> None:
    async with FaultServer({"/": says(http(JSON) + http(b"smuggled"))}) as server:
        bodies = [(await client.get(server.url("/"), allow_private=True)).body for _ in range(3)]
    assert bodies == [JSON] * 3
