"""Rows a second and bytes a row of the store: importing a journal, committing what is judged, reading it back.

Run: python benchmarks/store.py [rows]
"""

import asyncio
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import perf_counter

import msgspec

from monitor.model import (
    Change,
    Direction,
    Entry,
    ExchangeState,
    ExchangeView,
    IncidentKind,
    ListRead,
    Observation,
    Price,
    RailState,
    RailStatus,
    Severity,
    Transition,
    WalletActivity,
)
from monitor.store import Checkpoint, Step, Store

START = datetime(2026, 1, 5, tzinfo=UTC)
EXCHANGES = ("binance", "kraken", "kucoin", "gate", "htx", "bitget", "okx", "bybit")
NETWORKS = ("bitcoin", "ethereum", "tron", "bsc", "solana")
IMPORT_BATCH = 5_000
COMMIT_STEPS = 500
COMMITS = 100


def observation(seq: int) -> Observation:
    """What a journal is made of: half wallet activity, the rest lists, changed rails and prices."""
    at = START + timedelta(seconds=seq * 0.5, microseconds=seq % 1000)
    exchange, network = EXCHANGES[seq % 8], NETWORKS[seq % 5]
    match seq % 6:
        case 0 | 1 | 2:
            return WalletActivity(
                at=at,
                exchange=exchange,
                probe=f"{exchange}-{network}",
                network=network,
                outgoing=seq % 40,
                amount=Decimal(seq % 99_991) / 1000,
                last_at=at,
                window_seconds=60.0,
                coverage=1.0,
                head_age_seconds=7.5,
            )
        case 3:
            return ListRead(at=at, exchange=exchange, probe=f"{exchange}-coins", rails=1284, changed=1)
        case 4:
            return RailStatus(
                at=at,
                exchange=exchange,
                probe=f"{exchange}-coins",
                asset=f"ALT{seq % 300}",
                network=network,
                direction=Direction.WITHDRAWAL,
                state=RailState.SUSPENDED,
                raw="false",
            )
        case _:
            return Price(at=at, probe="prices", asset="BTC", usd=Decimal(7_800_000 + seq % 1000) / 100, source="median")


def steps(first: int) -> list[Step]:
    """A batch of the pipeline. Every hundredth entry opens or moves an incident."""
    return [
        Step(Entry(seq, observation(seq)), (transition(seq),) if seq % 100 == 0 else ())
        for seq in range(first, first + COMMIT_STEPS)
    ]


def transition(seq: int) -> Transition:
    return Transition(
        at=START,
        incident=f"binance-withdrawal_halt-{seq}",
        transition=Change.OPENED,
        kind=IncidentKind.WITHDRAWAL_HALT,
        severity=Severity.CRITICAL,
        exchange="binance",
        scope=("*",),
        summary="binance: no withdrawal left since 14:01:58 UTC",
        evidence=(),
    )


def views() -> list[ExchangeView]:
    return [
        ExchangeView(exchange=name, at=START, withdrawals=ExchangeState.OPERATIONAL, since=None, reason="")
        for name in EXCHANGES
    ]


def batches(rows: int) -> Iterator[list[Entry]]:
    for first in range(1, rows + 1, IMPORT_BATCH):
        yield [Entry(seq, observation(seq)) for seq in range(first, min(first + IMPORT_BATCH, rows + 1))]


def plain(folder: Path, rows: int) -> tuple[float, float]:
    """Seconds and bytes a row of the simplest thing: JSON text into one table of sqlite3, in the same batches."""
    file = folder / "plain.db"
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE journal (seq INTEGER PRIMARY KEY, line TEXT NOT NULL)")
    spent = 0.0
    for batch in batches(rows):
        began = perf_counter()
        lines = [(entry.seq, msgspec.json.encode(entry.observation).decode()) for entry in batch]
        with connection:
            connection.executemany("INSERT INTO journal VALUES (?, ?)", lines)
        spent += perf_counter() - began
    connection.close()
    return spent / rows, size_of(file) / rows


def size_of(file: Path) -> int:
    return file.stat().st_size


async def measure_import(address: str, file: Path, rows: int) -> None:
    began = perf_counter()
    store = await Store.open(address)
    print(f"open, new database        {(perf_counter() - began) * 1000:8.1f} ms, with the import of alembic")
    spent = 0.0
    for batch in batches(rows):
        began = perf_counter()
        await store.append_history(batch)
        spent += perf_counter() - began
    await store.close()
    size = size_of(file) / rows
    plain_seconds, plain_size = plain(file.parent, rows)
    slower = spent / rows / plain_seconds
    print(f"import                    {rows / spent:8.0f} rows/s, {slower:.2f} x the time of plain sqlite3")
    print(f"size                      {size:8.1f} bytes/row, {size / plain_size:.2f} x JSON lines in plain sqlite3")


async def measure_reading(store: Store, rows: int) -> None:
    began = perf_counter()
    count = 0
    async for _ in store.entries():
        count += 1
    assert count == rows
    print(f"read                      {rows / (perf_counter() - began):8.0f} rows/s")


async def measure_commits(store: Store, rows: int) -> None:
    took: dict[bool, list[float]] = {True: [], False: []}
    for number in range(COMMITS):
        batch = steps(rows + 1 + number * COMMIT_STEPS)
        state = Checkpoint(batch[-1].entry.seq, START, dict.fromkeys(EXCHANGES, bytes(50_000)))
        with_state = number % 10 == 0
        began = perf_counter()
        await store.commit(batch, views=views(), checkpoint=state if with_state else None)
        took[with_state].append((perf_counter() - began) * 1000)
    for with_state, name in ((False, ""), (True, " + 400 kB state")):
        ordered = sorted(took[with_state])
        median, ninetieth = ordered[len(ordered) // 2], ordered[len(ordered) * 9 // 10]
        print(f"commit of {COMMIT_STEPS} steps       {median:8.1f} ms median, {ninetieth:.1f} ms at 90 %{name}")


async def measure(folder: Path, rows: int) -> None:
    file = folder / "cexwatch.db"
    address = f"sqlite+aiosqlite:///{file}"
    await measure_import(address, file, rows)
    began = perf_counter()
    store = await Store.open(address)
    print(f"open, existing database   {(perf_counter() - began) * 1000:8.1f} ms")
    await measure_reading(store, rows)
    await measure_commits(store, rows)
    await store.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        asyncio.run(measure(Path(scratch), int(sys.argv[1]) if len(sys.argv) > 1 else 200_000))
