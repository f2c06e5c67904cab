"""The formats that outlive a version: the lines of docs/journal.md and the rows of the first schema."""

from pathlib import Path

import msgspec
import pytest

from monitor.model import Observation, Transition
from monitor.store import layout
from monitor.store.layout import Series
from monitor.store.schema import microseconds
from tests.server.store_samples import example_lines, examples

ROWS = Path(__file__).with_name("store_format_1.txt").read_text().splitlines()
"""`kind`, body in hex and series keys of the documented examples, as schema 0001 stored them."""


@pytest.mark.parametrize("row", [pytest.param(row, id=row.split(" ", 1)[0]) for row in ROWS])
def test_a_row_of_the_first_schema_is_still_read(row: str) -> None:
    kind, body, keys = row.split(" ", 2)
    example = msgspec.json.decode(example_lines()[kind], type=Observation)
    names = msgspec.json.decode(keys, type=tuple[str | None, ...])
    decoder = layout.decoder(Series(kind, example.exchange, example.probe, example.vantage, names))
    assert decoder.decode(microseconds(example.at), bytes.fromhex(body)) == example


def test_every_kind_has_a_row_and_a_documented_line() -> None:
    kinds = {layout.tag_of(kind) for kind in layout.KEYS}
    assert set(example_lines()) == kinds == {row.split(" ", 1)[0] for row in ROWS}


def test_a_documented_line_shows_every_field_of_its_kind() -> None:
    for example, line in zip(examples(), example_lines().values(), strict=True):
        assert {"kind", *example.__struct_fields__} == set(msgspec.json.decode(line))


def test_the_documented_transition_is_one() -> None:
    page = Path(__file__).parents[2] / "docs" / "journal.md"
    (line,) = [line for line in page.read_text().splitlines() if line.startswith('{"at"')]
    transition = msgspec.json.decode(line, type=Transition)
    assert msgspec.json.encode(transition).decode() == line


def test_a_row_from_before_a_field_was_added_takes_its_default() -> None:
    terms = msgspec.json.decode(example_lines()["rail_terms"], type=Observation)
    whole = layout.encode(terms)
    shorter = msgspec.msgpack.encode(msgspec.msgpack.decode(whole.body)[:-1])
    read = layout.decoder(whole.series).decode(whole.at, shorter)
    assert read == msgspec.structs.replace(terms, confirmations=None)
