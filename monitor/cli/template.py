"""`cexwatch template`."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import CONFIG, ConfigOption

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

FolderOption = Annotated[
    Path | None, typer.Option("--templates", metavar="FOLDER", help="Your templates; else those of the configuration.")
]


@app.callback()
def template() -> None:
    """See and check the texts that drafts are made of."""


@app.command("list")
def list_templates(folder: FolderOption = None, config: ConfigOption = CONFIG) -> None:
    """List every template and where it comes from."""
    from monitor.cli.wording import list_all, templates_in

    list_all(templates_in(folder, config))


@app.command("lint")
def lint(
    folder: Annotated[Path | None, typer.Argument(metavar="FOLDER", help="Your templates.")] = None,
    config: ConfigOption = CONFIG,
) -> None:
    """Render each of your templates of made-up incidents and hold it against the rules."""
    from monitor.cli.wording import check, templates_in

    check(templates_in(folder, config))


@app.command("render")
def render(
    incident: Annotated[str, typer.Option(metavar="ID", help="An incident, as `incidents ls` shows it.")] = "",
    is_example: Annotated[bool, typer.Option("--example", help="A made-up incident.")] = False,
    notice: Annotated[str, typer.Option(metavar="NOTICE", help="Only this notice.")] = "",
    language: Annotated[str, typer.Option(metavar="CODE", help="In this language.")] = "",
    role: Annotated[str, typer.Option(metavar="ROLE", help="In this voice: operator or observer.")] = "",
    folder: FolderOption = None,
    config: ConfigOption = CONFIG,
) -> None:
    """Show the texts as they would be drafted, with what is wrong with them and how long they are."""
    from monitor.cli.outcome import Code, fail
    from monitor.cli.wording import Wanted, show, templates_in

    if bool(incident) == is_example:
        fail("expected either --incident ID or --example", code=Code.USAGE)
    show(
        templates_in(folder, config),
        Wanted(incident=incident, notice=notice, language=language, role=role),
        config=config,
    )
