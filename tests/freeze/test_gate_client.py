"""The exchange's withdrawal service and the gate, on a real socket: when the gate is away, lies, or is played again."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from monitor.freeze.client import FreezeClient, Reason
from monitor.freeze.gate import Gate, TooOldError
from monitor.freeze.keyring import Key
from monitor.freeze.signing import Signer
from tests.freeze.gatehouse import FIRST, SECOND, SIGNER, GateHouse, gatehouse
from tests.hand_clock import HandClock

TOKEN = "a reader's token"  # noqa: S105 - of a test
DAY = timedelta(days=1)


class GateServer:
    """Serves what a gate publishes; a test may stop it, alter the answers, or play an old one again."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.stopped = False
        self.played: bytes | None = None
        self.last = b""
        self.flipped: int | None = None
        self.url = ""

    async def snapshot(self, request: web.Request) -> web.Response:
        return self.answered(request, b"".join(await self.gate.snapshot()))

    async def deltas(self, request: web.Request) -> web.Response:
        asked = request.query
        try:
            digest = bytes.fromhex(asked["digest"])
            body = await self.gate.delta(int(asked["after"]), asked["challenge"], ledger=asked["ledger"], digest=digest)
        except TooOldError:
            return web.Response(status=410)
        return self.answered(request, body)

    def answered(self, request: web.Request, body: bytes) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.Response(status=401)
        if self.stopped:
            return web.Response(status=503)
        self.last = body
        body = body if self.played is None else self.played
        if self.flipped is not None:
            altered = bytearray(body)
            altered[self.flipped] ^= 1
            body = bytes(altered)
        return web.Response(body=body)


