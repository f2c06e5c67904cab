"""Signing in and out. Nothing but a form that was filled in here opens a session, and always a new one."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeAlias
from urllib.parse import quote

from aiohttp import web

from monitor.people.signing_in import Person, SignInError
from monitor.web.session import CSRF_FIELD, Visitors, carries

FORM_BYTES = 64 * 1024

Show: TypeAlias = Callable[..., Awaitable[web.Response]]
"""Renders a template with a context: (request, template, context, *, status)."""


class Auth:
    def __init__(self, visitors: Visitors, show: Show) -> None:
        self._visitors = visitors
        self._show = show

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/sign-in", self.form),
            web.post("/sign-in", self.sign_in),
            web.post("/sign-out", self.sign_out),
        ]

    async def form(self, request: web.Request) -> web.Response:
        """Who is signed in goes on: a link followed from elsewhere comes without the cookie, and leads here first."""
        if await self._visitors.person(request) is not None:
            raise web.HTTPSeeOther(_local(request.query.get("next", "")))
        return await self._form(request)

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        self._visitors.check_origin(request)
        form = await fields(request)
        device = self._visitors.device(request)
        try:
            name, password = form.get("name", ""), form.get("password", "")
            token = await self._visitors.sign_ins.sign_in(name, password, device=device)
        except SignInError as error:
            return await self._refused(request, form, error)
        await self._visitors.sign_ins.sign_out(request.cookies.get(self._visitors.cookie(request), ""))
        response = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": _local(form.get("next", ""))})
        longest = int(self._visitors.sign_ins.longest.total_seconds())
        secure = self._visitors.is_secure(request)
        response.set_cookie(
            self._visitors.cookie(request), token, max_age=longest, httponly=True, samesite="Strict", secure=secure
        )
        return response

    async def sign_out(self, request: web.Request) -> web.StreamResponse:
        await self.checked(request)
        name = self._visitors.cookie(request)
        await self._visitors.sign_ins.sign_out(request.cookies.get(name, ""))
        response = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": "/drafts"})
        response.del_cookie(name, secure=self._visitors.is_secure(request), httponly=True, samesite="Strict")
        return response

    async def checked(self, request: web.Request) -> tuple[Person, dict[str, str]]:
        """Who sends a form, and its fields. Raises HTTPForbidden and HTTPSeeOther to the sign-in."""
        self._visitors.check_origin(request)
        form = await fields(request)
        person = await self._visitors.person(request)
        if person is None:
            raise web.HTTPSeeOther(f"/sign-in?next={quote(form.get('back', '/drafts'), safe='')}")
        if not carries(person, form.get(CSRF_FIELD, "")):
            raise web.HTTPForbidden(text="this form is not of your sign-in: load the page again\n")
        return person, form

    async def _refused(self, request: web.Request, form: dict[str, str], error: SignInError) -> web.Response:
        status = HTTPStatus.TOO_MANY_REQUESTS if error.seconds else HTTPStatus.FORBIDDEN
        response = await self._form(request, form.get("name", ""), str(error), status, form.get("next", ""))
        if error.seconds:
            response.headers["Retry-After"] = f"{error.seconds + 0.5:.0f}"
        return response

    async def _form(
        self,
        request: web.Request,
        name: str = "",
        problem: str = "",
        status: HTTPStatus = HTTPStatus.OK,
        back: str = "",
    ) -> web.Response:
        context = {
            "name": name[:64],
            "problem": problem,
            "back": _local(back or request.query.get("next", "")),
            "is_open": await self._visitors.sign_ins.is_open(),
        }
        return await self._show(request, "sign_in.html", context, status=status)


async def fields(request: web.Request) -> dict[str, str]:
    """The fields of a form as text. Raises HTTPRequestEntityTooLarge and HTTPUnsupportedMediaType."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType(text="a form is expected\n")
    if (request.content_length or 0) > FORM_BYTES:
        raise web.HTTPRequestEntityTooLarge(max_size=FORM_BYTES, actual_size=request.content_length or 0)
    return {name: str(value) for name, value in (await request.post()).items()}


def _local(path: str) -> str:
    """Where to go on: a path of ours, and nowhere else."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_ours and "\\" not in path else "/drafts"
