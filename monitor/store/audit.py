"""A chain of hashes over people's commands and the drafts' changes: whoever alters, removes or adds one breaks it.

Cutting off the newest links together with what they cover is not noticed; a note of the last hash kept elsewhere is.
"""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec
from msgspec import Struct
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.model import Command, Entry
from monitor.store import layout, projections, schema
from monitor.store.layout import Cell
from monitor.store.projections import OutputRow

_GENESIS = bytes(32)
_table = schema.audit


class _Said(Struct, frozen=True, array_like=True):
    """A command as it is stored."""

    at: int
    exchange: str
    probe: str
    vantage: str
    body: bytes


class _Covered(Struct, frozen=True, array_like=True):
    """What a link covers: the command of entry `seq`, if it is one, and the drafts (n, body) that the entry caused."""

    seq: int
    command: _Said | None
    drafts: tuple[tuple[int, bytes], ...]


async def extend(
    connection: AsyncConnection, entries: Sequence[Entry], cells: Sequence[Cell], outputs: Iterable[OutputRow]
) -> None:
    """Add the links of entries just stored as `cells` with `outputs`."""
    tag = layout.tag_of(Command)
    commands = {
        entry.seq: _Said(cell.at, cell.series.exchange, cell.series.probe, cell.series.vantage, cell.body)
        for entry, cell in zip(entries, cells, strict=True)
        if cell.series.kind == tag
    }
    covered = _covered(commands, _drafts(outputs))
    if not covered:
        return
    last = select(_table.c.hash).order_by(_table.c.seq.desc()).limit(1)
    previous: bytes = (await connection.execute(last)).scalar() or _GENESIS
    links = []
    for what in covered:
        digest = _digest(previous, what)
        links.append({"seq": what.seq, "hash": digest, "previous": previous})
        previous = digest
    await connection.execute(insert(_table), links)


async def first_broken(connection: AsyncConnection) -> int | None:
    """The first `seq` whose command, drafts or link are not what they were; None if the chain holds."""
    links: dict[int, tuple[bytes, bytes]] = {
        row.seq: (row.previous, row.hash) for row in await connection.execute(select(_table))
    }
    covered = {
        what.seq: what for what in _covered(await _stored_commands(connection), await _stored_drafts(connection))
    }
    previous = _GENESIS
    for seq in sorted({*links, *covered}):
        if seq not in links or seq not in covered:
            return seq
        digest = _digest(previous, covered[seq])
        if links[seq] != (previous, digest):
            return seq
        previous = digest
    return None


def _digest(previous: bytes, what: _Covered) -> bytes:
    return hashlib.sha256(previous + msgspec.msgpack.encode(what)).digest()


def _covered(commands: dict[int, _Said], drafts: dict[int, tuple[tuple[int, bytes], ...]]) -> list[_Covered]:
    return [_Covered(seq, commands.get(seq), drafts.get(seq, ())) for seq in sorted({*commands, *drafts})]


def _drafts(rows: Iterable[OutputRow]) -> dict[int, tuple[tuple[int, bytes], ...]]:
    """Bodies of the drafts among outputs in order, by `seq`."""
    drafts = [row for row in rows if row.kind == projections.DRAFT]
    return {seq: tuple((row.n, row.body) for row in group) for seq, group in groupby(drafts, key=lambda row: row.seq)}


async def _stored_commands(connection: AsyncConnection) -> dict[int, _Said]:
    series, journal = schema.series, schema.journal
    columns = (journal.c.seq, journal.c.at, series.c.exchange, series.c.probe, series.c.vantage, journal.c.body)
    commands = select(*columns).join(series, series.c.id == journal.c.series)
    rows = await connection.execute(commands.where(series.c.kind == layout.tag_of(Command)))
    return {row.seq: _Said(row.at, row.exchange, row.probe, row.vantage, row.body) for row in rows}


async def _stored_drafts(connection: AsyncConnection) -> dict[int, tuple[tuple[int, bytes], ...]]:
    table = schema.outputs
    drafts = select(table).where(table.c.kind == projections.DRAFT).order_by(table.c.seq, table.c.n)
    rows = await connection.execute(drafts)
    return _drafts(OutputRow(row.seq, row.n, row.exchange, row.kind, row.incident, row.body) for row in rows)
