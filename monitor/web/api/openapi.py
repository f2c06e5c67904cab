"""The OpenAPI 3.1 document, made of the rows of operations and of the very types that handlers answer with."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from types import NoneType
from typing import Any

import msgspec

from monitor.web.api.asking import LARGEST_BODY, MEDIA_TYPE
from monitor.web.api.operation import ROOT, Operation
from monitor.web.api.paging import NAME
from monitor.web.api.problem import MEDIA_TYPE as PROBLEM
from monitor.web.api.problem import Refusal
from monitor.web.idempotency import HEADER, LONGEST_KEY
from monitor.web.session import COOKIE, CSRF_HEADER, SECURE_COOKIE

_ABOUT = """\
What cexwatch knows of exchanges. Times are RFC 3339 in UTC, amounts are decimal strings: whole coins, or US dollars
where the name ends with `_usd` or is `usd`. `null` is *not known* and never nothing. Fields may be added. What can be
got can be asked for by HEAD too."""
_PATH = {
    "name": ("The exchange's name in the configuration", "kraken"),
    "id": ("What lists tell as `id`", "kraken-withdrawal_halt-20260203T140000Z"),
}
"""What a part of a path is, and an example."""
_REFUSALS = {
    HTTPStatus.BAD_REQUEST: "What was sent is not understood",
    HTTPStatus.UNAUTHORIZED: "Nobody has signed in",
    HTTPStatus.FORBIDDEN: "Who asks may not",
    HTTPStatus.NOT_FOUND: "There is no such thing",
    HTTPStatus.NOT_ACCEPTABLE: "Who asks takes no JSON",
    HTTPStatus.REQUEST_TIMEOUT: "The body did not come whole in time",
    HTTPStatus.CONFLICT: "It goes against how things stand, or the first request of the key is under way",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: f"The body has more than {LARGEST_BODY} bytes",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is no JSON, or packed",
    HTTPStatus.UNPROCESSABLE_ENTITY: "The key was used for another request",
    HTTPStatus.SERVICE_UNAVAILABLE: "The daemon does not turn: nothing is known of now",
}
_OF_ALL = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_ACCEPTABLE)
_OF_POSTS = (
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)

Json = dict[str, Any]

_PLAIN, _OVER_TLS, _TOKEN = "session", "sessionOverTls", "token"
_SCHEMES: Json = {
    _PLAIN: {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "Set by signing in at /sign-in"},
    _OVER_TLS: {"type": "apiKey", "in": "cookie", "name": SECURE_COOKIE, "description": "The same over TLS"},
    _TOKEN: {"type": "apiKey", "in": "header", "name": CSRF_HEADER, "description": "`csrf` of /me"},
}


def document(operations: Sequence[Operation[Any, Any, Any]]) -> bytes:
    """The document as indented JSON."""
    types: list[type] = [Refusal, *(kind for each in operations for kind in (each.answer, each.body, each.query))]
    unique = list(dict.fromkeys(types))
    schemas, components = msgspec.json.schema_components(unique, ref_template="#/components/schemas/{name}")
    known = dict(zip(unique, schemas, strict=True))
    queries = {each.query: components.pop(each.query.__name__, {}) for each in operations}
    paths: dict[str, Json] = {}
    for each in operations:
        told = _operation(each, known, queries[each.query])
        paths.setdefault(each.path, {})[each.method.lower()] = told
    whole = {
        "openapi": "3.1.0",
        "info": {"title": "cexwatch", "version": "1", "description": _ABOUT},
        "servers": [{"url": ROOT}],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _SCHEMES},
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n"


def _operation(each: Operation[Any, Any, Any], known: dict[type, Json], query: Json) -> Json:
    told: Json = {
        "operationId": each.name,
        "description": each.about,
        "parameters": [*_path(each.path), *_query(query), *_headers(each)],
        "responses": _responses(each, known),
    }
    if each.body is not NoneType:
        told["requestBody"] = {"required": True, "content": {MEDIA_TYPE: {"schema": known[each.body]}}}
    if each.roles:
        told["x-roles"] = list(each.roles)
    told["security"] = _security(each)
    return told


def _security(each: Operation[Any, Any, Any]) -> list[Json]:
    """Whoever reads what is for everybody may be signed in, and is told more."""
    token: Json = {_TOKEN: []} if each.method == "POST" else {}
    signed_in = [{cookie: [], **token} for cookie in (_PLAIN, _OVER_TLS)]
    return signed_in if each.roles else [{}, *signed_in]


def _responses(each: Operation[Any, Any, Any], known: dict[type, Json]) -> Json:
    granted: Json = {"description": "The answer", "content": {MEDIA_TYPE: {"schema": known[each.answer]}}}
    told: Json = {str(each.status.value): granted}
    if each.method == "GET":
        granted["headers"] = {"ETag": {"required": True, "schema": {"type": "string"}}}
        told["304"] = {"description": "What If-None-Match names still holds"}
    refused = {"schema": known[Refusal]}
    for status in _refusals(each):
        told[str(status.value)] = {"description": _REFUSALS[status], "content": {PROBLEM: refused}}
    return told


def _refusals(each: Operation[Any, Any, Any]) -> list[HTTPStatus]:
    found = [*_OF_ALL, *each.refusals]
    if "{" in each.path:
        found.append(HTTPStatus.NOT_FOUND)
    if each.of_now:
        found.append(HTTPStatus.SERVICE_UNAVAILABLE)
    if each.method == "POST":
        found += _OF_POSTS
    if each.roles:
        found += (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
    return sorted(set(found))


def _path(path: str) -> list[Json]:
    return [_part(name, *_PATH[name]) for name in re.findall(r"\{(\w+)\}", path)]


_OF_OUR_PAGES: list[Json] = [
    {
        "name": "Origin",
        "in": "header",
        "required": True,
        "description": "The address of the daemon itself, or external_url: scheme and host",
        "schema": {"type": "string", "pattern": "^https?://[!-~]+$"},
    },
    {
        "name": CSRF_HEADER,
        "in": "header",
        "required": True,
        "description": "`csrf` of /me, which changes with each sign-in",
        "schema": {"type": "string", "pattern": "^[!-~]+$"},
    },
]


def _part(name: str, about: str, example: str) -> Json:
    schema = {"type": "string", "pattern": NAME}
    return {"name": name, "in": "path", "required": True, "description": about, "example": example, "schema": schema}


def _query(schema: Json) -> list[Json]:
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": field}
        for name, field in schema.get("properties", {}).items()
    ]


def _headers(each: Operation[Any, Any, Any]) -> list[Json]:
    if each.method == "GET":
        about = "The ETag of an answer that is at hand"
        return [{"name": "If-None-Match", "in": "header", "description": about, "schema": {"type": "string"}}]
    about = "A word of the caller's own: asked again within 24 h, the same is answered"
    schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY}
    key: Json = {"name": HEADER, "in": "header", "description": about, "schema": schema}
    return [key, *_OF_OUR_PAGES]
