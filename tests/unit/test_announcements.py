"""Announcements: each post once, from Binance's list and from feeds of both kinds, and nothing from what is no feed."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, ProbeFailure, Reading, RemoteError, Source, Statement
from monitor.probes.announcements import AnnouncementsProbe, Post, Posts, binance_cms, link
from monitor.probes.answer import Endpoint
from monitor.probes.feeds import posts
from monitor.probes.rows import Flaw

NOW = datetime(2026, 2, 3, 12, 0, tzinfo=UTC)
BASE = "https://blog.example.org/news/feed.xml"


class Board:
    """A list on loopback; `decode` reads it as the test has it, whatever is sent."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.flaws: list[Flaw] = []
        self.is_down = False
        self.answers = 0
        app = web.Application()
        app.router.add_get("/", self._answer)
        self.server = TestServer(app)

    async def _answer(self, _: web.Request) -> web.Response:
        if self.is_down:
            raise web.HTTPBadGateway
        self.answers += 1
        return web.Response(text=str(self.answers))

    def decode(self, _: bytes) -> Posts:
        return Posts(self.posts, self.flaws)


@pytest.fixture
async def board() -> AsyncIterator[Board]:
    board = Board()
    async with board.server:
        yield board


@pytest.fixture
async def probe(board: Board) -> AsyncIterator[AnnouncementsProbe]:
    clock = Clock(start=NOW)
    async with Http(clock, per_second={"127.0.0.1": 1000.0}) as http:
        url = str(board.server.make_url("/"))
        endpoint = Endpoint(partial(http.get, url, allow_private=True), partial(http.heed, url), interval=60.0)
        yield AnnouncementsProbe(
            endpoint, clock, exchange="binance", name="binance-announcements", interval=60.0, decode=board.decode
        )


def post(name: str, *, hours_ago: float = 1.0, text: str = "", url: str | None = None) -> Post:
    return Post(id=name, text=text or name, url=url, published_at=NOW - timedelta(hours=hours_ago))


def words(reading: Reading) -> list[str]:
    return [line.text for line in reading if isinstance(line, Statement)]


async def test_a_post_is_told_with_its_time_topic_and_link(board: Board, probe: AnnouncementsProbe) -> None:
    board.posts = [post("1", text="Dear users,\nBTC withdrawals are suspended.", url="https://example.org/1")]
    said, _ = await probe.observe()
    assert said == Statement(
        at=said.at,
        exchange="binance",
        probe="binance-announcements",
        topic="suspended",
        text="Dear users, BTC withdrawals are suspended.",
        url="https://example.org/1",
        published_at=NOW - timedelta(hours=1),
        source=Source.ANNOUNCEMENT,
    )


async def test_each_post_is_told_once_oldest_first(board: Board, probe: AnnouncementsProbe) -> None:
    board.posts = [post("new"), post("old", hours_ago=2)]
    assert words(await probe.observe()) == ["old", "new"]
    board.posts = [post("newer", hours_ago=0.5), *board.posts]
    assert words(await probe.observe()) == ["newer"]
    assert words(await probe.observe()) == []


async def test_the_first_reading_tells_a_day(board: Board, probe: AnnouncementsProbe) -> None:
    board.posts = [post("yesterday", hours_ago=23), post("before", hours_ago=25)]
    assert words(await probe.observe()) == ["yesterday"]


async def test_an_old_post_that_others_made_room_for_is_not_news(board: Board, probe: AnnouncementsProbe) -> None:
    board.posts = [post("new")]
    await probe.observe()
    board.posts = [post("new"), post("old", hours_ago=300)]
    assert words(await probe.observe()) == []


async def test_a_text_that_changed_is_told_again_as_of_now(board: Board, probe: AnnouncementsProbe) -> None:
    board.posts = [post("1", text="출금 중단 안내")]
    await probe.observe()
    board.posts = [post("1", text="출금 중단 안내 (02/03 재개)")]
    said, _ = await probe.observe()
    assert isinstance(said, Statement)
    assert (said.topic, said.published_at) == ("resumed", said.at)


async def test_a_post_from_the_future_was_said_when_we_saw_it(board: Board, probe: AnnouncementsProbe) -> None:
    board.posts = [post("1", hours_ago=-5)]
    said, _ = await probe.observe()
    assert isinstance(said, Statement)
    assert said.published_at == said.at


async def test_a_flaw_is_told_once(board: Board, probe: AnnouncementsProbe) -> None:
    board.posts, board.flaws = [post("1")], [Flaw("entry 3: no date")]
    failure, said, _ = await probe.observe()
    assert isinstance(failure, ProbeFailure)
    assert (failure.reason, failure.detail) == (FailureReason.SCHEMA, "entry 3: no date")
    assert isinstance(said, Statement)
    assert words(await probe.observe()) == []


