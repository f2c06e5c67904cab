"""Accounts, signed texts, the audit and false alarms from the command line: real processes, a daemon or none."""

import re
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import typer.main
from typer.core import TyperCommand, TyperGroup

from monitor.cli.program import app
from monitor.commands import administer
from monitor.model import Draft, DraftState, PersonRole
from monitor.people.desk import PeopleOrder, Task
from tests.end_to_end.daemon import eventually
from tests.server.test_cli import Ended, cexwatch, offline, on_call, reading

PASSWORD = "a long night in february"  # noqa: S105 - of accounts that live for a test
TEXT = "Since {since} we observe withdrawals of {asset} on {network} halted at Gate. Next update by {next_update}.\n"
SAYING = (
    *(("incidents", verb) for verb in ("ack", "identify", "note", "resolve", "reopen", "retract")),
    *(("drafts", verb) for verb in ("approve", "edit", "reject", "retry")),
    *(("maintenance", verb) for verb in ("add", "end")),
    *(("silence", verb) for verb in ("add", "expire")),
    *(("preapproval", verb) for verb in ("sign", "revoke")),
    *(("people", verb) for verb in ("add", "list", "role", "password", "disable", "enable", "sessions")),
    ("hold",),
    ("release",),
    ("doctor",),
    ("drill", "start"),
    ("drill", "stop"),
)


class Desk:
    """The command line with one configuration. Whatever it prints is kept, to look for what must not be there."""

    def __init__(self, config: Path, passwords: Path) -> None:
        self.config = config
        self.printed = ""
        self._passwords = passwords

    async def say(self, *arguments: str, by: str = "", typed: str = PASSWORD) -> Ended:
        who = ("--as", by) if by else ()
        ended = await cexwatch(*arguments, *who, "--config", self.config, stdin=f"{typed}\n".encode() if by else b"")
        self.printed += ended.out + ended.err
        return ended

    async def admit(self, name: str, role: str) -> Ended:
        return await self.say("people", "add", name, "--role", role, "--password-file", str(self._passwords))


def desk(config: Path) -> Desk:
    passwords = config.parent / "password.txt"
    passwords.write_text(f"{PASSWORD}\n")
    return Desk(config, passwords)


def altered(folder: Path, statement: str) -> None:
    """Somebody with the database in their hands."""
    connection = sqlite3.connect(folder / "cexwatch.db")
    with connection:
        changed = connection.execute(statement)
        assert changed.rowcount == 1
    connection.close()


