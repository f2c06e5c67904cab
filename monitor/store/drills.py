"""Drills, and when whom was told of one. No other query of the store finds a drill among incidents."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.model import Drill, Transition
from monitor.store import projections, schema
from monitor.store.notifications import Run, State
from monitor.store.schema import microseconds, moment

_drills = schema.drills
_pushes = schema.drill_pushes


class Arrival(Struct, frozen=True, kw_only=True):
    """Who is told that a drill began: a target of notifications or an Alertmanager. `at` is None until it knows."""

    whom: str
    at: datetime | None


class Drills:
    """The store's part for drills; made by it."""

    def __init__(self, *, write: Run, look: Run) -> None:
        self._write = write
        self._look = look

    async def newest(self, limit: int) -> list[Drill]:
        """Newest beginning first."""

        async def read(reader: AsyncConnection) -> list[Drill]:
            wanted = select(_drills.c.body).order_by(_drills.c.opened_at.desc(), _drills.c.id).limit(limit)
            return [projections.DRILLS.decode(body) for body in (await reader.execute(wanted)).scalars()]

        return await self._look(read)

    async def open(self) -> list[Drill]:
        """Those that are not over: at most one an exchange."""

        async def read(reader: AsyncConnection) -> list[Drill]:
            wanted = select(_drills.c.body).where(_drills.c.open).order_by(_drills.c.opened_at, _drills.c.id)
            return [projections.DRILLS.decode(body) for body in (await reader.execute(wanted)).scalars()]

        return await self._look(read)

    async def one(self, drill: str) -> Drill | None:
        async def read(reader: AsyncConnection) -> Drill | None:
            body = (await reader.execute(select(_drills.c.body).where(_drills.c.id == drill))).scalar()
            return None if body is None else projections.DRILLS.decode(body)

        return await self._look(read)

    async def steps(self, drill: str) -> list[Transition]:
        """What happened to one, in order."""
        table = schema.outputs
        wanted = select(table.c.body).where(table.c.incident == drill, table.c.kind == projections.DRILL)

        async def read(reader: AsyncConnection) -> list[Transition]:
            rows = (await reader.execute(wanted.order_by(table.c.seq, table.c.n))).scalars()
            return [projections.DRILLS.decode(body).happened for body in rows]

        return await self._look(read)

    async def pushed(self, drills: Iterable[str], *, url: str, at: datetime) -> None:
        """An Alertmanager took these. Only the first time counts."""
        wanted = list(dict.fromkeys(drills))

        async def work(transaction: AsyncConnection) -> None:
            known = await transaction.execute(select(_pushes.c.drill).where(_pushes.c.url == url))
            held = set(known.scalars())
            rows = [{"drill": name, "url": url, "at": microseconds(at)} for name in wanted if name not in held]
            if rows:
                await transaction.execute(insert(_pushes), rows)

        await self._write(work)

    async def arrivals(self, drill: str) -> Sequence[Arrival]:
        """Whom its beginning is told, first those who know, and since when."""

        async def read(reader: AsyncConnection) -> list[Arrival]:
            table = schema.notifications
            told = select(table.c.target, table.c.sent_at).where(
                table.c.subject == drill, table.c.happened == "opened", table.c.state != State.FOLDED
            )
            took = select(_pushes.c.url, _pushes.c.at).where(_pushes.c.drill == drill)
            rows = [*await reader.execute(told), *await reader.execute(took)]
            found = [Arrival(whom=whom, at=None if at is None else moment(at)) for whom, at in rows]
            return sorted(found, key=lambda each: (each.at is None, each.at or moment(0), each.whom))

        return await self._look(read)
