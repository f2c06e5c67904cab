"""JSON-RPC of a node of the bitcoin family (Bitcoin Core, Litecoin Core, Dogecoin Core), as its owner may ask it.

A lone question goes as a batch of one: a node answers that with 200 whatever it says inside, where to a lone object
it answers an error with 500 and our HTTP would not read it.
"""

from base64 import b64encode
from collections.abc import Sequence
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct

from monitor.chains.jsonrpc import Call, Endpoint, Param
from monitor.http import Http
from monitor.model import FailureReason, RemoteError

CALLS_PER_BATCH = 250
SECONDS = 30.0  # a whole block in JSON takes a node a few

UNREADABLE = (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError)
"""What reading a result raises; the `read` of a `Call` may raise any of them here."""

_SMALLER_MAY_PASS = (FailureReason.TOO_LARGE, FailureReason.HTTP_4XX, FailureReason.HTTP_5XX, FailureReason.TIMEOUT)

T = TypeVar("T")


class CoreEndpoint(Endpoint, frozen=True, kw_only=True):
    """A node and who asks it."""

    user: str
    password: str


class Refused(Struct, frozen=True):
    """What a node said in place of a result."""

    method: str
    code: int
    message: str


class _Request(Struct):
    id: int
    method: str
    params: tuple[Param, ...]
    jsonrpc: str = "1.0"


class _Error(Struct):
    code: int = 0
    message: str = ""


class _Answer(Struct):
    id: int | None = None
    result: Raw = Raw()
    error: _Error | None = None


_DECODER: msgspec.json.Decoder[list[_Answer]] = msgspec.json.Decoder(list[_Answer])


class CoreRpc:
    """One node."""

    def __init__(self, http: Http, endpoint: CoreEndpoint) -> None:
        self._http = http
        self._endpoint = endpoint
        pair = f"{endpoint.user}:{endpoint.password}".encode()
        self._headers = {"Authorization": f"Basic {b64encode(pair).decode()}"}

    @property
    def host(self) -> str:
        return self._endpoint.host

    async def ask(self, call: Call[T], *, timeout: float = SECONDS) -> T:
        """The result. Raises `RemoteError`: LAG for a node that starts and for a block it does not have."""
        (answer,) = await self._exchange([call], timeout=timeout)
        if isinstance(answer, Refused):
            raise self._refusal(answer)
        return answer

    async def batch(self, calls: Sequence[Call[T]]) -> list[T | Refused]:
        """The results in the order of `calls`. A batch that is too much is halved, down to single calls."""
        answers: list[T | Refused] = []
        size = CALLS_PER_BATCH
        while len(answers) < len(calls):
            chunk = calls[len(answers) : len(answers) + size]
            try:
                answers += await self._exchange(chunk, timeout=SECONDS)
            except RemoteError as error:
                if len(chunk) == 1 or error.reason not in _SMALLER_MAY_PASS:
                    raise
                size = len(chunk) // 2
        return answers

    async def _exchange(self, calls: Sequence[Call[T]], *, timeout: float) -> list[T | Refused]:
        requests = [_Request(place, call.method, call.params) for place, call in enumerate(calls)]
        answer = await self._http.post(
            self._endpoint.url,
            msgspec.json.encode(requests),
            headers=self._headers,
            allow_private=self._endpoint.allow_private,
            timeout=timeout,
        )
        try:
            told = _DECODER.decode(answer.body)
            answers = {each.id: each for each in told}
            if len(answers) < len(told):
                raise RemoteError(FailureReason.SCHEMA, f"{self.host}: {calls[0].method}: answered twice")
            return [_read(call, answers[place]) for place, call in enumerate(calls)]
        except KeyError as error:
            raise RemoteError(FailureReason.SCHEMA, f"{self.host}: {calls[0].method}: not answered") from error
        except UNREADABLE as error:
            raise RemoteError(FailureReason.SCHEMA, f"{self.host}: {calls[0].method}: {error}") from error

    def _refusal(self, refused: Refused) -> RemoteError:
        detail = f"{self.host}: {refused.method}: {refused.message[:200]} ({refused.code})"
        match refused.code:
            case -28:
                return RemoteError(FailureReason.LAG, detail)
            case -5 | -8 if refused.message.startswith(("Block not found", "Block height out of range")):
                return RemoteError(FailureReason.LAG, detail)
            case -8 if "Scan already in progress" in refused.message:
                return RemoteError(FailureReason.RATE_LIMITED, detail)
            case _:
                return RemoteError(FailureReason.SCHEMA, detail)


def _read(call: Call[T], answer: _Answer) -> T | Refused:
    if answer.error is not None:
        return Refused(method=call.method, code=answer.error.code, message=answer.error.message)
    return call.read(answer.result)
