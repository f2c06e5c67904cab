"""Posts at X, each at most once. What may be up and is not known to be is looked for in the own timeline.

A later post of an incident replies to its first one; where X does not let it, it stands for itself.
"""

import html
import re
import unicodedata
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, TypeVar

import aiohttp
import msgspec
from msgspec import Meta, Struct
from tweepy.asynchronous import AsyncClient

from monitor.channels.channel import Receipt, posted
from monitor.channels.x_session import Keys, RefusedError, Session
from monitor.clock import Clock
from monitor.model import Attempt, DeliveryOutcome, Draft, FailureReason, RemoteError
from monitor.notices.price import price_of

LIMITED_SECONDS = 900.0  # a window of X's, where it does not tell when this one ends
SKEW = timedelta(minutes=1)  # X's clock and ours
MOST_POSTS = 100  # of a page
MOST_PAGES = 3
PRICE_OF_OWN_POST = Decimal("0.001")  # read back; US dollars, https://docs.x.com/x-api/getting-started/pricing

_ADDRESSEES = re.compile(r"(?:@\w{1,15} )+")  # X puts whom a reply is to before its text

T = TypeVar("T")
PostId = Annotated[str, Meta(pattern=r"^[0-9]{1,19}$")]


class _Link(Struct, frozen=True):
    url: str  # in the text, shortened
    expanded_url: str = ""


class _Entities(Struct, frozen=True):
    urls: list[_Link] = []


class _Post(Struct, frozen=True):
    id: PostId
    text: str
    entities: _Entities = _Entities()


class _Created(Struct, frozen=True):
    """https://docs.x.com/x-api/posts/create-post"""

    data: _Post


class _Page(Struct, frozen=True):
    next_token: str = ""


class _Timeline(Struct, frozen=True):
    """https://docs.x.com/x-api/users/get-posts, newest first."""

    meta: _Page
    data: list[_Post] = []
    errors: list[msgspec.Raw] = []