async def test_a_list_that_was_down_is_read_on(board: Board, probe: AnnouncementsProbe) -> None:
    board.posts = [post("1")]
    await probe.observe()
    board.posts, board.is_down = [post("2"), post("1")], True
    with pytest.raises(RemoteError) as caught:
        await probe.observe()
    assert caught.value.reason is FailureReason.HTTP_5XX
    board.is_down = False
    assert words(await probe.observe()) == ["2"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.org/a?b=c", True),
        ("http://example.org", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//example.org/a", False),
        ("https://", False),
        ("https://[", False),
        ("https://example.org/a b", False),
        ("https://example.org/\u202ea", False),
        ("https://example.org/" + "a" * 2_000, False),
        (None, False),
    ],
)
def test_only_a_link_is_shown_as_one(url: str | None, shown: bool) -> None:
    assert link(url) == (url if shown else None)


def cms(*articles: object, code: str = "000000") -> bytes:
    catalog = {"catalogId": 157, "catalogName": "Wallet Maintenance Updates", "total": 9, "articles": list(articles)}
    answer = {"code": code, "message": None, "messageDetail": None, "data": {"catalogs": [catalog]}, "success": True}
    return json.dumps(answer).encode()


ARTICLE = {
    "id": 219623,
    "code": "6cd13a9337404a1caa1bb55ac9175d2a",
    "title": "Wallet Maintenance for the Sei (SEI) Network",
    "type": 1,
    "releaseDate": 1770112800000,
}


def test_binances_list_reads() -> None:
    assert binance_cms(cms(ARTICLE)).posts == [
        Post(
            id="6cd13a9337404a1caa1bb55ac9175d2a",
            text="Wallet Maintenance for the Sei (SEI) Network",
            url="https://www.binance.com/en/support/announcement/detail/6cd13a9337404a1caa1bb55ac9175d2a",
            published_at=datetime(2026, 2, 3, 10, 0, tzinfo=UTC),
        )
    ]


@pytest.mark.parametrize(
    "bad",
    [
        {"releaseDate": None},
        {"releaseDate": "1770112800000"},
        {"releaseDate": 10**18},
        {"title": None},
        {"code": "../../evil?"},
    ],
    ids=str,
)
def test_a_bad_article_costs_itself(bad: dict[str, object]) -> None:
    read = binance_cms(cms(ARTICLE, ARTICLE | bad))
    assert len(read.posts) == 1
    [flaw] = read.flaws
    assert f"$.data.catalogs[...].articles[1].{next(iter(bad))}" in flaw.detail


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(cms(code="000002"), FailureReason.HTTP_4XX, id="an error in a 200"),
        pytest.param(b'{"code":"000000","data":null}', FailureReason.SCHEMA, id="no data"),
        pytest.param(b'{"code":"000000","data":{}}', FailureReason.SCHEMA, id="no catalogues"),
        pytest.param(b"<html>", FailureReason.SCHEMA, id="a page"),
        pytest.param(cms({}, {}), FailureReason.SCHEMA, id="articles that are none"),
    ],
)
def test_what_is_not_binances_list_is_refused(body: bytes, reason: FailureReason) -> None:
    with pytest.raises(RemoteError) as caught:
        binance_cms(body)
    assert caught.value.reason is reason


def rss(*items: str, head: str = "") -> bytes:
    inside = "".join(f"<item>{item}</item>" for item in items)
    return (
        f'<?xml version="1.0"?>{head}<rss version="2.0"><channel><title>News</title>{inside}</channel></rss>'.encode()
    )


def atom(*entries: str) -> bytes:
    inside = "".join(f"<entry>{entry}</entry>" for entry in entries)
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title>{inside}</feed>'.encode()


DATE = "<pubDate>Tue, 03 Feb 2026 12:00:00 +0200</pubDate>"
READ = datetime(2026, 2, 3, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "text", "url"),
    [
        pytest.param(
            rss(f"<guid>1</guid><title>Withdrawals resumed</title><link>https://example.org/1</link>{DATE}"),
            "Withdrawals resumed",
            "https://example.org/1",
            id="RSS",
        ),
        pytest.param(
            rss(f"<title><![CDATA[Deposits &amp; withdrawals]]></title><link>/p/1</link>{DATE}"),
            "Deposits & withdrawals",
            "https://blog.example.org/p/1",
            id="CDATA, entities in it, a relative link",
        ),
        pytest.param(
            rss(f"<title>A &amp;amp; B</title><description>&lt;p&gt;Now &amp;lt;open</description>{DATE}"),
            "A & B | Now <open",
            None,
            id="entities and tags that were escaped",
        ),
        pytest.param(
            rss(f"<title>Same</title><description>Same</description>{DATE}"), "Same", None, id="said twice, told once"
        ),
        pytest.param(
            rss(
                '<title>A</title><d:date xmlns:d="http://purl.org/dc/elements/1.1/">2026-02-03T12:00:00+02:00</d:date>'
            ),
            "A",
            None,
            id="a date of Dublin Core",
        ),
        pytest.param(
            atom(
                '<id>urn:1</id><title type="html">A &amp;amp; B</title><link rel="self" href="https://example.org/x"/>'
                '<link href="../p/1"/><published>2026-02-03T10:00:00Z</published>'
                "<updated>2026-02-03T11:00:00Z</updated>"
            ),
            "A & B",
            "https://blog.example.org/p/1",
            id="Atom",
        ),
        pytest.param(
            atom(
                '<id>urn:1</id><title>A</title><summary type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">'
                "<b>B</b> C</div></summary><updated>2026-02-03T10:00:00Z</updated>"
            ),
            "A | B C",
            None,
            id="Atom with XHTML and only an update",
        ),
    ],
)
def test_a_feed_reads(body: bytes, text: str, url: str | None) -> None:
    read = posts(body, base=BASE)
    assert [(each.text, each.url, each.published_at) for each in read.posts] == [(text, url, READ)]
    assert read.flaws == []


