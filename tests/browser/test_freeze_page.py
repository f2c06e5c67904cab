"""The freeze page in a real browser on a narrow phone: from opening it to frozen, with and without a script."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.axe import serious, source
from tests.freeze.gatehouse import GateHouse, gatehouse, served
from tests.hand_clock import NOON
from tests.server.browsing import is_too_wide, launched

NARROW = {"width": 360, "height": 640}
SMALL = """[...document.querySelectorAll("button, label, a")]
  .map(each => [each.textContent.trim(), each.getBoundingClientRect().height])
  .filter(([name, height]) => height > 0 && height < 48)"""


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with launched() as started:
        yield started


@asynccontextmanager
async def in_hand(
    folder: Path, browser: Browser, *, script: bool = True, dark: bool = False, guardian: bool = False
) -> AsyncIterator[tuple[GateHouse, Page, str]]:
    """Anna's phone, 360 px wide, and her link's address."""
    async with gatehouse(folder) as house, served(house):
        token, _ = await house.lock.make_link(house.keyring.accounts("anna"), is_guardian=guardian, remind=False)
        context = await browser.new_context(
            viewport={"width": NARROW["width"], "height": NARROW["height"]},
            has_touch=True,
            is_mobile=True,
            java_script_enabled=script,
            color_scheme="dark" if dark else "light",
        )
        try:
            page = await context.new_page()
            yield house, page, f"{house.url}/{'g' if guardian else 'f'}/{token}"
        finally:
            await context.close()


async def test_without_a_script_two_taps_freeze(tmp_path: Path, browser: Browser) -> None:
    async with in_hand(tmp_path, browser, script=False) as (house, page, url):
        await page.goto(url)
        await page.get_by_role("button", name="Continue").tap()
        await expect(page.get_by_text("This cannot be undone.")).to_be_visible()
        assert house.until("anna") is None
        await page.get_by_role("button", name="Freeze until Thursday 5 February 2026, 12:00 UTC").tap()
        await expect(page.get_by_text("Thursday 5 February 2026, 12:00 UTC")).to_be_visible()
        assert house.until("anna") == NOON + timedelta(hours=48)
        assert await page.title() == "Account"
        assert await page.get_by_role("button").count() == 0, "there is nothing to press any more"


async def test_three_taps_choose_another_length(tmp_path: Path, browser: Browser) -> None:
    async with in_hand(tmp_path, browser, script=False) as (house, page, url):
        await page.goto(url)
        await page.get_by_text("7 days").tap()
        await page.get_by_role("button", name="Continue").tap()
        await page.get_by_role("button", name="Freeze until").tap()
        await expect(page.get_by_text("Tuesday 10 February 2026, 12:00 UTC")).to_be_visible()
        assert house.until("anna") == NOON + timedelta(days=7)


async def test_held_for_three_seconds_it_freezes_and_for_less_it_does_not(tmp_path: Path, browser: Browser) -> None:
    async with in_hand(tmp_path, browser) as (house, page, url):
        await page.clock.install()
        await page.goto(url)
        button = page.get_by_role("button", name="Hold for 3 seconds")
        box = await button.bounding_box()
        assert box is not None
        await page.mouse.move(box["x"] + 40, box["y"] + 20)
        await page.mouse.down()
        await expect(page.get_by_role("status")).to_have_text("Keep holding")
        await page.clock.fast_forward(2_900)
        await page.mouse.up()
        await page.clock.fast_forward(10_000)
        await expect(page.get_by_role("status")).to_have_text("Hold for 3 seconds to freeze")
        assert house.until("anna") is None
        await page.mouse.down()
        await page.clock.fast_forward(3_100)
        await expect(page.get_by_text("Thursday 5 February 2026, 12:00 UTC")).to_be_visible()
        assert house.until("anna") == NOON + timedelta(hours=48)


async def test_a_key_can_be_held_too(tmp_path: Path, browser: Browser) -> None:
    async with in_hand(tmp_path, browser) as (house, page, url):
        await page.clock.install()
        await page.goto(url)
        await page.get_by_role("button").focus()
        await page.keyboard.press("Enter")
        await page.clock.fast_forward(5_000)
        assert house.until("anna") is None, "a short press is none"
        await page.keyboard.down(" ")
        await page.clock.fast_forward(3_100)
        await expect(page.get_by_text("Thursday 5 February 2026, 12:00 UTC")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True], ids=["by day", "by night"])
@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_everybody_can_use_it_on_360_pixels(lang: str, *, dark: bool, tmp_path: Path, browser: Browser) -> None:
    axe = source()
    async with in_hand(tmp_path, browser, dark=dark, guardian=True) as (house, page, url):
        for step in ("choose", "frozen", "longer"):
            await page.goto(f"{url}?lang={lang}{'&longer=1' if step == 'longer' else ''}")
            assert not await is_too_wide(page), step
            assert await page.evaluate(SMALL) == [], step
            assert await serious(page, axe) == [], step
            await house.freeze("anna")