class XChannel:
    name = "x"
    public = True

    def __init__(
        self,
        session: aiohttp.ClientSession,
        clock: Clock,
        *,
        keys: Keys,
        base: str,
        replies: bool,
        spent: Callable[[Decimal], None],
    ) -> None:
        """`replies`: later posts of an incident reply to its first one. `spent` is told US dollars."""
        self._clock = clock
        self._keys = keys
        self._replies = replies
        self._spent = spent
        self._client = AsyncClient(
            consumer_key=keys.consumer_key,
            consumer_secret=keys.consumer_secret,
            access_token=keys.access_token,
            access_token_secret=keys.access_token_secret,
            return_type=dict,
            wait_on_rate_limit=False,
        )
        self._client.session = Session(session, keys, base=base, now=clock.now)

    async def publish(self, draft: Draft, *, first: str | None) -> Receipt:
        """Post exactly the text, as a reply to `first` where replies are wanted and possible.

        Raises RemoteError where nobody can know whether it is up.
        """
        reply_to = first if self._replies else None
        try:
            return await self._post(draft, reply_to=reply_to)
        except RefusedError as refused:
            if reply_to is None or refused.status != 403 or refused.is_duplicate:
                return await self._refused(draft, refused)
        try:
            return await self._post(draft, reply_to=None)
        except RefusedError as refused:
            return await self._refused(draft, refused)

    async def find(self, attempt: Attempt, *, first: str | None) -> Receipt | None:
        """Look through the own timeline since the draft was written; each post read back costs."""
        del first
        return await self._found(attempt.draft, since=attempt.draft.created_at - SKEW)

    async def _post(self, draft: Draft, *, reply_to: str | None) -> Receipt:
        answer: object = await self._client.create_tweet(text=draft.text, in_reply_to_tweet_id=reply_to, user_auth=True)
        created = _converted(answer, _Created)
        self._spent(price_of(draft.text))
        return posted(created.data.id)

    async def _refused(self, draft: Draft, refused: RefusedError) -> Receipt:
        if refused.is_duplicate:
            return await self._up_already(draft, refused)
        if refused.status == 429:
            seconds = LIMITED_SECONDS if refused.reset_seconds is None else refused.reset_seconds
            until = self._clock.now() + timedelta(seconds=seconds)
            return Receipt(outcome=DeliveryOutcome.RATE_LIMITED, until=until, reason=refused.reason)
        return Receipt(outcome=DeliveryOutcome.REJECTED, reason=refused.reason)

    async def _up_already(self, draft: Draft, refused: RefusedError) -> Receipt:
        """X has this very text: one of our former tries was taken after all."""
        found = await self._found(draft, since=None)
        if found is None:
            raise RemoteError(FailureReason.DISAGREEMENT, f"{refused.reason} - and it is not in the timeline yet")
        return found

    async def _found(self, draft: Draft, *, since: datetime | None) -> Receipt | None:
        """Raises RemoteError where not every post since then could be read."""
        try:
            async for post in self._timeline(since=since):
                if is_text_of(draft.text, post):
                    return posted(post.id)
        except RefusedError as refused:
            reason = FailureReason.RATE_LIMITED if refused.status == 429 else FailureReason.AUTH
            raise RemoteError(reason, f"the timeline: {refused.reason}") from None
        return None

    async def _timeline(self, *, since: datetime | None) -> AsyncIterator[_Post]:
        """Own posts since then, newest first, or the newest page. Raises RemoteError where that is not all."""
        token = None
        for _ in range(MOST_PAGES):
            answer: object = await self._client.get_users_tweets(
                self._keys.user,
                max_results=MOST_POSTS,
                tweet_fields=["created_at", "entities"],
                start_time=None if since is None else f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
                pagination_token=token,
                user_auth=True,
            )
            page = _converted(answer, _Timeline)
            self._spent(PRICE_OF_OWN_POST * len(page.data))
            for post in page.data:
                yield post
            if page.errors:
                raise RemoteError(FailureReason.SHAPE, "X tells only a part of the timeline")
            if not page.meta.next_token or since is None:
                return
            token = page.meta.next_token
        raise RemoteError(FailureReason.SHAPE, f"more than {MOST_PAGES * MOST_POSTS} posts since then")


def is_text_of(text: str, post: _Post) -> bool:
    """Whether a post has exactly this text, but for what X does to it: it escapes HTML and shortens links."""
    told = post.text if text.startswith("@") else post.text[_addressees(post.text) :]
    parts = re.split("|".join(re.escape(link.url) for link in post.entities.urls) or r"(?!)", told)
    links = [_expanded(link) for link in _in_order(post)]
    if len(links) != len(parts) - 1:
        return False
    pieces = [re.escape(_plain(parts[0]))]
    for link, part in zip(links, parts[1:], strict=True):
        pieces += [link, re.escape(_plain(part))]
    return re.fullmatch("".join(pieces), _plain(text, escaped=False)) is not None


def _addressees(told: str) -> int:
    """Where what somebody wrote begins."""
    found = _ADDRESSEES.match(told)
    return found.end() if found is not None else 0


def _in_order(post: _Post) -> list[_Link]:
    """The links as they stand in the text, each as often as it does."""
    places = [
        (found.start(), link)
        for link in {link.url: link for link in post.entities.urls}.values()
        for found in re.finditer(re.escape(link.url), post.text)
    ]
    return [link for _, link in sorted(places, key=lambda place: place[0])]


def _expanded(link: _Link) -> str:
    """A pattern of what a person wrote: the scheme and the last slash are X's where they are not theirs."""
    bare = re.sub(r"^https?://", "", link.expanded_url or link.url).rstrip("/")
    return rf"(?:https?://)?{re.escape(bare)}/?"


def _plain(text: str, *, escaped: bool = True) -> str:
    return unicodedata.normalize("NFC", html.unescape(text) if escaped else text)


def _converted(answer: object, shape: type[T]) -> T:
    try:
        return msgspec.convert(answer, shape)
    except msgspec.ValidationError as error:
        raise RemoteError(FailureReason.SCHEMA, f"X: {error}") from error
