"""Faults A1 to A8 of our list: hosts that count, limit, ban and wall us off. What cannot be seen is never a state."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path

import pytest

from monitor.clock import Clock
from monitor.http import Http
from monitor.http.limits import JITTER_SECONDS, Budget, Host, NotAskedError, Weight
from monitor.model import Closure, FailureReason, RemoteError
from monitor.probes import EXCHANGES
from monitor.probes.exchange import Own, probes_of
from monitor.schedule import every
from tests.fault_server import FaultServer, Peer, Script, failure, http, in_turn, says
from tests.faults.virtual_clock import VirtualClock
from tests.hand_clock import NOON, HandClock, nearly_always, never

JSON = b'{"coins":[1,2,3]}'
WALL = http(b"<html>Access denied</html>", status="403 Forbidden", headers={"Content-Type": "text/html"})
ROOT = Path(__file__).parents[2]


def limited(status: str = "429 Too Many Requests", body: bytes = b"", **headers: str) -> Script:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return says(http(body, status=status, headers=named))


def refusing(seconds: float) -> bytes:
    """A ban in Binance's words, to so many seconds after noon."""
    until = int((NOON.timestamp() + seconds) * 1000)
    return b'{"code":-1003,"msg":"Way too much request weight used; IP banned until %d."}' % until


async def is_asked(client: Http, server: FaultServer, path: str = "/") -> bool:
    """Whether one more try reaches the server."""
    before = len(server.requests)
    with suppress(RemoteError):
        await client.get(server.url(path), allow_private=True)
    return len(server.requests) > before


async def closed_for(client: Http, clock: HandClock, server: FaultServer) -> float:
    """Seconds until the host is asked again, to the half second."""
    began = clock.hand
    while not await is_asked(client, server):
        clock.hand += 0.5
    return clock.hand - began


async def test_a1_nothing_that_shares_a_host_asks_it_before_its_time() -> None:
    clock = HandClock()
    scripts = {"/list": limited(Retry_After="7"), "/trades": says(http(JSON))}
    async with Http(clock, chance=nearly_always) as client, FaultServer(scripts) as server:
        assert (await failure(client, server.url("/list"))).reason is FailureReason.RATE_LIMITED
        (closure,) = client.closed()
        assert (closure.host, closure.port, closure.reason) == ("127.0.0.1", server.port, FailureReason.RATE_LIMITED)
        while clock.hand < 7.0:
            assert not await is_asked(client, server, "/trades")
            clock.hand += 0.25
        clock.hand = 7.0 + JITTER_SECONDS
        assert client.closed() == []
        assert (await client.get(server.url("/trades"), allow_private=True)).body == JSON


async def test_a2_without_a_number_the_wait_grows_to_15_minutes_and_ends_with_an_answer() -> None:
    clock = HandClock()
    script = in_turn(*[limited()] * 7, says(http(JSON)), says(http(JSON)), limited())
    async with Http(clock, chance=nearly_always) as client, FaultServer({"/": script}) as server:
        await is_asked(client, server)
        assert [await closed_for(client, clock, server) for _ in range(7)] == [60, 120, 240, 480, 900, 900, 900]
        assert client.closed() == []
        await is_asked(client, server)
        await is_asked(client, server)
        assert [closure.refusals for closure in client.closed()] == [1]


@pytest.mark.parametrize(
    ("script", "seconds"),
    [
        pytest.param(limited("418 I'm a teapot", refusing(7200), Retry_After="60"), 7200, id="the body is later"),
        pytest.param(limited("418 I'm a teapot", refusing(60), Retry_After="7200"), 7200, id="the header is later"),
        pytest.param(limited("418 I'm a teapot", refusing(600)), 600, id="body only"),
        pytest.param(limited("429 Too Many", refusing(7200), Retry_After="60"), 7200, id="a ban that comes with a 429"),
        pytest.param(limited("418 I'm a teapot", refusing(-60)), 120, id="a ban that is over"),
        pytest.param(limited("418 I'm a teapot", bytes(2**20) + refusing(7200)), 120, id="said after the first 4 KiB"),
    ],
)
async def test_a3_a_ban_ends_when_the_later_of_header_and_body_says(script: Script, seconds: float) -> None:
    clock = HandClock()
    async with Http(clock, chance=never) as client, FaultServer({"/": script}) as server:
        assert await is_asked(client, server)
        assert await closed_for(client, clock, server) == seconds


