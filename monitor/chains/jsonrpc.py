"""JSON-RPC over HTTP POST: answers matched by id, batches as large as a node takes.

A call without an answer of its own is `Unread`; it is never a value.
"""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Raw, Struct

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, RemoteError

CALLS_PER_BATCH = 100  # what bor and erigon take unless told otherwise
DOUBLE_AFTER_SECONDS = 300.0  # so a node with a fixed limit refuses us once in that time, and one that erred recovers

SMALLER_MAY_PASS = (FailureReason.TOO_LARGE, FailureReason.HTTP_4XX, FailureReason.HTTP_5XX)
"""Reasons for which the same question in smaller pieces may be answered."""

# EIP-1474 "limit exceeded", geth's "batch too large" and "response too large", HTTP's 429 where it is put in a body.
_LIMIT_CODES = (-32005, -32600, -32003, 429)
_LIMIT_WORDS = ("batch", "too large", "too many requests", "rate limit", "limit exceeded")

# What msgspec raises on bytes from outside: bad shape, bad UTF-8, nesting without end.
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Param = str | int | bool | list[str] | Struct


class Endpoint(Struct, frozen=True, kw_only=True):
    """Where a node listens. The URL may hold a key, so only its host is ever shown."""

    url: str
    allow_private: bool = False

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.host})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("host", self.host)]


class Call(Struct, Generic[T_co], frozen=True):
    """A question and how its result is read; `read` raises `msgspec.ValidationError` on what it cannot read."""

    method: str
    params: tuple[Param, ...]
    read: Callable[[Raw], T_co]


class Unread(Struct, frozen=True):
    """A call that brought no value."""

    detail: str


class _Request(Struct):
    id: int
    method: str
    params: tuple[Param, ...]
    jsonrpc: str = "2.0"


class _Refusal(Struct):
    code: int = 0
    message: str = ""


_NOTHING = Raw()


class _Answer(Struct):
    id: int | str | None = None
    result: Raw = _NOTHING
    error: _Refusal | None = None


_DECODER: msgspec.json.Decoder[list[_Answer] | _Answer] = msgspec.json.Decoder(list[_Answer] | _Answer)


class Node:
    """One endpoint and how many calls at once it takes."""

    def __init__(self, http: Http, clock: Clock, endpoint: Endpoint) -> None:
        self._http = http
        self._clock = clock
        self._endpoint = endpoint
        self._size = CALLS_PER_BATCH
        self._sized_at = 0.0  # on the monotonic clock

    @property
    def host(self) -> str:
        return self._endpoint.host

    async def call(self, call: Call[T]) -> T | Unread:
        """Ask one thing. Raises `RemoteError` where the node gives no answer at all."""
        return (await self._exchange((call,)))[0]

    async def batch(self, calls: Sequence[Call[T]]) -> list[T | Unread]:
        """Ask many things; the answers in the order of `calls`.

        A batch that is refused is halved, down to single calls. Raises `RemoteError` where even that is not answered.
        """
        answers: list[T | Unread] = []
        while len(answers) < len(calls):
            chunk = calls[len(answers) : len(answers) + self._size]
            try:
                answers += await self._exchange(chunk)
            except RemoteError as error:
                if len(chunk) == 1 or error.reason not in SMALLER_MAY_PASS:
                    raise
                self._resize(len(chunk) // 2)
            else:
                if self._clock.monotonic() - self._sized_at > DOUBLE_AFTER_SECONDS:
                    self._resize(min(CALLS_PER_BATCH, 2 * self._size))
        return answers

    def _resize(self, size: int) -> None:
        self._size = size
        self._sized_at = self._clock.monotonic()

    async def _exchange(self, chunk: Sequence[Call[T]]) -> list[T | Unread]:
        requests = [_Request(place, call.method, call.params) for place, call in enumerate(chunk, start=1)]
        answers = await self._post(requests)
        self._refuse_limits(answers, asked=len(chunk))
        by_id: dict[int | str | None, list[_Answer]] = {}
        for answer in answers:
            by_id.setdefault(answer.id, []).append(answer)
        return [_read(call, by_id.get(place, [])) for place, call in enumerate(chunk, start=1)]

    async def _post(self, requests: list[_Request]) -> list[_Answer]:
        # Some nodes take no batches at all, so a lone request goes as an object.
        body = msgspec.json.encode(requests if len(requests) > 1 else requests[0])
        answer = await self._http.post(self._endpoint.url, body, allow_private=self._endpoint.allow_private)
        try:
            decoded = _DECODER.decode(answer.body)
        except _UNREADABLE as error:
            raise RemoteError(FailureReason.SCHEMA, f"{self.host}: not JSON-RPC: {error}") from error
        match decoded:
            case list():
                return decoded
            case _Answer():
                return [decoded]

    def _refuse_limits(self, answers: list[_Answer], *, asked: int) -> None:
        for answer in answers:
            refusal = answer.error
            if refusal is None or not (_is_limit(refusal) or (answer.id is None and asked > 1)):
                continue
            reason = FailureReason.TOO_LARGE if asked > 1 else FailureReason.RATE_LIMITED
            raise RemoteError(reason, f"{self.host}: {asked} calls refused: {refusal.code} {refusal.message[:200]}")


def _is_limit(refusal: _Refusal) -> bool:
    message = refusal.message.lower()
    if "reverted" in message:  # a contract's own words prove nothing about the node
        return False
    return refusal.code in _LIMIT_CODES or any(words in message for words in _LIMIT_WORDS)


def _read(call: Call[T], answers: list[_Answer]) -> T | Unread:
    match answers:
        case [_Answer(error=None, result=result)] if result != _NOTHING:
            try:
                return call.read(result)
            except _UNREADABLE as error:
                return Unread(f"{call.method}: {error}")
        case [_Answer(error=_Refusal(code=code, message=message))]:
            return Unread(f"{call.method}: {code} {message[:200]}")
        case []:
            return Unread(f"{call.method}: not answered")
        case [_]:
            return Unread(f"{call.method}: neither result nor error")
        case _:
            return Unread(f"{call.method}: answered twice")
