"""A POST that is sent again: the operations here are made for the test, the way they are answered is the real one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from msgspec import Struct

from monitor.model import PersonRole
from monitor.store import Store
from monitor.web.api.operation import Asked, Desk, NoQuery, Operation
from monitor.web.api.problem import RefusedError
from monitor.web.api.visitor import Visitor
from tests.api import served
from tests.hand_clock import StillClock
from tests.server.store_samples import START, opened

PATH = "/api/v1/deeds"


class Deed(Struct, frozen=True):
    what: str


class Done(Struct, frozen=True):
    number: int
    by: str


class Deeds:
    """What was done, one after the other. A deed "slow" waits for `go`; "broken" ends in a bug of ours."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.refuse: list[HTTPStatus] = []
        self.begun = asyncio.Event()
        self.go = asyncio.Event()

    async def do(self, _: Desk, asked: Asked[NoQuery, Deed]) -> Done:
        if self.refuse:
            raise RefusedError(self.refuse.pop(), "not now")
        self.done.append(asked.body.what)
        match asked.body.what:
            case "slow":
                self.begun.set()
                await self.go.wait()
            case "broken":
                raise AssertionError("a bug of ours")
            case _:
                pass
        return Done(len(self.done), asked.visitor.name)

    def operations(self) -> Sequence[Operation[Any, Any, Any]]:
        deed = Operation(
            method="POST",
            path="/deeds",
            name="doDeed",
            about="Does it",
            handle=self.do,
            query=NoQuery,
            body=Deed,
            answer=Done,
            status=HTTPStatus.CREATED,
            roles=(PersonRole.APPROVER,),
        )
        return [deed]


async def by_header(request: web.Request) -> Visitor:
    name = request.headers.get("Who", "")
    return Visitor(name=name, role=(PersonRole.VIEWER if name == "vic" else PersonRole.APPROVER) if name else None)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with opened(tmp_path / "cexwatch.db") as store:
        yield store


@pytest.fixture
def deeds() -> Deeds:
    return Deeds()


@pytest.fixture
def clock() -> StillClock:
    return StillClock(START)


@pytest.fixture
async def session(store: Store, deeds: Deeds, clock: StillClock) -> AsyncIterator[aiohttp.ClientSession]:
    async with served(store, clock, visitors=by_header, operations=deeds.operations()) as session:
        yield session


async def post(
    session: aiohttp.ClientSession, what: str = "post", *, key: str | None = "k", who: str = "dana", path: str = PATH
) -> tuple[int, dict[str, Any], bool]:
    headers = {"Who": who} if key is None else {"Who": who, "Idempotency-Key": key}
    async with session.post(path, json={"what": what}, headers=headers) as answer:
        return answer.status, await answer.json(), "Idempotency-Replayed" in answer.headers


async def test_the_same_again_is_answered_and_not_done_again(session: aiohttp.ClientSession, deeds: Deeds) -> None:
    assert await post(session) == (201, {"number": 1, "by": "dana"}, False)
    assert await post(session) == (201, {"number": 1, "by": "dana"}, True)
    assert deeds.done == ["post"]


async def test_without_a_key_each_is_done(session: aiohttp.ClientSession, deeds: Deeds) -> None:
    for number in (1, 2):
        assert (await post(session, key=None))[1]["number"] == number
    assert deeds.done == ["post", "post"]


async def test_another_request_under_the_key_is_refused(session: aiohttp.ClientSession, deeds: Deeds) -> None:
    await post(session)
    status, told, _ = await post(session, "another")
    assert (status, told["detail"]) == (422, "Idempotency-Key: it was used for another request")
    assert deeds.done == ["post"]


async def test_a_key_is_its_callers_own(session: aiohttp.ClientSession) -> None:
    assert (await post(session, who="dana"))[1] == {"number": 1, "by": "dana"}
    assert (await post(session, who="erin"))[1] == {"number": 2, "by": "erin"}


