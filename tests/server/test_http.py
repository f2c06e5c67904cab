"""The one way out over HTTP against a server that misbehaves: every fault has its reason, its bound and no secret."""

import asyncio
import gzip
import socket
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from datetime import timedelta
from hashlib import blake2b

import pytest

from monitor import __version__
from monitor.clock import Clock
from monitor.http import Http
from monitor.http.bodies import LARGEST_BODY
from monitor.http.client import CONNECTIONS_TO_A_HOST
from monitor.model import FailureReason, RemoteError
from tests.fault_server import (
    CANARY,
    FaultServer,
    Peer,
    Script,
    black_hole,
    chunked,
    drips,
    failure,
    http,
    never_ends,
    says,
    says_and_closes,
    says_and_hangs,
    says_and_resets,
)
from tests.hand_clock import NOON

JSON = b'{"coins":[1,2,3]}'
PAGE = b"<html><body>Access denied</body></html>"
GZIPPED = gzip.compress(JSON)
AS_GZIP = {"Content-Encoding": "gzip"}


@pytest.fixture
async def client() -> AsyncIterator[Http]:
    async with Http(Clock(), per_second={"127.0.0.1": 1000.0}) as client:
        yield client


async def test_an_answer_is_read_whole(client: Http) -> None:
    answer = http(JSON, headers={"Date": "Tue, 03 Feb 2026 12:00:01 GMT"})
    async with FaultServer({"/coins": says(answer)}) as server:
        got = await client.get(server.url("/coins"), headers={"X-Api-Key": "k"}, allow_private=True)
    assert (got.status, got.body, got.date) == (200, JSON, NOON + timedelta(seconds=1))
    assert got.digest == blake2b(JSON, digest_size=16).digest()
    assert 0 < got.elapsed_seconds < 5
    sent = server.requests[0].headers
    assert sent["user-agent"] == f"cexwatch/{__version__}"
    assert sent["accept-encoding"] == "gzip, deflate"
    assert sent["x-api-key"] == "k"


@pytest.mark.parametrize(("age", "seconds"), [("86400", 86_400.0), ("", 0.0), ("-1", 0.0), ("old", 0.0)])
async def test_an_answer_tells_how_long_caches_kept_it(client: Http, age: str, seconds: float) -> None:
    async with FaultServer({"/": says(http(JSON, headers={"Age": age}))}) as server:
        assert (await client.get(server.url("/"), allow_private=True)).age_seconds == seconds


async def test_a_body_is_posted_as_json_unless_told_otherwise(client: Http) -> None:
    async with FaultServer({"/rpc": says(http())}) as server:
        await client.post(server.url("/rpc"), b"[1]", allow_private=True)
        await client.post(server.url("/rpc"), b"a=1", headers={"content-type": "text/plain"}, allow_private=True)
    assert [(r.method, r.body, r.headers["content-type"]) for r in server.requests] == [
        ("POST", b"[1]", "application/json"),
        ("POST", b"a=1", "text/plain"),
    ]


