"""What single wallets sent, by day, as the last entry of each says; what is older than ten days goes."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import and_, bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.model import WalletUsage
from monitor.store import schema
from monitor.store.schema import microseconds, moment
from monitor.store.step import Step

KEPT = timedelta(days=10)
_table = schema.usages


async def follow(connection: AsyncConnection, steps: Sequence[Step]) -> None:
    """Keep what `steps` tell."""
    rows: dict[tuple[str, str, int], dict[str, object]] = {}
    for step in steps:
        match step.entry.observation:
            case WalletUsage() as used:
                day = microseconds(used.day)
                rows[used.network, used.address, day] = _row(used, day)
            case _:
                pass
    if not rows:
        return
    newest = max(day for _, _, day in rows)
    await connection.execute(delete(_table).where(_table.c.day < newest - KEPT // timedelta(microseconds=1)))
    gone = and_(_table.c.network == bindparam("n"), _table.c.address == bindparam("a"), _table.c.day == bindparam("d"))
    await connection.execute(delete(_table).where(gone), [{"n": n, "a": a, "d": d} for n, a, d in rows])
    await connection.execute(insert(_table), list(rows.values()))


async def read(connection: AsyncConnection) -> list[WalletUsage]:
    """Oldest day first."""
    rows = await connection.execute(select(_table).order_by(_table.c.day, _table.c.network, _table.c.address))
    return [
        WalletUsage(
            at=moment(row.at),
            exchange=row.exchange,
            probe=row.probe,
            network=row.network,
            address=row.address,
            day=moment(row.day),
            outgoing=row.outgoing,
            last_at=moment(row.last_at),
        )
        for row in rows
    ]


def _row(used: WalletUsage, day: int) -> dict[str, object]:
    return {
        "network": used.network,
        "address": used.address,
        "day": day,
        "exchange": used.exchange,
        "outgoing": used.outgoing,
        "last_at": microseconds(used.last_at),
        "probe": used.probe,
        "at": microseconds(used.at),
    }
