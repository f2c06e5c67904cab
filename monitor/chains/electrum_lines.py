"""One Electrum connection: lines of JSON-RPC 2.0 both ways, answers matched by id.

What is out of order ends the connection for all who wait on it. Notifications are passed over.
"""

import asyncio
import os
from collections.abc import Sequence

import msgspec
from msgspec import Raw, Struct

from monitor.model import FailureReason, RemoteError

LARGEST_LINE = 8 * 2**20  # bytes; a server's own limit is 1 to 8.1 MB
MOST_UNASKED = 10_000  # notifications after an answer; a block is one, and one for each address that it touches

# What msgspec raises on bytes from outside: bad shape, bad UTF-8, nesting without end.
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

# aiorpcX's "excessive resource usage" and "server busy", and HTTP's 429 where a proxy puts it in a body.
_BUSY_CODES = (-101, -102, 429)
_BUSY_WORDS = ("busy", "excessive", "rate limit", "too many requests", "throttl")
_LARGE_CODES = (10_001,)  # "history too large" of e-x; ElectrumX says it with 1
_LARGE_WORDS = ("too large", "too long", "batch", "long time", "limit exceeded")


class Call(Struct, frozen=True):
    method: str
    params: tuple[str | int, ...] = ()


class Refusal(Struct, frozen=True):
    """What a server says in place of a result."""

    code: int = 0
    message: str = ""

    @property
    def reason(self) -> FailureReason:
        """RATE_LIMITED: ask later or elsewhere. TOO_LARGE: less at once may pass. SHAPE: it means this call alone."""
        words = self.message.lower()
        if self.code in _BUSY_CODES or any(word in words for word in _BUSY_WORDS):
            return FailureReason.RATE_LIMITED
        if self.code in _LARGE_CODES or any(word in words for word in _LARGE_WORDS):
            return FailureReason.TOO_LARGE
        return FailureReason.SHAPE

    @property
    def is_of_the_answer(self) -> bool:
        """Too large is what we would be told at once, and not the thing that we ask about."""
        words = self.message.lower()
        return "response" in words or "batch" in words

    def __str__(self) -> str:
        return f"{self.code} {self.message[:200]}"


class _Request(Struct):
    id: int
    method: str
    params: tuple[str | int, ...]
    jsonrpc: str = "2.0"


class Message(Struct):
    """An answer, or with a method a notification."""

    id: int | str | None = None
    method: str | None = None
    result: Raw = Raw()
    error: Refusal | str | None = None


_DECODER: msgspec.json.Decoder[list[Message] | Message] = msgspec.json.Decoder(list[Message] | Message)


class _Waiting:
    def __init__(self) -> None:
        self.answers: dict[int, Message | None] = {}  # by id; None is not answered yet
        self.left = 0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Lines(asyncio.Protocol):
    """Needs a running event loop. `host` is who is named in errors."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._buffer = bytearray()
        self._number = 0
        self._waiting: dict[int, _Waiting] = {}  # by id
        self._unasked = 0  # notifications since the last answer
        self._end: tuple[FailureReason, str] | None = None
        self._lost = asyncio.Event()

    @property
    def ended(self) -> bool:
        return self._end is not None

    async def ask(self, calls: Sequence[Call]) -> list[Message]:
        """Send one batch; its answers in the order of `calls`.

        Raises `RemoteError`. Who stops waiting ends the connection: what comes late would answer nobody.
        """
        waiting = _Waiting()
        requests = [_Request(self._numbered(waiting), call.method, call.params) for call in calls]
        if self._end is None:
            self._transport.write(msgspec.json.encode(requests) + b"\n")
            try:
                await waiting.over
            finally:
                if waiting.left:
                    self.end(FailureReason.TIMEOUT, "no whole answer in time")
        match self._end:
            case (reason, detail) if waiting.left:
                raise RemoteError(reason, detail)
            case _:
                return [message for message in waiting.answers.values() if message is not None]

    def end(self, reason: FailureReason, detail: str) -> None:
        """Close the connection; whoever waits on it gets this reason."""
        if self._end is not None:
            return
        self._end = (reason, f"{self._host}: {detail}")
        self._transport.abort()
        self._buffer.clear()
        for waiting in self._waiting.values():
            if not waiting.over.done():
                waiting.over.set_result(None)
        self._waiting.clear()

    async def closed(self) -> None:
        """Returns when nothing of the connection is left."""
        await self._lost.wait()

    def certificate(self) -> bytes:
        """That which the server showed, in DER. TLS only."""
        shown: bytes = self._transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return shown

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # its kind is known
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        where = " in the middle of a line" if self._buffer else ""
        match exc:
            case OSError(errno=int(number)) if number > 0:
                self.end(FailureReason.CONNECTION, f"{os.strerror(number).lower()}{where}")
            case _:
                self.end(FailureReason.CONNECTION, f"closed the connection{where}")
        self._lost.set()

    def data_received(self, data: bytes) -> None:
        searched = len(self._buffer)
        self._buffer += data
        while self._end is None and (length := self._buffer.find(b"\n", searched)) >= 0:
            line = bytes(self._buffer[:length])
            del self._buffer[: length + 1]
            searched = 0
            self._take(line)
        if len(self._buffer) > LARGEST_LINE:
            self.end(FailureReason.TOO_LARGE, f"a line of more than {LARGEST_LINE >> 20} MiB")

    def _numbered(self, waiting: _Waiting) -> int:
        self._number += 1
        waiting.answers[self._number] = None
        waiting.left += 1
        if self._end is None:
            self._waiting[self._number] = waiting
        return self._number

    def _take(self, line: bytes) -> None:
        try:
            decoded = _DECODER.decode(line)
        except UNREADABLE as error:
            self.end(FailureReason.SCHEMA, f"not JSON-RPC: {error}")
            return
        match decoded:
            case Message():
                messages = [decoded]
            case list():
                messages = decoded
        answers = [message for message in messages if message.method is None]
        self._unasked = 0 if answers else self._unasked + len(messages)
        if self._unasked > MOST_UNASKED:
            self.end(FailureReason.TOO_LARGE, f"more than {MOST_UNASKED} notifications and no answer")
        self._match(answers)

    def _match(self, answers: list[Message]) -> None:
        numbers = {answer.id for answer in answers}
        if len(numbers) < len(answers) or not self._waiting.keys() >= numbers:
            self._refuse(answers)
            return
        for answer in answers:
            match answer.id:
                case int(number):
                    waiting = self._waiting.pop(number)
                    waiting.answers[number] = answer
                    waiting.left -= 1
                    if not waiting.left and not waiting.over.done():
                        waiting.over.set_result(None)
                case _:
                    pass

    def _refuse(self, answers: list[Message]) -> None:
        """An error without an id is about all of a batch, and which one it does not say."""
        match answers:
            case [Message(id=None, error=Refusal() as refusal)]:
                reason = refusal.reason
                self.end(FailureReason.TOO_LARGE if reason is FailureReason.SHAPE else reason, f"refused: {refusal}")
            case _:
                self.end(FailureReason.SCHEMA, "an answer to nothing that was asked, or a second one")
