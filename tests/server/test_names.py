"""Names against a responder that answers, refuses or keeps silent: what is asked, what is kept, how long it takes."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from monitor.clock import Clock
from monitor.http.names import LAST_GOOD_SECONDS, LOOKUPS_OF_DEAD_NAMES, Names
from tests.hand_clock import HandClock
from tests.name_server import (
    NO_SUCH_NAME,
    SERVER_FAILURE,
    SILENCE,
    Code,
    NameServer,
    Reply,
    Silence,
    name_server,
)

OLD, NEW = "192.0.2.1", "192.0.2.2"
NAME = "api.exchange.test"


@pytest.fixture
async def server() -> AsyncIterator[NameServer]:
    async with name_server({NAME: Reply(addresses=[OLD])}) as server:
        yield server


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def names(server: NameServer, clock: HandClock) -> AsyncIterator[Names]:
    names = Names(clock, nameservers=[server.address])
    yield names
    await names.close()


async def addresses(names: Names, name: str = NAME) -> list[str]:
    return [found["host"] for found in await names.resolve(name, 443, socket.AF_UNSPEC)]


async def fails(names: Names, name: str = NAME) -> str:
    with pytest.raises(OSError, match=r".") as caught:
        await addresses(names, name)
    return str(caught.value.strerror)


async def test_an_answer_holds_addresses_of_both_families(names: Names, server: NameServer) -> None:
    server.replies[NAME] = Reply(addresses=[OLD, "2001:db8::1"])
    found = await names.resolve(NAME, 8443, socket.AF_UNSPEC)
    assert {(f["host"], f["family"], f["port"], f["hostname"]) for f in found} == {
        (OLD, socket.AF_INET, 8443, NAME),
        ("2001:db8::1", socket.AF_INET6, 8443, NAME),
    }
    assert [f["host"] for f in await names.resolve(NAME, 8443, socket.AF_INET6)] == ["2001:db8::1"]
    assert server.asked == [NAME]


@pytest.mark.parametrize(
    ("ttl", "kept", "gone"),
    [
        pytest.param(0, 4.9, 5.1, id="5 s at least"),
        pytest.param(20, 19.9, 20.1, id="as the answer says"),
        pytest.param(300, 59.9, 60.1, id="a minute at most"),
    ],
)
async def test_an_answer_is_used_for_a_while(
    names: Names, server: NameServer, clock: HandClock, ttl: int, kept: float, gone: float
) -> None:
    server.replies[NAME] = Reply(addresses=[OLD], ttl=ttl)
    await addresses(names)
    server.everything = NO_SUCH_NAME
    clock.hand = kept
    assert await addresses(names) == [OLD]
    assert server.asked == [NAME]
    clock.hand = gone
    names.forget(NAME)  # the resolver below has a cache of its own that follows real time
    assert await fails(names) == "domain name not found"


async def test_many_who_ask_for_a_name_ask_once(names: Names, server: NameServer) -> None:
    assert await asyncio.gather(*[addresses(names) for _ in range(50)]) == [[OLD]] * 50
    assert server.asked == [NAME]


async def test_who_gives_up_does_not_take_the_answer_from_others(names: Names) -> None:
    first = asyncio.ensure_future(addresses(names))
    others = [asyncio.ensure_future(addresses(names)) for _ in range(3)]
    await asyncio.sleep(0)
    first.cancel()
    assert await asyncio.gather(*others) == [[OLD]] * 3


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        pytest.param(NO_SUCH_NAME, "domain name not found", id="no such name"),
        pytest.param(Reply(), "dns server returned answer with no data", id="no address"),
        pytest.param(SERVER_FAILURE, "dns server returned general failure", id="server failure"),
        pytest.param(Reply(code=Code.REFUSED), "dns server refused query", id="refused"),
    ],
)
async def test_a_name_without_an_answer_fails_at_once(
    names: Names, server: NameServer, trouble: Reply, said: str
) -> None:
    server.everything = trouble
    async with asyncio.timeout(2):
        assert await fails(names) == said


async def test_a_silent_resolver_fails_within_three_seconds(names: Names, server: NameServer) -> None:
    server.everything = SILENCE
    async with asyncio.timeout(3):
        await fails(names)


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(SERVER_FAILURE, id="server failure"),
        pytest.param(Reply(code=Code.REFUSED), id="refused"),
        pytest.param(SILENCE, id="silence"),
    ],
)
async def test_the_last_good_answer_does_for_an_hour_without_a_resolver(
    names: Names, server: NameServer, clock: HandClock, trouble: Reply | Silence
) -> None:
    assert await addresses(names) == [OLD]
    server.everything = trouble
    names.forget(NAME)
    for clock.hand in (61.0, 1800.0, LAST_GOOD_SECONDS - 1):
        async with asyncio.timeout(1.5):
            assert await addresses(names) == [OLD]
    clock.hand = LAST_GOOD_SECONDS + 1
    await fails(names)


async def test_a_resolver_in_trouble_is_asked_again_after_half_a_minute(
    names: Names, server: NameServer, clock: HandClock
) -> None:
    await addresses(names)
    server.everything = SERVER_FAILURE
    names.forget(NAME)
    await addresses(names)
    tries = len(server.asked)
    for clock.hand in (5.0, 29.0):
        assert await addresses(names) == [OLD]
    assert len(server.asked) == tries
    server.everything = None
    server.replies[NAME] = Reply(addresses=[NEW])
    clock.hand = 31.0
    assert await addresses(names) == [NEW]


async def test_no_such_name_takes_the_last_good_answer_away(names: Names, server: NameServer, clock: HandClock) -> None:
    await addresses(names)
    server.everything = NO_SUCH_NAME
    names.forget(NAME)
    await fails(names)
    server.everything = SILENCE
    clock.hand = 1.0
    await fails(names)


async def test_a_forgotten_name_is_looked_up_again_before_its_time(names: Names, server: NameServer) -> None:
    await addresses(names)
    server.replies[NAME] = Reply(addresses=[NEW])
    assert await addresses(names) == [OLD]
    names.forget(NAME)
    assert await addresses(names) == [NEW]
    assert await addresses(names) == [NEW]
    assert server.asked == [NAME, NAME]


async def test_a_forgotten_answer_does_not_come_back(names: Names, server: NameServer, clock: HandClock) -> None:
    await addresses(names)
    names.forget(NAME)
    server.replies[NAME] = Reply(addresses=[NEW])
    await addresses(names)
    clock.hand = 61.0
    assert await addresses(names) == [NEW]


async def test_forgetting_what_was_never_known_changes_nothing(names: Names) -> None:
    names.forget("other.test")
    assert await addresses(names) == [OLD]


async def test_dead_names_hold_up_no_other(names: Names, server: NameServer) -> None:
    dead = [f"dead-{n}.test" for n in range(40)]
    for name in dead:
        server.replies[name] = SILENCE
    real = Clock()
    for again in range(2):  # known to be dead, they share a few seats
        waiting = [asyncio.ensure_future(fails(names, name)) for name in dead]
        await asyncio.sleep(0)
        began = real.monotonic()
        fresh = f"healthy-{again}.test"
        server.replies[fresh] = Reply(addresses=[NEW])
        assert await addresses(names, fresh) == [NEW]
        assert real.monotonic() - began < 1
        assert sum(not lookup.done() for lookup in waiting) > LOOKUPS_OF_DEAD_NAMES
        async with asyncio.timeout(4):
            await asyncio.gather(*waiting)


async def test_the_hosts_file_is_read_too(names: Names, server: NameServer) -> None:
    assert "127.0.0.1" in await addresses(names, "localhost")
    assert server.asked == []


async def test_closing_ends_what_is_looked_up(server: NameServer) -> None:
    names = Names(HandClock(), nameservers=[server.address])
    server.everything = SILENCE
    waiting = asyncio.ensure_future(addresses(names))
    await asyncio.sleep(0)
    async with asyncio.timeout(1):
        await names.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
