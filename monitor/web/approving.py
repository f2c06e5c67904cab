"""Drafts and their approval on a page. Looking changes nothing; what acts is a form of somebody who is signed in."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Protocol
from urllib.parse import quote, urlencode

from aiohttp import web
from msgspec import Struct

from monitor.clock import Clock
from monitor.model import SUPPORT, Command, Draft, DraftState, Incident, Verb
from monitor.notices.approval import OPEN, RULES, counted, forbidden, refusal
from monitor.notices.difference import difference
from monitor.notices.preapproval import holds_for
from monitor.notices.price import price_of
from monitor.notices.weight import LIMIT, weighted_length
from monitor.people.signing_in import Person
from monitor.web.api import visitor
from monitor.web.api.discretion import readable, unsigned
from monitor.web.auth import Auth, Show
from monitor.web.deciding import DECIDED, Deciding, Drafts, Outcome, Speaker, Word
from monitor.web.session import Visitors

SHOWN_EVIDENCE = 8
DOOR = "web"


class Shelf(Drafts, Protocol):
    """What these pages ask of the store."""

    async def drafts(self, *, pending_only: bool = False, limit: int = 100) -> Sequence[Draft]: ...
    async def incident(self, incident_id: str) -> Incident | None: ...
    async def held(self) -> bool: ...


class Choice(Struct, frozen=True):
    """Something that can be done to a draft now: its verb, the word on the button."""

    verb: Verb
    word: str


WORDS: Mapping[Verb, str] = {
    Verb.APPROVE: "Approve",
    Verb.EDIT: "Edit",
    Verb.REJECT: "Reject",
    Verb.RETRY: "Send it once more",
    Verb.BREAK_GLASS: "Approve alone",
}


class Approving:
    def __init__(
        self,
        store: Shelf,
        *,
        clock: Clock,
        visitors: Visitors,
        callers: visitor.Visitors,
        deciding: Deciding,
        auth: Auth,
        show: Show,
        required: Callable[[], int],
    ) -> None:
        self._store = store
        self._clock = clock
        self._visitors = visitors
        self._callers = callers
        self._deciding = deciding
        self._show = show
        self._required = required
        self._auth = auth

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/drafts", self.drafts),
            web.get("/drafts/{id}", self.draft),
            web.get("/d/{id}", self.draft),
            web.post("/drafts/{id}/{verb}", self.decide),
            web.post("/publishing/{verb}", self.hold),
        ]

    async def drafts(self, request: web.Request) -> web.Response:
        person = await self._visitors.person(request)
        held = await self._store.held()
        verb = Verb.RELEASE if held else Verb.HOLD
        context = {
            "drafts": sorted(readable(await self._store.drafts(), await self._callers(request)), key=_waits_for_nobody),
            "verb": verb if person is not None and forbidden(verb, person.role) is None else None,
            "confirm": request.query.get("confirm", ""),
            "problem": request.query.get("problem", "")[:200],
        }
        return await self._show(request, "drafts.html", context)

    async def draft(self, request: web.Request) -> web.Response:
        draft = await self._store.draft(request.match_info["id"])
        if draft is None:
            return await self._show(request, "missing.html", {"what": "draft"}, status=HTTPStatus.NOT_FOUND)
        return await self._page(request, draft, confirm=request.query.get("confirm", ""))

    async def decide(self, request: web.Request) -> web.StreamResponse:
        """A form about a draft. Where it is not what the person saw, they are shown what has changed."""
        person, form = await self._auth.checked(request)
        verb = DECIDED.get(request.match_info["verb"])
        if verb is None:
            raise web.HTTPNotFound
        word = Word(
            verb=verb,
            subject=request.match_info["id"],
            text_sha256=form.get("sha256", ""),
            text=form.get("text", "").replace("\r\n", "\n").strip("\n"),
            reason=form.get("reason", ""),
        )
        outcome = await self._deciding.draft(word, Speaker(person.name, person.role, DOOR))
        if outcome.status is HTTPStatus.OK or outcome.now is None:
            raise web.HTTPSeeOther(f"/d/{quote(word.subject)}?{urlencode({'said': verb})}")
        return await self._page(request, outcome.now, outcome=outcome, typed=word.text if verb is Verb.EDIT else "")

    async def hold(self, request: web.Request) -> web.StreamResponse:
        person, _ = await self._auth.checked(request)
        verb = {"hold": Verb.HOLD, "release": Verb.RELEASE}.get(request.match_info["verb"])
        if verb is None:
            raise web.HTTPNotFound
        said = Command(at=self._clock.now(), probe=DOOR, verb=verb, actor=person.name, role=person.role)
        reply = await self._deciding.say(said)
        raise web.HTTPSeeOther("/drafts" if reply.ok else f"/drafts?{urlencode({'problem': reply.message})}")

    async def _page(
        self,
        request: web.Request,
        draft: Draft,
        *,
        confirm: str = "",
        outcome: Outcome | None = None,
        typed: str = "",
    ) -> web.Response:
        person = await self._visitors.person(request)
        now, held = self._clock.now(), await self._store.held()
        signed = {each.id: each for each in await self._store.preapprovals()}
        uncovered = holds_for(draft, signed, now=now, required=self._required())
        incident = await self._store.incident(draft.incident)
        choices = _choices(draft, person, covered=uncovered is None, required=self._required())
        versions = await self._store.versions(draft)
        before = next((each for each in versions if each.id == draft.replaces), None)
        is_insider = (await self._callers(request)).is_insider if person is None else True
        context = {
            "draft": draft if is_insider else unsigned(draft),
            "refusal": refusal(draft, text_sha256=draft.text_sha256, now=now, held=held),
            "before": before,
            "changed": difference(before.text, draft.text) if before is not None and before.text != draft.text else (),
            "incident": incident,
            "evidence": incident.evidence[-SHOWN_EVIDENCE:] if incident is not None else (),
            "choices": choices,
            "confirm": next((choice for choice in choices if choice.verb == confirm), None),
            "required": self._required(),
            "approvals": counted(draft),
            "signed": signed[draft.covered.preapproval]
            if draft.covered is not None and uncovered is None and is_insider
            else None,
            "uncovered": uncovered if draft.covered is not None else None,
            "cost": cost(draft),
            "outcome": outcome,
            "typed": typed or draft.text,
            "newest": next((each for each in reversed(versions) if each.state in OPEN and each.id != draft.id), None),
            "is_open": await self._visitors.sign_ins.is_open(),
        }
        status = outcome.status if outcome is not None else HTTPStatus.OK
        return await self._show(request, "draft.html", context, status=status)


def cost(draft: Draft) -> str:
    """ "122 of 280 weighted characters, $0.015"; beyond X a text has no weight and no price."""
    if draft.channel != "x":
        return f"{len(draft.text)} characters"
    return f"{weighted_length(draft.text)} of {LIMIT} weighted characters, ${price_of(draft.text)}"


def _waits_for_nobody(draft: Draft) -> bool:
    """What somebody is to decide on comes first; answers for support are copied, not decided on."""
    return draft.state is not DraftState.PENDING or draft.channel == SUPPORT


def _choices(draft: Draft, person: Person | None, *, covered: bool, required: int) -> list[Choice]:
    """What this person may do to the draft now, the most likely first."""
    if person is None:
        return []
    found = []
    for verb, word in WORDS.items():
        if verb is Verb.BREAK_GLASS and (required == 1 or covered):
            continue
        if draft.state in RULES[verb].states and forbidden(verb, person.role, covered=covered) is None:
            found.append(Choice(verb, "Publish the pre-approved text" if covered and verb is Verb.APPROVE else word))
    return found
