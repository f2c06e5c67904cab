"""A CSV file to entries. A row that cannot be read is told with its line and column, and stops nothing else."""

import csv
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from msgspec import Struct

from monitor.config.yaml_file import suggestion
from monitor.imports.fields import FieldError, Shape, entry, value
from monitor.imports.mapping import Mapping, begins
from monitor.model import Observation

ONE = Decimal(1)
MORE = "\0"
"""Stands for the cells that have no column."""


class TableError(Exception):
    """The file as a whole cannot be read as the mapping says."""


class BadRow(Struct, frozen=True):
    """A row that is left out: its line, the column where it is one's, and what was expected."""

    line: int
    column: str
    message: str


class Imported(Struct, frozen=True):
    """Entries in order of time."""

    entries: Sequence[Observation]
    bad: Sequence[BadRow]


def read_table(path: Path, mapping: Mapping) -> Imported:
    """Raises TableError, OSError."""
    entries: list[Observation] = []
    bad: list[BadRow] = []
    try:
        with path.open(encoding=mapping.encoding, newline="") as file:
            reader = csv.DictReader(file, delimiter=mapping.delimiter, restkey=MORE, strict=True)
            _expect_columns(path, reader.fieldnames or [], mapping)
            for row in reader:
                try:
                    entries.append(_entry(row, mapping))
                except _CellError as error:
                    bad.append(BadRow(reader.line_num, error.column, error.message))
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: expected {mapping.encoding}: {error.reason} at byte {error.start}") from error
    except LookupError as error:
        raise TableError(f"{path}: {error}") from error
    except csv.Error as error:
        raise TableError(f"{path}: no CSV: {error}") from error
    entries.sort(key=lambda each: each.at)
    return Imported(entries, bad)


class _CellError(Exception):
    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column
        self.message = message


def _expect_columns(path: Path, header: Sequence[str], mapping: Mapping) -> None:
    lacking = [name for name in [mapping.at.column, *mapping.columns.values()] if name not in header]
    if lacking:
        raise TableError(f"{path}:1 has no column {lacking[0]!r}{suggestion(lacking[0], header)}")


def _entry(row: dict[str, str], mapping: Mapping) -> Observation:
    if MORE in row:
        raise _CellError("", "more cells than there are columns")
    texts = {field: (column, row[column]) for field, column in mapping.columns.items()}
    values: dict[str, object] = {"kind": mapping.name}
    for name, field in mapping.fields.items():
        column, text = texts.get(name, ("", mapping.constants.get(name)))
        if text is None and name in texts:
            raise _CellError(column, "the row ends before it")
        if text is None or (not text.strip() and not field.required):
            continue  # as if it were not told
        values[name] = _value(mapping, name, text.strip(), column)
    column = mapping.at.column
    if row[column] is None:
        raise _CellError(column, "the row ends before it")
    try:
        at = mapping.moment(row[column].strip())
    except FieldError as error:
        raise _CellError(column, str(error)) from error
    window = values.get("window_seconds", 0.0)
    match window:
        case float():
            values["at"] = begins(at, window_seconds=window, marks=mapping.at.marks)
        case _:
            values["at"] = at
    try:
        return entry(mapping.kind, values)
    except FieldError as error:
        raise _CellError("", str(error)) from error


def _value(mapping: Mapping, name: str, text: str, column: str) -> object:
    meant = mapping.names.get(name, {}).get(text, text)
    if column and mapping.decimal_comma and mapping.fields[name].shape in (Shape.NUMBER, Shape.WHOLE):
        meant = meant.replace(".", "").replace(",", ".")
    try:
        return value(mapping.fields[name], meant, scale=mapping.scale.get(name, ONE), moment=mapping.moment)
    except FieldError as error:
        raise _CellError(column or name, str(error)) from error


def told(path: Path, bad: Sequence[BadRow]) -> Iterator[str]:
    """ "flows.csv:17 outflow: expected a number, got 'n/a'"."""
    for row in bad:
        place = f"{path}:{row.line}"
        yield f"{place} {row.column}: {row.message}" if row.column else f"{place}: {row.message}"
