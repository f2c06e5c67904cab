"""Who looks at pages in tests: somebody we do not know, and pages that people act on, with a register of their own."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

from aiohttp import web

from monitor.clock import Clock
from monitor.metrics import Metrics
from monitor.model import Command, Drill, Reply, Transition
from monitor.people.passwords import Passwords
from monitor.people.signing_in import Person, SignIns
from monitor.store import Store
from monitor.store.people import PeopleStore
from monitor.web.api.operation import Drills
from monitor.web.api.visitor import by_machine
from monitor.web.auth import Show
from monitor.web.deciding import Deciding, Outcome, Speaker, Word
from monitor.web.people import Shelves, routes
from monitor.web.phone import Phone
from monitor.web.server import Faces, Projections
from monitor.web.session import Doors, Visitors


async def nobody(_: web.Request) -> Person | None:
    return None


class Undrilled:
    """Where nobody ever began a drill."""

    async def one(self, drill: str) -> Drill | None:
        del drill
        return None

    async def steps(self, drill: str) -> Sequence[Transition]:
        del drill
        return ()


def faces(
    store: Projections,
    clock: Clock,
    metrics: Metrics,
    *,
    alive: Callable[[], bool] = lambda: True,
    ready: Callable[[], str | None] = lambda: None,
    drills: Drills | None = None,
) -> Faces:
    """The pages as somebody sees them whom we do not know."""
    return Faces(
        store,
        drills=drills or Undrilled(),
        metrics=metrics,
        clock=clock,
        alive=alive,
        ready=ready,
        silent=list,
        doubt=str,
        config_sha256=lambda: None,
        person=nobody,
        callers=by_machine,
        decide=undecided,
        say=unheard,
    )


async def undecided(_: Word, __: Speaker) -> Outcome:
    return Outcome(status=HTTPStatus.CONFLICT, detail="nobody listens")


async def unheard(_: Command) -> Reply:
    """A daemon that takes no word."""
    return Reply(ok=False, message="nobody listens")


@asynccontextmanager
async def empty_register(folder: Path) -> AsyncIterator[PeopleStore]:
    """Where nobody has an account."""
    store = await Store.open(f"sqlite+aiosqlite:///{folder}/people.db")
    try:
        yield store.people
    finally:
        await store.close()


def acting(shelves: Shelves, people: PeopleStore, clock: Clock, *, show: Show) -> list[web.RouteDef]:
    """The pages that people act on, where nobody hears what they say."""
    sign_ins = SignIns(people, clock, Passwords(), idle=timedelta(hours=12), longest=timedelta(days=30))
    return routes(
        shelves,
        clock=clock,
        visitors=Visitors(sign_ins, Doors()),
        callers=by_machine,
        deciding=Deciding(shelves, clock, unheard),
        show=show,
        required=lambda: 1,
        phone=Phone(clock),
    )
