"""The configuration as the page shows it: what is in force beside what is on disk. No secret gets here."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from msgspec import Struct

from monitor.web.reading import Show


class Setting(Struct, frozen=True, kw_only=True):
    """One key of the file with the text of its value; None where it is not there."""

    key: str
    running: str | None
    on_disk: str | None = None
    differs: bool = False  # in what is not shown, too
    is_empty: bool = False  # in force it is not set

    @property
    def is_set(self) -> bool:
        return self.running is not None and not self.is_empty


class Configured(Struct, frozen=True, kw_only=True):
    """`problem`: why what is on disk cannot be taken over, in words; then nothing of it is compared."""

    path: str
    running_sha256: str
    disk_sha256: str = ""
    problem: str = ""
    settings: tuple[Setting, ...]


def differing(configured: Configured) -> list[Setting]:
    return [each for each in configured.settings if each.differs]


class ConfigurationPage:
    """`look` reads what is on disk and compares."""

    def __init__(self, look: Callable[[], Awaitable[Configured]], *, show: Show) -> None:
        self._look = look
        self._show = show

    def route(self) -> web.RouteDef:
        return web.get("/configuration", self.configuration)

    async def configuration(self, request: web.Request) -> web.Response:
        configured = await self._look()
        context = {"configured": configured, "differing": differing(configured)}
        return await self._show(request, "configuration.html", context)
