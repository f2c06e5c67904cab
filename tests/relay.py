"""A JSON-RPC server between the daemon and a node, or in place of one, that counts and can be told to misbehave."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.chains.jsonrpc import Endpoint

Message = dict[str, object]
Answer = Callable[[Message], Awaitable[Message]]


class Relay:
    """`answer` answers one call; `spoil` may change the answers of a batch; `refuse` may refuse a whole request."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.spoil: Callable[[list[Message]], list[Message]] = lambda answers: answers
        self.refuse: Callable[[int], web.Response | None] = lambda _: None  # of a batch's size; 0: a lone call
        self.sizes: list[int] = []  # calls in each request that was not refused
        self.requests = 0
        self.endpoint = Endpoint(url="")

    async def handle(self, request: web.Request) -> web.Response:
        asked = msgspec.json.decode(await request.read(), type=list[Message] | Message)
        calls = asked if isinstance(asked, list) else [asked]
        self.requests += 1
        refusal = self.refuse(len(asked) if isinstance(asked, list) else 0)
        if refusal is not None:
            return refusal
        self.sizes.append(len(calls))
        answers = self.spoil([await self.answer(call) for call in calls])
        body = msgspec.json.encode(answers if isinstance(asked, list) else answers[0])
        return web.Response(body=body, content_type="application/json")


@asynccontextmanager
async def relay(answer: Answer) -> AsyncIterator[Relay]:
    running = Relay(answer)
    app = web.Application()
    app.router.add_post("/", running.handle)
    async with TestServer(app, host="127.0.0.1") as server:
        running.endpoint = Endpoint(url=str(server.make_url("/")), allow_private=True)
        yield running


@asynccontextmanager
async def relay_to(url: str) -> AsyncIterator[Relay]:
    """A relay whose answers are those of the node at `url`."""
    async with aiohttp.ClientSession(headers={"Content-Type": "application/json"}) as session:

        async def ask(call: Message) -> Message:
            async with session.post(url, data=msgspec.json.encode(call)) as response:
                return msgspec.json.decode(await response.read(), type=Message)

        async with relay(ask) as running:
            yield running
