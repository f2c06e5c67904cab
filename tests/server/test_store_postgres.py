"""The store on PostgreSQL: a server of the test's own, or the one that is given with
`CEXWATCH_TEST_POSTGRES=postgresql+asyncpg://user@host:port/postgres`."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from monitor.model import Change, DeliveryOutcome, DraftState, Entry, Queued, Stage, Verb
from monitor.store import Checkpoint, Step, Store, StoreError
from tests.notifications import notification
from tests.postgres_server import postgres_server
from tests.server.store_samples import (
    at,
    command,
    delivery,
    draft,
    examples,
    granted,
    incident,
    read,
    reading,
    transition,
    view,
)

SERVER = os.environ.get("CEXWATCH_TEST_POSTGRES", "")

APPROVED = draft("d", DraftState.APPROVED)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    if SERVER:
        yield SERVER
        return
    with postgres_server() as address:
        yield address


async def on_server(server: str, statement: str) -> None:
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


@pytest.fixture
async def database(server: str) -> AsyncIterator[URL]:
    name = f"cexwatch_{uuid.uuid4().hex}"
    await on_server(server, f"CREATE DATABASE {name}")
    yield make_url(server).set(database=name)
    await on_server(server, f"DROP DATABASE {name}")


@pytest.fixture
def address(database: URL) -> str:
    return database.render_as_string(hide_password=False)


async def test_every_kind_comes_back_as_it_was(address: str) -> None:
    entries = [Entry(seq, observation) for seq, observation in enumerate(examples(), start=1)]
    store = await Store.open(address)
    await store.append_history(entries)
    await store.close()
    store = await Store.open(address)
    assert await read(store) == entries
    assert await store.last_reading("kraken-trades") is not None
    with pytest.raises(StoreError, match="does not follow"):
        await store.append_history([reading(1)])
    await store.close()


async def test_a_draft_goes_its_way(address: str) -> None:
    store = await Store.open(address)
    opening = (transition("a", Change.OPENED), incident("a", Stage.INVESTIGATING), APPROVED)
    await store.commit([Step(reading(1), opening), granted(command(2, Verb.HOLD))], views=[view("kraken")])
    assert await store.claim("d", now=at(3)) is None
    await store.commit([granted(command(4, Verb.RELEASE))], views=[view("kraken", seconds=4)])
    claims = await asyncio.gather(*[store.claim("d", now=at(5)) for _ in range(5)])
    assert [claimed for claimed in claims if claimed is not None] == [APPROVED]
    await store.commit([Step(delivery(6, "d", DeliveryOutcome.POSTED), ())])
    assert await store.due() == []
    assert await store.unfinished() == []
    assert await store.incidents(open_only=True) == [opening[1]]
    assert await store.transitions("a") == [opening[0]]
    assert await store.views() == [view("kraken", seconds=4)]
    assert await store.verify_audit() is None
    await store.close()


async def test_old_readings_go(address: str) -> None:
    store = await Store.open(address)
    await store.commit([granted(command(1, Verb.NOTE))])
    for seq in range(2, 8):
        checkpoint = Checkpoint(seq, at(seq), {"": b"world", "kraken": b"%d" % seq})
        await store.commit([Step(reading(seq), ())], checkpoint=checkpoint)
    assert await store.prune(before=at(1000)) == 4
    assert [entry.seq for entry in await read(store)] == [1, 6, 7]
    assert await store.checkpoint() == checkpoint
    await store.close()


async def test_one_writes_and_others_look(address: str) -> None:
    store = await Store.open(address)
    with pytest.raises(StoreError, match="another cexwatch runs on this database"):
        await Store.open(address)
    await store.append_history([reading(1)])
    look = await Store.open(address, exclusive=False)
    assert await read(look) == [reading(1)]
    with pytest.raises(StoreError, match="read-only"):
        await look.append_history([reading(2)])
    await look.close()
    await store.close()


async def test_notices_wait_are_told_and_are_passed_on(address: str) -> None:
    store = await Store.open(address)
    found = [notification(2), notification(1), notification(2, n=1)]
    for _ in range(2):
        await store.notifications.queue([("oncall", Queued(notification=each)) for each in found], cursor=2)
    assert await store.notifications.cursor() == 2
    assert [each.notification.key for each in await store.notifications.unsent("oncall")] == ["1-0", "2-0", "2-1"]
    assert await store.notifications.copy("oncall", "desk") == 3
    await store.notifications.begin("oncall", found, message="1-0+2")
    await store.notifications.end("oncall", "1-0+2", now=at(3))
    await store.notifications.fold("desk", found[:1])
    assert len(await store.notifications.unsent("desk")) == 2
    assert await store.notifications.unsent("oncall") == []
    assert {told.message for told in await store.notifications.told("oncall", ["i-1"], since=at(9))} == {"1-0+2"}
    assert await store.notifications.prune(before=at(60)) == 4
    await store.close()
