"""`cexwatch freeze serve` as a process of its own, and a server that tells it the time."""

import asyncio
import base64
import contextlib
import os
import signal
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp

from monitor.freeze.requests import account_key, signed_headers

EPOCH = datetime(1900, 1, 1, tzinfo=UTC)
SECRETS = {
    "account_key": base64.b64encode(b"1" * 32).decode(),
    "signing_key": base64.b64encode(b"s" * 32).decode(),
    "app_secret": "an app's secret of thirty-two bytes or more",
    "reader_token": "a reader's token of thirty-two characters",
    "reports_secret": "whsec_" + base64.b64encode(b"r" * 32).decode(),
}
CONFIG = """\
ledger: sqlite:///{folder}/ledger/freeze.db
witness: {folder}/witness/freeze.witness
listen: 127.0.0.1:{port}
public_url: https://freeze.example.org
keys: {{first: {{secret_file: account_key}}}}
signing: {{secret_file: signing_key}}
apps: {{mobile: {{secret_file: app_secret}}}}
readers: {{withdrawals: {{token_file: reader_token}}}}
time: [{time}]
{more}
"""


class TimeServer(asyncio.DatagramProtocol):
    """Tells this machine's time, `ahead` of it, as RFC 4330 has it."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self.url = ""

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override] # its kind is known
        self._transport = transport
        self.url = "ntp://{}:{}".format(*transport.get_extra_info("sockname"))

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        now = datetime.now(UTC) + self.ahead - EPOCH
        stamp = int(now.total_seconds() * 2**32)
        originate = struct.unpack_from("!Q", data, 40)[0]
        reply = struct.pack(
            "!BBbbII4sQQQQ", 0b00_100_100, 2, 6, -20, 0, 0, b"\x7f\0\0\1", stamp, originate, stamp, stamp
        )
        self._transport.sendto(reply, addr)


@asynccontextmanager
async def time_server() -> AsyncIterator[TimeServer]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(TimeServer, local_addr=("127.0.0.1", 0))
    try:
        yield server
    finally:
        transport.close()


class GateProcess:
    def __init__(self, folder: Path, time_url: str, *, more: str = "") -> None:
        self.folder = folder
        self.url = ""
        self._process: asyncio.subprocess.Process | None = None
        self._nonce = 0
        for part in ("ledger", "witness"):
            (folder / part).mkdir(exist_ok=True)
        for name, secret in SECRETS.items():
            (folder / name).write_text(secret)
            (folder / name).chmod(0o600)
        (folder / "freeze.yaml").write_text(CONFIG.format(folder=folder, port=0, time=time_url, more=more))

    async def command(self, *arguments: str) -> tuple[int, str, str]:
        process = await self._started(*arguments)
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    async def init(self) -> None:
        code, _, err = await self.command("init", "--config", "freeze.yaml")
        assert code == 0, err

    async def start(self, **environ: str) -> None:
        self._process = await self._started("serve", "--config", "freeze.yaml", **environ)
        assert self._process.stdout is not None
        async with asyncio.timeout(30):
            async for line in self._process.stdout:
                if line.startswith(b"the freeze gate is at "):
                    self.url = line.split()[5].decode().rstrip(";")
                    return
        assert self._process.stderr is not None
        raise AssertionError((await self._process.stderr.read()).decode())

    async def kill(self) -> None:
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        return await self._end(signal.SIGTERM)

    async def freeze(self, session: aiohttp.ClientSession, account: str) -> datetime | None:
        """The end that was acknowledged. Raises aiohttp.ClientError."""
        self._nonce += 1
        path = "/api/v1/freezes"
        headers = signed_headers(
            account_key(SECRETS["app_secret"].encode(), account),
            method="POST",
            path=path,
            account=account,
            at=datetime.now(UTC),
            nonce=f"{os.getpid()}-nonce-{self._nonce:08}",
            body=b"",
        )
        async with session.post(self.url + path, headers=headers) as response:
            told = await response.json(content_type=None)
            return datetime.fromisoformat(told["until"]) if response.status < 300 else None

    async def ask(self, session: aiohttp.ClientSession, path: str) -> dict[str, object]:
        async with session.get(
            self.url + path, headers={"Authorization": f"Bearer {SECRETS['reader_token']}"}
        ) as response:
            found: dict[str, object] = await response.json(content_type=None)
            return found

    async def _started(self, *arguments: str, **environ: str) -> asyncio.subprocess.Process:
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environ}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "monitor",
            "freeze",
            *arguments,
            cwd=self.folder,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)
        await self._process.communicate()
        code, self._process = self._process.returncode, None
        return code or 0


@asynccontextmanager
async def gate_process(folder: Path, *, more: str = "") -> AsyncIterator[GateProcess]:
    """A gate whose ledger was begun; not started yet."""
    async with time_server() as told:
        gate = GateProcess(folder, told.url, more=more)
        await gate.init()
        try:
            yield gate
        finally:
            await gate.kill()
