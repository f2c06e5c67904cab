"""`cexwatch dashboards`."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

PAGE = "http://localhost:9877"
RUNBOOKS = "https://cexwatch.example.org/runbooks"
"""As they stand in the dashboards that ship."""


@app.callback()
def dashboards() -> None:
    """The dashboards for Grafana that ship with the program."""


@app.command("export")
def export(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where they go.")] = Path("dashboards"),
    page: Annotated[str, typer.Option("--page", metavar="URL", help="Where your people open cexwatch.")] = PAGE,
    runbooks: Annotated[
        str, typer.Option("--runbooks", metavar="URL", help="Where your people read the runbooks.")
    ] = RUNBOOKS,
) -> None:
    """Write the dashboards, and what Grafana needs to load them, into a folder."""
    from monitor.cli.boarding import write
    from monitor.cli.outcome import expected

    with expected(OSError):
        write(out, links={PAGE: page.rstrip("/"), RUNBOOKS: runbooks.rstrip("/")})
