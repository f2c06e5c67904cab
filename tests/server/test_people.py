"""Accounts over the command socket, the chain of what was done to them, and the look of a phone."""

import sqlite3
from pathlib import Path

import aiohttp
import pytest

from monitor.commands import Order, administer, send
from monitor.model import DraftState, PersonRole, Verb
from monitor.people.desk import PeopleOrder, Task
from tests.office import PASSWORD, Office, office

NEW = "another long night in march"
SHORT, DULL = "short", "abababababababab"


async def ask(here: Office, task: Task, subject: str = "", **more: str) -> str:
    order = PeopleOrder(people=task, subject=subject, password=more.get("password", ""), account=more.get("by", ""))
    if order.account:
        order = PeopleOrder(people=task, subject=subject, account=order.account, secret=PASSWORD)
    return (await administer(here.config.socket, order)).message


async def test_an_admin_adds_changes_and_ends_accounts(tmp_path: Path) -> None:
    async with office(tmp_path, people=False) as here:
        assert await ask(here, Task.ADD, "dana", password=NEW) == "dana is added as viewer"
        assert "already" in await ask(here, Task.ADD, "dana", password=NEW)
        assert "12 to 256" in await ask(here, Task.ADD, "eve", password=SHORT)
        assert "same few" in await ask(here, Task.ADD, "eve", password=DULL)
        assert "begins with" in await ask(here, Task.ADD, "Eve!", password=NEW)
        reply = await administer(here.config.socket, PeopleOrder(people=Task.LIST))
        assert [(each.name, each.role, each.has_password) for each in reply.accounts] == [
            ("dana", PersonRole.VIEWER, True)
        ]
        assert "no account" in await ask(here, Task.DISABLE, "nobody")
        assert "is disabled" in await ask(here, Task.DISABLE, "dana")
        deeds = [(deed.what, deed.subject) for deed in await here.store.people.deeds()]
        assert deeds == [("account added", "dana"), ("account disabled", "dana")]
        assert await here.store.people.verify() is None


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE deeds SET body = (SELECT body FROM deeds WHERE n = 1) WHERE n = 2", 2),
        ("DELETE FROM deeds WHERE n = 3", 3),
        ("DELETE FROM deeds WHERE n = 1", 1),
        ("UPDATE deeds SET hash = previous WHERE n = 4", 4),
    ],
)
async def test_a_deed_that_was_altered_shows(tmp_path: Path, statement: str, broken: int) -> None:
    async with office(tmp_path) as here:
        assert await here.store.people.verify() is None
        connection = sqlite3.connect(tmp_path / "cexwatch.db")
        with connection:
            connection.execute(statement)
        connection.close()
        assert await here.store.people.verify() == broken


async def test_where_an_account_is_required_the_machines_user_is_nobody(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        here.config = here.config.model_copy(
            update={"people": here.config.people.model_copy(update={"require_account": True})}
        )
        draft = await here.halt()
        order = Order(verb=Verb.APPROVE, subject=draft.id, text_sha256=draft.text_sha256)
        assert "require_account" in (await send(here.config.socket, order)).message
        assert "require_account" in await ask(here, Task.LIST)
        assert "admins' business" in await ask(here, Task.LIST, by="anna")
        viewer = Order(
            verb=Verb.APPROVE, subject=draft.id, text_sha256=draft.text_sha256, account="vera", secret=PASSWORD
        )
        assert "a viewer may not approve" in (await send(here.config.socket, viewer)).message
        wrong = Order(verb=Verb.APPROVE, subject=draft.id, text_sha256=draft.text_sha256, account="anna", secret=SHORT)
        assert "do not go together" in (await send(here.config.socket, wrong)).message
        right = Order(
            verb=Verb.APPROVE, subject=draft.id, text_sha256=draft.text_sha256, account="anna", secret=PASSWORD
        )
        assert (await send(here.config.socket, right)).ok
        now = await here.draft(draft.id)
        assert (now.state, now.decided_by) == (DraftState.APPROVED, "anna")


async def test_a_phone_is_believed_when_somebody_pressed_the_button(tmp_path: Path) -> None:
    async with office(tmp_path, people=False) as here, aiohttp.ClientSession() as phone:
        path = await ask(here, Task.PHONE)
        assert await ask(here, Task.PHONE_OPENED) == "not opened yet"
        for method in ("GET", "HEAD"):
            async with phone.request(method, here.url + path) as answer:
                assert answer.status == 200
        assert await ask(here, Task.PHONE_OPENED) == "not opened yet", "a preview of the link is no phone"
        async with phone.post(here.url + "/phone/another", headers={"Origin": here.url}) as answer:
            assert answer.status == 404
        async with phone.post(here.url + path, headers={"Origin": "https://evil.example"}) as answer:
            assert answer.status == 403
        async with phone.post(here.url + path, headers={"Origin": here.url, "User-Agent": "my phone"}) as answer:
            assert answer.status == 200
        opened = await administer(here.config.socket, PeopleOrder(people=Task.PHONE_OPENED))
        assert (opened.ok, opened.address, opened.agent) == (True, "127.0.0.1", "my phone")
        async with phone.post(here.url + path, headers={"Origin": here.url}) as answer:
            assert answer.status == 404, "once"
        path = await ask(here, Task.PHONE)
        here.clock.hand += 301
        async with phone.get(here.url + path) as answer:
            assert answer.status == 404, "five minutes"
