"""Who asks. Until somebody signs in, only who sits at the machine itself is shown what is not for everybody."""

import ipaddress
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import HttpVersion11, web
from msgspec import Struct

from monitor.model import PersonRole

_FORWARDED = ("Forwarded", "Via", "X-Forwarded-For", "X-Real-IP")


class Visitor(Struct, frozen=True, kw_only=True):
    """`name` is "" and `role` None for who has not signed in.

    An insider is shown notes, people's names and drafts not posted.
    """

    name: str = ""
    is_insider: bool = False
    role: PersonRole | None = None
    csrf: str = ""  # what the forms of this sign-in carry


Visitors = Callable[[web.Request], Awaitable[Visitor]]


async def by_machine(request: web.Request) -> Visitor:
    """An insider is who asks from this machine by its loopback address, and for nobody else."""
    return Visitor(
        is_insider=_is_local(request.remote) and _names_loopback(request.host) and not _is_passed_on(request)
    )


def _is_passed_on(request: web.Request) -> bool:
    # nginx tells nothing of whom it asks for unless it is configured to, but asks in HTTP/1.0 then.
    return request.version < HttpVersion11 or any(name in request.headers for name in _FORWARDED)


def _names_loopback(host: str) -> bool:
    """A page from elsewhere may name this machine as its own; then the browser sends that page's name."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    return name == "localhost" or _is_local(name)


def _is_local(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False
