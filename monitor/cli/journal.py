"""`cexwatch replay` and `cexwatch journal`."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import (
    CONFIG,
    CompareOption,
    ConfigOption,
    JournalsArgument,
    JsonOption,
    JudgeByOption,
    TruthOption,
)
from monitor.cli.outcome import Code, expected, fail

DAY = re.compile(r"(?P<day>\d{4}-\d{2}-\d{2})Z?", re.ASCII)
STEP = re.compile(r"(?P<number>\d{1,6})(?P<unit>[smhd])", re.ASCII)

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
    journals: JournalsArgument,
    config: JudgeByOption = None,
    compare: CompareOption = None,
    truth: TruthOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge journals anew and count what was found, missed and false.

    Pages are matched against a truth file, or without one against the official words in the journal.
    """
    from monitor.cli.backtesting import one_truth, settings_of, show
    from monitor.replay.journal import JournalError

    one_truth(journals, truth)
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


@app.command("from-csv")
def from_csv(
    mapping: Annotated[
        Path, typer.Argument(metavar="MAPPING", help="Which column is what, as YAML (docs/backtest.md).")
    ],
    table: Annotated[Path, typer.Argument(metavar="FILE", help="The CSV file.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where the journal goes, as JSON Lines.")],
) -> None:
    """Make a journal of a CSV file. Each row that cannot be read is told and left out; then it ends with 2."""
    from monitor.cli.bringing import from_csv
    from monitor.cli.outcome import Ending
    from monitor.config import ConfigError
    from monitor.imports.table import TableError

    with expected(ConfigError, code=Code.USAGE), expected(TableError, OSError):
        raise Ending(from_csv(mapping, table, out))


@app.command("from-prometheus")
def from_prometheus(
    url: Annotated[str, typer.Option("--url", metavar="URL", help="The server, such as http://127.0.0.1:9090.")],
    query: Annotated[
        list[str], typer.Option("--query", metavar="[FIELD=]PROMQL", help="What to ask; one for each measure.")
    ],
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help="flow, wallet_activity, reserve_balance ...")],
    start: Annotated[str, typer.Option("--start", metavar="TIME", help="From when on, such as 2026-02-03T00:00:00Z.")],
    end: Annotated[str, typer.Option("--end", metavar="TIME", help="Until when.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where the journal goes, as JSON Lines.")],
    step: Annotated[
        str,
        typer.Option("--step", metavar="DURATION", help="Between two values; what was scraped less often is a gap."),
    ] = "60s",
    label: Annotated[
        list[str] | None, typer.Option("--label", metavar="FIELD=LABEL", help="A label that tells a field.")
    ] = None,
    constant: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="A field of every entry.")
    ] = None,
    counted: Annotated[
        bool, typer.Option("--counted", help="Values are per step already, not counters, as of increase().")
    ] = False,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", metavar="FILE", help="Holds a bearer token for the server.")
    ] = None,
) -> None:
    """Make a journal of what a Prometheus keeps. Series that tell nothing are told; then it ends with 2."""
    from monitor.cli.bringing import from_prometheus, pairs_of, queries_of
    from monitor.cli.outcome import Ending
    from monitor.imports.ranges import Span
    from monitor.imports.series import Wish
    from monitor.model import RemoteError

    seconds = _seconds(step)
    span = Span(moment(start, option="--start"), moment(end, option="--end"), timedelta(seconds=seconds))
    if span.end <= span.begin:
        fail("--end is not after --start", code=Code.USAGE)
    wish = Wish(
        kind=kind,
        queries=queries_of(kind, query),
        labels=pairs_of("--label", label or ()),
        constants=pairs_of("--set", constant or ()),
        counted=counted,
        step_seconds=seconds,
    )
    with expected(RemoteError, OSError, UnicodeDecodeError):
        token = token_file.read_text(encoding="utf-8").strip() if token_file is not None else ""
        raise Ending(from_prometheus(wish, span, url=url, token=token, out=out))


def _seconds(text: str) -> float:
    """ "60s", "5m", "1h", "1d". Ends the command for others, and for nothing."""
    found = STEP.fullmatch(text)
    if found is None or int(found["number"]) == 0:
        fail(f"--step {text}: expected a duration like 60s, 5m, 1h or 1d", code=Code.USAGE)
    return float(int(found["number"]) * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[found["unit"]])


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
