"""Hosts that told us to stop, as the database keeps them."""

from pathlib import Path

import pytest

from monitor.model import Closure, FailureReason
from monitor.store import Store, StoreError
from tests.server.store_samples import at, opened, url


def closure(seconds: float, *, host: str = "api.example", port: int = 443, refusals: int = 1) -> Closure:
    return Closure(host=host, port=port, reason=FailureReason.BLOCKED, until=at(seconds), refusals=refusals)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cexwatch.db"


async def test_a_new_database_knows_of_no_closed_host(path: Path) -> None:
    async with opened(path) as store:
        assert await store.closures() == []


async def test_the_newest_closure_of_each_host_and_port_comes_back_as_it_was(path: Path) -> None:
    async with opened(path) as store:
        await store.keep_closure(closure(30))
        await store.keep_closure(closure(3 * 86_400.000001, refusals=7))
        await store.keep_closure(closure(60, port=8443))
        await store.keep_closure(closure(90, host="api.another"))
    async with opened(path) as store:
        assert await store.closures() == [
            closure(90, host="api.another"),
            closure(3 * 86_400.000001, refusals=7),
            closure(60, port=8443),
        ]


async def test_closures_are_seen_beside_a_running_daemon_and_not_changed(path: Path) -> None:
    async with opened(path) as store:
        await store.keep_closure(closure(30))
        look = await Store.open(url(path), exclusive=False)
        assert await look.closures() == [closure(30)]
        with pytest.raises(StoreError, match="readonly"):
            await look.keep_closure(closure(60))
        await look.close()
