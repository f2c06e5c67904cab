"""A server of a user's on loopback: it checks the signature, remembers keys, and fails as it is told."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable
from enum import Enum, auto
from typing import Self

from aiohttp import web

from tests.steps import Step, go_on

SECRET = "webhook-secret-canary"  # noqa: S105


class Way(Enum):
    WELL = auto()
    DROP_AFTER = auto()
    ERROR_AFTER = auto()
    LIMITED = auto()
    ERROR = auto()
    GONE = auto()


class Receiver:
    """`taken` counts by key how often a request was acted on: a key that came before is not acted on again."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.heard: list[str] = []  # keys
        self.bodies: list[bytes] = []
        self.ways: list[Way] = []
        self.on_step: Callable[[Step], None] = go_on
        self.url = ""
        app = web.Application()
        app.router.add_post("/hook", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/hook"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        time, key = request.headers["X-Cexwatch-Time"], request.headers["Idempotency-Key"]
        signed = hmac.new(SECRET.encode(), f"{time}.".encode() + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(signed, request.headers["X-Cexwatch-Signature"]):
            return web.Response(status=401)
        self.heard.append(key)
        self.on_step(Step.RECEIVED)
        self.bodies.append(body)
        way = self.ways.pop(0) if self.ways else Way.WELL
        match way:
            case Way.LIMITED:
                return web.Response(status=429, headers={"Retry-After": "17"})
            case Way.ERROR:
                return web.Response(status=500)
            case Way.GONE:
                return web.Response(status=410)
            case _:
                self.taken[key] = 1  # once, however often it comes
                self.on_step(Step.TAKEN)
        if way is Way.DROP_AFTER:
            assert request.transport is not None
            request.transport.abort()
        response = web.Response(status=500 if way is Way.ERROR_AFTER else 202)
        await response.prepare(request)
        await response.write_eof()
        self.on_step(Step.ANSWERED)
        return response
