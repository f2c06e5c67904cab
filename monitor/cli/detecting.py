"""The statistics of the detectors in a terminal: the state first, what fires on top, then words."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from monitor.cli import screen
from monitor.cli.database import reading
from monitor.cli.outcome import Code, fail
from monitor.cli.screen import indented, marked, quiet, visible
from monitor.clock import Clock
from monitor.config import Config
from monitor.config.yaml_file import suggestion
from monitor.engine.run import WORLD
from monitor.model import ExchangeState, ExchangeView
from monitor.model.view import StatisticView
from monitor.replay.ending import standing
from monitor.web import pages, phrases, statistics
from monitor.web.statistics import Row
from monitor.web.verdict import is_stale

PIPED_WIDTH = 200
WIDE = 120  # columns; below it words have a line of their own


class Told(Struct, frozen=True):
    """What is known of the exchanges, as of `at`."""

    at: datetime
    views: Sequence[ExchangeView]


class Detecting(Struct, frozen=True, kw_only=True):
    exchange: str
    title: str
    withdrawals: ExchangeState
    reason: str
    stale: bool  # nothing was read lately, so all of it is of the past
    learning: str
    statistics: Sequence[StatisticView]


class _Printed(Struct, frozen=True):
    generated_at: datetime
    exchanges: Sequence[Detecting]


async def of_the_daemon(config: Config, *, exchange: str | None) -> Told:
    """What the daemon knew last. Raises StoreError. Ends the command where the exchange is not watched."""
    if exchange is not None and exchange not in config.exchanges:
        fail(f"{exchange!r} is not watched{suggestion(exchange, config.exchanges)}", code=Code.USAGE)
    async with reading(config) as desk:
        views = await desk.store.views()
    return Told(max(desk.now, Clock().now()), _of(views, exchange))


def at_the_end_of(journal: Path, *, exchange: str | None) -> Told:
    """What the engines know after the last entry. Raises JournalError, OSError."""
    with screen.counting("replaying", unit="entries") as progress:
        at, views = standing(journal, progress=progress)
    if exchange is not None and exchange not in [view.exchange for view in views]:
        names = [view.exchange for view in views if view.exchange != WORLD]
        fail(f"{journal} tells nothing of {exchange!r}{suggestion(exchange, names)}")
    return Told(at, _of(views, exchange))


def show(told: Told, *, as_json: bool) -> None:
    if as_json:
        printed = _Printed(told.at, [_detecting(view, told.at) for view in told.views])
        print(msgspec.json.format(msgspec.json.encode(printed), indent=2).decode())
        return
    console = screen.out()
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    if not told.views:
        console.print("no exchange yet")
    for place, view in enumerate(told.views):
        if place:
            console.print()
        _show(console, view, told.at)


def _of(views: Sequence[ExchangeView], exchange: str | None) -> list[ExchangeView]:
    return [view for view in pages.exchanges(views) if exchange in (None, view.exchange)]


def _detecting(view: ExchangeView, now: datetime) -> Detecting:
    return Detecting(
        exchange=view.exchange,
        title=view.title or view.exchange,
        withdrawals=view.withdrawals,
        reason=view.reason,
        stale=is_stale(view, now),
        learning=statistics.learning(view),
        statistics=statistics.ordered(view.statistics),
    )


def _show(console: Console, view: ExchangeView, now: datetime) -> None:
    heading = (
        Text(visible(view.title or view.exchange), "bold").append("  ").append_text(marked(pages.withdrawals(view)))
    )
    console.print(heading.append(f"  {phrases.shortened(view.reason, 200)}", "default"))
    if is_stale(view, now):
        console.print(indented(Text(f"as of {phrases.exact(view.at)}: nothing that tells was read lately", "magenta")))
    for line in (statistics.headline(view.statistics), statistics.learning(view)):
        if line:
            console.print(indented(quiet(line)))
    rows = statistics.rows(view.statistics)
    if console.width >= WIDE:
        if rows:
            console.print(indented(_table(rows), by=2))
        return
    for row in rows:
        _show_row(console, row)


def _table(rows: Sequence[Row]) -> Table:
    table = Table(
        "",
        Column("statistic", min_width=14),
        Column("stands at", min_width=12),
        Column("seen", max_width=40),
        Column("in words", ratio=1),
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        header_style="dim",
        expand=True,
    )
    for row in rows:
        cells = (row.name, row.stands, row.seen, row.words)
        table.add_row(marked(row.mark), *(Text(visible(cell)) for cell in cells))
    return table


def _show_row(console: Console, row: Row) -> None:
    """Where the terminal is too narrow for a table."""
    console.print(indented(marked(row.mark).append(f"  {visible(row.name)}", "bold")))
    for line in (row.words, "; ".join(part for part in (row.stands, row.seen) if part)):
        if line:
            console.print(indented(Text(visible(line)), by=4))
