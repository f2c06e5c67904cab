"""Engines on a database URL, and whether the database behind it is one that this version can use."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InternalError,
    NotSupportedError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from monitor.store.schema import HEAD, VERSION_TABLE
from monitor.store.step import DamagedError, StoreError, UnavailableError

READERS = 4  # so that an export leaves connections to the pages

_PATIENCE_SECONDS = 60.0  # a backup may lock the file for half a minute, and nothing may stop for it
_LOCK = int.from_bytes(b"cexwatch")  # PostgreSQL's advisory locks are numbers, and end with their connection
# FULL, because what is acknowledged or marked as being sent must outlive a power cut too, not only a kill.
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL")
_SIGNS_OF_DAMAGE = ("is not a database", "malformed")
_ADVICE = "move the file away, then restore a backup or import an exported journal"


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """What the database raises leaves as StoreError, where the file is damaged as DamagedError."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        told = _cause(error)
        raise _kind(error, told)(f"{doing}: {told}") from error


def _kind(error: Exception, told: str) -> type[StoreError]:
    if any(sign in told for sign in _SIGNS_OF_DAMAGE):
        return DamagedError
    match error:
        case IntegrityError() | ProgrammingError() | DataError() | NotSupportedError() | InternalError():
            return StoreError  # we asked for what cannot be: it would be refused again
        case DBAPIError() | OSError() | PoolTimeoutError():
            return UnavailableError
        case _:
            return StoreError


def _cause(error: Exception) -> str:
    match error:
        case DBAPIError(orig=cause):
            told = str(cause)
        case _:
            told = str(error)
    if "malformed" in told:  # damage so deep that no check can begin
        told = f"it is damaged: {told}"
    return f"{told}; {_ADVICE}" if any(sign in told for sign in _SIGNS_OF_DAMAGE) else told


def parse(url: str) -> URL:
    with explained("the database URL cannot be read"):
        return make_url(url)


def file_of(url: URL) -> Path | None:
    """The SQLite file; None for a server."""
    if url.get_backend_name() != "sqlite":
        return None
    if url.database is None or url.database in ("", ":memory:"):
        raise StoreError("the database must be a file, as in sqlite+aiosqlite:///data/cexwatch.db")
    return Path(url.database)


def connect(url: URL, *, size: int, writes: bool) -> AsyncEngine:
    """An engine of at most `size` connections. Unless it `writes`, the database refuses its changes.

    Writing transactions lock SQLite from their start. Nobody else may write beside them: on PostgreSQL this engine
    sees to that itself, on SQLite the lease does.
    """
    sqlite = url.get_backend_name() == "sqlite"
    try:
        engine = create_async_engine(
            url,
            pool_size=size,
            max_overflow=0,
            pool_timeout=_PATIENCE_SECONDS,
            hide_parameters=True,
            connect_args={"timeout": _PATIENCE_SECONDS} if sqlite else {},
            execution_options={"postgresql_readonly": not writes},
        )
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        shown = url.render_as_string(hide_password=True)
        wanted = "sqlite+aiosqlite:///path or postgresql+asyncpg://"
        raise StoreError(f"no driver for the database {shown}, expected {wanted}: {error}") from error
    if sqlite:
        _tune(engine, writes=writes)
    elif writes:
        _guard(engine)
    return engine


def _tune(engine: AsyncEngine, *, writes: bool) -> None:
    pragmas = _PRAGMAS if writes else ("query_only=ON",)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        # The driver begins a transaction before the first change only; what was read before it would be outside.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _guard(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def lock(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute(f"SELECT pg_try_advisory_lock({_LOCK})")
        row = cursor.fetchone()
        cursor.close()
        connection.commit()
        if row is None or not row[0]:
            raise StoreError("another cexwatch runs on this database")


async def check(connection: AsyncConnection) -> None:
    """Raises DamagedError for a SQLite file with broken pages."""
    found = str((await connection.execute(text("PRAGMA quick_check(1)"))).scalar())
    if found != "ok":
        raise DamagedError(f"the database is damaged: {' '.join(found.split())}; {_ADVICE}")


async def stored_version(connection: AsyncConnection) -> str | None:
    """The version of the schema; None for an empty database. Raises StoreError for one that is not ours, or newer."""
    tables = await connection.run_sync(lambda plain: inspect(plain).get_table_names())
    if VERSION_TABLE not in tables:
        if tables:
            raise StoreError(f"the database belongs to another program (it has a table {tables[0]!r})")
        return None
    version: str | None = (await connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}"))).scalar()  # noqa: S608 - a constant of ours
    if version is not None and version > HEAD:
        raise StoreError(f"the database has schema {version}, and this cexwatch knows {HEAD}: run the newer version")
    return version
