"""The pages that links open: two steps without JavaScript, one held button with it, and afterwards the end and no more.

Opening a page freezes nothing, as whoever shows a preview of a link opens it too. What freezes is sent by a form. Where
it was sent from is not asked: the secret in the address is the authority, and a proxy with a Host of its own would shut
the user out.
"""

import hashlib
import math
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, urlencode

import jinja2
from aiohttp import web
from markupsafe import Markup
from msgspec import Struct

from monitor.freeze import bodies
from monitor.freeze import words as wording
from monitor.freeze.words import Words

LONGEST_BODY = 4_096
OFFERED = tuple(timedelta(hours=hours) for hours in (24, 48, 72, 168))
_HERE = Path(__file__).parent / "templates"


class Opened(Struct, frozen=True, kw_only=True):
    """What a link opens."""

    is_guardian: bool  # made for somebody else, who can only freeze
    frozen_until: datetime | None


class Durations(Struct, frozen=True, kw_only=True):
    shortest: timedelta
    usual: timedelta
    longest: timedelta

    def offered(self) -> list[timedelta]:
        return sorted({self.usual, *(each for each in OFFERED if self.shortest <= each <= self.longest)})


class TooOftenError(Exception):
    """`wait`: seconds after which it may be tried again."""

    def __init__(self, wait: float) -> None:
        super().__init__(f"too often; again in {math.ceil(wait)} s")
        self.wait = wait


class NotWrittenError(Exception):
    """The ledger could not keep it: nothing is frozen by this request."""


class Door(Protocol):
    """`source` is the peer's address, for nothing but a limit on addresses that are none."""

    async def opened(self, token: str, *, source: str) -> Opened | None: ...

    async def freeze(self, token: str, duration: timedelta, *, source: str) -> datetime: ...


class _Length(Struct, frozen=True):
    hours: int
    text: str
    usual: bool


class _Refusal(Exception):  # noqa: N818 - ends a request with a page
    def __init__(self, status: int, text: str, *, strong: str = "", wait: float = 0.0, back: bool = False) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.strong = strong
        self.wait = wait
        self.back = back


def routes(door: Door, *, durations: Durations, now: Callable[[], datetime]) -> list[web.RouteDef]:
    """`/f/{token}` for the account's owner, `/g/{token}` for a guardian. `now` is where a freeze would begin."""
    pages = _Pages(door, durations=durations, now=now)
    return [
        route
        for path in ("/f/{token}", "/g/{token}")
        for route in (web.get(path, pages.show), web.post(path, pages.sent))
    ]


