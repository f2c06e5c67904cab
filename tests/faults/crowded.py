"""A process with few files to open that asks many hosts at once, and serves a page meanwhile. Arguments: addresses."""

import asyncio
import sys

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import RemoteError

PATIENCE_SECONDS = 2.0


def say(line: object) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def ask(urls: list[str]) -> None:
    """Say the page's port, and when all is over how many tries failed for which reason."""

    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
        writer.close()

    async with (
        await asyncio.start_server(page, "127.0.0.1", 0) as server,
        Http(Clock(), per_second={"127.0.0.1": 1000.0}) as http,
    ):
        say(server.sockets[0].getsockname()[1])
        reasons = await asyncio.gather(*[outcome(http, url) for url in urls])
    say(" ".join(reasons))


async def outcome(http: Http, url: str) -> str:
    try:
        await http.get(url, allow_private=True, timeout=PATIENCE_SECONDS)
    except RemoteError as error:
        return error.reason
    return "answered"


if __name__ == "__main__":
    asyncio.run(ask(sys.argv[1:]))
