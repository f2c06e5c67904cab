"""Refusals as RFC 9457 tells them: whatever is not answered below /api says why, in one shape."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus

import msgspec
from aiohttp import web
from msgspec import UNSET, Struct, UnsetType

from monitor.notices.difference import Piece
from monitor.store import UnavailableError

PREFIX = "/api/"
MEDIA_TYPE = "application/problem+json"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_WORDS = {
    HTTPStatus.NOT_FOUND: "there is no such resource: /api/v1/openapi.json lists those there are",
    HTTPStatus.METHOD_NOT_ALLOWED: "this resource does not know the method: the header Allow names those it knows",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the body is too large",
}


class Shown(Struct, frozen=True, kw_only=True):
    """What is to be looked at before anything is decided, and how it differs from what was."""

    draft: str
    text: str
    text_sha256: str
    diff: Sequence[Piece]


RETRY = {"Retry-After": "5"}


class Refusal(Struct, frozen=True, kw_only=True):
    """RFC 9457. `now` is the text that was not seen yet."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    now: Shown | UnsetType = UNSET


class RefusedError(Exception):
    """What was asked is refused; `detail` tells why and, if it can be helped, how."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        shown: Shown | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.shown = shown
        self.headers = headers if headers is not None else {}


def absent(what: str) -> RefusedError:
    return RefusedError(HTTPStatus.NOT_FOUND, f"there is no such {what}")


def problem(
    status: HTTPStatus, detail: str, *, headers: Mapping[str, str] | None = None, shown: Shown | None = None
) -> web.Response:
    now = UNSET if shown is None else shown
    refusal = Refusal(title=status.phrase, status=status.value, detail=detail, now=now)
    sent = {**(headers if headers is not None else {}), "Cache-Control": "no-store"}
    return web.Response(body=msgspec.json.encode(refusal), status=status, content_type=MEDIA_TYPE, headers=sent)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What handlers and the router refuse below /api, as problems; a database that cannot be used, everywhere."""
    if not request.path.startswith(PREFIX):
        return await _page(request, handler)
    try:
        return await handler(request)
    except UnavailableError as error:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, f"{error}: ask again", headers=RETRY)
    except RefusedError as refused:
        return problem(refused.status, refused.detail, headers=refused.headers, shown=refused.shown)
    except web.HTTPClientError as refused:
        status = HTTPStatus(refused.status)
        allowed = {"Allow": refused.headers["Allow"]} if "Allow" in refused.headers else {}
        return problem(status, _WORDS.get(status, refused.reason), headers=allowed)


async def _page(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except UnavailableError as error:
        raise web.HTTPServiceUnavailable(text=f"{error}: ask again\n", headers=RETRY) from error