class _Pages:
    def __init__(self, door: Door, *, durations: Durations, now: Callable[[], datetime]) -> None:
        self._door = door
        self._durations = durations
        self._now = now
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE),
            undefined=jinja2.StrictUndefined,
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._style = Markup((_HERE / "style.css").read_text().replace("\n", ""))  # noqa: S704 - a file of ours
        self._script = Markup((_HERE / "hold.js").read_text().strip())  # noqa: S704 - a file of ours
        self._policy = (
            f"default-src 'none'; style-src 'sha256-{_sha256(self._style)}'; "
            f"script-src 'sha256-{_sha256(self._script)}'; img-src data:; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )

    async def show(self, request: web.Request) -> web.Response:
        words = _words(request)
        try:
            opened = await self._opened(request, words)
        except _Refusal as refusal:
            return self._refused(refusal, words)
        if opened.frozen_until is not None and "longer" not in request.query:
            more = f"&lang={words.lang}" if "lang" in request.query else ""
            end = wording.instant(opened.frozen_until, words)
            return self._page("frozen.html", words, frozen_until=opened.frozen_until, end=end, more=more)
        return self._page(
            "choose.html",
            words,
            scripted=True,
            is_guardian=opened.is_guardian,
            lengths=[
                _Length(_hours(each), wording.length(each, words), each == self._durations.usual)
                for each in self._durations.offered()
            ],
            frozen_until=opened.frozen_until,
            end="" if opened.frozen_until is None else wording.instant(opened.frozen_until, words),
        )

    async def sent(self, request: web.Request) -> web.Response:
        words = _words(request)
        try:
            await self._opened(request, words)
            form = await _form(request, words)
            duration = self._duration(form.get("hours", ""), words)
            if form.get("step") == "freeze":
                await self._freeze(request, duration, words)
                raise web.HTTPSeeOther(_again(request))
        except _Refusal as refusal:
            return self._refused(refusal, words)
        end = wording.instant(self._now() + duration, words)
        return self._page(
            "confirm.html",
            words,
            hours=_hours(duration),
            freeze_until=words.freeze_until.format(end=end),
            query=urlencode({key: request.query[key] for key in ("lang", "longer") if key in request.query}),
        )

    async def _opened(self, request: web.Request, words: Words) -> Opened:
        try:
            opened = await self._door.opened(request.match_info["token"], source=request.remote or "")
        except TooOftenError as error:
            raise _often(error, words) from error
        if opened is None or opened.is_guardian != request.path.startswith("/g/"):
            raise _Refusal(404, words.missing)
        return opened

    async def _freeze(self, request: web.Request, duration: timedelta, words: Words) -> None:
        try:
            await self._door.freeze(request.match_info["token"], duration, source=request.remote or "")
        except TooOftenError as error:
            raise _often(error, words) from error
        except NotWrittenError as error:
            raise _Refusal(503, words.try_again, strong=words.not_frozen, wait=1, back=True) from error
        except KeyError as error:
            raise _Refusal(404, words.missing) from error

    def _duration(self, text: str, words: Words) -> timedelta:
        found = [each for each in self._durations.offered() if str(_hours(each)) == text]
        if not found:
            raise _Refusal(400, words.bad_duration, back=True)
        return found[0]

    def _refused(self, refusal: _Refusal, words: Words) -> web.Response:
        response = self._page(
            "told.html", words, status=refusal.status, text=refusal.text, strong=refusal.strong, back=refusal.back
        )
        if refusal.wait:
            response.headers["Retry-After"] = str(math.ceil(refusal.wait))
        return response

    def _page(
        self, template: str, words: Words, *, status: int = 200, scripted: bool = False, **shown: object
    ) -> web.Response:
        text = self._templates.get_template(template).render(
            words=words, style=self._style, script=self._script if scripted else "", **shown
        )
        headers = {
            "Content-Security-Policy": self._policy,
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "X-Robots-Tag": "noindex",
        }
        return web.Response(text=text, status=status, content_type="text/html", charset="utf-8", headers=headers)


async def _form(request: web.Request, words: Words) -> dict[str, str]:
    try:
        body = await bodies.read(request, longest=LONGEST_BODY)
    except bodies.TooLargeError as error:
        raise _Refusal(413, words.bad_duration, back=True) from error
    except bodies.TooSlowError as error:
        raise _Refusal(408, words.too_slow, strong=words.not_frozen, back=True) from error
    fields = parse_qs(body.decode("latin-1"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}


def _words(request: web.Request) -> Words:
    return wording.chosen(request.query.get("lang", ""), request.headers.get("Accept-Language", ""))


def _again(request: web.Request) -> str:
    """Relative to where the page is: a proxy may have it below a path of its own."""
    path = request.rel_url.raw_path.rpartition("/")[2]
    return f"{path}?{urlencode({'lang': request.query['lang'][:8]})}" if "lang" in request.query else path


def _often(error: TooOftenError, words: Words) -> _Refusal:
    seconds = math.ceil(error.wait)
    return _Refusal(429, words.too_often.format(seconds=seconds), wait=seconds, back=True)


def _hours(duration: timedelta) -> int:
    return int(duration.total_seconds()) // 3600


def _sha256(text: str) -> str:
    return b64encode(hashlib.sha256(text.encode()).digest()).decode()