@asynccontextmanager
async def asking(database: Path, url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The process that asks, which is killed at the end if it was not before."""
    program = (sys.executable, "-m", "tests.faults.banned", f"sqlite+aiosqlite:///{database}", url)
    process = await asyncio.create_subprocess_exec(*program, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def told(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(30):
        return (await process.stdout.readline()).decode().strip()


async def test_a3_a_ban_outlives_a_kill_at_the_moment_it_is_heard_of(tmp_path: Path) -> None:
    database = tmp_path / "cexwatch.db"
    script = limited("418 I'm a teapot", Retry_After="3600")
    async with FaultServer({"/": script}) as server:
        async with asking(database, server.url("/")) as process:
            assert await told(process) == "asked: blocked"
            process.send_signal(signal.SIGKILL)
        for _ in range(2):
            async with asking(database, server.url("/")) as process:
                assert [await told(process) for _ in range(20)] == ["not asked: blocked"] * 20
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "asked_to_wait", "seconds"),
    [
        pytest.param("429 Too Many", "Tue, 03 Feb 2026 12:10:00 GMT", 600, id="a date"),
        pytest.param("429 Too Many", "-5", 30, id="negative"),
        pytest.param("429 Too Many", "soon", 30, id="garbage"),
        pytest.param("429 Too Many", "1000000000", 3600, id="a billion seconds"),
        pytest.param("418 I'm a teapot", "1000000000", 3 * 86_400, id="a billion seconds when banned"),
        pytest.param("418 I'm a teapot", "soon", 120, id="garbage when banned"),
        pytest.param("429 Too Many", "Tue, 03 Feb 2099 12:00:00 GMT", 3600, id="a date in another century"),
    ],
)
async def test_a4_whatever_a_host_asks_for_is_bounded(status: str, asked_to_wait: str, seconds: float) -> None:
    clock = HandClock()
    script = limited(status, Retry_After=asked_to_wait)
    async with Http(clock, chance=never) as client, FaultServer({"/": script}) as server:
        assert await is_asked(client, server)
        clock.hand = seconds - 0.5
        assert not await is_asked(client, server)
        clock.hand = seconds + 0.5
        assert await is_asked(client, server)


class Metered:
    """Counts every request as `cost` of the weight of its minute, and would ban who uses all of it."""

    def __init__(self, clock: Clock, *, limit: int, cost: int) -> None:
        self._clock = clock
        self._limit = limit
        self._cost = cost
        self.minutes: dict[int, int] = {}

    async def __call__(self, peer: Peer) -> None:
        minute = int(self._clock.monotonic() // 60)
        used = self.minutes[minute] = self.minutes.get(minute, 0) + self._cost
        status = "200 OK" if used < self._limit else "429 Too Many Requests"
        await peer.send(http(JSON, status=status, headers={"X-MBX-USED-WEIGHT-1M": str(used)}))


async def test_a5_a_host_that_counts_weights_is_never_brought_to_its_limit() -> None:
    clock = HandClock()
    metered = Metered(clock, limit=1200, cost=40)
    weight = Weight(header="X-Mbx-Used-Weight-1m", limit=1200, window_seconds=60.0)
    budgets = {"127.0.0.1": Budget(per_second=10.0, weight=weight)}
    async with Http(clock, budgets=budgets) as client, FaultServer({"/": metered}) as server:
        for _ in range(200):
            try:
                await client.get(server.url("/"), allow_private=True)
            except NotAskedError:
                clock.hand += 1.0
        assert client.closed() == []
    assert len(metered.minutes) > 4
    assert 600 <= max(metered.minutes.values()) < 1200


@pytest.mark.parametrize(
    ("answer", "reason", "seconds"),
    [
        pytest.param(WALL, FailureReason.BLOCKED, 1800, id="a page of a wall"),
        pytest.param(http(b"", status="451 Unavailable"), FailureReason.BLOCKED, 1800, id="forbidden by law"),
        pytest.param(
            http(b'{"msg":"bad key"}', status="403 Forbidden", headers={"Content-Type": "application/json"}),
            FailureReason.AUTH,
            0,
            id="an API that forbids",
        ),
    ],
)
async def test_a6_a_wall_closes_its_host_for_long_and_an_api_that_forbids_does_not(
    answer: bytes, reason: FailureReason, seconds: float
) -> None:
    clock = HandClock()
    async with Http(clock, chance=never) as client, FaultServer({"/": says(answer)}) as server:
        assert (await failure(client, server.url("/"))).reason is reason
        clock.hand = max(0.0, seconds - 1)
        assert await is_asked(client, server) is (seconds == 0)
        clock.hand = seconds + 1
        assert await is_asked(client, server)


async def test_a6_a_wall_says_nothing_about_withdrawals() -> None:
    async with Http(Clock()) as client, FaultServer({"/0/public/Assets": says(WALL)}) as server:
        own = Own(url=server.url(""), allow_private=True)
        probe = probes_of(EXCHANGES["kraken"], http=client, clock=Clock(), own=own)[0]
        with pytest.raises(RemoteError) as caught:
            await probe.observe()
    assert caught.value.reason is FailureReason.BLOCKED


async def test_a7_a_limit_inside_a_good_answer_closes_the_host_longer_each_time() -> None:
    clock = HandClock()
    kept: list[Closure] = []

    async def keep(closure: Closure) -> None:
        kept.append(closure)

    said = RemoteError(FailureReason.RATE_LIMITED, "10006 Too many visits!")
    async with (
        Http(clock, chance=nearly_always, remember=keep) as client,
        FaultServer({"/": says(http(JSON))}) as server,
    ):
        for seconds in (60, 120, 240):
            await client.get(server.url("/"), allow_private=True)
            await client.heed(server.url("/"), said)
            assert round((kept[-1].until - clock.now()).total_seconds()) == seconds
            assert not await is_asked(client, server)
            clock.hand += seconds + 1
    assert [closure.refusals for closure in kept] == [1, 2, 3]


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        pytest.param(RemoteError(FailureReason.RATE_LIMITED, refusing(7200).decode()), 7200, id="a ban with its end"),
        pytest.param(RemoteError(FailureReason.BLOCKED, "IP banned"), 120, id="a ban"),
        pytest.param(RemoteError(FailureReason.SCHEMA, "at `$`"), 0, id="anything else"),
    ],
)
async def test_a7_what_is_said_inside_an_answer_is_taken_at_its_word(error: RemoteError, seconds: float) -> None:
    clock = HandClock()
    async with Http(clock, chance=never) as client:
        await client.heed("https://api.example/x", error)
        assert [round((closure.until - NOON).total_seconds()) for closure in client.closed()] == (
            [seconds] if seconds else []
        )
        assert [(closure.host, closure.port) for closure in client.closed()] == [("api.example", 443)] * bool(seconds)


@pytest.mark.parametrize(
    "spread_seconds",
    [pytest.param(0.0, id="all at one moment"), pytest.param(60.0, id="spread over a minute")],
)
async def test_a8_five_thousand_probes_never_exceed_the_budget_of_their_host(spread_seconds: float) -> None:
    clock = VirtualClock(NOON)
    per_second = 100
    host = Host("api.example", clock, port=443, budget=Budget(per_second=per_second))
    asked: list[float] = []

    async def probe(phase: float) -> None:
        await clock.sleep(phase)
        try:
            await host.turn()
        except NotAskedError:
            return
        asked.append(clock.monotonic())

    async with asyncio.TaskGroup() as group:
        for n in range(5000):
            group.create_task(probe(spread_seconds * n / 5000))
        for _ in range(120):
            await clock.let_pass(1.0)
    assert all(later - first >= 1.0 - 1e-6 for first, later in zip(asked, asked[per_second:], strict=False))
    assert len(asked) == (5000 if spread_seconds else 31 * per_second)


async def test_a8_probes_that_were_stopped_together_do_not_come_back_together() -> None:
    clock = VirtualClock(NOON)
    asked: list[float] = []

    async def work() -> None:
        asked.append(clock.monotonic())

    async with asyncio.TaskGroup() as group:
        phases = [0.6 * n for n in range(100)]
        running = [group.create_task(every(60.0, phase=phase, clock=clock, work=work)) for phase in phases]
        await clock.let_pass(59.9)
        assert len(asked) == 100
        clock.leap(3600.0 - 0.2)
        asked.clear()
        await clock.let_pass(60.0)
        for task in running:
            task.cancel()
    assert len(asked) == 100
    assert all(later - first >= 0.5 for first, later in pairwise(asked))


async def test_a8_a_probe_that_is_late_at_every_turn_still_works() -> None:
    clock = VirtualClock(NOON)
    asked = asyncio.Event()

    async def work() -> None:
        asked.set()

    async with asyncio.TaskGroup() as group:
        running = group.create_task(every(1.0, phase=0.0, clock=clock, work=work))
        for _ in range(3):
            await clock.let_pass(0.0)
            clock.leap(10.0)
        asked.clear()
        for _ in range(3):
            await clock.let_pass(0.0)
            clock.leap(10.0)
        running.cancel()
    assert asked.is_set()