def _commands() -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Each command with its options."""
    waiting: list[tuple[tuple[str, ...], object]] = [((), typer.main.get_command(app))]
    while waiting:
        path, each = waiting.pop()
        match each:
            case TyperGroup():
                waiting += [((*path, name), command) for name, command in each.commands.items()]
            case TyperCommand():
                yield path, [option for parameter in each.params for option in parameter.opts]


def test_whatever_says_something_can_be_said_as_somebody() -> None:
    assert {path for path, options in _commands() if "--as" in options} == set(SAYING)


def test_no_option_takes_a_password() -> None:
    named = {option for _, options in _commands() for option in options if "password" in option}
    assert named == {"--password-file", "--no-password"}


async def test_accounts_and_the_audit_without_a_daemon(tmp_path: Path) -> None:
    here = desk(offline(tmp_path, "external_url: https://status.example.org"))
    unasked = await here.say("people", "add", "ada", "--role", "admin")
    assert (unasked.code, unasked.err) == (3, "cexwatch: nobody is here to ask: give --password-file\n")
    assert (await here.admit("ada", "admin")).out == "ada is added as admin\n"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "cexwatch.sock"))
    assert (await here.admit("vera", "viewer")).code == 0, "a killed daemon leaves its socket behind"
    refused = await here.say("people", "role", "vera", "--role", "admin", by="vera")
    assert (refused.code, refused.err) == (1, "cexwatch: accounts are the admins' business, and vera is viewer\n")
    wrong = await here.say("people", "list", by="ada", typed="a guess in the dark")
    assert (wrong.code, "do not go together" in wrong.err) == (1, True)
    assert (await here.say("people", "disable", "vera", by="ada")).code == 0
    listed = (await here.say("people", "list")).out.splitlines()
    assert [line.split()[:3] for line in listed[1:3]] == [["ada", "admin", "active"], ["vera", "viewer", "disabled"]]

    for order in (["hold", "legal"], ["doctor", "--phone"]):
        ended = await here.say(*order, by="ada")
        assert (ended.code, ended.out) == (1, "")
        assert f"no daemon listens at {tmp_path}/cexwatch.sock" in ended.err
    shown = await here.say("audit", "show", "--last", "1")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC  ada: account disabled vera\n", shown.out)
    whole = await here.say("audit", "verify")
    assert (whole.code, whole.out.splitlines()[-1]) == (0, "both chains hold")
    altered(tmp_path, "UPDATE deeds SET body = (SELECT body FROM deeds WHERE n = 1) WHERE n = 2")
    broken = await here.say("audit", "verify")
    assert (broken.code, "both chains hold" in broken.out) == (1, False)
    assert "broken: people at link 2. A row there was changed, added or removed" in broken.err
    assert PASSWORD not in here.printed
    assert PASSWORD.encode() not in (tmp_path / "cexwatch.db").read_bytes()


async def test_a_role_without_its_option_is_told_what_is_missing(tmp_path: Path) -> None:
    ended = await desk(offline(tmp_path, "")).say("people", "role", "anna", "boss")
    assert (ended.code, "--role" in ended.err) == (3, True)


async def test_a_phone_check_by_an_address_that_no_phone_has_says_so(tmp_path: Path) -> None:
    for address, warned in (("http://127.0.0.1:9877", True), ("http://localhost:9877", True), ("https://a.org", False)):
        ended = await desk(offline(tmp_path / str(len(address)), f"external_url: {address}")).say("doctor", "--phone")
        assert ("is this machine's own address: no phone can open it" in ended.err) is warned


async def test_on_call_with_accounts(tmp_path: Path) -> None:
    async with on_call(tmp_path) as config, reading(tmp_path) as store:
        here = desk(config)
        for name, role in (("anna", PersonRole.APPROVER), ("paul", PersonRole.PUBLISHER), ("iris", PersonRole.ADMIN)):
            admission = PeopleOrder(people=Task.ADD, subject=name, role=role, password=PASSWORD)
            assert (await administer(tmp_path / "cexwatch.sock", admission)).ok
        await signs(here, tmp_path)
        draft = next(each for each in await store.drafts(pending_only=True) if each.channel == "file")
        approve = ("drafts", "approve", draft.id, "--yes")
        refused = await here.say(*approve, by="paul")
        assert (refused.code, "a publisher may not approve this" in refused.err) == (1, True)
        glass = (*approve, "--break-glass", "nobody else is awake")
        refused = await here.say(*glass, by="anna")
        assert (refused.code, "may not break glass this: it needs admin" in refused.err) == (1, True)
        broken = await here.say(*glass, by="iris")
        assert (broken.code, f"draft {draft.id} is approved" in broken.out) == (0, True)

        async def posted() -> Draft | None:
            now = await store.draft(draft.id)
            return now if now is not None and now.state is DraftState.POSTED else None

        assert (await eventually(posted)).glass == "nobody else is awake"
        retracted = await here.say("incidents", "retract", draft.incident, "the list was wrong", by="paul")
        assert (retracted.code, retracted.err) == (0, "")
        assert retracted.out.splitlines()[0] == f"incident {draft.incident}: retracted"
        waiting = [each for each in await store.drafts(pending_only=True) if each.channel == "file"]
        assert [each.corrects for each in waiting] == [draft.id]

        shown = (await here.say("audit", "show")).out
        assert f"paul (publisher, socket): approve {draft.id} [refused]\n" in shown
        assert "iris (admin, socket): break glass " + f"{draft.id} nobody else is awake\n" in shown
        assert f"paul (publisher, socket): retract {draft.incident} the list was wrong\n" in shown
        altered(tmp_path, "UPDATE audit SET hash = previous WHERE seq = (SELECT max(seq) FROM audit)")
        changed = await here.say("audit", "verify")
        assert (changed.code, "broken: decisions at journal entry" in changed.err) == (1, True)
        assert PASSWORD not in here.printed


async def signs(here: Desk, folder: Path) -> None:
    """A text is signed by who may, shown, and revoked once."""
    file = folder / "text.txt"
    file.write_text(TEXT)
    sign = ("preapproval", "sign", str(file), "--exchange", "gate", "--rails", "USDT@tron")
    refused = await here.say(*sign, "--yes", by="paul")
    assert (refused.code, "a publisher may not sign this" in refused.err) == (1, True)
    signed = await here.say(*sign, "--yes", by="anna")
    assert (signed.code, signed.err) == (0, "")
    [name] = set(re.findall(r"p-[0-9a-f]+", signed.out))
    assert "signed by anna, approver, at " in (await here.say("preapproval", "show", name)).out
    revoked = await here.say("preapproval", "revoke", name, by="paul")
    assert (revoked.code, revoked.err) == (0, "")
    listed = (await here.say("preapproval", "list")).out
    assert f"{name}  gate, withdrawal_halt, USDT@tron; not in force: " in listed
