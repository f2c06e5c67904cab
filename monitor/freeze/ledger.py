"""The ledger whole: database and witness say the same, or it is said loudly and every freeze of either is kept.

A ledger is begun once, by a person. Where it should be and is not, nothing is begun afresh.
"""

import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from monitor.freeze.database import DamagedError, Database, LedgerError
from monitor.freeze.entry import (
    Entry,
    FreezeActivated,
    KeyIntroduced,
    LedgerBegun,
    LinkMade,
    LinkRevoked,
    Origin,
    Recovered,
    Reported,
    Row,
    TimeConfirmed,
    chained,
    decode,
    encode,
    follows,
)
from monitor.freeze.state import State
from monitor.freeze.witness import Read, Witness, frames, remains

SALVAGED_AT_ONCE = 512
VERIFIED_AT_ONCE = 250  # about a millisecond, for which others wait


class NoLedgerError(Exception):
    """There is neither a database nor a witness."""


class Found(Struct, frozen=True, kw_only=True):
    """How a ledger was found. `wrong` tells what a person must know; "" where all was well."""

    wrong: str = ""
    note: str = ""


class Ledger:
    """Appends entries. `head` is the last row, `state` what all of them add up to."""

    def __init__(self, database: Database, witness: Witness) -> None:
        self._database = database
        self._witness = witness
        self.state = State()
        self.head: Row | None = None
        self.recovered_at: datetime | None = None
        self.witness_failure = ""
        self._doubtful = False

    @property
    def witness_behind(self) -> int:
        return self._witness.behind

    async def begin(self, at: datetime) -> None:
        """The first entry of a new ledger. Raises LedgerError where there is one."""
        if await self._database.exists() or self._witness.path.stat().st_size:
            raise LedgerError("there is a ledger already; nothing was changed")
        await self._database.create()
        await self.append([LedgerBegun(at=at, ledger=secrets.token_hex(8))])

    async def load(self, at: datetime) -> Found:
        """Read all there is and mend what does not fit. Raises NoLedgerError, LedgerError."""
        there, frames_there = await self._database.exists(), self._witness.path.stat().st_size > 0
        if not there and not frames_there:
            raise NoLedgerError
        if not there:
            await self._database.create()
        try:
            await self._database.check()
            await self._database.create()
            problem = await self._read()
        except DamagedError as error:
            problem = str(error)
        if problem:
            await self._recover(problem, at=at)
            return Found(wrong=problem)
        return await self._settle_witness(at=at, lost=not there)

    async def append(self, entries: Sequence[Entry]) -> None:
        """All of them or none, on disk when this returns, in the state too.

        Raises LedgerError where they could not be written, DamagedError where the ledger is not what it was.
        """
        if self._doubtful:
            await self._catch_up()
        rows = chained([encode(entry) for entry in entries], after=self.head)
        try:
            await self._database.add(rows, after=self.head)
        except LedgerError:
            self._doubtful = True  # it may have been written all the same
            raise
        self._take(rows)
        self._testify(rows)

    async def had(self, seq: int, digest: bytes) -> bool:
        """Whether this ledger once ended with that entry: one that was rolled back and has grown since did not."""
        if self.head is not None and self.head.seq == seq:
            return self.head.digest == digest
        try:
            return await self._database.digest(seq) == digest
        except LedgerError:
            return True  # a database that cannot be read now tells nothing; who is frozen is known without it

    async def verify(self) -> Row | None:
        """Read the database once more from the start up to what it holds now; the last row that was read.

        Raises DamagedError where it is not what was written.
        """
        last: Row | None = None
        known = self.head
        async for row in self._database.rows(at_once=VERIFIED_AT_ONCE):
            if not follows(row, last):
                raise DamagedError(f"entry {row.seq} of the ledger does not follow the one before")
            last = row
            if known is not None and row.seq == known.seq and row != known:
                raise DamagedError(f"entry {row.seq} of the ledger is not the one that was written")
        if known is not None and (last is None or last.seq < known.seq):
            raise DamagedError(f"the ledger ends before entry {known.seq}, which was written")
        return last

    async def close(self) -> None:
        await self._database.close()
        self._witness.close()

    async def _catch_up(self) -> None:
        rows = [row async for row in self._database.rows(after=0 if self.head is None else self.head.seq)]
        last = self.head
        for row in rows:
            if not follows(row, last):
                raise DamagedError(f"entry {row.seq} of the ledger does not follow the one before")
            last = row
        self._take(rows)
        self._testify(rows)
        self._doubtful = False

    def _take(self, rows: Sequence[Row]) -> None:
        for row in rows:
            entry = decode(row.body)
            self.state.apply(entry, seq=row.seq)
            self.head = row
            match entry:
                case Recovered(at=at):
                    self.recovered_at = at
                case _:
                    pass

    def _testify(self, rows: Sequence[Row]) -> None:
        """The database has them, so the freeze holds; that the second copy is behind must be seen, not obeyed."""
        try:
            self._witness.add(rows)
        except OSError as error:
            self.witness_failure = f"the witness cannot be written: {error.strerror}"
        else:
            self.witness_failure = ""

    async def _read(self) -> str:
        """Everything in the database into the state, compared with the witness. Tells what does not fit."""
        told = _testimony(self._witness.path)
        async for row in self._database.rows():
            if not follows(row, self.head):
                return f"entry {row.seq} of the ledger does not follow the one before"
            witnessed = next(told, None)
            if witnessed is not None and witnessed != row:
                return f"entry {row.seq} of the ledger is not the one that its witness saw"
            self._take([row])
        return ""

    async def _settle_witness(self, *, at: datetime, lost: bool) -> Found:
        """One of the two may hold more than the other; afterwards both hold the same."""
        seq = 0 if self.head is None else self.head.seq
        missing = [row for row in _testimony(self._witness.path) if row.seq > seq]
        end = _end(self._witness.path)
        found = Found()
        if missing:
            last = self.head
            for row in missing:
                if not follows(row, last):
                    await self._recover(f"entry {row.seq} of the witness does not follow the one before", at=at)
                    return Found(wrong="database and witness do not fit together")
                last = row
            await self._database.add(missing, after=self.head)
            self._take(missing)
            what = "was missing" if lost else f"ended at entry {seq}, and entry {missing[-1].seq} had been written"
            wrong = f"the ledger's database {what}; {len(missing)} entries were put back from the witness"
            await self.append([Recovered(at=at, reason=wrong, head=missing[-1].digest)])
            return Found(wrong=wrong)
        if not end.is_whole:
            behind = remains(self._witness.path)[end.rows :]
            if any(row.seq > seq for row in behind):
                wrong = "the witness is damaged, and saw entries that the ledger's database does not have"
                await self._recover(wrong, at=at)
                return Found(wrong=wrong)
            self._witness.cut(end.size)
            if behind:
                await self._testify_from(end.rows)
                return Found(wrong=f"the witness was damaged behind entry {end.rows}, and is written again")
            if end.rows == seq:
                return Found(wrong="the witness saw an entry that the ledger's database does not have, and holds half")
            found = Found(note="the end of the witness was cut off by a crash, and is written again")
        elif end.rows == 0:
            found = Found(note="there was no witness; a database restored from an older copy could not be told")
        await self._testify_from(end.rows)
        return found

    async def _testify_from(self, seq: int) -> None:
        page: list[Row] = []
        async for row in self._database.rows(after=seq):
            page.append(row)
            if len(page) == 1_000:
                self._testify(page)
                page = []
        self._testify(page)

    async def _recover(self, reason: str, *, at: datetime) -> None:
        """A new ledger of everything that either copy still tells; both copies are kept beside it."""
        from_database = await self._salvaged()
        from_witness = remains(self._witness.path)
        head = max(from_database + from_witness, key=lambda row: row.seq, default=None)
        bodies = _kept(from_database, from_witness)
        name = f"damaged-{at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
        await self._database.put_aside(f"{name}.db" if self._database.file else f"cexwatch_freeze_{name}")
        self._witness.put_aside(f"{name}.witness")
        self.state, self.head = State(), None
        await self._database.create()
        entries: list[Entry] = [
            LedgerBegun(at=at, ledger=secrets.token_hex(8)),
            Recovered(at=at, reason=reason, head=b"" if head is None else head.digest),
            *bodies,
        ]
        for start in range(0, len(entries), 5_000):
            await self.append(entries[start : start + 5_000])

    async def _salvaged(self) -> list[Row]:
        """Every row that can be read: a broken page takes no other with it."""
        rows: list[Row] = []
        try:
            most = await self._database.most()
            for first in range(1, most + 1, SALVAGED_AT_ONCE):
                rows += await self._database.remains(first, first + SALVAGED_AT_ONCE - 1)
        except LedgerError:
            return rows
        return rows


