"""Which endpoint of a chain is believed, and which is not whatever it says."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from monitor.chains.admission import Admission
from monitor.chains.ledger import Head
from monitor.model import FailureReason, RemoteError
from tests.hand_clock import HandClock

STALE_SECONDS = 90.0


class Endpoint:
    """Its newest block is `ahead` seconds in the future, or behind where that is negative."""

    def __init__(self, host: str, *, number: int = 100, ahead: float = 0.0) -> None:
        self.host = host
        self.number = number
        self.ahead = ahead


def admission(endpoints: Sequence[Endpoint]) -> Admission[Endpoint]:
    clock = HandClock()

    async def newest(endpoint: Endpoint) -> Head:
        at = clock.now() + timedelta(seconds=endpoint.ahead)
        return Head(number=endpoint.number, hash=f"{endpoint.host}{endpoint.number}", timestamp=at)

    return Admission(endpoints, clock, network="ethereum", newest=newest, stale_seconds=STALE_SECONDS)


@pytest.mark.parametrize("ahead", [-80.0, 0.0, 80.0])
async def test_clocks_may_differ_by_a_little(ahead: float) -> None:
    assert (await admission([Endpoint("a", ahead=ahead)]).head()).number == 100


@pytest.mark.parametrize(
    ("ahead", "reason"), [pytest.param(-100.0, FailureReason.LAG), pytest.param(100.0, FailureReason.SCHEMA)]
)
async def test_a_block_of_another_time_is_not_the_newest_one(ahead: float, reason: FailureReason) -> None:
    """Of the future it would be time in which nobody was paid."""
    believed = admission([Endpoint("liar", number=107, ahead=ahead), Endpoint("honest")])
    assert (await believed.head()).number == 100
    with pytest.raises(RemoteError) as raised:
        await admission([Endpoint("liar", ahead=ahead)]).head()
    assert raised.value.reason is reason


async def test_what_is_in_the_future_is_no_tip_and_no_second_opinion() -> None:
    honest, liar = Endpoint("honest"), Endpoint("liar", ahead=100.0)
    believed = admission([honest, liar])
    assert [tip.hash for tip in await believed.tips()] == ["honest100"]

    async def look(_: Endpoint, head: Head) -> Head:
        return head

    with pytest.raises(RemoteError, match="liar"):
        await believed.use_another(look, apart_from="honest")
