"""`cexwatch exits`, `cexwatch reserves report` and `cexwatch reserves roles`."""

from typing import Annotated

import typer

from monitor.cli.options import CONFIG, ConfigOption, JsonOption

ExchangeOption = Annotated[str | None, typer.Option("--exchange", metavar="NAME", help="Only of this exchange.")]
NetworkOption = Annotated[str | None, typer.Option("--network", metavar="NAME", help="Only on this network.")]


def exits(exchange: ExchangeOption = None, as_json: JsonOption = False, config: ConfigOption = CONFIG) -> None:
    """Tell what of your own can leave each exchange now, by which networks, and what is stuck.

    Ends with 1 if something is stuck, with 2 if nothing is and something is unknown.
    """
    import asyncio

    from monitor.cli.configured import configured
    from monitor.cli.exits import tell
    from monitor.cli.outcome import Ending, expected
    from monitor.store import StoreError

    loaded = configured(config).config
    with expected(StoreError):
        code = asyncio.run(tell(loaded, exchange=exchange, as_json=as_json))
    raise Ending(code)


def report(
    asset: Annotated[str | None, typer.Option("--asset", metavar="NAME", help="Only of this asset.")] = None,
    begin: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="What moved since then, such as 2026-02-03T14:00:00Z."),
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Until when; by default now.")] = None,
    moved: Annotated[
        str | None,
        typer.Option("--moved", metavar="SUM", help="Was so much moved out? US dollars, or 5000BTC with --asset BTC."),
    ] = None,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    config: ConfigOption = CONFIG,
) -> None:
    """Rank exchanges by what the addresses we know of them hold; with --from, tell what moved.

    Each row then says one of: moved, not moved, not on our list, cannot see. Ends with 2 if an answer to --moved is
    cannot see.
    """
    import asyncio

    from monitor.cli.configured import configured
    from monitor.cli.holdings import Form, tell_ranking
    from monitor.cli.moved import asked_of, span_of, tell_moved
    from monitor.cli.outcome import Code, Ending, expected, fail
    from monitor.store import StoreError

    if as_json and as_csv:
        fail("--json or --csv, not both", code=Code.USAGE)
    if begin is None and (end is not None or moved is not None):
        fail("--to and --moved need --from: since when?", code=Code.USAGE)
    form = Form.CSV if as_csv else Form.JSON if as_json else Form.TABLE
    name = asset.upper() if asset is not None else None
    span = span_of(begin, end) if begin is not None else None
    asked = asked_of(moved, name) if moved is not None else None
    loaded = configured(config).config
    with expected(StoreError):
        if span is None:
            asyncio.run(tell_ranking(loaded, asset=name, form=form))
        else:
            raise Ending(asyncio.run(tell_moved(loaded, span, asset=name, asked=asked, form=form)))


def roles(
    exchange: ExchangeOption = None,
    network: NetworkOption = None,
    explain: Annotated[bool, typer.Option("--explain", help="Each address, with its role and why.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = CONFIG,
) -> None:
    """Tell which wallets are hot and which are cold, and which to label anew."""
    import asyncio

    from monitor.cli.outcome import expected
    from monitor.cli.roles import tell
    from monitor.store import StoreError

    with expected(StoreError):
        asyncio.run(tell(config, exchange=exchange, network=network, explain=explain, as_json=as_json))
