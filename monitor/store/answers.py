"""What was answered under which key, for as long as the key holds."""

from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.model.records import KeptAnswer
from monitor.store import schema
from monitor.store.schema import microseconds

_table = schema.answers


async def begin(
    connection: AsyncConnection, key: bytes, *, fingerprint: bytes, now: datetime, until: datetime
) -> KeptAnswer | None:
    """Take a key until `until`; what is kept under it where it was taken before. Forgets keys that hold no longer."""
    await connection.execute(delete(_table).where(_table.c.until < microseconds(now)))
    row = (await connection.execute(select(_table).where(_table.c.key == key))).one_or_none()
    if row is not None:
        return KeptAnswer(row.fingerprint, row.status, row.content_type, row.body)
    values = {"key": key, "fingerprint": fingerprint, "until": microseconds(until), "content_type": "", "body": b""}
    await connection.execute(insert(_table), [values])
    return None


async def keep(connection: AsyncConnection, key: bytes, answer: KeptAnswer) -> None:
    values = {"status": answer.status, "content_type": answer.content_type, "body": answer.body}
    await connection.execute(update(_table).where(_table.c.key == key).values(values))


async def forget(connection: AsyncConnection, key: bytes) -> None:
    await connection.execute(delete(_table).where(_table.c.key == key))
