"""api.x.com on loopback for one endpoint, as https://docs.x.com/x-api/posts/get-count-of-recent-posts has it.

`start_time` is inclusive and `end_time` exclusive, both to the second and at most seven days back; a bucket at the edge
that they cut is counted only so far; the newest ten seconds may not be asked for; 300 requests in 15 minutes.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from aiohttp import web
from aiohttp.test_utils import TestServer

Json = dict[str, object]
MINUTE = timedelta(minutes=1)
LONGEST_QUERY = 512
DAYS = timedelta(days=7)
NEWEST = timedelta(seconds=10)
INVALID = "https://api.twitter.com/2/problems/invalid-request"


class XCounts:
    """`posts` are the instants at which somebody posted what matches `query`."""

    def __init__(self, now: Callable[[], datetime], *, bearer: str, query: str) -> None:
        self.posts: list[datetime] = []
        self.asked: list[dict[str, str]] = []
        self.instead: Callable[[], web.Response] | None = None
        self.remaining = 300
        self.reset_at = now() + timedelta(minutes=15)
        self._now = now
        self._bearer = bearer
        self._query = query
        app = web.Application()
        app.router.add_get("/2/tweets/counts/recent", self._counts)
        self.server = TestServer(app)

    async def _counts(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.query))
        if request.headers.get("Authorization") != f"Bearer {self._bearer}":
            return _problem(401, "Unauthorized", "Unauthorized")
        if self.instead is not None:
            return self.instead()
        if self.remaining == 0:
            return self._limited()
        self.remaining -= 1
        return self._answer(request.query.get("query", ""), dict(request.query))

    def _limited(self) -> web.Response:
        headers = {
            "Date": format_datetime(self._now(), usegmt=True),
            "x-rate-limit-limit": "300",
            "x-rate-limit-remaining": "0",
            "x-rate-limit-reset": str(int(self.reset_at.timestamp())),
        }
        return _problem(429, "Too Many Requests", "Too Many Requests", headers=headers)

    def _answer(self, query: str, asked: dict[str, str]) -> web.Response:
        now = self._now()
        start = _time(asked.get("start_time")) or now - DAYS
        end = _time(asked.get("end_time")) or now - timedelta(seconds=30)
        wrong = _wrong(query, start=start, end=end, now=now)
        if wrong:
            return _invalid(wrong)
        assert asked.get("granularity") == "minute", "the default is an hour, of which this server knows nothing"
        buckets = self._buckets(start, end) if query == self._query else []
        total = sum(int(str(bucket["tweet_count"])) for bucket in buckets)
        return web.json_response({"data": buckets, "meta": {"total_tweet_count": total}})

    def _buckets(self, start: datetime, end: datetime) -> list[Json]:
        """Whole minutes of the clock, cut at both edges."""
        buckets: list[Json] = []
        begun = start
        while begun < end:
            until = min(begun.replace(second=0) + MINUTE, end)
            count = sum(begun <= post < until for post in self.posts)
            buckets.append({"start": _text(begun), "end": _text(until), "tweet_count": count})
            begun = until
        return buckets


def _wrong(query: str, *, start: datetime, end: datetime, now: datetime) -> str:
    if not 1 <= len(query) <= LONGEST_QUERY:
        return "query"
    if start < now - DAYS:
        return "start_time"
    return "end_time" if end > now - NEWEST or end <= start else ""


def _invalid(parameter: str) -> web.Response:
    error = {"parameters": {parameter: ["as it was sent"]}, "message": f"Invalid '{parameter}'."}
    detail = "One or more parameters to your request was invalid."
    body = {"errors": [error], "title": "Invalid Request", "detail": detail, "type": INVALID}
    return web.json_response(body, status=400)


def _problem(status: int, title: str, detail: str, *, headers: dict[str, str] | None = None) -> web.Response:
    body = {"title": title, "detail": detail, "type": "about:blank", "status": status}
    return web.json_response(body, status=status, headers=headers)


def _time(text: str | None) -> datetime | None:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC) if text is not None else None


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.000Z}"
