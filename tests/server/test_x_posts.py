"""Posts at X as tweepy asks for them, against a server with the documented answers; the token shows nowhere."""

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from monitor.clock import Clock
from monitor.http import Answer, Http
from monitor.model import FailureReason, Reading, RemoteError, Source, Statement
from monitor.probes.x_cost import cost_per_day
from monitor.probes.x_posts import XPostsProbe

BEARER = "AAAA-canary-bearer"
NOW = datetime(2026, 2, 3, 12, 0, tzinfo=UTC)
Json = dict[str, object]


class X:
    """api.twitter.com on loopback: one account, whose posts it tells newest first as the API does."""

    def __init__(self) -> None:
        self.posts: list[Json] = []
        self.asked: list[web.Request] = []
        self.instead: Callable[[], web.Response] | None = None
        app = web.Application()
        app.router.add_get("/2/users/by/username/krakensupport", self._user)
        app.router.add_get("/2/users/by/username/nobody", self._nobody)
        app.router.add_get("/2/users/42/tweets", self._timeline)
        self.server = TestServer(app)

    def _failed(self, request: web.Request) -> web.Response | None:
        self.asked.append(request)
        if request.headers.get("Authorization") != f"Bearer {BEARER}":
            return web.json_response({"title": "Unauthorized", "status": 401, "detail": "Unauthorized"}, status=401)
        return self.instead() if self.instead is not None else None

    async def _user(self, request: web.Request) -> web.Response:
        user = {"id": "42", "name": "Kraken Support", "username": "krakensupport"}
        return self._failed(request) or web.json_response({"data": user})

    async def _nobody(self, request: web.Request) -> web.Response:
        problem = {"title": "Not Found Error", "resource_type": "user", "detail": "Could not find user"}
        return self._failed(request) or web.json_response({"errors": [problem]})

    async def _timeline(self, request: web.Request) -> web.Response:
        failed = self._failed(request)
        if failed is not None:
            return failed
        since, start = int(request.query.get("since_id", "0")), request.query.get("start_time", "")
        new = [each for each in self.posts if int(str(each["id"])) > since and str(each["created_at"]) >= start]
        new = new[: int(request.query["max_results"])]
        if not new:
            return web.json_response({"meta": {"result_count": 0}})
        return web.json_response({"data": new, "meta": {"result_count": len(new), "newest_id": new[0]["id"]}})


@pytest.fixture
async def x() -> AsyncIterator[X]:
    x = X()
    async with x.server:
        yield x


Make = Callable[[str], XPostsProbe]


@pytest.fixture
async def make(x: X) -> AsyncIterator[Make]:
    clock = Clock(start=NOW)
    here = x.server.make_url("/")
    async with Http(clock, per_second={"127.0.0.1": 1000.0}) as http:

        async def get(url: str, *, headers: Mapping[str, str]) -> Answer:
            asked = URL(url)
            assert (asked.scheme, asked.host) == ("https", "api.twitter.com")
            url = str(here.join(URL(asked.raw_path_qs, encoded=True)))
            return await http.get(url, headers=headers, allow_private=True, timeout=1.0)

        def make(account: str) -> XPostsProbe:
            return XPostsProbe(
                get, clock, exchange="kraken", name="kraken-x", interval=300.0, account=account, bearer=BEARER
            )

        yield make


@pytest.fixture
def probe(make: Make) -> XPostsProbe:
    return make("krakensupport")


def post(number: int, text: str = "", *, minutes_ago: int = 1) -> Json:
    at = NOW - timedelta(minutes=minutes_ago)
    return {"id": str(number), "text": text or f"post {number}", "created_at": f"{at:%Y-%m-%dT%H:%M:%S.000Z}"}


def words(reading: Reading) -> list[str]:
    return [line.text for line in reading if isinstance(line, Statement)]


async def test_a_post_is_told_with_its_time_topic_and_link(x: X, probe: XPostsProbe) -> None:
    x.posts = [post(7, "Withdrawals have resumed.", minutes_ago=3)]
    said, _ = await probe.observe()
    assert said == Statement(
        at=said.at,
        exchange="kraken",
        probe="kraken-x",
        topic="resumed",
        text="Withdrawals have resumed.",
        url="https://x.com/krakensupport/status/7",
        published_at=NOW - timedelta(minutes=3),
        source=Source.ANNOUNCEMENT,
    )


async def test_what_was_read_is_not_asked_for_again(x: X, probe: XPostsProbe) -> None:
    x.posts = [post(12), post(11, minutes_ago=5)]
    assert words(await probe.observe()) == ["post 11", "post 12"]
    assert words(await probe.observe()) == []
    x.posts = [post(13, minutes_ago=0), *x.posts]
    assert words(await probe.observe()) == ["post 13"]
    lookup, *readings = x.asked
    assert lookup.path == "/2/users/by/username/krakensupport"
    assert [reading.query.get("since_id") for reading in readings] == [None, "12", "12"]


