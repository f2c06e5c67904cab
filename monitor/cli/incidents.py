"""`cexwatch incidents`."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import CONFIG, AsOption, ConfigOption, JsonOption

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

IncidentId = Annotated[str, typer.Argument(metavar="ID", help="As `incidents ls` shows it.")]


@app.callback()
def incidents() -> None:
    """See incidents and work on them."""


@app.command("ls")
def list_incidents(
    everything: Annotated[bool, typer.Option("--all", help="Resolved ones too.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = CONFIG,
) -> None:
    """List what is open, the most severe first."""
    import asyncio

    from monitor.cli.cases import ls
    from monitor.cli.configured import configured
    from monitor.cli.outcome import expected
    from monitor.store import StoreError

    loaded = configured(config).config
    with expected(StoreError):
        asyncio.run(ls(loaded, everything=everything, as_json=as_json))


@app.command("show")
def show_incident(incident: IncidentId, as_json: JsonOption = False, config: ConfigOption = CONFIG) -> None:
    """Tell an incident with its evidence and who knew first."""
    import asyncio

    from monitor.cli.cases import show
    from monitor.cli.configured import configured
    from monitor.cli.outcome import expected
    from monitor.store import StoreError

    loaded = configured(config).config
    with expected(StoreError):
        asyncio.run(show(loaded, incident, as_json=as_json))


@app.command("ack")
def acknowledge(incident: IncidentId, by: AsOption = "", config: ConfigOption = CONFIG) -> None:
    """Say that you are on it."""
    from monitor.cli.ordering import give
    from monitor.commands import Order
    from monitor.model import Verb

    give(config, Order(verb=Verb.ACKNOWLEDGE, subject=incident), by=by)


@app.command("identify")
def identify(incident: IncidentId, by: AsOption = "", config: ConfigOption = CONFIG) -> None:
    """Say that the cause is known."""
    from monitor.cli.ordering import give
    from monitor.commands import Order
    from monitor.model import Verb

    give(config, Order(verb=Verb.IDENTIFY, subject=incident), by=by)


@app.command("note")
def note(
    incident: IncidentId,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What others should know.")],
    by: AsOption = "",
    config: ConfigOption = CONFIG,
) -> None:
    """Add a note to the timeline."""
    from monitor.cli.ordering import give
    from monitor.commands import Order
    from monitor.model import Verb

    give(config, Order(verb=Verb.NOTE, subject=incident, arguments={"text": text}), by=by)


@app.command("resolve")
def resolve(
    incident: IncidentId,
    why: Annotated[str, typer.Argument(metavar="WHY", help="How you know.")],
    by: AsOption = "",
    config: ConfigOption = CONFIG,
) -> None:
    """Say that it is over, where no reading can tell."""
    from monitor.cli.ordering import give
    from monitor.commands import Order
    from monitor.model import Verb

    give(config, Order(verb=Verb.RESOLVE, subject=incident, arguments={"text": why}), by=by)


@app.command("reopen")
def reopen(
    incident: IncidentId,
    why: Annotated[str, typer.Argument(metavar="WHY", help="What is not over.")],
    by: AsOption = "",
    config: ConfigOption = CONFIG,
) -> None:
    """Say that it was not over; within a day. It stays open until you resolve it, or readings take over."""
    from monitor.cli.ordering import give
    from monitor.commands import Order
    from monitor.model import Verb

    give(config, Order(verb=Verb.REOPEN, subject=incident, arguments={"text": why}), by=by)


@app.command("retract")
def retract(
    incident: IncidentId,
    why: Annotated[str, typer.Argument(metavar="WHY", help="How you know that there was nothing.")],
    by: AsOption = "",
    config: ConfigOption = CONFIG,
) -> None:
    """Say that it was a false alarm. What waits is withdrawn; what was posted gets a correction to approve."""
    from monitor.cli.ordering import give
    from monitor.commands import Order
    from monitor.model import Verb

    give(config, Order(verb=Verb.RETRACT, subject=incident, arguments={"text": why}), by=by)
    print("if something of it was posted, a correction waits now: cexwatch drafts ls")


@app.command("postmortem")
def postmortem(
    incident: IncidentId,
    form: Annotated[str, typer.Option("--format", metavar="FORM", help="markdown, html or json.")] = "markdown",
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Else it is printed.")] = None,
    journal: Annotated[
        Path | None, typer.Option("--journal", metavar="FILE", help="Of this journal, not of the daemon's database.")
    ] = None,
    config: ConfigOption = CONFIG,
) -> None:
    """Write down what is known of an incident, and leave what people have to answer blank."""
    import asyncio

    from monitor.cli.configured import configured
    from monitor.cli.outcome import Code, expected, fail
    from monitor.cli.recalled import case_of_a_journal, case_of_the_daemon
    from monitor.replay.journal import JournalError
    from monitor.report.postmortem import postmortem as made_of
    from monitor.report.postmortem_forms import Form, written
    from monitor.store import StoreError

    if form not in set(Form):
        fail(f"--format {form}: expected {', '.join(Form)}", code=Code.USAGE)
    with expected(JournalError, StoreError, OSError):
        if journal is not None:
            told = case_of_a_journal(journal, incident)
        else:
            told = asyncio.run(case_of_the_daemon(configured(config).config, incident))
        text = written(made_of(told.case, told.recorder, at=told.at), Form(form))
        if out is None:
            print(text, end="")
        else:
            out.write_text(text, encoding="utf-8")
