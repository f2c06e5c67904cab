"""Outgoing transactions on chains without nonces."""

from datetime import timedelta
from decimal import Decimal

from monitor.chains.ledger import Token
from monitor.model import Reading, WalletActivity, WalletUsage
from monitor.probes.activity import ActivityProbe
from tests.hand_clock import NOON, HandClock
from tests.scripted_ledger import Pay, ScriptedLedger
from tests.wallets import known

BTC = Token(asset="BTC", decimals=8)
A, B, STRANGER, ANOTHER = "1A", "1B", "1E", "1F"
COIN = 10**8


def bitcoin() -> ScriptedLedger:
    return ScriptedLedger("bitcoin", coin=BTC, block_seconds=600.0)


def probe(ledger: ScriptedLedger, *, clock: HandClock | None = None, since: float | None = None) -> ActivityProbe:
    return ActivityProbe(
        ledger,
        clock or HandClock(),
        exchange="kraken",
        name="kraken-bitcoin-wallets",
        interval=60.0,
        wallets=known([A, B]),
        reach=10,
        since=None if since is None else NOON + timedelta(seconds=since),
    )


def batch(sender: str, *amounts: int) -> Pay:
    return Pay(sender=sender, to=tuple((STRANGER, amount) for amount in amounts), fee=1000, token=BTC)


def activity(reading: Reading) -> WalletActivity:
    (found,) = (seen for seen in reading if type(seen) is WalletActivity)
    return found


async def test_a_batch_is_one_transaction_whatever_it_pays() -> None:
    ledger = bitcoin()
    looking = probe(ledger)
    assert await looking.observe() == ()
    ledger.mine(batch(A, COIN, 2 * COIN, 3 * COIN), batch(B, COIN), batch(STRANGER, COIN))
    told = activity(await looking.observe())
    assert (told.outgoing, told.amount) == (2, Decimal("7.00002"))
    assert (told.window_seconds, told.coverage, told.last_at) == (600.0, 1.0, ledger.tip.timestamp)


async def test_time_without_a_block_is_nothing() -> None:
    ledger = bitcoin()
    looking = probe(ledger)
    await looking.observe()
    assert await looking.observe() == ()
    ledger.mine()
    assert activity(await looking.observe()).outgoing == 0


async def test_a_transaction_that_a_reorg_puts_into_another_block_is_counted_once() -> None:
    ledger = bitcoin()
    looking = probe(ledger)
    await looking.observe()
    ledger.mine(batch(A, COIN))
    assert activity(await looking.observe()).outgoing == 1
    ledger.fork(1, batch(A, COIN))
    assert activity(await looking.observe()).outgoing == 0


async def test_what_was_not_read_is_coverage_and_no_amount() -> None:
    ledger = bitcoin()
    looking = probe(ledger)
    await looking.observe()
    ledger.mine(batch(A, COIN))
    ledger.coverage = 0.5
    told = activity(await looking.observe())
    assert (told.coverage, told.amount) == (0.5, None)


async def test_a_restart_reads_what_it_missed() -> None:
    ledger = bitcoin()
    ledger.mine(batch(A, COIN))
    ledger.mine(batch(A, COIN))
    ledger.mine(batch(B, COIN))
    looking = probe(ledger, since=600.0)
    (reading,) = await looking.history()
    told = activity(reading)
    assert (told.outgoing, told.window_seconds, told.at) == (2, 1200.0, ledger.tip.timestamp)
    assert await looking.observe() == ()


async def test_what_single_wallets_sent_is_told_when_the_hour_turns() -> None:
    ledger, clock = bitcoin(), HandClock()
    looking = probe(ledger, clock=clock)
    await looking.observe()
    ledger.mine(batch(A, COIN))
    assert len(await looking.observe()) == 1
    clock.hand += 3600
    ledger.mine(batch(A, COIN), batch(B, COIN))
    used = [seen for seen in await looking.observe() if type(seen) is WalletUsage]
    assert [(each.address, each.outgoing, each.day.hour) for each in used] == [(A, 2, 0), (B, 1, 0)]
