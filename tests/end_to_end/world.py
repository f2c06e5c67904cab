"""The world around a daemon under test, on loopback: exchanges, a status page, control targets, and a configuration."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from socket import socket

from monitor.clock import Clock
from tests.servers import ControlServer, ExchangeServer, StatusPageServer

START = datetime(2025, 2, 4, 14, 0, tzinfo=UTC)
LISTS = ("bitget", "gate", "htx", "kraken", "kucoin")


class World:
    """`exchanges` go by name; the status page is Kraken's. Everything moves with `clock`."""

    clock: Clock
    exchanges: dict[str, ExchangeServer]
    status_page: StatusPageServer
    controls: tuple[ControlServer, ControlServer]

    def switch_off(self) -> None:
        """Our own connection fails: nobody answers."""
        for control in self.controls:
            control.switch_off()
        for exchange in self.exchanges.values():
            exchange.go_dark()

    def switch_on(self) -> None:
        for control in self.controls:
            control.switch_on()
        for exchange in self.exchanges.values():
            exchange.come_back()

    def configure(self, folder: Path, exchanges: Sequence[str] = (), *, interval: str = "30s", more: str = "") -> Path:
        """Write the configuration of a daemon that watches `exchanges`, or all there are."""
        return configure(
            folder,
            exchanges={name: self.exchanges[name].url for name in exchanges or self.exchanges},
            status_page=self.status_page.url,
            controls=[control.url for control in self.controls],
            interval=interval,
            more=more,
        )


def configure(
    folder: Path,
    *,
    exchanges: Mapping[str, str],
    status_page: str,
    controls: Sequence[str],
    interval: str = "30s",
    more: str = "",
) -> Path:
    """Write a configuration file. `exchanges` maps name -> URL; `interval` is of the coin lists, `more` is YAML."""
    sections = [
        f"  {name}: {{url: '{url}', status_page: '{status_page if name == 'kraken' else ''}',"
        f" interval: {interval}, allow_private: true}}"
        for name, url in exchanges.items()
    ]
    path = folder / "cexwatch.yaml"
    lines = [
        "listen: 127.0.0.1:0",
        f"database: sqlite:///{folder}/cexwatch.db",
        f"channels: {{file: {{folder: '{folder}/posts'}}}}",
        f"control: {{targets: [{', '.join(controls)}], allow_private: true}}",
        "prices: {sources: []}",
        "exchanges:",
        *sections,
        more,
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


@asynccontextmanager
async def world(exchanges: Sequence[str], *, speed: float, start: datetime | None = START) -> AsyncIterator[World]:
    """Everything open and well, on a clock that shows `start` now; None is the true time."""
    clock = Clock(start=start, speed=speed)
    async with AsyncExitStack() as running:
        around = World()
        around.clock = clock
        around.exchanges = {name: await running.enter_async_context(ExchangeServer(clock)) for name in exchanges}
        around.status_page = await running.enter_async_context(StatusPageServer(clock))
        around.controls = (
            await running.enter_async_context(ControlServer(clock)),
            await running.enter_async_context(ControlServer(clock)),
        )
        yield around


@contextmanager
def closed_port() -> Iterator[str]:
    """A URL at which nobody listens, and nobody else will: every connection is refused."""
    with closing(socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
