"""Refusals as RFC 9457 problems: what was wrong, and what to do. The word is for programs, the detail for people."""

import math

import msgspec
from aiohttp import web
from msgspec import Struct


class Problem(Exception):  # noqa: N818 - what RFC 9457 calls it
    """Ends a request. `word` is also the reason by which refusals are counted; `more` is shown beside it."""

    def __init__(self, status: int, word: str, detail: str, *, wait: float = 0.0, **more: str | None) -> None:
        super().__init__(detail)
        self.word = word
        self.status = status
        self._body = {"type": f"urn:cexwatch:freeze:{word}", "title": word, "status": status, "detail": detail, **more}
        self._headers = {"Retry-After": str(math.ceil(wait))} if wait else {}

    def response(self) -> web.Response:
        return web.Response(
            body=msgspec.json.encode(self._body),
            status=self.status,
            content_type="application/problem+json",
            headers=self._headers,
        )


class Answer(Struct, frozen=True):
    """A body and how it is answered."""

    body: object
    status: int = 200

    def response(self) -> web.Response:
        return web.Response(body=msgspec.json.encode(self.body), status=self.status, content_type="application/json")
