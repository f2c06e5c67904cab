"""The scorecard's arithmetic: what is counted, what is united, and what is not enough known."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.model import Evidence, ExchangeView, Incident, IncidentKind, Span, Stage
from monitor.web import days, scorecard
from monitor.web.closed import Stretch, total, united, within
from monitor.web.phrases import Tone
from monitor.web.scorecard import Score, score
from tests.unit.test_pages import ETHEREUM, INCIDENT, NOW, RAIL, VIEW, before

QUARTER = timedelta(days=90)
LISTED = replace(VIEW, rails=(replace(RAIL, first_read_at=before(days=30)),), counts={"withdrawal": {"open": 400}})


def halt(
    *,
    began: float,
    lasted: float | None,
    told: float = 2,
    spoke: float | None = None,
    flags: tuple[float, float | None] | None = None,
    first_sign: bool = True,
) -> Incident:
    """Minutes: `began` before now, the others after that. `lasted` None goes on."""
    begin = before(minutes=began)

    def after(minutes: float) -> datetime:
        return begin + timedelta(minutes=minutes)

    span = flags and Span(
        source="flags", began_at=after(flags[0]), ended_at=None if flags[1] is None else after(flags[1])
    )
    return replace(
        INCIDENT,
        id=f"kraken-withdrawal_halt-{begin:%Y%m%dT%H%M%SZ}",
        since=begin if first_sign else None,
        opened_at=after(told),
        official_at=None if spoke is None else after(spoke),
        recovered_at=None if lasted is None else after(lasted),
        resolved_at=None if lasted is None else after(lasted + 5),
        stage=Stage.INVESTIGATING if lasted is None else Stage.RESOLVED,
        spans=() if span is None else (span,),
    )


def scored(*halts: Incident, window: timedelta = QUARTER) -> Score:
    return score(LISTED, halts, window=window, began=before(days=40), now=NOW)


def minutes(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / 60


@pytest.mark.parametrize(
    ("halts", "number", "closed"),
    [
        pytest.param([], 0, 0, id="none"),
        pytest.param([halt(began=600, lasted=20)], 1, 20, id="one"),
        pytest.param([halt(began=600, lasted=20), halt(began=300, lasted=40)], 2, 60, id="two apart"),
        pytest.param([halt(began=600, lasted=60), halt(began=570, lasted=60)], 2, 90, id="two that overlap"),
        pytest.param([halt(began=600, lasted=60), halt(began=590, lasted=10)], 2, 60, id="one within the other"),
        pytest.param([halt(began=30, lasted=None)], 1, 30, id="one that goes on"),
        pytest.param([halt(began=600, lasted=60, first_sign=False)], 1, 58, id="since before we looked"),
        pytest.param([halt(began=90 * 1440 + 10, lasted=30)], 1, 20, id="one that began before the window"),
        pytest.param([halt(began=91 * 1440, lasted=30)], 0, 0, id="one before the window"),
        pytest.param([replace(halt(began=600, lasted=20), exchange="okx")], 0, 0, id="of another exchange"),
        pytest.param([replace(halt(began=600, lasted=20), kind=IncidentKind.DRIP)], 0, 0, id="of another kind"),
        pytest.param([replace(halt(began=600, lasted=20), retracted_by="dana")], 0, 0, id="a false alarm"),
        pytest.param([replace(halt(began=600, lasted=20), stage=Stage.INVESTIGATING)], 1, 600, id="signals came back"),
    ],
)
def test_halts_and_minutes_closed(halts: list[Incident], number: float, closed: float) -> None:
    told = scored(*halts)
    assert told.halts.value == number
    assert minutes(told.closed.value) == pytest.approx(closed)
    assert len(told.closed.of) == number


@pytest.mark.parametrize(
    ("halts", "expected", "spoken"),
    [
        pytest.param([], None, 0, id="no halt"),
        pytest.param([halt(began=600, lasted=20)], None, 0, id="they never spoke"),
        pytest.param([halt(began=600, lasted=20, spoke=17)], 17, 1, id="one word"),
        pytest.param(
            [halt(began=600, lasted=20, spoke=17), halt(began=400, lasted=20, spoke=5), halt(began=300, lasted=20)],
            11,
            2,
            id="the median of those that had one",
        ),
        pytest.param([halt(began=600, lasted=20, spoke=-3)], 0, 1, id="announced before"),
        pytest.param([halt(began=600, lasted=20, spoke=17, first_sign=False)], None, 0, id="no first sign"),
    ],
)
def test_minutes_to_their_first_word(halts: list[Incident], expected: float | None, spoken: int) -> None:
    told = scored(*halts)
    assert minutes(told.official.value) == expected
    assert len(told.official.of) == spoken


@pytest.mark.parametrize(
    ("halts", "expected"),
    [
        pytest.param([], None, id="no halt"),
        pytest.param([halt(began=600, lasted=20)], 0.0, id="its list said open all the time"),
        pytest.param([halt(began=600, lasted=20, flags=(5, 15))], 0.5, id="half of it"),
        pytest.param([halt(began=600, lasted=20, flags=(-5, 60))], 1.0, id="longer than the halt is no more than all"),
        pytest.param([halt(began=600, lasted=20, flags=(10, None))], 0.5, id="it has not said that it is over"),
        pytest.param([halt(began=600, lasted=20, flags=(0, 20)), halt(began=300, lasted=60)], 0.25, id="of all halts"),
    ],
)
def test_how_often_its_flags_were_right(halts: list[Incident], expected: float | None) -> None:
    assert scored(*halts).flags_right.value == (None if expected is None else pytest.approx(expected))


def test_a_list_that_is_not_read_is_neither_right_nor_wrong() -> None:
    unread = replace(LISTED, counts={})
    lasting = [halt(began=600, lasted=20)]
    assert score(unread, lasting, window=QUARTER, began=None, now=NOW).flags_right.value is None


def test_what_is_not_known_is_never_a_zero() -> None:
    told = score(VIEW, [], window=QUARTER, began=before(days=40), now=NOW)
    assert told.known_since is None
    assert [cell.text for _, cell, _ in scorecard.shown(told, NOW)] == [scorecard.UNKNOWN.text] * 5


def test_a_short_acquaintance_says_so() -> None:
    names = {name: cell for name, cell, _ in scorecard.shown(scored(), NOW)}
    assert (names["Halts"].text, names["Halts"].note) == ("none", "known since 4 Jan 14:24 UTC")
    assert names["Closed"].text == "0 min"
    week = scored(window=timedelta(days=7))
    assert {name: cell.note for name, cell, _ in scorecard.shown(week, NOW)}["Halts"] == ""


@pytest.mark.parametrize(
    ("view", "began", "expected"),
    [
        pytest.param(VIEW, before(days=40), None, id="nothing was read"),
        pytest.param(LISTED, before(days=40), before(days=30), id="its list"),
        pytest.param(replace(VIEW, networks=(ETHEREUM,)), before(days=40), before(days=40), id="its wallets"),
        pytest.param(replace(LISTED, networks=(ETHEREUM,)), before(days=10), before(days=30), id="readings pruned"),
    ],
)
def test_from_when_on_it_is_known(view: ExchangeView, began: datetime, expected: datetime | None) -> None:
    assert scorecard.known_since(view, began) == expected


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 min"), (1380, "23 min"), (3600, "1 h"), (5000, "1 h 23 min"), (172_800, "2 d"), (180_000, "2 d 2 h")],
)
def test_a_sum_is_not_rounded_like_an_age(seconds: float, text: str) -> None:
    assert scorecard.lasted(seconds) == text


STRETCHES = st.lists(
    st.tuples(st.integers(0, 200_000), st.integers(-50, 40_000), st.booleans(), st.booleans()), max_size=12
)


@given(STRETCHES, st.integers(1, 365))
def test_minutes_closed_are_never_less_than_nothing_nor_more_than_the_window(
    drawn: list[tuple[int, int, bool, bool]], window_days: int
) -> None:
    halts = [
        halt(
            began=began,
            lasted=None if goes_on else lasted,
            told=abs(lasted) % 60,
            flags=(lasted / 3, None) if flags else None,
        )
        for began, lasted, goes_on, flags in drawn
    ]
    told = scored(*halts, window=timedelta(days=window_days))
    assert told.closed.value is not None
    assert 0 <= told.closed.value <= window_days * 86_400
    assert told.flags_right.value is None or 0 <= told.flags_right.value <= 1
    alone = [scored(each, window=timedelta(days=window_days)).closed.value or 0.0 for each in halts]
    assert max(alone, default=0) - 1e-6 <= told.closed.value <= sum(alone) + 1e-6, "a union"


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 90)), max_size=12))
def test_a_union_covers_each_minute_once(drawn: list[tuple[int, int]]) -> None:
    stretches = [
        Stretch(before(minutes=begin), before(minutes=begin) + timedelta(minutes=length)) for begin, length in drawn
    ]
    covered = {NOW - timedelta(minutes=begin - n) for begin, length in drawn for n in range(length)}
    assert total(united(stretches)) == timedelta(minutes=len(covered))
    assert united(united(stretches)) == united(stretches)


def test_only_what_lies_in_the_window() -> None:
    hour = Stretch(before(hours=2), before(hours=1))
    assert within([hour], Stretch(before(minutes=90), NOW)) == [Stretch(before(minutes=90), before(hours=1))]
    assert within([hour], Stretch(before(hours=1), NOW)) == []


def test_the_bar_of_ninety_days() -> None:
    bar = days.bar("kraken", [halt(began=60 * 24 * 3, lasted=20)], since=before(days=30), now=NOW)
    assert [(run.at, run.days, run.tone) for run in bar.runs] == [
        (0, 59, Tone.UNKNOWN),
        (59, 27, Tone.FINE),
        (86, 1, Tone.BAD),
        (87, 3, Tone.FINE),
    ]
    assert bar.runs[2].words == "2026-01-31: halted for 20 min"
    assert bar.words == "halted for 20 min; known since 2026-01-04"


def test_a_day_shows_the_worst_of_it_and_a_night_halt_is_on_both_days() -> None:
    late = halt(began=14 * 60 + 44, lasted=60)  # from 23:40 the day before
    spell = replace(halt(began=60, lasted=10), kind=IncidentKind.RAIL_SUSPENDED)
    bar = days.bar("kraken", [late, spell], since=before(days=400), now=NOW)
    assert [(run.days, run.tone, run.words[12:]) for run in bar.runs[1:]] == [
        (1, Tone.BAD, "halted for 20 min"),
        (1, Tone.BAD, "halted for 40 min"),
    ]
    assert bar.words == "halted for 1 h, partly closed for 10 min"


def test_nobody_looked_is_not_fine() -> None:
    bar = days.bar("kraken", [], since=None, now=NOW)
    assert [(run.days, run.tone) for run in bar.runs] == [(90, Tone.UNKNOWN)]
    assert bar.words == "not enough known"


@pytest.mark.parametrize(
    ("scope", "evidence", "expected"),
    [
        pytest.param(("*",), None, True, id="everything"),
        pytest.param(("ETH@ethereum",), None, True, id="itself"),
        pytest.param(("*@ethereum",), None, True, id="its network"),
        pytest.param(("USDT@ethereum", "ETH@base"), None, False, id="others"),
        pytest.param((), "ETH@ethereum", True, id="what it was about before"),
    ],
)
def test_what_concerns_a_rail(scope: tuple[str, ...], evidence: str | None, expected: bool) -> None:
    found = () if evidence is None else (Evidence(at=NOW, probe="p", source="api", rail=evidence, value="suspended"),)
    assert days.concerns(replace(INCIDENT, scope=scope, evidence=found), "ETH@ethereum") is expected
