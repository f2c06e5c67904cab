"""Flows between blocks: every coin once, what a reorg takes away taken back, what was not read never told as zero."""

from decimal import Decimal

import pytest

from monitor.chains.ledger import Token
from monitor.model import FailureReason, Flow, Reading, RemoteError, Reorg
from monitor.probes.flows import FlowsProbe
from monitor.reserves.roles import Wallets
from tests.hand_clock import HandClock
from tests.scripted_ledger import COIN, Pay, ScriptedLedger
from tests.wallets import known

HOT, COLD, OTHER, STRANGER, BINANCE = "0xa", "0xb", "0xc", "0xe", "0xf"
USDT = Token(asset="USDT", contract="0x1", decimals=6)
ETHER = 10**18


def pay(sender: str, to: str, ether: int, *, fee: int = 0, token: Token = COIN) -> Pay:
    units = ether * 10**token.decimals
    return Pay(sender=sender, to=((to, units),), fee=fee, token=token)


def probe(
    ledger: ScriptedLedger,
    *tokens: Token,
    wallets: Wallets | None = None,
    depth: int = 0,
    last: Flow | None = None,
) -> FlowsProbe:
    return FlowsProbe(
        ledger,
        HandClock(),
        exchange="kraken",
        name="kraken-ethereum-flows",
        interval=60.0,
        wallets=wallets or known([HOT, COLD, OTHER], hot=[HOT], cold=[COLD]),
        tokens=tokens or (COIN,),
        labelled=[BINANCE],
        depth=depth,
        reach=100,
        last=last,
    )


def flow(reading: Reading) -> Flow:
    match reading:
        case (Flow() as found,) | (Reorg(), Flow() as found):
            return found
    pytest.fail(f"expected a flow, got {reading}")


async def test_the_first_look_only_begins() -> None:
    ledger = ScriptedLedger()
    ledger.mine(pay(HOT, STRANGER, 5))
    looking = probe(ledger)
    assert await looking.observe() == ()
    assert await looking.observe() == ()


