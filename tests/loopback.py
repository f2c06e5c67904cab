"""A server on a free port of loopback that answers as a function says, until a test lets it fail or fall silent."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Self
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web
from msgspec import Struct

SHUTDOWN_SECONDS = 1.0


class Asked(Struct, frozen=True, kw_only=True):
    """A request as it came; `path` is without the query and not decoded."""

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes

    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.query_string, keep_blank_values=True))


class Answer(Struct, frozen=True, kw_only=True):
    body: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = {}


def as_json(value: object, *, status: int = 200, headers: Mapping[str, str] = {}) -> Answer:
    return Answer(body=msgspec.json.encode(value), status=status, headers=headers)


def as_text(text: str, *, status: int = 200, content_type: str = "text/plain") -> Answer:
    return Answer(body=text.encode(), status=status, content_type=content_type)


NOT_FOUND = as_text("<html><head><title>404 Not Found</title></head></html>", status=404, content_type="text/html")
BAD_GATEWAY = as_text("<html><h1>502 Bad Gateway</h1></html>", status=502, content_type="text/html")
CUT_OFF = Answer(body=b'{"result": {"sta')
"""JSON that stops in the middle."""


class _Fault(Struct, kw_only=True):
    answer: Answer
    when: Callable[[Asked], bool]
    times: int | None


def always(_asked: Asked) -> bool:
    return True


class Loopback:
    """`requests` counts by path; `asked` keeps every request, oldest first."""

    def __init__(self, answer: Callable[[Asked], Answer], *, host: str = "127.0.0.1") -> None:
        """Another `host` of 127.0.0.0/8 makes it another host to clients that tell endpoints apart by name."""
        self.requests: Counter[str] = Counter()
        self.asked: list[Asked] = []
        self.url = ""
        self._answer = answer
        self._host = host
        self._faults: list[_Fault] = []
        self._speaks = asyncio.Event()
        self._speaks.set()
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, 0).start()
        self.url = f"http://{self._host}:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._speaks.set()
        await self._runner.cleanup()

    def fail(self, answer: Answer, *, times: int | None = None, when: Callable[[Asked], bool] = always) -> None:
        """Give `answer` to the next `times` requests that `when` picks; to all of them where `times` is None."""
        self._faults.append(_Fault(answer=answer, when=when, times=times))

    def recover(self) -> None:
        """Forget every fault."""
        self._faults.clear()

    def fall_silent(self) -> None:
        """Take requests and say nothing, until `speak`."""
        self._speaks.clear()

    def speak(self) -> None:
        self._speaks.set()

    async def _serve(self, request: web.Request) -> web.Response:
        path, _, query_string = request.raw_path.partition("?")
        asked = Asked(
            method=request.method,
            path=path,
            query_string=query_string,
            headers=request.headers,
            body=await request.read(),
        )
        self.requests[path] += 1
        self.asked.append(asked)
        await self._speaks.wait()
        answer = self._fault(asked) or self._answer(asked)
        return web.Response(
            body=answer.body, status=answer.status, content_type=answer.content_type, headers=answer.headers
        )

    def _fault(self, asked: Asked) -> Answer | None:
        for fault in self._faults:
            if fault.times != 0 and fault.when(asked):
                fault.times = None if fault.times is None else fault.times - 1
                return fault.answer
        return None


def asks_for(text: str) -> Callable[[Asked], bool]:
    """Picks requests with `text` in their path, query or body."""

    def picks(asked: Asked) -> bool:
        return text in f"{asked.path}?{asked.query_string}" or text.encode() in asked.body

    return picks
