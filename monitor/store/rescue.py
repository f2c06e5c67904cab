"""A damaged SQLite file is put aside, and a fresh one goes on with what must not be lost.

That is what people said and what is on its way: the hold, drafts and the outbox, bans, accounts, open incidents.
Readings are learned anew. Where any of it cannot be read, nobody knows what was being sent, so publishing is held until
a person has looked.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from msgspec import Struct
from sqlalchemy import Connection, Table, insert
from sqlalchemy.exc import IntegrityError

from monitor.store import schema
from monitor.store.backup import copies
from monitor.store.schema import HEAD, VERSION_TABLE

# What hangs on places in the journal stays behind with it: outputs, checkpoints, the audit chain, what was notified.
KEPT: tuple[Table, ...] = (
    schema.holds,
    schema.closures,
    schema.outbox,
    schema.drafts,
    schema.incidents,
    schema.preapprovals,
    schema.accounts,
    schema.sessions,
    schema.deeds,
)
CHECKED_BYTES = 64 * 2**20  # looked through in a fraction of a second
_PARTS = ("", "-wal", "-shm")
_BY = "cexwatch: the database was damaged"


class Rescued(Struct, frozen=True):
    aside: Path
    unread: tuple[str, ...]  # tables that could not be read to their end


def is_suspect(file: Path) -> bool:
    """Whether a former life met damage, or the file is so small that a look through it costs no time."""
    return _note(file).exists() or (file.exists() and file.stat().st_size <= CHECKED_BYTES)


def suspect(file: Path) -> None:
    """Let the next start look through the file, however large."""
    _note(file).touch()


def trust(file: Path) -> None:
    """It was looked through, and it is whole."""
    _note(file).unlink(missing_ok=True)


def _note(file: Path) -> Path:
    return Path(f"{file}.suspect")


def _rescuing(file: Path) -> Path:
    """Names the file put aside, from before it is until all that is kept of it is in the fresh one."""
    return Path(f"{file}.rescuing")


def under_way(file: Path) -> Path | None:
    """Where the damaged database is that a former life did not take over to the end."""
    note = _rescuing(file)
    name = note.read_text().strip() if note.exists() else ""
    aside = file.with_name(name) if name else file
    return aside if name and aside.exists() else None


def put_aside(file: Path) -> Path:
    """Rename the database with all that belongs to it; returns where it is now.

    Its copies are renamed with it: the next nights must not drop what is the only whole one.
    """
    number = 1
    while (aside := file.with_name(f"{file.name}.damaged-{number}")).exists():
        number += 1
    _written(_rescuing(file), aside.name)
    file.rename(aside)
    _follow(file, aside)
    for copy in copies(file):
        copy.rename(f"{aside}{copy.name.removeprefix(file.name)}")
    return aside


def begin_anew(file: Path, aside: Path) -> None:
    """Drop a fresh database that was not filled."""
    if not file.exists():
        _follow(file, aside)  # a former life may have ended between two names
    for part in _PARTS:
        Path(f"{file}{part}").unlink(missing_ok=True)


def _follow(file: Path, aside: Path) -> None:
    """What belongs to the database goes where it went."""
    for part in _PARTS[1:]:
        source = Path(f"{file}{part}")
        if source.exists():
            source.rename(f"{aside}{part}")


def finish(file: Path) -> None:
    """All that is kept is in the fresh database."""
    _note(file).unlink(missing_ok=True)
    _rescuing(file).unlink(missing_ok=True)


def _written(note: Path, text: str) -> None:
    with note.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def take_over(fresh: Connection, aside: Path) -> Rescued:
    """Copy what is to be kept into a fresh database, as far as it can be read. Hold publishing where it is not all."""
    unread = []
    for table in KEPT:
        rows, is_whole = _read(aside, table)
        refused = [row for row in rows if not _took(fresh, table, row)]
        if refused or not is_whole:
            unread.append(table.name)
    if unread:
        held = schema.holds
        fresh.execute(held.delete())
        fresh.execute(insert(held), [{"id": 1, "held": True, "actor": _BY, "at": 0}])
    return Rescued(aside, tuple(unread))


def _took(fresh: Connection, table: Table, row: dict[str, object]) -> bool:
    """Whether a row could be inserted: what a damaged file answers need not fit."""
    try:
        fresh.execute(insert(table), [row])
    except IntegrityError:
        return False
    return True


def _read(aside: Path, table: Table) -> tuple[list[dict[str, object]], bool]:
    """The rows of a table up to the first that cannot be read, and whether that was all."""
    rows: list[dict[str, object]] = []
    names = [column.name for column in table.columns]
    try:
        with closing(sqlite3.connect(aside)) as damaged:
            if damaged.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone() != (HEAD,):  # noqa: S608
                return rows, False
            found = damaged.execute(f"SELECT {', '.join(names)} FROM {table.name}")  # noqa: S608
            rows.extend(dict(zip(names, row, strict=True)) for row in found)
    except sqlite3.DatabaseError:
        return rows, False
    return rows, True
