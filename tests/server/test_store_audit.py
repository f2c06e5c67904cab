"""The audit chain: whatever is done to a command or a draft behind the store's back shows, and where."""

import sqlite3
from pathlib import Path

import pytest

from monitor.model import DraftState, Reply, Verb
from monitor.store import Step
from tests.server.store_samples import command, draft, granted, opened, reading

TEXT = "Edited by a person."


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    path = tmp_path / "cexwatch.db"
    async with opened(path) as store:
        await store.commit([Step(reading(1), ()), Step(reading(2), (draft("d", DraftState.PENDING),))])
        await store.commit(
            [
                granted(command(3, Verb.EDIT, subject="d"), draft("d", DraftState.PENDING, text=TEXT)),
                Step(reading(4), ()),
                granted(command(5, Verb.APPROVE, subject="d"), draft("d", DraftState.APPROVED, text=TEXT)),
            ]
        )
        await store.commit([Step(command(6, Verb.NOTE, subject="d"), (Reply(ok=False, message="no"),))])
    return path


async def test_an_untouched_chain_holds_and_goes_on(path: Path) -> None:
    async with opened(path) as store:
        assert await store.verify_audit() is None
        await store.commit([granted(command(7, Verb.HOLD))])
        assert await store.verify_audit() is None


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        pytest.param(
            "DELETE FROM outputs WHERE seq = 2; DELETE FROM audit WHERE seq = 2;"
            "UPDATE audit SET previous = zeroblob(32) WHERE seq = 3",
            3,
            id="the first link removed with what it covers",
        ),
        pytest.param("UPDATE journal SET at = at + 1 WHERE seq = 3", 3, id="a command's time"),
        pytest.param("UPDATE journal SET body = x'95' WHERE seq = 5", 5, id="a command's words"),
        pytest.param("UPDATE series SET vantage = 'x' WHERE kind = 'command'", 3, id="where commands came from"),
        pytest.param("DELETE FROM journal WHERE seq = 6", 6, id="a command removed"),
        pytest.param("UPDATE outputs SET body = x'80' WHERE seq = 2", 2, id="a draft's words"),
        pytest.param("DELETE FROM outputs WHERE seq = 5", 5, id="a draft's change removed"),
        pytest.param(
            "INSERT INTO outputs SELECT 4, 0, exchange, kind, incident, body FROM outputs WHERE seq = 2",
            4,
            id="a draft's change added",
        ),
        pytest.param("DELETE FROM audit WHERE seq = 3", 3, id="a link removed"),
        pytest.param("DELETE FROM audit WHERE seq = 6", 6, id="the last link removed"),
        pytest.param("UPDATE audit SET hash = previous WHERE seq = 5", 5, id="a link's hash"),
        pytest.param("UPDATE audit SET previous = hash WHERE seq = 5", 5, id="a link's predecessor"),
        pytest.param("INSERT INTO audit SELECT 4, hash, previous FROM audit WHERE seq = 5", 4, id="a link added"),
    ],
)
async def test_a_change_is_found_where_it_was_made(path: Path, statement: str, broken: int) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(statement)
    connection.close()
    async with opened(path) as store:
        assert await store.verify_audit() == broken


async def test_a_change_of_a_reading_is_none_of_the_chain(path: Path) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("DELETE FROM journal WHERE seq IN (1, 4)")
    connection.close()
    async with opened(path) as store:
        assert await store.verify_audit() is None
