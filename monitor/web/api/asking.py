"""Requests as the types of their operation: what is not of them is refused before a handler sees it."""

import asyncio
import re
from collections.abc import Mapping
from http import HTTPStatus
from types import NoneType
from typing import TypeVar

import msgspec
from aiohttp import hdrs, web
from msgspec import Struct, inspect, structs

from monitor.web.api.paging import NAME
from monitor.web.api.problem import RefusedError
from monitor.web.bodies import whole

LARGEST_BODY = 64 * 1024
BODY_SECONDS = 10.0  # real ones
MEDIA_TYPE = "application/json"

_T = TypeVar("_T")
_Query = TypeVar("_Query", bound=Struct)


def path(request: web.Request) -> Mapping[str, str]:
    """Its named parts. A name that nothing can have is that of nothing."""
    if not all(re.search(NAME, part) for part in request.match_info.values()):
        raise RefusedError(HTTPStatus.NOT_FOUND, "there is nothing of this name")
    return request.match_info


def query(request: web.Request, expected: type[_Query]) -> _Query:
    if len(set(request.query)) != len(request.query):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "the query names something twice")
    for name in _times(expected) & request.query.keys():
        if ":" not in request.query[name]:  # a number would be taken for seconds since 1970
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"the query is not understood: {name} is no time of RFC 3339")
    try:
        return msgspec.convert(dict(request.query), type=expected, strict=False)
    except msgspec.ValidationError as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"the query is not understood: {error}") from error


def _times(expected: type[Struct]) -> set[str]:
    """The names of what it wants as times, as a query writes them."""
    asked = ((field.encode_name, inspect.type_info(field.type)) for field in structs.fields(expected))
    return {name for name, told in asked if inspect.DateTimeType in map(type, _kinds(told))}


def _kinds(told: inspect.Type) -> tuple[inspect.Type, ...]:
    match told:
        case inspect.UnionType(types):
            return tuple(kind for each in types for kind in _kinds(each))
        case inspect.Metadata(inner):
            return _kinds(inner)
        case _:
            return (told,)


def body(sent: bytes, expected: type[_T]) -> _T:
    try:
        return msgspec.json.decode(sent, type=expected)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"the body is not understood: {error}") from error


async def sent(request: web.Request, expected: type) -> bytes:
    """The bytes of the body; "null" where none is expected. Raises RefusedError."""
    if expected is NoneType:
        return b"null"
    if request.content_type != MEDIA_TYPE or hdrs.CONTENT_ENCODING in request.headers:
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send the body as {MEDIA_TYPE}, and not packed")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            read = await whole(request, largest=LARGEST_BODY)
    except TimeoutError as error:
        raise RefusedError(HTTPStatus.REQUEST_TIMEOUT, f"no whole body within {BODY_SECONDS:.0f} s") from error
    except (web.RequestPayloadError, ConnectionError) as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "the body broke off or was garbled") from error
    if read is None:
        raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body has more than {LARGEST_BODY} bytes")
    return read


def require_json_wanted(request: web.Request) -> None:
    """Raises RefusedError for one who takes anything but JSON (RFC 9110, 12.5.1: the closest range decides)."""
    accepted = ",".join(request.headers.getall(hdrs.ACCEPT, []))
    if accepted.strip() and not _quality(accepted) > 0:
        raise RefusedError(HTTPStatus.NOT_ACCEPTABLE, f"all there is is {MEDIA_TYPE}")


def _quality(accepted: str) -> float:
    ranges = {}
    for told in accepted.split(","):
        media, _, parameters = told.partition(";")
        found = re.search(r"(?:^|;)\s*q=([01](?:\.\d{0,3})?)\s*(?:;|$)", parameters)
        ranges[media.strip().lower()] = float(found[1]) if found else 1.0
    return next((ranges[name] for name in (MEDIA_TYPE, "application/*", "*/*") if name in ranges), 0.0)