def deflated_bare(data: bytes) -> bytes:
    bare = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return bare.compress(data) + bare.flush()


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(says(http(GZIPPED, headers=AS_GZIP)), id="gzip"),
        pytest.param(says(chunked(GZIPPED[:7], GZIPPED[7:], b"", headers=AS_GZIP)), id="gzip in chunks"),
        pytest.param(drips(http(GZIPPED, headers=AS_GZIP), every_seconds=0.001), id="gzip a byte at a time"),
        pytest.param(says(http(zlib.compress(JSON), headers={"Content-Encoding": "deflate"})), id="deflate"),
        pytest.param(says(http(deflated_bare(JSON), headers={"Content-Encoding": "deflate"})), id="bare deflate"),
        pytest.param(says(http(JSON, headers={"Content-Encoding": "identity"})), id="identity"),
        pytest.param(says(chunked(JSON[:4], JSON[4:], b"")), id="chunks"),
        pytest.param(says_and_closes(b"HTTP/1.1 200 OK\r\n\r\n" + JSON), id="until the end of the connection"),
    ],
)
async def test_encodings_are_undone(client: Http, script: Script) -> None:
    async with FaultServer({"/": script}) as server:
        assert (await client.get(server.url("/"), allow_private=True)).body == JSON


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param(says_and_hangs(b""), FailureReason.TIMEOUT, id="never answers"),
        pytest.param(says_and_hangs(http(JSON)[:-5]), FailureReason.TIMEOUT, id="stops in the body"),
        pytest.param(drips(http(JSON), every_seconds=0.05), FailureReason.TIMEOUT, id="drips its head"),
        pytest.param(says_and_closes(b""), FailureReason.CONNECTION, id="hangs up at once"),
        pytest.param(says_and_resets(b""), FailureReason.CONNECTION, id="resets at once"),
        pytest.param(says_and_resets(http(JSON)[:-5]), FailureReason.CONNECTION, id="resets in the body"),
        pytest.param(says_and_closes(http(JSON)[:-5]), FailureReason.CONNECTION, id="truncated body"),
        pytest.param(says_and_closes(http(JSON)[:20]), FailureReason.CONNECTION, id="truncated head"),
        pytest.param(says_and_closes(chunked(JSON)), FailureReason.CONNECTION, id="no last chunk"),
        pytest.param(says_and_closes(chunked(JSON) + b"zz\r\n"), FailureReason.CONNECTION, id="bad chunk size"),
        pytest.param(says_and_closes(b"220 ftp ready\r\n\r\n"), FailureReason.CONNECTION, id="not HTTP"),
        pytest.param(
            says_and_closes(http(headers={"X-Huge": "a" * 2**20})), FailureReason.CONNECTION, id="header of 1 MB"
        ),
        pytest.param(
            says_and_closes(http(headers={f"X-{n}": "a" for n in range(10_000)})),
            FailureReason.CONNECTION,
            id="10,000 headers",
        ),
        pytest.param(says(http(GZIPPED[:-9], headers=AS_GZIP)), FailureReason.ENCODING, id="gzip that breaks off"),
        pytest.param(says(http(GZIPPED + b"more", headers=AS_GZIP)), FailureReason.ENCODING, id="gzip that goes on"),
        pytest.param(says(http(JSON, headers=AS_GZIP)), FailureReason.ENCODING, id="says gzip, is not"),
        pytest.param(says(http(GZIPPED)), FailureReason.ENCODING, id="gzip and does not say so"),
        pytest.param(
            says(http(gzip.compress(GZIPPED), headers=AS_GZIP)), FailureReason.ENCODING, id="gzip within gzip"
        ),
        pytest.param(
            says(http(GZIPPED, headers={"Content-Encoding": "gzip, gzip"})), FailureReason.ENCODING, id="two encodings"
        ),
        pytest.param(
            says(http(JSON, headers={"Content-Encoding": "br"})), FailureReason.ENCODING, id="brotli, not asked for"
        ),
    ],
)
async def test_a_broken_answer_is_never_an_answer(client: Http, script: Script, reason: FailureReason) -> None:
    async with FaultServer({"/": script}) as server:
        error = await failure(client, server.url("/"), timeout=0.3 if reason is FailureReason.TIMEOUT else 5.0)
    assert (error.reason, error.permanent) == (reason, False)


async def test_bytes_after_an_answer_spoil_no_later_one(client: Http) -> None:
    async with FaultServer({"/": says(http(JSON) + http(b"smuggled"))}) as server:
        bodies = [(await client.get(server.url("/"), allow_private=True)).body for _ in range(3)]
    assert bodies == [JSON] * 3


async def test_a_slow_drip_ends_with_the_total_timeout(client: Http) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
    clock = Clock()
    async with FaultServer({"/": drips(head + bytes(100_000), every_seconds=0.002)}) as server:
        error = await failure(client, server.url("/"), timeout=0.4)
    assert error.reason is FailureReason.TIMEOUT
    assert 0.4 <= clock.monotonic() < 5


async def test_a_port_nobody_listens_on_refuses(client: Http) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    error = await failure(client, f"http://127.0.0.1:{port}/")
    assert (error.reason, error.detail) == (FailureReason.CONNECTION, "127.0.0.1: connection refused")


async def test_connecting_has_a_limit_of_its_own(client: Http) -> None:
    with black_hole() as port:
        error = await failure(client, f"http://127.0.0.1:{port}/", timeout=10)
    assert (error.reason, error.detail) == (FailureReason.TIMEOUT, "127.0.0.1: not connected within 3 s")


