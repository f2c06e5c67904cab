"""`cexwatch reserves diff` and `import`: a list beside the book. What is new is proposed; nothing is ever dropped."""

import asyncio
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from monitor.cli import screen
from monitor.cli.book import Library, library
from monitor.cli.holdings import opened
from monitor.cli.outcome import Code, expected, fail
from monitor.cli.screen import quiet
from monitor.clock import Clock
from monitor.exchange_probes import budgets
from monitor.http import Http
from monitor.model import RemoteError
from monitor.probes.address_lists import LISTS, decode_file
from monitor.reserves import writing
from monitor.reserves.book import BookError, read
from monitor.reserves.comparing import Comparison, SaidList, addition, compare
from monitor.reserves.writing import NoPlaceError

TIMEOUT_SECONDS = 60.0


class FileWanted(Struct, frozen=True, kw_only=True):
    file: Path
    exchange: str
    source: str


class LiveWanted(Struct, frozen=True, kw_only=True):
    name: str  # of `LISTS`
    url: str
    is_copy: bool  # served by the person who asks, perhaps on a private address


def wanted(
    file: Path | None, *, whose: str | None, url: str | None, exchange: str | None, source: str | None
) -> FileWanted | LiveWanted:
    """Which list is meant. Ends the command where that is not told, or told twice."""
    if file is not None and whose is None:
        return _file(file, url=url, exchange=exchange, source=source)
    if whose is None or file is not None:
        fail("name a file, or --from and an exchange, and not both", code=Code.USAGE)
    if whose not in LISTS:
        fail(f"{whose} serves no list that we can read; known here: {', '.join(LISTS)}", code=Code.USAGE)
    if exchange not in (None, whose) or source is not None:
        fail(f"the list of {whose} is of {whose} and is its own source", code=Code.USAGE)
    return LiveWanted(name=whose, url=url or LISTS[whose].url, is_copy=url is not None)


def _file(file: Path, *, url: str | None, exchange: str | None, source: str | None) -> FileWanted:
    if exchange is None or url is not None:
        fail("a file needs --exchange, and has no --url", code=Code.USAGE)
    return FileWanted(file=file, exchange=exchange, source=source or file.name)


def diff(config: Path, what: FileWanted | LiveWanted, *, as_json: bool) -> None:
    """Print how the list differs from the book."""
    compared = compare(library(config).book, _list(what))
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(compared), indent=2).decode())
        return
    _show(compared, what, console=opened())


def import_list(config: Path, what: FileWanted | LiveWanted, *, write: bool) -> None:
    """Print how the list differs from the book and what to add to the page; with `write`, add it."""
    shelf = library(config)
    compared = compare(shelf.book, _list(what))
    console = opened()
    _show(compared, what, console=console)
    if not compared.added:
        console.print("\nnothing to add")
        return
    file = _page(shelf, compared.exchange)
    if write:
        _write(shelf, file, compared)
        console.print(f"\nadded {len(compared.added):,} to {file}", style="bold")
        return
    console.print(f"\nto add to the lists of {file}, which --write does:", style="bold")
    print(writing.block(addition(compared), indent=2), end="")


def _list(what: FileWanted | LiveWanted) -> SaidList:
    with expected(RemoteError, OSError):
        match what:
            case FileWanted(file=file, exchange=exchange, source=source):
                found = tuple(decode_file(file.read_bytes()))
                return SaidList(exchange=exchange, source=source, as_of=Clock().now().date(), addresses=found)
            case LiveWanted():
                return asyncio.run(_fetched(what))


async def _fetched(what: LiveWanted) -> SaidList:
    clock = Clock()
    async with Http(clock, budgets=budgets()) as http:

        async def ask(url: str) -> bytes:
            return (await http.get(url, allow_private=what.is_copy, timeout=TIMEOUT_SECONDS)).body

        return await LISTS[what.name].read(ask, what.url, clock.now().date())


def _page(shelf: Library, exchange: str) -> Path:
    """The file that has the exchange's addresses, or the one that they would be in."""
    named = shelf.folder / f"{exchange}.yaml"
    if str(named) in shelf.texts or exchange not in shelf.book.exchanges:
        return named
    owners = (file for file, text in shelf.texts.items() if read({file: text}).exchanges == (exchange,))
    return Path(next(owners))


def _write(shelf: Library, file: Path, compared: Comparison) -> None:
    """The whole book is read with the new page before anything is written."""
    new = addition(compared)
    with expected(NoPlaceError, BookError, OSError):
        before = shelf.texts.get(str(file))
        text = writing.page(compared.exchange, [new]) if before is None else writing.added(before, new)
        read({**shelf.texts, str(file): text})
        beside = file.with_name(f".{file.name}.new")
        beside.write_text(text)
        beside.replace(file)


def _show(compared: Comparison, what: FileWanted | LiveWanted, *, console: Console) -> None:
    day = date.isoformat(compared.as_of)
    console.print(f"{compared.exchange}, as of {day} by {screen.visible(compared.source)}", style="bold")
    counts = {
        "added": len(compared.added),
        "the same": compared.same,
        "missing": len(compared.missing),
        "claimed by two": len(compared.claimed),
        "refused": len(compared.refused),
    }
    console.print(", ".join(f"{count:,} {what}" for what, count in counts.items()))
    added = [(each.network, each.address, f"{each.role or ''} {each.label}") for each in compared.added]
    missing = [(each.network, each.address, f"says {each.source}") for each in compared.missing]
    claimed = [(each.network, each.address, f"{each.owner}'s; to add it, dispute it") for each in compared.claimed]
    refused = [(each.network, each.address, each.reason) for each in compared.refused]
    _rows(console, "in the list and not in the book", added)
    match what:
        case LiveWanted():
            _rows(console, "in the book and no longer in the list; they stay in the book", missing)
        case FileWanted() if missing:  # it need not be a list of all there is
            console.print(quiet(f"\n{len(missing):,} in the book are not in the file; they stay in the book"))
        case FileWanted():
            pass
    _rows(console, "in the book for another exchange; not added", claimed)
    _rows(console, "in the list and no address that we can take; not added", refused)
    if compared.untold:
        told = ", ".join(f"{network} {count:,}" for network, count in compared.untold.items())
        console.print(quiet(f"\nnothing in the list about networks on which the book has some: {told}"))


def _rows(console: Console, title: str, rows: Sequence[tuple[str, str, str]]) -> None:
    """Network, address, and what there is to say of it."""
    if not rows:
        return
    whole = Column(overflow="fold", no_wrap=not console.is_terminal)
    table = Table(
        "", Column(no_wrap=True), whole, "", box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for network, address, note in rows:
        table.add_row("", *(Text(screen.visible(text)) for text in (network, address, note)))
    console.print(f"\n{title}", style="bold")
    console.print(table)
