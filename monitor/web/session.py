"""Who asks a page: a device that is signed in, or whom a trusted proxy names. And that a form is one of ours."""

import hmac
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TypeAlias
from urllib.parse import urlsplit

from aiohttp import web
from msgspec import Struct

from monitor.people.signing_in import Device, Person, SignIns

COOKIE = "cexwatch"
SECURE_COOKIE = "__Host-cexwatch"
CSRF_FIELD = "csrf"
CSRF_HEADER = "X-CSRF-Token"

_PERSON = web.RequestKey[Person | None]("person")

Networks: TypeAlias = Sequence[IPv4Network | IPv6Network]


class Doors(Struct, frozen=True, kw_only=True):
    """How people may come in. `proxy_header` names the account where one of `proxies` connects."""

    external_url: str = ""
    proxy_header: str = ""
    proxies: Networks = ()


class Visitors:
    """Raises HTTPForbidden for what no browser of ours sends."""

    def __init__(self, sign_ins: SignIns, doors: Doors) -> None:
        self.sign_ins = sign_ins
        self._doors = doors

    def device(self, request: web.Request) -> Device:
        """Behind a trusted proxy the address is the one that the proxy itself saw."""
        address = request.remote or ""
        if self._is_proxy(address):
            address = request.headers.get("X-Forwarded-For", address).rpartition(",")[2].strip() or address
        return Device(address=address, agent=request.headers.get("User-Agent", ""))

    async def person(self, request: web.Request) -> Person | None:
        """Looked up once a request, so that one page cannot show two answers."""
        if _PERSON not in request:
            request[_PERSON] = await self._person(request)
        return request[_PERSON]

    async def _person(self, request: web.Request) -> Person | None:
        header = self._doors.proxy_header
        if header and header in request.headers:
            return await self._named_by_proxy(request, header)
        token = request.cookies.get(self.cookie(request), "")
        return await self.sign_ins.whose(token, device=self.device(request))

    def cookie(self, request: web.Request) -> str:
        return SECURE_COOKIE if self.is_secure(request) else COOKIE

    def is_secure(self, request: web.Request) -> bool:
        """The browser speaks TLS, if only to a proxy in front."""
        outside = urlsplit(self._doors.external_url)
        return request.secure or (outside.scheme == "https" and outside.netloc == request.host)

    def check_origin(self, request: web.Request) -> None:
        """A POST comes from a page of ours: browsers say from where, and scripts elsewhere cannot change that."""
        origin = request.headers.get("Origin", "")
        ours = {request.host, urlsplit(self._doors.external_url).netloc}
        scheme, _, netloc = origin.partition("://")
        if scheme not in ("http", "https") or not netloc or netloc not in ours:
            raise web.HTTPForbidden(text="this form does not come from a page of ours: the Origin is another\n")

    async def _named_by_proxy(self, request: web.Request, header: str) -> Person | None:
        names = request.headers.getall(header)
        if not self._is_proxy(request.remote or "") or len(names) != 1:
            raise web.HTTPForbidden(text=f"{header} is taken from trusted proxies only, and once\n")
        return await self.sign_ins.named(names[0])

    def _is_proxy(self, address: str) -> bool:
        try:
            return any(ip_address(address) in network for network in self._doors.proxies)
        except ValueError:
            return False


def carries(person: Person, token: str) -> bool:
    """Whether a form is of this person's session."""
    return hmac.compare_digest(person.csrf.encode(), token.encode())