async def test_a_name_that_cannot_be_is_a_dns_failure(client: Http) -> None:
    label_over_63 = "a" * 64
    assert (await failure(client, f"http://{label_over_63}.test/")).reason is FailureReason.DNS


@pytest.mark.parametrize(
    ("status", "kind", "body", "reason", "permanent"),
    [
        pytest.param("302 Found", "text/html", PAGE, FailureReason.HTTP_4XX, True, id="redirect"),
        pytest.param("400 Bad Request", "application/json", JSON, FailureReason.HTTP_4XX, True, id="bad request"),
        pytest.param("401 Unauthorized", "application/json", JSON, FailureReason.AUTH, True, id="unauthorized"),
        pytest.param("403 Forbidden", "application/json", JSON, FailureReason.AUTH, True, id="forbidden by the API"),
        pytest.param("403 Forbidden", "text/html", JSON, FailureReason.AUTH, True, id="forbidden by a careless API"),
        pytest.param("403 Forbidden", "application/json", b"", FailureReason.AUTH, True, id="forbidden without a word"),
        pytest.param("403 Forbidden", "text/html", PAGE, FailureReason.BLOCKED, False, id="forbidden by a wall"),
        pytest.param("403 Forbidden", "", b"error 1020", FailureReason.BLOCKED, False, id="forbidden by a terse wall"),
        pytest.param("451 Unavailable", "application/json", JSON, FailureReason.BLOCKED, False, id="forbidden by law"),
        pytest.param("404 Not Found", "text/html", PAGE, FailureReason.HTTP_4XX, True, id="not found"),
        pytest.param("408 Request Timeout", "", b"", FailureReason.HTTP_4XX, False, id="request timeout"),
        pytest.param("418 I'm a teapot", "", b"", FailureReason.BLOCKED, False, id="banned"),
        pytest.param("429 Too Many Requests", "", b"", FailureReason.RATE_LIMITED, False, id="too many requests"),
        pytest.param("500 Internal Server Error", "", b"", FailureReason.HTTP_5XX, False, id="server error"),
        pytest.param("502 Bad Gateway", "text/html", PAGE, FailureReason.HTTP_5XX, False, id="bad gateway"),
        pytest.param("503 Service Unavailable", "text/html", PAGE, FailureReason.HTTP_5XX, False, id="unavailable"),
    ],
)
async def test_a_status_has_its_reason(
    client: Http, status: str, kind: str, body: bytes, reason: FailureReason, permanent: bool
) -> None:
    location = {"Location": f"/elsewhere?{CANARY}", "X-Echo": CANARY, "Content-Type": kind}
    async with FaultServer({"/": says(http(body, status=status, headers=location))}) as server:
        error = await failure(client, server.url("/"))
    assert (error.reason, error.permanent) == (reason, permanent)
    assert status[:3] in error.detail
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(says_and_hangs(http(PAGE, status="403 Forbidden")[:-5]), id="stops in the body"),
        pytest.param(drips(http(PAGE, status="403 Forbidden"), every_seconds=0.001), id="drips its body"),
        pytest.param(says_and_resets(http(PAGE, status="403 Forbidden")[:-5]), id="resets in the body"),
        pytest.param(
            never_ends(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 1000000000\r\n\r\n<", bytes(2**16)), id="never ends"
        ),
        pytest.param(
            says(http(gzip.compress(PAGE), status="403 Forbidden", headers=AS_GZIP)), id="compressed as we asked for"
        ),
    ],
)
async def test_a_refusal_counts_however_its_body_comes(client: Http, script: Script) -> None:
    clock = Clock()
    async with FaultServer({"/": script}) as server:
        assert (await failure(client, server.url("/"), timeout=5)).reason is FailureReason.BLOCKED
    assert [closure.host for closure in client.closed()] == ["127.0.0.1"]
    assert clock.monotonic() < 4


async def test_the_largest_body_is_read_and_a_byte_more_is_not(client: Http) -> None:
    fits, over = bytes(LARGEST_BODY), bytes(LARGEST_BODY + 1)
    scripts = {
        "/fits": says(http(fits)),
        "/over": says(http(over)),
        "/fits.gz": says(http(gzip.compress(fits), headers=AS_GZIP)),
        "/over.gz": says(http(gzip.compress(over), headers=AS_GZIP)),
    }
    async with FaultServer(scripts) as server:
        for path in ("/fits", "/fits.gz"):
            assert len((await client.get(server.url(path), allow_private=True)).body) == LARGEST_BODY
        for path in ("/over", "/over.gz"):
            assert (await failure(client, server.url(path))).reason is FailureReason.TOO_LARGE


