"""How the engines stand after the last entry of a journal file."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from monitor.engine.run import Engines
from monitor.model import ExchangeView
from monitor.replay.journal import count_lines, read_entries, refusals
from monitor.replay.replay import REPORT_ENTRIES, replay


def standing(journal: Path, *, progress: Callable[[int, int], None]) -> tuple[datetime, list[ExchangeView]]:
    """The time of the last entry and the view of each exchange. Raises JournalError, OSError."""
    engines = Engines.fresh()
    total, count, at = count_lines(journal), 0, datetime.fromtimestamp(0, UTC)
    for entry, _ in replay(read_entries(journal), refused=refusals(journal), engines=engines):
        count, at = count + 1, max(at, entry.observation.at)
        if count % REPORT_ENTRIES == 0:
            progress(count, total)
    progress(count, count)
    return at, [engines.view(name) for name in engines.names()]
