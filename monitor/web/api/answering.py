"""Every operation is answered in one way: who asks, what is asked, the handler, the answer with its validator."""

from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

from aiohttp import hdrs, web

from monitor.clock import Clock
from monitor.web.api import asking, openapi
from monitor.web.api.encoding import encoded
from monitor.web.api.operation import ROOT, Asked, Decide, Desk, Drills, Operation, Records, Say
from monitor.web.api.operations import OPERATIONS
from monitor.web.api.problem import Handler, RefusedError
from monitor.web.api.visitor import Visitor, Visitors, by_machine
from monitor.web.idempotency import HEADER, LONGEST_KEY, Idempotency


class Api:
    """`operations` are all there are; `visitors` tells who asks.

    `decide` tells what becomes of a word on a draft, `say` of any other.
    """

    def __init__(
        self,
        records: Records,
        *,
        drills: Drills,
        clock: Clock,
        alive: Callable[[], bool],
        ready: Callable[[], str | None],
        config_sha256: Callable[[], str | None],
        visitors: Visitors = by_machine,
        decide: Decide,
        say: Say,
        operations: Sequence[Operation[Any, Any, Any]] = OPERATIONS,
    ) -> None:
        self._operations = operations
        self._visitors = visitors
        self._desk = Desk(
            records=records,
            drills=drills,
            clock=clock,
            alive=alive,
            ready=ready,
            config_sha256=config_sha256,
            document=openapi.document(operations),
            decide=decide,
            say=say,
        )
        self._idempotency = Idempotency(records, clock)

    def routes(self) -> list[web.RouteDef]:
        """Whatever can be got can be asked for without its body, too (HEAD)."""
        add = {"GET": web.get, "POST": web.post}
        return [add[each.method](f"{ROOT}{each.path}", self._handler(each)) for each in self._operations]

    def _handler(self, operation: Operation[Any, Any, Any]) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            return await self._answer(operation, request)

        return answer

    async def _answer(self, operation: Operation[Any, Any, Any], request: web.Request) -> web.Response:
        asking.require_json_wanted(request)
        visitor = await self._visitors(request)
        _admit(operation, visitor)
        if operation.of_now and not self._desk.alive():
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "the pipeline does not turn: nothing is known of now")
        sent = await asking.sent(request, operation.body)
        asked = Asked(
            path=asking.path(request),
            query=asking.query(request, operation.query),
            body=asking.body(sent, operation.body),
            visitor=visitor,
        )
        work = partial(self._done, operation, asked, request)
        key = request.headers.get(HEADER)
        if operation.method == "GET" or key is None:
            return await work()
        if not 0 < len(key) <= LONGEST_KEY:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"{HEADER}: 1 to {LONGEST_KEY} characters")
        return await self._idempotency.once(key, who=visitor.name, asked=_told_apart(request, sent), work=work)

    async def _done(
        self, operation: Operation[Any, Any, Any], asked: Asked[Any, Any], request: web.Request
    ) -> web.Response:
        body, validator = await encoded(await operation.handle(self._desk, asked))
        if operation.method == "POST":
            headers = {hdrs.CACHE_CONTROL: "no-store"}
            return web.Response(body=body, status=operation.status, content_type=asking.MEDIA_TYPE, headers=headers)
        # Who may keep it asks each time whether it still holds: to others, or to the same signed out, less is told.
        headers = {
            hdrs.CACHE_CONTROL: "no-store" if operation.of_now else "private, no-cache",
            hdrs.ETAG: f'W/"{validator}"',
        }
        if any(each.value in (validator, "*") for each in request.if_none_match or ()):
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        return web.Response(body=body, content_type=asking.MEDIA_TYPE, headers=headers)


def _admit(operation: Operation[Any, Any, Any], visitor: Visitor) -> None:
    if not operation.roles:
        return
    if not visitor.name:
        challenge = {"WWW-Authenticate": 'Session realm="cexwatch"'}
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "sign in first", headers=challenge)
    if visitor.role not in operation.roles:
        raise RefusedError(HTTPStatus.FORBIDDEN, f"this is for: {', '.join(operation.roles)}")


def _told_apart(request: web.Request, sent: bytes) -> bytes:
    return b"\n".join((request.method.encode(), request.path_qs.encode(), sent))
