"""The gate killed at any instant, and on a disk that is full: nothing acknowledged is lost, nobody frozen is freed."""

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path

import aiohttp
import pytest

from tests.faults.machine import full, small_disk
from tests.freeze.process import GateProcess, gate_process

AT_ONCE = 8


class Frightened:
    """Many who freeze as fast as they can, and remember what they were told."""

    def __init__(self, gate: GateProcess, rng: random.Random) -> None:
        self.told: dict[str, datetime] = {}
        self._gate = gate
        self._rng = rng
        self._count = 0

    async def freeze(self, session: aiohttp.ClientSession) -> None:
        while True:
            self._count += 1
            account = f"account {self._count if self._rng.random() < 0.8 else self._rng.randint(1, self._count)}"
            until = await self._gate.freeze(session, account)
            if until is not None:
                self.told[account] = max(until, self.told.get(account, until))


@asynccontextmanager
async def _crowd(people: Frightened) -> AsyncIterator[None]:
    """They go on until the gate is gone."""
    async with aiohttp.ClientSession() as session:
        tasks = [asyncio.ensure_future(people.freeze(session)) for _ in range(AT_ONCE)]
        try:
            yield
        finally:
            for task in tasks:
                with suppress(aiohttp.ClientError, ConnectionError, asyncio.CancelledError):
                    task.cancel()
                    await task


async def _check(gate: GateProcess, people: Frightened, sample: random.Random) -> None:
    async with aiohttp.ClientSession() as session:
        for account in sample.sample(sorted(people.told), min(len(people.told), 200)):
            found = await gate.ask(session, f"/api/v1/freezes/{account}")
            assert found["frozen"], account
            assert datetime.fromisoformat(str(found["until"])) >= people.told[account]


@pytest.mark.parametrize(
    "kills", [pytest.param(6, id="6 kills"), pytest.param(100, id="100 kills", marks=pytest.mark.soak)]
)
@pytest.mark.timeout(1200)
async def test_no_acknowledged_freeze_is_lost_by_a_kill(
    kills: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(3)
    async with gate_process(tmp_path) as gate:
        people, started = Frightened(gate, rng), []
        for _ in range(kills):
            begun = time.perf_counter()
            await gate.start()
            started.append(time.perf_counter() - begun)
            async with _crowd(people):
                await asyncio.sleep(rng.uniform(0.02, 1.0))  # how long it lives is what is tried
                await gate.kill()
        await gate.start()
        await _check(gate, people, rng)
        assert await gate.stop() == 0
        code, out, err = await gate.command("verify", "--config", "freeze.yaml")
        assert code == 0, out + err
        told = f"{kills} kills: {len(people.told)} accounts acknowledged, none lost; {out.splitlines()[0]}"
        with capsys.disabled():
            sys.stdout.write(f"\n{told}; slowest start {max(started):.1f} s\n")
        assert len(people.told) > kills


async def test_on_a_full_disk_a_freeze_is_refused_loudly_and_those_there_are_hold(tmp_path: Path) -> None:
    """The ledger's disk fills up, and has room again."""
    with small_disk(tmp_path / "ledger", mebibytes=4) as is_mounted:
        if not is_mounted:
            pytest.skip("a small disk cannot be mounted here: that needs root")
        async with gate_process(tmp_path) as gate, aiohttp.ClientSession() as session:
            await gate.start()
            await _filled(gate, session, tmp_path / "ledger")
            assert await gate.freeze(session, "bert") is not None
            async with session.get(f"{gate.url}/readyz") as response:
                assert response.status == 200
            await gate.kill()
            await gate.start()
            for account in ("anna", "bert"):
                assert (await gate.ask(session, f"/api/v1/freezes/{account}"))["frozen"]


async def _filled(gate: GateProcess, session: aiohttp.ClientSession, disk: Path) -> None:
    assert await gate.freeze(session, "anna") is not None
    with full(disk):
        # The file may have room of its own for a few more.
        refused = [number for number in range(400) if await gate.freeze(session, f"number {number}") is None]
        assert refused, "the disk is full"
        assert (await gate.ask(session, "/api/v1/freezes/anna"))["frozen"]
        assert not (await gate.ask(session, f"/api/v1/freezes/number {refused[-1]}"))["frozen"]
        async with session.get(f"{gate.url}/readyz") as response:
            assert response.status == 503
        async with session.get(f"{gate.url}/metrics") as response:
            text = await response.text()
        assert "cexwatch_freeze_gate_write_failing 1.0" in text
        assert f'refusals_total{{reason="not_written"}} {float(len(refused))}' in text
