"""`cexwatch maintenance`."""

from typing import Annotated

import typer

from monitor.cli.options import CONFIG, AsOption, ConfigOption, JsonOption

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def maintenance() -> None:
    """Announce maintenance: what is closed within it wakes nobody."""


@app.command("list")
def list_windows(as_json: JsonOption = False, config: ConfigOption = CONFIG) -> None:
    """List what is under way or to come, whoever told it."""
    import asyncio

    from monitor.cli.configured import configured
    from monitor.cli.outcome import expected
    from monitor.cli.windows import ls
    from monitor.store import StoreError

    loaded = configured(config).config
    with expected(StoreError):
        asyncio.run(ls(loaded, as_json=as_json))


@app.command("preview")
def preview(
    times: Annotated[int, typer.Option("--times", min=1, max=100, help="How many of each.")] = 5,
    begin: Annotated[str, typer.Option("--from", metavar="TIME", help="From when on; by default from now.")] = "",
    as_json: JsonOption = False,
    config: ConfigOption = CONFIG,
) -> None:
    """Show the next times of what the configuration plans, in UTC and on its own clocks; needs no daemon."""
    from monitor.cli.configured import configured
    from monitor.cli.windows import show_planned

    show_planned(configured(config).config, times=times, begin=begin, as_json=as_json)


@app.command("add")
def add(
    exchange: Annotated[str, typer.Argument(metavar="EXCHANGE", help="As in the configuration.")],
    start: Annotated[str, typer.Option("--start", metavar="TIME", help="2030-02-03T02:30 in `--zone`, or now.")],
    duration: Annotated[str, typer.Option("--duration", metavar="LENGTH", help="How long: 90m, 2h.")],
    scope: Annotated[
        list[str] | None, typer.Option("--scope", metavar="SCOPE", help="BTC@bitcoin, '*@bitcoin'; else everything.")
    ] = None,
    zone: Annotated[str, typer.Option("--zone", metavar="ZONE", help="IANA zone of --start.")] = "UTC",
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="What people call it.")] = "",
    by: AsOption = "",
    config: ConfigOption = CONFIG,
) -> None:
    """Announce a window, once; what repeats belongs into the configuration."""
    from monitor.cli.windows import announce

    announce(
        config, exchange=exchange, start=start, duration=duration, scope=scope or ["*"], zone=zone, name=name, by=by
    )


@app.command("end")
def end(
    window: Annotated[str, typer.Argument(metavar="ID", help="As `maintenance list` shows it.")],
    by: AsOption = "",
    config: ConfigOption = CONFIG,
) -> None:
    """End a window now, or call it off before it begins; what is closed is then judged as ever."""
    from monitor.cli.configured import configured
    from monitor.cli.outcome import expected
    from monitor.cli.windows import finish
    from monitor.store import StoreError

    loaded = configured(config).config
    with expected(StoreError):
        finish(loaded, window, by=by)
