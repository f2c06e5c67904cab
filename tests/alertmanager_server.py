"""A real Alertmanager of Debian on a free port, for as long as a test needs it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from socket import socket

import aiohttp

from tests.end_to_end.daemon import eventually
from tests.installed import program

PROGRAM = "prometheus-alertmanager"


def free_port() -> int:
    with socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@asynccontextmanager
async def alertmanager(folder: Path, webhook: str) -> AsyncIterator[str]:
    """One that tells `webhook` at once; its base URL."""
    (folder / "alertmanager.yml").write_text(
        "route: {receiver: us, group_by: [incident], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}\n"
        f"receivers: [{{name: us, webhook_configs: [{{url: '{webhook}/hook', send_resolved: true}}]}}]\n"
    )
    async with configured(folder) as base:
        yield base


@asynccontextmanager
async def configured(folder: Path) -> AsyncIterator[str]:
    """One by the `alertmanager.yml` of a folder; its base URL."""
    binary = program(PROGRAM)
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        binary,
        f"--config.file={folder}/alertmanager.yml",
        f"--storage.path={folder}/alertmanager",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        await _ready(base)
        yield base
    finally:
        process.kill()
        await process.wait()


async def _ready(base: str) -> None:
    async with aiohttp.ClientSession() as session:

        async def answers() -> bool:
            try:
                async with session.get(f"{base}/-/ready") as response:
                    return response.status == 200
            except aiohttp.ClientError:
                return False

        await eventually(answers)
