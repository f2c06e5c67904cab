"""A server between the daemon and an Electrum server, or in place of one, that counts and can be told to misbehave."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime

import msgspec
from msgspec import Struct

from monitor.chains.electrum_door import Server

_LONGEST = 2**24

BITCOIN_BLOCK_0 = bytes.fromhex(
    "010000000000000000000000000000000000000000000000000000000000000000000000"
    "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
)

Message = dict[str, object]
Answers = list[Message]


class Call(Struct):
    id: int
    method: str
    params: list[object] = []


class Spoken(Struct, frozen=True):
    """What goes to the client in place of an answer."""

    data: bytes
    hangs_up: bool = False


Ask = Callable[[list[Call]], Awaitable[Answers]]
Spoil = Callable[[Answers], Spoken]


def line(message: object) -> bytes:
    return msgspec.json.encode(message) + b"\n"


def truly(answers: Answers) -> Spoken:
    return Spoken(line(answers))


class ElectrumRelay:
    """`spoil` makes what is sent out of the answers to a batch about scripts, or with another method `spoilt`."""

    def __init__(self, upstream: Callable[[], AbstractAsyncContextManager[Ask]]) -> None:
        self.batches: list[list[str]] = []  # the methods of each
        self.connections = 0
        self.spoil: Spoil = truly
        self.spoilt = "blockchain.scripthash."
        self.port = 0
        self.host = ""
        self._upstream = upstream
        self._writers: list[asyncio.StreamWriter] = []

    def sizes(self, method: str) -> list[int]:
        """How often `method` is in each batch that has it."""
        return [batch.count(method) for batch in self.batches if method in batch]

    def server(self, *, scheme: str = "electrum") -> Server:
        return Server(url=f"{scheme}://{self.host}:{self.port}", allow_private=True)

    def hang_up(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self.connections += 1
        try:
            async with self._upstream() as ask:
                await self._converse(reader, writer, ask)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ask: Ask) -> None:
        while asked := await reader.readline():
            calls = msgspec.json.decode(asked, type=list[Call])
            methods = [call.method for call in calls]
            self.batches.append(methods)
            answers = await ask(calls)
            amiss = any(method.startswith(self.spoilt) for method in methods)
            spoken = self.spoil(answers) if amiss else truly(answers)
            writer.write(spoken.data)
            await writer.drain()
            if spoken.hangs_up:
                return


@asynccontextmanager
async def relay(
    upstream: Callable[[], AbstractAsyncContextManager[Ask]],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[ElectrumRelay]:
    running = ElectrumRelay(upstream)
    async with asyncio.TaskGroup() as tasks:

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if server.is_serving():
                tasks.create_task(running.serve(reader, writer))
            else:
                writer.close()

        server = await asyncio.start_server(accept, host, port, ssl=tls, limit=_LONGEST)
        running.host, running.port = server.sockets[0].getsockname()
        try:
            yield running
        finally:
            server.close()
            running.hang_up()
            await server.wait_closed()


def relay_to(port: int) -> Callable[[], AbstractAsyncContextManager[Ask]]:
    """The answers of the server at `port`."""

    @asynccontextmanager
    async def upstream() -> AsyncIterator[Ask]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_LONGEST)

        async def ask(calls: list[Call]) -> Answers:
            writer.write(line(calls))
            while (answer := await reader.readline()) and not answer.startswith(b"["):
                pass  # a notification
            return msgspec.json.decode(answer, type=Answers)

        try:
            yield ask
        finally:
            writer.close()
            await writer.wait_closed()

    return upstream


def scripted(
    balances: Mapping[str, int],
    *,
    at: datetime,
    results: Mapping[str, object] = {},
    transactions: Mapping[str, bytes] = {},
) -> Callable[[], AbstractAsyncContextManager[Ask]]:
    """A bitcoin server at block 7, mined at `at`, with `balances` by script hash; `results` are of other methods.

    A transaction that is not among `transactions` is null.
    """
    newest = BITCOIN_BLOCK_0[:68] + int(at.timestamp()).to_bytes(4, "little") + BITCOIN_BLOCK_0[72:]
    headers = [BITCOIN_BLOCK_0.hex()] * 7 + [newest.hex()]

    def result(call: Call) -> object:
        match call.method, call.params:
            case "server.version", _:
                return ["scripted", "1.4"]
            case "blockchain.headers.subscribe", _:
                return {"height": 7, "hex": headers[7]}
            case "blockchain.block.header", [int(number)]:
                return headers[number]
            case "blockchain.block.headers", _:
                return {"count": 7, "hex": "".join(headers[:7]), "max": 2016}
            case "blockchain.scripthash.get_balance", [str(script)]:
                return {"confirmed": balances[script], "unconfirmed": -1}
            case "blockchain.transaction.get", [str(txid)]:
                return transactions[txid].hex() if txid in transactions else None
            case method, _:
                return results[method]

    @asynccontextmanager
    async def upstream() -> AsyncIterator[Ask]:
        async def ask(calls: list[Call]) -> Answers:
            return [{"jsonrpc": "2.0", "id": call.id, "result": result(call)} for call in calls]

        yield ask

    return upstream


def notification(method: str, *params: object) -> bytes:
    return line({"jsonrpc": "2.0", "method": method, "params": params})


def refusing(code: int, message: str, *, of: Sequence[int] | None = None) -> Spoil:
    """Refuse all answers of a batch, or those at the places `of`."""

    def spoil(answers: Answers) -> Spoken:
        refusal = {"code": code, "message": message}
        return truly(
            [
                {"jsonrpc": "2.0", "id": each["id"], "error": refusal} if of is None or place in of else each
                for place, each in enumerate(answers)
            ]
        )

    return spoil
