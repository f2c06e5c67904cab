"""Who asks the API: the sign-ins are those of the pages, and what changes something shows that it comes from one."""

from http import HTTPStatus

from aiohttp import web

from monitor.web.api import visitor
from monitor.web.api.problem import RefusedError
from monitor.web.api.visitor import Visitor
from monitor.web.session import CSRF_HEADER, Visitors, carries


def callers(visitors: Visitors) -> visitor.Visitors:
    """Raises RefusedError for a POST that no page of ours sends, and for a name that no trusted proxy gives."""

    async def caller(request: web.Request) -> Visitor:
        try:
            if request.method == "POST":
                visitors.check_origin(request)
            person = await visitors.person(request)
        except web.HTTPForbidden as refused:
            raise RefusedError(HTTPStatus.FORBIDDEN, (refused.text or "").strip()) from refused
        if person is None:
            return await visitor.by_machine(request)
        if request.method == "POST" and not carries(person, request.headers.get(CSRF_HEADER, "")):
            raise RefusedError(HTTPStatus.FORBIDDEN, f"{CSRF_HEADER} is not that of your sign-in")
        return Visitor(name=person.name, is_insider=True, role=person.role, csrf=person.csrf)

    return caller
