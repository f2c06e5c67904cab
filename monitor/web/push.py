"""Where the operator's own software pushes its queue of withdrawals. The body is signed; nothing else lets one in."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Protocol

from aiohttp import web

from monitor.clock import Clock
from monitor.model import FailureReason, Reading, RemoteError
from monitor.web.bodies import whole

PATH = "/api/v1/push/{exchange}"
TIME_HEADER = "X-Cexwatch-Time"
SIGNATURE_HEADER = "X-Cexwatch-Signature"
LARGEST_BODY = 256 * 1024
BODY_SECONDS = 10.0  # real ones, as is the next
TAKE_SECONDS = 10.0
RETRY_SECONDS = "1"

_ANSWERS = {
    FailureReason.AUTH: HTTPStatus.UNAUTHORIZED,
    FailureReason.STALE: HTTPStatus.REQUEST_TIMEOUT,
    FailureReason.RATE_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
}


class Receiver(Protocol):
    """The pushes of one exchange. Each of these raises `RemoteError`, but for the last."""

    def verify(self, body: bytes, *, time: str, signature: str) -> datetime: ...
    def read(self, body: bytes) -> Reading: ...
    def admit(self) -> None: ...
    def dismiss(self) -> None: ...


class TakenBefore(Protocol):
    """Whether a push was taken before; from this question on it was, until its signature holds no longer."""

    async def __call__(self, digest: bytes, *, until: datetime, now: datetime) -> bool: ...


class Pushes:
    """`receivers` by exchange, as configured now; `take` queues a reading to be judged."""

    def __init__(
        self,
        clock: Clock,
        *,
        receivers: Callable[[], Mapping[str, Receiver]],
        taken_before: TakenBefore,
        take: Callable[[Reading], Awaitable[None]],
    ) -> None:
        self._clock = clock
        self._receivers = receivers
        self._taken_before = taken_before
        self._take = take

    def route(self) -> web.RouteDef:
        return web.post(PATH, self.receive)

    async def receive(self, request: web.Request) -> web.Response:
        """202 for a push that was taken; every other answer says in words why this one was not."""
        if "Content-Encoding" in request.headers:
            return _told(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "packed: send the body as it is, without Content-Encoding")
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await whole(request, largest=LARGEST_BODY)
        except TimeoutError:
            return _told(HTTPStatus.REQUEST_TIMEOUT, f"no whole body within {BODY_SECONDS:.0f} s")
        except (web.RequestPayloadError, ConnectionError):
            return _told(HTTPStatus.BAD_REQUEST, "the body broke off or was garbled")
        if body is None:
            return _told(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {LARGEST_BODY} bytes")
        try:
            return await self._receive(request, body)
        except RemoteError as error:
            return _told(_ANSWERS.get(error.reason, HTTPStatus.BAD_REQUEST), error.detail)

    async def _receive(self, request: web.Request, body: bytes) -> web.Response:
        receiver = self._receivers().get(request.match_info["exchange"])
        signature = request.headers.get(SIGNATURE_HEADER, "")
        if receiver is None:
            # In the words of a wrong signature, so that nobody learns which exchanges there are.
            raise RemoteError(FailureReason.AUTH, "the signature is not that of this time and body")
        until = receiver.verify(body, time=request.headers.get(TIME_HEADER, ""), signature=signature)
        reading = receiver.read(body)
        receiver.admit()
        if await self._taken_before(bytes.fromhex(signature), until=until, now=self._clock.now()):
            receiver.dismiss()
            return _told(HTTPStatus.CONFLICT, "this push was taken before: sign each with its own time")
        try:
            async with asyncio.timeout(TAKE_SECONDS):
                await self._take(reading)
        except TimeoutError:
            return _told(HTTPStatus.SERVICE_UNAVAILABLE, "the daemon is behind with judging: push again, signed anew")
        return _told(HTTPStatus.ACCEPTED, f"taken: {len(reading)} rails")


def _told(status: HTTPStatus, text: str) -> web.Response:
    headers = {"Retry-After": RETRY_SECONDS} if status is HTTPStatus.TOO_MANY_REQUESTS else {}
    return web.Response(text=f"{text}\n", status=status, headers=headers)
