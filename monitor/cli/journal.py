"""`cexwatch replay` and `cexwatch journal`."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import CONFIG, ConfigOption, JsonOption
from monitor.cli.outcome import Code, expected, fail

DAY = re.compile(r"(?P<day>\d{4}-\d{2}-\d{2})Z?", re.ASCII)

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

JournalFile = Annotated[Path, typer.Argument(metavar="JOURNAL", help="A journal as JSON Lines.")]


@app.callback()
def journal() -> None:
    """Export or import the journal."""


def replay(
    journal: JournalFile,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the transitions go, as JSON Lines.")],
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Judge by this configuration, not by that of the journal.")
    ] = None,
) -> None:
    """Write the transitions that a journal leads to."""
    from monitor.cli.judged import judging_of
    from monitor.cli.replaying import replay
    from monitor.replay.journal import JournalError

    judging = judging_of(config) if config is not None else None
    with expected(JournalError, OSError):
        print(replay(journal, out, judging=judging))


def backtest(
    journals: Annotated[list[Path], typer.Argument(metavar="JOURNAL...", help="Journals as JSON Lines.")],
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Judge by this configuration, not by that of the journals.")
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Judge by this one too, and tell what it changes.")
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What happened; by default X.truth.jsonl beside X.jsonl, where it is."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Judge journals anew and count what was found, missed and false.

    Pages are matched against a truth file, or without one against the official words in the journal.
    """
    from monitor.cli.backtesting import settings_of, show
    from monitor.replay.journal import JournalError

    if truth is not None and len(journals) > 1:
        fail("--truth is of one journal; of several, each has its own beside it", code=Code.USAGE)
    settings = settings_of(config, compare)
    with expected(JournalError, OSError):
        show(journals, settings, truth=truth, as_json=as_json)


@app.command("export")
def export_journal(
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where it goes; - is standard output.")] = Path("-"),
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Only entries from this time on, such as 2026-02-03T14:00:00Z.")
    ] = "",
    config: ConfigOption = CONFIG,
) -> None:
    """Write the journal as JSON Lines."""
    import asyncio

    from monitor.cli.configured import configured
    from monitor.cli.exporting import export
    from monitor.store import StoreError

    begin = moment(since, option="--since") if since else None
    database = configured(config).config.database
    with expected(StoreError, OSError):
        asyncio.run(export(database, out, since=begin))


@app.command("import")
def import_journal(journal: JournalFile, config: ConfigOption = CONFIG) -> None:
    """Judge a file into the database of a stopped daemon."""
    import asyncio

    from monitor.cli.configured import configured
    from monitor.cli.importing import take
    from monitor.replay.journal import JournalError
    from monitor.store import StoreError

    loaded = configured(config).config
    with expected(JournalError, StoreError, OSError):
        print(asyncio.run(take(journal, loaded)))


def moment(text: str, *, option: str) -> datetime:
    """A time with its zone, in UTC; a date alone is its midnight UTC. Ends the command for others."""
    day = DAY.fullmatch(text)
    try:
        found = datetime.fromisoformat(f"{day['day']}T00:00Z" if day else text)
    except ValueError:
        fail(f"{option} {text}: expected a time like 2026-02-03T14:00:00Z, or a date", code=Code.USAGE)
    if found.tzinfo is None:
        fail(f"{option} {text}: expected a time zone, as in {found.isoformat()}Z", code=Code.USAGE)
    return found.astimezone(UTC)
