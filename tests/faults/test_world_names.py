"""Faults C1 to C5 of our list: resolvers that are silent, refuse or lie, and names that move."""

import asyncio

import pytest

import tests.journals as j
from monitor.clock import Clock
from monitor.http import Http
from monitor.model import Control, FailureReason, RailState, RemoteError
from monitor.probes.control import ControlProbe
from tests.fault_server import FaultServer, failure, http, says, says_and_closes
from tests.name_server import NO_SUCH_NAME, SERVER_FAILURE, SILENCE, Reply, name_server

JSON = b'{"coins":[1,2,3]}'
NAME = "api.exchange.test"


async def test_c1_dead_names_leave_the_others_their_pace() -> None:
    dead = {f"dead-{n}.test": SILENCE for n in range(16)}
    async with (
        FaultServer({"/": says(http(JSON))}) as server,
        name_server({NAME: Reply(addresses=["127.0.0.1"]), **dead}) as replies,
        Http(Clock(), nameservers=[replies.address], per_second={NAME: 1000.0}) as client,
        asyncio.TaskGroup() as group,
    ):
        waiting = [group.create_task(failure(client, f"http://{name}/")) for name in dead]
        await asyncio.sleep(0)
        clock = Clock()
        for _ in range(20):
            assert (await client.get(server.url("/", host=NAME), allow_private=True)).body == JSON
        assert clock.monotonic() < 2
        assert not any(task.done() for task in waiting)
    assert {task.result().reason for task in waiting} == {FailureReason.DNS}


async def test_c2_no_resolver_at_all_is_our_own_outage_and_known_hosts_are_still_asked() -> None:
    async with (
        FaultServer({"/": says(http(JSON))}) as server,
        name_server({NAME: Reply(addresses=["127.0.0.1"])}) as replies,
        Http(Clock(), nameservers=[replies.address]) as client,
    ):
        await client.get(server.url("/", host=NAME), allow_private=True)
        replies.everything = SERVER_FAILURE
        targets = [f"http://{name}.test/" for name in ("one", "two", "three")]
        control = ControlProbe(client, Clock(), targets=targets, allow_private=True)
        (observed,) = await control.observe()
        assert observed == Control(at=observed.at, probe="control", ok=False, targets=3, targets_ok=0)
        assert (await failure(client, targets[0])).reason is FailureReason.DNS
        assert (await client.get(server.url("/", host=NAME), allow_private=True)).body == JSON
    blind = [j.control(minute, ok=False) for minute in (1, 2, 3, 4, 5)]
    opened = [told for told in j.told([*j.rail(0, RailState.OPEN), *blind]) if told.startswith("opened")]
    assert opened == ["opened blind"]


async def test_c3_an_address_that_changed_is_found_after_one_failure() -> None:
    async with (
        FaultServer({"/": says_and_closes(http(JSON, headers={"Connection": "close"}))}) as server,
        name_server({NAME: Reply(addresses=["127.0.0.2"])}) as replies,
        Http(Clock(), nameservers=[replies.address]) as client,
    ):
        url = server.url("/", host=NAME)  # the server is not at the old address
        with pytest.raises(RemoteError):
            await client.get(url, allow_private=True)
        replies.replies[NAME] = Reply(addresses=["127.0.0.1"])
        assert (await client.get(url, allow_private=True)).body == JSON


@pytest.mark.parametrize(
    "addresses",
    [
        pytest.param(["127.0.0.1"], id="loopback"),
        pytest.param(["169.254.169.254"], id="metadata service"),
        pytest.param(["10.0.0.1", "192.168.0.1"], id="several"),
        pytest.param(["::1", "127.0.0.1"], id="both families"),
        pytest.param(["::ffff:127.0.0.1"], id="IPv4 in IPv6"),
    ],
)
async def test_c4_a_name_that_turns_private_is_not_connected_to(addresses: list[str]) -> None:
    async with (
        FaultServer({"/": says(http(JSON))}) as server,
        name_server({NAME: Reply(addresses=addresses)}) as replies,
        Http(Clock(), nameservers=[replies.address]) as client,
    ):
        error = await failure(client, server.url("/", host=NAME), allow_private=False)
        assert (error.reason, error.permanent) == (FailureReason.CONNECTION, True)
        assert "private" in error.detail
    assert server.connections == 0


async def test_c5_a_name_that_does_not_exist_is_a_dns_failure() -> None:
    async with name_server({NAME: NO_SUCH_NAME}) as replies, Http(Clock(), nameservers=[replies.address]) as client:
        error = await failure(client, f"http://{NAME}/")
    assert (error.reason, error.detail) == (FailureReason.DNS, f"{NAME}: domain name not found")