async def test_while_the_first_is_under_way_the_second_is_not_begun(
    session: aiohttp.ClientSession, deeds: Deeds
) -> None:
    first = asyncio.ensure_future(post(session, "slow"))
    await deeds.begun.wait()
    async with session.post(PATH, json={"what": "slow"}, headers={"Who": "dana", "Idempotency-Key": "k"}) as second:
        assert (second.status, second.headers["Retry-After"]) == (409, "1")
    deeds.go.set()
    assert (await first)[0] == 201
    assert (await post(session, "slow"))[2]
    assert deeds.done == ["slow"]


async def test_after_a_day_the_key_is_new(session: aiohttp.ClientSession, clock: StillClock) -> None:
    await post(session)
    clock.hand = timedelta(hours=24).total_seconds()
    assert (await post(session))[2], "it holds for 24 h"
    clock.hand += 1
    assert await post(session) == (201, {"number": 2, "by": "dana"}, False)


async def test_an_answer_outlives_a_restart(store: Store, deeds: Deeds, clock: StillClock) -> None:
    for is_again in (False, True):
        async with served(store, clock, visitors=by_header, operations=deeds.operations()) as session:
            assert await post(session) == (201, {"number": 1, "by": "dana"}, is_again)


async def test_what_was_cut_off_is_not_done_again(session: aiohttp.ClientSession, deeds: Deeds) -> None:
    headers = {"Who": "dana", "Idempotency-Key": "k"}
    async with session.post(PATH, json={"what": "broken"}, headers=headers) as answer:
        assert answer.status == 500
    status, told, _ = await post(session, "broken")
    assert (status, deeds.done) == (409, ["broken"])
    assert "whether it was done is not known" in told["detail"]


@pytest.mark.parametrize("status", [HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.FORBIDDEN])
async def test_what_was_not_done_may_be_asked_for_again(
    session: aiohttp.ClientSession, deeds: Deeds, status: HTTPStatus
) -> None:
    deeds.refuse = [status]
    assert (await post(session))[0] == status
    assert (await post(session))[0] == 201


async def test_a_refusal_for_good_is_an_answer_too(session: aiohttp.ClientSession, deeds: Deeds) -> None:
    deeds.refuse = [HTTPStatus.CONFLICT]
    first = await post(session)
    assert first[0] == 409
    assert await post(session) == (*first[:2], True)
    assert deeds.done == []


@pytest.mark.parametrize("key", ["", "k" * 201])
async def test_a_key_of_no_use_is_refused(session: aiohttp.ClientSession, deeds: Deeds, key: str) -> None:
    assert (await post(session, key=key))[0] == 400
    assert deeds.done == []


async def test_only_who_may_is_heard(session: aiohttp.ClientSession, deeds: Deeds) -> None:
    async with session.post(PATH, json={"what": "post"}) as answer:
        assert (answer.status, "WWW-Authenticate" in answer.headers) == (401, True)
    status, told, _ = await post(session, who="vic")
    assert (status, told["detail"], deeds.done) == (403, "this is for: approver", [])


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        pytest.param(b"what=post", {"Content-Type": "application/x-www-form-urlencoded"}, 415, id="a form"),
        pytest.param(b"{}", {"Content-Type": "application/json"}, 400, id="not what is expected"),
        pytest.param(b"{", {"Content-Type": "application/json"}, 400, id="no JSON"),
        pytest.param(b'"\xff"', {"Content-Type": "application/json"}, 400, id="no text"),
        pytest.param(b" " * 65_537, {"Content-Type": "application/json"}, 413, id="too large"),
        pytest.param(b"{}", {"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415, id="packed"),
    ],
)
async def test_a_body_that_cannot_be_read_is_a_problem(
    session: aiohttp.ClientSession, deeds: Deeds, body: bytes, headers: dict[str, str], status: int
) -> None:
    async with session.post(PATH, data=body, headers={**headers, "Who": "dana", "Idempotency-Key": "k"}) as answer:
        assert (answer.status, answer.content_type) == (status, "application/problem+json")
    assert deeds.done == []
    assert (await post(session))[0] == 201, "nothing was begun, so the key is free"
