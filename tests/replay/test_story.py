"""The demo's story as a table, and the payments that follow from it."""

from datetime import timedelta

import pytest

from monitor.model import Stage, WalletActivity
from monitor.replay.history import history
from monitor.replay.payments import NETWORKS, SENDERS, WEEK_MINUTES, Network, Payments
from monitor.replay.script import Phase, Script

SCRIPT = Script()
MINUTE = timedelta(minutes=1)
PROBES = {network.name: f"staged-{network.name}-wallets" for network in NETWORKS}

FIRST_WORD = [Stage.INVESTIGATING]
SECOND_WORD = [Stage.IDENTIFIED, Stage.INVESTIGATING]
LAST_WORD = [Stage.RESOLVED, Stage.IDENTIFIED, Stage.INVESTIGATING]


@pytest.fixture(scope="module")
def payments() -> Payments:
    return Payments(SCRIPT)


@pytest.fixture(scope="module")
def readings() -> list[WalletActivity]:
    """A week of history."""
    week = history(SCRIPT, exchange="staged", probes=PROBES, weeks=1)
    return [reading for reading in week if type(reading) is WalletActivity]


@pytest.mark.parametrize(
    ("minute", "phase", "factor", "is_open", "words"),
    [
        pytest.param(0, Phase.NORMAL, 1.0, True, [], id="the story begins quietly"),
        pytest.param(9.99, Phase.NORMAL, 1.0, True, [], id="last quiet moment"),
        pytest.param(10, Phase.HALTED, 0.0, True, [], id="payments stop, flags stay open"),
        pytest.param(15.99, Phase.HALTED, 0.0, True, [], id="six minutes of silence before the flags"),
        pytest.param(16, Phase.HALTED, 0.0, False, [], id="flags close"),
        pytest.param(27, Phase.HALTED, 0.0, False, FIRST_WORD, id="first official word after 17 minutes"),
        pytest.param(29.99, Phase.HALTED, 0.0, False, FIRST_WORD, id="last moment of the halt"),
        pytest.param(30, Phase.BACKLOG, 2.5, True, SECOND_WORD, id="payments and flags come back, cause identified"),
        pytest.param(34.99, Phase.BACKLOG, 2.5, True, SECOND_WORD, id="the backlog drains for five minutes"),
        pytest.param(35, Phase.NORMAL, 1.0, True, LAST_WORD, id="drained, the page says resolved"),
        pytest.param(45, Phase.CAMPAIGN, 3.0, True, LAST_WORD, id="campaign"),
        pytest.param(89.99, Phase.CAMPAIGN, 3.0, True, LAST_WORD, id="last moment of the campaign"),
        pytest.param(90, Phase.NORMAL, 1.0, True, LAST_WORD, id="quiet for good"),
    ],
)
def test_script(minute: float, phase: Phase, factor: float, is_open: bool, words: list[Stage]) -> None:
    moment = SCRIPT.start + minute * MINUTE
    assert SCRIPT.phase(moment) is phase
    assert SCRIPT.payment_factor(moment) == factor
    assert SCRIPT.withdrawals_open(moment) is is_open
    assert [update.stage for update in SCRIPT.updates(moment)] == words


@pytest.mark.parametrize(
    ("minute", "factor"),
    [
        pytest.param(44, 1.0, id="as ever until the campaign"),
        pytest.param(67.5, 1.003, id="half way"),
        pytest.param(90, 1.006, id="risen by 0.6 per cent at its end"),
        pytest.param(300, 1.006, id="and kept"),
    ],
)
def test_reserves_rise_during_the_campaign(minute: float, factor: float) -> None:
    assert SCRIPT.reserve_factor(SCRIPT.start + minute * MINUTE) == pytest.approx(factor)


def test_default_story_is_told_at_the_published_times() -> None:
    times = [SCRIPT.halted_at, SCRIPT.official_at, SCRIPT.resumed_at]
    assert [f"{time:%Y-%m-%d %H:%M}" for time in times] == ["2026-02-03 02:19", "2026-02-03 02:36", "2026-02-03 02:39"]


