"""An incident at night, from its arrival to what is published: on a phone, with and without script, for one thumb."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from monitor.model import Command, Delivery, DeliveryOutcome, Draft, DraftState, PersonRole, Verb
from tests.browser.axe import serious, source
from tests.office import EXCHANGE, Office, covering, office
from tests.server.browsing import device, is_too_wide, launched, sign_in

PAGES = [
    "/",
    f"/exchanges/{EXCHANGE}",
    "/drafts",
    "/drafts?confirm=hold",
    "/preapprovals",
    "/maintenance",
    "/scorecard",
    "/reserves",
    "/detectors",
    "/about",
    "/phone/nobody-asked",
    "/sign-in",
]
# A link within a sentence is as high as its line: what is to be touched stands by itself.
SMALL = """[...document.querySelectorAll(
    "main form button, main a.button, main input:not([type=hidden]), header a, header button"
  )]
  .map(each => [each.textContent.trim() || each.name, each.getBoundingClientRect().height])
  .filter(([name, height]) => height > 0 && height < 44)"""


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with launched() as started:
        yield started


@asynccontextmanager
async def at_night(
    folder: Path, browser: Browser, *, known: bool = True, dark: bool = False, script: bool = True
) -> AsyncIterator[tuple[Office, Page]]:
    """Anna, who approves, with her phone in hand. `known`: she is signed in."""
    async with office(folder) as here, device(browser, dark=dark, script=script) as page:
        if known:
            await sign_in(page, here.url, "anna")
        yield here, page


async def say(here: Office, verb: Verb, draft: Draft, **arguments: str) -> None:
    told = Command(
        at=here.clock.now(),
        exchange=EXCHANGE,
        probe="web",
        verb=verb,
        actor="otto",
        role=PersonRole.APPROVER,
        subject=draft.incident if verb is Verb.IDENTIFY else draft.id,
        arguments=arguments,
        text_sha256=draft.text_sha256,
    )
    reply = await here.pipeline.ask(told)
    assert reply.ok, reply.message


async def deliver(here: Office, draft: Draft, outcome: DeliveryOutcome, *, searched: bool = False) -> None:
    told = Delivery(
        at=here.clock.now(),
        exchange=EXCHANGE,
        probe="outbox",
        draft=draft.id,
        channel=draft.channel,
        outcome=outcome,
        searched=searched,
    )
    await here.pipeline.ask(told)


async def test_an_incident_arrives_and_is_spoken_of_within_four_touches(tmp_path: Path, browser: Browser) -> None:
    async with at_night(tmp_path, browser) as (here, page):
        await page.goto(here.url)
        await expect(page.locator("#live")).to_have_text("· live")
        draft = await here.halt()
        await expect(page.locator("h1")).to_have_text("1 halted")
        await page.goto(f"{here.url}/drafts")
        await page.locator(f'main a[href="/drafts/{draft.id}"]').click()
        approve = page.get_by_role("link", name="Approve")
        await expect(approve).to_be_in_viewport(ratio=1)
        await approve.click()
        yes = page.get_by_role("button", name="Yes, approve this text")
        await expect(yes).to_be_in_viewport(ratio=1)
        await yes.click()
        await expect(page.locator(".marks")).to_contain_text("approved")
        assert (await here.draft(draft.id)).state is DraftState.APPROVED


async def test_a_draft_comes_to_the_list_by_itself(tmp_path: Path, browser: Browser) -> None:
    async with at_night(tmp_path, browser) as (here, page):
        await page.goto(f"{here.url}/drafts")
        await expect(page.locator("#live")).to_have_text("· live")
        draft = await here.halt()
        await expect(page.locator(f'main a[href="/drafts/{draft.id}"]')).to_be_visible()


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
async def test_somebody_else_was_quicker(tmp_path: Path, browser: Browser, script: bool) -> None:
    async with at_night(tmp_path, browser, script=script) as (here, page):
        first = await here.halt()
        address = f"{here.url}/d/{first.id}"
        await page.goto(f"{address}?confirm=approve")
        edited = first.text.replace("already ", "")
        await say(here, Verb.EDIT, first, text=edited)
        await page.get_by_role("button", name="Yes, approve this text").click()
        await expect(page.locator(".diff del")).to_have_text("already ")
        await expect(page.locator("pre.text")).to_have_text(edited)
        assert (await here.draft(first.id)).state is DraftState.PENDING, "nothing was approved yet"
        await page.get_by_role("button", name="Approve this version").click()
        now = await here.draft(first.id)
        assert (now.state, now.text) == (DraftState.APPROVED, edited)

        await say(here, Verb.IDENTIFY, first)  # the facts change, so it is superseded
        await page.goto(address)
        await page.get_by_role("link", name="See what would be said now").click()
        newest = await here.pending()
        await expect(page.locator("pre.text")).to_have_text(newest.text)

        await page.goto(f"{here.url}/d/{newest.id}?confirm=approve")
        await here.passes(25)  # it expires, and asks again
        await page.get_by_role("button", name="Yes, approve this text").click()
        await expect(page.locator(".refused")).to_contain_text("expired")
        again = await here.pending()
        assert again.id != newest.id
        await page.get_by_role("button", name="Approve this version").click()
        assert (await here.draft(again.id)).state is DraftState.APPROVED


async def test_one_tap_and_a_hold_without_script(tmp_path: Path, browser: Browser) -> None:
    async with office(tmp_path / "a", people=False) as rehearsal:
        text = (await rehearsal.halt()).text
    async with office(tmp_path / "b") as here, device(browser, script=False) as page:
        assert (await here.pipeline.ask(covering(text))).ok
        draft = await here.halt()
        await sign_in(page, here.url, "paul")
        await page.get_by_role("link", name="Hold publishing").click()
        await page.get_by_role("button", name="Yes, hold publishing").click()
        await page.goto(f"{here.url}/d/{draft.id}")
        await expect(page.locator(".confirm")).to_contain_text("publishing is held")
        await expect(page.get_by_role("button", name="Publish the pre-approved text")).to_have_count(0)
        reply = await here.pipeline.ask(
            Command(at=here.clock.now(), probe="web", verb=Verb.RELEASE, actor="anna", role=PersonRole.APPROVER)
        )
        assert reply.ok
        await page.reload()
        tap = page.get_by_role("button", name="Publish the pre-approved text")
        await expect(tap).to_be_in_viewport(ratio=1)
        await tap.click()
        assert (await here.draft(draft.id)).state is DraftState.APPROVED


async def test_every_page_fits_a_phone_and_a_thumb(tmp_path: Path, browser: Browser) -> None:
    async with at_night(tmp_path, browser) as (here, page):
        draft = await here.halt()
        found: dict[str, object] = {}

        async def look(name: str, path: str) -> None:
            await page.goto(here.url + path)
            assert await page.locator("h1").count() == 1
            if await is_too_wide(page):
                found[f"{name} scrolls sideways"] = True
            if small := await page.evaluate(SMALL):
                found[f"{name} is small"] = small

        mine = f"/d/{draft.id}"
        for path in [*PAGES, f"/incidents/{draft.incident}", f"{mine}?confirm=edit", f"{mine}?confirm=reject"]:
            await look(path, path)
        await look("pending", mine)
        await say(here, Verb.APPROVE, draft)
        await look("approved", mine)
        await deliver(here, draft, DeliveryOutcome.UNKNOWN_OUTCOME)
        await look("nobody knows whether it is up", mine)
        await deliver(here, draft, DeliveryOutcome.UNKNOWN_OUTCOME, searched=True)
        await look("not there", f"{mine}?confirm=retry")
        await deliver(here, draft, DeliveryOutcome.POSTED)
        await look("posted", mine)
        await say(here, Verb.IDENTIFY, draft)
        second = await here.pending()
        await here.passes(25)
        await look("expired", f"/d/{second.id}")
        third = await here.pending()
        await say(here, Verb.REJECT, third)
        await look("rejected", f"/d/{third.id}")
    assert found == {}


@pytest.mark.parametrize("dark", [pytest.param(False, marks=pytest.mark.soak), True], ids=["light", "dark"])
async def test_axe_finds_nothing_serious_where_people_act(tmp_path: Path, browser: Browser, dark: bool) -> None:
    axe, found = source(), dict[str, list[str]]()
    async with at_night(tmp_path, browser, known=False, dark=dark) as (here, page):

        async def look(name: str) -> None:
            if wrong := await serious(page, axe):
                found[name] = wrong

        assert (await here.pipeline.ask(covering("We are aware of some technical difficulties."))).ok
        draft = await here.halt()
        address = f"{here.url}/d/{draft.id}"
        await page.goto(f"{here.url}/sign-in")
        await look("sign-in")
        await sign_in(page, here.url, "anna")
        await look("drafts")
        for path in ("/preapprovals", f"/d/{draft.id}", f"/d/{draft.id}?confirm=edit", "/drafts?confirm=hold"):
            await page.goto(here.url + path)
            await look(path)
        await page.get_by_role("link", name="Back").click()
        await page.goto(f"{address}?confirm=approve")
        await look("confirm")
        await say(here, Verb.EDIT, draft, text=draft.text.replace("already ", "") + " Funds are safe.")
        await page.get_by_role("button", name="Yes, approve this text").click()
        await expect(page.locator(".diff")).to_be_visible()
        await look("diff and problems")
    assert found == {}
