"""What is written is what prometheus_client writes of the same, byte for byte, in the format that was asked for."""

import math
from collections.abc import Callable, Sequence

import prometheus_client
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from monitor.exposition import Block, Family, Format, Kind, Tally, assemble, cut, wanted

OPENMETRICS = "application/openmetrics-text"
PROMETHEUS_2 = (
    f"{OPENMETRICS};version=1.0.0,{OPENMETRICS};version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    f"{OPENMETRICS};version=1.0.0;escaping=allow-utf-8;q=0.6,{OPENMETRICS};version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
COUNTED = Family("looks_total", Kind.COUNTER, 'Looks, "failed" ones \\ included.\nAll.', ("probe", "exchange"))
ALONE = Family("steps_total", Kind.COUNTER, "Steps.")
SHOWN = Family("height", Kind.GAUGE, "Height.", ("network",))
INSTANT = Family("head_timestamp_seconds", Kind.GAUGE, "When.")
LASTED = Family("look_seconds", Kind.HISTOGRAM, "Time.", ("probe",), buckets=(0.005, 0.1, 1.0, 2_500_000.0))
UNTOUCHED = Family("posts_total", Kind.COUNTER, "Posts.", ("channel",))
FAMILIES = (COUNTED, ALONE, SHOWN, INSTANT, LASTED, UNTOUCHED)
WRITERS = [
    pytest.param(False, prometheus_client.generate_latest, id="text"),
    pytest.param(True, generate_openmetrics, id="OpenMetrics"),
]

Write = Callable[[prometheus_client.CollectorRegistry], bytes]
Words = st.text(st.characters(exclude_categories=[]), max_size=80)
Amounts = st.floats(min_value=0, allow_infinity=True, allow_nan=False)
Steps = st.one_of(
    st.tuples(st.just(COUNTED), Words, Amounts.filter(math.isfinite)),
    st.tuples(st.just(ALONE), Words, Amounts.filter(math.isfinite)),
    st.tuples(st.just(SHOWN), Words, st.floats()),
    st.tuples(st.just(INSTANT), Words, st.floats()),
    st.tuples(st.just(LASTED), Words, Amounts),
)


def tell(tally: Tally, family: Family, word: str, value: float) -> None:
    labels = (word, "kraken")[: len(family.labels)]
    match family.kind:
        case Kind.COUNTER:
            tally.count(family.name, *labels, by=value)
        case Kind.GAUGE:
            tally.put(family.name, *labels, value=value)
        case Kind.HISTOGRAM:
            tally.observe(family.name, *labels, value=value)


def lines(body: bytes) -> list[str]:
    """Families in one order, and the series of each: prometheus_client has them as they came, we as they changed."""
    return sorted(body.decode().removesuffix("# EOF\n").split("\n"))


@pytest.mark.parametrize(("openmetrics", "write"), WRITERS)
@settings(max_examples=40)
@given(steps=st.lists(st.tuples(Steps, st.booleans()), max_size=20))
def test_what_was_counted_is_written_as_the_library_would(
    openmetrics: bool, write: Write, steps: Sequence[tuple[tuple[Family, str, float], bool]]
) -> None:
    tally = Tally(FAMILIES)

    for (family, word, value), is_scraped in steps:
        tell(tally, family, word, value)
        if is_scraped:
            tally.block()

    ours = b"".join(assemble(FAMILIES, [tally.block()], openmetrics=openmetrics))
    assert lines(ours) == lines(write(tally.registry))


def test_a_series_that_is_taken_away_is_not_written_again() -> None:
    tally = Tally(FAMILIES)
    tally.put(SHOWN.name, "bitcoin", value=1)
    tally.block()
    tally.put(SHOWN.name, "tron", value=2)

    tally.put_only(SHOWN.name, {("ethereum",): 3.0})

    assert tally.block().lines[SHOWN.name] == b'cexwatch_height{network="ethereum"} 3.0\n'
    assert lines(b"".join(assemble(FAMILIES, [tally.block()], openmetrics=False))) == lines(
        prometheus_client.generate_latest(tally.registry)
    )


def test_much_is_written_in_pieces() -> None:
    tally = Tally(FAMILIES)
    for number in range(1000):
        tally.observe(LASTED.name, f"probe{number}", value=0.5)

    assert sum(1 for _ in tally.pieces()) == 1000 // 50 + 1
    assert [*tally.pieces()] == []


def test_what_no_block_has_is_not_begun() -> None:
    assert assemble(FAMILIES, [Block(lines={SHOWN.name: b"x 1\n"})], openmetrics=False) == [
        b"# HELP cexwatch_height Height.\n# TYPE cexwatch_height gauge\n",
        b"x 1\n",
    ]


@pytest.mark.parametrize("text", ["\ud800", "a" * 64 + "b", "Ω", ""])
def test_a_label_value_can_be_sent(text: str) -> None:
    assert len(cut(text)) <= 64
    assert cut(cut(text)) == cut(text)
    assert cut(text).encode().decode() == cut(text)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        pytest.param("", Format.TEXT, id="nothing said"),
        pytest.param("*/*", Format.TEXT, id="curl"),
        pytest.param("text/html,application/xhtml+xml,*/*;q=0.8", Format.TEXT, id="a browser"),
        pytest.param("application/json", Format.TEXT, id="neither of them"),
        pytest.param(PROMETHEUS_2, Format.OPENMETRICS, id="Prometheus 2"),
        pytest.param(PROMETHEUS_3, Format.OPENMETRICS, id="Prometheus 3"),
        pytest.param(f"text/plain;q=0.5, {OPENMETRICS};q=0.4", Format.TEXT, id="text weighs more"),
        pytest.param(f"text/plain;q=0.4,{OPENMETRICS};q=0.5", Format.OPENMETRICS, id="text weighs less"),
        pytest.param(f"text/plain, {OPENMETRICS}", Format.OPENMETRICS, id="both weigh the same"),
        pytest.param(f"{OPENMETRICS};q=0", Format.TEXT, id="refused"),
        pytest.param(f"{OPENMETRICS};q=0, */*", Format.TEXT, id="refused, anything else taken"),
        pytest.param(f"{OPENMETRICS};version=0.0.1", Format.TEXT, id="a version we do not write"),
        pytest.param(f"{OPENMETRICS};version=2.0.0", Format.TEXT, id="one that is to come"),
        pytest.param(f'{OPENMETRICS.upper()}; Version="1.0.0"; Q=1.0', Format.OPENMETRICS, id="in capitals and quotes"),
        pytest.param(f"{OPENMETRICS};q=0.2,*/*;q=0.5", Format.TEXT, id="anything weighs more"),
        pytest.param(f"{OPENMETRICS};q=0.2,text/*;q=0.1,*/*;q=0.9", Format.OPENMETRICS, id="the narrower range counts"),
        pytest.param(f"{OPENMETRICS};q=much", Format.TEXT, id="a weight that is no number"),
        pytest.param(f"{OPENMETRICS};q=nan", Format.TEXT, id="one that is none either"),
        pytest.param(f"{OPENMETRICS};q=7", Format.TEXT, id="one above all"),
        pytest.param(";;,,;q", Format.TEXT, id="garbage"),
    ],
)
def test_the_format_is_the_one_that_was_asked_for(accept: str, expected: Format) -> None:
    assert wanted(accept) is expected
