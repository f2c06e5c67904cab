"""Tables and series of others as entries: what can be read is, what cannot is told with its place, gaps stay gaps."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import ConfigError
from monitor.imports.mapping import read_mapping
from monitor.imports.ranges import Series, Span
from monitor.imports.series import Made, Wish, WishError, check, increases, made
from monitor.imports.table import BadRow, Imported, TableError, read_table, told
from monitor.model import Direction, Flow, RailState, RailStatus, WalletActivity
from tests.journals import at

FLOWS = """
kind: flow
at: {column: day, format: "%Y-%m-%d", zone: UTC, marks: start}
columns: {exchange: who, inflow: came, outflow: went, inflow_count: n}
constants: {asset: BTC, network: bitcoin, window_seconds: 86400}
"""
HEADER = "day,who,came,went,n\n"
STEP = 60.0


def mapping_file(folder: Path, text: str) -> Path:
    path = folder / "mapping.yaml"
    path.write_text(text)
    return path


def imported(folder: Path, table: str, mapping: str = FLOWS, *, encoding: str = "utf-8") -> Imported:
    path = folder / "table.csv"
    path.write_text(table, encoding=encoding)
    return read_table(path, read_mapping(mapping_file(folder, mapping)))


def test_columns_and_constants_become_fields(tmp_path: Path) -> None:
    read = imported(tmp_path, HEADER + "2022-11-08,ftx,10.5,20.25,7\n")
    assert not read.bad
    [flow] = read.entries
    assert flow == Flow(
        at=datetime(2022, 11, 9, tzinfo=UTC),
        exchange="ftx",
        probe="import",
        asset="BTC",
        network="bitcoin",
        window_seconds=86_400.0,
        inflow=Decimal("10.5"),
        outflow=Decimal("20.25"),
        inflow_count=7,
    )


def test_an_entry_is_of_the_end_of_its_window_for_before_nobody_could_know(tmp_path: Path) -> None:
    ends = FLOWS.replace("marks: start", "marks: end")
    table = HEADER + "2022-11-08,ftx,1,2,\n"
    assert imported(tmp_path, table, ends).entries[0].at == datetime(2022, 11, 8, tzinfo=UTC)
    assert imported(tmp_path, table).entries[0].at == datetime(2022, 11, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "column", "message"),
    [
        pytest.param("2022-11-08,ftx,n/a,2,3", "came", "expected a number, got 'n/a'", id="words"),
        pytest.param("2022-11-08,ftx,,2,3", "came", "expected a number, got ''", id="nothing where it is needed"),
        pytest.param("2022-11-08,ftx,NaN,2,3", "came", "expected a number, got 'NaN'", id="NaN"),
        pytest.param("2022-11-08,ftx,1,-2,3", "went", "expected nothing below zero, got '-2'", id="below zero"),
        pytest.param("2022-11-08,ftx,1,2,3.5", "n", "expected a whole number, got '3.5'", id="half a payment"),
        pytest.param("08.11.2022,ftx,1,2,3", "day", "expected a time (%Y-%m-%d), got '08.11.2022'", id="time"),
        pytest.param("2022-11-08,ftx,1", "went", "the row ends before it", id="too short"),
        pytest.param("2022-11-08,ftx,1,2,3,4", "", "more cells than there are columns", id="too long"),
    ],
)
def test_a_row_that_cannot_be_read_is_told_and_stops_nothing(
    tmp_path: Path, row: str, column: str, message: str
) -> None:
    read = imported(tmp_path, f"{HEADER}2022-11-07,ftx,1,2,3\n{row}\n2022-11-09,ftx,1,2,\n")
    assert [entry.at.day for entry in read.entries] == [8, 10]
    assert list(read.bad) == [BadRow(3, column, message)]
    place = f"table.csv:3 {column}: {message}" if column else f"table.csv:3: {message}"
    assert list(told(Path("table.csv"), read.bad)) == [place]


def test_whole_numbers_may_be_written_with_a_point_as_spreadsheets_do(tmp_path: Path) -> None:
    [flow] = imported(tmp_path, HEADER + "2022-11-08,ftx,1e3,2,7.0\n").entries
    assert isinstance(flow, Flow)
    assert (flow.inflow, flow.inflow_count) == (Decimal(1000), 7)


def test_what_is_left_empty_is_not_known_and_not_zero(tmp_path: Path) -> None:
    [flow] = imported(tmp_path, HEADER + "2022-11-08,ftx,1,2,\n").entries
    assert isinstance(flow, Flow)
    assert flow.inflow_count is None


def test_entries_come_in_order_of_time(tmp_path: Path) -> None:
    read = imported(tmp_path, HEADER + "2022-11-09,ftx,1,2,3\n2022-11-08,ftx,1,2,3\n")
    assert [entry.at.day for entry in read.entries] == [9, 10]


def test_units_names_and_the_manner_of_a_country(tmp_path: Path) -> None:
    mapping = """
