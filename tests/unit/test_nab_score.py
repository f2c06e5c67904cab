"""The score of the Numenta Anomaly Benchmark against figures worked out by hand from its formula."""

import math

import pytest

from benchmarks.evaluation.nab import Scored, probationary, score, together

READINGS = 4000  # of which 600 are not scored
WINDOW = (1000, 1099)
LATER = (3000, 3099)


def sigmoid(place: float) -> float:
    return 2 / (1 + math.exp(5 * place)) - 1


@pytest.mark.parametrize(
    ("detections", "windows", "raw"),
    [
        pytest.param([], [WINDOW, LATER], -2.0, id="nothing detected costs each window"),
        pytest.param([1000, 3000], [WINDOW, LATER], 2.0, id="left edges are perfect"),
        pytest.param([1050], [WINDOW], sigmoid(-0.5) / sigmoid(-1), id="the middle is worth less than the edge"),
        pytest.param([1099], [WINDOW], sigmoid(-0.01) / sigmoid(-1), id="the right edge is worth nearly nothing"),
        pytest.param([1000, 1001, 1099], [WINDOW], 1.0, id="only the first in a window counts"),
        pytest.param([700], [WINDOW], -1.11, id="before any window a false one costs all of its weight"),
        pytest.param([599], [WINDOW], -1.0, id="probation costs nothing"),
        pytest.param([1000, 1109], [WINDOW], 1 + 0.11 * sigmoid(10 / 99), id="just after a window it costs little"),
        pytest.param([1000, 1500], [WINDOW], 1 - 0.11, id="long after a window it costs all"),
    ],
)
def test_a_detection_counts_by_its_place(detections: list[int], windows: list[tuple[int, int]], raw: float) -> None:
    assert score(detections, windows, readings=READINGS).raw == pytest.approx(raw, abs=1e-12)


def test_nothing_is_zero_and_perfect_is_a_hundred() -> None:
    nothing = score([], [WINDOW, LATER], readings=READINGS)
    perfect = score([1000, 3000], [WINDOW, LATER], readings=READINGS)
    assert [nothing.score, perfect.score] == pytest.approx([0.0, 100.0])
    assert together([nothing, perfect]).score == pytest.approx(50.0)


def test_false_ones_are_counted_over_what_is_scored() -> None:
    scored = score([100, 700, 1050, 2000], [WINDOW], readings=READINGS)
    assert (scored.found, scored.false, scored.windows) == (1, 2, 1)
    assert scored.months == pytest.approx(3400 / 8640)


def test_probation_is_never_longer_than_750_readings() -> None:
    assert (probationary(1000), probationary(15_902)) == (150, 750)


def test_series_are_added_up_and_not_averaged() -> None:
    one, three = Scored(1.0, 1, 1, 0, 1.0), Scored(-3.0, 3, 0, 2, 1.0)
    assert together([one, three]) == Scored(-2.0, 4, 1, 2, 2.0)
    assert together([one, three]).score == pytest.approx(25.0)
