"""Terms that let less through at a time: what is a soft closing, what is not, and when it is over."""

from decimal import Decimal
from itertools import permutations

import pytest

import tests.journals as j
from monitor.engine.run import Engines, judge
from monitor.model import Observation, Rail, RailState, RailTerms, Severity

WARNED = ["opened terms_tightened"]
OVER = [*WARNED, "monitoring terms_tightened", "resolved terms_tightened"]
ALL = list(j.MAJORS)
Told = tuple[str | None, str | None]
"""Minimum and maximum."""


def terms(minute: float, told: Told, *rails: Rail, probe: str = "examplex-api") -> list[Observation]:
    least, most = (None if amount is None else Decimal(amount) for amount in told)
    return [
        RailTerms(
            at=j.at(minute),
            exchange="examplex",
            probe=probe,
            asset=rail.asset,
            network=rail.network,
            minimum=least,
            maximum=most,
        )
        for rail in rails
    ]


def changed(
    before: Told, after: Told, *, rails: list[Rail] = ALL[:3], minutes: tuple[float, ...] = (60,)
) -> list[Observation]:
    """Terms at first, and each of `rails` at its minute with other ones; the last of `minutes` is that of the rest."""
    entries: list[Observation] = [*j.rail(0, RailState.OPEN), j.read(0), *terms(0.5, before, *ALL)]
    last = len(minutes) - 1
    return entries + [entry for n, rail in enumerate(rails) for entry in terms(minutes[min(n, last)], after, rail)]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param(changed(("1", "100"), ("1", "20")), WARNED, id="a maximum cut to a fifth on three rails"),
        pytest.param(changed(("1", "100"), ("5", "100")), WARNED, id="a minimum raised fivefold on three rails"),
        pytest.param(changed(("1", "100"), ("1", "21")), [], id="not quite to a fifth"),
        pytest.param(changed(("1", "100"), ("4.9", "100")), [], id="not quite fivefold"),
        pytest.param(changed(("1", "100"), ("1", "20"), rails=ALL[:2]), [], id="on two rails"),
        pytest.param(changed(("1", "100"), ("1", "500")), [], id="a maximum raised is no closing"),
        pytest.param(changed(("1", "100"), ("0.2", "100")), [], id="nor is a minimum cut"),
        pytest.param(
            changed(("1", "100"), ("1", "20"), minutes=(60, 90, 120)), WARNED, id="one after the other in an hour"
        ),
        pytest.param(changed(("1", "100"), ("1", "20"), minutes=(60, 90, 121)), [], id="in more than an hour"),
        pytest.param(
            [
                *changed(("1", "100"), ("1", "50")),
                *terms(75, ("1", "30"), *ALL[:3]),
                *terms(100, ("1", "20"), *ALL[:3]),
            ],
            WARNED,
            id="little by little within the hour",
        ),
        pytest.param(
            [*changed(("1", "100"), ("1", "50")), *terms(121, ("1", "20"), *ALL[:3])],
            [],
            id="little by little in longer",
        ),
        pytest.param(changed(("1", "100"), (None, None)), [], id="limits that are not told any more"),
        pytest.param(
            [*changed(("1", "100"), (None, None)), *terms(70, ("1", "20"), *ALL[:3])],
            WARNED,
            id="and are told again, cut",
        ),
        pytest.param(changed((None, None), ("1", "20")), [], id="limits told for the first time"),
        pytest.param(changed(("0", "100"), ("5", "100")), [], id="five times nothing is nothing to measure by"),
        pytest.param(changed(("1", "0"), ("1", "20")), [], id="nor is a maximum of nothing"),
        pytest.param(changed(("1", "100"), ("1", "0")), WARNED, id="a maximum cut to nothing"),
        pytest.param(changed(("1", "100"), ("1", "Infinity")), [], id="what is no number"),
        pytest.param(changed(("1", "100"), ("1", "20"), rails=list(j.ALTS)), [], id="rails that nobody watches"),
        pytest.param(
            [*changed(("1", "100"), ("1", "20")), *terms(90, ("1", "100"), ALL[0]), j.tick(100)], OVER, id="taken back"
        ),
        pytest.param(
            [*changed(("1", "100"), ("1", "20")), *terms(90, (None, None), *ALL[:3]), j.tick(600)],
            WARNED,
            id="what is told no more ends nothing",
        ),
        pytest.param([*changed(("1", "100"), ("1", "20")), j.tick(1700)], OVER, id="the usual terms after a day"),
        pytest.param(
            [*changed(("1", "100"), ("1", "20")), *terms(1600, ("1", "4"), *ALL[:3])],
            [*OVER, *WARNED],
            id="cut again after that",
        ),
    ],
)
def test_terms(entries: list[Observation], expected: list[str]) -> None:
    assert j.told([*entries, j.tick((entries[-1].at - j.START).total_seconds() / 60 + 1)]) == expected


def test_what_is_said_of_terms() -> None:
    (opened,) = j.transitions([*changed(("1", "100"), ("1", "20")), j.tick(61)])
    assert (opened.severity, opened.scope) == (Severity.WARNING, ("BTC@bitcoin", "ETH@ethereum", "USDT@ethereum"))
    assert opened.summary == (
        "a maximum cut or a minimum raised at least 5 times: BTC@bitcoin, ETH@ethereum, USDT@ethereum"
    )
    assert [(e.source, e.rail, e.value, e.unit) for e in opened.evidence][:1] == [
        ("terms", "BTC@bitcoin", "maximum 100 to 20", "BTC")
    ]


def test_the_statistic_counts_the_rails() -> None:
    engines = Engines.fresh()
    for entry in changed(("1", "100"), ("1", "20"), rails=ALL[:2]):
        judge(engines, entry, engines.apply)
    (told,) = (each for each in engines.view("examplex").statistics if each.detector == "terms")
    assert (told.state, told.value, told.threshold) == ("suspicious", 2.0, 3.0)
    assert told.words.startswith("tighter on BTC@bitcoin, ETH@ethereum; warns when")


def test_the_order_of_rails_within_a_reading_does_not_matter() -> None:
    before = changed(("1", "100"), ("1", "20"), rails=[])
    ways = permutations(terms(60, ("1", "20"), *ALL[:3]))
    assert len({j.encoded(j.outputs([*before, *way, j.tick(61)])) for way in ways}) == 1
