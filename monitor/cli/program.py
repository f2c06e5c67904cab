"""The command line: which commands there are, and how the process ends."""

import sys
from typing import Annotated

import typer

from monitor import __version__
from monitor.cli import (
    audit,
    configuration,
    daemon,
    dashboards,
    detectors,
    doctor,
    drafts,
    drill,
    exchanges,
    freeze,
    incidents,
    journal,
    maintenance,
    money,
    people,
    preapproval,
    probe,
    report,
    reserves,
    rules,
    scenario,
    silence,
    template,
)
from monitor.cli.outcome import Code, Ending

CLICK_USAGE = 2  # what typer ends with on a wrong command line; ours means "something is unknown"

GROUPS = {
    "probe": probe.app,
    "incidents": incidents.app,
    "drafts": drafts.app,
    "people": people.app,
    "preapproval": preapproval.app,
    "audit": audit.app,
    "maintenance": maintenance.app,
    "silence": silence.app,
    "drill": drill.app,
    "config": configuration.app,
    "dashboards": dashboards.app,
    "freeze": freeze.app,
    "journal": journal.app,
    "report": report.app,
    "reserves": reserves.app,
    "rules": rules.app,
    "scenario": scenario.app,
    "template": template.app,
}
UNASKED = {"help": False}
"""Typer takes a `--help` that is left out for None, and loads pydantic to make that a bool: as slow as all the rest."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "default_map": {**UNASKED, **dict.fromkeys(GROUPS, UNASKED)},
    },
)
app.command("run")(daemon.run)
app.command("demo")(daemon.demo)
app.command("hold")(drafts.hold)
app.command("release")(drafts.release)
app.command("doctor")(doctor.doctor)
app.command("exchanges")(exchanges.exchanges)
app.command("detectors")(detectors.detectors)
app.command("exits")(money.exits)
app.command("check-config")(configuration.check_config)
app.command("replay")(journal.replay)
app.command("backtest")(journal.backtest)
reserves.app.command("report")(money.report)
reserves.app.command("roles")(money.roles)
for name, group in GROUPS.items():
    app.add_typer(group, name=name)


def main() -> None:
    """Obey this process's command line and end the process with the documented exit code."""
    try:
        app(prog_name="cexwatch")
    except Ending as ending:
        sys.exit(ending.code)
    except SystemExit as end:
        sys.exit(Code.USAGE if end.code == CLICK_USAGE else end.code)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"cexwatch {__version__}")
        raise typer.Exit


@app.callback()
def cexwatch(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Watch centralized crypto exchanges: are withdrawals paid, and what do we tell people?"""
