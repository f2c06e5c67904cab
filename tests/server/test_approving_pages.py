"""People decide on a phone: in a real browser, at 360 px, with and without script."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from monitor.model import Draft, DraftState
from tests.office import Office, covering, office
from tests.server.browsing import device, is_too_wide, launched, sign_in

SIGNED = "We are aware of some technical difficulties affecting all withdrawals on the platform."


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with launched() as started:
        yield started


async def approve(page: Page, here: Office, draft: Draft) -> None:
    await page.goto(f"{here.url}/d/{draft.id}")
    await page.get_by_role("link", name=re.compile("Approve$|Publish")).click()
    await page.get_by_role("button", name="Yes, approve this text").click()
    await page.wait_for_url("**said=approve")


async def sign(here: Office, text: str) -> None:
    """By day, by an approver, before the halt."""
    reply = await here.pipeline.ask(covering(text))
    assert reply.ok, reply.message


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
async def test_sign_in_edit_lint_and_approve_on_a_phone(tmp_path: Path, browser: Browser, script: bool) -> None:
    async with office(tmp_path) as here, device(browser, script=script) as page:
        draft = await here.halt()
        await page.goto(f"{here.url}/d/{draft.id}")
        await page.get_by_role("link", name="Sign in to decide").click()
        await sign_in(page, here.url, "anna", back=f"/d/{draft.id}")
        if script:
            assert not await is_too_wide(page)
        await page.get_by_role("link", name="Edit").click()
        await page.get_by_label("Text").fill("We were hacked. Funds are safe.")
        await page.get_by_role("button", name="Save this text").click()
        assert "says that funds are safe" in await page.inner_text("main")
        assert await page.get_by_role("link", name="Approve").count() == 0, "lint forbids it"
        await page.get_by_role("link", name="Edit").click()
        text = draft.text.replace("Our team is", "Our engineers are")
        assert text != draft.text
        await page.get_by_label("Text").fill(text)
        await page.get_by_role("button", name="Save this text").click()
        await approve(page, here, draft)
        now = await here.draft(draft.id)
        assert (now.state, now.text, now.editors) == (DraftState.APPROVED, text, ("anna",))
        assert "approved" in await page.inner_text("main")


async def test_two_people_and_the_editor_is_none_of_them(tmp_path: Path, browser: Browser) -> None:
    async with (
        office(tmp_path, required=2) as here,
        device(browser) as anna,
        device(browser) as otto,
        device(browser) as iris,
    ):
        draft = await here.halt()
        for page, name in ((anna, "anna"), (otto, "otto"), (iris, "iris")):
            await sign_in(page, here.url, name)
        await approve(anna, here, draft)
        assert "1 of 2 approvals: anna" in await anna.inner_text("main")
        assert (await here.draft(draft.id)).state is DraftState.PENDING
        await anna.get_by_role("link", name="Approve", exact=True).click()
        await anna.get_by_role("button", name="Yes, approve this text").click()
        assert "needs another person" in await anna.inner_text("main")
        await otto.goto(f"{here.url}/d/{draft.id}?confirm=edit")
        await otto.get_by_label("Text").fill(draft.text.replace("already ", ""))
        await otto.get_by_role("button", name="Save this text").click()
        assert (await here.draft(draft.id)).approvals == (), "an edit clears them"
        await otto.goto(f"{here.url}/d/{draft.id}?confirm=approve")
        await otto.get_by_role("button", name="Yes, approve this text").click()
        assert "the editor's own does not count" in await otto.inner_text("main")
        await approve(anna, here, draft)
        await approve(iris, here, draft)
        now = await here.draft(draft.id)
        assert (now.state, [each.by for each in now.approvals]) == (DraftState.APPROVED, ["anna", "iris"])


async def test_a_signed_text_goes_out_with_one_tap_of_on_call(tmp_path: Path, browser: Browser) -> None:
    async with office(tmp_path / "a") as rehearsal:
        rehearsed = await rehearsal.halt()
    text = re.sub(r"(?<=Next update by )\d\d:\d\d UTC", "{next_update}", rehearsed.text)
    async with office(tmp_path / "b") as here, device(browser) as paul:
        await sign(here, text)
        draft = await here.halt()
        assert draft.covered is not None
        await sign_in(paul, here.url, "paul")
        await paul.goto(f"{here.url}/d/{draft.id}")
        await paul.get_by_role("button", name="Publish the pre-approved text").click()
        assert (await here.draft(draft.id)).state is DraftState.APPROVED


async def test_an_edit_sends_a_signed_text_back_to_an_approver(tmp_path: Path, browser: Browser) -> None:
    async with office(tmp_path / "a") as rehearsal:
        text = (await rehearsal.halt()).text
    async with office(tmp_path / "b") as here, device(browser) as paul:
        await sign(here, text)
        draft = await here.halt()
        await sign_in(paul, here.url, "paul")
        await paul.goto(f"{here.url}/d/{draft.id}?confirm=edit")
        await paul.get_by_label("Text").fill(text.replace("already ", ""))
        await paul.get_by_role("button", name="Save this text").click()
        assert await paul.get_by_text(re.compile("^(Publish|Approve)")).count() == 0
        assert (await here.draft(draft.id)).covered is None


async def test_an_expired_draft_and_a_hold(tmp_path: Path, browser: Browser) -> None:
    async with office(tmp_path) as here, device(browser) as anna:
        draft = await here.halt()
        await sign_in(anna, here.url, "anna")
        await anna.goto(f"{here.url}/drafts")
        await anna.get_by_role("link", name="Hold publishing").click()
        await anna.get_by_role("button", name="Yes, hold publishing").click()
        await anna.goto(f"{here.url}/d/{draft.id}")
        assert "publishing is held" in await anna.inner_text("main")
        assert await anna.get_by_role("link", name="Approve").count() == 0
        await anna.goto(f"{here.url}/drafts?confirm=release")
        await anna.get_by_role("button", name="Yes, release publishing").click()
        await anna.goto(f"{here.url}/d/{draft.id}?confirm=approve")
        await here.passes(30)
        await anna.get_by_role("button", name="Yes, approve this text").click()
        assert "expired" in await anna.inner_text("main")
        assert (await here.draft(draft.id)).state is DraftState.EXPIRED
