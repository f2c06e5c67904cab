"""The summary of a freeze gate, read by the daemon's probe: from a real gate, and from what is none."""

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.http import Http
from monitor.model import FailureReason, FreezeActivated, RemoteError
from monitor.probes.freezes import FreezesProbe
from tests.freeze.gatehouse import TOKEN, gatehouse, served
from tests.hand_clock import HandClock


def _probe(http: Http, clock: HandClock, url: str, *, token: str = TOKEN) -> FreezesProbe:
    return FreezesProbe(
        http,
        clock,
        exchange="kraken",
        name="kraken-freezes",
        url=f"{url}/api/v1/summary",
        interval=30.0,
        allow_private=True,
        token=token,
    )


async def test_what_a_real_gate_counts_is_read_and_nobody_is_named(tmp_path: Path) -> None:
    clock = HandClock()
    async with gatehouse(tmp_path, clock=clock) as house, served(house), Http(clock) as http:
        probe = _probe(http, clock, house.url)
        found = []
        for accounts in ((), ("anna", "bert"), ("anna",)):
            for account in accounts:
                await house.freeze(account)
            (seen,) = await probe.observe()
            assert isinstance(seen, FreezeActivated)
            found.append((seen.count, seen.total))
            clock.hand += 30
        assert found == [(0, 0), (2, 2), (1, 3)]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"active": -1, "activations_total": 3, "latest_until": null}', FailureReason.SCHEMA),
        (b'{"active": 1, "activations_total": "3", "latest_until": null}', FailureReason.SCHEMA),
        (b'{"active": 1}', FailureReason.SCHEMA),
        (b"<html>", FailureReason.SCHEMA),
    ],
)
async def test_what_is_no_summary_is_no_reading(body: bytes, reason: FailureReason) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_get("/api/v1/summary", answer)
    clock = HandClock()
    async with TestServer(app) as server, Http(clock) as http:
        with pytest.raises(RemoteError) as refused:
            await _probe(http, clock, str(server.make_url("")).rstrip("/")).observe()
    assert refused.value.reason is reason


async def test_a_wrong_token_is_told_as_one(tmp_path: Path) -> None:
    clock = HandClock()
    async with gatehouse(tmp_path, clock=clock) as house, served(house), Http(clock) as http:
        with pytest.raises(RemoteError) as refused:
            await _probe(http, clock, house.url, token="wrong").observe()  # noqa: S106 - of a test
    assert refused.value.reason is FailureReason.AUTH
