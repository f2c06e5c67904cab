"""The address book as commands see it: its files, what is wrong with them, and tables of what they hold."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.table import Column, Table
from rich.text import Text

from monitor.cli import screen
from monitor.cli.configured import configured
from monitor.cli.outcome import Code, expected, fail
from monitor.cli.screen import quiet
from monitor.config.yaml_file import suggestion
from monitor.reserves.book import Address, Book, BookError, read
from monitor.reserves.formats import FORMATS, Check

PIPED_WIDTH = 250  # enough for any row to be whole: who reads it there has no terminal to fit it to


class Library(Struct, frozen=True):
    """The book, and the files it was read from."""

    folder: Path
    texts: dict[str, str]  # file -> YAML
    book: Book


def library(config: Path) -> Library:
    """Ends the command with every problem of the configuration or of the book."""
    folder = configured(config).config.reserves
    with expected(BookError, OSError, UnicodeDecodeError, code=Code.USAGE):
        texts = {str(file): file.read_text() for file in sorted(folder.glob("*.yaml"))}
        return Library(folder, texts, read(texts))


def check(config: Path) -> str:
    """What the book holds, in a line. Ends the command with every problem."""
    book = library(config).book
    checks = Counter(address.check for address in book.addresses)
    disputed = len(book.addresses) - len(book.counted())
    networks = len({address.network for address in book.addresses})
    return (
        f"ok: {len(book.addresses):,} addresses of {len(book.exchanges)} exchanges on {networks} networks; "
        f"{checks[Check.CHECKSUM]:,} of formats with a checksum, {checks[Check.FORM]:,} of formats without, "
        f"{checks[Check.LISTED]:,} as listed; {disputed:,} disputed"
    )


def ls(config: Path, *, exchange: str | None, network: str | None, as_json: bool) -> None:
    """Print the addresses of an exchange or a network, or what there is of each exchange."""
    book = library(config).book
    if exchange is not None and exchange not in book.exchanges:
        fail(f"no page of {exchange!r}{suggestion(exchange, book.exchanges)}", code=Code.USAGE)
    if network is not None and network not in FORMATS:
        fail(f"unknown network {network!r}{suggestion(network, FORMATS)}", code=Code.USAGE)
    found = [a for a in book.addresses if exchange in (None, a.exchange) and network in (None, a.network)]
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    console = screen.out()
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    console.print(summary(book) if exchange is None and network is None else addresses(found))


def summary(book: Book) -> Table:
    """One row an exchange, the one with most addresses first."""
    numbers = ("addresses", "networks", "hot", "cold", "disputed")
    columns = (Column(name, justify="right") for name in numbers)
    table = _table(Column("exchange", no_wrap=True), *columns, Column("as of", no_wrap=True))
    for exchange in sorted(book.exchanges, key=lambda name: (-len(book.of(name)), name)):
        found = book.of(exchange)
        roles = Counter(address.role for address in found)
        networks = {address.network for address in found}
        days = [address.as_of for address in found]
        counts = (len(found), len(networks), roles["hot"], roles["cold"], sum(bool(a.disputed_with) for a in found))
        as_of = max(days).isoformat() if days else ""
        table.add_row(Text(exchange, "bold"), *(f"{count:,}" if count else quiet("-") for count in counts), as_of)
    return table


def addresses(found: Sequence[Address]) -> Table:
    """One row an address."""
    fixed = (Column(name, no_wrap=True) for name in ("exchange", "network"))
    table = _table(*fixed, Column("address", overflow="fold"), "role", "known by", "as of", "source and label")
    for each in found:
        told = [each.source, each.label, f"disputed with {each.disputed_with}" if each.disputed_with else ""]
        table.add_row(
            Text(each.exchange, "bold"),
            each.network,
            Text(each.address),
            each.role or quiet("-"),
            each.check.value,
            each.as_of.isoformat(),
            Text("; ".join(screen.visible(text) for text in told if text)),
        )
    return table


def _table(*columns: str | Column) -> Table:
    return Table(*columns, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
