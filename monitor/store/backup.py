"""Nightly copies of a SQLite database: whole and closed, so that one takes the place of a lost file as it is.

`VACUUM INTO` reads one moment of the database while the daemon goes on writing; see https://sqlite.org/lang_vacuum.html.
"""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from monitor.store.step import DamagedError, StoreError

_MARK = ".backup-"
_UNFINISHED = ".unfinished"
_READABLE_BY_OWNER = 0o600


class BackupError(StoreError):
    """There is no new copy; the database and former copies are what they were."""


async def back_up(file: Path, *, now: datetime, keep: int) -> Path:
    """Copy `file` beside itself, named after the day; drop all but the newest `keep` copies.

    Raises BackupError, or DamagedError where the database cannot be read; nothing is dropped then.
    """
    try:
        return await _backed_up(file, now=now, keep=keep)
    except sqlite3.DatabaseError as error:
        damaged = error.sqlite_errorcode in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
        raise (DamagedError if damaged else BackupError)(f"{file} could not be copied: {error}") from error
    except OSError as error:
        raise BackupError(f"{file} could not be copied: {error}") from error


async def _backed_up(file: Path, *, now: datetime, keep: int) -> Path:
    with closing(sqlite3.connect(file, check_same_thread=False)) as connection:
        working = asyncio.ensure_future(asyncio.to_thread(_copy, connection, file, now=now, keep=keep))
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            connection.interrupt()  # a daemon that is stopped does not wait for gigabytes
            await asyncio.wait([working])
            working.exception()
            raise


def copies(file: Path) -> list[Path]:
    """Finished copies of the database, oldest first."""
    found = file.parent.glob(f"{file.name}{_MARK}*")
    return sorted(path for path in found if not path.name.endswith(_UNFINISHED))


def newest(file: Path) -> datetime | None:
    """When the newest copy was finished; None where there is none."""
    found = copies(file)
    return datetime.fromtimestamp(found[-1].stat().st_mtime, UTC) if found else None


def _copy(connection: sqlite3.Connection, file: Path, *, now: datetime, keep: int) -> Path:
    size, free = file.stat().st_size, shutil.disk_usage(file.parent).free
    if free < 2 * size:  # a copy must never be what fills the disk that the database itself needs
        raise BackupError(f"a copy of {file} needs {2 * size >> 20} MiB of room, and {free >> 20} MiB are free")
    copy = file.with_name(f"{file.name}{_MARK}{now:%Y-%m-%d}")
    unfinished = Path(f"{copy}{_UNFINISHED}")
    for cut_short in file.parent.glob(f"{file.name}{_MARK}*{_UNFINISHED}*"):
        cut_short.unlink()
    unfinished.touch(mode=_READABLE_BY_OWNER)
    try:
        connection.execute("VACUUM INTO ?", (str(unfinished),))
        unfinished.replace(copy)
    finally:
        unfinished.unlink(missing_ok=True)
    for old in copies(file)[:-keep]:
        old.unlink()
    return copy
