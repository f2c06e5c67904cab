"""`cexwatch freeze serve` as its users have it: the app, the page, the withdrawal service, and whoever runs it."""

import asyncio
import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.freeze.client import FreezeClient, Reason
from monitor.freeze.keyring import Key
from monitor.freeze.requests import account_key, signed_headers
from monitor.freeze.signing import Signer
from tests.freeze.process import SECRETS, GateProcess, gate_process

KEY = Key("first", b"1" * 32)
PUBLIC = Signer(b"s" * 32).public


def _client(gate: GateProcess, folder: Path) -> FreezeClient:
    return FreezeClient(
        gate.url,
        public_key=PUBLIC,
        keys=[KEY],
        file=folder / "frozen",
        token=SECRETS["reader_token"],
        interval_seconds=0.05,
    )


async def _until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not claim():  # noqa: ASYNC110 - the client rings no bell
            await asyncio.sleep(0.02)


async def test_from_a_tap_to_the_last_step_before_signing(tmp_path: Path) -> None:
    """A guardian freezes on a page, what is pending is reported, the client stops it; a kill changes nothing."""
    reports: list[dict[str, object]] = []
    arrived = asyncio.Event()

    async def receive(request: web.Request) -> web.Response:
        reports.append(await request.json())
        arrived.set()
        return web.Response()

    app = web.Application()
    app.router.add_post("/frozen", receive)
    async with TestServer(app) as exchange, aiohttp.ClientSession() as session:
        more = f"reports: {{url: '{exchange.make_url('/frozen')}', secret_file: reports_secret}}"
        async with gate_process(tmp_path, more=more) as gate:
            await gate.start()
            client = _client(gate, tmp_path)
            async with client.following():
                await _until(lambda: client.decide("anna").may_pay)
                page = gate.url + await _guardians_page(gate, session)
                async with session.get(page) as looked:
                    assert "Nobody can end this early" in await looked.text()
                assert client.decide("anna").reason is Reason.FREE
                async with session.post(page, data={"hours": "48", "step": "freeze"}) as frozen:
                    shown = await frozen.text()
                assert re.search(r"Until\s+<time", shown)
                await _until(lambda: client.decide("anna").reason is Reason.FROZEN)
                assert client.decide("bert").may_pay
                async with asyncio.timeout(20):
                    await arrived.wait()
                assert reports[0]["account"] == hashed("anna")
                await gate.kill()
                assert client.decide("anna").reason is Reason.FROZEN
                assert client.decide("bert").may_pay, "a gate that is gone for a moment stops nobody"
            await gate.start()
            assert (await gate.ask(session, "/api/v1/freezes/anna"))["frozen"]
            async with session.get(f"{gate.url}/metrics") as scraped:
                metrics = await scraped.text()
            assert 'cexwatch_freeze_gate_links{holder="guardian"} 1.0' in metrics
            assert "cexwatch_freeze_gate_unreported 0.0" in metrics, "what was taken note of is not told again"
            assert "anna" not in metrics
            assert hashed("anna") not in metrics
            assert await gate.stop() == 0


def hashed(account: str) -> str:
    """As the exchange's own software finds its account."""
    return hmac.digest(KEY.secret, b"account\0" + account.encode(), hashlib.sha256)[:16].hex()


async def _guardians_page(gate: GateProcess, session: aiohttp.ClientSession) -> str:
    body = b'{"holder": "guardian"}'
    headers = signed_headers(
        account_key(SECRETS["app_secret"].encode(), "anna"),
        method="POST",
        path="/api/v1/links",
        account="anna",
        at=datetime.now(UTC),
        nonce="a-link-for-a-friend",
        body=body,
    )
    async with session.post(f"{gate.url}/api/v1/links", data=body, headers=headers) as response:
        assert response.status == 201
        path: str = (await response.json())["path"]
        return path


async def test_what_would_overlook_somebody_does_not_start(tmp_path: Path) -> None:
    async with gate_process(tmp_path) as gate, aiohttp.ClientSession() as session:
        code, _, told = await gate.command("init", "--config", "freeze.yaml")
        assert (code, "already" in told) == (1, True)
        await gate.start()
        assert await gate.freeze(session, "anna") is not None
        code, _, told = await gate.command("serve", "--config", "freeze.yaml")
        assert (code, "another freeze gate" in told) == (1, True)
        await gate.stop()
        (tmp_path / "account_key").write_text(base64.b64encode(b"2" * 32).decode())
        code, _, told = await gate.command("serve", "--config", "freeze.yaml")
        assert (code, "not the one that the ledger was written with" in told) == (3, True)
        config = tmp_path / "freeze.yaml"
        config.write_text(config.read_text().replace("{first:", "{second:"))
        code, _, told = await gate.command("serve", "--config", "freeze.yaml")
        assert (code, "keys first are not configured" in told) == (3, True)
        for file in (*(tmp_path / "ledger").iterdir(), *(tmp_path / "witness").iterdir()):
            file.unlink()
        code, _, told = await gate.command("serve", "--config", "freeze.yaml")
        assert (code, "nothing is begun afresh" in told) == (3, True)


async def test_a_ledger_that_is_lost_is_whole_again_and_said_to_have_been(tmp_path: Path) -> None:
    async with gate_process(tmp_path) as gate, aiohttp.ClientSession() as session:
        await gate.start()
        assert await gate.freeze(session, "anna") is not None
        await gate.stop()
        for file in (tmp_path / "ledger").iterdir():
            file.unlink()
        await gate.start()
        assert (await gate.ask(session, "/api/v1/freezes/anna"))["frozen"]
        assert not (await gate.ask(session, "/api/v1/summary"))["ledger_intact"]
        async with session.get(f"{gate.url}/readyz") as response:
            assert (response.status, "put back from the witness" in await response.text()) == (200, True)
        await gate.stop()
        code, out, _ = await gate.command("verify", "--config", "freeze.yaml")
        assert (code, "was made whole again" in out) == (0, True)
