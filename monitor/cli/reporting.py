"""`cexwatch report`: from a journal file, or from the database of a daemon, to a page."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from monitor.cli import screen
from monitor.cli.database import reading
from monitor.cli.outcome import Code, fail
from monitor.cli.recalled import recorded
from monitor.config import Config
from monitor.config.yaml_file import suggestion
from monitor.report.case import record
from monitor.report.page import stress_page
from monitor.report.period import Period
from monitor.report.recorder import Recorder
from monitor.web.phrases import exact


def stress_of_a_journal(journal: Path, begin: datetime, end: datetime, *, exchanges: Sequence[str] | None) -> str:
    """Ends the command where nothing of these exchanges was read. Raises JournalError, OSError."""
    period = _stressed(begin, end)
    with screen.counting("judging", unit="entries") as progress:
        recorder, origin = record(journal, period, judging=None, exchanges=exchanges, progress=progress)
    _expect(recorder, exchanges, period)
    return stress_page(recorder, origin)


async def stress_of_the_daemon(
    config: Config, begin: datetime, end: datetime, *, exchanges: Sequence[str] | None
) -> str:
    """Ends the command where nothing of these exchanges was read. Raises StoreError."""
    for name in exchanges or ():
        if name not in config.exchanges:
            fail(f"{name!r} is not watched{suggestion(name, config.exchanges)}", code=Code.USAGE)
    period = _stressed(begin, end)
    async with reading(config) as desk:
        recorder, origin = await recorded(desk, period, exchanges=exchanges)
    _expect(recorder, exchanges, period)
    return stress_page(recorder, origin)


def _stressed(begin: datetime, end: datetime) -> Period:
    return Period(begin, end, before=min(max(end - begin, timedelta(hours=1)), timedelta(hours=24)))


def _expect(recorder: Recorder, exchanges: Sequence[str] | None, period: Period) -> None:
    seen = [name for name, track in recorder.tracks.items() if track.sampled]
    missing = [name for name in exchanges or () if name not in seen]
    if missing or not seen:
        names = ", ".join(missing) or "any exchange"
        fail(f"nothing of {names} was read from {exact(period.shown_from)} to {exact(period.end)}")
