"""How statistics read: what matters first, figures that a person takes in at a glance."""

import pytest
from msgspec.structs import replace

from monitor.model import ExchangeState
from monitor.web import statistics
from tests.server.test_web import view
from tests.statistics import ALL, FIRING, LEARNING, SUSPICIOUS

KRAKEN = replace(view("kraken", ExchangeState.HALTED), statistics=ALL)


def test_what_fires_comes_first_and_what_is_quiet_last() -> None:
    assert [row.mark.word for row in statistics.rows(KRAKEN.statistics)] == [
        "firing",
        "suspicious",
        "learning",
        "unknown",
        "quiet",
    ]
    assert statistics.headline(KRAKEN.statistics) == "1 firing, 1 suspicious, 1 learning, 1 unknown, 1 quiet"


def test_those_of_one_state_stay_in_the_engines_order() -> None:
    others = [replace(SUSPICIOUS, subject=name) for name in ("b", "a", "c")]
    assert [each.subject for each in statistics.ordered([*others, FIRING])] == ["*", "b", "a", "c"]


def test_figures_are_told_beside_what_is_usual_and_what_fires() -> None:
    firing, suspicious, learning, *_ = statistics.rows(KRAKEN.statistics)
    assert (firing.name, firing.stands, firing.seen) == (
        "silence",
        "14.9, fires from 14.7",
        "5, usually 48.6 transactions a minute",
    )
    assert (suspicious.name, suspicious.seen) == ("outflow of BTC@bitcoin 24 h", "12,346, usually 4,000 BTC in 24 h")
    assert (learning.stands, learning.seen, learning.words) == ("", "", LEARNING.words)


def test_without_any_statistic_it_says_so() -> None:
    assert statistics.headline(()) == statistics.NONE_KEPT


@pytest.mark.parametrize(
    ("minutes", "told"),
    [
        pytest.param(25, "learning what is usual: ethereum 25 min of 6 h", id="still learning"),
        pytest.param(360, "", id="learned"),
    ],
)
def test_learning_is_told_with_how_long(minutes: float, told: str) -> None:
    networks = tuple(replace(each, learned_seconds=minutes * 60) for each in KRAKEN.networks[:1])
    shown = replace(KRAKEN, networks=tuple(replace(each, network="ethereum") for each in networks))
    assert statistics.learning(shown) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.0, "0"), (0.0213, "0.0213"), (5.0, "5"), (48.61, "48.6"), (300.0, "300"), (12_345.6, "12,346")],
)
def test_figures(value: float, told: str) -> None:
    assert statistics.figure(value) == told
