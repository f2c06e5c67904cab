"""Pictures of every board, drawn by Grafana's own components: `python -m tools.seen.see FOLDER [WORD...]`.

Plays the demo, asks a Prometheus every query and draws in headless Chromium, dark and light, on a desk and on a phone.
With words it draws the pictures whose names have one of them, of the demo as it was played into the folder before.
For people to look at: it judges only that all of it is drawn.
"""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import product
from pathlib import Path

import aiohttp
import msgspec
from msgspec import Struct
from playwright.async_api import Browser, async_playwright

from monitor.demo import EXCHANGE
from tools.seen import crowd, record
from tools.seen.ask import Look, Seen, seen

HERE = Path(__file__).parent
BOARDS = sorted((HERE.parents[1] / "dashboards").glob("*.json"))
CHROMIUM = "/usr/bin/chromium"
FLAGS = "--no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking"
PAGE = """<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="draw.css">
<div id="board"></div><script src="draw.js"></script>
"""
PACKAGES = ("data", "schema", "ui")
LOOKBACK = "1m"  # blocks have no marks of staleness, so that what vanishes is gone after four scrapes


class Screen(Struct, frozen=True):
    name: str
    width: int
    mode: str


SCREENS = (Screen("dark", 1440, "dark"), Screen("light", 1440, "light"), Screen("phone", 400, "dark"))
LOOKS = {
    "halt": Look(job=record.JOB, exchange=EXCHANGE, begin=record.BEGIN, end=record.BEGIN + timedelta(minutes=29)),
    "after": Look(job=record.JOB, exchange=EXCHANGE, begin=record.BEGIN, end=record.END),
    "crowd": Look(job=crowd.JOB, exchange=crowd.CHOSEN, begin=crowd.BEGIN, end=crowd.END),
}


@asynccontextmanager
async def prometheus(folder: Path, port: int = 9655) -> AsyncIterator[str]:
    """A Prometheus that scrapes nothing and knows what is in `folder/tsdb`."""
    (folder / "prometheus.yml").write_text("{}\n")
    options = [
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/tsdb",
        "--storage.tsdb.retention.time=50y",
        f"--query.lookback-delta={LOOKBACK}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec("prometheus", *options, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        await _ready(f"{url}/-/ready")
        yield url
    finally:
        process.terminate()
        await process.wait()


async def _ready(url: str) -> None:
    async with asyncio.timeout(30), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(url) as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


def remember(folder: Path) -> None:
    """What was played and what is invented, as blocks of a Prometheus."""
    demo, crowded = folder / "demo.om", folder / "crowd.om"
    record.main(demo)
    with crowded.open("w") as file:
        file.writelines(crowd.lines())
    shutil.rmtree(folder / "tsdb", ignore_errors=True)
    for file_ in (demo, crowded):
        _run("promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", str(file_), str(folder / "tsdb"))


def bundle(folder: Path) -> None:
    esbuild = str(HERE / "node_modules/.bin/esbuild")
    options = ["--bundle", "--jsx=automatic", "--minify", '--define:process.env.NODE_ENV="production"']
    # Their ES modules take CommonJS packages as Node does, `default` inside `default`, which fails in a browser.
    plain = [f"--alias:@grafana/{name}={HERE}/node_modules/@grafana/{name}/dist/cjs/index.cjs" for name in PACKAGES]
    loaders = ["--loader:.ttf=empty", "--loader:.svg=text", "--log-level=error"]
    _run(esbuild, str(HERE / "draw.tsx"), *options, *plain, *loaders, f"--outfile={folder}/draw.js")
    (folder / "board.html").write_text(PAGE)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)  # noqa: S603 # our own words


async def picture(browser: Browser, folder: Path, drawn: Seen, *, name: str, screen: Screen) -> None:
    page = await browser.new_page(viewport={"width": screen.width, "height": 900})
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(f"file://{folder}/board.html")
    given = [msgspec.json.encode(drawn).decode(), screen.mode]
    await page.evaluate("([seen, mode]) => draw(JSON.parse(seen), mode)", given)
    await page.wait_for_timeout(700)  # uPlot draws in frames of its own
    await page.screenshot(path=folder / f"{name}.png", full_page=True)
    await page.close()
    if complaints:
        raise SystemExit(f"{name}: " + "\n".join(complaints))


async def main(folder: Path, wanted: Sequence[str]) -> None:
    async with prometheus(folder) as url, aiohttp.ClientSession() as session, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        for (title, look), file, screen in product(LOOKS.items(), BOARDS, SCREENS):
            name = f"{title}-{file.stem.removeprefix('cexwatch-')}-{screen.name}"
            if not wanted or any(word in name for word in wanted):
                drawn = await seen(session, url, file.read_bytes(), look)
                await picture(browser, folder, drawn, name=name, screen=screen)
        await browser.close()


if __name__ == "__main__":
    out = Path(sys.argv[1]).resolve()
    out.mkdir(parents=True, exist_ok=True)
    words = sys.argv[2:]
    if not words:
        remember(out)
    bundle(out)
    asyncio.run(main(out, words))
