"""A real Ethereum node for tests: anvil, from npm `@foundry-rs/anvil-linux-amd64`.

npm install --prefix .tools --no-save @foundry-rs/anvil-linux-amd64@1.7.1
"""

import asyncio
import os
import re
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import msgspec
from eth_hash.auto import keccak

from monitor.chains.jsonrpc import Endpoint
from monitor.chains.multicall import MULTICALL3
from tests.installed import needed

_ROOT = Path(__file__).parent.parent
_INSTALLED = _ROOT / ".tools/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
_LISTENING = re.compile(rb"Listening on 127\.0\.0\.\d+:(\d+)")
_READY_SECONDS = 20.0

ETHER = 10**18
_NOBODY = "0x" + "00" * 18 + "dead"


class _Block(msgspec.Struct):
    timestamp: str


class Anvil:
    """A running node. Its accounts are unlocked and hold 10,000 coins each."""

    def __init__(self, session: aiohttp.ClientSession, process: Process, *, host: str, port: int) -> None:
        self.url = f"http://{host}:{port}"
        self.endpoint = Endpoint(url=self.url, allow_private=True)
        self._session = session
        self._process = process

    async def rpc(self, method: str, *params: object) -> object:
        """The result; an error of the node fails the test."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        async with self._session.post(self.url, data=msgspec.json.encode(body)) as response:
            answer = msgspec.json.decode(await response.read(), type=dict[str, object])
        assert "error" not in answer, answer
        return answer["result"]

    async def kill(self) -> None:
        """It is gone when this returns, and refuses connections."""
        self._process.kill()
        await self._process.wait()

    async def accounts(self) -> list[str]:
        return msgspec.convert(await self.rpc("eth_accounts"), list[str])

    async def number(self, method: str, *params: object) -> int:
        return int(msgspec.convert(await self.rpc(method, *params), str), 16)

    async def height(self) -> int:
        return await self.number("eth_blockNumber")

    async def time(self, height: int | None = None) -> datetime:
        """The time of a block, the newest unless told."""
        block = await self.rpc("eth_getBlockByNumber", "latest" if height is None else hex(height), False)
        return datetime.fromtimestamp(int(msgspec.convert(block, _Block).timestamp, 16), UTC)

    async def send(self, sender: str, to: str, *, value: int = 1, data: bytes = b"") -> None:
        """Send a transaction; it is in a block when this returns."""
        transaction = {"from": sender, "to": to, "value": hex(value), "data": f"0x{data.hex()}"}
        await self.rpc("eth_sendTransactionSync", transaction)

    async def pace(self, seconds: int) -> None:
        """From now on every block is `seconds` younger than the one before, however long it takes to mine."""
        await self.rpc("anvil_setBlockTimestampInterval", seconds)

    async def pay(self, sender: str) -> None:
        """Send a coin to nobody, in the next block."""
        await self.send(sender, _NOBODY)

    async def mine(self, blocks: int = 1) -> None:
        await self.rpc("anvil_mine", hex(blocks))

    async def mine_to(self, height: int) -> None:
        await self.mine(height - await self.height())

    async def put(self, contract: str, address: str) -> None:
        """Put a contract of tests/contracts at `address`."""
        code = (Path(__file__).parent / f"contracts/{contract}.hex").read_text().strip()
        await self.rpc("anvil_setCode", address, code)

    async def put_multicall(self) -> None:
        await self.put("Multicall", MULTICALL3)

    async def put_token(self, address: str) -> None:
        await self.put("Token", address)

    async def mint(self, token: str, holder: str, amount: int, *, sender: str) -> None:
        await self.send(sender, token, value=0, data=calldata("mint(address,uint256)", int(holder, 16), amount))


def calldata(signature: str, *arguments: int) -> bytes:
    """A call of a function whose arguments are all single words."""
    return keccak(signature.encode())[:4] + b"".join(argument.to_bytes(32, "big") for argument in arguments)


@asynccontextmanager
async def anvil(
    *, chain_id: int = 1, block_time: int | None = None, genesis: datetime | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Anvil]:
    """Run a node on a free port. It mines a block a transaction, or every `block_time` seconds.

    `host` is a loopback address: nodes on two of them are of two operators.
    """
    options = ["--chain-id", str(chain_id), "--slots-in-an-epoch", "1", "--host", host, "--port", "0"]
    if block_time is not None:
        options += ["--block-time", str(block_time)]
    if genesis is not None:
        options += ["--timestamp", str(int(genesis.timestamp()))]
    process = await asyncio.create_subprocess_exec(_binary(), *options, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL)
    try:
        port = await asyncio.wait_for(_port(process), _READY_SECONDS)
        draining = asyncio.create_task(_drain(process), name="anvil output")
        async with aiohttp.ClientSession(headers={"Content-Type": "application/json"}) as session:
            yield Anvil(session, process, host=host, port=port)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    await draining


def _binary() -> str:
    named = os.environ.get("CEXWATCH_ANVIL")
    binary = Path(named) if named else _INSTALLED
    return str(needed(binary))


async def _port(process: Process) -> int:
    assert process.stdout is not None
    while line := await process.stdout.readline():
        if found := _LISTENING.search(line):
            return int(found[1])
    raise AssertionError("anvil ended before it listened")


async def _drain(process: Process) -> None:
    """A full pipe would stop the node."""
    assert process.stdout is not None
    while await process.stdout.read(65536):
        pass
