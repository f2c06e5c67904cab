"""Whether links work where they are read: a page that is opened once, by another client than the one that asked."""

import secrets
from datetime import datetime, timedelta

from aiohttp import web
from msgspec import Struct

from monitor.clock import Clock
from monitor.web.auth import Show
from monitor.web.session import Visitors

LASTS = timedelta(minutes=5)


class Opened(Struct, frozen=True):
    """Who pressed the button of that page."""

    address: str
    agent: str


class Phone:
    """One look at a time: a new one ends the former."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._token = ""
        self._until: datetime | None = None
        self._opened: Opened | None = None

    def begin(self) -> str:
        """The path to open, good for five minutes and once."""
        self._token, self._opened = secrets.token_urlsafe(16), None
        self._until = self._clock.now() + LASTS
        return f"/phone/{self._token}"

    def opened_by(self) -> tuple[str, str] | None:
        """Address and browser of the client that opened it."""
        return (self._opened.address, self._opened.agent) if self._opened is not None else None

    def is_asked(self, token: str) -> bool:
        is_alive = self._until is not None and self._clock.now() < self._until
        return is_alive and self._opened is None and secrets.compare_digest(token.encode(), self._token.encode())

    def open(self, token: str, *, by: Opened) -> bool:
        """False where nobody waits for it, or not any more."""
        if not self.is_asked(token):
            return False
        self._opened = by
        return True


class PhonePage:
    def __init__(self, phone: Phone, visitors: Visitors, show: Show) -> None:
        self._phone = phone
        self._visitors = visitors
        self._show = show

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/phone/{token}", self.look), web.post("/phone/{token}", self.press)]

    async def look(self, request: web.Request) -> web.Response:
        """Changes nothing: previews of links in messages come here too."""
        asked = self._phone.is_asked(request.match_info["token"])
        return await self._page(request, asked=asked, done=False)

    async def press(self, request: web.Request) -> web.Response:
        self._visitors.check_origin(request)
        device = self._visitors.device(request)
        by = Opened(device.address, device.agent[:120])
        done = self._phone.open(request.match_info["token"], by=by)
        return await self._page(request, asked=False, done=done)

    async def _page(self, request: web.Request, *, asked: bool, done: bool) -> web.Response:
        status = 200 if asked or done else 404
        return await self._show(request, "phone.html", {"asked": asked, "done": done}, status=status)
