"""A real Prometheus of Debian on a free port, for as long as a test needs it."""

import asyncio
import re
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.installed import program

PATIENCE_SECONDS = 30.0
_LISTENING = re.compile(rb'msg="Listening on" address=127\.0\.0\.1:(\d+)')


@asynccontextmanager
async def prometheus(folder: Path, target: str, *, job: str) -> AsyncIterator[str]:
    """Run a Prometheus on a free port that scrapes `target` every second; its address."""
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
        f"scrape_configs: [{{job_name: {job}, static_configs: [{{targets: ['{target}']}}]}}]\n"
    )
    async with configured(folder) as url:
        yield url


@asynccontextmanager
async def configured(folder: Path) -> AsyncIterator[str]:
    """Run one on a free port by the `prometheus.yml` of a folder; its address."""
    binary = program("prometheus")
    options = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    process = await asyncio.create_subprocess_exec(
        binary, *options, "--web.listen-address=127.0.0.1:0", stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE
    )
    draining = None
    try:
        port = await asyncio.wait_for(_port(process), PATIENCE_SECONDS)
        draining = asyncio.create_task(_drain(process), name="prometheus output")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()
        if draining is not None:
            await draining


async def _port(process: Process) -> int:
    assert process.stderr is not None
    port, ready = 0, False
    while line := await process.stderr.readline():  # the two lines come in either order
        if found := _LISTENING.search(line):
            port = int(found[1])
        ready = ready or b"Server is ready" in line
        if ready and port:
            return port
    raise AssertionError("prometheus ended before it was ready")


async def _drain(process: Process) -> None:
    assert process.stderr is not None
    while await process.stderr.read(65536):
        pass
