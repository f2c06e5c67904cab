"""Incidents, drafts and the daemon over HTTP, from a real store."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import aiohttp
import pytest
from msgspec.structs import replace

from monitor.model import DraftState
from monitor.store import Step, Store
from tests.api import HALT, VIEW, cases, filled, insider, outsider, served
from tests.hand_clock import StillClock
from tests.server.store_samples import START, at, opened, reading

ROOT = "/api/v1"
CLOCK = StillClock(START)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with filled(tmp_path / "cexwatch.db", VIEW) as store:
        yield store


async def names(session: aiohttp.ClientSession, path: str) -> list[str]:
    async with session.get(f"{ROOT}{path}") as answer:
        assert answer.status == 200, await answer.text()
        return [each["id"] for each in (await answer.json())["items"]]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        pytest.param("", [HALT, "old-1", "old-2"], id="all"),
        pytest.param("?open=true", [HALT], id="open"),
        pytest.param("?open=false&severity=warning", ["old-1", "old-2"], id="resolved warnings"),
        pytest.param("?exchange=okx", [], id="of another exchange"),
        pytest.param("?kind=withdrawal_halt&limit=1", [HALT], id="a page of one"),
        pytest.param("?from=2026-02-03T13:58:20Z&to=2026-02-03T14:00:00Z", ["old-1"], id="of a span"),
    ],
)
async def test_incidents_by_condition(store: Store, query: str, told: list[str]) -> None:
    async with served(store, CLOCK) as session:
        assert await names(session, f"/incidents{query}") == told


async def test_an_incident_with_its_timeline_page_by_page(store: Store) -> None:
    async with served(store, CLOCK) as session:
        async with session.get(f"{ROOT}/incidents/{HALT}") as answer:
            told = await answer.json()
        assert (told["incident"]["acknowledged_by"], told["notes"]) == ("dana", ["14:02 UTC dana: call treasury"])
        found, cursor = [], ""
        while cursor is not None:
            async with session.get(f"{ROOT}/incidents/{HALT}/timeline?limit=1{cursor and f'&cursor={cursor}'}") as page:
                told = await page.json()
            found += [(step["transition"], [each["value"] for each in step["evidence"]]) for step in told["items"]]
            cursor = told["next"]
    assert found == [("opened", ["suspended 1"]), ("updated", ["suspended 2"]), ("acknowledged", [])]


async def test_drafts_by_state(store: Store) -> None:
    async with served(store, CLOCK) as session:
        assert set(await names(session, "/drafts")) == {f"d-{state}" for state in DraftState}
        assert await names(session, "/drafts?state=pending") == ["d-pending"]
        assert set(await names(session, f"/incidents/{HALT}/drafts")) == {f"d-{state}" for state in DraftState}
        assert await names(session, "/incidents/old-1/drafts") == []


async def test_an_outsider_reads_no_name_no_note_and_no_draft_that_was_not_posted(store: Store) -> None:
    async with served(store, CLOCK, visitors=outsider) as session:
        assert await names(session, "/drafts") == ["d-posted"]
        assert await names(session, "/drafts?state=pending") == []
        assert await names(session, f"/incidents/{HALT}/drafts?limit=1") == ["d-posted"]
        async with session.get(f"{ROOT}/drafts/d-pending") as answer, session.get(f"{ROOT}/drafts/none") as other:
            assert (answer.status, await answer.json()) == (404, await other.json())
        for path in (
            "/incidents",
            f"/incidents/{HALT}",
            f"/incidents/{HALT}/timeline",
            "/drafts",
            "/drafts/d-posted",
            "/exchanges/kraken",
            "/maintenance",
        ):
            async with session.get(f"{ROOT}{path}") as answer:
                told = await answer.text()
            assert answer.status == 200
            assert "dana" not in told
            assert "hush" not in told
            assert "treasury" not in told


async def test_the_daemon_and_the_head_of_its_journal(store: Store) -> None:
    async with served(store, CLOCK) as session, session.get(f"{ROOT}/daemon") as answer:
        told = await answer.json()
    assert (told["alive"], told["not_ready"], told["held"]) == (True, None, False)
    assert told["head"] == {"seq": 1, "at": "2026-02-03T14:00:01Z", "kind": "trade_activity"}
    assert told["store_lag_seconds"] == -1.0
    assert told["config_sha256"] == "ab" * 32


async def test_an_answer_at_hand_is_not_sent_again(store: Store) -> None:
    async with served(store, CLOCK) as session:
        async with session.get(f"{ROOT}/incidents") as first:
            tag = first.headers["ETag"]
            assert first.headers["Cache-Control"] == "private, no-cache"
        for named in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
            async with session.get(f"{ROOT}/incidents", headers={"If-None-Match": named}) as again:
                assert (again.status, again.headers["ETag"], await again.read()) == (304, tag, b"")
        async with session.get(f"{ROOT}/incidents?limit=1", headers={"If-None-Match": tag}) as other:
            assert other.status == 200


async def test_a_validator_holds_while_only_the_clock_goes_on(store: Store) -> None:
    clock = StillClock(START)
    async with served(store, clock) as session:
        async with session.get(f"{ROOT}/exchanges/kraken") as answer:
            first, tag = await answer.json(), answer.headers["ETag"]
        clock.hand += 1
        async with session.get(f"{ROOT}/exchanges/kraken") as answer:
            assert (await answer.json())["generated_at"] != first["generated_at"]
            assert answer.headers["ETag"] == tag


async def test_an_insider_and_an_outsider_hold_different_answers(store: Store) -> None:
    tags = set()
    for visitors in (insider, outsider):
        async with served(store, CLOCK, visitors=visitors) as session, session.get(f"{ROOT}/incidents") as answer:
            tags.add(answer.headers["ETag"])
    assert len(tags) == 2


async def test_head_tells_the_size_and_no_body(store: Store) -> None:
    async with served(store, CLOCK) as session:
        async with session.get(f"{ROOT}/incidents") as whole:
            body = await whole.read()
        async with session.head(f"{ROOT}/incidents") as bare:
            assert (bare.status, bare.headers["Content-Length"], await bare.read()) == (200, str(len(body)), b"")
            assert bare.headers["ETag"] == whole.headers["ETag"]


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        pytest.param("GET", "/nowhere", {}, 404, id="no such resource"),
        pytest.param("GET", "/", {}, 404, id="the root"),
        pytest.param("GET", "/incidents/none", {}, 404, id="no such incident"),
        pytest.param("GET", "/incidents/none/timeline", {}, 404, id="no timeline of none"),
        pytest.param("GET", "/incidents/none/drafts", {}, 404, id="no drafts of none"),
        pytest.param("GET", "/exchanges/%00", {}, 404, id="a name that nothing can have"),
        pytest.param("GET", "/exchanges/kr%FFken", {}, 404, id="a name that is no text"),
        pytest.param("GET", f"/exchanges/{'k' * 300}", {}, 404, id="a name that is too long"),
        pytest.param("POST", "/incidents", {}, 405, id="a method it does not know"),
        pytest.param("DELETE", f"/incidents/{HALT}", {}, 405, id="nothing is deleted"),
        pytest.param("GET", "/incidents", {"Accept": "text/html"}, 406, id="pages are elsewhere"),
        pytest.param("GET", "/incidents", {"Accept": "application/json;q=0, */*"}, 406, id="anything but JSON"),
        pytest.param("GET", "/incidents?limit=0", {}, 400, id="an empty page"),
        pytest.param("GET", "/incidents?limit=201", {}, 400, id="a greedy page"),
        pytest.param("GET", "/incidents?limt=3", {}, 400, id="a word that is not known"),
        pytest.param("GET", "/incidents?limit=3&limit=4", {}, 400, id="a word twice"),
        pytest.param("GET", "/incidents?kind=sadness", {}, 400, id="a kind that is none"),
        pytest.param("GET", "/incidents?from=2026-02-03T14:00:00", {}, 400, id="a time without its zone"),
        pytest.param("GET", "/incidents?to=1770127200", {}, 400, id="a time in seconds"),
        pytest.param("GET", "/incidents?exchange=%00", {}, 400, id="no name of an exchange"),
        pytest.param("GET", "/incidents?cursor=nonsense", {}, 400, id="a cursor that is none"),
        pytest.param("GET", "/incidents?cursor=%E2%82%AC", {}, 400, id="a cursor that is no word"),
    ],
)
async def test_every_refusal_is_a_problem(
    store: Store, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    async with served(store, CLOCK) as session, session.request(method, f"{ROOT}{path}", headers=headers) as answer:
        assert (answer.status, answer.content_type) == (status, "application/problem+json")
        told = await answer.json()
    assert (told["status"], set(told)) == (status, {"type", "title", "status", "detail"})
    assert ("Allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize(
    "accept", ["application/json", "application/*;q=0.1", "*/*", "text/html, application/json;q=0.5", ""]
)
async def test_who_takes_json_gets_it(store: Store, accept: str) -> None:
    async with served(store, CLOCK) as session, session.get(f"{ROOT}/drafts", headers={"Accept": accept}) as answer:
        assert answer.status == 200


async def test_a_cursor_is_of_its_list_and_of_what_was_asked(store: Store) -> None:
    async with served(store, CLOCK) as session:
        async with session.get(f"{ROOT}/incidents?limit=1") as page:
            cursor = (await page.json())["next"]
        assert await names(session, f"/incidents?limit=9&cursor={cursor}") == ["old-1", "old-2"]
        for path in (
            f"/incidents?open=true&cursor={cursor}",
            f"/drafts?cursor={cursor}",
            f"/incidents/{HALT}/timeline?cursor={cursor}",
            f"/incidents?cursor={cursor}A",
            f"/incidents?cursor={cursor[:-2]}",
        ):
            async with session.get(f"{ROOT}{path}") as answer:
                assert answer.status == 400, path
                assert (await answer.json())["detail"].startswith("cursor: ")


async def test_no_other_site_may_read(store: Store) -> None:
    origin = {"Origin": "https://elsewhere.example"}
    async with served(store, CLOCK) as session:
        async with session.get(f"{ROOT}/incidents", headers=origin) as answer:
            assert not [name for name in answer.headers if name.startswith("Access-Control")]
        asking = {**origin, "Access-Control-Request-Method": "GET"}
        async with session.options(f"{ROOT}/incidents", headers=asking) as answer:
            assert answer.status == 405
            assert not [name for name in answer.headers if name.startswith("Access-Control")]


async def test_the_served_document_is_the_shipped_one(store: Store) -> None:
    shipped = Path(__file__).parents[2] / "docs" / "openapi.json"
    async with served(store, CLOCK) as session, session.get(f"{ROOT}/openapi.json") as answer:
        assert await answer.read() == shipped.read_bytes()


async def test_who_reads_nothing_holds_nobody_up(tmp_path: Path) -> None:
    """More than sockets hold is asked for on many lines, and none of it read."""
    long = [replace(each, summary="x" * 100_000) for each in cases()]
    async with opened(tmp_path / "cexwatch.db") as store, served(store, CLOCK) as session:
        many = [replace(long[0], id=f"long-{place}", opened_at=at(place)) for place in range(100)]
        await store.commit([Step(reading(1), tuple(many))])
        async with session.get(f"{ROOT}/incidents?limit=1") as answer:
            port = answer.url.port
        with ExitStack() as lines:
            for _ in range(8):
                line = lines.enter_context(socket.create_connection(("127.0.0.1", port)))
                line.sendall(f"GET {ROOT}/incidents?limit=200 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            async with asyncio.timeout(10):
                assert len(await names(session, "/incidents?limit=200")) == 100
                await store.commit([Step(reading(2), ())])
