"""Which block was the newest at a time."""

from datetime import datetime

from monitor.chains.ledger import Head, Ledger


async def block_before(ledger: Ledger, when: datetime, *, head: Head, depth: int) -> Head:
    """The newest block not younger than `when`, but at most `depth` blocks behind `head`. Raises `RemoteError`."""
    if head.timestamp <= when:
        return head
    older = await ledger.block(max(0, head.number - depth))
    newer = head
    while older.timestamp <= when and newer.number - older.number > 1:
        middle = await ledger.block((older.number + newer.number) // 2)
        if middle.timestamp <= when:
            older = middle
        else:
            newer = middle
    return older
