"""The ledger lost, rolled back and altered, by the database's own means and past them: nobody frozen is freed."""

import shutil
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.freeze.database import DamagedError, Database, LedgerError
from monitor.freeze.lock import NotWrittenError
from monitor.freeze.verifying import examine
from monitor.freeze.witness import InUseError, Witness
from tests.freeze.gatehouse import FIRST, SECOND, GateHouse, gatehouse
from tests.hand_clock import NOON, HandClock

ACCOUNTS = [f"account {number}" for number in range(40)]
WEEK = timedelta(days=7)
EARLIER = (
    "INSERT INTO freeze_ledger SELECT 63, kind, account, until - 1, body, randomblob(32) FROM freeze_ledger "
    "WHERE until IS NOT NULL ORDER BY seq LIMIT 1"
)
LIFTED = "INSERT INTO freeze_ledger VALUES (63, 'freeze_lifted', NULL, NULL, x'00', randomblob(32))"
TRIGGERS = ("update", "delete", "insert", "until")


async def _filled(folder: Path) -> HandClock:
    """Forty accounts frozen, the first half of them twice."""
    clock = HandClock()
    async with gatehouse(folder, clock=clock) as house:
        for account in ACCOUNTS:
            await house.freeze(account)
        shutil.copytree(folder, folder / "older", ignore=shutil.ignore_patterns("older"))
        for account in ACCOUNTS[:20]:
            await house.freeze(account, WEEK)
    return clock


def _ends(house: GateHouse) -> list[timedelta]:
    ends = [house.until(account) for account in ACCOUNTS]
    return [end - NOON for end in ends if end is not None]


EXPECTED = [WEEK] * 20 + [timedelta(hours=48)] * 20


def _run(folder: Path, *statements: str, forced: bool = False) -> None:
    with sqlite3.connect(folder / "freeze.db") as connection:
        if forced:
            for name in TRIGGERS:
                connection.execute(f"DROP TRIGGER freeze_ledger_{name}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE freeze_ledger SET until = 0 WHERE until IS NOT NULL",
        "UPDATE freeze_ledger SET body = x'00'",
        "DELETE FROM freeze_ledger",
        "DELETE FROM freeze_ledger WHERE seq = (SELECT max(seq) FROM freeze_ledger)",
        "INSERT OR REPLACE INTO freeze_ledger SELECT seq, kind, account, until, body, digest FROM freeze_ledger",
        EARLIER,
        LIFTED,
        "INSERT INTO freeze_ledger VALUES (5000, 'reported', NULL, NULL, x'00', randomblob(32))",
    ],
)
async def test_the_database_refuses_what_would_shorten(statement: str, tmp_path: Path) -> None:
    clock = await _filled(tmp_path)
    with pytest.raises((sqlite3.IntegrityError, sqlite3.OperationalError)):
        _run(tmp_path, statement)
    async with gatehouse(tmp_path, clock=clock) as house:
        assert (house.found.wrong, _ends(house)) == ("", EXPECTED)


def _flip(path: Path, place: float) -> None:
    body = bytearray(path.read_bytes())
    start = int(len(body) * place)
    body[start : start + 64] = bytes(each ^ 0xFF for each in body[start : start + 64])
    path.write_bytes(body)


def _older(folder: Path) -> None:
    for name in ("freeze.db", "freeze.db-wal", "freeze.db-shm"):
        (folder / name).unlink(missing_ok=True)
    shutil.copy(folder / "older/freeze.db", folder / "freeze.db")
    if (folder / "older/freeze.db-wal").exists():
        shutil.copy(folder / "older/freeze.db-wal", folder / "freeze.db-wal")


