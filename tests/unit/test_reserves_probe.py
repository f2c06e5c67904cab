"""Balances of known wallets: totals and parts, and what is not believed at once (E3)."""

from decimal import Decimal

import pytest

from monitor.chains.ledger import Holding, Token
from monitor.model import FailureReason, ProbeFailure, Reading, RemoteError, ReserveBalance
from monitor.probes.reserves import HotProbe, ReservesProbe
from monitor.reserves.roles import Wallets
from tests.hand_clock import HandClock
from tests.scripted_ledger import COIN, Pay, ScriptedLedger
from tests.wallets import known

A, B, C, STRANGER = "0xa", "0xb", "0xc", "0xe"
USDT = Token(asset="USDT", contract="0x1", decimals=6)
ETHER = 10**18


def probe(ledger: ScriptedLedger, wallets: Wallets, *tokens: Token) -> ReservesProbe:
    return ReservesProbe(
        ledger, HandClock(), exchange="kraken", name="kraken-ethereum-reserves", wallets=wallets, tokens=tokens
    )


def told(reading: Reading) -> list[tuple[str, str | None, Decimal, int, int]]:
    return [
        (seen.asset, seen.role, seen.amount, seen.wallets, seen.wallets_read)
        for seen in reading
        if type(seen) is ReserveBalance
    ]


def doubts(reading: Reading) -> list[ProbeFailure]:
    return [seen for seen in reading if type(seen) is ProbeFailure]


def funded(**ethers: int) -> ScriptedLedger:
    ledger = ScriptedLedger()
    for address, ether in {"0x" + name: ether for name, ether in ethers.items()}.items():
        ledger.fund(address, ether * ETHER)
    return ledger


async def test_tells_the_total_and_the_parts_of_hot_and_cold() -> None:
    ledger = funded(a=1, b=20, c=300)
    reading = await probe(ledger, known([A, B, C], hot=[A], cold=[C]), COIN).observe()
    assert told(reading) == [
        ("ETH", None, Decimal(321), 3, 3),
        ("ETH", "hot", Decimal(1), 1, 1),
        ("ETH", "cold", Decimal(300), 1, 1),
    ]


async def test_an_unread_wallet_makes_a_part_of_a_total_that_says_so() -> None:
    ledger = funded(a=1, b=20)
    ledger.unread = {Holding(B, COIN)}
    assert told(await probe(ledger, known([A, B]), COIN).observe()) == [("ETH", None, Decimal(1), 2, 1)]


async def test_an_asset_of_which_nothing_was_read_is_not_told() -> None:
    ledger = funded(a=1)
    ledger.unread = {Holding(A, USDT)}
    assert [seen[0] for seen in told(await probe(ledger, known([A]), COIN, USDT).observe())] == ["ETH"]


async def test_a_small_fall_needs_no_second_opinion() -> None:
    ledger = funded(a=100)
    looking = probe(ledger, known([A]), COIN)
    await looking.observe()
    ledger.mine(Pay(sender=A, to=((STRANGER, 4 * ETHER),)))
    assert told(await looking.observe()) == [("ETH", None, Decimal(96), 1, 1)]
    assert "second" not in ledger.asked


async def test_a_drop_that_the_second_endpoint_sees_too_is_told() -> None:
    ledger = funded(a=100, b=50)
    looking = probe(ledger, known([A, B]), COIN)
    await looking.observe()
    ledger.mine(Pay(sender=A, to=((STRANGER, 60 * ETHER),)))
    assert told(await looking.observe()) == [("ETH", None, Decimal(90), 2, 2)]
    assert "second" in ledger.asked


async def test_e3_a_balance_of_zero_that_only_one_endpoint_tells_is_no_evidence() -> None:
    ledger = funded(a=100, b=50)
    looking = probe(ledger, known([A, B]), COIN)
    await looking.observe()
    ledger.lies = {Holding(A, COIN): 0}
    reading = await looking.observe()
    (doubt,) = doubts(reading)
    assert told(reading) == []
    assert (doubt.reason, doubt.asset, doubt.network) == (FailureReason.DISAGREEMENT, "ETH", "ethereum")
    assert doubt.detail == "one.example and two.example tell 1 of 1 balances differently at block 0"
    ledger.lies = {}
    assert told(await looking.observe()) == [("ETH", None, Decimal(150), 2, 2)]


async def test_e3_a_drop_of_a_wallet_that_was_not_read_meanwhile_needs_the_second_endpoint_too() -> None:
    ledger = funded(a=100, b=50)
    looking = probe(ledger, known([A, B]), COIN)
    await looking.observe()
    ledger.unread = {Holding(A, COIN)}
    assert told(await looking.observe()) == [("ETH", None, Decimal(50), 2, 1)]
    ledger.unread, ledger.lies = set(), {Holding(A, COIN): 0}
    (doubt,) = doubts(await looking.observe())
    assert doubt.reason is FailureReason.DISAGREEMENT


