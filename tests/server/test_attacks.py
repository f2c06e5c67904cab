"""What somebody tries who may not: on the real server, over a real socket, with a real session where they have one."""

import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec
import pytest
from yarl import URL

from monitor.model import Command, Draft, DraftState, Verb
from tests.office import EXCHANGE, PASSWORD, Office, office

TOKEN = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as opened:
        yield opened


class Browser:
    """A browser's ways: cookies, an Origin at each POST, no redirect followed unseen."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url
        self.csrf = ""

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with self.session.get(self.url + path, headers=headers, allow_redirects=False) as answer:
            return answer.status, await answer.text()

    async def post(
        self, path: str, fields: dict[str, str], *, origin: str | None = "", headers: dict[str, str] | None = None
    ) -> tuple[int, str, dict[str, str]]:
        sent = {**({"Origin": origin or self.url} if origin is not None else {}), **(headers or {})}
        async with self.session.post(self.url + path, data=fields, headers=sent, allow_redirects=False) as answer:
            return answer.status, await answer.text(), dict(answer.headers)

    async def sign_in(self, name: str, password: str = PASSWORD) -> int:
        status, _, _ = await self.post("/sign-in", {"name": name, "password": password})
        if status == 303:
            self.csrf = TOKEN.findall((await self.get("/drafts"))[1])[0]
        return status

    async def approve(self, draft: Draft, **more: str) -> tuple[int, str, dict[str, str]]:
        return await self.post(f"/drafts/{draft.id}/approve", {"csrf": self.csrf, "sha256": draft.text_sha256, **more})


@asynccontextmanager
async def browser(here: Office, *, agent: str = "a phone") -> AsyncIterator[Browser]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar, headers={"User-Agent": agent}) as session:
        yield Browser(session, here.url)


async def test_looking_never_acts(here: Office) -> None:
    draft = await here.halt()
    async with browser(here) as anna:
        await anna.sign_in("anna")
        for path in (f"/d/{draft.id}", f"/d/{draft.id}?confirm=approve", f"/drafts/{draft.id}/approve"):
            for method in ("GET", "HEAD", "OPTIONS"):
                async with anna.session.request(
                    method, here.url + path, headers={"Purpose": "prefetch", "Sec-Purpose": "prefetch"}
                ) as answer:
                    await answer.read()
    assert (await here.draft(draft.id)) == draft


async def test_a_link_shows_the_draft_to_anybody_and_offers_nothing(here: Office) -> None:
    draft = await here.halt()
    async with browser(here) as stranger:
        status, page = await stranger.get(f"/d/{draft.id}")
        assert status == 200
        assert draft.text in page
        assert 'method="post"' not in page
        status, _, headers = await stranger.approve(draft)
        assert (status, headers["Location"].partition("?")[0]) == (303, "/sign-in")
    assert (await here.draft(draft.id)).state is DraftState.PENDING


async def test_an_approver_approves(here: Office) -> None:
    draft = await here.halt()
    async with browser(here) as anna:
        assert await anna.sign_in("anna") == 303
        assert (await anna.approve(draft))[0] == 303
    now = await here.draft(draft.id)
    assert (now.state, [each.by for each in now.approvals]) == (DraftState.APPROVED, ["anna"])


@pytest.mark.parametrize("name", ["vera", "paul"])
async def test_a_role_that_may_not(here: Office, name: str) -> None:
    draft = await here.halt()
    async with browser(here) as one:
        await one.sign_in(name)
        status, page, _ = await one.approve(draft)
    assert status == 403
    assert "may not approve" in page
    assert (await here.draft(draft.id)).state is DraftState.PENDING


@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.example", "http://127.0.0.1.evil.example", "http://127.0.0.1:1", "evil"]
)
async def test_a_form_from_elsewhere(here: Office, origin: str | None) -> None:
    draft = await here.halt()
    async with browser(here) as anna:
        await anna.sign_in("anna")
        fields = {"csrf": anna.csrf, "sha256": draft.text_sha256}
        status, _, _ = await anna.post(f"/drafts/{draft.id}/approve", fields, origin=origin)
        assert status == 403
        status, _, _ = await anna.post("/sign-in", {"name": "anna", "password": PASSWORD}, origin=origin)
        assert status == 403
    assert (await here.draft(draft.id)).state is DraftState.PENDING


async def test_a_form_without_the_token_or_with_another_persons(here: Office) -> None:
    draft = await here.halt()
    async with browser(here) as anna, browser(here) as otto:
        await anna.sign_in("anna")
        await otto.sign_in("otto")
        for token in ("", "0" * 64, otto.csrf, "\u0661"):
            assert (await anna.approve(draft, csrf=token))[0] == 403
    assert (await here.draft(draft.id)).state is DraftState.PENDING


async def test_a_session_that_somebody_planted_is_not_taken_over(here: Office) -> None:
    planted = "planted-by-somebody-else"
    async with browser(here) as anna:
        anna.session.cookie_jar.update_cookies({"cexwatch": planted}, URL(here.url))
        assert "Sign out" not in (await anna.get("/drafts"))[1]
        status, _, headers = await anna.post("/sign-in", {"name": "anna", "password": PASSWORD})
        cookie = headers["Set-Cookie"]
        assert status == 303
        assert planted not in cookie
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
        first = cookie.partition(";")[0]
        _, _, headers = await anna.post("/sign-in", {"name": "anna", "password": PASSWORD})
        assert headers["Set-Cookie"].partition(";")[0] != first, "a new sign-in is a new session"
    assert len(await here.store.people.sessions()) == 1, "the one before it is over"
    assert all(first.partition("=")[2].encode() != each.digest for each in await here.store.people.sessions())


async def test_a_stolen_token_on_another_device(here: Office) -> None:
    async with browser(here) as anna:
        await anna.sign_in("anna")
        cookies = {cookie.key: cookie.value for cookie in anna.session.cookie_jar}
        async with browser(here, agent="another browser") as thief:
            thief.session.cookie_jar.update_cookies(cookies, URL(here.url))
            assert "Sign out" not in (await thief.get("/drafts"))[1]
        assert "Sign out" not in (await anna.get("/drafts"))[1], "and the session is over for everybody"
    assert [deed.detail for deed in await here.store.people.deeds()][-1] == "another device showed its token"


async def test_a_session_ends(here: Office) -> None:
    async with browser(here) as anna:
        await anna.sign_in("anna")
        here.clock.hand += 11 * 3600
        assert "Sign out" in (await anna.get("/drafts"))[1]
        here.clock.hand += 11 * 3600
        assert "Sign out" in (await anna.get("/drafts"))[1], "it was used in between"
        here.clock.hand += 12 * 3600
        assert "Sign out" not in (await anna.get("/drafts"))[1], "nothing for twelve hours"
        await anna.sign_in("anna")
        for _ in range(60):
            assert "Sign out" in (await anna.get("/drafts"))[1]
            here.clock.hand += 11.9 * 3600
        here.clock.hand += 6 * 3600
        assert "Sign out" not in (await anna.get("/drafts"))[1], "thirty days"


async def test_a_session_is_revoked_with_its_account(here: Office) -> None:
    draft = await here.halt()
    async with browser(here) as anna:
        await anna.sign_in("anna")
        account = await here.store.people.account("anna")
        assert account is not None
        from monitor.people.accounts import Accounts
        from monitor.people.passwords import Passwords

        accounts = Accounts(here.store.people, here.clock, Passwords())
        await accounts.disable("anna", actor="iris")
        assert (await anna.approve(draft))[0] == 303, "to the sign-in"
        assert await anna.sign_in("anna") == 403
    assert (await here.draft(draft.id)).state is DraftState.PENDING


async def test_a_role_that_was_taken_away_is_gone_at_once(here: Office) -> None:
    draft = await here.halt()
    from monitor.model import PersonRole
    from monitor.people.accounts import Accounts
    from monitor.people.passwords import Passwords

    async with browser(here) as anna:
        await anna.sign_in("anna")
        accounts = Accounts(here.store.people, here.clock, Passwords())
        await accounts.change_role("anna", role=PersonRole.VIEWER, actor="iris")
        assert (await anna.approve(draft))[0] == 403


async def test_a_request_that_is_sent_again(here: Office) -> None:
    draft = await here.halt()
    async with browser(here) as anna:
        await anna.sign_in("anna")
        headers = {"Origin": here.url, "X-CSRF-Token": anna.csrf, "Idempotency-Key": "once"}
        url = f"{here.url}/api/v1/drafts/{draft.id}/approve"
        bodies = []
        for _ in range(2):
            async with anna.session.post(url, json={"text_sha256": draft.text_sha256}, headers=headers) as answer:
                bodies.append((answer.status, await answer.read()))
        assert bodies[0] == bodies[1]
        assert msgspec.json.decode(bodies[0][1])["state"] == "approved"
        async with anna.session.post(url, json={"text_sha256": "0" * 64}, headers=headers) as answer:
            assert (answer.status, answer.content_type) == (422, "application/problem+json")
        del headers["Idempotency-Key"]
        async with anna.session.post(url, json={"text_sha256": draft.text_sha256}, headers=headers) as answer:
            assert answer.status == 409, "replayed without a key: it is decided already"
    assert len((await here.draft(draft.id)).approvals) == 1


async def test_a_text_that_changed_meanwhile(here: Office) -> None:
    draft = await here.halt()
    text = draft.text.replace("Our team", "Our engineers")
    assert text != draft.text
    async with browser(here) as anna, browser(here) as paul:
        await anna.sign_in("anna")
        await paul.sign_in("paul")
        edit = {"csrf": paul.csrf, "sha256": draft.text_sha256, "text": text}
        assert (await paul.post(f"/drafts/{draft.id}/edit", edit))[0] == 303
        status, page, _ = await anna.approve(draft)
        assert status == 409
        assert "<del>" in page
        assert "Approve this version" in page
        new = hashlib.sha256(text.encode()).hexdigest()
        assert f'value="{new}"' in page
        headers = {"Origin": here.url, "X-CSRF-Token": anna.csrf}
        url = f"{here.url}/api/v1/drafts/{draft.id}/approve"
        async with anna.session.post(url, json={"text_sha256": draft.text_sha256}, headers=headers) as answer:
            told = await answer.json(content_type="application/problem+json")
        assert (told["status"], told["now"]["text_sha256"]) == (409, new)
        assert "".join(piece["text"] for piece in told["now"]["diff"] if piece["part"] != "added") == draft.text
        assert "".join(piece["text"] for piece in told["now"]["diff"] if piece["part"] != "removed") == text
        assert (await anna.approve(await here.draft(draft.id)))[0] == 303
    assert (await here.draft(draft.id)).text == text


async def test_no_frame_shows_a_button(here: Office) -> None:
    draft = await here.halt()
    async with browser(here) as anna:
        await anna.sign_in("anna")
        async with anna.session.get(f"{here.url}/d/{draft.id}?confirm=approve") as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in policy
            assert "form-action 'self'" in policy
            assert "unsafe-inline" not in policy
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert answer.headers["Cache-Control"] == "no-store"
            assert "<script>" not in await answer.text()


async def test_a_header_names_nobody_from_elsewhere(tmp_path: Path) -> None:
    auth = {"proxy_header": "X-Account", "trusted_proxies": ["192.0.2.0/24"]}
    async with office(tmp_path, auth=auth) as here:
        draft = await here.halt()
        async with browser(here) as stranger:
            assert (await stranger.get(f"/d/{draft.id}", **{"X-Account": "iris"}))[0] == 403
            fields = {"csrf": "", "sha256": draft.text_sha256}
            answer = await stranger.post(f"/drafts/{draft.id}/approve", fields, headers={"X-Account": "iris"})
            assert answer[0] == 403
        assert (await here.draft(draft.id)).state is DraftState.PENDING


async def test_a_trusted_proxy_names_who_asks(tmp_path: Path) -> None:
    auth = {"proxy_header": "X-Account", "trusted_proxies": ["127.0.0.0/8"]}
    async with office(tmp_path, auth=auth) as here:
        draft = await here.halt()
        async with browser(here) as proxied:
            _, page = await proxied.get(f"/d/{draft.id}?confirm=approve", **{"X-Account": "anna"})
            fields = {"csrf": TOKEN.findall(page)[0], "sha256": draft.text_sha256}
            path = f"/drafts/{draft.id}/approve"
            assert (await proxied.post(path, {**fields, "csrf": "0" * 64}, headers={"X-Account": "anna"}))[0] == 403
            assert (await proxied.post(path, fields, headers={"X-Account": "otto"}))[0] == 403, "anna's form"
            assert (await proxied.post(path, fields, headers={"X-Account": "anna"}))[0] == 303
            assert "Sign out" not in (await proxied.get("/drafts", **{"X-Account": "mallory"}))[1]
        assert (await here.draft(draft.id)).state is DraftState.APPROVED


async def test_guessing_becomes_slow_and_tells_nothing(here: Office) -> None:
    async with browser(here) as guesser:
        pages = []
        for name in ("anna", "nobody-of-that-name"):
            status, page, _ = await guesser.post("/sign-in", {"name": name, "password": "wrong and long enough"})
            pages.append((status, page.replace(name, "NAME")))
        assert pages[0] == pages[1], "the same words for somebody and for nobody"
        answers = [await guesser.post("/sign-in", {"name": "anna", "password": "wrong"}) for _ in range(4)]
        assert answers[-1][0] == 429
        assert int(answers[-1][2]["Retry-After"]) >= 1
        assert (await guesser.post("/sign-in", {"name": "anna", "password": PASSWORD}))[0] == 429, "right, too early"
        here.clock.hand += 120
        assert await guesser.sign_in("anna") == 303
    assert all(PASSWORD not in repr(deed) for deed in await here.store.people.deeds())


async def test_a_sign_in_leads_to_pages_of_ours_only(here: Office) -> None:
    async with browser(here) as anna:
        for path in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nX: y"):
            fields = {"name": "anna", "password": PASSWORD, "next": path}
            _, _, headers = await anna.post("/sign-in", fields)
            assert headers["Location"] == "/drafts"


async def test_over_tls_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    async with office(tmp_path, external_url="https://status.example.org") as here, browser(here) as anna:
        outside = {"Host": "status.example.org"}
        fields = {"name": "anna", "password": PASSWORD}
        _, _, headers = await anna.post("/sign-in", fields, origin="https://status.example.org", headers=outside)
        parts = set(headers["Set-Cookie"].split("; "))
        assert any(part.startswith("__Host-cexwatch=") for part in parts)
        assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= parts
        assert not any(part.lower().startswith("domain") for part in parts)


async def test_a_list_tells_outsiders_of_no_text_that_was_not_posted(here: Office) -> None:
    draft = await here.halt()
    async with browser(here) as stranger, browser(here) as vera:
        await vera.sign_in("vera")
        for path in ("/", "/drafts", f"/incidents/{draft.incident}"):
            _, seen = await stranger.get(path, **{"X-Forwarded-For": "203.0.113.9"})
            assert draft.id not in seen, path
            _, seen = await vera.get(path, **{"X-Forwarded-For": "203.0.113.9"})
            assert draft.id in seen, path


async def test_a_list_in_json_tells_outsiders_of_no_text_that_was_not_posted(here: Office) -> None:
    draft = await here.halt()
    paths = ("/drafts", f"/incidents/{draft.incident}/drafts")
    async with browser(here) as stranger, browser(here) as vera:
        await vera.sign_in("vera")
        for path in paths:
            for caller, is_told in ((stranger, False), (vera, True)):
                _, seen = await caller.get(f"/api/v1{path}", **{"X-Forwarded-For": "203.0.113.9"})
                assert (draft.id in seen) is is_told, path


async def test_strangers_read_no_names_and_no_notes(here: Office) -> None:
    draft = await here.halt()
    async with browser(here) as stranger, browser(here) as anna:
        await anna.sign_in("anna")
        now = here.clock.now()
        for verb, subject, exchange in ((Verb.NOTE, draft.incident, EXCHANGE), (Verb.HOLD, "", "")):
            said = {"text": "treasury must not hear of it"}
            told = Command(
                at=now, exchange=exchange, probe="web", verb=verb, actor="iris", subject=subject, arguments=said
            )
            assert (await here.pipeline.ask(told)).ok
        for path in ("/", "/drafts", f"/incidents/{draft.incident}", f"/exchanges/{EXCHANGE}", f"/d/{draft.id}"):
            _, seen = await stranger.get(path, **{"X-Forwarded-For": "203.0.113.9"})
            assert "treasury" not in seen, path
            assert "iris" not in seen, path
            _, seen = await anna.get(path, **{"X-Forwarded-For": "203.0.113.9"})
            assert "treasury" in seen, path
        async with stranger.session.get(here.url + "/preapprovals", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/sign-in?next=/preapprovals")
