"""What an operation of the API is: one row tells its route, its part of the OpenAPI document and its handler."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Generic, Literal, Protocol, TypeVar

from msgspec import Struct

from monitor.clock import Clock
from monitor.model import Command, Draft, Drill, Entry, ExchangeView, Incident, PersonRole, Reply, Transition
from monitor.model.records import DraftsAsked, IncidentsAsked, KeptAnswer
from monitor.web.api.visitor import Visitor
from monitor.web.deciding import Outcome, Speaker, Word

ROOT = "/api/v1"

Decide = Callable[[Word, Speaker], Awaitable[Outcome]]
"""What becomes of a word on a draft."""

Say = Callable[[Command], Awaitable[Reply]]
"""What the engines answer to any other word, once it is kept."""

_Query = TypeVar("_Query")
_Body = TypeVar("_Body")
_Answer = TypeVar("_Answer")


class Records(Protocol):
    """What the answers are made of."""

    async def views(self) -> Sequence[ExchangeView]: ...
    async def view(self, exchange: str) -> ExchangeView | None: ...
    async def incident(self, incident_id: str) -> Incident | None: ...
    async def incidents_page(self, asked: IncidentsAsked) -> Sequence[Incident]: ...
    async def timeline(self, incident_id: str, *, skip: int, limit: int) -> Sequence[Transition]: ...
    async def draft(self, draft_id: str) -> Draft | None: ...
    async def drafts_page(self, asked: DraftsAsked) -> Sequence[Draft]: ...
    async def held(self) -> bool: ...
    async def head(self) -> Entry | None: ...
    async def begin_answer(
        self, key: bytes, *, fingerprint: bytes, now: datetime, until: datetime
    ) -> KeptAnswer | None: ...
    async def keep_answer(self, key: bytes, answer: KeptAnswer) -> None: ...
    async def forget_answer(self, key: bytes) -> None: ...


class Drills(Protocol):
    """Where a drill is looked up that somebody names; no list has one."""

    async def one(self, drill: str) -> Drill | None: ...
    async def steps(self, drill: str) -> Sequence[Transition]: ...


class Desk(Struct, frozen=True, kw_only=True):
    """What handlers work with. `alive`: loop and pipeline turn; `ready` tells why the daemon is not ready yet."""

    records: Records
    drills: Drills
    clock: Clock
    alive: Callable[[], bool]
    ready: Callable[[], str | None]
    config_sha256: Callable[[], str | None]  # of what engines judge by
    document: bytes  # OpenAPI
    decide: Decide
    say: Say


class NoQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing can be asked for beside the path."""


class Asked(Struct, Generic[_Query, _Body], frozen=True, kw_only=True):
    """A request, read and of the right types. `path` holds the parts of the path by name."""

    path: Mapping[str, str]
    query: _Query
    body: _Body
    visitor: Visitor


class Operation(Struct, Generic[_Query, _Body, _Answer], frozen=True, kw_only=True):
    """`path` goes on behind /api/v1. Who has none of `roles` is refused; without roles everybody may.

    `of_now`: it tells how things stand, so while the daemon does not turn nothing is told. `refusals` are those of the
    handler itself; the others follow from the row.
    """

    method: Literal["GET", "POST"]
    path: str
    name: str
    about: str
    handle: Callable[[Desk, Asked[_Query, _Body]], Awaitable[_Answer]]
    query: type[_Query]
    body: type[_Body]
    answer: type[_Answer]
    status: HTTPStatus = HTTPStatus.OK
    refusals: tuple[HTTPStatus, ...] = ()
    roles: tuple[PersonRole, ...] = ()
    of_now: bool = False
