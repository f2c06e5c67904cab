"""A second chain of hashes, over what was done to accounts and sign-ins, beside the one over commands and drafts."""

import hashlib

import msgspec
from sqlalchemy import Table, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.model import Deed
from monitor.store import schema

_GENESIS = bytes(32)
_DEEDS = msgspec.msgpack.Decoder(Deed)
_deeds = schema.deeds


class ChainHead(msgspec.Struct, frozen=True):
    """How many links a chain has, and the hash of the last; 32 zero bytes where it has none."""

    links: int
    hash: bytes


async def append(connection: AsyncConnection, deed: Deed) -> None:
    last = (await connection.execute(select(_deeds.c.n, _deeds.c.hash).order_by(_deeds.c.n.desc()).limit(1))).first()
    n, previous = (last.n + 1, last.hash) if last is not None else (1, _GENESIS)
    body = msgspec.msgpack.encode(deed)
    link = {"n": n, "body": body, "previous": previous, "hash": _digest(previous, n, body)}
    await connection.execute(insert(_deeds), [link])


async def read(connection: AsyncConnection) -> list[Deed]:
    """Oldest first."""
    rows = await connection.execute(select(_deeds.c.body).order_by(_deeds.c.n))
    return [_DEEDS.decode(body) for body in rows.scalars()]


async def first_broken(connection: AsyncConnection) -> int | None:
    """The number of the first deed that is not what it was when written; None if the chain holds."""
    previous = _GENESIS
    for place, row in enumerate(await connection.execute(select(_deeds).order_by(_deeds.c.n)), start=1):
        if (row.n, row.previous, row.hash) != (place, previous, _digest(previous, place, row.body)):
            return place
        previous = row.hash
    return None


async def heads(connection: AsyncConnection) -> dict[str, ChainHead]:
    """The heads of both chains: "decisions" over commands and drafts, "people" over these deeds."""
    return {
        name: await _head(connection, table, key)
        for name, table, key in (("decisions", schema.audit, "seq"), ("people", _deeds, "n"))
    }


async def _head(connection: AsyncConnection, table: Table, key: str) -> ChainHead:
    links: int = (await connection.execute(select(func.count()).select_from(table))).scalar_one()
    last = select(table.c.hash).order_by(table.c[key].desc()).limit(1)
    found: bytes | None = (await connection.execute(last)).scalar()
    return ChainHead(links, found or _GENESIS)


def _digest(previous: bytes, n: int, body: bytes) -> bytes:
    return hashlib.sha256(previous + n.to_bytes(8) + body).digest()
