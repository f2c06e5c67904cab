"""`cexwatch scenario`."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import JsonOption
from monitor.cli.outcome import expected

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="As `scenario ls` tells it.")]


@app.callback()
def scenario() -> None:
    """Past incidents, reconstructed from published times, as journals to replay."""


@app.command("ls")
def ls(as_json: JsonOption = False) -> None:
    """List the bundled scenarios."""
    from monitor.cli.reconstructing import ls as tell

    tell(as_json=as_json)


@app.command("show")
def show(name: NameArgument, as_json: JsonOption = False) -> None:
    """Tell what was published, what is assumed, and what happens in it."""
    from monitor.cli.reconstructing import show as tell

    tell(name, as_json=as_json)


@app.command("write")
def write(
    name: NameArgument,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where the journal goes, as JSON Lines.")],
) -> None:
    """Write its journal, and beside it what is true (.truth.jsonl) and where it comes from (.about)."""
    from monitor.cli.reconstructing import write as put

    with expected(OSError):
        put(name, out)
