"""systemd's end of `sd_notify(3)`: a datagram socket that keeps what it is told."""

import asyncio
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

LINE_BYTES = 4096
SECONDS = 20.0


class Systemd:
    def __init__(self, ours: socket.socket, path: str) -> None:
        self._ours = ours
        self._path = path

    def environ(self, **more: str) -> Mapping[str, str]:
        """What a unit's process gets."""
        return {"NOTIFY_SOCKET": self._path} | more

    async def told(self) -> str:
        """The next line, waited for."""
        async with asyncio.timeout(SECONDS):
            return (await asyncio.get_running_loop().sock_recv(self._ours, LINE_BYTES)).decode()

    def left(self) -> list[str]:
        """What was told and not yet asked for."""
        lines: list[str] = []
        while True:
            try:
                lines.append(self._ours.recv(LINE_BYTES).decode())
            except BlockingIOError:
                return lines

    def close(self) -> None:
        self._ours.close()


@contextmanager
def systemd(folder: Path, *, name: str = "") -> Iterator[Systemd]:
    """Listen in `folder`, or at an abstract `name`."""
    path = f"@{name}" if name else str(folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
        ours.setblocking(False)
        ours.bind("\0" + name if name else path)
        yield Systemd(ours, path)
