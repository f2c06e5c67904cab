"""`cexwatch probe`: look without keeping anything."""

from typing import Annotated

import typer

from monitor.cli.options import CONFIG, ConfigOption, JsonOption
from monitor.cli.outcome import Ending

app = typer.Typer(help="Look at exchanges without a daemon.", no_args_is_help=True, rich_markup_mode=None)

CODES = "Exits with 0 if all are operational, 1 if one is halted or degraded, 2 if one is unknown, 3 if asked wrongly."


@app.callback()
def probe() -> None:
    """Look at exchanges without a daemon."""


@app.command(epilog=CODES)
def once(
    exchanges: Annotated[list[str] | None, typer.Argument(metavar="[EXCHANGE]...", help="By default all.")] = None,
    asset: Annotated[
        list[str] | None,
        typer.Option(metavar="ASSET", help="Show the watched rails of this asset only; may be repeated."),
    ] = None,
    as_json: JsonOption = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Count watched rails too: 1 if one is off, 2 if one is unknown.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Tell what was asked, and which word of which answer led to each state.")
    ] = False,
    config: ConfigOption = CONFIG,
) -> None:
    """Look once and print what the page would show."""
    from monitor.cli.once import Wanted
    from monitor.cli.once import once as look_once

    wanted = Wanted(exchanges=exchanges or [], assets=asset or [], as_json=as_json, strict=strict, explain=explain)
    raise Ending(look_once(config, wanted))
