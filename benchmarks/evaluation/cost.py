"""What the detectors cost: CPU time a stream update, state a stream, entries a second with all of them."""

import time
from collections.abc import Sequence

from benchmarks import replay
from benchmarks.evaluation.rows import Row, judged
from monitor.engine.engine import Engine
from monitor.model import Observation
from tests import journals

EXCHANGE = "examplex"
DAYS = 8  # past the first midnights and a whole week of hours
UPDATE_MICROSECONDS = 20.0
STREAM_BYTES = 4096
ENTRIES_A_SECOND = 40_000


def rows() -> list[Row]:
    seconds, size, updates = _streams(journals.usual(range(1, DAYS * 1440)))
    update, streams = 1e6 * seconds / updates, len(journals.RATES)
    speed = replay.measured().entries_a_second
    return [
        Row(
            what=f"cost of a stream update ({updates:,} updates, one of {streams} streams a time)",
            aim=f"<= {UPDATE_MICROSECONDS:g} us of CPU",
            measured=f"{update:.1f} us",
            verdict=judged(update <= UPDATE_MICROSECONDS),
        ),
        Row(
            what=f"state of a stream, encoded ({streams} streams, {DAYS} days)",
            aim=f"<= {STREAM_BYTES:,} bytes",
            measured=f"{size / streams:,.0f} bytes",
            verdict=judged(size / streams <= STREAM_BYTES),
        ),
        Row(
            what="entries a CPU second, all detectors",
            aim=f">= {ENTRIES_A_SECOND:,}",
            measured=f"{speed:,.0f}",
            verdict=judged(speed >= ENTRIES_A_SECOND),
        ),
    ]


def _streams(entries: Sequence[Observation]) -> tuple[float, int, int]:
    """CPU seconds, bytes that the streams add to a checkpoint, and how many updates it was."""
    engine = Engine.fresh(EXCHANGE)
    empty = len(engine.checkpoint())
    started = time.process_time()
    for entry in entries:
        engine.apply(entry)
    seconds = time.process_time() - started
    return seconds, len(engine.checkpoint()) - empty, len(entries)
