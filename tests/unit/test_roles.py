"""Which wallets are hot, which are cold, and why."""

from datetime import UTC, datetime, timedelta

import pytest

from monitor.model import WalletUsage
from monitor.reserves.book import WalletRole
from monitor.reserves.roles import Wallets
from tests.wallets import known

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)
A, B = "0x" + "a1" * 20, "0x" + "b2" * 20


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def days(count: float) -> timedelta:
    return timedelta(days=count)


def sending(wallets: Wallets, address: str, each: int, *, start: datetime, end: datetime) -> None:
    """`each` transactions an hour."""
    at = start
    while at <= end:
        wallets.sent(address, each, at=at)
        at += hours(1)


@pytest.mark.parametrize(
    ("each", "last", "role", "why"),
    [
        pytest.param(1, NOON, "hot", "24 sent in 24 h, the last at 12:00 UTC", id="one an hour is hot"),
        pytest.param(1, NOON - hours(5), None, "19 sent in 24 h", id="nineteen in a day is not"),
        pytest.param(4, NOON - hours(7), None, "68 sent in 24 h", id="idle for six hours is hot no more"),
    ],
)
def test_hot_is_who_sends_often_and_lately(each: int, last: datetime, role: WalletRole | None, why: str) -> None:
    wallets = known([A])
    sending(wallets, A, each, start=NOON - days(2), end=last)
    verdict = wallets.verdict(A, NOON)
    assert verdict.role == role
    assert verdict.why.startswith(why)


@pytest.mark.parametrize(
    ("watched", "sent", "role", "why"),
    [
        pytest.param(days(7), 2, "cold", "2 sent in 7 days", id="two in a week is cold"),
        pytest.param(days(7), 3, None, "0 sent in 24 h, 3 in 7 days", id="three is neither"),
        pytest.param(days(6), 0, None, "0 sent in 24 h, 0 in 7 days", id="silence of less than a week proves nothing"),
    ],
)
def test_cold_needs_a_week_of_watching(watched: timedelta, sent: int, role: WalletRole | None, why: str) -> None:
    wallets = known([A])
    wallets.watched(NOON - watched)
    wallets.sent(A, sent, at=NOON - days(3))
    verdict = wallets.verdict(A, NOON)
    assert verdict.role == role
    assert verdict.why.startswith(why)


def test_a_wallet_that_never_sent_is_cold_at_once_where_the_chain_tells() -> None:
    wallets = known([A, B])
    wallets.sent_ever(A, 0)
    wallets.sent_ever(B, 4012)
    assert wallets.cold(NOON) == [A]


def test_a_persons_word_wins() -> None:
    wallets = known([A, B], hot=[A], cold=[B])
    sending(wallets, B, 50, start=NOON - days(1), end=NOON)
    assert (wallets.hot(NOON), wallets.cold(NOON)) == ([A], [B])
    assert wallets.verdict(B, NOON).why == "the address book says so"


def test_what_was_sent_is_told_once_an_hour_a_day_each() -> None:
    wallets = known([A, B])
    assert wallets.told(NOON) == []
    wallets.sent(A, 3, at=NOON - hours(13))
    wallets.sent(A, 2, at=NOON + timedelta(minutes=10))
    wallets.sent(A, 1, at=NOON + timedelta(minutes=50))
    assert wallets.told(NOON + timedelta(minutes=59)) == []
    told = wallets.told(NOON + timedelta(minutes=61))
    assert [(used.day.day, used.outgoing, used.last_at) for used in told] == [
        (2, 3, datetime(2026, 2, 2, 23, 59, 59, tzinfo=UTC)),
        (3, 3, NOON + timedelta(minutes=50)),
    ]
    assert wallets.told(NOON + hours(2)) == []


def usage(address: str, outgoing: int, *, day: int, hour: int) -> WalletUsage:
    at = datetime(2026, 2, day, hour, tzinfo=UTC)
    return WalletUsage(
        at=at,
        exchange="kraken",
        probe="kraken-ethereum-wallets",
        network="ethereum",
        address=address,
        day=at.replace(hour=0),
        outgoing=outgoing,
        last_at=at,
    )


def test_a_restart_knows_the_roles_again() -> None:
    wallets = known([A, B])
    stranger = "0x" + "ee" * 20
    wallets.recall([usage(B, 1, day=1, hour=9), usage(A, 90, day=3, hour=11), usage(stranger, 90, day=3, hour=11)])
    assert wallets.hot(NOON) == [A]
    assert wallets.cold(NOON + days(6)) == [B]


def test_a_sibling_that_takes_over_is_proposed_and_the_former_is_hot_no_more() -> None:
    wallets = known([A, B])
    sending(wallets, A, 5, start=NOON - days(5), end=NOON - hours(20))
    assert wallets.proposals(NOON) == []
    sending(wallets, B, 5, start=NOON - hours(19), end=NOON)
    (proposal,) = wallets.proposals(NOON)
    assert proposal == (
        f"{A} sent its last at 2026-02-02 16:00 UTC, while {B} took over: label the former retired and the latter hot"
    )
    assert wallets.hot(NOON) == [B]


def test_a_hot_wallet_that_rests_for_some_hours_can_still_pay() -> None:
    wallets = known([A, B])
    sending(wallets, A, 5, start=NOON - days(2), end=NOON - hours(7))
    sending(wallets, B, 1, start=NOON - hours(10), end=NOON - hours(7))
    assert (wallets.hot(NOON), wallets.paying(NOON)) == ([], [A])
    assert wallets.paying(NOON + days(8)) == []
    said = known([A, B], hot=[B], cold=[A])
    sending(said, A, 5, start=NOON - days(2), end=NOON - hours(7))
    assert said.paying(NOON) == [B], "a person's word wins"
