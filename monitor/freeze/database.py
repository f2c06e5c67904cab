"""The ledger's table in SQLite or PostgreSQL: rows in order, more of them at the end, and nothing else."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from monitor.freeze import ledger_schema
from monitor.freeze.entry import FreezeActivated, Row, decode
from monitor.freeze.state import seconds

PAGE = 5_000
_LEAST_ROW = 64  # bytes: its digest stands in the table and in an index
_LOCK = int.from_bytes(b"cexfreez")  # PostgreSQL's advisory locks are numbers
_SIGNS_OF_DAMAGE = ("is not a database", "malformed")
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000")


class LedgerError(Exception):
    """The database cannot be used now: not reached, full, read-only, or refusing."""


class DamagedError(LedgerError):
    """What the database holds is not what was written."""


class Database:
    """One ledger's table. Raises LedgerError, and DamagedError where the file itself is broken."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._is_sqlite = self._url.get_backend_name() == "sqlite"
        self._table = ledger_schema.TABLE if self._is_sqlite else f"{ledger_schema.SCHEMA}.{ledger_schema.TABLE}"
        self._connect()

    def _connect(self) -> None:
        try:
            self._engine = create_async_engine(self._url, pool_size=4, max_overflow=0, hide_parameters=True)
        except (SQLAlchemyError, ModuleNotFoundError) as error:
            raise LedgerError(f"no driver for the ledger's database: {error}") from error
        if self._is_sqlite:
            event.listen(self._engine.sync_engine, "connect", _prepare)
            event.listen(self._engine.sync_engine, "begin", _begin)

    @property
    def file(self) -> Path | None:
        """The SQLite file; None for a server."""
        return Path(str(self._url.database)) if self._is_sqlite else None

    async def exists(self) -> bool:
        if self.file is not None:
            return self.file.exists()
        found = text("SELECT to_regclass(:name)")
        async with self._using("looking for the ledger") as connection:
            return (await connection.execute(found, {"name": self._table})).scalar() is not None

    async def create(self) -> None:
        """The table and its triggers, where they are not yet: a trigger that somebody dropped is back after a start."""
        async with self._using("making the ledger", writes=True) as connection:
            for statement in ledger_schema.SQLITE if self._is_sqlite else ledger_schema.POSTGRESQL:
                await connection.execute(text(statement))

    async def check(self) -> None:
        """Raises DamagedError for a SQLite file with broken pages."""
        if self._is_sqlite:
            async with self._using("checking the ledger") as connection:
                found = str((await connection.execute(text("PRAGMA quick_check(1)"))).scalar())
            if found != "ok":
                raise DamagedError(f"the ledger's database is damaged: {' '.join(found.split())}")

    async def rows(self, *, after: int = 0, at_once: int = PAGE) -> AsyncIterator[Row]:
        """Every row behind `after` in order. Raises DamagedError where columns tell another
        story than the body they stand beside."""
        bound = after
        page = text(
            f"SELECT seq, kind, account, until, body, digest FROM {self._table} "  # noqa: S608 - names of ours
            f"WHERE seq > :bound ORDER BY seq LIMIT {at_once}"
        )
        while True:
            async with self._using("reading the ledger") as connection:
                found = (await connection.execute(page, {"bound": bound})).all()
            for seq, kind, account, until, body, digest in found:
                row = Row(seq, bytes(body), bytes(digest))
                if _columns(row) != (kind, None if account is None else bytes(account), until):
                    raise DamagedError(f"entry {seq} of the ledger was altered")
                yield row
            if len(found) < at_once:
                return
            bound = found[-1].seq

    async def digest(self, seq: int) -> bytes | None:
        """Of the entry `seq`; None where there is none."""
        one = text(f"SELECT digest FROM {self._table} WHERE seq = :seq")  # noqa: S608 - names of ours
        async with self._using("reading the ledger") as connection:
            found = (await connection.execute(one, {"seq": seq})).scalar()
        return None if found is None else bytes(found)

    async def remains(self, first: int, last: int) -> list[Row]:
        """Those rows from `first` to `last` that can be read, whatever their columns say."""
        block = text(f"SELECT seq, body, digest FROM {self._table} WHERE seq BETWEEN :first AND :last ORDER BY seq")  # noqa: S608 - names of ours
        try:
            async with self._using("reading the ledger") as connection:
                found = (await connection.execute(block, {"first": first, "last": last})).all()
            return [Row(seq, bytes(body), bytes(digest)) for seq, body, digest in found]
        except LedgerError:
            if first == last:
                return []
        middle = (first + last) // 2
        return await self.remains(first, middle) + await self.remains(middle + 1, last)

    async def most(self) -> int:
        """No row has a higher number, as far as can be told."""
        if self.file is not None:
            async with self._using("reading the ledger") as connection:
                await connection.execute(text("SELECT count(*) FROM sqlite_master"))
            return (_size(self.file) + _size(self.file.with_name(self.file.name + "-wal"))) // _LEAST_ROW
        last = text(f"SELECT coalesce(max(seq), 0) FROM {self._table}")  # noqa: S608 - names of ours
        async with self._using("reading the ledger") as connection:
            return int((await connection.execute(last)).scalar_one())

    async def add(self, rows: Sequence[Row], *, after: Row | None) -> None:
        """All of them or none. Raises DamagedError where the row before is no longer there as it was."""
        values = [_values(row) for row in rows]
        insert = text(
            f"INSERT INTO {self._table} (seq, kind, account, until, body, digest) "  # noqa: S608 - names of ours
            "VALUES (:seq, :kind, :account, :until, :body, :digest)"
        )
        last = text(f"SELECT seq, digest FROM {self._table} ORDER BY seq DESC LIMIT 1")  # noqa: S608 - names of ours
        async with self._using("writing to the ledger", writes=True) as connection:
            found = (await connection.execute(last)).first()
            if (found and (found.seq, bytes(found.digest))) != (after and (after.seq, after.digest)):
                raise DamagedError("the ledger does not end as it did when it was last written to")
            for start in range(0, len(values), PAGE):
                await connection.execute(insert, values[start : start + PAGE])

    async def put_aside(self, name: str) -> None:
        """Go on with an empty database; the former file lies beside as `name`, the former schema is called so."""
        await self._engine.dispose()
        if self.file is not None:
            for end in ("", "-wal", "-shm"):
                former = self.file.with_name(self.file.name + end)
                if former.exists():
                    former.rename(self.file.with_name(name + end))
        else:
            quoted = "".join(letter if letter.isalnum() else "_" for letter in name)
            async with self._using("putting the ledger aside", writes=True) as connection:
                await connection.execute(text(f"ALTER SCHEMA {ledger_schema.SCHEMA} RENAME TO {quoted}"))
            await self._engine.dispose()
        self._connect()

    async def lock(self) -> AsyncConnection | None:
        """Keeps other processes off a PostgreSQL ledger until it is closed. Raises LedgerError where one is on it."""
        if self._is_sqlite:
            return None
        connection = self._engine.connect()
        try:
            await connection.start()
            found = await connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _LOCK})
        except (SQLAlchemyError, OSError) as error:
            raise LedgerError(f"the ledger's database cannot be reached: {error}") from error
        if not found.scalar():
            await connection.close()
            raise LedgerError("another freeze gate runs on this ledger")
        await connection.commit()  # the lock is the session's, and outlives its transaction
        return connection

    async def close(self) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def _using(self, doing: str, *, writes: bool = False) -> AsyncIterator[AsyncConnection]:
        engine = self._engine.execution_options(writes=writes)
        try:
            async with engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise _told(doing, error) from error


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _told(doing: str, error: Exception) -> LedgerError:
    cause = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    broken = any(sign in cause for sign in _SIGNS_OF_DAMAGE)
    return (DamagedError if broken else LedgerError)(f"{doing}: {cause}")


def _values(row: Row) -> dict[str, object]:
    kind, account, until = _columns(row)
    return {"seq": row.seq, "kind": kind, "account": account, "until": until, "body": row.body, "digest": row.digest}


def _columns(row: Row) -> tuple[str, bytes | None, int | None]:
    try:
        entry = decode(row.body)
    except msgspec.MsgspecError as error:
        raise DamagedError(f"entry {row.seq} of the ledger cannot be read") from error
    match entry:
        case FreezeActivated(account=account, until=until):
            return "freeze_activated", account, seconds(until)
        case _:
            return str(entry.__struct_config__.tag), None, None


def _prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver would begin a transaction before the first change only
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