async def test_e3_a_drop_is_no_evidence_while_the_second_endpoint_is_down() -> None:
    ledger = funded(a=100)
    looking = probe(ledger, known([A]), COIN)
    await looking.observe()
    ledger.mine(Pay(sender=A, to=((STRANGER, 60 * ETHER),)))
    down = RemoteError(FailureReason.CONNECTION, "two.example: refused")
    ledger.refuse = lambda what: down if what == "second" else None
    (doubt,) = doubts(await looking.observe())
    assert doubt.detail == "a change that no second endpoint confirms: two.example: refused"
    ledger.refuse = lambda _: None
    assert told(await looking.observe()) == [("ETH", None, Decimal(40), 1, 1)]


@pytest.mark.parametrize(
    ("sent_meanwhile", "believed"),
    [
        pytest.param(0, True, id="the same again is believed"),
        pytest.param(15, False, id="something else again is not"),
    ],
)
async def test_with_a_single_endpoint_a_drop_is_believed_when_read_twice(sent_meanwhile: int, believed: bool) -> None:
    ledger = funded(a=100)
    ledger.endpoints = 1
    looking = probe(ledger, known([A]), COIN)
    await looking.observe()
    ledger.mine(Pay(sender=A, to=((STRANGER, 60 * ETHER),)))
    assert len(doubts(await looking.observe())) == 1
    ledger.mine(Pay(sender=A, to=((STRANGER, sent_meanwhile * ETHER),)))
    assert bool(told(await looking.observe())) is believed


async def test_a_leap_up_as_by_a_change_of_units_is_doubted_too() -> None:
    ledger = funded(a=1)
    ledger.endpoints = 1
    looking = probe(ledger, known([A]), COIN)
    await looking.observe()
    ledger.fund(A, 10**6 * ETHER)
    assert len(doubts(await looking.observe())) == 1
    assert told(await looking.observe()) == [("ETH", None, Decimal(10**6), 1, 1)]


async def test_more_coins_than_any_asset_has_are_never_told() -> None:
    ledger = funded(a=10**31)
    looking = probe(ledger, known([A]), COIN)
    for _ in range(3):
        (doubt,) = doubts(await looking.observe())
        assert doubt.reason is FailureReason.SCHEMA


@pytest.mark.parametrize(
    ("endpoints", "told_at"),
    [pytest.param(2, 1, id="where a second endpoint agrees"), pytest.param(1, 2, id="or when it is read twice")],
)
async def test_e3_a_drop_while_we_were_stopped_is_believed(endpoints: int, told_at: int) -> None:
    ledger = funded(a=40)
    ledger.endpoints = endpoints
    looking = after_a_restart(ledger)
    readings = [await looking.observe() for _ in range(2)]
    assert [bool(told(reading)) for reading in readings].index(True) + 1 == told_at


async def test_e3_a_lie_at_the_first_look_after_a_restart_is_no_drop() -> None:
    ledger = funded(a=100)
    ledger.lies = {Holding(A, COIN): 0}
    reading = await after_a_restart(ledger).observe()
    assert (told(reading), len(doubts(reading))) == ([], 1)


def after_a_restart(ledger: ScriptedLedger) -> ReservesProbe:
    """Before it a hundred was held."""
    return ReservesProbe(
        ledger,
        HandClock(),
        exchange="kraken",
        name="kraken-ethereum-reserves",
        wallets=known([A]),
        tokens=[COIN],
        former={"ETH": Decimal(100)},
    )


class TestHot:
    def hot(self, ledger: ScriptedLedger, wallets: Wallets) -> HotProbe:
        return HotProbe(
            ledger,
            HandClock(),
            exchange="kraken",
            name="kraken-ethereum-hot",
            interval=60.0,
            wallets=wallets,
            tokens=[COIN],
        )

    async def test_tells_what_hot_wallets_hold(self) -> None:
        ledger = funded(a=1, b=20, c=300)
        reading = await self.hot(ledger, known([A, B, C], hot=[A, B])).observe()
        assert told(reading) == [("ETH", "hot", Decimal(21), 2, 2)]

    async def test_without_a_hot_wallet_nothing_is_asked(self) -> None:
        ledger = funded(a=1)
        assert await self.hot(ledger, known([A])).observe() == ()
        assert ledger.asked == []

    async def test_e3_a_lie_about_a_hot_wallet_is_no_empty_wallet(self) -> None:
        ledger = funded(a=100)
        looking = self.hot(ledger, known([A], hot=[A]))
        await looking.observe()
        ledger.lies = {Holding(A, COIN): 0}
        reading = await looking.observe()
        assert (told(reading), len(doubts(reading))) == ([], 1)
