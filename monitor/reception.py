"""Where people come in: the pages, and the command socket beside the database. Both know the same accounts."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from ipaddress import ip_address

import structlog
from aiohttp import web

from monitor import __version__
from monitor.clock import Clock
from monitor.commands import CommandServer, People
from monitor.config import Config
from monitor.metrics import Metrics
from monitor.model import Command, Reply
from monitor.people.accounts import Accounts
from monitor.people.passwords import Passwords
from monitor.people.signing_in import SignIns
from monitor.store.store import Store
from monitor.web.auth import Show
from monitor.web.callers import callers
from monitor.web.deciding import Deciding
from monitor.web.people import routes as people_routes
from monitor.web.phone import Phone
from monitor.web.server import Faces, application, serving
from monitor.web.session import Doors, Visitors

log = structlog.get_logger()


@asynccontextmanager
async def receiving(
    store: Store,
    *,
    config: Callable[[], Config],
    metrics: Metrics,
    clock: Clock,
    alive: Callable[[], bool],
    silent: Callable[[], list[str]],
    ready: Callable[[], str | None],
    doubt: Callable[[], str],
    config_sha256: Callable[[], str | None],
    ask: Callable[[Command], Awaitable[Reply]],
    routes: Callable[[Show], Iterable[web.RouteDef]],
) -> AsyncIterator[str]:
    """Serve pages and commands while the context is open; yields the page's address.

    `silent` names the tasks that came to an end or come round no more, `doubt` tells why what is shown may be old.
    `config` is the one in use, `config_sha256` that of what the engines judge by; `ask` appends a word and answers
    when it is committed. Raises OSError where an address cannot be taken.
    """
    now, phone, passwords = config(), Phone(clock), Passwords()
    idle, longest = now.people.idle, now.people.longest
    sign_ins = SignIns(store.people, clock, passwords, idle=idle, longest=longest)
    visitors = Visitors(sign_ins, _doors(now))
    known, deciding = callers(visitors), Deciding(store, clock, ask)
    faces = Faces(
        store,
        drills=store.drills,
        metrics=metrics,
        clock=clock,
        alive=alive,
        silent=silent,
        ready=ready,
        doubt=doubt,
        config_sha256=config_sha256,
        person=visitors.person,
        callers=known,
        decide=deciding.draft,
        say=deciding.say,
    )
    acting = people_routes(
        store,
        clock=clock,
        visitors=visitors,
        callers=known,
        deciding=deciding,
        show=faces.page,
        required=lambda: config().approval.required,
        phone=phone,
    )
    people = People(Accounts(store.people, clock, passwords), sign_ins, phone, lambda: config().people.require_account)
    app = application(faces, version=__version__, routes=[*routes(faces.page), *acting])
    if not _is_loopback(now.listen.host):
        log.warning("pages_are_open", host=now.listen.host, why="others can reach them: put TLS in front")
    async with (
        CommandServer(now.socket, subjects=store, drills=store.drills, people=people, clock=clock, ask=ask).serving(),
        serving(app, host=now.listen.host, port=now.listen.port) as address,
    ):
        yield address


async def show_audit(store: Store, metrics: Metrics) -> None:
    """Tell the metrics how the chains of hashes end."""
    heads = await store.people.heads()
    metrics.show_audit({name: (head.links, head.hash) for name, head in heads.items()})


def _doors(config: Config) -> Doors:
    auth = config.auth
    return Doors(external_url=config.external_url, proxy_header=auth.proxy_header, proxies=auth.trusted_proxies)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
