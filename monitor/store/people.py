"""Accounts, the devices that are signed in, and sign-ins that failed. A change and its deed are one transaction."""

from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from sqlalchemy import ColumnElement, Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.model import Account, Deed, PersonRole, Session
from monitor.store import deeds, schema
from monitor.store.deeds import ChainHead
from monitor.store.schema import microseconds, moment

_T = TypeVar("_T")
_FORGOTTEN = timedelta(days=1)  # a sign-in that failed so long ago slows nobody down

Failures = tuple[int, datetime]
"""How many sign-ins failed in a row, and when the last one did."""


class Run(Protocol):
    """Does work on a connection of the store."""

    async def __call__(self, work: Callable[[AsyncConnection], Coroutine[Any, Any, _T]]) -> _T: ...


class PeopleStore:
    def __init__(self, *, write: Run, look: Run) -> None:
        self._write = write
        self._look = look

    async def accounts(self) -> list[Account]:
        """By name, disabled ones too."""

        async def work(connection: AsyncConnection) -> list[Account]:
            rows = await connection.execute(select(schema.accounts).order_by(schema.accounts.c.name))
            return [_account(row) for row in rows]

        return await self._look(work)

    async def account(self, name: str) -> Account | None:
        return next((account for account in await self.accounts() if account.name == name), None)

    async def keep_account(self, account: Account, deed: Deed, *, end_sessions: bool = False) -> None:
        """In place of the one with that name; with `end_sessions` its devices are signed out."""
        table = schema.accounts

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(delete(table).where(table.c.name == account.name))
            await connection.execute(insert(table), [_account_row(account)])
            if end_sessions:
                await connection.execute(delete(schema.sessions).where(schema.sessions.c.account == account.name))
            await deeds.append(connection, deed)

        await self._write(work)

    async def sessions(self) -> list[Session]:
        """Newest first."""

        async def work(connection: AsyncConnection) -> list[Session]:
            rows = await connection.execute(select(schema.sessions).order_by(schema.sessions.c.began_at.desc()))
            return [_session(row) for row in rows]

        return await self._look(work)

    async def session(self, digest: bytes) -> Session | None:
        async def work(connection: AsyncConnection) -> Session | None:
            found = select(schema.sessions).where(schema.sessions.c.digest == digest)
            row = (await connection.execute(found)).one_or_none()
            return None if row is None else _session(row)

        return await self._look(work)

    async def begin_session(self, session: Session, deed: Deed) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert(schema.sessions), [_session_row(session)])
            await deeds.append(connection, deed)

        await self._write(work)

    async def seen(self, digest: bytes, at: datetime) -> None:
        row = schema.sessions.c.digest == digest

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(update(schema.sessions).where(row).values(seen_at=microseconds(at)))

        await self._write(work)

    async def end_session(self, session: Session, deed: Deed) -> None:
        row: ColumnElement[bool] = schema.sessions.c.digest == session.digest

        async def work(connection: AsyncConnection) -> None:
            if (await connection.execute(delete(schema.sessions).where(row))).rowcount:
                await deeds.append(connection, deed)

        await self._write(work)

    async def reserve(self, keys: Sequence[str], *, now: datetime, wait: Callable[[str, Failures], float]) -> float:
        """Count an attempt as failed before it is made, so that many at once are many; 0 if it may be made.

        Otherwise how many seconds to wait, by `wait` of each key and its failures; then nothing is counted.
        """
        table = schema.guesses

        async def work(connection: AsyncConnection) -> float:
            await connection.execute(delete(table).where(table.c.at < microseconds(now - _FORGOTTEN)))
            rows = await connection.execute(select(table).where(table.c.key.in_(keys)))
            known: dict[str, Failures] = {row.key: (row.failures, moment(row.at)) for row in rows}
            longest = max((wait(key, known[key]) for key in known), default=0.0)
            if longest > 0:
                return longest
            await connection.execute(delete(table).where(table.c.key.in_(keys)))
            counted = [
                {"key": key, "failures": known.get(key, (0, now))[0] + 1, "at": microseconds(now)} for key in keys
            ]
            await connection.execute(insert(table), counted)
            return 0.0

        return await self._write(work)

    async def forgive(self, account: str, address: str) -> None:
        """A sign-in was good: the account is free again, and the address has one failure less."""
        table = schema.guesses

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(delete(table).where(table.c.key == account))
            less = update(table).where(table.c.key == address).values(failures=table.c.failures - 1)
            await connection.execute(less)

        await self._write(work)

    async def note(self, deed: Deed) -> None:
        await self._write(lambda connection: deeds.append(connection, deed))

    async def deeds(self) -> list[Deed]:
        """Oldest first."""
        return await self._look(deeds.read)

    async def verify(self) -> int | None:
        """The first deed that is not what it was when written; None if all are."""
        return await self._look(deeds.first_broken)

    async def heads(self) -> dict[str, ChainHead]:
        """Of both chains, by name: "decisions" and "people"."""
        return await self._look(deeds.heads)


def _account(row: Row[Any]) -> Account:
    return Account(
        name=row.name, role=PersonRole(row.role), password=row.password, disabled=row.disabled, at=moment(row.at)
    )


def _account_row(account: Account) -> dict[str, object]:
    return {
        "name": account.name,
        "role": account.role,
        "password": account.password,
        "disabled": account.disabled,
        "at": microseconds(account.at),
    }


def _session(row: Row[Any]) -> Session:
    return Session(
        digest=row.digest,
        id=row.id,
        account=row.account,
        device=row.device,
        address=row.address,
        began_at=moment(row.began_at),
        seen_at=moment(row.seen_at),
    )


def _session_row(session: Session) -> dict[str, object]:
    return {
        "digest": session.digest,
        "id": session.id,
        "account": session.account,
        "device": session.device,
        "address": session.address,
        "began_at": microseconds(session.began_at),
        "seen_at": microseconds(session.seen_at),
    }
