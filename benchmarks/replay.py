"""Replay: journal entries a second of CPU, everything included, against decoding the same lines alone in one run."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from monitor.model import Observation, RailState
from monitor.replay.journal import read_entries, write_line
from monitor.replay.replay import replay_file
from tests import journals

MINUTES = 3 * 1440
ROUNDS = 3


def journal() -> list[Observation]:
    """Three days of one exchange: payments on four networks and a list read, every minute; a halt of twenty minutes."""
    entries: list[Observation] = [*journals.rail(0, RailState.OPEN), journals.read(0)]
    for minute in range(1, MINUTES):
        factor = 0.0 if MINUTES - 200 <= minute < MINUTES - 180 else 1.0
        entries += journals.usual(range(minute, minute + 1), factor=factor)
        entries.append(journals.read(minute))
    return entries


def cpu_seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / "journal.jsonl", Path(folder) / "transitions.jsonl"
        entries = journal()
        path.write_bytes(b"".join(write_line(entry) for entry in entries))
        replayed, decoded = [], []
        for _ in range(ROUNDS):
            replayed.append(cpu_seconds(lambda: replay_file(path, out, judging=None, progress=lambda _, __: None)))
            decoded.append(cpu_seconds(lambda: list(read_entries(path))))
        seconds, alone = statistics.median(replayed), statistics.median(decoded)
        transitions = out.read_bytes().count(b"\n")
    print(f"{len(entries)} entries, {transitions} transitions")
    print(f"replay   {len(entries) / seconds:>10,.0f} entries a CPU second")
    print(f"decoding {len(entries) / alone:>10,.0f} entries a CPU second; ratio {seconds / alone:.1f}")


if __name__ == "__main__":
    main()
