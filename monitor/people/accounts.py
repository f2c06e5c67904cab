"""What an admin does: add somebody, change a role or a password, end an account or a device's sign-in."""

import re
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from monitor.clock import Clock
from monitor.model import Account, Deed, PersonRole, Session
from monitor.people.passwords import Passwords, weakness
from monitor.store.people import PeopleStore

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}", re.ASCII)


class PeopleError(Exception):
    """It cannot be done; the text says why, in words for the person who asked."""


class Shown(Struct, frozen=True, kw_only=True):
    """An account as it is listed: without its password."""

    name: str
    role: PersonRole
    disabled: bool
    has_password: bool
    since: datetime
    devices: int


class Accounts:
    def __init__(self, store: PeopleStore, clock: Clock, passwords: Passwords) -> None:
        self._store = store
        self._clock = clock
        self._passwords = passwords

    async def listed(self) -> list[Shown]:
        sessions = [session.account for session in await self._store.sessions()]
        return [
            Shown(
                name=each.name,
                role=each.role,
                disabled=each.disabled,
                has_password=bool(each.password),
                since=each.at,
                devices=sessions.count(each.name),
            )
            for each in await self._store.accounts()
        ]

    async def add(self, name: str, *, role: PersonRole, password: str, actor: str) -> None:
        """Without a password only a trusted proxy can name them. Raises PeopleError."""
        if _NAME.fullmatch(name) is None:
            raise PeopleError("a name is 1 to 64 of a-z, 0-9 and ._@-, and begins with a letter or digit")
        if await self._store.account(name) is not None:
            raise PeopleError(f"there is an account {name} already")
        account = Account(name=name, role=role, password=await self._hashed(password), at=self._clock.now())
        await self._keep(account, actor, "account added", detail=f"as {role}")

    async def change_role(self, name: str, *, role: PersonRole, actor: str) -> None:
        account = await self._known(name)
        await self._keep(replace(account, role=role), actor, "role changed", detail=f"{account.role} to {role}")

    async def change_password(self, name: str, *, password: str, actor: str) -> None:
        """Signs its devices out: whoever had the old one may have been somebody else."""
        if not password:
            raise PeopleError("the password is empty")
        account = replace(await self._known(name), password=await self._hashed(password))
        await self._keep(account, actor, "password changed", end_sessions=True)

    async def disable(self, name: str, *, actor: str) -> None:
        """Signs its devices out. The account stays, so that nobody else gets its name."""
        account = replace(await self._known(name), disabled=True)
        await self._keep(account, actor, "account disabled", end_sessions=True)

    async def enable(self, name: str, *, actor: str) -> None:
        await self._keep(replace(await self._known(name), disabled=False), actor, "account enabled")

    async def sessions(self, name: str = "") -> list[Session]:
        """Of one account, or of all."""
        return [session for session in await self._store.sessions() if name in ("", session.account)]

    async def revoke(self, session_id: str, *, actor: str) -> None:
        found = next((each for each in await self._store.sessions() if each.id == session_id), None)
        if found is None:
            raise PeopleError(f"there is no sign-in {session_id}")
        deed = Deed(at=self._clock.now(), actor=actor, what="session revoked", subject=found.account, detail=found.id)
        await self._store.end_session(found, deed)

    async def _hashed(self, password: str) -> str:
        if not password:
            return ""
        weak = weakness(password)
        if weak is not None:
            raise PeopleError(weak)
        return await self._passwords.hashed(password)

    async def _known(self, name: str) -> Account:
        account = await self._store.account(name)
        if account is None:
            raise PeopleError(f"there is no account {name}")
        return account

    async def _keep(
        self, account: Account, actor: str, what: str, *, detail: str = "", end_sessions: bool = False
    ) -> None:
        deed = Deed(at=self._clock.now(), actor=actor, what=what, subject=account.name, detail=detail)
        await self._store.keep_account(account, deed, end_sessions=end_sessions)
