"""What must hold of a journal, whatever befell the daemon that wrote it; read as it grows."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from monitor.engine.run import Engines, judge
from monitor.model import (
    Change,
    Command,
    Delivery,
    DeliveryOutcome,
    Draft,
    DraftState,
    Entry,
    EntryRefused,
    ListRead,
    Output,
    RailStatus,
    Transition,
)
from monitor.store import Store

ALL = 1_000_000

Reading = tuple[str, str, datetime]  # probe, vantage, at


@asynccontextmanager
async def looking(database: str) -> AsyncIterator[Store]:
    """The database of a daemon that may be running."""
    store = await Store.open(database, exclusive=False)
    try:
        yield store
    finally:
        await store.close()


class Ledger:
    """Reads what was committed since it last looked. Fails at the first thing that must not be."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._open: dict[Reading, int] = {}  # rails told of a list that is not yet read to its end
        self._is_open: dict[str, bool] = {}  # incident -> not resolved
        self._told: set[tuple[str, Change, datetime]] = set()
        self.seq = 0
        self.at: datetime | None = None
        self.lists_read = 0
        self.commands: list[Command] = []
        self.posted: Counter[str] = Counter()  # draft -> deliveries
        self.transitions: list[Transition] = []
        self.drafts: dict[str, Draft] = {}  # as they stand

    async def read_on(self) -> None:
        async with looking(self._database) as store:
            before = self.seq
            async for entry in store.entries(after=before):
                self._read(entry)
            assert not self._open, "the journal ends in the middle of a reading"
            for _, output in await store.outputs(after=before):
                self._conclude(output)
            assert await store.verify_audit() is None
            self.drafts = {draft.id: draft for draft in await store.drafts(limit=ALL)}

    def _read(self, entry: Entry) -> None:
        assert entry.seq == self.seq + 1, "the journal has a hole"
        self.seq, self.at = entry.seq, entry.observation.at
        match entry.observation:
            case RailStatus(probe=probe, vantage=vantage, at=at):
                self._open[probe, vantage, at] = self._open.get((probe, vantage, at), 0) + 1
            case ListRead(probe=probe, vantage=vantage, at=at, changed=changed):
                assert self._open.pop((probe, vantage, at), 0) == changed, "a reading is not whole"
                self.lists_read += 1
            case Command() as command:
                self.commands.append(command)
            case Delivery(outcome=DeliveryOutcome.POSTED, draft=draft):
                self.posted[draft] += 1
                assert self.posted[draft] == 1, f"{draft} was delivered twice"
            case EntryRefused():
                raise AssertionError(f"an engine refused an entry: {entry.observation.reason}")
            case _:
                pass

    def _conclude(self, output: Output) -> None:
        match output:
            case Transition(incident=incident, transition=change, at=at):
                assert (incident, change, at) not in self._told, f"{incident} {change} twice"
                self._told.add((incident, change, at))
                self._alternate(incident, change)
                self.transitions.append(output)
            case _:
                pass

    def _alternate(self, incident: str, change: Change) -> None:
        match change:
            case Change.OPENED:
                assert incident not in self._is_open, f"{incident} opened again"
                self._is_open[incident] = True
            case Change.REOPENED:
                # Also from `monitoring`, which is not the end yet.
                assert incident in self._is_open
                self._is_open[incident] = True
            case Change.RESOLVED:
                assert self._is_open[incident], f"{incident} resolved twice"
                self._is_open[incident] = False
            case Change.RETRACTED:
                assert incident in self._is_open
                self._is_open[incident] = False
            case _:
                assert self._is_open[incident], f"{incident} {change} after its end"


def check_posts(ledger: Ledger, folder: Path) -> None:
    """Every delivered draft has a file with exactly its text, and nothing else is there.

    A draft of unknown outcome may have one: its daemon was killed after it had begun to write, and it was taken back
    before the next one could go on. Where nothing was posted yet there is no folder.
    """
    files = {file.stem.partition("-")[2]: file.read_text() for file in folder.glob("*")}
    posted = {draft.id for draft in ledger.drafts.values() if draft.state is DraftState.POSTED}
    unknown = {draft.id for draft in ledger.drafts.values() if draft.state is DraftState.UNKNOWN_OUTCOME}
    assert ledger.posted == Counter(posted)
    assert posted <= files.keys() <= posted | unknown
    assert files == {name: ledger.drafts[name].text for name in files}


async def check_replay(database: str) -> None:
    """The whole journal leads fresh engines to what was committed while it was written."""
    async with looking(database) as store:
        engines = Engines.fresh()
        derived: list[tuple[int, Output]] = []
        async for entry in store.entries():
            outputs = judge(engines, entry.observation, engines.apply)
            derived += [(entry.seq, output) for output in outputs if type(output) in (Transition, Draft)]
        assert derived == await store.outputs(after=0)
