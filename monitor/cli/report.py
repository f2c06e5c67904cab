"""`cexwatch report`."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import CONFIG, CompareOption, ConfigOption, JournalsArgument, JudgeByOption, TruthOption
from monitor.cli.outcome import Code, expected, fail

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

JournalOption = Annotated[
    Path | None, typer.Option("--journal", metavar="FILE", help="Of this journal, not of the daemon's database.")
]


def _out(default: str) -> object:
    return typer.Option("--out", metavar="FILE", help=f"Where it goes; by default {default}.")


@app.callback()
def report() -> None:
    """Write one HTML file with pictures that opens offline."""


@app.command("incident")
def incident(
    incident_id: Annotated[str, typer.Argument(metavar="ID", help="As `incidents ls --all` shows it.")],
    journal: JournalOption = None,
    out: Annotated[Path | None, _out("ID.html")] = None,
    config: ConfigOption = CONFIG,
) -> None:
    """Report an incident: who knew first, what happened, the series, the drafts, what left."""
    import asyncio

    _need_pictures()
    from monitor.cli.configured import configured
    from monitor.cli.recalled import case_of_a_journal, case_of_the_daemon
    from monitor.replay.journal import JournalError
    from monitor.report.page import incident_page
    from monitor.store import StoreError

    with expected(JournalError, StoreError, OSError):
        if journal is not None:
            told = case_of_a_journal(journal, incident_id)
        else:
            told = asyncio.run(case_of_the_daemon(configured(config).config, incident_id))
        _write(incident_page(told.case, told.recorder, told.origin), out or Path(f"{incident_id}.html"))


@app.command("backtest")
def backtest(
    journals: JournalsArgument,
    config: JudgeByOption = None,
    compare: CompareOption = None,
    truth: TruthOption = None,
    out: Annotated[Path, _out("backtest.html")] = Path("backtest.html"),
) -> None:
    """Report a backtest: what `cexwatch backtest` tells, with pictures."""
    _need_pictures()
    from monitor.cli.backtesting import judged, one_truth, settings_of
    from monitor.replay.journal import JournalError
    from monitor.report.page import backtest_page

    one_truth(journals, truth)
    settings = settings_of(config, compare)
    with expected(JournalError, OSError):
        _write(backtest_page(judged(journals, settings, truth=truth)), out)


@app.command("stress")
def stress(
    begin: Annotated[str, typer.Option("--from", metavar="TIME", help="From when on, such as 2026-02-03T02:00:00Z.")],
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="Until when.")],
    exchanges: Annotated[
        str, typer.Option("--exchanges", metavar="NAMES", help="all, or names with commas between them.")
    ] = "all",
    journal: JournalOption = None,
    out: Annotated[Path, _out("stress.html")] = Path("stress.html"),
    config: ConfigOption = CONFIG,
) -> None:
    """Report a period over exchanges: who paid, how fast, what left."""
    import asyncio

    _need_pictures()
    from monitor.cli.configured import configured
    from monitor.cli.journal import moment
    from monitor.cli.reporting import stress_of_a_journal, stress_of_the_daemon
    from monitor.replay.journal import JournalError
    from monitor.store import StoreError

    span = moment(begin, option="--from"), moment(end, option="--to")
    if span[0] >= span[1]:
        fail("--to is not after --from", code=Code.USAGE)
    names = None if exchanges == "all" else [name.strip() for name in exchanges.split(",") if name.strip()]
    with expected(JournalError, StoreError, OSError):
        if journal is not None:
            page = stress_of_a_journal(journal, *span, exchanges=names)
        else:
            page = asyncio.run(stress_of_the_daemon(configured(config).config, *span, exchanges=names))
        _write(page, out)


def _need_pictures() -> None:
    if find_spec("matplotlib") is None:
        fail("pictures need matplotlib: pip install 'cexwatch[report]', or in a checkout pip install matplotlib")


def _write(page: str, out: Path) -> None:
    out.write_text(page, encoding="utf-8")
    print(f"{out}: {len(page) / 1000:,.0f} kB, opens offline")
