"""`cexwatch check-config` and `cexwatch config`."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import CONFIG, ENVIRONMENT

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def config() -> None:
    """Describe what can be configured."""


@app.command("schema")
def print_schema() -> None:
    """Print the JSON schema of the configuration."""
    import json

    from monitor.config import schema

    print(json.dumps(schema(), indent=2))


@app.command("reference")
def print_reference() -> None:
    """Print every key with its default and meaning."""
    from monitor.config import reference

    print(reference(), end="")


def check_config(
    path: Annotated[Path, typer.Argument(metavar="[FILE]", envvar=ENVIRONMENT, help="The configuration.")] = CONFIG,
) -> None:
    """Report every problem of a configuration."""
    from monitor.cli.checking import check

    print(check(path))
