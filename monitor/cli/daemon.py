"""`cexwatch run` and `cexwatch demo`."""

from typing import Annotated

import typer

from monitor.cli.options import CONFIG, ConfigOption
from monitor.cli.outcome import Code, expected, fail


def run(config: ConfigOption = CONFIG) -> None:
    """Run the daemon until SIGTERM or Ctrl-C."""
    import asyncio
    import os

    from monitor.app import run as watch
    from monitor.clock import Clock
    from monitor.starting import StartError, TooEarlyError
    from monitor.store import StoreError

    try:
        with expected(OSError):
            asyncio.run(watch(config, clock=Clock(), environ=os.environ, stop=asyncio.Event(), told=_say))
    except StartError as error:
        # A supervisor need not try a wrong configuration again; a database or a clock may come right.
        may_mend = isinstance(error, TooEarlyError) or isinstance(error.__cause__, StoreError)
        fail(str(error), code=Code.FAILED if may_mend else Code.USAGE)


def demo(
    operator: Annotated[
        bool, typer.Option("--operator", help="As the exchange: its people sign, publish and approve.")
    ] = False,
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where its page is; port 0 takes one that is free.")
    ] = "127.0.0.1:9877",
) -> None:
    """Play a staged halt, 30 times as fast as life."""
    import asyncio

    from monitor.cli.screen import counting
    from monitor.demo import run as play
    from monitor.model import Role
    from monitor.starting import StartError

    role = Role.OPERATOR if operator else Role.OBSERVER
    with expected(StartError, OSError), counting("importing", unit="entries") as progress:
        asyncio.run(play(say=_say, progress=progress, stop=asyncio.Event(), listen=listen, role=role))


def _say(line: str) -> None:
    print(line, flush=True)
