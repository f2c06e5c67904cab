"""How often an exchange is spoken of at X: counts of the posts that match a query. Every request costs money."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct

from monitor.clock import Clock
from monitor.model import FailureReason, Mentions, Reading, RemoteError
from monitor.probes.x_session import Get, client_of, converted

WINDOW = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
BACK = timedelta(days=4)  # read at first, so that the detector knows what is usual at once
LONGEST_BACK = timedelta(days=7) - timedelta(minutes=10)  # X counts the last seven days
SETTLED = timedelta(minutes=1)  # X counts up to thirty seconds ago
LARGEST = 10**12


class _Minute(Struct, frozen=True):
    start: Annotated[datetime, Meta(tz=True)]
    end: Annotated[datetime, Meta(tz=True)]
    tweet_count: Annotated[int, Meta(ge=0, le=LARGEST)]


class _Counts(Struct, frozen=True):
    """https://docs.x.com/x-api/posts/get-count-of-recent-posts; a page holds 31 days of minutes."""

    data: list[_Minute]


class XMentionsProbe:
    """Tells how many posts match `query`, five minutes at a time, each once: only what was not told is asked for.

    Five minutes that X does not give whole are not told, and asked for again unless later ones were given.
    """

    def __init__(
        self,
        get: Get,
        clock: Clock,
        *,
        exchange: str,
        name: str,
        interval: float,
        query: str,
        bearer: str,
        since: datetime | None,
    ) -> None:
        """`since`: up to when it was told before."""
        self.name = name
        self.exchange = exchange
        self.interval = interval
        self._clock = clock
        self._query = query
        self._client = client_of(get, bearer=bearer)
        self._told = since if since is not None else clock.now() - BACK

    async def observe(self) -> Reading:
        """Whole windows since the last reading. Raises `RemoteError`."""
        now = self._clock.now()
        begun = _grid(max(self._told, now - LONGEST_BACK) + WINDOW - timedelta(microseconds=1))
        until = _grid(now - SETTLED)
        if begun >= until:
            return ()
        answer: object = await self._client.get_recent_tweets_count(
            self._query, granularity="minute", start_time=_text(begun), end_time=_text(until)
        )
        windows = list(_whole(converted(answer, _Counts).data, begun=begun, until=until))
        if not windows:
            raise RemoteError(FailureReason.SHAPE, f"no whole five minutes since {begun:%H:%M} UTC")
        self._told = windows[-1][0]
        return tuple(self._mentions(end, count) for end, count in windows)

    def _mentions(self, end: datetime, count: int) -> Mentions:
        return Mentions(
            at=end,
            exchange=self.exchange,
            probe=self.name,
            query=self._query,
            count=count,
            window_seconds=WINDOW.total_seconds(),
        )


def _whole(minutes: Iterable[_Minute], *, begun: datetime, until: datetime) -> Iterator[tuple[datetime, int]]:
    """(end, count) of each five minutes of which every minute was told, whole and once."""
    counts: dict[datetime, int] = {}
    for minute in minutes:
        if minute.start in counts:
            raise RemoteError(FailureReason.SHAPE, f"{minute.start:%H:%M} UTC is told twice")
        if minute.end - minute.start == MINUTE:
            counts[minute.start] = minute.tweet_count
    while begun < until:
        told = [counts[at] for n in range(5) if (at := begun + n * MINUTE) in counts]
        begun += WINDOW
        if len(told) == WINDOW // MINUTE:
            yield begun, sum(told)


def _grid(at: datetime) -> datetime:
    """The beginning of the five minutes that `at` is in."""
    return datetime.fromtimestamp(at.timestamp() // WINDOW.total_seconds() * WINDOW.total_seconds(), UTC)


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