async def test_counts_what_came_left_and_moved_inside() -> None:
    ledger = ScriptedLedger()
    looking = probe(ledger)
    await looking.observe()
    ledger.mine(pay(HOT, STRANGER, 5, fee=ETHER // 100), pay(STRANGER, HOT, 2))
    ledger.mine(pay(COLD, HOT, 100), pay(HOT, BINANCE, 3), pay(COLD, STRANGER, 40))
    told = flow(await looking.observe())
    assert (told.asset, told.network, told.window_seconds) == ("ETH", "ethereum", 24.0)
    assert (told.from_height, told.to_height, told.block_hash) == (1, 2, ledger.tip.hash)
    assert (told.inflow, told.inflow_count) == (Decimal(2), 1)
    assert (told.outflow, told.outflow_count) == (Decimal("48.01"), 3)
    assert (told.outflow_max, told.outflow_sum_of_squares) == (Decimal(40), Decimal(25 + 9 + 1600))
    assert told.internal == Decimal(100)
    assert told.cold_outflow == Decimal(40)
    assert told.unlabelled_outflow == Decimal(45)


async def test_every_asset_is_told_of_the_same_window() -> None:
    ledger = ScriptedLedger()
    looking = probe(ledger, COIN, USDT)
    await looking.observe()
    ledger.mine(pay(HOT, STRANGER, 7, token=USDT))
    reading = await looking.observe()
    assert [(told.asset, told.outflow) for told in reading if type(told) is Flow] == [
        ("ETH", Decimal(0)),
        ("USDT", Decimal(7)),
    ]


async def test_flows_are_read_below_the_head() -> None:
    ledger = ScriptedLedger()
    looking = probe(ledger, depth=2)
    await looking.observe()
    ledger.mine(pay(HOT, STRANGER, 5))
    ledger.mine()
    assert await looking.observe() == ()
    ledger.mine()
    assert flow(await looking.observe()).outflow == Decimal(5)


async def test_a_quiet_window_goes_on_until_something_moves() -> None:
    ledger = ScriptedLedger()
    looking = probe(ledger)
    await looking.observe()
    for _ in range(3):
        ledger.mine()
        assert await looking.observe() == ()
    ledger.mine(pay(HOT, STRANGER, 5))
    told = flow(await looking.observe())
    assert (told.from_height, told.to_height, told.window_seconds, told.outflow) == (1, 4, 48.0, Decimal(5))


async def test_ten_quiet_minutes_are_told_as_such() -> None:
    ledger = ScriptedLedger()
    looking = probe(ledger)
    await looking.observe()
    ledger.mine_empty(50)
    told = flow(await looking.observe())
    assert (told.inflow, told.outflow, told.window_seconds) == (Decimal(0), Decimal(0), 600.0)


async def test_an_outage_loses_nothing() -> None:
    ledger = ScriptedLedger()
    looking = probe(ledger)
    await looking.observe()
    ledger.mine(pay(HOT, STRANGER, 5))
    ledger.refuse = lambda what: RemoteError(FailureReason.TIMEOUT, "late") if what == "movements" else None
    with pytest.raises(RemoteError):
        await looking.observe()
    ledger.mine(pay(HOT, STRANGER, 1))
    ledger.refuse = lambda _: None
    assert flow(await looking.observe()).outflow == Decimal(6)


async def test_wallets_that_were_not_read_leave_a_gap_between_the_heights() -> None:
    ledger = ScriptedLedger()
    looking = probe(ledger)
    await looking.observe()
    ledger.mine(pay(HOT, STRANGER, 5))
    ledger.coverage = 0.5
    with pytest.raises(RemoteError, match="movements of 50% of the wallets were read"):
        await looking.observe()
    ledger.coverage = 1.0
    ledger.mine(pay(HOT, STRANGER, 1))
    told = flow(await looking.observe())
    assert (told.from_height, told.outflow) == (2, Decimal(1))


@pytest.mark.parametrize("depth", range(1, 7))
async def test_e4_a_reorg_takes_back_what_it_took_away(depth: int) -> None:
    ledger = ScriptedLedger()
    looking = probe(ledger)
    await looking.observe()
    told: list[Flow] = []
    for ether in range(1, 7):
        ledger.mine(pay(HOT, STRANGER, ether))
        told.append(flow(await looking.observe()))
    gone = ledger.tip

    ledger.fork(depth, pay(HOT, STRANGER, 100))
    reading = await looking.observe()

    reorg = reading[0]
    assert type(reorg) is Reorg
    assert reorg.from_height == gone.number - depth + 1
    assert reorg.new_hash == ledger.blocks[reorg.from_height].head.hash
    kept = [each for each in told if (each.to_height or 0) < reorg.from_height]
    total = sum(each.outflow for each in (*kept, flow(reading)))
    assert total == Decimal(-ledger.balance(HOT)).scaleb(-18)


async def test_a_reorg_of_quiet_blocks_needs_no_word() -> None:
    ledger = ScriptedLedger()
    looking = probe(ledger)
    await looking.observe()
    ledger.mine_empty(3)
    assert await looking.observe() == ()
    ledger.fork(2, pay(HOT, STRANGER, 5))
    told = flow(await looking.observe())
    assert (told.from_height, told.outflow) == (1, Decimal(5))


async def test_a_restart_goes_on_where_the_last_window_ended() -> None:
    ledger = ScriptedLedger()
    looking = probe(ledger)
    await looking.observe()
    ledger.mine(pay(HOT, STRANGER, 5))
    last = flow(await looking.observe())
    ledger.mine(pay(HOT, STRANGER, 1))
    looking = probe(ledger, last=last)
    assert await looking.observe() == ()
    told = flow(await looking.observe())
    assert (told.from_height, told.outflow) == (2, Decimal(1))


async def test_a_restart_after_a_reorg_takes_back_what_was_told_before() -> None:
    ledger = ScriptedLedger()
    ledger.mine_empty(3)
    looking = probe(ledger)
    await looking.observe()
    ledger.mine(pay(HOT, STRANGER, 5))
    last = flow(await looking.observe())
    ledger.fork(1, pay(HOT, STRANGER, 7))
    looking = probe(ledger, last=last)
    await looking.observe()
    reading = await looking.observe()
    reorg = reading[0]
    assert type(reorg) is Reorg
    assert (reorg.from_height, reorg.old_hash) == (4, last.block_hash)


async def test_a_restart_after_too_long_begins_now() -> None:
    ledger = ScriptedLedger()
    looking = probe(ledger)
    await looking.observe()
    ledger.mine(pay(HOT, STRANGER, 5))
    last = flow(await looking.observe())
    ledger.mine_empty(150)
    looking = probe(ledger, last=last)
    await looking.observe()
    ledger.mine(pay(HOT, STRANGER, 1))
    told = flow(await looking.observe())
    assert (told.from_height, told.outflow) == (152, Decimal(1))
