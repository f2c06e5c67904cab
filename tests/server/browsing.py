"""Headless Chromium on the pages of a real server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from tests.installed import needed
from tests.office import PASSWORD

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic --no-first-run "
    "--disable-background-networking --disable-sync"
)
PHONE = (360, 740)
DESK = (1280, 900)


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    path = needed(CHROMIUM)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS.split())
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def device(
    browser: Browser, *, size: tuple[int, int] = PHONE, dark: bool = False, script: bool = True
) -> AsyncIterator[Page]:
    """One person's device, with cookies of its own."""
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
    )
    try:
        yield await context.new_page()
    finally:
        await context.close()


async def sign_in(page: Page, url: str, name: str, *, back: str = "/drafts") -> None:
    await page.goto(f"{url}/sign-in?next={back}")
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("button", name="Sign out").wait_for()


async def is_too_wide(page: Page) -> bool:
    """Whether one must scroll sideways."""
    return bool(await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
