"""`cexwatch audit`: what people decided and did, and whether anything of it was changed since."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import CONFIG, ConfigOption

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def audit() -> None:
    """Look at what people did."""


@app.command("verify")
def verify(
    config: ConfigOption = CONFIG,
    freeze: Annotated[
        Path | None, typer.Option("--freeze", metavar="FILE", help="Compare the ledger of this freeze gate instead.")
    ] = None,
) -> None:
    """Compare both chains of hashes with what they cover; ends with 1 where one is broken."""
    if freeze is not None:
        from monitor.cli.gating import verify as verify_ledger

        verify_ledger(freeze, seq=None, digest="")
        return
    import asyncio

    from monitor.cli.auditing import verify
    from monitor.cli.configured import configured
    from monitor.cli.outcome import expected
    from monitor.store import StoreError

    loaded = configured(config).config
    with expected(StoreError):
        asyncio.run(verify(loaded))


@app.command("show")
def show(
    last: Annotated[int, typer.Option(min=1, help="How many of the newest.")] = 50, config: ConfigOption = CONFIG
) -> None:
    """Show the newest lines."""
    import asyncio

    from monitor.cli.auditing import show
    from monitor.cli.configured import configured
    from monitor.cli.outcome import expected
    from monitor.store import StoreError

    loaded = configured(config).config
    with expected(StoreError):
        asyncio.run(show(loaded, last=last))


@app.command("export")
def export(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where it goes; - is standard output.")],
    config: ConfigOption = CONFIG,
) -> None:
    """Write everything as JSON Lines, oldest first, and the heads of the chains last."""
    import asyncio

    from monitor.cli.auditing import export
    from monitor.cli.configured import configured
    from monitor.cli.outcome import expected
    from monitor.store import StoreError

    loaded = configured(config).config
    with expected(StoreError, OSError):
        asyncio.run(export(loaded, out))
