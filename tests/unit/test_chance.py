"""Draws by counter: the published generator, and the distributions that are made of it."""

import numpy as np
import pytest

from monitor.replay import chance
from monitor.replay.season import weekly

DRAWS = 40_000
SPLITMIX_1234567 = (6457827717110365317, 3203168211198807973)
"""The first outputs of SplitMix64 for the seed 1234567, as its reference implementation gives them."""


def test_draws_are_those_of_splitmix() -> None:
    drawn = chance.uniform(1234567, 2).tolist()
    assert drawn == [((output >> 11) + 0.5) / 2**53 for output in SPLITMIX_1234567]


def test_a_draw_depends_on_its_place_alone() -> None:
    drawn_by = chance.key("a scenario", "a network")
    assert chance.uniform(drawn_by, 10).tolist() == chance.uniform(drawn_by, 100)[:10].tolist()
    assert chance.key("a scenario", "another") != drawn_by


@pytest.mark.parametrize("mean", [0.2, 3.0, 30.0])
def test_counts_have_the_mean_and_the_spread_they_should(mean: float) -> None:
    shape = 8.0
    drawn = chance.uniform(chance.key("counts", str(mean)), DRAWS)
    count = chance.negative_binomial(drawn, mean=np.full(DRAWS, mean), shape=shape)
    assert count.mean() == pytest.approx(mean, rel=0.03)
    assert count.var() == pytest.approx(mean + mean**2 / shape, rel=0.06)


def test_nothing_is_drawn_where_nothing_is_expected() -> None:
    drawn = np.array([1e-17, 0.5, 1 - 2.0**-53])
    assert chance.negative_binomial(drawn, mean=np.zeros(3), shape=8.0).tolist() == [0, 0, 0]


def test_a_draw_next_to_one_ends() -> None:
    assert 30 < chance.negative_binomial(np.array([1 - 2.0**-53]), mean=np.array([30.0]), shape=8.0)[0] < 1_000


def test_sizes_have_the_median_and_a_heavy_tail() -> None:
    sizes = chance.log_logistic(chance.uniform(chance.key("sizes"), DRAWS), median=0.5, shape=1.6)
    assert np.median(sizes) == pytest.approx(0.5, rel=0.03)
    assert sizes.mean() > 1.7 * np.median(sizes)


def test_a_week_has_a_mean_rate_of_one_and_is_busiest_on_weekday_afternoons() -> None:
    week = weekly()
    assert sum(week) / len(week) == pytest.approx(1.0)
    assert week.index(max(week)) == 14
    assert week[6 * 24 + 14] < week[14]
