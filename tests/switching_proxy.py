"""An endpoint in front of real nodes that can change over to another node, and tell other things than that does.

Each is at an address of loopback of its own, as endpoints of different operators are at hosts of their own.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.chains.jsonrpc import Endpoint
from tests.relay import Message

Rewrite = Callable[[Message, object], object]
"""From a call and its result to the result that is told instead."""


class SwitchingProxy:
    """Everything can be set at any time; until then it tells what the node tells."""

    def __init__(self, session: aiohttp.ClientSession, node: str) -> None:
        self.node = node  # the URL of the node behind it
        self.choose: Callable[[Message], str] = lambda _: self.node  # as a load balancer does, for each call
        self.amend: Callable[[Message], Message] = lambda call: call  # what the node is asked instead
        self.chain_id: int | None = None  # told in place of the node's
        self.rewrite: Rewrite = lambda _, result: result
        self.spoil: Callable[[Message, Message], Message] = lambda _, answer: answer  # of a call and its answer
        self.arrange: Callable[[list[Message]], list[Message]] = lambda answers: answers  # of a batch
        self.largest_batch: int | None = None  # calls; it answers more with an error
        self.largest_body: int | None = None  # bytes; it answers more with 413
        self.bodies: list[int] = []  # sizes of the requests, refused ones too
        self.is_up = True
        self.endpoint = Endpoint(url="")
        self._session = session

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.bodies.append(len(body))
        if not self.is_up:
            return web.Response(status=503)
        if self.largest_body is not None and len(body) > self.largest_body:
            return web.Response(status=413)
        asked = msgspec.json.decode(body, type=list[Message] | Message)
        if not isinstance(asked, list):
            return _told(self._as_told(asked, await self._forwarded(asked)))
        if self.largest_batch is not None and len(asked) > self.largest_batch:
            error = {"code": -32005, "message": f"at most {self.largest_batch} calls"}
            return _told({"jsonrpc": "2.0", "id": None, "error": error})
        return _told(self.arrange([self._as_told(call, await self._forwarded(call)) for call in asked]))

    async def _forwarded(self, call: Message) -> Message:
        async with self._session.post(self.choose(call), data=msgspec.json.encode(self.amend(call))) as response:
            return msgspec.json.decode(await response.read(), type=Message)

    def _as_told(self, call: Message, answer: Message) -> Message:
        if "result" in answer:
            answer = {**answer, "result": self._result(call, answer["result"])}
        return self.spoil(call, answer)

    def _result(self, call: Message, result: object) -> object:
        if call["method"] == "eth_chainId" and self.chain_id is not None:
            return hex(self.chain_id)
        return self.rewrite(call, result)


def _told(answer: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(answer), content_type="application/json")


@asynccontextmanager
async def switching_proxy(node: str, *, host: str = "127.0.0.2") -> AsyncIterator[SwitchingProxy]:
    """In front of the node at the URL `node`, on a free port of `host`, which is any address of loopback."""
    async with aiohttp.ClientSession(headers={"Content-Type": "application/json"}) as session:
        proxy = SwitchingProxy(session, node)
        application = web.Application(client_max_size=2**24)
        application.router.add_post("/", proxy.handle)
        async with TestServer(application, host=host) as server:
            proxy.endpoint = Endpoint(url=str(server.make_url("/")), allow_private=True)
            yield proxy