@asynccontextmanager
async def serving(gate: Gate) -> AsyncIterator[GateServer]:
    server = GateServer(gate)
    app = web.Application()
    app.add_routes([web.get("/api/v1/snapshot", server.snapshot), web.get("/api/v1/deltas", server.deltas)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        await runner.cleanup()


class Withdrawals:
    """A client that asks when it is told to; `alarms` is what it told its people."""

    def __init__(
        self, server: GateServer, folder: Path, *, clock: HandClock, keys: Sequence[Key] = (FIRST,), token: str = TOKEN
    ) -> None:
        self.alarms: list[str] = []
        self.client = FreezeClient(
            server.url,
            public_key=SIGNER.public,
            keys=keys,
            file=folder / "kept",
            token=token,
            clock=clock,
            alarm=self.alarms.append,
            interval_seconds=0,
        )
        self._token = token

    async def asks(self) -> None:
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {self._token}"}) as session:
            await self.client.refresh(session)

    async def restarted(self) -> None:
        """Recalls what was kept; the follower ends before it first asks."""
        async with self.client.following():
            pass

    def reason(self, account: str) -> Reason:
        return self.client.decide(account).reason


@asynccontextmanager
async def known(folder: Path) -> AsyncIterator[tuple[GateHouse, GateServer, Withdrawals]]:
    async with gatehouse(folder) as house, serving(house.gate) as server:
        await house.freeze("alice", 7 * DAY)
        service = Withdrawals(server, folder, clock=house.clock)
        await service.asks()
        await house.freeze("bob", 7 * DAY)
        await service.asks()
        assert [service.reason(each) for each in ("alice", "bob", "carol")] == [Reason.FROZEN, Reason.FROZEN, "free"]
        assert service.client.problem == ""
        yield house, server, service


@pytest.mark.parametrize(("minutes", "others"), [(14, Reason.FREE), (15, Reason.FREE), (16, Reason.STALE)])
@pytest.mark.parametrize("restarts", [False, True])
async def test_a_gate_that_is_away(tmp_path: Path, minutes: int, others: Reason, *, restarts: bool) -> None:
    async with known(tmp_path) as (house, server, first):
        service = first
        server.stopped = True
        house.passes(timedelta(minutes=minutes))
        if restarts:
            service = Withdrawals(server, tmp_path, clock=house.clock)
            await service.restarted()
        await service.asks()
        assert service.client.problem
        assert [service.reason(each) for each in ("alice", "bob", "carol")] == [Reason.FROZEN, Reason.FROZEN, others]
        server.stopped = False
        await service.asks()
        assert [service.reason(each) for each in ("alice", "carol")] == [Reason.FROZEN, Reason.FREE]


@pytest.mark.parametrize("damage", ["gone", "cut", "altered", "note altered"])
async def test_a_restart_without_what_was_kept_pays_nobody_frozen(tmp_path: Path, damage: str) -> None:
    async with known(tmp_path) as (house, server, _):
        server.stopped = True
        kept, note = tmp_path / "kept", tmp_path / "kept.heard"
        match damage:
            case "gone":
                kept.unlink()
            case "cut":
                kept.write_bytes(kept.read_bytes()[:100])
            case "altered":
                kept.write_bytes(kept.read_bytes()[:-10] + bytes(10))
            case _:
                note.write_bytes(note.read_bytes().replace(b'"answer":"Q', b'"answer":"R'))
        service = Withdrawals(server, tmp_path, clock=house.clock)
        await service.restarted()
        assert {service.reason(each) for each in ("alice", "bob")} <= {Reason.FROZEN, Reason.STALE}
        assert service.reason("carol") is Reason.STALE
        server.stopped = False
        await service.asks()
        assert [service.reason(each) for each in ("alice", "bob", "carol")] == [Reason.FROZEN, Reason.FROZEN, "free"]


async def test_a_restart_with_the_clock_set_back_pays_nobody_until_the_gate_answers(tmp_path: Path) -> None:
    async with known(tmp_path) as (house, server, _):
        server.stopped = True
        house.clock.set(-3600)
        service = Withdrawals(server, tmp_path, clock=house.clock)
        await service.restarted()
        assert [service.reason(each) for each in ("alice", "carol")] == [Reason.FROZEN, Reason.STALE]


@pytest.mark.parametrize("place", [0, 10, 40, -70, -1])
async def test_a_forged_answer_is_refused(tmp_path: Path, place: int) -> None:
    async with known(tmp_path) as (house, server, service):
        await house.freeze("dora")
        server.flipped = place
        house.passes(timedelta(minutes=16))
        await service.asks()
        assert "refused" in service.client.problem
        assert [service.reason(each) for each in ("alice", "carol")] == [Reason.FROZEN, Reason.STALE]


async def test_an_old_answer_played_again_is_not_fresh(tmp_path: Path) -> None:
    async with known(tmp_path) as (house, server, service):
        await service.asks()
        server.played = server.last
        house.passes(timedelta(minutes=16))
        await service.asks()
        assert "refused" in service.client.problem
        assert service.reason("carol") is Reason.STALE


async def test_another_signer_is_refused(tmp_path: Path) -> None:
    async with known(tmp_path) as (house, server, service):
        other = Signer(b"o" * 32)
        server.gate = Gate(house.lock, house.ledger, keyring=house.keyring, signer=other, clock=house.clock)
        await service.asks()
        assert "not by the trusted key" in service.client.problem


@pytest.mark.parametrize("restarts", [False, True])
async def test_another_ledger_frees_nobody(tmp_path: Path, *, restarts: bool) -> None:
    (tmp_path / "other").mkdir()
    async with known(tmp_path) as (house, server, first), gatehouse(tmp_path / "other") as other:
        service = first
        server.gate = other.gate
        await service.asks()
        if restarts:
            service = Withdrawals(server, tmp_path, clock=house.clock)
            await service.restarted()
            await service.asks()
        assert "rolled back" in service.client.problem
        assert [service.reason(each) for each in ("alice", "bob", "carol")] == [Reason.FROZEN, Reason.FROZEN, "free"]


@pytest.mark.parametrize("at_first", [False, True], ids=["a delta", "the first snapshot"])
async def test_a_disk_that_takes_nothing_stops_no_payment_and_loses_nobody(tmp_path: Path, *, at_first: bool) -> None:
    async with gatehouse(tmp_path) as house, serving(house.gate) as server:
        service = Withdrawals(server, tmp_path, clock=house.clock)
        await house.freeze("alice", 7 * DAY)
        if not at_first:
            await service.asks()
            (tmp_path / "kept").rename(tmp_path / "before")
        (tmp_path / "kept").mkdir()  # as little as a full disk it can be written to
        for account in ("bob", "carol"):
            await house.freeze(account, 7 * DAY)
            await service.asks()
            assert "cannot be kept on disk" in service.client.problem
            house.passes(timedelta(minutes=10))
        await service.asks()
        assert [service.reason(each) for each in ("bob", "carol", "dora")] == [Reason.FROZEN, Reason.FROZEN, "free"]
        (tmp_path / "kept").rmdir()
        if not at_first:
            (tmp_path / "before").rename(tmp_path / "kept")
        await service.asks()
        assert service.client.problem == ""
        await house.freeze("erik", 7 * DAY)
        await service.asks()
        server.stopped = True
        again = Withdrawals(server, tmp_path, clock=house.clock)
        await again.restarted()
        assert [again.reason(each) for each in ("alice", "bob", "carol", "erik")] == [Reason.FROZEN] * 4
        assert again.reason("dora") is Reason.FREE


@pytest.mark.parametrize("restarts", [False, True])
async def test_both_copies_rolled_back_and_grown_since_free_nobody(tmp_path: Path, *, restarts: bool) -> None:
    """By its number alone the client's last entry would be one of the ledger that now stands."""
    async with gatehouse(tmp_path) as house:
        clock, gate = house.clock, house.gate
    copies = {path: path.read_bytes() for path in (tmp_path / "freeze.db", tmp_path / "freeze.witness")}
    async with serving(gate) as server:
        service = Withdrawals(server, tmp_path, clock=clock)
        async with gatehouse(tmp_path, clock=clock) as house:
            server.gate = house.gate
            await house.freeze("alice", 7 * DAY)
            await service.asks()
            seq = house.lock.seq
        for path, content in copies.items():
            path.write_bytes(content)
        async with gatehouse(tmp_path, clock=clock) as house:
            await house.freeze("bob", 7 * DAY)
            assert (house.found.wrong, house.lock.seq) == ("", seq), "the two copies say the same"
        async with gatehouse(tmp_path, clock=clock) as house:
            server.gate = house.gate
            await house.freeze("carol", 7 * DAY)
            if restarts:
                service = Withdrawals(server, tmp_path, clock=clock)
                await service.restarted()
            await service.asks()
            assert "rolled back" in service.client.problem
            assert [service.reason(each) for each in ("alice", "bob", "carol")] == [Reason.FROZEN] * 3
            await house.freeze("dora", 7 * DAY)
            await service.asks()
            assert (service.reason("dora"), service.client.standing().kept_though_missing) == (Reason.FROZEN, 1)


WRONG_KEYS = {
    "the newest is missing": ([FIRST], "key second, which this client was not given"),
    "an older one is missing": ([SECOND], "key first, which this client was not given"),
    "another of that name": ([SECOND, Key("first", b"x" * 32)], "key first of this client is not the freeze gate's"),
}


@pytest.mark.parametrize(("keys", "told"), WRONG_KEYS.values(), ids=WRONG_KEYS.keys())
@pytest.mark.parametrize("restarts", [False, True])
async def test_a_client_without_the_gates_keys_pays_nobody(
    tmp_path: Path, keys: list[Key], told: str, *, restarts: bool
) -> None:
    """It would take whoever is frozen under that key for free, also where a former life of it had the right ones."""
    async with gatehouse(tmp_path, keys=[SECOND, FIRST]) as house, serving(house.gate) as server:
        if restarts:
            former = Withdrawals(server, tmp_path, clock=house.clock, keys=[SECOND, FIRST])
            await former.asks()
            assert former.reason("carol") is Reason.FREE
        service = Withdrawals(server, tmp_path, clock=house.clock, keys=keys)
        await service.restarted()
        assert service.reason("carol") is Reason.STALE
        await service.asks()
        assert told in service.client.problem
        assert service.reason("carol") is Reason.STALE


async def test_a_wrong_token_pays_nobody(tmp_path: Path) -> None:
    async with gatehouse(tmp_path) as house, serving(house.gate) as server:
        service = Withdrawals(server, tmp_path, clock=house.clock, token="wrong")  # noqa: S106 - of a test
        await service.asks()
        assert (service.reason("carol"), service.client.problem != "") == (Reason.STALE, True)


@pytest.mark.parametrize(("gate_days", "own_days", "found"), [
    pytest.param(8, 8, Reason.FREE, id="both past the end"),
    pytest.param(8, 6, Reason.FROZEN, id="the gate alone: a forged one, or one of another time"),
    pytest.param(6, 8, Reason.FROZEN, id="the client's own clock alone"),
])  # fmt: skip
@pytest.mark.parametrize("restarts", [False, True])
async def test_an_end_is_reached_when_gate_and_client_say_so(
    tmp_path: Path, gate_days: int, own_days: int, found: Reason, *, restarts: bool
) -> None:
    async with gatehouse(tmp_path) as house, serving(house.gate) as server:
        own = HandClock()
        service = Withdrawals(server, tmp_path, clock=own)
        await house.freeze("alice", 7 * DAY)
        await service.asks()
        house.passes(gate_days * DAY)
        own.hand += own_days * DAY.total_seconds()
        await service.asks()
        if restarts:
            service = Withdrawals(server, tmp_path, clock=own)
            await service.restarted()
            await service.asks()
        assert (service.reason("alice"), service.reason("carol")) == (found, Reason.FREE)


async def test_a_gate_without_independent_time_opens_nobody(tmp_path: Path) -> None:
    async with known(tmp_path) as (house, _, service):
        house.is_known = False
        house.passes(30 * DAY)
        await service.asks()
        assert [service.reason(each) for each in ("alice", "carol")] == [Reason.FROZEN, Reason.FREE]
        house.is_known = True
        await service.asks()
        assert service.reason("alice") is Reason.FREE
