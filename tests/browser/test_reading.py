"""The reading pages in a browser: live, without script, on a phone, by keyboard, and for those who do not see them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from msgspec.structs import replace
from playwright.async_api import Browser, Page, ViewportSize, expect

from monitor.model import ExchangeState, Stage
from tests.browser.axe import serious, source
from tests.browser.site import PATHS, Site, opened
from tests.server.browsing import launched
from tests.server.test_web import INCIDENT_ID, NOW, incident, transition, view

PHONE: ViewportSize = {"width": 360, "height": 740}
DESK: ViewportSize = {"width": 1280, "height": 900}


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with opened(tmp_path) as site:
        yield site


@asynccontextmanager
async def page_of(browser: Browser, site: Site, **options: Any) -> AsyncIterator[Page]:
    """A page that fails the test where the browser complains or asks anybody else."""
    context = await browser.new_context(base_url=site.url, **options)
    page = await context.new_page()
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if not _is_ours(request.url, site) else None)
    yield page
    await context.close()
    assert [each for each in complaints if "404" not in each] == []


def _is_ours(url: str, site: Site) -> bool:
    return url.startswith(site.url)


async def test_an_incident_arrives_without_a_hand_on_the_page(browser: Browser, site: Site) -> None:
    fresh = replace(incident(), id="okx-withdrawal_halt-20260203T142400Z", exchange="okx", stage=Stage.INVESTIGATING)
    told = replace(transition(), incident=fresh.id, exchange="okx", summary="okx pays nobody")
    async with page_of(browser, site, viewport=PHONE) as page:
        await page.goto("/")
        await expect(page.locator("#live")).to_have_text("· live")
        await expect(page.locator("h1")).to_have_text("1 halted, 1 operational")
        await site.commit(fresh, told, views=[view("okx", ExchangeState.HALTED)])
        await expect(page.locator("#news")).to_have_text("withdrawal halt opened: okx pays nobody")
        await expect(page.locator("h1")).to_have_text("2 halted")
        await page.locator(f'#open a[href="/incidents/{fresh.id}"]').click()
        await expect(page.locator("h1")).to_have_text("Withdrawal halt, Okx")


async def test_everything_is_there_without_script(browser: Browser, site: Site) -> None:
    async with page_of(browser, site, java_script_enabled=False, viewport=PHONE) as page:
        await page.goto("/")
        await expect(page.locator("h1")).to_have_text("1 halted, 1 operational")
        await expect(page.locator('meta[http-equiv="refresh"]')).to_have_attribute("content", "10")
        await page.locator(f'#open a[href="/incidents/{INCIDENT_ID}"]').click()
        await expect(page.locator("h1")).to_have_text("Withdrawal halt, Kraken")
        await expect(page.locator(".posted")).to_contain_text("We observe that Kraken pays nobody.")
        await page.get_by_role("link", name="Scorecard").click()
        cells = page.locator("tr", has_text="Kraken").first.locator("td")
        await expect(cells.nth(0).locator("summary")).to_have_text("2")
        await cells.nth(0).locator("summary").click()
        await cells.nth(0).get_by_role("link").first.click()
        await expect(page.locator("h1")).to_have_text("Withdrawal halt, Kraken")


async def test_nothing_is_cut_off_on_a_phone(browser: Browser, site: Site) -> None:
    async with page_of(browser, site, viewport=PHONE) as page:
        widths = {}
        for path in PATHS:
            await page.goto(path)
            widths[path] = await page.evaluate("document.documentElement.scrollWidth")
    assert {path: width for path, width in widths.items() if width > PHONE["width"]} == {}


async def test_the_keyboard_leads_past_the_menu_and_shows_where_it_is(browser: Browser, site: Site) -> None:
    async with page_of(browser, site, viewport=DESK) as page:
        await page.goto("/")
        await page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="To the content")
        await expect(skip).to_be_focused()
        await expect(skip).to_be_in_viewport()
        outline = await skip.evaluate("element => getComputedStyle(element).outlineStyle")
        assert outline == "solid"
        await page.keyboard.press("Enter")
        await expect(page.locator("main")).to_be_focused()
        await page.keyboard.press("Tab")
        await expect(page.locator("main a").first).to_be_focused()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_have_text("Withdrawal halt, Kraken")


async def test_a_page_that_renews_itself_leaves_the_focus_where_it_was(browser: Browser, site: Site) -> None:
    async with page_of(browser, site, viewport=DESK) as page:
        await page.goto("/")
        await expect(page.locator("#live")).to_have_text("· live")
        link = page.locator('.paid a[href="/exchanges/okx"]')
        await link.focus()
        await site.commit(transition(), views=[view("kraken", ExchangeState.OPERATIONAL)])
        await expect(page.locator("h1")).to_have_text("2 operational")
        focused = await page.evaluate("document.activeElement.getAttribute('href')")
        assert focused == "/exchanges/okx"


async def test_local_time_stands_beside_utc(browser: Browser, site: Site) -> None:
    async with page_of(browser, site, timezone_id="Asia/Kolkata") as page:
        await page.goto(f"/incidents/{INCIDENT_ID}")
        shown = page.locator(".as-of time")
        await expect(shown).to_have_text(f"{NOW:%Y-%m-%d %H:%M:%S} UTC (19:54 here)")


async def test_an_incident_on_paper_has_its_story_and_no_menu(browser: Browser, site: Site) -> None:
    async with page_of(browser, site, color_scheme="dark") as page:
        await page.goto(f"/incidents/{INCIDENT_ID}")
        await page.emulate_media(media="print", color_scheme="dark")
        await expect(page.locator("header nav")).to_be_hidden()
        await expect(page.locator(".screen")).to_be_hidden()
        await expect(page.locator(".timeline")).to_be_visible()
        await expect(page.locator(".posted")).to_be_visible()
        assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.soak)])
async def test_axe_finds_nothing_serious(browser: Browser, site: Site, scheme: Literal["light", "dark"]) -> None:
    axe = source()
    found: dict[str, list[str]] = {}
    async with page_of(browser, site, color_scheme=scheme, viewport=DESK) as page:
        for path, size in [*((path, DESK) for path in PATHS), *((path, PHONE) for path in PATHS[:3])]:
            await page.set_viewport_size(size)
            await page.goto(path)
            wrong = await serious(page, axe)
            found |= {f"{path} {size['width']}": wrong} if wrong else {}
    assert found == {}
