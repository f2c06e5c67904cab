"""Mentions as they are counted at X and elsewhere: nothing twice, nothing half, and what goes wrong has its reason."""

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from monitor.http import Answer, Http
from monitor.model import FailureReason, Mentions, Reading, RemoteError
from monitor.probes.mentions import XMentionsProbe
from monitor.probes.mentions_json import JsonMentionsProbe
from monitor.probes.x_cost import count_cost_per_day
from tests.hand_clock import HandClock
from tests.x_counts import XCounts

BEARER = "AAAA-canary-bearer"
QUERY = '"kraken" withdrawal -is:retweet'
NOW = datetime(2026, 2, 4, 12, 3, 20, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


@pytest.fixture
async def x(clock: HandClock) -> AsyncIterator[XCounts]:
    x = XCounts(clock.now, bearer=BEARER, query=QUERY)
    async with x.server:
        yield x


Make = Callable[[datetime | None], XMentionsProbe]


@pytest.fixture
async def make(x: XCounts, clock: HandClock) -> AsyncIterator[Make]:
    here = x.server.make_url("/")
    async with Http(clock, per_second={"127.0.0.1": 1000.0}) as http:

        async def get(url: str, *, headers: Mapping[str, str]) -> Answer:
            asked = URL(url)
            assert (asked.scheme, asked.host) == ("https", "api.twitter.com")
            url = str(here.join(URL(asked.raw_path_qs, encoded=True)))
            return await http.get(url, headers=headers, allow_private=True, timeout=1.0)

        def make(since: datetime | None) -> XMentionsProbe:
            return XMentionsProbe(
                get, clock, exchange="kraken", name="kraken-mentions-x", interval=300.0, query=QUERY, bearer=BEARER,
                since=since,
            )  # fmt: skip

        yield make


def at(hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2026, 2, 4, hour, minute, second, tzinfo=UTC)


def told(reading: Reading) -> list[tuple[datetime, int]]:
    assert all(type(seen) is Mentions and seen.window_seconds == 300.0 for seen in reading)
    return [(seen.at, seen.count) for seen in reading if isinstance(seen, Mentions)]


async def test_whole_five_minutes_are_told_with_their_end(x: XCounts, make: Make) -> None:
    x.posts = [at(11, 49, 59), at(11, 50), at(11, 52), at(11, 54, 59), at(11, 55), at(12, 1)]
    reading = await make(at(11, 50)).observe()
    assert told(reading) == [(at(11, 55), 3), (at(12, 0), 1)]
    assert reading[0] == Mentions(
        at=at(11, 55), exchange="kraken", probe="kraken-mentions-x", query=QUERY, count=3, window_seconds=300.0
    )
    (asked,) = x.asked
    assert asked == {
        "query": QUERY,
        "granularity": "minute",
        "start_time": "2026-02-04T11:50:00Z",
        "end_time": "2026-02-04T12:00:00Z",
    }


async def test_what_was_told_is_not_asked_for_again(x: XCounts, make: Make, clock: HandClock) -> None:
    probe = make(at(11, 55))
    posts = [at(11, 56), at(12, 1), at(12, 4, 30), at(12, 8)]
    x.posts = posts
    found = told(await probe.observe())
    for _ in range(10):
        clock.hand += 60.0
        found += told(await probe.observe())
    assert found == [(at(12, 0), 1), (at(12, 5), 2), (at(12, 10), 1)]
    assert [asked["start_time"][11:16] for asked in x.asked] == ["11:55", "12:00", "12:05"]


async def test_a_window_is_not_asked_for_before_it_has_settled(x: XCounts, make: Make, clock: HandClock) -> None:
    clock.hand += (at(12, 5, 59) - NOW).total_seconds()
    probe = make(at(12, 0))
    assert await probe.observe() == ()
    assert x.asked == []
    clock.hand += 2.0
    assert told(await probe.observe()) == [(at(12, 5), 0)]


async def test_the_first_reading_goes_back_four_days_in_one_request(x: XCounts, make: Make) -> None:
    found = told(await make(None).observe())
    assert (len(found), len(x.asked)) == (4 * 288 - 1, 1)
    assert found[0][0] == datetime(2026, 1, 31, 12, 10, tzinfo=UTC)
    assert found[-1][0] == at(12, 0)


async def test_after_a_long_rest_no_more_is_asked_for_than_x_counts(x: XCounts, make: Make) -> None:
    found = told(await make(NOW - timedelta(days=30)).observe())
    assert len(x.asked) == 1
    assert found[0][0] - timedelta(minutes=5) >= NOW - timedelta(days=7)


async def test_what_failed_is_read_at_the_next_reading(x: XCounts, make: Make, clock: HandClock) -> None:
    x.posts = [at(11, 56), at(12, 1)]
    probe = make(at(11, 55))
    x.instead = lambda: web.Response(status=503)
    with pytest.raises(RemoteError):
        await probe.observe()
    x.instead = None
    clock.hand += 300.0
    assert told(await probe.observe()) == [(at(12, 0), 1), (at(12, 5), 1)]


def minute(begun: datetime, count: object = 1, *, seconds: int = 60) -> dict[str, object]:
    ended = begun + timedelta(seconds=seconds)
    return {"start": f"{begun:%Y-%m-%dT%H:%M:%S.000Z}", "end": f"{ended:%Y-%m-%dT%H:%M:%S.000Z}", "tweet_count": count}


def minutes(begun: datetime, number: int) -> list[dict[str, object]]:
    return [minute(begun + n * MINUTE) for n in range(number)]


def given(data: object) -> Callable[[], web.Response]:
    return lambda: web.json_response({"data": data, "meta": {"total_tweet_count": 0}})


async def test_five_minutes_that_are_not_whole_are_asked_for_again(x: XCounts, make: Make, clock: HandClock) -> None:
    probe = make(at(11, 50))
    x.instead = given([*minutes(at(11, 50), 5), *minutes(at(11, 55), 4), minute(at(11, 59), seconds=30)])
    assert told(await probe.observe()) == [(at(11, 55), 5)]
    x.instead = given(minutes(at(11, 55), 5))
    clock.hand += 60.0
    assert told(await probe.observe()) == [(at(12, 0), 5)]


async def test_a_hole_in_the_middle_is_a_hole(x: XCounts, make: Make) -> None:
    x.instead = given([*minutes(at(11, 45), 5), *minutes(at(11, 50), 3), *minutes(at(11, 55), 5)])
    probe = make(at(11, 45))
    assert told(await probe.observe()) == [(at(11, 50), 5), (at(12, 0), 5)]
    assert await probe.observe() == ()


PROBLEM = {"title": "Problem", "detail": "as documented", "type": "about:blank"}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(lambda: web.json_response(PROBLEM, status=401), FailureReason.AUTH, id="the token is refused"),
        pytest.param(lambda: web.json_response(PROBLEM, status=403), FailureReason.AUTH, id="the app may not read"),
        pytest.param(lambda: web.json_response(PROBLEM, status=402), FailureReason.HTTP_4XX, id="out of credits"),
        pytest.param(lambda: web.json_response(PROBLEM, status=400), FailureReason.HTTP_4XX, id="no such operator"),
        pytest.param(lambda: web.json_response(PROBLEM, status=503), FailureReason.HTTP_5XX, id="down"),
        pytest.param(lambda: web.Response(text="<html>"), FailureReason.SCHEMA, id="a page"),
        pytest.param(lambda: web.Response(text=""), FailureReason.SCHEMA, id="an empty 200"),
        pytest.param(lambda: web.json_response([]), FailureReason.SCHEMA, id="a list"),
        pytest.param(lambda: web.json_response({"errors": [PROBLEM]}), FailureReason.SCHEMA, id="errors in a 200"),
        pytest.param(given([]), FailureReason.SHAPE, id="no minute at all"),
        pytest.param(given([minute(at(11, 55), -1)]), FailureReason.SCHEMA, id="less than nothing"),
        pytest.param(given([minute(at(11, 55), "12")]), FailureReason.SCHEMA, id="a count that is text"),
        pytest.param(given([minute(at(11, 55), 1.5)]), FailureReason.SCHEMA, id="half a post"),
        pytest.param(given([*minutes(at(11, 55), 5), minute(at(11, 56))]), FailureReason.SHAPE, id="a minute twice"),
        pytest.param(
            given([minute(at(11, 0), seconds=3600)]), FailureReason.SHAPE, id="hours where minutes were asked"
        ),
        pytest.param(
            given([{"start": "2026-02-04T11:55:00", "end": "2026-02-04T11:56:00", "tweet_count": 1}]),
            FailureReason.SCHEMA,
            id="times without a zone",
        ),
    ],
)
async def test_whatever_goes_wrong_has_its_reason(
    x: XCounts, make: Make, answer: Callable[[], web.Response], reason: FailureReason
) -> None:
    x.instead = answer
    probe = make(at(11, 55))
    with pytest.raises(RemoteError) as caught:
        await probe.observe()
    assert caught.value.reason is reason
    x.instead = None
    assert told(await make(at(11, 55)).observe()) == [(at(12, 0), 0)]


