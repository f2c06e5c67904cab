"""Everything of the pages that people act on, put together."""

from collections.abc import Callable, Sequence
from typing import Protocol

from aiohttp import web

from monitor.clock import Clock
from monitor.model import ExchangeView
from monitor.web.api import visitor
from monitor.web.approving import Approving, Shelf
from monitor.web.auth import Auth, Show
from monitor.web.deciding import Deciding
from monitor.web.phone import Phone, PhonePage
from monitor.web.session import Visitors
from monitor.web.signing import Signing


class Shelves(Shelf, Protocol):
    """What these pages ask of the store."""

    async def views(self) -> Sequence[ExchangeView]: ...


def routes(
    store: Shelves,
    *,
    clock: Clock,
    visitors: Visitors,
    callers: visitor.Visitors,
    deciding: Deciding,
    show: Show,
    required: Callable[[], int],
    phone: Phone,
) -> list[web.RouteDef]:
    """`deciding` is the room behind all doors; `required`: approvals that a text needs."""
    auth = Auth(visitors, show)
    approving = Approving(
        store,
        clock=clock,
        visitors=visitors,
        callers=callers,
        deciding=deciding,
        auth=auth,
        show=show,
        required=required,
    )
    signing = Signing(store, clock=clock, visitors=visitors, deciding=deciding, auth=auth, show=show)
    page = PhonePage(phone, visitors, show)
    return [*auth.routes(), *approving.routes(), *signing.routes(), *page.routes()]
