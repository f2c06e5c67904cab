"""The ledger against hands that have its files: refused, or noticed, and nobody who was frozen is free."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.freeze.database import DamagedError, Database, LedgerError
from monitor.freeze.entry import FreezeActivated, Origin
from monitor.freeze.ledger import Ledger, NoLedgerError
from monitor.freeze.lock import NotWrittenError
from monitor.freeze.witness import InUseError, Witness
from tests.freeze.gatehouse import TWO_DAYS, GateHouse, gatehouse
from tests.hand_clock import NOON

WEEK = timedelta(days=7)
ACCOUNTS = [f"account {n}" for n in range(300)]  # several pages of the database
TRIGGERS = ("update", "delete", "insert", "until")


def ledger(folder: Path) -> Ledger:
    return Ledger(Database(f"sqlite+aiosqlite:///{folder / 'freeze.db'}"), Witness(folder / "freeze.witness"))


async def filled(folder: Path) -> None:
    async with gatehouse(folder) as house:
        for account in ACCOUNTS:
            await house.freeze(account)


def frozen(house: GateHouse) -> int:
    return sum(house.until(account) == NOON + TWO_DAYS for account in ACCOUNTS)


def sql(folder: Path, *statements: str, triggers: bool = True) -> None:
    with closing(sqlite3.connect(folder / "freeze.db")) as connection, connection:
        if not triggers:
            for name in TRIGGERS:
                connection.execute(f"DROP TRIGGER freeze_ledger_{name}")
        for statement in statements:
            connection.execute(statement)


SHORTENED = (
    "INSERT INTO freeze_ledger SELECT max(seq) + 1, kind, account, until - 1, body, randomblob(32) FROM freeze_ledger"
)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE freeze_ledger SET until = until + 1 WHERE seq = 9",
        "UPDATE OR REPLACE freeze_ledger SET seq = 8 WHERE seq = 9",
        "DELETE FROM freeze_ledger",
        (
            "INSERT OR REPLACE INTO freeze_ledger SELECT 9, kind, account, until, body, randomblob(32) "
            "FROM freeze_ledger WHERE seq = 8"
        ),
        (
            "INSERT OR REPLACE INTO freeze_ledger SELECT 1000, kind, account, until, body, digest "
            "FROM freeze_ledger WHERE seq = 8"
        ),
        SHORTENED,
    ],
)
async def test_the_database_refuses(tmp_path: Path, statement: str) -> None:
    await filled(tmp_path)
    with pytest.raises(sqlite3.IntegrityError, match="only"):
        sql(tmp_path, statement)
    async with gatehouse(tmp_path) as house:
        assert (house.found.wrong, frozen(house)) == ("", len(ACCOUNTS))


def flip(file: Path, *places: float) -> None:
    body = bytearray(file.read_bytes())
    for place in places:
        body[int(place * len(body))] ^= 0xFF
    file.write_bytes(body)


def zero_page(folder: Path) -> None:
    body = bytearray((folder / "freeze.db").read_bytes())
    start = len(body) // 2 // 4096 * 4096
    body[start : start + 4096] = bytes(4096)
    (folder / "freeze.db").write_bytes(body)


def cut(file: Path, share: float) -> None:
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])


ALTERED = "UPDATE freeze_ledger SET until = until - 86400 WHERE seq IN (50, 250)"
DELETED = "DELETE FROM freeze_ledger WHERE seq BETWEEN 100 AND 120"
EMPTIED = "DELETE FROM freeze_ledger WHERE seq > 200"
REPLACED = (
    "UPDATE freeze_ledger SET body = (SELECT body FROM freeze_ledger WHERE seq = 10), "
    "account = (SELECT account FROM freeze_ledger WHERE seq = 10) WHERE seq = 11"
)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda at: sql(at, ALTERED, triggers=False), id="columns altered"),
        pytest.param(lambda at: sql(at, REPLACED, triggers=False), id="a body altered"),
        pytest.param(lambda at: sql(at, DELETED, triggers=False), id="rows deleted"),
        pytest.param(lambda at: sql(at, EMPTIED, triggers=False), id="the end deleted"),
        pytest.param(lambda at: sql(at, SHORTENED, triggers=False), id="a row inserted"),
        pytest.param(lambda at: (at / "freeze.db").unlink(), id="the database deleted"),
        pytest.param(lambda at: cut(at / "freeze.db", 0.5), id="the database cut"),
        pytest.param(lambda at: cut(at / "freeze.db", 0), id="the database emptied"),
        pytest.param(lambda at: flip(at / "freeze.db", 0.0), id="the database's first byte flipped"),
        pytest.param(lambda at: flip(at / "freeze.db", 0.3, 0.6, 0.9), id="bytes of the database flipped"),
        pytest.param(zero_page, id="a page of the database zeroed"),
        pytest.param(lambda at: flip(at / "freeze.witness", 0.3), id="a byte of the witness flipped"),
        pytest.param(lambda at: flip(at / "freeze.witness", 0.0), id="the witness's first byte flipped"),
    ],
)
async def test_damage_is_told_and_everybody_stays_frozen(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    await filled(tmp_path)
    damage(tmp_path)
    async with gatehouse(tmp_path) as house:
        assert house.found.wrong
        assert frozen(house) == len(ACCOUNTS)
        await house.ledger.verify()
        await house.freeze("another")
    async with gatehouse(tmp_path) as house:
        assert (house.found.wrong, frozen(house)) == ("", len(ACCOUNTS))


async def test_both_damaged_in_different_places_lose_nobody(tmp_path: Path) -> None:
    await filled(tmp_path)
    zero_page(tmp_path)
    flip(tmp_path / "freeze.witness", 0.02, 0.98)
    async with gatehouse(tmp_path) as house:
        assert house.found.wrong
        assert frozen(house) == len(ACCOUNTS)


async def test_an_altered_database_without_a_witness_loses_nobody(tmp_path: Path) -> None:
    await filled(tmp_path)
    sql(tmp_path, ALTERED, triggers=False)
    (tmp_path / "freeze.witness").unlink()
    async with gatehouse(tmp_path) as house:
        assert house.found.wrong
        assert frozen(house) == len(ACCOUNTS)


async def test_an_older_copy_is_told_though_the_witness_is_damaged_too(tmp_path: Path) -> None:
    async with gatehouse(tmp_path) as house:
        await house.freeze("early")
    shutil.copy(tmp_path / "freeze.db", tmp_path / "copy")
    await filled(tmp_path)
    shutil.copy(tmp_path / "copy", tmp_path / "freeze.db")
    flip(tmp_path / "freeze.witness", 0.001)
    async with gatehouse(tmp_path) as house:
        assert house.found.wrong
        assert frozen(house) == len(ACCOUNTS)


@pytest.mark.parametrize("share", [0.2, 0.999, 0.0])
async def test_a_witness_that_was_cut_is_written_again(tmp_path: Path, share: float) -> None:
    await filled(tmp_path)
    cut(tmp_path / "freeze.witness", share)
    async with gatehouse(tmp_path) as house:
        assert house.found.note
        assert frozen(house) == len(ACCOUNTS)
    (tmp_path / "freeze.db").unlink()
    async with gatehouse(tmp_path) as house:
        assert frozen(house) == len(ACCOUNTS)


@pytest.mark.parametrize("statement", [EMPTIED, DELETED, ALTERED])
async def test_a_change_under_a_running_gate_is_noticed(tmp_path: Path, statement: str) -> None:
    await filled(tmp_path)
    async with gatehouse(tmp_path) as house:
        sql(tmp_path, statement, triggers=False)
        with pytest.raises(DamagedError):
            await house.ledger.verify()
        assert frozen(house) == len(ACCOUNTS)


async def test_nothing_is_added_to_a_ledger_that_ends_otherwise(tmp_path: Path) -> None:
    await filled(tmp_path)
    found = ledger(tmp_path)
    await found.load(NOON)
    sql(tmp_path, EMPTIED, triggers=False)
    entry = FreezeActivated(
        at=NOON, account=bytes(16), key_id="k", until=NOON, requested_at=NOON, origin=Origin.APP, begins=True
    )
    with pytest.raises(DamagedError):
        await found.append([entry])
    await found.close()


async def test_where_neither_copy_is_nothing_is_begun(tmp_path: Path) -> None:
    found = ledger(tmp_path)
    with pytest.raises(NoLedgerError):
        await found.load(NOON)
    await found.close()
    assert not (tmp_path / "freeze.db").exists()


async def test_a_ledger_is_begun_once_and_served_by_one(tmp_path: Path) -> None:
    await filled(tmp_path)
    found = ledger(tmp_path)
    with pytest.raises(LedgerError, match="already"):
        await found.begin(NOON)
    with pytest.raises(InUseError):
        ledger(tmp_path)
    await found.close()


async def test_what_cannot_be_written_is_refused_and_the_rest_stays_frozen(tmp_path: Path) -> None:
    await filled(tmp_path)
    async with gatehouse(tmp_path) as house:
        with closing(sqlite3.connect(tmp_path / "freeze.db")) as other:
            other.execute("CREATE TRIGGER full BEFORE INSERT ON freeze_ledger BEGIN SELECT RAISE(ABORT, 'full'); END")
            with pytest.raises(NotWrittenError):
                await house.freeze("another", WEEK)
            assert (house.until("another"), frozen(house)) == (None, len(ACCOUNTS))
            other.execute("DROP TRIGGER full")
        assert (await house.freeze("another", WEEK)).until == NOON + WEEK
