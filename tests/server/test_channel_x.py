"""Posting at X against a server that behaves as documented, with TLS and signatures that are real."""

import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from msgspec.structs import replace

from monitor.channels.channel import Receipt
from monitor.channels.x import XChannel, _Entities, _Link, _Post, is_text_of
from monitor.channels.x_session import TWEEPYS_BASE, Keys
from monitor.clock import Clock
from monitor.http import Http
from monitor.model import Attempt, DeliveryOutcome, Draft, FailureReason, RemoteError
from tests.certificates import Authority
from tests.server.test_outbox import draft_of
from tests.x_posts import KEYRING, Way, XPosts

START = datetime(2026, 2, 3, 2, 21, tzinfo=UTC)
KEYS = Keys(
    consumer_key=KEYRING.consumer_key,
    consumer_secret=KEYRING.consumer_secret,
    access_token=KEYRING.access_token,
    access_token_secret=KEYRING.access_token_secret,
)
SECRETS = (KEYS.consumer_key, KEYS.consumer_secret, KEYS.access_token, KEYS.access_token_secret)
HANGING = (Way.HANG_AFTER, Way.HANG_BEFORE, Way.SLOW_AFTER)
SHORT_SECONDS = 0.4  # of a request whose answer does not come


class OnlyX(AbstractResolver):
    """Leads `api.twitter.com` to the server and refuses every other name."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        assert (host, port) == ("api.twitter.com", 443)
        found = ResolveResult(hostname=host, host="127.0.0.1", port=self._port, family=family, proto=0, flags=0)
        return [found]

    async def close(self) -> None:
        pass


class Desk:
    """The channel, the server behind it, and what was spent."""

    def __init__(self, server: XPosts, session: aiohttp.ClientSession, clock: Clock) -> None:
        self.server = server
        self.session = session
        self.clock = clock
        self.costs: list[Decimal] = []
        self.channel = self.with_replies(True)

    def with_replies(self, replies: bool, *, keys: Keys = KEYS, base: str = TWEEPYS_BASE) -> XChannel:
        return XChannel(self.session, self.clock, keys=keys, base=base, replies=replies, spent=self.costs.append)

    async def publish(self, draft: Draft, first: str | None = None) -> Receipt:
        return await self.channel.publish(draft, first=first)

    async def find(self, draft: Draft) -> Receipt | None:
        return await self.channel.find(Attempt(draft=draft, began_at=START), first=None)


@pytest.fixture
async def desk(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    authority, clock = Authority(tmp_path), Clock(start=START)
    server = XPosts(now=clock.now, base=TWEEPYS_BASE).with_tls(authority.serving("api.twitter.com"))
    async with server:
        connector = aiohttp.TCPConnector(resolver=OnlyX(server.port), ssl=authority.trusted(), use_dns_cache=False)
        is_hanging = "way" in request.fixturenames and request.getfixturevalue("way") in HANGING
        timeout = aiohttp.ClientTimeout(total=SHORT_SECONDS if is_hanging else 5.0)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            yield Desk(server, session, clock)


def words(text: str = "Withdrawals are halted since 02:19 UTC.", name: str = "d-1") -> Draft:
    return replace(draft_of(name, channel="x"), text=text)


async def test_it_posts_exactly_the_text_and_tells_where_it_is(desk: Desk) -> None:
    text = "Since 02:19 UTC <b>all</b> & ₿ withdrawals.\n\nNext update 02:50 UTC"
    receipt = await desk.publish(words(text))
    [post] = desk.server.posts
    assert (post.text, post.reply_to) == (text, None)
    assert (receipt.outcome, receipt.remote_id) == (DeliveryOutcome.POSTED, post.id)
    assert desk.costs == [Decimal("0.015")]
    assert desk.server.refused_signatures == 0


async def test_a_link_makes_it_dear(desk: Desk) -> None:
    await desk.publish(words("See status.example.com for more."))
    assert desk.costs == [Decimal("0.200")]


async def test_a_wrong_secret_is_told_without_any_of_the_secrets(desk: Desk) -> None:
    wrong = replace(KEYS, access_token_secret="another-one")  # noqa: S106
    receipt = await desk.with_replies(True, keys=wrong).publish(words(), first=None)
    assert receipt.outcome is DeliveryOutcome.REJECTED
    assert "401" in receipt.reason
    assert desk.server.refused_signatures == 1
    assert desk.server.posts == []


async def test_a_later_post_replies_to_the_first(desk: Desk) -> None:
    first = await desk.publish(words())
    await desk.publish(words("Withdrawals are back.", "d-2"), first.remote_id)
    assert desk.server.posts[1].reply_to == first.remote_id


async def test_without_replies_every_post_stands_alone(desk: Desk) -> None:
    first = await desk.publish(words())
    await desk.with_replies(False).publish(words("Withdrawals are back.", "d-2"), first=first.remote_id)
    assert [post.reply_to for post in desk.server.posts] == [None, None]


@pytest.mark.parametrize(
    ("ways", "first"),
    [
        pytest.param([Way.NO_REPLIES], "1900000000000000000", id="replies are not allowed"),
        pytest.param([], "1700000000000000000", id="the first post is gone"),
    ],
)
async def test_where_no_reply_is_taken_it_stands_alone(desk: Desk, ways: list[Way], first: str) -> None:
    await desk.publish(words())
    desk.server.ways = ways
    receipt = await desk.publish(words("Withdrawals are back.", "d-2"), first)
    assert receipt.outcome is DeliveryOutcome.POSTED
    assert [post.reply_to for post in desk.server.posts] == [None, None]
    assert len(desk.server.attempts) == 3


async def test_a_duplicate_is_up_and_is_found(desk: Desk) -> None:
    first = await desk.publish(words())
    again = await desk.publish(words())
    assert again == first
    assert len(desk.server.posts) == 1
    assert desk.costs == [Decimal("0.015"), Decimal("0.001")]


async def test_a_duplicate_of_a_reply_is_not_posted_on_its_own(desk: Desk) -> None:
    first = await desk.publish(words())
    second = await desk.publish(words("Withdrawals are back.", "d-2"), first.remote_id)
    assert await desk.publish(words("Withdrawals are back.", "d-2"), first.remote_id) == second
    assert len(desk.server.attempts) == 3


async def test_a_duplicate_that_the_timeline_does_not_show_is_nobodys_knowledge(desk: Desk) -> None:
    await desk.publish(words())
    desk.server.hides = True
    with pytest.raises(RemoteError, match="duplicate content") as raised:
        await desk.publish(words())
    assert not raised.value.permanent
    assert not raised.value.unsent


async def test_it_waits_as_long_as_x_says(desk: Desk) -> None:
    desk.server.ways = [Way.LIMITED]
    desk.server.reset_at = int(START.timestamp()) + 600
    receipt = await desk.publish(words())
    assert receipt.outcome is DeliveryOutcome.RATE_LIMITED
    assert receipt.until is not None
    assert abs(receipt.until - (START + timedelta(seconds=600))) < timedelta(seconds=2)
    assert "429" in receipt.reason


@pytest.mark.parametrize(
    "reset_at", [None, 0, 10**12], ids=["no reset", "a reset gone by", "a reset in thousands of years"]
)
async def test_where_x_does_not_say_it_waits_a_window(desk: Desk, reset_at: int | None) -> None:
    desk.server.ways = [Way.LIMITED_WITHOUT_RESET if reset_at is None else Way.LIMITED]
    desk.server.reset_at = reset_at or 0
    receipt = await desk.publish(words())
    assert receipt.until is not None
    assert abs(receipt.until - (START + timedelta(minutes=15))) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("way", "told"),
    [
        pytest.param(Way.UNAUTHORIZED, "401: Unauthorized", id="401"),
        pytest.param(Way.NO_CREDIT, "402: Your enrolled account does not have any credits", id="402"),
        pytest.param(Way.FORBIDDEN, "403: You are not permitted", id="403"),
    ],
)
async def test_a_no_is_a_no_and_says_why(desk: Desk, way: Way, told: str) -> None:
    desk.server.ways = [way]
    receipt = await desk.publish(words())
    assert receipt.outcome is DeliveryOutcome.REJECTED
    assert told in receipt.reason
    assert desk.server.posts == []
    assert len(desk.server.attempts) == 1
    assert desk.costs == []


@pytest.mark.parametrize(
    ("way", "is_up", "reason"),
    [
        pytest.param(Way.HANG_AFTER, True, FailureReason.TIMEOUT, id="hang after it was taken"),
        pytest.param(Way.HANG_BEFORE, False, FailureReason.TIMEOUT, id="hang before it was taken"),
        pytest.param(Way.SLOW_AFTER, True, FailureReason.TIMEOUT, id="hang in the middle of the answer"),
        pytest.param(Way.HTML, False, FailureReason.HTTP_5XX, id="503 in HTML"),
        pytest.param(Way.EMPTY, False, FailureReason.HTTP_5XX, id="503 without a word"),
        pytest.param(Way.DROP_AFTER, True, FailureReason.CONNECTION, id="cut off after it was taken"),
        pytest.param(Way.DROP_BEFORE, False, FailureReason.CONNECTION, id="cut off before it was taken"),
        pytest.param(Way.HALF_AFTER, True, FailureReason.CONNECTION, id="half an answer"),
        pytest.param(Way.NO_JSON_AFTER, True, FailureReason.SCHEMA, id="a yes that is no JSON"),
    ],
)
async def test_what_may_be_up_is_sent_once_and_can_be_found(
    desk: Desk, way: Way, is_up: bool, reason: FailureReason
) -> None:
    desk.server.ways = [way]
    with pytest.raises(RemoteError) as raised:
        await desk.publish(words())
    error = raised.value
    assert (error.reason, error.permanent, error.unsent) == (reason, False, False)
    assert len(desk.server.attempts) == 1
    found = await desk.find(words())
    assert (found is not None) == is_up
    if found is not None:
        assert found.remote_id == desk.server.posts[0].id
    assert not any(secret in f"{error!r} {error.__context__!r} {error.__cause__!r}" for secret in SECRETS)


async def test_nobody_there_is_nothing_sent(desk: Desk) -> None:
    await desk.server.__aexit__()
    with pytest.raises(RemoteError) as raised:
        await desk.publish(words())
    assert raised.value.unsent
    assert not raised.value.permanent


@pytest.mark.parametrize("way", [Way.LIMITED_WITHOUT_RESET, Way.UNAUTHORIZED, Way.HTML, Way.EMPTY, Way.DROP_BEFORE])
async def test_a_timeline_that_is_not_read_tells_nothing(desk: Desk, way: Way) -> None:
    desk.server.timeline_ways = [way]
    with pytest.raises(RemoteError):
        await desk.find(words())


async def test_every_page_since_the_draft_is_looked_through(desk: Desk) -> None:
    sought = words("This one.")
    await desk.publish(sought)
    for n in range(150):
        await desk.publish(words(f"Number {n}."))
    desk.costs.clear()
    found = await desk.find(sought)
    assert found is not None
    assert len(desk.server.reads) == 2
    assert sum(desk.costs) == Decimal("0.151")


async def test_more_than_it_reads_is_not_read_as_absence(desk: Desk) -> None:
    for n in range(301):
        await desk.publish(words(f"Number {n}."))
    with pytest.raises(RemoteError, match="more than 300 posts"):
        await desk.find(words("Not there."))


async def test_another_base_is_signed_for_where_it_is() -> None:
    clock = Clock(start=START)
    async with XPosts(now=clock.now) as server, Http(clock) as http:
        session = await http.session(seconds=5.0, allow_private=True)
        desk = Desk(server, session, clock)
        channel = desk.with_replies(True, base=server.url)
        receipt = await channel.publish(words(), first=None)
        assert receipt.outcome is DeliveryOutcome.POSTED
        assert await channel.find(Attempt(draft=words(), began_at=START), first=None) == receipt
        assert server.refused_signatures == 0


async def test_a_private_address_is_not_posted_to_unless_allowed() -> None:
    clock = Clock(start=START)
    async with XPosts(now=clock.now) as server, Http(clock) as http:
        session = await http.session(seconds=5.0, allow_private=False)
        with pytest.raises(RemoteError, match="private address") as raised:
            await Desk(server, session, clock).with_replies(True, base=server.url).publish(words(), first=None)
        assert raised.value.permanent
        assert server.attempts == []


async def test_a_server_with_the_certificate_of_another_gets_nothing(tmp_path: Path) -> None:
    authority, clock = Authority(tmp_path), Clock(start=START)
    server = XPosts(now=clock.now, base=TWEEPYS_BASE).with_tls(authority.serving("api.example.com"))
    async with server:
        connector = aiohttp.TCPConnector(resolver=OnlyX(server.port), ssl=authority.trusted(), use_dns_cache=False)
        async with aiohttp.ClientSession(connector=connector) as session:
            with pytest.raises(RemoteError) as raised:
                await Desk(server, session, clock).publish(words())
    assert (raised.value.reason, raised.value.unsent) == (FailureReason.TLS, True)
    assert server.attempts == []


@pytest.mark.parametrize(
    ("ours", "theirs", "links", "same"),
    [
        pytest.param("a & b < c", "a &amp; b &lt; c", {}, True, id="escaped"),
        pytest.param("cafe\u0301", "caf\u00e9", {}, True, id="composed"),
        pytest.param("back", "@examplex back", {}, True, id="a reply's addressee in front"),
        pytest.param("back", "back again", {}, False, id="more than ours"),
        pytest.param("back again", "back", {}, False, id="a part of ours"),
        pytest.param(
            "see gate.io/status now", "see https://t.co/a now", {"https://t.co/a": "http://gate.io/status"}, True,
            id="a shortened link",
        ),
        pytest.param(
            "see gate.io/status now", "see https://t.co/a now", {"https://t.co/a": "http://gate.io/other"}, False,
            id="another link",
        ),
        pytest.param("see gate.io/status now", "see https://t.co/a now", {}, False, id="a link nobody explains"),
    ],
)  # fmt: skip
def test_a_text_is_known_again(ours: str, theirs: str, links: dict[str, str], same: bool) -> None:
    entities = _Entities([_Link(url, expanded) for url, expanded in links.items()])
    assert is_text_of(ours, _Post("1", theirs, entities)) is same
