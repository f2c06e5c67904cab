"""The part of the X API that posts, on loopback with TLS, as https://docs.x.com/x-api/posts/create-post has it.

One account of one app. Each request is taken only with a signature of OAuth 1.0a (RFC 5849) that this file computes by
itself. A text that is up is not taken again; a reply needs a post of the account; the own timeline is newest first.
"""

import asyncio
import base64
import hashlib
import hmac
import html
import re
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Self
from urllib.parse import parse_qsl, quote, unquote

from aiohttp import web
from msgspec import Struct

from tests.steps import Step, go_on

USER = "1234567890"
DUPLICATE = "You are not allowed to create a Tweet with duplicate content."
Json = dict[str, object]


class Post(Struct, frozen=True, kw_only=True):
    id: str
    text: str
    reply_to: str | None
    at: datetime


class Way(Enum):
    """How the next requests to post are answered."""

    WELL = auto()
    LIMITED = auto()
    LIMITED_WITHOUT_RESET = auto()
    NO_CREDIT = auto()
    UNAUTHORIZED = auto()
    FORBIDDEN = auto()
    NO_REPLIES = auto()
    HTML = auto()
    EMPTY = auto()
    HANG_AFTER = auto()  # it is up, and nothing is said
    HANG_BEFORE = auto()  # it is not, and nothing is said
    DROP_AFTER = auto()
    DROP_BEFORE = auto()
    HALF_AFTER = auto()  # the answer breaks off
    SLOW_AFTER = auto()  # its body comes byte by byte
    NO_JSON_AFTER = auto()


_REFUSALS: dict[Way, tuple[int, str]] = {
    Way.NO_CREDIT: (402, "Your enrolled account does not have any credits to fulfill this request."),
    Way.UNAUTHORIZED: (401, "Unauthorized"),
    Way.FORBIDDEN: (403, "You are not permitted to perform this action."),
}


class Keyring(Struct, frozen=True, kw_only=True):
    consumer_key: str = "consumer-key-canary"
    consumer_secret: str = "consumer-secret-canary"  # noqa: S105
    access_token: str = f"{USER}-access-token-canary"
    access_token_secret: str = "access-token-secret-canary"  # noqa: S105


KEYRING = Keyring()


