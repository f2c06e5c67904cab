"""What single wallets sent, as the database keeps it for the next start."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.model import Entry, WalletUsage
from monitor.store.step import Step
from tests.server.store_samples import opened

DAY = datetime(2026, 2, 3, tzinfo=UTC)
ALICE, BOB = "0x" + "a1" * 20, "0x" + "b2" * 20


def used(address: str, outgoing: int, *, days: int = 0, network: str = "ethereum") -> WalletUsage:
    day = DAY + timedelta(days=days)
    return WalletUsage(
        at=day + timedelta(hours=15),
        exchange="kraken",
        probe="kraken-ethereum-wallets",
        network=network,
        address=address,
        day=day,
        outgoing=outgoing,
        last_at=day + timedelta(hours=14),
    )


def steps(*entries: WalletUsage, after: int = 0) -> list[Step]:
    return [Step(Entry(after + place, entry), ()) for place, entry in enumerate(entries, start=1)]


async def test_the_last_word_on_a_day_outlives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "cexwatch.db"
    async with opened(path) as store:
        assert await store.usages() == []
        await store.commit(steps(used(ALICE, 3), used(BOB, 1), used(ALICE, 5), used(ALICE, 2, network="bsc")))
        await store.commit(steps(used(ALICE, 9), used(BOB, 4, days=1), after=4))
    async with opened(path) as store:
        assert await store.usages() == [
            used(ALICE, 2, network="bsc"),
            used(ALICE, 9),
            used(BOB, 1),
            used(BOB, 4, days=1),
        ]


async def test_days_older_than_ten_are_forgotten(tmp_path: Path) -> None:
    async with opened(tmp_path / "cexwatch.db") as store:
        await store.commit(steps(used(ALICE, 3), used(BOB, 4, days=10)))
        await store.commit(steps(used(BOB, 1, days=11), after=2))
        assert await store.usages() == [used(BOB, 4, days=10), used(BOB, 1, days=11)]