async def says_a_bomb(peer: Peer) -> None:
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS + 16)
    nothing = bytes(2**20)
    bomb = b"".join(packer.compress(nothing) for _ in range(64)) + packer.flush()
    await peer.send(http(bomb, headers=AS_GZIP))


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(says_a_bomb, id="gzip bomb of 64 MiB"),
        pytest.param(
            never_ends(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n", bytes(2**16)), id="1 GB announced"
        ),
        pytest.param(never_ends(chunked(), b"10000\r\n%b\r\n" % bytes(2**16)), id="chunks without end"),
        pytest.param(
            # Deflate blocks that hold nothing: the decoded size alone would never reach the limit.
            never_ends(b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n", b"\x00\x00\x00\xff\xff" * 2**14),
            id="compressed nothing without end",
        ),
    ],
)
async def test_reading_stops_at_the_largest_body(client: Http, script: Script) -> None:
    async with FaultServer({"/": script}) as server:
        tracemalloc.start()
        try:
            error = await failure(client, server.url("/"))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert error.reason is FailureReason.TOO_LARGE
    assert peak < 3 * LARGEST_BODY


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("ftp://127.0.0.1/", id="ftp"),
        pytest.param("//127.0.0.1/", id="no scheme"),
        pytest.param("http://", id="no host"),
        pytest.param("http://[::1/", id="broken IPv6"),
        pytest.param("http://127.0.0.1:99999/", id="no such port"),
        pytest.param("http://127.0.0.1:http/", id="port in words"),
    ],
)
async def test_only_http_addresses_are_asked(client: Http, url: str) -> None:
    error = await failure(client, url)
    assert (error.reason, error.permanent) == (FailureReason.CONNECTION, True)


async def test_plain_text_where_tls_was_expected_is_a_tls_failure(client: Http) -> None:
    async def greeting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(greeting, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        error = await failure(client, f"https://127.0.0.1:{port}/")
    assert error.reason is FailureReason.TLS


class Fickle:
    """Answers the first request of each connection and hangs up on the second."""

    def __init__(self) -> None:
        self._answered: set[int] = set()

    async def __call__(self, peer: Peer) -> None:
        if peer.request.connection in self._answered:
            peer.reset()
        else:
            self._answered.add(peer.request.connection)
            await peer.send(http(JSON))


async def test_a_connection_closed_at_reuse_is_tried_again_for_get(client: Http) -> None:
    async with FaultServer({"/": Fickle()}) as server:
        bodies = [(await client.get(server.url("/"), allow_private=True)).body for _ in range(3)]
    assert bodies == [JSON] * 3
    assert [request.connection for request in server.requests] == [1, 1, 2, 2, 3]


async def test_what_is_posted_is_sent_once(client: Http) -> None:
    async with FaultServer({"/": Fickle()}) as server:
        await client.post(server.url("/"), b"first", allow_private=True)
        with pytest.raises(RemoteError) as caught:
            await client.post(server.url("/"), b"second", allow_private=True)
    assert caught.value.reason is FailureReason.CONNECTION
    assert [request.body for request in server.requests] == [b"first", b"second"]


async def test_a_host_that_hangs_leaves_the_others_their_connections(client: Http) -> None:
    taken = asyncio.Semaphore(0)

    async def hangs(peer: Peer) -> None:
        taken.release()
        await peer.hang()

    async with (
        FaultServer({"/": hangs}) as hanging,
        FaultServer({"/": says(http(JSON))}) as well,
        asyncio.TaskGroup() as group,
    ):
        waiting = [group.create_task(failure(client, hanging.url("/"), timeout=1.5)) for _ in range(300)]
        for _ in range(CONNECTIONS_TO_A_HOST):
            await taken.acquire()
        assert (await client.get(well.url("/"), allow_private=True)).body == JSON
        assert not any(task.done() for task in waiting)
    assert {task.result().reason for task in waiting} == {FailureReason.TIMEOUT}