class XPosts:
    def __init__(self, *, now: Callable[[], datetime], keys: Keyring = KEYRING, base: str = "") -> None:
        """`base`: what requests are signed for, where that is not the server's own address."""
        self.keys = keys
        self.posts: list[Post] = []
        self.attempts: list[str] = []  # texts, taken or not
        self.refused_signatures = 0
        self.ways: list[Way] = []  # of the next requests to post; afterwards all is well
        self.timeline_ways: list[Way] = []
        self.on_step: Callable[[Step], None] = go_on
        self.hides = False  # the timeline is behind: it does not show what is up
        self.reads: list[dict[str, str]] = []
        self.reset_at = 0
        self.url = ""
        self.port = 0
        self._now = now
        self._base = base
        self._nonces: dict[str, None] = {}
        self._released = asyncio.Event()
        app = web.Application()
        app.router.add_post("/2/tweets", self._create)
        app.router.add_get("/2/users/{user}/tweets", self._timeline)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        self._tls: ssl.SSLContext | None = None

    def with_tls(self, context: ssl.SSLContext) -> Self:
        self._tls = context
        return self

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls).start()
        self.port = self._runner.addresses[0][1]
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._released.set()
        await self._runner.cleanup()

    def texts(self) -> list[str]:
        return [post.text for post in self.posts]

    async def _create(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        text, reply_to = body["text"], body.get("reply", {}).get("in_reply_to_tweet_id")
        self.attempts.append(text)
        self.on_step(Step.RECEIVED)
        if not self._is_signed(request):
            return _problem(401, "Unauthorized")
        way = self.ways.pop(0) if self.ways else Way.WELL
        refusal = await self._refusal(request, way, is_reply=reply_to is not None)
        if refusal is not None:
            return refusal
        if any(post.text == text for post in self.posts):
            return _problem(403, DUPLICATE)
        if reply_to is not None and all(post.id != reply_to for post in self.posts):
            return _problem(403, "You attempted to reply to a Tweet that is deleted or not visible to you.")
        post = Post(id=str(1900000000000000000 + len(self.posts)), text=text, reply_to=reply_to, at=self._now())
        self.posts.append(post)
        self.on_step(Step.TAKEN)
        return await self._answer(request, way, post)

    async def _refusal(self, request: web.Request, way: Way, *, is_reply: bool) -> web.StreamResponse | None:
        match way:
            case Way.LIMITED | Way.LIMITED_WITHOUT_RESET:
                headers = {"x-rate-limit-limit": "100", "x-rate-limit-remaining": "0"}
                if way is Way.LIMITED:
                    headers["x-rate-limit-reset"] = str(self.reset_at)
                return _problem(429, "Too Many Requests", headers=headers)
            case Way.NO_CREDIT | Way.UNAUTHORIZED | Way.FORBIDDEN:
                return _problem(*_REFUSALS[way])
            case Way.NO_REPLIES if is_reply:
                return _problem(403, "Reply to this conversation is not allowed.")
            case Way.HTML:
                return web.Response(status=503, text="<html>over capacity</html>", content_type="text/html")
            case Way.EMPTY:
                return web.Response(status=503)
            case Way.HANG_BEFORE:
                await self._released.wait()
                return web.Response(status=504)
            case Way.DROP_BEFORE:
                _drop(request)
                return web.Response(status=504)
            case _:
                return None

    async def _answer(self, request: web.Request, way: Way, post: Post) -> web.StreamResponse:
        answer = {"data": {"id": post.id, "text": post.text, "edit_history_tweet_ids": [post.id]}}
        match way:
            case Way.HANG_AFTER:
                await self._released.wait()
            case Way.DROP_AFTER:
                _drop(request)
            case Way.NO_JSON_AFTER:
                return web.Response(status=201, text="<html>created</html>", content_type="text/html")
            case Way.HALF_AFTER | Way.SLOW_AFTER:
                response = web.StreamResponse(
                    status=201, headers={"Content-Type": "application/json", "Content-Length": "400"}
                )
                await response.prepare(request)
                await response.write(b'{"data": {"id": "19')
                if way is Way.SLOW_AFTER:
                    await self._released.wait()
                _drop(request)
                return response
            case _:
                pass
        response = web.json_response(answer, status=201)
        await response.prepare(request)
        await response.write_eof()
        self.on_step(Step.ANSWERED)
        return response

    async def _timeline(self, request: web.Request) -> web.StreamResponse:
        asked = dict(request.query)
        self.reads.append(asked)
        if not self._is_signed(request) or request.match_info["user"] != USER:
            return _problem(401, "Unauthorized")
        way = self.timeline_ways.pop(0) if self.timeline_ways else Way.WELL
        refusal = await self._refusal(request, way, is_reply=False)
        if refusal is not None:
            return refusal
        since = (
            datetime.fromisoformat(asked["start_time"]) if "start_time" in asked else datetime.min.replace(tzinfo=UTC)
        )
        newest_first = [] if self.hides else [post for post in reversed(self.posts) if post.at >= since]
        begin, count = int(asked.get("pagination_token", "0")), int(asked["max_results"])
        assert 5 <= count <= 100
        page = newest_first[begin : begin + count]
        meta: Json = {"result_count": len(page)}
        if begin + count < len(newest_first):
            meta["next_token"] = str(begin + count)
        return web.json_response({**({"data": [_shown(post) for post in page]} if page else {}), "meta": meta})

    def _is_signed(self, request: web.Request) -> bool:
        """RFC 5849, 3.4.2 and 3.3: HMAC-SHA1 over method, address and every parameter; no nonce twice."""
        header = request.headers.get("Authorization", "").removeprefix("OAuth ")
        told = {k: unquote(v) for k, v in re.findall(r'(\w+)="([^"]*)"', header)}
        signature, nonce = told.pop("oauth_signature", ""), told.get("oauth_nonce", "")
        known = (told.get("oauth_consumer_key"), told.get("oauth_token")) == (
            self.keys.consumer_key,
            self.keys.access_token,
        )
        query = parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True)
        pairs = sorted((_escaped(k), _escaped(v)) for k, v in [*told.items(), *query])
        address = f"{self._base or self.url}{request.path}"
        signed = "&".join(_escaped(part) for part in (request.method, address, "&".join("=".join(p) for p in pairs)))
        key = f"{_escaped(self.keys.consumer_secret)}&{_escaped(self.keys.access_token_secret)}"
        expected = base64.b64encode(hmac.digest(key.encode(), signed.encode(), hashlib.sha1)).decode()
        if not known or signature != expected or nonce in self._nonces:
            self.refused_signatures += 1
            return False
        self._nonces[nonce] = None
        return True


def _escaped(text: str) -> str:
    return quote(text, safe="~")


def _shown(post: Post) -> Json:
    """As X gives a text back: escaped, its links shortened."""
    text, urls = html.escape(post.text, quote=False), []
    for n, link in enumerate(re.findall(r"(?:https?://)?(?:[a-z0-9-]+\.)+(?:com|io|org)(?:/\S*)?", text)):
        short = f"https://t.co/{n:010d}"
        text = text.replace(link, short, 1)
        urls.append({"url": short, "expanded_url": link if "://" in link else f"http://{link}", "display_url": link})
    created = f"{post.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}"
    shown: Json = {"id": post.id, "text": text, "created_at": created}
    return {**shown, "entities": {"urls": urls}} if urls else shown


def _problem(status: int, detail: str, *, headers: dict[str, str] | None = None) -> web.Response:
    body = {"title": detail.split(".", maxsplit=1)[0], "detail": detail, "type": "about:blank", "status": status}
    return web.json_response(body, status=status, headers=headers)


def _drop(request: web.Request) -> None:
    """The connection is gone at once."""
    transport = request.transport
    assert transport is not None
    transport.abort()
