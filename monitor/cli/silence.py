"""`cexwatch silence`."""

from typing import Annotated

import typer

from monitor.cli.options import CONFIG, AsOption, ConfigOption, JsonOption

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def silence() -> None:
    """Send no notifications of something for a while; it is judged and resolved as ever."""


@app.command("list")
def list_silences(as_json: JsonOption = False, config: ConfigOption = CONFIG) -> None:
    """List what is silenced, by whom and until when."""
    import asyncio

    from monitor.cli.configured import configured
    from monitor.cli.outcome import expected
    from monitor.cli.silences import ls
    from monitor.store import StoreError

    loaded = configured(config).config
    with expected(StoreError):
        asyncio.run(ls(loaded, as_json=as_json))


@app.command("add")
def add(
    comment: Annotated[str, typer.Argument(metavar="WHY", help="What others should know of it.")],
    duration: Annotated[str, typer.Option("--for", metavar="LENGTH", help="How long: 30m, 4h, 7d.")],
    exchange: Annotated[str, typer.Option("--exchange", metavar="NAME", help="Only of this one.")] = "",
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help="Only of this kind: withdrawal_halt.")] = "",
    scope: Annotated[
        list[str] | None, typer.Option("--scope", metavar="SCOPE", help="Only within it: BTC@bitcoin, '*@bitcoin'.")
    ] = None,
    by: AsOption = "",
    config: ConfigOption = CONFIG,
) -> None:
    """Begin a silence; everything given must match, and what is wider than the scope is told."""
    from monitor.cli.silences import begin

    begin(config, comment=comment, duration=duration, exchange=exchange, kind=kind, scope=scope or [], by=by)


@app.command("expire")
def expire(
    silence_id: Annotated[str, typer.Argument(metavar="ID", help="As `silence list` shows it.")],
    by: AsOption = "",
    config: ConfigOption = CONFIG,
) -> None:
    """End a silence before its time."""
    from monitor.cli.ordering import give
    from monitor.commands import Order
    from monitor.model import Verb

    give(config, Order(verb=Verb.EXPIRE_SILENCE, subject=silence_id), by=by)
