"""What an exchange announces: the newest posts of a list, a feed or an account."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta, Raw, Struct, field

from monitor.clock import Clock
from monitor.model import FailureReason, ListRead, Observation, ProbeFailure, Reading, Source, Statement
from monitor.probes.answer import Endpoint, decode, present, refusal
from monitor.probes.rows import Flaw, rows
from monitor.probes.wording import plain, recognised

RECENT = timedelta(hours=24)
"""What was posted before is not told, also when it comes into a list that others left."""
MOST_POSTS = 200
MOST_REMEMBERED = 2_000
LONGEST_URL = 2_000

BINANCE_CMS_URL = (
    "https://www.binance.com/bapi/composite/v1/public/cms/article/list/query?type=1&catalogId=157&pageNo=1&pageSize=20"
)
"""Binance's newest "Wallet Maintenance Updates". The list is what its own pages read; it is not documented."""
BINANCE_ARTICLE = "https://www.binance.com/en/support/announcement/detail/"
_FINE = "000000"


class Post(Struct, frozen=True, kw_only=True):
    id: str  # of the list it is in
    text: str
    url: str | None
    published_at: datetime


class Posts(Struct, frozen=True):
    """What a list says, in any order. A post of it that cannot be read is a flaw."""

    posts: Sequence[Post]
    flaws: Sequence[Flaw] = ()


Read = Callable[[bytes], Posts]


class Feed(Struct, frozen=True, kw_only=True):
    url: str
    probe: str
    decode: Read


class AnnouncementsProbe:
    """Tells each post of the last 24 hours once, and once more when its text has changed.

    A text that changed was published when we saw it, so that words that were added later are not taken for early ones.
    """

    def __init__(
        self, endpoint: Endpoint, clock: Clock, *, exchange: str, name: str, interval: float, decode: Read
    ) -> None:
        self.name = name
        self.exchange = exchange
        self.interval = interval
        self._endpoint = endpoint
        self._clock = clock
        self._decode = decode
        self._texts: dict[str, str] = {}  # post -> text when it was last told
        self._flaws: frozenset[str] = frozenset()
        self._digest = b""

    async def observe(self) -> Reading:
        """What is new, and a `ListRead` of no rails. Raises `RemoteError`."""
        answer = await self._endpoint.fetch()
        at = self._clock.now()
        digest = answer.digest
        if digest == self._digest:
            return (self._read(at),)
        posts = await self._endpoint.read(answer, self._decode)
        # A busy day's texts take longer to recognise than the event loop may stand still.
        told = await asyncio.to_thread(self._told, at, posts)
        self._digest = digest
        return told

    def _told(self, at: datetime, posts: Posts) -> Reading:
        return (*self._failures(at, posts.flaws), *self._statements(at, posts.posts), self._read(at))

    def _read(self, at: datetime) -> ListRead:
        return ListRead(at=at, exchange=self.exchange, probe=self.name, rails=0, changed=0)

    def _failures(self, at: datetime, flaws: Sequence[Flaw]) -> Iterator[Observation]:
        before, self._flaws = self._flaws, frozenset(flaw.detail for flaw in flaws)
        for detail in sorted(self._flaws - before):
            yield ProbeFailure(
                at=at, exchange=self.exchange, probe=self.name, reason=FailureReason.SCHEMA, detail=detail
            )

    def _statements(self, at: datetime, posts: Sequence[Post]) -> Iterator[Observation]:
        for post in newest(posts):
            before = self._texts.pop(post.id, None)
            self._texts[post.id] = post.text
            if before == post.text or at - post.published_at > RECENT:
                continue
            published_at = at if before is not None else min(post.published_at, at)
            yield statement(post, at=at, exchange=self.exchange, probe=self.name, published_at=published_at)
        while len(self._texts) > MOST_REMEMBERED:
            del self._texts[next(iter(self._texts))]


def newest(posts: Sequence[Post]) -> list[Post]:
    """The newest 200 of `posts`, oldest first."""
    return sorted(posts, key=lambda post: (post.published_at, post.id))[-MOST_POSTS:]


def statement(post: Post, *, at: datetime, exchange: str, probe: str, published_at: datetime) -> Statement:
    """`post` as the exchange's own words: plain, short enough, and recognised where we can."""
    return Statement(
        at=at,
        exchange=exchange,
        probe=probe,
        topic=recognised(post.text),
        text=plain(post.text),
        url=link(post.url),
        published_at=published_at.astimezone(UTC),
        source=Source.ANNOUNCEMENT,
    )


def link(url: str | None) -> str | None:
    """`url` if a person can be shown it as a link: http or https, of bearable length; None for anything else."""
    if url is None or len(url) > LONGEST_URL or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None


class _Article(Struct, frozen=True):
    id: int
    code: Annotated[str, Meta(pattern=r"^[0-9A-Za-z-]{1,64}$")]
    title: str
    released_at: Annotated[int, Meta(ge=0, le=4_102_444_800_000)] = field(name="releaseDate")  # ms, until 2100

    @property
    def published_at(self) -> datetime:
        return datetime.fromtimestamp(self.released_at / 1000, UTC)


class _Catalog(Struct, frozen=True):
    articles: list[Raw]


class _Catalogs(Struct, frozen=True):
    catalogs: list[_Catalog]


class _Cms(Struct, frozen=True):
    code: str
    message: str | None = None
    data: _Catalogs | None = None


def binance_cms(body: bytes) -> Posts:
    """`bapi/composite/v1/public/cms/article/list/query`: titles only, each with the page it leads to."""
    answer = decode(body, _Cms)
    if answer.code != _FINE:
        raise refusal(f"{answer.code} {answer.message or ''}")
    raws = [raw for catalog in present(answer.data, field="data").catalogs for raw in catalog.articles]
    read = rows(raws, _Article, asset="", path="$.data.catalogs[...].articles")
    posts = [
        Post(id=article.code, text=article.title, url=BINANCE_ARTICLE + article.code, published_at=article.published_at)
        for article in read.good
    ]
    return Posts(posts, [Flaw(flaw.detail) for flaw in read.flaws])


BINANCE_FEED = Feed(url=BINANCE_CMS_URL, probe="binance-announcements", decode=binance_cms)
