"""What an admin asks of accounts, as it comes from the command line: over the socket, or with no daemon running."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from monitor.model import PersonRole
from monitor.people.accounts import Accounts, PeopleError, Shown


class Task(StrEnum):
    ADD = "add"
    LIST = "list"
    ROLE = "role"
    PASSWORD = "password"  # noqa: S105 - the name of a task
    DISABLE = "disable"
    ENABLE = "enable"
    SESSIONS = "sessions"
    REVOKE = "revoke"
    PHONE = "phone"
    PHONE_OPENED = "phone_opened"


class PeopleOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`subject` is an account, or a sign-in to revoke. `account` and `secret` are of who asks, where that is needed."""

    people: Task
    subject: str = ""
    role: PersonRole = PersonRole.VIEWER
    password: str = ""
    account: str = ""
    secret: str = ""


class SignedIn(Struct, frozen=True, kw_only=True):
    id: str
    account: str
    address: str
    began_at: datetime
    seen_at: datetime


class PeopleReply(Struct, frozen=True, kw_only=True):
    ok: bool
    message: str
    accounts: tuple[Shown, ...] = ()
    sessions: tuple[SignedIn, ...] = ()
    address: str = ""  # of the phone
    agent: str = ""


class Ringing(Protocol):
    """The look of a phone, as the desk asks for it."""

    def begin(self) -> str: ...
    def opened_by(self) -> tuple[str, str] | None: ...


async def obey(accounts: Accounts, order: PeopleOrder, *, actor: str, phone: Ringing | None = None) -> PeopleReply:
    """What became of it, in words."""
    try:
        return await _obey(accounts, order, actor, phone)
    except PeopleError as error:
        return PeopleReply(ok=False, message=str(error))


async def _obey(accounts: Accounts, order: PeopleOrder, actor: str, phone: Ringing | None) -> PeopleReply:
    name = order.subject
    match order.people:
        case Task.LIST:
            return PeopleReply(ok=True, message="", accounts=tuple(await accounts.listed()))
        case Task.SESSIONS:
            return PeopleReply(ok=True, message="", sessions=await _sessions(accounts, name))
        case Task.PHONE | Task.PHONE_OPENED:
            return _phone(order, phone)
        case Task.ADD:
            await accounts.add(name, role=order.role, password=order.password, actor=actor)
            return _done(f"{name} is added as {order.role}")
        case Task.ROLE:
            await accounts.change_role(name, role=order.role, actor=actor)
            return _done(f"{name} is {order.role} from now on")
        case Task.PASSWORD:
            await accounts.change_password(name, password=order.password, actor=actor)
            return _done(f"{name} has a new password and is signed out everywhere")
        case Task.DISABLE:
            await accounts.disable(name, actor=actor)
            return _done(f"{name} is disabled and signed out everywhere")
        case Task.ENABLE:
            await accounts.enable(name, actor=actor)
            return _done(f"{name} can sign in again")
        case Task.REVOKE:
            await accounts.revoke(name, actor=actor)
            return _done(f"{name} is signed out")


def _done(message: str) -> PeopleReply:
    return PeopleReply(ok=True, message=message)


async def _sessions(accounts: Accounts, name: str) -> tuple[SignedIn, ...]:
    return tuple(
        SignedIn(id=one.id, account=one.account, address=one.address, began_at=one.began_at, seen_at=one.seen_at)
        for one in await accounts.sessions(name)
    )


def _phone(order: PeopleOrder, phone: Ringing | None) -> PeopleReply:
    if phone is None:
        return PeopleReply(ok=False, message="the daemon must run for that")
    if order.people is Task.PHONE:
        return PeopleReply(ok=True, message=phone.begin())
    opened = phone.opened_by()
    if opened is None:
        return PeopleReply(ok=False, message="not opened yet")
    return PeopleReply(ok=True, message="opened", address=opened[0], agent=opened[1])
