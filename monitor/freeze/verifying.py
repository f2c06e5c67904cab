"""The ledger read from its start by somebody who does not serve it: does every entry follow, do both copies agree."""

from pathlib import Path

from msgspec import Struct

from monitor.freeze.database import DamagedError, Database, LedgerError
from monitor.freeze.entry import FreezeActivated, LinkMade, Recovered, Row, decode, follows
from monitor.freeze.witness import frames


class Examined(Struct, frozen=True, kw_only=True):
    entries: int
    head: bytes
    freezes: int
    accounts: int
    links: int
    witnessed: int
    asked: bytes  # the hash of the entry that was asked for; empty where there is none
    recovered: tuple[str, ...]
    wrong: tuple[str, ...]


async def examine(database: Database, witness: Path, *, seq: int | None) -> Examined:
    """A gate may be running: its newest entries may not be in the witness yet. Raises LedgerError, OSError."""
    if not await database.exists():
        raise LedgerError("there is no ledger")
    told = (row for row in frames(witness) if isinstance(row, Row))
    last: Row | None = None
    wrong: list[str] = []
    recovered: list[str] = []
    accounts: set[bytes] = set()
    freezes = links = witnessed = 0
    asked = b""
    try:
        async for row in database.rows():
            if not follows(row, last):
                wrong.append(f"entry {row.seq} does not follow the one before")
                break
            seen = next(told, None)
            witnessed += seen is not None
            if seen is not None and seen != row:
                wrong.append(f"entry {row.seq} is not the one that the witness saw")
                break
            last = row
            asked = row.digest if row.seq == seq else asked
            match decode(row.body):
                case FreezeActivated(account=account):
                    freezes += 1
                    accounts.add(account)
                case LinkMade():
                    links += 1
                case Recovered(at=at, reason=reason):
                    recovered.append(f"at {at:%Y-%m-%d %H:%M UTC}: {reason}")
                case _:
                    pass
    except DamagedError as error:
        wrong.append(str(error))
    more = next(told, None)
    if not wrong and more is not None and (last is None or more.seq > last.seq + 1_000):
        wrong.append(f"the witness saw entry {more.seq}, which the ledger does not have")
    return Examined(
        entries=0 if last is None else last.seq,
        head=b"" if last is None else last.digest,
        freezes=freezes,
        accounts=len(accounts),
        links=links,
        witnessed=witnessed,
        asked=asked,
        recovered=tuple(recovered),
        wrong=tuple(wrong),
    )