def test_first_word_tells_what_still_works_and_gives_no_cause() -> None:
    (word,) = SCRIPT.updates(SCRIPT.official_at)
    assert "withdrawals" in word.text
    assert "Deposits and trading" in word.text
    assert "because" not in word.text


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
@pytest.mark.parametrize("week", [1, 2, 3, 4])
def test_a_week_has_the_mean_rate(payments: Payments, network: Network, week: int) -> None:
    counts = payments.counts(network.name, first=-week * WEEK_MINUTES, last=(1 - week) * WEEK_MINUTES)
    assert counts.sum() / WEEK_MINUTES == pytest.approx(network.payments_per_minute, rel=0.1)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_counts_are_burstier_than_poisson(payments: Payments, network: Network) -> None:
    hours = payments.counts(network.name, first=-WEEK_MINUTES, last=0).sum(axis=0).reshape(-1, 60)
    excess = (hours.var(axis=1, ddof=1) - hours.mean(axis=1)).mean() / (hours.mean(axis=1) ** 2).mean()
    assert 0.06 < excess < 0.25


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_nothing_is_sent_during_the_halt(payments: Payments, network: Network) -> None:
    assert payments.counts(network.name, first=10, last=30).sum() == 0
    for sender in range(SENDERS):
        before = payments.nonce(network.name, sender=sender, at=SCRIPT.halted_at)
        after = payments.nonce(network.name, sender=sender, at=SCRIPT.resumed_at)
        assert before == after
        assert payments.nonce(network.name, sender=sender, at=SCRIPT.drained_at) > after


@pytest.mark.parametrize(
    ("first", "last", "factor"),
    [
        pytest.param(30, 35, 2.5, id="backlog"),
        pytest.param(45, 90, 3.0, id="campaign"),
        pytest.param(90, 180, 1.0, id="afterwards"),
    ],
)
def test_story_against_the_same_hours_of_four_weeks(payments: Payments, first: int, last: int, factor: float) -> None:
    def sent(week: int) -> int:
        shift = week * WEEK_MINUTES
        return sum(int(payments.counts(n.name, first=first - shift, last=last - shift).sum()) for n in NETWORKS)

    usual = sum(sent(week) for week in range(1, 5)) / 4
    assert sent(0) / usual == pytest.approx(factor, rel=0.25)


def test_nonces_never_fall(payments: Payments) -> None:
    moments = [SCRIPT.start + seconds * timedelta(seconds=1) for seconds in range(-900, 7200, 7)]
    for sender in range(SENDERS):
        nonces = [payments.nonce("ethereum", sender=sender, at=moment) for moment in moments]
        assert nonces == sorted(nonces)


def test_history_is_a_reading_a_minute_and_network_in_order(readings: list[WalletActivity]) -> None:
    assert len(readings) == WEEK_MINUTES * len(NETWORKS)
    assert [reading.at for reading in readings] == sorted(reading.at for reading in readings)
    assert readings[0].at == SCRIPT.start - 7 * 1440 * MINUTE + MINUTE
    assert readings[-1].at == SCRIPT.start
    assert {(reading.exchange, reading.network, reading.probe) for reading in readings} == {
        ("staged", network, probe) for network, probe in PROBES.items()
    }


def test_newest_outgoing_lies_in_the_window_that_counts_it(readings: list[WalletActivity]) -> None:
    for reading in readings:
        if reading.outgoing:
            assert reading.last_at is not None
            assert reading.at - MINUTE <= reading.last_at <= reading.at
        else:
            assert reading.last_at is None or reading.last_at <= reading.at - MINUTE


def test_history_leaves_out_what_no_probe_watches() -> None:
    some = history(SCRIPT, exchange="staged", probes={"base": "staged-base-wallets"}, weeks=1)
    assert {reading.network for reading in some if type(reading) is WalletActivity} == {"base"}


def test_history_of_more_weeks_than_are_generated_is_refused() -> None:
    with pytest.raises(ValueError, match="8 weeks before"):
        list(history(SCRIPT, exchange="staged", probes=PROBES, weeks=9))


def test_history_continues_into_the_nonces(payments: Payments, readings: list[WalletActivity]) -> None:
    last_hour = {
        network.name: sum(
            r.outgoing for r in readings if r.network == network.name and r.at > SCRIPT.start - 60 * MINUTE
        )
        for network in NETWORKS
    }

    def nonces(network: str, minute: int) -> int:
        moment = SCRIPT.start + minute * MINUTE
        return sum(payments.nonce(network, sender=sender, at=moment) for sender in range(SENDERS))

    for network, sent in last_hour.items():
        assert nonces(network, 0) - nonces(network, -60) == sent
        assert nonces(network, 1) - nonces(network, 0) == payments.counts(network, first=0, last=1).sum()
