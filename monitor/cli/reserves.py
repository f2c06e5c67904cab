"""`cexwatch reserves`: which addresses an exchange is said to hold, and what other lists say."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import CONFIG, ConfigOption, JsonOption

app = typer.Typer(help="Look at the address book, and keep it.", no_args_is_help=True, rich_markup_mode=None)

ExchangeOption = Annotated[str | None, typer.Option("--exchange", metavar="NAME", help="Only of this exchange.")]
FileArgument = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help="A CSV file with the headings network,address[,role][,label].")
]
FromOption = Annotated[
    str | None,
    typer.Option("--from", metavar="NAME", help="In place of a file, the own list of binance, bybit, bitstamp."),
]
UrlOption = Annotated[str | None, typer.Option("--url", metavar="URL", help="Where a copy of that list is served.")]
WhoseOption = Annotated[
    str | None, typer.Option("--exchange", metavar="NAME", help="Whose addresses the file lists; needed with a file.")
]
SourceOption = Annotated[
    str | None, typer.Option("--source", metavar="TEXT", help="Where the file is from; by default its name.")
]


@app.callback()
def reserves() -> None:
    """Look at the address book, and keep it."""


@app.command("ls")
def show(
    exchange: ExchangeOption = None,
    network: Annotated[str | None, typer.Option("--network", metavar="NAME", help="Only on this network.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = CONFIG,
) -> None:
    """List addresses, each with its source; without an exchange or a network, how many there are of each exchange."""
    from monitor.cli.book import ls

    ls(config, exchange=exchange, network=network, as_json=as_json)


@app.command()
def check(config: ConfigOption = CONFIG) -> None:
    """Report every problem of the address book: exit code 3 if there is one."""
    from monitor.cli.book import check as tell

    print(tell(config))


@app.command()
def diff(
    file: FileArgument = None,
    whose: FromOption = None,
    url: UrlOption = None,
    exchange: WhoseOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = CONFIG,
) -> None:
    """Compare the book with a list: what is new in the list, what is gone from it, what cannot be read."""
    from monitor.cli.refresh import diff as tell
    from monitor.cli.refresh import wanted

    tell(config, wanted(file, whose=whose, url=url, exchange=exchange, source=None), as_json=as_json)


@app.command("import")
def import_list(
    file: FileArgument = None,
    whose: FromOption = None,
    url: UrlOption = None,
    exchange: WhoseOption = None,
    source: SourceOption = None,
    write: Annotated[bool, typer.Option("--write", help="Add them to the exchange's page.")] = False,
    config: ConfigOption = CONFIG,
) -> None:
    """Propose the addresses of a list that the book does not have. Nothing is ever taken out of the book."""
    from monitor.cli.refresh import import_list as propose
    from monitor.cli.refresh import wanted

    propose(config, wanted(file, whose=whose, url=url, exchange=exchange, source=source), write=write)


@app.command()
def scan(
    exchange: Annotated[
        list[str] | None, typer.Option("--exchange", metavar="NAME", help="Only of this exchange; can be repeated.")
    ] = None,
    network: Annotated[
        list[str] | None, typer.Option("--network", metavar="NAME", help="Only on this network; can be repeated.")
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = CONFIG,
) -> None:
    """Read every known balance now, from the chains and without a daemon: exit code 2 if some could not be read."""
    from monitor.cli.outcome import Ending
    from monitor.cli.scanning import scan as read

    raise Ending(read(config, exchanges=exchange or [], networks=network or [], as_json=as_json))
