"""Exchanges and rails as tables: the rows of the status page, in a terminal of any width."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace
from rich.table import Column, Table
from rich.text import Text

from monitor.cli.screen import celled, marked, quiet
from monitor.model import ExchangeState, ExchangeView, ProbeFailure, RailVerdict, RailView
from monitor.web import pages, phrases
from monitor.web.pages import Cell, RailPair

WIDE = 100  # columns
WORDS_CHARACTERS = 300  # of what others say
RAW_CHARACTERS = 30
NAMED = 4  # of many rails or probes that have one thing in common
NO_WALLET = "no wallet of it is known on a chain we read"


class Sheet:
    """Views of exchanges, the worst first, told at `now`."""

    def __init__(self, views: Iterable[ExchangeView], *, now: datetime, width: int) -> None:
        self._views = pages.exchanges(views)
        self._now = now
        self._gap = 2 if width >= WIDE else 1

    def exchanges(self) -> Table:
        """One row an exchange."""
        headings = ("last paid out", "paid in 5 min", "rails off", "last trade", "they say", "age")
        table = self._table("", Column("withdrawals", no_wrap=True), *headings)
        for view in self._views:
            cells = [celled(cell) for cell in _cells(view, self._now)]
            table.add_row(_title(view), marked(pages.withdrawals(view)), *cells)
        return table

    def reasons(self) -> Table:
        """Why an exchange is not operational, and what each says in its own words."""
        table = self._table("", Column(ratio=1))
        table.show_header = False
        for view in self._views:
            if view.withdrawals is not ExchangeState.OPERATIONAL:
                table.add_row(_title(view), phrases.shortened(view.reason, WORDS_CHARACTERS))
            if view.statement:
                said = phrases.shortened(view.statement, WORDS_CHARACTERS)
                table.add_row(_title(view), quiet("they say: ").append(said, "default"))
            planned = pages.next_maintenance(view, self._now)
            if planned:
                table.add_row(_title(view), phrases.shortened(planned, WORDS_CHARACTERS))
        return table

    def rails(self) -> Table:
        """The watched rails that are read, below their exchange."""
        whole = ("watched rail", "withdraw", "deposit", "since")
        table = self._table(*(Column(name, no_wrap=True) for name in whole), "source", Column("age", no_wrap=True))
        for view in self._views:
            read = [pair for pair in pages.rail_pairs(view) if not _is_unread(pair)]
            if read:
                table.add_row(_title(view))
            for pair in read:
                table.add_row(*_rail(pair, self._now))
        return table

    def unseen(self, failures: Iterable[ProbeFailure], *, without_wallets: Sequence[str]) -> Table:
        """What could not be seen, and why: rails and payments by exchange, then probes by what they failed with."""
        table = self._table("not seen", Column(ratio=2), Column("why", ratio=3))
        for view in self._views:
            for reason, rails in _unread(view).items():
                everything = len(rails) == len(pages.rail_pairs(view))
                if everything and reason == view.reason:  # as `reasons` tell already
                    continue
                named = f"all {len(rails)} watched rails" if everything else phrases.several(rails, NAMED)
                table.add_row(_title(view), named, phrases.shortened(reason, WORDS_CHARACTERS))
            if view.exchange in without_wallets:
                table.add_row(_title(view), "payments", NO_WALLET)
        for why, probes in _by_reason(failures).items():
            table.add_row("probes", phrases.several(probes, NAMED), why)
        return table

    def _table(self, *columns: str | Column) -> Table:
        return Table(*columns, box=None, pad_edge=False, padding=(0, self._gap, 0, 0), header_style="dim")


def _title(view: ExchangeView) -> Text:
    return Text(view.title, "bold", no_wrap=True)


def _cells(view: ExchangeView, now: datetime) -> list[Cell]:
    """What the status page says beside the state. Words and reasons have more room below the table."""
    paid, off = pages.last_paid(view, now), pages.rails_off(view)
    said = phrases.ago(view.statement_at, now) if view.statement_at is not None else "below"
    return [
        paid if view.networks else replace(paid, note=""),
        pages.paid_recently(view),
        off if view.newly_off_24h else replace(off, note=""),
        pages.trading(view, now),
        Cell(said) if view.statement else pages.says(view, now),
        replace(pages.age(view, now), note=""),
    ]


def _is_unread(pair: RailPair) -> bool:
    return all(rail is None or rail.verdict is RailVerdict.UNKNOWN for rail in pair)


def _unread(view: ExchangeView) -> dict[str, list[str]]:
    """Why -> the rails that are unknown for that reason."""
    found: dict[str, list[str]] = {}
    for pair in pages.rail_pairs(view):
        rail = next(rail for rail in pair if rail is not None)
        if _is_unread(pair):
            found.setdefault(rail.reason, []).append(f"{rail.asset}@{rail.network}")
    return found


def _by_reason(failures: Iterable[ProbeFailure]) -> dict[str, list[str]]:
    """Why -> the probes that failed so."""
    found: dict[str, list[str]] = {}
    for failure in failures:
        why = f"{phrases.worded(failure.reason)}: {failure.detail}"
        found.setdefault(phrases.shortened(why, WORDS_CHARACTERS), []).append(failure.probe)
    return found


def _rail(pair: RailPair, now: datetime) -> list[Text]:
    rails = [rail for rail in pair if rail is not None]
    telling = [rail for rail in rails if rail.verdict is not RailVerdict.OPEN] or rails[:1]
    since = dict.fromkeys(pages.rail_since(rail, now, told="").removeprefix("since ") for rail in telling)
    told = dict.fromkeys(_told(rail) for rail in telling)
    read = max((rail.read_at for rail in rails if rail.read_at is not None), default=None)
    return [
        Text(f"  {rails[0].asset} {rails[0].network}"),
        *(marked(pages.rail_mark(rail)) if rail is not None else quiet("not read") for rail in pair),
        quiet("\n".join(since)),
        Text("\n".join(told), "dim", no_wrap=True, overflow="ellipsis"),
        Text(phrases.ago(read, now) if read is not None else ""),
    ]


def _told(rail: RailView) -> str:
    """Whose word it is; where the rail is not open, in the exchange's own."""
    source = phrases.worded(rail.source)
    return source if rail.verdict is RailVerdict.OPEN else f"{source}: {phrases.shortened(rail.raw, RAW_CHARACTERS)}"
