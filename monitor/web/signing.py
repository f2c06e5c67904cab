"""Texts signed beforehand, on a page: what is signed, signing in two steps, taking back."""

from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlencode

from aiohttp import web
from msgspec.structs import replace

from monitor.clock import Clock
from monitor.model import Command, ExchangeView, PersonRole, PreApproval, Verb
from monitor.notices.approval import forbidden
from monitor.notices.draft import sha256
from monitor.notices.preapproval import KINDS, SHAPES, lapsed
from monitor.people.signing_in import Person
from monitor.web.approving import DOOR
from monitor.web.auth import Auth, Show
from monitor.web.deciding import Deciding, Drafts
from monitor.web.session import Visitors

PAGE = "/preapprovals"
USUAL_DAYS = 90
LONGEST_DAYS = 366


class Shelf(Drafts, Protocol):
    async def views(self) -> Sequence[ExchangeView]: ...


class Signing:
    def __init__(
        self, store: Shelf, *, clock: Clock, visitors: Visitors, deciding: Deciding, auth: Auth, show: Show
    ) -> None:
        self._store = store
        self._clock = clock
        self._visitors = visitors
        self._deciding = deciding
        self._auth = auth
        self._show = show

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(PAGE, self.page),
            web.post(PAGE, self.sign),
            web.post(PAGE + "/{id}/{verb}", self.change),
        ]

    async def page(self, request: web.Request) -> web.Response:
        """What will be said one night is for those who are signed in."""
        if await self._visitors.person(request) is None:
            raise web.HTTPSeeOther(f"/sign-in?next={PAGE}")
        return await self._page(request, {})

    async def sign(self, request: web.Request) -> web.StreamResponse:
        """The first form shows the text again with its hash, the second one signs exactly that."""
        person, form = await self._auth.checked(request)
        form["text"] = form.get("text", "").replace("\r\n", "\n").strip()
        if form.get("sha256", "") != sha256(form["text"]):
            return await self._page(request, form, shown=sha256(form["text"]))
        days = form.get("days", str(USUAL_DAYS))
        if not (days.isascii() and days.isdigit() and 0 < int(days[:4]) <= LONGEST_DAYS):
            return await self._page(request, form, problem=f"it holds for 1 to {LONGEST_DAYS} days")
        now = self._clock.now()
        arguments = {
            "text": form["text"],
            "kinds": form.get("kinds", ""),
            "rails": form.get("rails", ""),
            "expires": (now + timedelta(days=int(days))).isoformat(),
        }
        said = self._command(person, Verb.SIGN, exchange=form.get("exchange", ""), text_sha256=form["sha256"])
        return await self._told(request, said, arguments, form)

    async def change(self, request: web.Request) -> web.StreamResponse:
        """A further signature, or a text taken back."""
        person, form = await self._auth.checked(request)
        verb = {"sign": Verb.SIGN, "revoke": Verb.REVOKE}.get(request.match_info["verb"])
        found = await self._found(request.match_info["id"])
        if verb is None or found is None:
            raise web.HTTPNotFound
        sha = form.get("sha256", "") if verb is Verb.SIGN else None
        said = self._command(person, verb, exchange=found.exchange, subject=found.id, text_sha256=sha)
        return await self._told(request, said, {}, {})

    async def _told(
        self, request: web.Request, said: Command, arguments: dict[str, str], form: dict[str, str]
    ) -> web.StreamResponse:
        watched = [view.exchange for view in await self._store.views()]
        if not said.exchange or said.exchange not in watched:
            return await self._page(request, form, problem="that exchange is not watched")
        reply = await self._deciding.say(replace(said, arguments=arguments))
        if reply.ok:
            raise web.HTTPSeeOther(f"{PAGE}?{urlencode({'done': reply.message})}")
        return await self._page(request, form, problem=reply.message)

    def _command(
        self, person: Person, verb: Verb, *, exchange: str, subject: str = "", text_sha256: str | None = None
    ) -> Command:
        return Command(
            at=self._clock.now(),
            exchange=exchange,
            probe=DOOR,
            verb=verb,
            actor=person.name,
            role=person.role,
            subject=subject,
            text_sha256=text_sha256,
        )

    async def _found(self, signed_id: str) -> PreApproval | None:
        return next((each for each in await self._store.preapprovals() if each.id == signed_id), None)

    async def _page(
        self, request: web.Request, form: dict[str, str], *, shown: str = "", problem: str = ""
    ) -> web.Response:
        person = await self._visitors.person(request)
        now, signed = self._clock.now(), await self._store.preapprovals()
        context = {
            "signed": [(each, lapsed(each, now=now, required=1)) for each in signed],
            "exchanges": [view for view in await self._store.views() if view.exchange and not view.retired],
            "kinds": KINDS,
            "slots": list(SHAPES),
            "usual_days": USUAL_DAYS,
            "form": form,
            "shown": shown,
            "problem": problem,
            "done": request.query.get("done", "")[:200],
            "may_sign": _may(Verb.SIGN, person),
            "may_revoke": _may(Verb.REVOKE, person),
        }
        status = HTTPStatus.CONFLICT if problem else HTTPStatus.OK
        return await self._show(request, "preapprovals.html", context, status=status)


def _may(verb: Verb, person: Person | None) -> bool:
    return person is not None and forbidden(verb, person.role if person else PersonRole.VIEWER) is None
