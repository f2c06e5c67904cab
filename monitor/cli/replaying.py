"""`cexwatch replay`: a journal file to a file of transitions, with a bar by the line."""

from itertools import takewhile
from pathlib import Path

import msgspec

from monitor.cli import screen
from monitor.clock import Clock
from monitor.model import Change, Judging, Transition
from monitor.replay.journal import read_entries
from monitor.replay.replay import replay as replayed

CHUNK_BYTES = 2**20
REPORT_ENTRIES = 5_000


def replay(journal: Path, out: Path, *, judging: Judging | None) -> str:
    """What it came to, in a line. Raises JournalError, and OSError for either file."""
    clock = Clock()
    encoder = msgspec.json.Encoder()
    entries = transitions = incidents = 0
    total = _lines(journal)
    with out.open("wb") as lines, screen.counting("replaying", unit="entries") as progress:
        for entry, outputs in replayed(read_entries(journal), judging=judging):
            entries += 1
            for output in outputs:
                if type(output) is Transition:
                    lines.write(encoder.encode(output) + b"\n")
                    transitions += 1
                    incidents += output.transition is Change.OPENED
            if entries % REPORT_ENTRIES == 0:
                progress(entry.seq, total)
    return f"{entries:,} entries, {transitions:,} transitions, {incidents:,} incidents in {clock.monotonic():.1f} s"


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in takewhile(bool, iter(lambda: file.read(CHUNK_BYTES), None)))
