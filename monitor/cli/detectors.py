"""`cexwatch detectors`."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import CONFIG, ConfigOption, JsonOption


def detectors(
    exchange: Annotated[str | None, typer.Argument(metavar="[EXCHANGE]", help="Only of this one.")] = None,
    journal: Annotated[
        Path | None,
        typer.Option("--journal", metavar="FILE", help="At the end of this journal, not at the daemon's now."),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = CONFIG,
) -> None:
    """Tell how each statistic stands, what is usual, and what would fire."""
    import asyncio

    from monitor.cli.configured import configured
    from monitor.cli.detecting import at_the_end_of, of_the_daemon, show
    from monitor.cli.outcome import expected
    from monitor.replay.journal import JournalError
    from monitor.store import StoreError

    with expected(StoreError, JournalError, OSError):
        if journal is not None:
            told = at_the_end_of(journal, exchange=exchange)
        else:
            told = asyncio.run(of_the_daemon(configured(config).config, exchange=exchange))
    show(told, as_json=as_json)
