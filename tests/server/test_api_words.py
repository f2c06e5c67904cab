"""What people say over the API of incidents, publishing and notifications: who may, what comes of it, and once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp

from monitor.model import Command, DraftState, Stage, Verb
from tests.office import PASSWORD, Office, office

ROOT = "/api/v1"


class Caller:
    """Somebody who has signed in, as a script has."""

    def __init__(self, session: aiohttp.ClientSession, headers: dict[str, str]) -> None:
        self.headers = headers
        self._session = session

    async def post(self, path: str, body: object = None, *, key: str = "") -> tuple[int, dict[str, Any]]:
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        async with self._session.post(ROOT + path, json=body, headers=headers) as answer:
            assert answer.content_type == ("application/json" if answer.ok else "application/problem+json")
            return answer.status, await answer.json(content_type=None)


@asynccontextmanager
async def signed_in(here: Office, name: str) -> AsyncIterator[Caller]:
    device = {"User-Agent": "script"}  # a sign-in is of one device
    async with aiohttp.ClientSession(here.url, cookie_jar=aiohttp.DummyCookieJar(), headers=device) as session:
        form, origin = {"name": name, "password": PASSWORD}, {"Origin": here.url}
        async with session.post("/sign-in", data=form, headers=origin, allow_redirects=False) as answer:
            cookie = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}
        async with session.get(f"{ROOT}/me", headers=cookie) as answer:
            csrf = {"X-CSRF-Token": (await answer.json())["csrf"]}
        yield Caller(session, {**cookie, **origin, **csrf, **device})


async def said(here: Office) -> list[Command]:
    """What reached the journal by this door, oldest first."""
    entries = [entry.observation async for entry in here.store.entries()]
    return [each for each in entries if type(each) is Command and each.probe == "api"]


async def test_the_life_of_an_incident_by_words(tmp_path: Path) -> None:
    async with office(tmp_path) as here, signed_in(here, "paul") as paul:
        incident = (await here.halt()).incident
        path = f"/incidents/{incident}"
        status, told = await paul.post(f"{path}/acknowledge", {})
        assert (status, told["incident"]["acknowledged"]) == (200, True)
        assert (await paul.post(f"{path}/identify", {}))[1]["incident"]["stage"] == "identified"
        assert (await paul.post(f"{path}/note", {"text": "a node is down"}))[0] == 200
        status, told = await paul.post(f"{path}/resolve", {"text": "it is over"})
        assert (status, "is measured: it resolves by itself" in told["detail"]) == (409, True)
        status, told = await paul.post(f"{path}/note", {})
        assert (status, "note needs a text" in told["detail"]) == (409, True)
        status, told = await paul.post(f"{path}/retract", {"text": "the list was wrong"})
        assert (status, told["incident"]["retracted"], told["incident"]["open"]) == (200, True, False)
        assert told["message"] == f"incident {incident}: retracted"
        status, told = await paul.post(f"{path}/reopen", {"text": "it was right"})
        assert (status, told["incident"]["retracted"], told["incident"]["open"]) == (200, False, True)
        kept = await here.store.incident(incident)
        assert kept is not None
        assert (kept.stage, kept.acknowledged_by, kept.kept_open_by) == (Stage.INVESTIGATING, "paul", "paul")
        assert kept.notes == ("00:10 UTC paul: a node is down",)


async def test_an_incident_that_nobody_knows_is_a_404_and_nothing_is_said(tmp_path: Path) -> None:
    async with office(tmp_path) as here, signed_in(here, "paul") as paul:
        assert (await paul.post("/incidents/nowhere/note", {"text": "x"}))[0] == 404
        assert (await paul.post("/silences/s-none/expire"))[0] == 404
        assert await said(here) == []


WORDS = {
    "/incidents/x/acknowledge": {},
    "/incidents/x/note": {"text": "x"},
    "/incidents/x/retract": {"text": "x"},
    "/hold": {"reason": "x"},
    "/release": None,
    "/silences": {"text": "x", "until": "2026-01-05T04:00:00Z"},
    "/silences/s-1/expire": None,
}


async def test_a_role_that_may_not_is_refused_at_the_door(tmp_path: Path) -> None:
    async with office(tmp_path) as here, signed_in(here, "vera") as vera, signed_in(here, "paul") as paul:
        for caller, path in [*((vera, path) for path in WORDS), (paul, "/release")]:
            status, told = await caller.post(path, WORDS[path])
            assert (status, "this is for: " in told["detail"]) == (403, True), path
        assert await said(here) == []


async def test_who_has_not_signed_in_or_comes_from_elsewhere_says_nothing(tmp_path: Path) -> None:
    async with office(tmp_path) as here, aiohttp.ClientSession(here.url) as stranger:
        for path, body in WORDS.items():
            async with stranger.post(ROOT + path, json=body, headers={"Origin": here.url}) as answer:
                assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Session realm="cexwatch"')
            async with stranger.post(ROOT + path, json=body, headers={"Origin": "https://evil.example"}) as answer:
                assert answer.status == 403
        assert await said(here) == []


async def test_what_is_held_is_held_until_an_approver_lets_go(tmp_path: Path) -> None:
    async with office(tmp_path) as here, signed_in(here, "paul") as paul, signed_in(here, "anna") as anna:
        draft = await here.halt()
        assert await paul.post("/hold", {"reason": "legal looks at it"}) == (
            200,
            {"held": True, "message": "publishing is held: nothing is published"},
        )
        approval = {"text_sha256": draft.text_sha256}
        status, told = await anna.post(f"/drafts/{draft.id}/approve", approval)
        assert (status, told["detail"]) == (409, "publishing is held; release it first")
        assert (await anna.post("/release"))[1] == {"held": False, "message": "publishing is released"}
        assert (await anna.post(f"/drafts/{draft.id}/approve", approval))[0] == 200
        assert (await here.draft(draft.id)).state is DraftState.APPROVED
        first = (await said(here))[0]
        assert (first.verb, first.actor, first.arguments) == (Verb.HOLD, "paul", {"text": "legal looks at it"})


async def test_a_silence_begins_and_ends(tmp_path: Path) -> None:
    async with office(tmp_path) as here, signed_in(here, "paul") as paul:
        until = (here.clock.now() + timedelta(hours=4)).isoformat()
        body = {"text": "we move wallets", "until": until, "exchange": "examplex", "kind": "rail_suspended"}
        await here.halt()
        status, told = await paul.post("/silences", {**body, "scope": ["*@bitcoin"]})
        assert status == 201
        world = await here.store.view("")
        assert world is not None
        [silence] = world.silences
        assert (silence.id, silence.actor, silence.scope) == (told["id"], "paul", ("*@bitcoin",))
        assert (await paul.post(f"/silences/{silence.id}/expire"))[0] == 200
        assert (await paul.post(f"/silences/{silence.id}/expire"))[0] == 404


NONSENSE: list[tuple[dict[str, object], int, str]] = [
    ({"exchange": "nowhere"}, 400, "not watched"),
    ({"kind": "nothing"}, 400, "not understood"),
    ({"scope": ["BTC"]}, 400, "not understood"),
    ({"until": "2026-01-05T04:00:00"}, 400, "not understood"),  # of no zone
    ({"until": "2025-01-05T04:00:00Z"}, 409, "in the next 90 days"),
    ({"text": " "}, 409, "say why"),
]


async def test_a_silence_that_makes_no_sense(tmp_path: Path) -> None:
    async with office(tmp_path) as here, signed_in(here, "paul") as paul:
        for change, status, why in NONSENSE:
            body = {"text": "we move wallets", "until": "2026-01-05T04:00:00Z", **change}
            refused, told = await paul.post("/silences", body)
            assert (refused, why in told["detail"]) == (status, True), told


async def test_a_word_under_a_key_is_said_once(tmp_path: Path) -> None:
    async with office(tmp_path) as here, signed_in(here, "paul") as paul:
        incident = (await here.halt()).incident
        first = await paul.post(f"/incidents/{incident}/note", {"text": "look"}, key="k-1")
        assert await paul.post(f"/incidents/{incident}/note", {"text": "look"}, key="k-1") == first
        assert (await paul.post(f"/incidents/{incident}/note", {"text": "listen"}, key="k-1"))[0] == 422
        kept = await here.store.incident(incident)
        assert kept is not None
        assert len(kept.notes) == len(await said(here)) == 1
