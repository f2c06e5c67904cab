"""`cexwatch rules`."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

RUNBOOKS = "https://cexwatch.example.org/runbooks"
DASHBOARDS = "http://localhost:3000"
"""As they stand in the rules that ship."""


@app.callback()
def rules() -> None:
    """The alerts for Prometheus that ship with the program."""


@app.command("export")
def export(
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Write them there, with a configuration of Alertmanager."),
    ] = None,
    runbooks: Annotated[
        str, typer.Option("--runbooks", metavar="URL", help="Where your people read the runbooks.")
    ] = RUNBOOKS,
    dashboards: Annotated[str, typer.Option("--dashboards", metavar="URL", help="Your Grafana.")] = DASHBOARDS,
) -> None:
    """Print the rules; with --out write them, the runbooks and a configuration of Alertmanager into a folder."""
    from monitor.cli.outcome import expected
    from monitor.cli.ruling import linked, write

    with expected(OSError):
        text = linked({RUNBOOKS: runbooks, DASHBOARDS: dashboards})
        if out is None:
            print(text, end="")
        else:
            write(text, out)
