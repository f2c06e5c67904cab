"""Questions to an Electrum server: one connection that is kept, and batches as large as the server takes.

e-x pads a lone small answer and holds it back for a second; 200 answers in a batch cost one round trip.
"""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from msgspec import Raw, Struct

from monitor import __version__
from monitor.chains.electrum_door import Door
from monitor.chains.electrum_lines import Call, Lines, Message, Refusal
from monitor.clock import Clock
from monitor.model import FailureReason, RemoteError

PROTOCOL = "1.4"
CALLS_PER_BATCH = 200
DOUBLE_AFTER_SECONDS = 300.0  # so a server with a fixed limit refuses us once in that time
TIMEOUT_SECONDS = 15.0  # for a batch and, where that is needed, a connection

FEW = 10  # calls, whose answers may be so short that they are held back
_FILLING = Call("blockchain.block.headers", (0, 7))  # whose answer is long enough


class Unread(Struct, frozen=True):
    """A call that brought no result. TOO_LARGE is a history that the server does not give; it is never an empty one."""

    reason: FailureReason
    detail: str


class Wire:
    """One server. Use it as a context: leaving that closes the connection. Seconds of `timeout` are real ones."""

    def __init__(self, door: Door, clock: Clock, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self.host = door.host
        self._door = door
        self._clock = clock
        self._timeout = timeout
        self._lines: Lines | None = None
        self._opening = asyncio.Semaphore(1)  # who comes second takes the connection that the first one opens
        self._size = CALLS_PER_BATCH
        self._sized_at = 0.0  # on the monotonic clock

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lines is not None:
            self._lines.end(FailureReason.CONNECTION, "hung up")
            await self._lines.closed()

    async def batch(self, calls: Sequence[Call], *, at_once: int = CALLS_PER_BATCH) -> list[Raw | Unread]:
        """Ask many things, up to `at_once` of them in a batch; the answers in the order of `calls`.

        A batch that is too large for the server or for us is halved, down to single calls. Raises `RemoteError`
        where there is no whole answer, and where the server says that it has too much to do.
        """
        answers: list[Raw | Unread] = []
        while len(answers) < len(calls):
            chunk = calls[len(answers) : len(answers) + min(self._size, at_once)]
            try:
                answers += await self._exchange(chunk)
            except RemoteError as error:
                if len(chunk) == 1 or error.reason is not FailureReason.TOO_LARGE:
                    raise
                self._resize(len(chunk) // 2)
            else:
                if self._clock.monotonic() - self._sized_at > DOUBLE_AFTER_SECONDS:
                    self._resize(min(CALLS_PER_BATCH, 2 * self._size))
        return answers

    def _resize(self, size: int) -> None:
        self._size = size
        self._sized_at = self._clock.monotonic()

    async def _exchange(self, chunk: Sequence[Call]) -> list[Raw | Unread]:
        filling = [_FILLING] if len(chunk) < FEW else []
        try:
            async with asyncio.timeout(self._timeout):
                lines = await self._connected()
                messages = await lines.ask([*chunk, *filling])
        except TimeoutError as error:
            raise self._failure(FailureReason.TIMEOUT, f"no whole answer within {self._timeout:g} s") from error
        return [self._result(call, message, of=len(chunk)) for call, message in zip(chunk, messages, strict=False)]

    async def _connected(self) -> Lines:
        async with self._opening:
            if self._lines is None or self._lines.ended:
                self._lines = await self._door.open()
                await self._greet(self._lines)
            return self._lines

    async def _greet(self, lines: Lines) -> None:
        (answer,) = await lines.ask([Call("server.version", (f"cexwatch {__version__}", PROTOCOL))])
        if answer.error is not None or not bytes(answer.result):
            lines.end(FailureReason.SHAPE, "not greeted")
            raise self._failure(FailureReason.SHAPE, f"does not speak version {PROTOCOL}")

    def _result(self, call: Call, message: Message, *, of: int) -> Raw | Unread:
        """Raises `RemoteError` where a refusal is not about this call alone."""
        match message:
            case Message(error=None, result=result) if bytes(result):
                return result
            case Message(error=Refusal() as refusal):
                return self._refused(call, refusal, of=of)
            case Message(error=str(words)):
                return self._refused(call, Refusal(message=words), of=of)
            case _:
                return Unread(FailureReason.SCHEMA, f"{self.host}: {call.method}: neither result nor error")

    def _refused(self, call: Call, refusal: Refusal, *, of: int) -> Unread:
        detail = f"{call.method}: {refusal}"
        if refusal.reason is FailureReason.RATE_LIMITED:
            raise self._failure(FailureReason.RATE_LIMITED, detail)
        if refusal.is_of_the_answer and of > 1:
            raise self._failure(FailureReason.TOO_LARGE, f"{of} calls at once: {detail}")
        return Unread(refusal.reason, f"{self.host}: {detail}")

    def _failure(self, reason: FailureReason, detail: str) -> RemoteError:
        return RemoteError(reason, f"{self.host}: {detail}")
