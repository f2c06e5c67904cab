"""`cexwatch journal export`: the journal of a database as lines, while the daemon goes on writing it."""

import sys
from bisect import bisect_right
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from msgspec.structs import replace

from monitor.cli.screen import Advance, counting
from monitor.model import Entry, EntryRefused
from monitor.replay.journal import write_line
from monitor.store import Store

REPORT_ENTRIES = 5_000
STANDARD_OUTPUT = Path("-")


async def export(database: str, out: Path, *, since: datetime | None) -> None:
    """Write entries from `since` on, up to the newest one there is now. Raises StoreError, OSError."""
    store = await Store.open(database, exclusive=False)
    try:
        with _opened(out) as file, _bar(out) as progress:
            await _write(store, JournalFile(file), since=since, progress=progress)
    finally:
        await store.close()


class JournalFile:
    """Lines numbered from 1. An `entry_refused` counts entries by line here, and is left out with its entry."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lines = 0
        self._last = -1
        self._starts: list[int] = []  # the first `seq` of each run without a gap
        self._places: list[int] = []  # and its line

    def write(self, entry: Entry) -> None:
        observation = entry.observation
        match observation:
            case EntryRefused(seq=seq):
                line = self._line_of(seq)
                if line is None:
                    return
                observation = replace(observation, seq=line)
            case _:
                pass
        self._lines += 1
        if entry.seq != self._last + 1:
            self._starts.append(entry.seq)
            self._places.append(self._lines)
        self._last = entry.seq
        self._file.write(write_line(observation))

    def _line_of(self, seq: int) -> int | None:
        run = bisect_right(self._starts, seq) - 1
        if run < 0:
            return None
        line = self._places[run] + seq - self._starts[run]
        end = self._places[run + 1] if run + 1 < len(self._places) else self._lines + 1
        return line if line < end else None


async def _write(store: Store, journal: JournalFile, *, since: datetime | None, progress: Advance) -> None:
    head = await store.head()
    if head is None:
        return
    async for entry in store.entries():
        if entry.seq > head.seq:
            return
        if since is None or entry.observation.at >= since:
            journal.write(entry)
        if entry.seq % REPORT_ENTRIES == 0:
            progress(entry.seq, head.seq)


def _opened(out: Path) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdout.buffer) if out == STANDARD_OUTPUT else out.open("wb")


def _bar(out: Path) -> AbstractContextManager[Advance]:
    """None among the lines themselves."""
    if out == STANDARD_OUTPUT and sys.stdout.isatty():
        return nullcontext(lambda _done, _total: None)
    return counting("exporting", unit="entries")