@pytest.mark.parametrize("link", ["#post-1", "?id=3", "3"])
def test_a_token_in_the_feeds_address_is_in_no_link(link: str) -> None:
    [read] = posts(rss(f"<title>A</title><link>{link}</link>{DATE}"), base="https://a.example/feed?token=S3CR3T").posts
    assert read.url is not None
    assert read.url.startswith("https://a.example/")
    assert "S3CR3T" not in read.url


@pytest.mark.parametrize(
    "date",
    [
        pytest.param("Tue, 03 Feb 2026 10:00:00 GMT", id="GMT"),
        pytest.param("Tue, 03 Feb 2026 05:00:00 EST", id="a zone by name"),
        pytest.param("3 Feb 2026 10:00:00 -0000", id="no zone"),
        pytest.param("2026-02-03T10:00:00", id="ISO without a zone"),
        pytest.param("2026-02-03T10:00:00.000Z", id="ISO"),
        pytest.param("\n Tue, 03 Feb 2026 10:00:00 +0000 \n", id="space around it"),
    ],
)
def test_a_date_is_read_as_people_write_it(date: str) -> None:
    [read] = posts(rss(f"<title>A</title><pubDate>{date}</pubDate>"), base=BASE).posts
    assert read.published_at == READ


@pytest.mark.parametrize(
    "item",
    [
        pytest.param("<title>A</title>", id="no date"),
        pytest.param("<title>A</title><pubDate>yesterday</pubDate>", id="a date that is none"),
        pytest.param("<title>A</title><pubDate>0001-01-01T00:00:00+14:00</pubDate>", id="a date before time"),
        pytest.param("<title>A</title><pubDate>Tue, 03 Feb 2026 10:00:00 +9900</pubDate>", id="a zone that is none"),
        pytest.param(DATE, id="nothing to know it by"),
        pytest.param(f"<guid>1</guid>{DATE}", id="no text"),
    ],
)
def test_an_item_that_cannot_be_read_costs_itself(item: str) -> None:
    read = posts(rss(f"<title>Good</title>{DATE}", item), base=BASE)
    assert [each.text for each in read.posts] == ["Good"]
    [flaw] = read.flaws
    assert flaw.detail.startswith("entry 1: ")


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(rss(f"<title>&c;</title>{DATE}", head=BOMB), id="entities that explode"),
        pytest.param(rss(f"<title>&a;</title>{DATE}", head=OUTSIDE), id="an entity from a file"),
        pytest.param(rss(head='<!DOCTYPE rss SYSTEM "https://example.org/rss.dtd">'), id="a type from elsewhere"),
        pytest.param(rss(f"<title>&nbsp;</title>{DATE}"), id="an entity of HTML"),
        pytest.param(b"<html><body/></html>", id="a page"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"{}", id="JSON"),
        pytest.param(rss(f"<title>A</title>{DATE}")[:-20], id="broken off"),
        pytest.param(b'<?xml version="1.0" encoding="klingon"?><rss/>', id="an encoding that nobody knows"),
        pytest.param(b"<rss><channel>\xff\xfe</channel></rss>", id="bytes that are no text"),
        pytest.param(rss("<title>A</title>"), id="only what cannot be read"),
        pytest.param(b"<a>" * 5_000, id="nothing but depth"),
    ],
)
def test_what_is_no_feed_is_refused(body: bytes) -> None:
    with pytest.raises(RemoteError) as caught:
        posts(body, base=BASE)
    assert caught.value.reason is FailureReason.SCHEMA


def test_a_feed_without_end_is_read_so_far() -> None:
    item = f"<title>A</title>{DATE}"
    assert len(posts(rss(*[item] * 3_000), base=BASE).posts) == 1_000
    long = "x" * 100_000
    [read] = posts(
        rss(f"<guid>{long}</guid><title>{long}</title><description>{long}y</description>{DATE}"), base=BASE
    ).posts
    assert len(read.id) == 500
    assert len(read.text) < 10_000
