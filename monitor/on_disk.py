"""The configuration in force beside the one on disk: what a reload would change. Secrets are compared, never told."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from monitor.config import Loaded
from monitor.config.shown import EMPTY, Shown, shown
from monitor.web.configured import Configured, Setting

FRESH_SECONDS = 5.0  # real ones: a page that is asked for often reads the disk no oftener


class OnDisk:
    """`running` tells what is in force, `read` reads the file and raises `refusals` with every problem in it."""

    def __init__(
        self,
        path: Path,
        *,
        running: Callable[[], Loaded],
        read: Callable[[], Loaded],
        refusals: type[Exception],
    ) -> None:
        self._path = path
        self._running = running
        self._read = read
        self._refusals = refusals
        self._latest: Configured | None = None
        self._until = 0.0

    async def look(self) -> Configured:
        now = asyncio.get_running_loop().time()
        if self._latest is None or now >= self._until:
            self._until = now + FRESH_SECONDS
            self._latest = await self._compared()
        return self._latest

    async def _compared(self) -> Configured:
        running = self._running()
        try:
            on_disk = await asyncio.to_thread(self._read)
        except self._refusals as error:
            settings = tuple(_setting(key, each, each) for key, each in shown(running.config).items())
            return Configured(
                path=self._path.name, running_sha256=running.sha256, problem=str(error), settings=settings
            )
        return Configured(
            path=self._path.name,
            running_sha256=running.sha256,
            disk_sha256=on_disk.sha256,
            settings=tuple(_settings(shown(running.config), shown(on_disk.config))),
        )


def _settings(running: dict[str, Shown], on_disk: dict[str, Shown]) -> list[Setting]:
    return [_setting(key, running.get(key), on_disk.get(key)) for key in sorted({*running, *on_disk})]


def _setting(key: str, running: Shown | None, on_disk: Shown | None) -> Setting:
    return Setting(
        key=key,
        running=None if running is None else running.text,
        on_disk=None if on_disk is None else on_disk.text,
        is_empty=running is not None and running.text == EMPTY,
        differs=running is None or on_disk is None or running.value != on_disk.value,
    )
