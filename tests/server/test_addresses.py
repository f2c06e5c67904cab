"""Where connections may go: a private address only where a call has leave, however it is written or resolved."""

from collections.abc import AsyncIterator
from ipaddress import ip_address

import pytest

from monitor.clock import Clock
from monitor.http import Http
from monitor.http.sockets import is_public
from monitor.model import FailureReason
from tests.fault_server import FaultServer, failure, http, says


@pytest.fixture
async def client() -> AsyncIterator[Http]:
    async with Http(Clock(), per_second={"127.0.0.1": 1000.0}) as client:
        yield client


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.2", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]", "[::1]", "[::]", "[64:ff9b::7f00:1]"],  # noqa: S104
)
async def test_a_private_address_is_refused_where_it_would_connect(client: Http, host: str) -> None:
    async with FaultServer({"/": says(http())}) as server:
        error = await failure(client, server.url("/", host=host), allow_private=False)
    assert (error.reason, error.permanent) == (FailureReason.CONNECTION, True)
    assert "private address" in error.detail
    assert server.connections == 0


@pytest.mark.parametrize("host", ["2130706433", "127.1", "017700000001", "127.0.0.01"])
@pytest.mark.parametrize("allow_private", [True, False])
async def test_an_address_in_disguise_reaches_nothing(client: Http, host: str, allow_private: bool) -> None:
    async with FaultServer({"/": says(http())}) as server:
        error = await failure(client, server.url("/", host=host), allow_private=allow_private)
    assert error.reason in (FailureReason.CONNECTION, FailureReason.DNS)
    assert server.connections == 0


async def test_leave_to_reach_a_private_address_is_not_inherited(client: Http) -> None:
    async with FaultServer({"/": says(http())}) as server:
        await client.get(server.url("/"), allow_private=True)
        await failure(client, server.url("/"), allow_private=False)
        await client.get(server.url("/"), allow_private=True)
    assert [request.connection for request in server.requests] == [1, 1]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::808:808", True),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("::ffff:169.254.169.254", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:a9fe:a9fe::", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("fe80::1", False),
        ("fe80::1%1", False),
        ("fd00::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("::7f00:1", False),
        ("2001:db8::1", False),
    ],
)
def test_public_is_what_everybodys_internet_leads_to(address: str, public: bool) -> None:
    assert is_public(ip_address(address)) is public
