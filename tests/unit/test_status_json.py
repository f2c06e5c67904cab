"""A status page that is no Statuspage: one word, and what a person says it means."""

import json
from collections.abc import AsyncIterator
from functools import partial

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, RemoteError, Source, SystemStatus
from monitor.probes.answer import Endpoint
from monitor.probes.status_json import StatusJsonProbe, word_at


class Page:
    """A document on loopback."""

    def __init__(self) -> None:
        self.body = b""
        app = web.Application()
        app.router.add_get("/", self._answer)
        self.server = TestServer(app)

    async def _answer(self, _: web.Request) -> web.Response:
        return web.Response(body=self.body)


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    page = Page()
    async with page.server:
        yield page


@pytest.fixture
async def probe(page: Page) -> AsyncIterator[StatusJsonProbe]:
    clock = Clock()
    async with Http(clock, per_second={"127.0.0.1": 1000.0}) as http:
        url = str(page.server.make_url("/"))
        yield StatusJsonProbe(
            Endpoint(partial(http.get, url, allow_private=True), partial(http.heed, url), interval=60.0),
            clock,
            exchange="deribit",
            name="deribit-status",
            interval=60.0,
            component="trading",
            state="result.locked",
            states={"false": "operational", "partial": "degraded", "true": "outage", "0": "operational"},
        )


@pytest.mark.parametrize(
    ("word", "state"),
    [(False, "operational"), ("partial", "degraded"), (True, "outage"), (0, "operational")],
    ids=["a boolean", "a text", "another boolean", "a number"],
)
async def test_a_word_means_what_was_configured(page: Page, probe: StatusJsonProbe, word: object, state: str) -> None:
    page.body = json.dumps({"result": {"locked": word}}).encode()
    for _ in range(2):
        [said] = await probe.observe()
        assert isinstance(said, SystemStatus)
        assert (said.exchange, said.probe, said.component) == ("deribit", "deribit-status", "trading")
        assert (said.state, said.source) == (state, Source.STATUS_PAGE)
        assert said.raw == (word if isinstance(word, str) else json.dumps(word))


async def test_a_word_that_was_not_configured_is_named(page: Page, probe: StatusJsonProbe) -> None:
    page.body = b'{"result": {"locked": "on fire"}}'
    with pytest.raises(RemoteError) as caught:
        await probe.observe()
    assert caught.value.reason is FailureReason.SCHEMA
    assert caught.value.detail == "'on fire' at `result.locked` is not in `states`"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b'{"result": {}}', FailureReason.SCHEMA, id="nothing there"),
        pytest.param(b'{"result": null}', FailureReason.SCHEMA, id="null on the way"),
        pytest.param(b'{"result": {"locked": ["partial"]}}', FailureReason.SCHEMA, id="a list"),
        pytest.param(b'{"result": {"locked": {"a": 1}}}', FailureReason.SCHEMA, id="an object"),
        pytest.param(b'{"result": {"locked": ""}}', FailureReason.SCHEMA, id="no letters"),
        pytest.param(b'{"result": {"locked": "a\\u0000"}}', FailureReason.SCHEMA, id="letters that do not print"),
        pytest.param(b'{"result": {"locked": 1.5}}', FailureReason.SCHEMA, id="a fraction"),
        pytest.param(b"<html>", FailureReason.SCHEMA, id="a page"),
        pytest.param(b'{"result": "\xff"}', FailureReason.ENCODING, id="no text"),
        pytest.param(b"[" * 50_000, FailureReason.SCHEMA, id="nothing but depth"),
    ],
)
async def test_a_document_of_another_shape_is_a_failure(
    page: Page, probe: StatusJsonProbe, body: bytes, reason: FailureReason
) -> None:
    page.body = body
    with pytest.raises(RemoteError) as caught:
        await probe.observe()
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("sum(items)", id="a sum of texts"),
        pytest.param("nosuch(items)", id="a function that there is not"),
    ],
)
def test_a_query_that_does_not_fit_the_document_is_a_failure(path: str) -> None:
    with pytest.raises(RemoteError) as caught:
        word_at(b'{"items": ["a"]}', path=path)
    assert caught.value.reason is FailureReason.SCHEMA


def test_a_query_finds_one_of_many() -> None:
    body = b'{"services": [{"name": "trade", "up": "ok"}, {"name": "wallet", "up": "closed"}]}'
    assert word_at(body, path="services[?name=='wallet'].up | [0]") == "closed"
