"""`cexwatch replay`: a journal file to a file of transitions, with a bar by the line."""

from pathlib import Path

from monitor.cli import screen
from monitor.clock import Clock
from monitor.model import Judging
from monitor.replay.journal import count_lines
from monitor.replay.replay import replay_file


def replay(journal: Path, out: Path, *, judging: Judging | None) -> str:
    """What it came to, in a line. Raises JournalError, and OSError for either file."""
    clock = Clock()
    total = count_lines(journal)
    with screen.counting("replaying", unit="entries") as progress:
        replayed = replay_file(journal, out, judging=judging, progress=lambda done, _: progress(done, total))
    told = [
        f"{replayed.entries:,} entries",
        f"{replayed.transitions:,} transitions",
        f"{replayed.incidents:,} incidents",
    ]
    if replayed.diverged:
        told.append(f"{replayed.diverged:,} verdicts of the journal not derived again")
    return f"{', '.join(told)} in {clock.monotonic():.1f} s"
