"""`cexwatch exchanges`."""

from typing import Annotated

import typer

from monitor.cli.options import JsonOption


def exchanges(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="All of this one; by default a table.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what each known exchange lets us see. Asks nobody and needs no configuration."""
    from monitor.cli.abilities import exchanges as tell

    tell(name, as_json=as_json)
