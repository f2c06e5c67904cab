"""A journal file into a database: its entries are judged exactly as if they had come in live, and committed in batches.

Verdicts of the file are left out because the engines pronounce their own, and entries an engine could not take with
the note that it could not. Nothing is committed before the whole file has been read once.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from monitor.engine.run import Engines, judge
from monitor.model import Change, Entry, EntryRefused, ExchangeView, Output, Transition, Verdict
from monitor.replay.journal import JournalError, read_entries, refusals

BATCH_ENTRIES = 5_000


class Judged(Struct, frozen=True):
    """An entry at its place in the database, and what it caused."""

    entry: Entry
    outputs: tuple[Output, ...]


class Standing(Struct, frozen=True, kw_only=True):
    """The engines after the last entry: what to show of each, and their checkpoints."""

    seq: int
    at: datetime
    views: tuple[ExchangeView, ...]
    engines: dict[str, bytes]


class Imported(Struct, frozen=True, kw_only=True):
    """How much an import was. `entries` counts verdicts too."""

    entries: int
    transitions: int
    incidents: int


Commit = Callable[[Sequence[Judged], Standing | None], Awaitable[None]]
"""Write a batch in one transaction; the last one comes with the engines' standing."""


def check(path: Path, *, head: datetime | None, latest: datetime) -> int:
    """Read a whole file before anything of it is taken; how many entries will be.

    `head` is the time of the newest entry there is already. Raises JournalError for a line that is no entry, one after
    `latest`, and a file that begins before `head`; OSError where the file cannot be read.
    """
    count = 0
    for entry in _imported(path):
        at = entry.observation.at
        if count == 0 and head is not None and at < head:
            raise JournalError(
                f"{path}:{entry.seq} is of {at.isoformat()}, and the database goes to {head.isoformat()} already: "
                "import into a new database, or only what is newer"
            )
        if at > latest:
            raise JournalError(f"{path}:{entry.seq} is of {at.isoformat()}, which is yet to come")
        count += 1
    return count


async def import_file(
    path: Path, *, engines: Engines, after: int, commit: Commit, progress: Callable[[int], None]
) -> Imported:
    """Take the entries of a checked file, from place `after` + 1 on. `progress` gets the entries read so far."""
    seq, count, at = after, 0, None
    transitions = incidents = 0
    batch: list[Judged] = []
    for entry in _imported(path):
        judged = _judged(engines, entry, after=seq)
        seq, at, count = judged[-1].entry.seq, entry.observation.at, count + 1
        told = [output for output in judged[0].outputs if type(output) is Transition]
        transitions += len(told)
        incidents += sum(output.transition is Change.OPENED for output in told)
        batch += judged
        if len(batch) >= BATCH_ENTRIES:
            await commit(batch, None)
            batch = []
            progress(count)
    if at is not None:
        await commit(batch, _standing(engines, seq=seq, at=at))
    progress(count)
    return Imported(entries=seq - after, transitions=transitions, incidents=incidents)


def _imported(path: Path) -> Iterator[Entry]:
    refused = {line for line, _ in refusals(path)}
    entries = (entry for entry in read_entries(path) if entry.seq not in refused)
    return (entry for entry in entries if type(entry.observation) not in (Verdict, EntryRefused))


def _judged(engines: Engines, entry: Entry, *, after: int) -> list[Judged]:
    """The entry and the verdicts it led to, each at its own place, as the daemon appends them."""
    outputs = judge(engines, entry.observation, engines.apply)
    verdicts = [output for output in outputs if type(output) is Verdict]
    followers = [Judged(Entry(after + 1 + place, verdict), ()) for place, verdict in enumerate(verdicts, start=1)]
    return [Judged(Entry(after + 1, entry.observation), tuple(outputs)), *followers]


def _standing(engines: Engines, *, seq: int, at: datetime) -> Standing:
    names = engines.names()
    return Standing(
        seq=seq,
        at=at,
        views=tuple(engines.view(name) for name in names),
        engines={name: engines.checkpoint(name) for name in names},
    )
