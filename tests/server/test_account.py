"""A read-only key in use, against a server that tells the time and what the key may do."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, RemoteError
from monitor.probes.account import Account, Call, Credentials, Rights, ServerTime

START = datetime(2026, 2, 3, 2, 19, tzinfo=UTC)
AHEAD = timedelta(seconds=30)
KEY = Credentials("S3CR3T-key", "S3CR3T-secret", "S3CR3T-phrase")


class Venue:
    """Its clock is 30 s ahead, and it remembers when each signed call was signed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.rights: list[str] = []
        self.signed: list[tuple[str, datetime]] = []
        self.times_told = 0
        self.ahead = AHEAD
        self.refusal = 401
        self.wrong: list[timedelta] = []  # what its clock tells next
        app = web.Application()
        app.add_routes(
            [web.get("/time", self._time), web.get("/{path}", self._answer), web.post("/list", self._answer)]
        )
        self.server = TestServer(app)

    async def _time(self, _request: web.Request) -> web.Response:
        self.times_told += 1
        ahead = self.wrong.pop(0) if self.wrong else self.ahead
        return web.json_response((self._clock.now() + ahead).isoformat())

    async def _answer(self, request: web.Request) -> web.Response:
        signed_at = datetime.fromisoformat(request.headers["X-Time"])
        assert request.headers["X-Key"] == "S3CR3T-key"
        if abs(signed_at - self._clock.now() - self.ahead) > timedelta(seconds=5):
            return web.Response(status=self.refusal)
        self.signed.append((request.path, signed_at))
        return web.json_response(self.rights if request.path == "/rights" else await request.text())

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")


def sign(call: Call, credentials: Credentials, now: datetime) -> Call:
    headers = {"X-Key": credentials.api_key, "X-Time": now.isoformat()}
    return msgspec.structs.replace(call, headers=headers)


def moment(body: bytes) -> datetime:
    return msgspec.json.decode(body, type=datetime)


def beyond_reading(body: bytes) -> tuple[str, ...]:
    return tuple(right for right in msgspec.json.decode(body, type=list[str]) if right != "read")


@pytest.fixture
def clock() -> Clock:
    return Clock(start=START)


@pytest.fixture
async def venue(clock: Clock) -> AsyncIterator[Venue]:
    venue = Venue(clock)
    async with venue.server:
        yield venue


@pytest.fixture
async def account(venue: Venue, clock: Clock) -> AsyncIterator[Account]:
    async with Http(clock) as http:
        yield Account(
            http,
            clock,
            base=venue.url,
            allow_private=True,
            credentials=KEY,
            sign=sign,
            rights=Rights(call=Call(path="/rights"), decode=beyond_reading),
            server_time=ServerTime(path="/time", decode=moment),
        )


async def test_rights_are_looked_at_once_before_the_first_call(account: Account, venue: Venue) -> None:
    venue.rights = ["read"]
    for _ in range(3):
        await account.ask(Call(path="/list"))
    assert [path for path, _ in venue.signed] == ["/rights", "/list", "/list", "/list"]


async def test_a_key_that_may_pay_out_is_never_used(account: Account, venue: Venue) -> None:
    venue.rights = ["read", "withdraw", "trade"]
    for _ in range(2):
        with pytest.raises(RemoteError, match="withdraw, trade") as caught:
            await account.ask(Call(path="/list"))
        assert caught.value.reason is FailureReason.AUTH
        assert "S3CR3T" not in repr(caught.value)
    assert "/list" not in {path for path, _ in venue.signed}
    venue.rights = ["read"]
    await account.ask(Call(path="/list"))
    assert venue.signed[-1][0] == "/list"


async def test_calls_carry_the_exchanges_time_and_each_a_later_one(account: Account, venue: Venue) -> None:
    for _ in range(5):
        await account.ask(Call(path="/list", method="POST", body=b"{}"))
    times = [at for _, at in venue.signed]
    assert times == sorted(set(times))
    assert abs(account.offset_seconds - AHEAD.total_seconds()) < 1
    assert venue.times_told == 1


@pytest.mark.parametrize("hours", [1, -1], ids=["ahead", "behind"])
async def test_one_wrong_time_is_not_believed(account: Account, venue: Venue, hours: int) -> None:
    venue.wrong = [timedelta(hours=hours)]
    await account.ask(Call(path="/list"))
    assert venue.times_told == 2
    assert abs(account.offset_seconds - AHEAD.total_seconds()) < 1


async def test_a_clock_that_contradicts_itself_signs_nothing(account: Account, venue: Venue) -> None:
    venue.wrong = [timedelta(hours=1), timedelta(hours=2)]
    with pytest.raises(RemoteError, match="another time whenever it is asked"):
        await account.ask(Call(path="/list"))
    assert venue.signed == []


@pytest.mark.parametrize("refusal", [401, 400])
async def test_a_refusal_has_the_time_asked_anew(account: Account, venue: Venue, refusal: int) -> None:
    venue.wrong, venue.refusal = [timedelta(hours=1)] * 2, refusal
    with pytest.raises(RemoteError, match=str(refusal)):
        await account.ask(Call(path="/list"))
    await account.ask(Call(path="/list"))
    assert venue.signed[-1][0] == "/list"


async def test_a_refusal_inside_an_answer_has_the_time_asked_anew(account: Account, venue: Venue) -> None:
    await account.ask(Call(path="/list"))
    await account.heed(RemoteError(FailureReason.AUTH, "10002 invalid request, please check your timestamp"))
    await account.ask(Call(path="/list"))
    assert venue.times_told == 2


async def test_a_key_that_is_said_back_goes_no_further(account: Account) -> None:
    answer = await account.ask(Call(path="/list", method="POST", body=b"who is S3CR3T-key, S3CR3T-secret?"))
    assert b"S3CR3T" not in answer.body
    same = await account.ask(Call(path="/list", method="POST", body=b"who is [hidden], [hidden]?"))
    assert answer.digest == same.digest


def test_no_part_of_a_key_shows() -> None:
    assert "S3CR3T" not in f"{KEY!r} {KEY}"