DAMAGE: dict[str, Callable[[Path], object]] = {
    "ends made earlier past the triggers": lambda f: _run(
        f, "UPDATE freeze_ledger SET until = 1 WHERE until IS NOT NULL", forced=True
    ),
    "the newest entries removed past the triggers": lambda f: _run(
        f, "DELETE FROM freeze_ledger WHERE seq > 30", forced=True
    ),
    "one entry removed past the triggers": lambda f: _run(f, "DELETE FROM freeze_ledger WHERE seq = 30", forced=True),
    "all entries removed past the triggers": lambda f: _run(f, "DELETE FROM freeze_ledger", forced=True),
    "an entry put in place of another": lambda f: _run(
        f,
        "UPDATE freeze_ledger SET body = (SELECT body FROM freeze_ledger WHERE seq = 10) WHERE seq = 20",
        forced=True,
    ),
    "the table dropped": lambda f: _run(f, "DROP TABLE freeze_ledger"),
    "an older copy put back": _older,
    "the database removed": lambda f: (f / "freeze.db").unlink(),
    "the database emptied": lambda f: (f / "freeze.db").write_bytes(b""),
    "the database cut in half": lambda f: (f / "freeze.db").write_bytes((f / "freeze.db").read_bytes()[:9000]),
    "the database is something else": lambda f: (f / "freeze.db").write_bytes(b"hello" * 1000),
    "bytes flipped at the start of the database": lambda f: _flip(f / "freeze.db", 0.0),
    "bytes flipped in the middle of the database": lambda f: _flip(f / "freeze.db", 0.5),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
async def test_what_was_done_to_the_database_is_said_and_everybody_stays_frozen(
    damage: Callable[[Path], object], tmp_path: Path
) -> None:
    clock = await _filled(tmp_path)
    damage(tmp_path)
    async with gatehouse(tmp_path, clock=clock) as house:
        assert house.found.wrong
        assert _ends(house) == EXPECTED
        assert house.ledger.recovered_at is not None
        await house.freeze("somebody new")
        await house.ledger.verify()
    async with gatehouse(tmp_path, clock=clock) as again:
        assert (again.found.wrong, _ends(again)) == ("", EXPECTED)
        assert again.until("somebody new") is not None
        assert again.ledger.recovered_at is not None, "a later start still tells of it"


WITNESS: dict[str, tuple[Callable[[Path], object], bool]] = {
    "removed": (lambda f: (f / "freeze.witness").unlink(), False),
    "its last frame cut": (
        lambda f: (f / "freeze.witness").write_bytes((f / "freeze.witness").read_bytes()[:-7]),
        False,
    ),
    "bytes flipped in the middle": (lambda f: _flip(f / "freeze.witness", 0.5), True),
    "something else": (lambda f: (f / "freeze.witness").write_bytes(b"hello" * 100), False),
}


@pytest.mark.parametrize(("damage", "is_wrong"), WITNESS.values(), ids=WITNESS.keys())
async def test_a_witness_that_is_lost_is_made_again(
    damage: Callable[[Path], object], is_wrong: bool, tmp_path: Path
) -> None:
    clock = await _filled(tmp_path)
    damage(tmp_path)
    async with gatehouse(tmp_path, clock=clock) as house:
        assert (bool(house.found.wrong), bool(house.found.note)) == (is_wrong, not is_wrong)
        assert _ends(house) == EXPECTED
    (tmp_path / "freeze.db").unlink()
    async with gatehouse(tmp_path, clock=clock) as again:
        assert _ends(again) == EXPECTED, "the witness has all of it again"


async def test_both_copies_damaged_keep_what_either_tells(tmp_path: Path) -> None:
    clock = await _filled(tmp_path)
    _run(tmp_path, "DELETE FROM freeze_ledger WHERE seq < 20", forced=True)
    _flip(tmp_path / "freeze.witness", 0.6)
    async with gatehouse(tmp_path, clock=clock) as house:
        assert house.found.wrong
        assert _ends(house) == EXPECTED


async def test_with_neither_copy_nothing_is_begun_afresh(tmp_path: Path) -> None:
    await _filled(tmp_path)
    for name in ("freeze.db", "freeze.witness"):
        (tmp_path / name).unlink()
    database, witness = Database(f"sqlite+aiosqlite:///{tmp_path / 'freeze.db'}"), Witness(tmp_path / "freeze.witness")
    from monitor.freeze.ledger import Ledger, NoLedgerError

    ledger = Ledger(database, witness)
    with pytest.raises(NoLedgerError):
        await ledger.load(NOON)
    await ledger.close()
    assert not (tmp_path / "freeze.db").exists()


async def test_a_ledger_is_begun_once(tmp_path: Path) -> None:
    async with gatehouse(tmp_path) as house:
        with pytest.raises(LedgerError, match="already"):
            await house.ledger.begin(NOON)


async def test_one_process_at_a_time(tmp_path: Path) -> None:
    async with gatehouse(tmp_path):
        with pytest.raises(InUseError):
            Witness(tmp_path / "freeze.witness")


@pytest.mark.parametrize(
    "statement", ["DELETE FROM freeze_ledger WHERE seq > 3", "DELETE FROM freeze_ledger WHERE seq = 3"]
)
async def test_what_is_altered_while_it_runs_is_noticed(statement: str, tmp_path: Path) -> None:
    async with gatehouse(tmp_path) as house:
        for account in ACCOUNTS[:5]:
            await house.freeze(account)
        _run(tmp_path, statement, forced=True)
        with pytest.raises(DamagedError):
            await house.ledger.verify()


async def test_a_ledger_cut_while_it_runs_takes_nothing_more_and_the_next_start_mends_it(tmp_path: Path) -> None:
    with pytest.raises(DamagedError):
        await _cut_while_it_runs(tmp_path)
    async with gatehouse(tmp_path) as again:
        assert again.found.wrong
        assert all(again.until(account) for account in ACCOUNTS[:5])


async def _cut_while_it_runs(folder: Path) -> None:
    async with gatehouse(folder) as house:
        for account in ACCOUNTS[:5]:
            await house.freeze(account)
        _run(folder, "DELETE FROM freeze_ledger WHERE seq > 3", forced=True)
        with pytest.raises(NotWrittenError):
            await house.freeze("somebody new")
        assert house.until(ACCOUNTS[4]) is not None


async def test_verify_tells_an_outsider_what_was_altered(tmp_path: Path) -> None:
    await _filled(tmp_path)
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'freeze.db'}")
    found = await examine(database, tmp_path / "freeze.witness", seq=7)
    assert (found.wrong, found.freezes, found.accounts) == ((), 60, 40)
    assert len(found.asked) == 32
    await database.close()
    _run(tmp_path, "UPDATE freeze_ledger SET body = (SELECT body FROM freeze_ledger WHERE seq = 9) WHERE seq = 9",
         "DELETE FROM freeze_ledger WHERE seq = 50", forced=True)  # fmt: skip
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'freeze.db'}")
    found = await examine(database, tmp_path / "freeze.witness", seq=None)
    assert found.wrong == ("entry 51 does not follow the one before",)
    await database.close()