kind: wallet_activity
at: {column: zeit, format: "%d.%m.%Y %H:%M", zone: Europe/Berlin}
columns: {exchange: boerse, outgoing: anzahl, amount: menge}
constants: {network: bitcoin, window_seconds: 60, coverage: 0.5}
scale: {amount: 0.00000001}
names: {exchange: {"Kraken 4": kraken}}
delimiter: ";"
decimal_comma: true
encoding: latin-1
"""
    table = "zeit;boerse;anzahl;menge;straße\n03.07.2026 14:00;Kraken 4;1.234;250.000.000,5;ä\n"
    [paid] = imported(tmp_path, table, mapping, encoding="latin-1").entries
    assert isinstance(paid, WalletActivity)
    assert (paid.at, paid.exchange) == (datetime(2026, 7, 3, 12, tzinfo=UTC), "kraken")
    assert (paid.outgoing, paid.amount, paid.coverage) == (1234, Decimal("2.500000005"), 0.5)


@pytest.mark.parametrize(
    ("form", "text"),
    [("unix", "1770120000"), ("unix_ms", "1770120000000"), ("rfc3339", "2026-02-03T13:00:00+01:00")],
)
def test_forms_of_time(tmp_path: Path, form: str, text: str) -> None:
    mapping = FLOWS.replace('format: "%Y-%m-%d", zone: UTC, marks: start', f"format: {form}")
    [flow] = imported(tmp_path, f"{HEADER}{text},ftx,1,2,3\n", mapping).entries
    assert flow.at == datetime(2026, 2, 3, 12, tzinfo=UTC)


def test_a_time_without_a_zone_is_not_guessed(tmp_path: Path) -> None:
    read = imported(tmp_path, HEADER + "2022-11-08,ftx,1,2,3\n", FLOWS.replace(", zone: UTC", ""))
    assert [bad.message for bad in read.bad] == [
        "expected a time with its zone, got '2022-11-08': name it with `at: {zone: UTC}`"
    ]


def test_words_that_a_field_knows(tmp_path: Path) -> None:
    mapping = """
