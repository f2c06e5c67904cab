"""A real Electrum server for tests: e-x of PyPI on a litecoind."""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from tests.installed import needed
from tests.litecoin import Litecoin

_READY_SECONDS = 30.0
_PROGRAM = Path(sys.executable).parent / "electrumx_server"


class ElectrumServer:
    def __init__(self, node: Litecoin, *, port: int) -> None:
        self.node = node
        self.port = port

    async def follow(self) -> None:
        """Returns when the server has announced the node's newest block."""
        newest = await self.node.text("getblockheader", await self.node.text("getbestblockhash"), False)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(_line(1, "server.version", "follow", "1.4") + _line(2, "blockchain.headers.subscribe"))
            async with asyncio.timeout(_READY_SECONDS):
                while newest.encode() not in await reader.readline():
                    pass
        finally:
            writer.close()
            await writer.wait_closed()


def _line(number: int, method: str, *params: str) -> bytes:
    return msgspec.json.encode({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + b"\n"


@asynccontextmanager
async def electrum_server(node: Litecoin) -> AsyncIterator[ElectrumServer]:
    """Run one on a free port; it knows all blocks of the node when this returns."""
    port = _free_port()
    with TemporaryDirectory(prefix="electrum-") as folder:
        environment = {
            "COIN": "Litecoin",
            "NET": "regtest",
            "DAEMON_URL": node.daemon_url,
            "DAEMON_POLL_INTERVAL_BLOCKS": "50",  # milliseconds
            "DB_DIRECTORY": folder,
            "DB_ENGINE": "leveldb",
            "SERVICES": f"tcp://127.0.0.1:{port}",
            "REPORT_SERVICES": "",
            "PEER_DISCOVERY": "off",
            "ALLOW_ROOT": "1",
            "PATH": os.environ["PATH"],
        }
        process = await asyncio.create_subprocess_exec(
            _binary(), stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, env=environment
        )
        try:
            await asyncio.wait_for(_ready(process), _READY_SECONDS)
            draining = asyncio.create_task(_drain(process), name="electrum server output")
            yield ElectrumServer(node, port=port)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
        await draining


def _free_port() -> int:
    """The server takes no port 0."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _binary() -> str:
    return str(needed(_PROGRAM))


async def _ready(process: Process) -> None:
    assert process.stdout is not None
    heard = b""
    while line := await process.stdout.readline():
        if b"TCP server listening" in line:
            return
        heard += line
    raise AssertionError(f"ended before it was ready: {heard[-2000:].decode(errors='replace')}")


async def _drain(process: Process) -> None:
    """A full pipe would stop the server."""
    assert process.stdout is not None
    while await process.stdout.read(65536):
        pass
