"""Hosts that told us to stop, so that a restart does not ask them sooner."""

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.model import Closure, FailureReason
from monitor.store import schema
from monitor.store.schema import microseconds, moment

_table = schema.closures


async def read(connection: AsyncConnection) -> list[Closure]:
    """The newest of each host, those that are over too."""
    rows = await connection.execute(select(_table).order_by(_table.c.host, _table.c.port))
    return [
        Closure(
            host=row.host,
            port=row.port,
            reason=FailureReason(row.reason),
            until=moment(row.until),
            refusals=row.refusals,
        )
        for row in rows
    ]


async def keep(connection: AsyncConnection, closure: Closure) -> None:
    """In place of the former one of that host."""
    of_host = (_table.c.host == closure.host) & (_table.c.port == closure.port)
    values = {
        "host": closure.host,
        "port": closure.port,
        "reason": closure.reason,
        "until": microseconds(closure.until),
        "refusals": closure.refusals,
    }
    await connection.execute(delete(_table).where(of_host))
    await connection.execute(insert(_table), [values])
