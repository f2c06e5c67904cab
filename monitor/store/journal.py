"""The journal: append-only, in order of `seq`, with interned series."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.model import Entry, Flow, Observation, ProbeFailure
from monitor.store import layout, schema
from monitor.store.layout import Cell, Series, SeriesDecoder
from monitor.store.schema import moment
from monitor.store.step import StoreError

_KEYS = msgspec.json.Decoder(tuple[str | None, ...])


class SeriesTable:
    """The series of committed entries, in memory. What a transaction adds is read back once it is committed."""

    def __init__(self) -> None:
        self._ids: dict[Series, int] = {}
        self._decoders: dict[int, SeriesDecoder] = {}
        self._last = 0

    async def refresh(self, connection: AsyncConnection) -> None:
        """Read the series added since. `connection` must not have added any itself."""
        added = select(schema.series).where(schema.series.c.id > self._last).order_by(schema.series.c.id)
        for row in await connection.execute(added):
            series = Series(row.kind, row.exchange, row.probe, row.vantage, _KEYS.decode(row.keys))
            try:
                self._decoders[row.id] = layout.decoder(series)
            except KeyError as error:
                told = f"the journal holds {row.kind!r} entries, which this version does not know: use a newer one"
                raise StoreError(told) from error
            self._ids[series] = row.id
            # Readers refresh side by side, and one with an older look at the database may end last.
            self._last = max(self._last, row.id)

    async def intern(self, connection: AsyncConnection, wanted: Iterable[Series]) -> dict[Series, int]:
        """Ids of the wanted series; rows for new ones are inserted."""
        distinct = dict.fromkeys(wanted)
        if any(series not in self._ids for series in distinct):
            await self.refresh(connection)
        new = [series for series in distinct if series not in self._ids]
        fresh = {series: self._last + place for place, series in enumerate(new, start=1)}
        if fresh:
            await connection.execute(
                insert(schema.series), [_series_row(series, number) for series, number in fresh.items()]
            )
        return {series: self._ids[series] if series in self._ids else fresh[series] for series in distinct}

    async def decoders(self, connection: AsyncConnection, numbers: set[int]) -> dict[int, SeriesDecoder]:
        """At least the decoders of `numbers`, which are in journal rows that `connection` has read."""
        if not numbers <= self._decoders.keys():
            await self.refresh(connection)
        return self._decoders


def _series_row(series: Series, number: int) -> dict[str, object]:
    return {
        "id": number,
        "kind": series.kind,
        "exchange": series.exchange,
        "probe": series.probe,
        "vantage": series.vantage,
        "keys": msgspec.json.encode(series.keys).decode(),
    }


async def append(connection: AsyncConnection, entries: Sequence[Entry], *, known: SeriesTable) -> list[Cell]:
    """Insert entries and return what was stored. Raises StoreError unless their `seq` ascend from after the head."""
    head = (await connection.execute(select(func.max(schema.journal.c.seq)))).scalar() or 0
    for entry in entries:
        if entry.seq <= head:
            raise StoreError(f"entry {entry.seq} does not follow entry {head}: it is in the journal, or out of order")
        head = entry.seq
    cells = [layout.encode(entry.observation) for entry in entries]
    numbers = await known.intern(connection, [cell.series for cell in cells])
    rows = [(entry.seq, cell.at, numbers[cell.series], cell.body) for entry, cell in zip(entries, cells, strict=True)]
    if rows:
        # As tuples: a journal is imported at twice the speed of rows that SQLAlchemy takes apart.
        statement = insert(schema.journal).compile(dialect=connection.dialect)
        await connection.exec_driver_sql(str(statement), rows)
    return cells


async def read(connection: AsyncConnection, *, after: int, limit: int, known: SeriesTable) -> list[Entry]:
    """The next `limit` entries with `seq` > `after`. Raises StoreError for one that cannot be read."""
    chunk = select(schema.journal).where(schema.journal.c.seq > after).order_by(schema.journal.c.seq).limit(limit)
    rows = (await connection.execute(chunk)).all()
    decoders = await known.decoders(connection, {number for _, _, number, _ in rows})
    return [Entry(seq, _decode(decoders[number], at, body, seq=seq)) for seq, at, number, body in rows]


async def head(connection: AsyncConnection, *, known: SeriesTable) -> Entry | None:
    newest = (await connection.execute(select(func.max(schema.journal.c.seq)))).scalar()
    if newest is None:
        return None
    (entry,) = await read(connection, after=newest - 1, limit=1, known=known)
    return entry


async def began(connection: AsyncConnection) -> datetime | None:
    """`at` of the first entry that is kept; None for an empty journal."""
    first = select(schema.journal.c.at).order_by(schema.journal.c.seq).limit(1)
    at = (await connection.execute(first)).scalar()
    return moment(at) if at is not None else None


async def last_reading(connection: AsyncConnection, probe: str) -> datetime | None:
    """`at` of the newest entry of `probe` that is no failure; None if there is none."""
    table = schema.series
    of_probe = select(table.c.id).where(table.c.probe == probe, table.c.kind != layout.tag_of(ProbeFailure))
    numbers = (await connection.execute(of_probe)).scalars().all()
    if not numbers:
        return None
    # Read backwards along the primary key: a probe at work is near the end, and no index has to be kept for it.
    newest = (
        select(schema.journal.c.at).where(schema.journal.c.series.in_(numbers)).order_by(schema.journal.c.seq.desc())
    )
    at = (await connection.execute(newest.limit(1))).scalar()
    return moment(at) if at is not None else None


async def last_flow(connection: AsyncConnection, probe: str, *, known: SeriesTable) -> Flow | None:
    """The newest flow that `probe` told; None if there is none."""
    series, rows = schema.series, schema.journal
    of_probe = select(series.c.id).where(series.c.probe == probe, series.c.kind == layout.tag_of(Flow))
    numbers = set((await connection.execute(of_probe)).scalars().all())
    if not numbers:
        return None
    newest = select(rows).where(rows.c.series.in_(numbers)).order_by(rows.c.seq.desc()).limit(1)
    row = (await connection.execute(newest)).first()
    if row is None:
        return None
    decoders = await known.decoders(connection, {row.series})
    match _decode(decoders[row.series], row.at, row.body, seq=row.seq):
        case Flow() as flow:
            return flow
        case _:
            return None


def _decode(decoder: SeriesDecoder, at: int, body: bytes, *, seq: int) -> Observation:
    try:
        return decoder.decode(at, body)
    except msgspec.MsgspecError as error:
        raise StoreError(f"entry {seq} ({decoder.type.__name__}) cannot be read: {error}") from error