def _testimony(path: Path) -> Iterator[Row]:
    for found in frames(path):
        match found:
            case Row():
                yield found
            case Read():
                return


def _end(path: Path) -> Read:
    for found in frames(path):
        match found:
            case Read():
                return found
            case Row():
                pass
    raise AssertionError("frames end with what became of the file")


def _kept(database: Sequence[Row], witness: Sequence[Row]) -> list[Entry]:
    """The freezes, links, keys and times of both copies, each once, so that nobody is free who is frozen in either.

    A link is revoked only by a copy whose chain holds from its start: a link can do nothing but freeze.
    """
    state, ends, links = State(), dict[bytes, tuple[str, FreezeActivated]](), dict[bytes, LinkMade]()
    revoked: set[bytes] = set()
    reported: set[str] = set()
    keys: list[Entry] = []
    for rows in (database, witness):
        holds = _holds(rows)
        for seq, entry in _readable(rows):
            match entry:
                case FreezeActivated(account=account):
                    former = ends.get(account)
                    if former is None or entry.until > former[1].until:
                        ends[account] = (str(seq), entry)
                case LinkMade(link=link):
                    links.setdefault(link, entry)
                case LinkRevoked(link=link) if holds:
                    revoked.add(link)
                case Reported(reports=reports):
                    reported.update(reports)
                case KeyIntroduced(key_id=key_id) if key_id not in state.checks:
                    state.apply(entry, seq=seq)
                    keys.append(entry)
                case TimeConfirmed():
                    state.apply(entry, seq=seq)
                case _:
                    pass
    times = [] if state.highest is None else [TimeConfirmed(at=state.highest)]
    kept = [link for link in links.values() if link.link not in revoked]
    freezes = [
        replace(entry, origin=Origin.RECOVERY, begins=entry.begins and seq not in reported)
        for seq, entry in ends.values()
    ]
    return [*keys, *times, *kept, *freezes]


def _readable(rows: Sequence[Row]) -> Iterator[tuple[int, Entry]]:
    for row in rows:
        try:
            yield row.seq, decode(row.body)
        except msgspec.MsgspecError:
            continue


def _holds(rows: Sequence[Row]) -> bool:
    last: Row | None = None
    for row in rows:
        if not follows(row, last):
            return False
        last = row
    return True
