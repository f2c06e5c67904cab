"""`cexwatch drill`."""

from typing import Annotated

import typer

from monitor.cli.options import CONFIG, AsOption, ConfigOption, JsonOption

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def drill() -> None:
    """Page your own people with a marked test; nothing of it is public."""


@app.command("start")
def start(
    exchange: Annotated[str, typer.Option("--exchange", metavar="NAME", help="As in the configuration.")],
    kind: Annotated[
        str, typer.Option("--kind", metavar="KIND", help="The kind of incident that is played.")
    ] = "withdrawal_halt",
    severity: Annotated[str, typer.Option("--severity", metavar="WORD", help="critical or warning.")] = "critical",
    duration: Annotated[str, typer.Option("--for", metavar="LENGTH", help="It ends by itself: 10m, 1h.")] = "10m",
    text: Annotated[str, typer.Option("--text", metavar="TEXT", help="What your people should read in it.")] = "",
    by: AsOption = "",
    config: ConfigOption = CONFIG,
) -> None:
    """Begin one: the page is real, what it tells is not."""
    from monitor.cli.drills import begin

    begin(config, exchange=exchange, kind=kind, severity=severity, duration=duration, text=text, by=by)


@app.command("stop")
def stop(
    drill_id: Annotated[str, typer.Argument(metavar="[ID]", help="Needed where several are open.")] = "",
    by: AsOption = "",
    config: ConfigOption = CONFIG,
) -> None:
    """End one before its time, and tell how long it took until people knew."""
    from monitor.cli.configured import configured
    from monitor.cli.drills import end
    from monitor.cli.outcome import expected
    from monitor.store import StoreError

    loaded = configured(config).config
    with expected(StoreError):
        end(loaded, drill_id, by=by)


@app.command("list")
def list_drills(as_json: JsonOption = False, config: ConfigOption = CONFIG) -> None:
    """List the newest, each with how long it took until people knew."""
    import asyncio

    from monitor.cli.configured import configured
    from monitor.cli.drills import ls
    from monitor.cli.outcome import expected
    from monitor.store import StoreError

    loaded = configured(config).config
    with expected(StoreError):
        asyncio.run(ls(loaded, as_json=as_json))
