"""Accounts: asked of the running daemon, or of the database itself where none runs. A password is never an argument."""

import asyncio
import getpass
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import msgspec
from msgspec.structs import replace

from monitor.cli.configured import configured
from monitor.cli.holdings import opened, table
from monitor.cli.outcome import Code, expected, fail
from monitor.cli.screen import visible
from monitor.clock import Clock
from monitor.commands import CommandError, NoDaemonError, administer
from monitor.config import Config
from monitor.model import PersonRole
from monitor.people.accounts import Accounts, Shown
from monitor.people.desk import PeopleOrder, PeopleReply, SignedIn, Task, obey
from monitor.people.passwords import Passwords
from monitor.people.signing_in import SignInError, SignIns
from monitor.store import Store, StoreError
from monitor.web import phrases


def give(path: Path, order: PeopleOrder, *, by: str) -> None:
    """Print what came of it; ends the command if it was refused."""
    print(visible(ask(path, order, by=by).message))


def ask(path: Path, order: PeopleOrder, *, by: str) -> PeopleReply:
    """`by`: the account that asks, whose password is asked for; "" is the system's user."""
    config = configured(path).config
    named = replace(order, account=by, secret=own_password(by)) if by else order
    with expected(CommandError, StoreError, SignInError, OSError):
        reply = asyncio.run(_asked(config, named))
    if not reply.ok:
        fail(visible(reply.message))
    return reply


def own_password(name: str) -> str:
    """Asked on the terminal; where there is none, a line of standard input."""
    return getpass.getpass(f"Password of {name}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def new_password(file: Path | None) -> str:
    """The first line of `file`, or what is typed twice."""
    if file is not None:
        with expected(OSError, UnicodeDecodeError):
            return (file.read_text(encoding="utf-8").splitlines() or [""])[0]
    if not sys.stdin.isatty():
        fail("nobody is here to ask: give --password-file", code=Code.USAGE)
    first = getpass.getpass("New password: ")
    if getpass.getpass("Again: ") != first:
        fail("these are not the same")
    return first


def role_of(name: str) -> PersonRole:
    """Ends the command where there is none of this name."""
    if name not in set(PersonRole):
        fail(f"--role {name}: expected {', '.join(PersonRole)}", code=Code.USAGE)
    return PersonRole(name)


def show_accounts(accounts: Sequence[Shown], *, as_json: bool) -> None:
    if as_json:
        _print_json(accounts)
        return
    if not accounts:
        print("no account: cexwatch people add NAME --role admin")
        return
    shown = table("name", "role", "state", "devices", "since")
    for each in accounts:
        state = "disabled" if each.disabled else "active" if each.has_password else "by the proxy only"
        shown.add_row(each.name, each.role, state, str(each.devices), phrases.exact(each.since))
    opened().print(shown)


def show_sessions(sessions: Sequence[SignedIn], *, as_json: bool) -> None:
    if as_json:
        _print_json(sessions)
        return
    if not sessions:
        print("no device is signed in")
        return
    shown = table("id", "account", "from", "since", "last seen")
    for each in sessions:
        shown.add_row(
            each.id, each.account, visible(each.address), phrases.exact(each.began_at), phrases.exact(each.seen_at)
        )
    opened().print(shown)


async def _asked(config: Config, order: PeopleOrder) -> PeopleReply:
    """Raises CommandError, StoreError and SignInError."""
    try:
        return await administer(config.socket, order)
    except NoDaemonError:  # one that was killed leaves its socket behind
        return await _without_daemon(config, order)


async def _without_daemon(config: Config, order: PeopleOrder) -> PeopleReply:
    if order.people in (Task.PHONE, Task.PHONE_OPENED):
        raise CommandError("the daemon must run for that")
    store = await Store.open(config.database)
    try:
        return await _at_the_desk(config, store, order)
    finally:
        await store.close()


async def _at_the_desk(config: Config, store: Store, order: PeopleOrder) -> PeopleReply:
    clock, passwords = Clock(), Passwords()
    if order.account:
        sign_ins = SignIns(store.people, clock, passwords, idle=timedelta(), longest=timedelta())
        found = await sign_ins.check(order.account, order.secret, address="the machine")
        if found.role != "admin":
            return PeopleReply(ok=False, message=f"accounts are the admins' business, and {found.name} is {found.role}")
    elif config.people.require_account and any(not each.disabled for each in await store.people.accounts()):
        return PeopleReply(ok=False, message="people.require_account is on: say who you are with --as NAME")
    return await obey(Accounts(store.people, clock, passwords), order, actor=order.account or getpass.getuser())


def _print_json(value: Sequence[Shown] | Sequence[SignedIn]) -> None:
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