async def test_an_account_frozen_under_an_old_key_is_found_and_made_longer(tmp_path: Path) -> None:
    clock = HandClock()
    async with gatehouse(tmp_path, clock=clock) as house:
        await house.freeze("anna")
    async with gatehouse(tmp_path, keys=[SECOND, FIRST], clock=clock) as rotated:
        assert rotated.until("anna") == NOON + timedelta(hours=48)
        await rotated.freeze("anna", WEEK)
        for each in rotated.keyring.accounts("anna"):
            assert rotated.lock.frozen_until([each.account]) == NOON + WEEK, "under either key alone"
    async with gatehouse(tmp_path, keys=[SECOND], clock=clock) as lost:
        assert lost.lock.missing_keys() == ["first"]
        lost.passes(timedelta(days=14))
        assert lost.lock.missing_keys() == ["first"], "it might have been frozen by a clock that was ahead"
        lost.passes(timedelta(days=2))
        assert lost.lock.missing_keys() == []


async def test_another_key_under_the_same_name_is_refused(tmp_path: Path) -> None:
    from monitor.freeze.keyring import Key

    async with gatehouse(tmp_path):
        pass
    with pytest.raises(ValueError, match="not the one"):
        async with gatehouse(tmp_path, keys=[Key("first", b"x" * 32)]):
            pass
