"""A chain that stands still is a state of the chain (E14), and an endpoint that stands still is not."""

from datetime import timedelta

import pytest

from monitor.chains.ledger import Head
from monitor.model import ChainState, FailureReason, RemoteError
from monitor.probes.chain_state import ChainStateProbe
from tests.hand_clock import HandClock
from tests.scripted_ledger import ScriptedLedger


def probe(ledger: ScriptedLedger, clock: HandClock) -> ChainStateProbe:
    return ChainStateProbe(ledger, clock, name="ethereum-chain", interval=60.0, stalls_after=300.0)


async def state(looking: ChainStateProbe) -> tuple[str, str, int] | None:
    match await looking.observe():
        case (ChainState(exchange="", network=network, state=told, height=height),):
            return network, told, height
        case ():
            return None
        case reading:
            pytest.fail(str(reading))


async def test_e14_tells_that_a_chain_stalls_and_that_it_moves_again() -> None:
    ledger, clock = ScriptedLedger(), HandClock()
    looking = probe(ledger, clock)
    assert await state(looking) == ("ethereum", "moving", 0)
    clock.hand = 290
    assert await state(looking) is None
    clock.hand = 310
    assert await state(looking) == ("ethereum", "stalled", 0)
    clock.hand = 320
    assert await state(looking) is None
    ledger.mine_empty(30)
    assert await state(looking) == ("ethereum", "moving", 30)


async def test_tells_it_again_every_ten_minutes_and_after_a_failure() -> None:
    ledger, clock = ScriptedLedger(block_seconds=600.0), HandClock()
    looking = probe(ledger, clock)
    await looking.observe()
    ledger.mine()
    clock.hand = 600
    assert await state(looking) == ("ethereum", "moving", 1)
    ledger.refuse = lambda _: RemoteError(FailureReason.TIMEOUT, "late")
    with pytest.raises(RemoteError):
        await looking.observe()
    ledger.refuse = lambda _: None
    assert await state(looking) == ("ethereum", "moving", 1)


class OneOfTwo(ScriptedLedger):
    async def tips(self) -> list[Head]:
        return [self.tip]


async def test_an_old_block_of_the_one_endpoint_that_answers_proves_nothing() -> None:
    ledger, clock = OneOfTwo(), HandClock()
    looking = probe(ledger, clock)
    clock.hand = timedelta(minutes=6).total_seconds()
    with pytest.raises(RemoteError, match="one endpoint answers, and its block 0 is 360 s old"):
        await looking.observe()
