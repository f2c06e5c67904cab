"""`cexwatch people`: accounts of those who decide. A password is asked on the terminal or read from a file."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import CONFIG, AsOption, ConfigOption, JsonOption

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The account.")]
RoleOption = Annotated[str, typer.Option("--role", metavar="ROLE", help="viewer, publisher, approver or admin.")]
FileOption = Annotated[
    Path | None, typer.Option("--password-file", metavar="FILE", help="Its first line is the password.")
]


@app.callback()
def people() -> None:
    """Say who may decide on drafts."""


@app.command("add")
def add(
    name: Name,
    role: RoleOption = "viewer",
    password_file: FileOption = None,
    no_password: Annotated[bool, typer.Option("--no-password", help="Only a trusted proxy names them.")] = False,
    by: AsOption = "",
    config: ConfigOption = CONFIG,
) -> None:
    """Add somebody."""
    from monitor.cli.admitting import give, new_password, role_of
    from monitor.people.desk import PeopleOrder, Task

    password = "" if no_password else new_password(password_file)
    give(config, PeopleOrder(people=Task.ADD, subject=name, role=role_of(role), password=password), by=by)


@app.command("list")
def list_people(as_json: JsonOption = False, by: AsOption = "", config: ConfigOption = CONFIG) -> None:
    """List accounts."""
    from monitor.cli.admitting import ask, show_accounts
    from monitor.people.desk import PeopleOrder, Task

    show_accounts(ask(config, PeopleOrder(people=Task.LIST), by=by).accounts, as_json=as_json)


@app.command("role")
def role(name: Name, role: RoleOption, by: AsOption = "", config: ConfigOption = CONFIG) -> None:
    """Give somebody another role, from now on."""
    from monitor.cli.admitting import give, role_of
    from monitor.people.desk import PeopleOrder, Task

    give(config, PeopleOrder(people=Task.ROLE, subject=name, role=role_of(role)), by=by)


@app.command("password")
def password(name: Name, password_file: FileOption = None, by: AsOption = "", config: ConfigOption = CONFIG) -> None:
    """Give somebody a new password; their devices are signed out."""
    from monitor.cli.admitting import give, new_password
    from monitor.people.desk import PeopleOrder, Task

    give(config, PeopleOrder(people=Task.PASSWORD, subject=name, password=new_password(password_file)), by=by)


@app.command("disable")
def disable(name: Name, by: AsOption = "", config: ConfigOption = CONFIG) -> None:
    """End an account; its devices are signed out."""
    from monitor.cli.admitting import give
    from monitor.people.desk import PeopleOrder, Task

    give(config, PeopleOrder(people=Task.DISABLE, subject=name), by=by)


@app.command("enable")
def enable(name: Name, by: AsOption = "", config: ConfigOption = CONFIG) -> None:
    """Let somebody in again."""
    from monitor.cli.admitting import give
    from monitor.people.desk import PeopleOrder, Task

    give(config, PeopleOrder(people=Task.ENABLE, subject=name), by=by)


@app.command("sessions")
def sessions(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Of one account only.")] = "",
    revoke: Annotated[str, typer.Option("--revoke", metavar="ID", help="Sign this device out.")] = "",
    as_json: JsonOption = False,
    by: AsOption = "",
    config: ConfigOption = CONFIG,
) -> None:
    """List the devices that are signed in, or sign one out."""
    from monitor.cli.admitting import ask, give, show_sessions
    from monitor.people.desk import PeopleOrder, Task

    if revoke:
        give(config, PeopleOrder(people=Task.REVOKE, subject=revoke), by=by)
    else:
        show_sessions(ask(config, PeopleOrder(people=Task.SESSIONS, subject=name), by=by).sessions, as_json=as_json)
