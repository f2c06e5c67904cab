"""Posts of an exchange's account at X, read app-only with a bearer token. Every post read costs money."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from monitor.clock import Clock
from monitor.model import FailureReason, ListRead, Reading, RemoteError
from monitor.probes.announcements import RECENT, Post, newest, statement
from monitor.probes.x_cost import MOST_POSTS
from monitor.probes.x_session import Get, client_of, converted


class _User(Struct, frozen=True):
    id: Annotated[str, Meta(pattern=r"^[0-9]{1,19}$")]


class _Found(Struct, frozen=True):
    data: _User | None = None


class _Note(Struct, frozen=True):
    text: str


class _Post(Struct, frozen=True):
    id: Annotated[str, Meta(pattern=r"^[0-9]{1,19}$")]
    text: str
    created_at: Annotated[datetime, Meta(tz=True)]
    note_tweet: _Note | None = None  # the whole of a long one


class _Timeline(Struct, frozen=True):
    data: list[_Post] = []


class XPostsProbe:
    """Tells each post of `account` once, beginning with those of the last 24 hours; replies and reposts are not read.

    The account is looked up once, and only posts that are newer than the newest read are asked for and paid.
    """

    def __init__(
        self, get: Get, clock: Clock, *, exchange: str, name: str, interval: float, account: str, bearer: str
    ) -> None:
        self.name = name
        self.exchange = exchange
        self.interval = interval
        self._clock = clock
        self._account = account
        self._client = client_of(get, bearer=bearer)
        self._user = ""
        self._since = clock.now() - RECENT
        self._newest = 0

    async def observe(self) -> Reading:
        """What is new, and a `ListRead` of no rails. Raises `RemoteError`."""
        if not self._user:
            self._user = await self._look_up()
        posts = await self._posts()
        at = self._clock.now()
        self._newest = max([self._newest, *(int(post.id) for post in posts)])
        told = (
            statement(post, at=at, exchange=self.exchange, probe=self.name, published_at=min(post.published_at, at))
            for post in newest([self._post(post) for post in posts])
        )
        return (*told, ListRead(at=at, exchange=self.exchange, probe=self.name, rails=0, changed=0))

    async def _look_up(self) -> str:
        answer: object = await self._client.get_user(username=self._account)
        found = converted(answer, _Found)
        if found.data is None:
            raise RemoteError(FailureReason.HTTP_4XX, f"X knows no account {self._account}", permanent=True)
        return found.data.id

    async def _posts(self) -> list[_Post]:
        answer: object = await self._client.get_users_tweets(
            self._user,
            max_results=MOST_POSTS,
            exclude=["replies", "retweets"],
            tweet_fields=["created_at", "note_tweet"],
            since_id=self._newest or None,
            start_time=None if self._newest else self._since,
        )
        return converted(answer, _Timeline).data

    def _post(self, post: _Post) -> Post:
        text = post.text if post.note_tweet is None else post.note_tweet.text
        url = f"https://x.com/{self._account}/status/{post.id}"
        return Post(id=post.id, text=text, url=url, published_at=post.created_at)
