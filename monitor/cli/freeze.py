"""`cexwatch freeze`: the gate of the withdrawal freeze, a process of its own. No command here opens anything."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

GateConfigOption = Annotated[
    Path,
    typer.Option("--config", envvar="CEXWATCH_FREEZE_CONFIG", metavar="FILE", help="The configuration of the gate."),
]
CONFIG = Path("config/freeze.yaml")


@app.callback()
def freeze() -> None:
    """Offer a withdrawal freeze that nobody can end early."""


@app.command("serve")
def serve(config: GateConfigOption = CONFIG) -> None:
    """Run the gate until SIGTERM or Ctrl-C."""
    from monitor.cli.gating import serve

    serve(config)


@app.command("init")
def init(config: GateConfigOption = CONFIG) -> None:
    """Begin the ledger of a new gate. Where there is one, or a witness of one, nothing is done."""
    from monitor.cli.gating import init

    init(config)


@app.command("keygen")
def keygen(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the files go; made if it is not there.")],
) -> None:
    """Make the keys and secrets of a new gate, a file each, and print the public key for its clients."""
    from monitor.cli.gating import keygen

    keygen(folder)


@app.command("check-config")
def check_config(config: Annotated[Path, typer.Argument(metavar="[FILE]")] = CONFIG) -> None:
    """Report every problem of the gate's configuration."""
    from monitor.cli.gating import check

    check(config)


@app.command("schema")
def schema() -> None:
    """Print the JSON schema of the gate's configuration."""
    import json

    from monitor.config.gate import GateConfig
    from monitor.config.reference import schema

    print(json.dumps(schema(GateConfig, title="freeze.yaml"), indent=2))


@app.command("reference")
def reference() -> None:
    """Print every key of the gate's configuration with its default and meaning."""
    from monitor.config.gate import GateConfig
    from monitor.config.reference import tables

    print(tables(GateConfig), end="")


@app.command("verify")
def verify(
    config: GateConfigOption = CONFIG,
    seq: Annotated[int | None, typer.Option("--seq", min=1, help="An entry whose hash you kept elsewhere.")] = None,
    digest: Annotated[str, typer.Option("--digest", metavar="HEX", help="Its hash, or how it begins.")] = "",
) -> None:
    """Read the ledger and its witness from the start and compare; ends with 1 where anything was altered.

    A running gate is not disturbed. What was cut off both copies only a hash kept elsewhere can tell.
    """
    from monitor.cli.gating import verify

    verify(config, seq=seq, digest=digest)
