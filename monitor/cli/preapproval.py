"""`cexwatch preapproval`: texts that are signed by day, for on-call to publish at night."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import CONFIG, AsOption, ConfigOption, JsonOption

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

SignedId = Annotated[str, typer.Argument(metavar="ID", help="As `preapproval list` shows it.")]


@app.callback()
def preapproval() -> None:
    """Sign texts beforehand."""


@app.command("sign")
def sign(
    file: Annotated[Path, typer.Argument(metavar="FILE|ID", help="A file with the text, or an id to sign too.")],
    exchange: Annotated[str, typer.Option(metavar="NAME", help="The exchange it is for.")] = "",
    kinds: Annotated[str, typer.Option(metavar="KIND,...", help="Kinds of incidents.")] = "withdrawal_halt",
    rails: Annotated[str, typer.Option(metavar="RAIL,...", help="As USDT@tron, USDT@* or *.")] = "*",
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it holds.")] = 90,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    by: AsOption = "",
    config: ConfigOption = CONFIG,
) -> None:
    """Show a text and sign exactly that."""
    from monitor.cli.configured import configured
    from monitor.cli.outcome import expected
    from monitor.cli.signatures import countersign, sign
    from monitor.store import StoreError

    loaded = configured(config).config
    with expected(StoreError, OSError, UnicodeDecodeError):
        if file.is_file():
            scope = {"kinds": kinds, "rails": rails}
            sign(loaded, file.read_text(encoding="utf-8"), exchange, scope, days=days, is_sure=yes, by=by)
        else:
            countersign(loaded, str(file), is_sure=yes, by=by)


@app.command("list")
def list_signed(as_json: JsonOption = False, config: ConfigOption = CONFIG) -> None:
    """List what is signed, and what was."""
    from monitor.cli.configured import configured
    from monitor.cli.outcome import expected
    from monitor.cli.signatures import ls
    from monitor.store import StoreError

    loaded = configured(config).config
    with expected(StoreError):
        ls(loaded, as_json=as_json)


@app.command("show")
def show(signed: SignedId, config: ConfigOption = CONFIG) -> None:
    """Show a text whole, with who signed it and what it is for."""
    from monitor.cli.configured import configured
    from monitor.cli.outcome import expected
    from monitor.cli.signatures import show
    from monitor.store import StoreError

    loaded = configured(config).config
    with expected(StoreError):
        show(loaded, signed)


@app.command("revoke")
def revoke(signed: SignedId, by: AsOption = "", config: ConfigOption = CONFIG) -> None:
    """Take a text back: from now on it covers nothing."""
    from monitor.cli.ordering import give
    from monitor.commands import Order
    from monitor.model import Verb

    give(config, Order(verb=Verb.REVOKE, subject=signed), by=by)