async def test_the_first_reading_asks_for_a_day_and_for_few(x: X, probe: XPostsProbe) -> None:
    x.posts = [post(5), post(4, minutes_ago=2_000)]
    assert words(await probe.observe()) == ["post 5"]
    asked = x.asked[-1].query
    assert asked["start_time"] == "2026-02-02T12:00:00Z"
    assert asked["exclude"] == "replies,retweets"
    assert asked["max_results"] == "10"


async def test_a_long_post_is_told_whole(x: X, probe: XPostsProbe) -> None:
    x.posts = [post(7, "Deposits and…") | {"note_tweet": {"text": "Deposits and withdrawals are suspended."}}]
    said, _ = await probe.observe()
    assert isinstance(said, Statement)
    assert (said.text, said.topic) == ("Deposits and withdrawals are suspended.", "suspended")


async def test_an_account_that_x_does_not_know_is_named(make: Make) -> None:
    with pytest.raises(RemoteError) as caught:
        await make("nobody").observe()
    assert (caught.value.reason, caught.value.permanent) == (FailureReason.HTTP_4XX, True)
    assert "nobody" in caught.value.detail


PROBLEM = {"title": "Problem", "detail": "as documented", "type": "about:blank"}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(lambda: web.json_response(PROBLEM, status=401), FailureReason.AUTH, id="the token is refused"),
        pytest.param(lambda: web.json_response(PROBLEM, status=403), FailureReason.AUTH, id="the app may not read"),
        pytest.param(lambda: web.json_response(PROBLEM, status=402), FailureReason.HTTP_4XX, id="out of credits"),
        pytest.param(lambda: web.json_response(PROBLEM, status=429), FailureReason.RATE_LIMITED, id="too many"),
        pytest.param(lambda: web.Response(text="Slow", status=429), FailureReason.RATE_LIMITED, id="too many, no JSON"),
        pytest.param(lambda: web.json_response(PROBLEM, status=503), FailureReason.HTTP_5XX, id="down"),
        pytest.param(lambda: web.Response(text="<html>", status=503), FailureReason.HTTP_5XX, id="down, no JSON"),
        pytest.param(lambda: web.Response(status=503), FailureReason.HTTP_5XX, id="down, without a word"),
        pytest.param(lambda: web.Response(text="<html>"), FailureReason.SCHEMA, id="a page"),
        pytest.param(lambda: web.Response(text=""), FailureReason.SCHEMA, id="an empty 200"),
        pytest.param(lambda: web.json_response([]), FailureReason.SCHEMA, id="a list"),
        pytest.param(
            lambda: web.json_response({"data": [{"id": "x"}]}), FailureReason.SCHEMA, id="posts that are none"
        ),
        pytest.param(
            lambda: web.json_response({"data": [post(1) | {"created_at": "2026-02-03T12:00:00"}]}),
            FailureReason.SCHEMA,
            id="a time without a zone",
        ),
    ],
)
async def test_whatever_goes_wrong_has_its_reason(
    x: X, probe: XPostsProbe, answer: Callable[[], web.Response], reason: FailureReason
) -> None:
    await probe.observe()
    x.instead = answer
    with pytest.raises(RemoteError) as caught:
        await probe.observe()
    assert caught.value.reason is reason


async def test_what_failed_is_read_at_the_next_reading(x: X, probe: XPostsProbe) -> None:
    x.posts, x.instead = [post(7)], lambda: web.Response(status=503)
    with pytest.raises(RemoteError):
        await probe.observe()
    x.instead = None
    assert words(await probe.observe()) == ["post 7"]


async def test_a_dead_server_is_a_failed_connection(x: X, probe: XPostsProbe) -> None:
    await probe.observe()
    await x.server.close()
    with pytest.raises(RemoteError) as caught:
        await probe.observe()
    assert caught.value.reason is FailureReason.CONNECTION


async def test_the_token_shows_nowhere(x: X, probe: XPostsProbe, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    x.posts = [post(7)]
    reading = await probe.observe()
    x.instead = lambda: web.json_response(PROBLEM | {"detail": BEARER}, status=401)
    with pytest.raises(RemoteError) as caught:
        await probe.observe()
    shown = [repr(reading), repr(probe), repr(vars(probe)), repr(caught.value), str(caught.value), caplog.text]
    assert not [text for text in shown if BEARER in text]
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("accounts", "minutes", "told"),
    [
        pytest.param(1, 5, "about $0.11 a day, at most $14.46", id="as it comes"),
        pytest.param(4, 5, "about $0.44 a day, at most $57.84", id="four accounts"),
        pytest.param(1, 60, "about $0.11 a day, at most $1.26", id="once an hour"),
        pytest.param(1, 1_440, "about $0.11 a day, at most $0.11", id="once a day reads no more than it may"),
        pytest.param(0, 5, "about $0.00 a day, at most $0.00", id="none"),
    ],
)
def test_the_cost_of_a_day_is_told(accounts: int, minutes: int, told: str) -> None:
    assert str(cost_per_day(accounts, interval=timedelta(minutes=minutes))) == told
