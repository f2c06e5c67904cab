"""A real node of the bitcoin family for tests: Debian's `litecoind`, on a test network of its own."""

import asyncio
import os
import socket
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from tempfile import TemporaryDirectory

import aiohttp
import msgspec

from monitor.chains.bitcoin_rpc import CoreEndpoint
from monitor.chains.script import Encoding
from tests.installed import program

REGTEST = Encoding(key=111, script=(58, 196), words="rltc")
GENESIS = "530827f38f93b43ed12af0b3ad25a288dc02ed74d6d7857862df51fc56c416f9"
USER, PASSWORD = "watcher", "not-a-secret"  # of the test network
COIN = 10**8
MATURITY = 100  # blocks until what was mined can be spent

_READY_SECONDS = 30.0


class _Block(msgspec.Struct):
    time: int
    hash: str


class Litecoin:
    """A running node with a wallet. Amounts are whole coins as it takes them."""

    def __init__(self, session: aiohttp.ClientSession, process: Process, *, host: str, port: int) -> None:
        self.url = f"http://{host}:{port}"
        self.daemon_url = f"http://{USER}:{PASSWORD}@{host}:{port}"
        self.endpoint = CoreEndpoint(url=self.url, user=USER, password=PASSWORD, allow_private=True)
        self._session = session
        self._process = process

    async def rpc(self, method: str, *params: object) -> object:
        """The result; an error of the node fails the test."""
        body = {"id": 1, "method": method, "params": params}
        async with self._session.post(self.url, data=msgspec.json.encode(body)) as response:
            answer = msgspec.json.decode(await response.read(), type=dict[str, object])
        assert answer["error"] is None, answer
        return answer["result"]

    async def text(self, method: str, *params: object) -> str:
        return msgspec.convert(await self.rpc(method, *params), str)

    async def height(self) -> int:
        return msgspec.convert(await self.rpc("getblockcount"), int)

    async def hash(self, number: int) -> str:
        return await self.text("getblockhash", number)

    async def time(self, number: int) -> int:
        """Of a block, in seconds since 1970."""
        return msgspec.convert(await self.rpc("getblockheader", await self.hash(number)), _Block).time

    async def address(self, kind: str = "bech32") -> str:
        """A new one of the wallet: `legacy`, `p2sh-segwit` or `bech32`."""
        return await self.text("getnewaddress", "", kind)

    async def mine(self, blocks: int = 1, *, to: str | None = None) -> list[str]:
        """Their hashes. What they bring goes to the wallet unless told."""
        address = await self.address() if to is None else to
        return msgspec.convert(await self.rpc("generatetoaddress", blocks, address), list[str])

    async def pay(self, address: str, coins: float) -> str:
        """Send from any addresses of the wallet; it is in no block yet. Returns the transaction."""
        return await self.text("sendtoaddress", address, coins)

    async def pay_many(self, coins: Mapping[str, float]) -> str:
        return await self.text("sendmany", "", dict(coins))

    async def spend(self, sources: list[tuple[str, int]], outputs: Mapping[str, Decimal]) -> str:
        """Send exactly this: sources are outputs of transactions, what is left of them is the fee."""
        inputs = [{"txid": transaction, "vout": place} for transaction, place in sources]
        paid = {address: float(coins) for address, coins in outputs.items()}
        raw = await self.text("createrawtransaction", inputs, paid)
        signed = msgspec.convert(await self.rpc("signrawtransactionwithwallet", raw), dict[str, object])
        return await self.text("sendrawtransaction", signed["hex"], 0)

    async def output_to(self, transaction: str, address: str) -> int:
        """The place of the output of `transaction` that pays `address`."""
        told = msgspec.convert(await self.rpc("gettransaction", transaction, True, True), _Decoded)
        return next(out.n for out in told.decoded.vout if address in out.script.addresses)

    async def balance(self, address: str) -> int:
        """In satoshis, as the node itself finds it."""
        found = await self.rpc("scantxoutset", "start", [f"addr({address})"])
        return int(msgspec.convert(found, _Scan, strict=False).total_amount * COIN)

    async def follow(self, other: "Litecoin") -> None:
        """Take over the blocks of `other` that are not in this chain."""
        for number in range(1, await other.height() + 1):
            digest = await other.hash(number)
            if number > await self.height() or digest != await self.hash(number):
                await self.rpc("submitblock", await other.rpc("getblock", digest, 0))

    async def stop(self) -> None:
        """It has ended when this returns, and refuses connections. Asked to, it waits half a minute for idle ones."""
        self._process.kill()
        await asyncio.wait_for(self._process.wait(), _READY_SECONDS)

    async def take_back(self, number: int) -> None:
        """The block at this height and all above it are no longer in the chain."""
        await self.rpc("invalidateblock", await self.hash(number))


class _Script(msgspec.Struct):
    addresses: list[str] = []


class _Output(msgspec.Struct, rename={"script": "scriptPubKey"}):
    n: int
    script: _Script


class _Outputs(msgspec.Struct):
    vout: list[_Output]


class _Decoded(msgspec.Struct):
    decoded: _Outputs


class _Scan(msgspec.Struct):
    total_amount: Decimal


@asynccontextmanager
async def litecoin(
    *, index: bool = True, mined: int = MATURITY + 1, host: str = "127.0.0.1"
) -> AsyncIterator[Litecoin]:
    """Run a node on a free port, with `mined` blocks; `index` is whether it finds any transaction by its id.

    `host` is a loopback address: nodes on two of them are of two operators.
    """
    with TemporaryDirectory(prefix="litecoin-") as folder:
        port = _free_port(host)
        process = await asyncio.create_subprocess_exec(
            _binary(), *_options(folder, host=host, port=port, index=index), stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL
        )
        try:
            await asyncio.wait_for(_ready(process), _READY_SECONDS)
            draining = asyncio.create_task(_drain(process), name="litecoind output")
            async with aiohttp.ClientSession(
                headers={"Authorization": aiohttp.encode_basic_auth(USER, PASSWORD)}
            ) as session:
                node = Litecoin(session, process, host=host, port=port)
                await node.rpc("createwallet", "tests")
                if mined:
                    await node.mine(mined)
                yield node
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
        await draining


def _options(folder: str, *, host: str, port: int, index: bool) -> list[str]:
    return [
        "-regtest",
        f"-datadir={folder}",
        f"-rpcuser={USER}",
        f"-rpcpassword={PASSWORD}",
        f"-rpcport={port}",
        f"-rpcbind={host}",
        "-rpcallowip=127.0.0.0/8",
        "-listen=0",
        "-dnsseed=0",
        "-server=1",
        "-fallbackfee=0.001",
        "-keypool=10",  # a thousand keys take seconds
        f"-txindex={int(index)}",
        "-printtoconsole=1",
    ]


def _free_port(host: str) -> int:
    """The node takes no port 0."""
    with socket.socket() as taken:
        taken.bind((host, 0))
        return int(taken.getsockname()[1])


def _binary() -> str:
    return program(os.environ.get("CEXWATCH_LITECOIND", "litecoind"))


async def _ready(process: Process) -> None:
    assert process.stdout is not None
    while line := await process.stdout.readline():
        if b"Done loading" in line:
            return
    raise AssertionError("litecoind ended before it was ready")


async def _drain(process: Process) -> None:
    """A full pipe would stop the node."""
    assert process.stdout is not None
    while await process.stdout.read(65536):
        pass
