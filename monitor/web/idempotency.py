"""Who asks again under the same key gets the same answer, and nothing is done twice: also after a restart."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Protocol

import msgspec
from aiohttp import hdrs, web

from monitor.clock import Clock
from monitor.model.records import KeptAnswer
from monitor.web.api.problem import RefusedError, problem

HEADER = "Idempotency-Key"
LONGEST_KEY = 200
KEPT = timedelta(hours=24)
REPLAYED = "Idempotency-Replayed"
NOT_DONE = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
"""Nothing was done, and the same may be granted later: the key is free again."""


class Answers(Protocol):
    """Where answers outlive a restart."""

    async def begin_answer(
        self, key: bytes, *, fingerprint: bytes, now: datetime, until: datetime
    ) -> KeptAnswer | None: ...
    async def keep_answer(self, key: bytes, answer: KeptAnswer) -> None: ...
    async def forget_answer(self, key: bytes) -> None: ...


class Idempotency:
    """The keys of all callers. A key is its caller's own: the same word of another is another key."""

    def __init__(self, answers: Answers, clock: Clock) -> None:
        self._answers = answers
        self._clock = clock
        self._under_way: set[bytes] = set()

    async def once(
        self, key: str, *, who: str, asked: bytes, work: Callable[[], Awaitable[web.Response]]
    ) -> web.Response:
        """The answer of `work`, or the one kept under `key`. `asked` is all that makes the request what it is.

        Raises RefusedError: 422 for another request under the key, 409 while the first is under way, or where nobody
        knows how it ended.
        """
        name, fingerprint = _digest(who, key), hashlib.sha256(asked).digest()
        if name in self._under_way:
            raise RefusedError(HTTPStatus.CONFLICT, f"{HEADER}: the first request is under way", headers=_SOON)
        self._under_way.add(name)
        try:
            now = self._clock.now()
            kept = await self._answers.begin_answer(name, fingerprint=fingerprint, now=now, until=now + KEPT)
            if kept is not None:
                return _again(kept, fingerprint)
            return await self._kept(name, await _answered(work), fingerprint)
        finally:
            self._under_way.discard(name)

    async def _kept(self, name: bytes, answer: web.Response, fingerprint: bytes) -> web.Response:
        if answer.status in NOT_DONE:
            await self._answers.forget_answer(name)
            return answer
        body = _bytes_of(answer)
        await self._answers.keep_answer(name, KeptAnswer(fingerprint, answer.status, answer.content_type, body))
        return answer


_SOON = {"Retry-After": "1"}


async def _answered(work: Callable[[], Awaitable[web.Response]]) -> web.Response:
    try:
        return await work()
    except RefusedError as refused:
        return problem(refused.status, refused.detail, headers=refused.headers, shown=refused.shown)


def _again(kept: KeptAnswer, fingerprint: bytes) -> web.Response:
    if kept.fingerprint != fingerprint:
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{HEADER}: it was used for another request")
    if kept.status is None:
        told = (
            f"{HEADER}: the first request was cut off, and whether it was done is not known: look, then use a new key"
        )
        raise RefusedError(HTTPStatus.CONFLICT, told)
    headers = {hdrs.CACHE_CONTROL: "no-store", REPLAYED: "true"}
    return web.Response(body=kept.body, status=kept.status, content_type=kept.content_type, headers=headers)


def _digest(who: str, key: str) -> bytes:
    return hashlib.sha256(msgspec.json.encode((who, key))).digest()


def _bytes_of(answer: web.Response) -> bytes:
    match answer.body:
        case bytes(body):
            return body
        case other:
            raise TypeError(f"an answer that is kept is made of bytes, not of {other!r}")