async def test_too_many_requests_rest_until_the_reset(x: XCounts, make: Make, clock: HandClock) -> None:
    probe = make(at(11, 55))
    x.remaining, x.reset_at = 0, clock.now() + timedelta(minutes=9)
    with pytest.raises(RemoteError) as caught:
        await probe.observe()
    assert caught.value.reason is FailureReason.RATE_LIMITED
    clock.hand += 480.0
    with pytest.raises(RemoteError):
        await probe.observe()
    assert len(x.asked) == 1, "the host is left alone until it says"
    x.remaining = 300
    clock.hand += 65.0
    assert [end for end, _ in told(await probe.observe())] == [at(12, 0), at(12, 5), at(12, 10)]


async def test_the_wrong_token_is_refused_and_shows_nowhere(
    x: XCounts, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    probe = make(at(11, 55))
    reading = await probe.observe()
    x.instead = lambda: web.json_response(PROBLEM | {"detail": BEARER}, status=401)
    with pytest.raises(RemoteError) as caught:
        await make(at(11, 55)).observe()
    shown = [repr(reading), repr(probe), repr(vars(probe)), repr(caught.value), str(caught.value), caplog.text]
    assert not [text for text in shown if BEARER in text]


@pytest.mark.parametrize(
    ("queries", "interval", "told_"),
    [
        pytest.param(1, 5, "about $1.44 a day, at most $1.44", id="as it comes"),
        pytest.param(3, 15, "about $1.44 a day, at most $1.44", id="three, every quarter of an hour"),
        pytest.param(0, 5, "about $0.00 a day, at most $0.00", id="none"),
    ],
)
def test_the_cost_of_a_day_is_told(queries: int, interval: int, told_: str) -> None:
    assert str(count_cost_per_day(queries, interval=timedelta(minutes=interval))) == told_


class Counter:
    """Somebody's own JSON document."""

    def __init__(self) -> None:
        self.body: object = {"last_5m": {"mentions": 12}}
        self.status = 200
        self.tokens: list[str] = []
        app = web.Application()
        app.router.add_get("/talk", self._talk)
        self.server = TestServer(app)

    async def _talk(self, request: web.Request) -> web.Response:
        self.tokens.append(request.headers.get("Authorization", ""))
        return web.json_response(self.body, status=self.status)


@pytest.fixture
async def counter() -> AsyncIterator[Counter]:
    counter = Counter()
    async with counter.server:
        yield counter


@pytest.fixture
async def json_probe(counter: Counter, clock: HandClock) -> AsyncIterator[JsonMentionsProbe]:
    async with Http(clock, per_second={"127.0.0.1": 1000.0}) as http:
        yield JsonMentionsProbe(
            http,
            clock,
            exchange="kraken",
            name="kraken-mentions-json",
            url=str(counter.server.make_url("/talk")),
            query="kraken, in ten forums",
            count="last_5m.mentions",
            window_seconds=300.0,
            interval=300.0,
            allow_private=True,
            token=BEARER,
        )


async def test_a_number_of_anybody_is_a_count(counter: Counter, json_probe: JsonMentionsProbe) -> None:
    (seen,) = await json_probe.observe()
    assert seen == Mentions(
        at=seen.at,
        exchange="kraken",
        probe="kraken-mentions-json",
        query="kraken, in ten forums",
        count=12,
        window_seconds=300.0,
    )
    assert counter.tokens == [f"Bearer {BEARER}"]


@pytest.mark.parametrize("count", [0, 7, 7.0, 10**12], ids=str)
async def test_whole_numbers_are_counts(counter: Counter, json_probe: JsonMentionsProbe, count: float) -> None:
    counter.body = {"last_5m": {"mentions": count}}
    (seen,) = await json_probe.observe()
    assert isinstance(seen, Mentions)
    assert seen.count == count


@pytest.mark.parametrize("count", [None, True, "7", -1, 0.5, 1e300, [], {}], ids=str)
async def test_anything_else_is_none(counter: Counter, json_probe: JsonMentionsProbe, count: object) -> None:
    counter.body = {"last_5m": {"mentions": count}}
    with pytest.raises(RemoteError) as caught:
        await json_probe.observe()
    assert caught.value.reason is FailureReason.SCHEMA


async def test_a_document_that_cannot_be_read_has_its_reason(counter: Counter, json_probe: JsonMentionsProbe) -> None:
    counter.status = 401
    with pytest.raises(RemoteError) as caught:
        await json_probe.observe()
    assert caught.value.reason is FailureReason.AUTH