kind: rail_status
at: {column: t}
columns: {state: state, raw: state}
constants: {exchange: gate, asset: BTC, network: bitcoin, direction: withdrawal}
names: {state: {"0": suspended}}
"""
    read = imported(tmp_path, "t,state\n2026-02-03T12:00:00Z,0\n2026-02-03T12:01:00Z,perhaps\n", mapping)
    [status] = read.entries
    assert isinstance(status, RailStatus)
    assert (status.state, status.raw, status.direction) == (RailState.SUSPENDED, "0", Direction.WITHDRAWAL)
    assert [(bad.line, "'perhaps'" in bad.message) for bad in read.bad] == [(3, True)]


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    assert len(imported(tmp_path, "\ufeff" + HEADER + "2022-11-08,ftx,1,2,3\n").entries) == 1


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(
            "kind: flow", "kind: flows", ":2 kind: 'flows' cannot be imported, did you mean 'flow'?", id="kind"
        ),
        pytest.param("inflow: came", "inflo: came", ":4 columns.inflo: flow has no such field", id="field"),
        pytest.param("outflow: went, ", "", ":2 kind: flow needs outflow: as a column or a constant", id="lacking"),
        pytest.param("zone: UTC", "zone: Mars", ":3 at.zone: expected a time zone like UTC", id="zone"),
        pytest.param("marks: start", "marks: middle", ":3 at.marks: invalid enum value 'middle'", id="marks"),
        pytest.param("asset: BTC", "asset: BTC, inflow: 1", ":5 constants.inflow: is a column too", id="twice"),
        pytest.param("at: {column: day", "when: {column: day", ":2 kind: object", id="unknown key"),
    ],
)
def test_a_mapping_that_does_not_fit_says_where(tmp_path: Path, old: str, new: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_mapping(mapping_file(tmp_path, FLOWS.replace(old, new)))
    assert expected in str(caught.value)


def test_a_column_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"table\.csv:1 has no column 'went', did you mean 'want'\?"):
        imported(tmp_path, HEADER.replace("went", "want"))


def wish(kind: str = "wallet_activity", **changes: object) -> Wish:
    made_of: dict[str, object] = {
        "kind": kind,
        "queries": {"outgoing": "sent_total"},
        "constants": {"exchange": "kraken"},
        "step_seconds": STEP,
        **changes,
    }
    return Wish(**made_of)  # type: ignore[arg-type]


def series(values: dict[int, float], **labels: str) -> Series:
    """Values by minute."""
    return Series(labels, [(at(minute).timestamp(), value) for minute, value in values.items()])


def outgoing(found: Made) -> list[tuple[int, int]]:
    """Minute and count."""
    return [
        (round((entry.at - at(0)).total_seconds() / 60), entry.outgoing)
        for entry in found.entries
        if isinstance(entry, WalletActivity)
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({0: 5, 1: 8, 2: 8, 3: 10}, [(1, 3), (2, 0), (3, 2)], id="what it grew by"),
        pytest.param({0: 5, 1: 8, 2: 2, 3: 4}, [(1, 3), (2, 2), (3, 2)], id="it began again from zero"),
        pytest.param({0: 5, 1: 8, 4: 20, 5: 21}, [(1, 3), (5, 1)], id="a gap is no entry and no zero"),
        pytest.param({0: 5}, [], id="one value tells no increase"),
        pytest.param({}, [], id="nothing"),
    ],
)
def test_counters(values: dict[int, float], expected: list[tuple[int, int]]) -> None:
    assert outgoing(made(wish(), {"outgoing": [series(values, network="bitcoin")]})) == expected


@given(st.lists(st.integers(0, 50), max_size=30), st.sets(st.integers(0, 30)))
def test_a_counter_that_restarts_loses_at_most_what_came_before_the_restart(
    steps: list[int], restarts: set[int]
) -> None:
    total, values = 0, []
    for minute, step in enumerate(steps):
        total = step if minute in restarts else total + step
        values.append((minute * STEP, float(total)))
    grown = [grew for _, grew in increases(values, step=STEP)]
    assert all(0 <= grew <= step or grew == step for grew, step in zip(grown, steps[1:], strict=True))


def test_rates_are_rounded_half_up() -> None:
    found = made(wish(counted=True), {"outgoing": [series({0: 2.4, 1: 2.5}, network="bitcoin")]})
    assert outgoing(found) == [(0, 2), (1, 3)]


def test_two_measures_are_joined_where_both_are_known() -> None:
    wanted = wish("flow", queries={"inflow": "a", "outflow": "b"}, constants={"exchange": "x", "network": "bitcoin"})
    told_by = {
        "inflow": [series({0: 0, 1: 1.5, 2: 3, 3: 4}, asset="BTC")],
        "outflow": [series({0: 0, 1: 2, 3: 5}, asset="BTC")],
    }
    [flow] = made(wanted, told_by).entries
    assert isinstance(flow, Flow)
    assert (flow.at, flow.inflow, flow.outflow, flow.window_seconds) == (at(1), Decimal("1.5"), Decimal(2), 60.0)


def test_a_series_that_does_not_say_what_it_is_of_is_told() -> None:
    found = made(wish(), {"outgoing": [series({0: 1, 1: 2}, chain="bitcoin"), series({0: 1, 1: 2}, network="tron")]})
    assert [left.why for left in found.left] == [
        "nothing tells its network: --set network=..., or --label network=LABEL"
    ]
    assert len(found.entries) == 1
    named = made(wish(labels={"network": "chain"}), {"outgoing": [series({0: 1, 1: 2}, chain="bitcoin")]})
    assert (len(named.entries), named.left) == (1, [])


def test_two_series_of_one_thing_are_not_added_up_in_silence() -> None:
    twins = [series({0: 1, 1: 2}, network="tron", pod=pod) for pod in ("a", "b")]
    found = made(wish(), {"outgoing": twins})
    assert len(found.entries) == 1
    assert [left.why for left in found.left] == ["a second series of outgoing: aggregate with `sum by (...)`"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        pytest.param(wish("flow", queries={"inflow": "a"}), "flow needs a query for outflow", id="one of two"),
        pytest.param(wish(queries={"sent": "a"}), "wallet_activity has no such field", id="a measure it has not"),
        pytest.param(wish(constants={"asset": "BTC"}), "--set asset=: wallet_activity has no", id="a field it has not"),
    ],
)
def test_a_wish_that_does_not_fit_says_what_to_do(wanted: Wish, expected: str) -> None:
    with pytest.raises(WishError, match=expected):
        check(wanted)


def test_long_ranges_are_asked_in_pieces_that_lose_and_repeat_nothing() -> None:
    span = Span(at(0), at(25_000), (at(1) - at(0)))
    pieces = list(span.pieces(10_000))
    assert [piece.points for piece in pieces] == [10_000, 10_000, 5_001]
    times = [piece.begin + n * piece.step for piece in pieces for n in range(piece.points)]
    assert times == [at(minute) for minute in range(25_001)]
