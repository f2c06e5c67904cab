"""How a table becomes entries: which column is which field, in which units, and how its times are written."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Struct

from monitor.config.yaml_file import ConfigError, ConfigFile, ConfigProblem, Where, read, suggestion
from monitor.imports.fields import KINDS, Field, FieldError, Kind, fields_of, missing

RFC3339, UNIX, UNIX_MS = "rfc3339", "unix", "unix_ms"
PROBE = "import"

_PATH = re.compile(r"^(?P<what>.*?)(?: - at `(?:key in )?\$(?P<path>.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.([\w-]+)")


class TimeColumn(Struct, frozen=True, forbid_unknown_fields=True):
    """`format`: rfc3339, unix, unix_ms, or a pattern of strptime. A journal's time is when a window ends."""

    column: str
    format: str = RFC3339
    zone: str = ""  # of times that have none
    marks: Literal["start", "end"] = "end"  # of the window that a row tells of


class _Written(Struct, frozen=True, forbid_unknown_fields=True):
    kind: str
    at: TimeColumn
    columns: dict[str, str] = {}
    constants: dict[str, str] = {}
    scale: dict[str, Decimal] = {}
    names: dict[str, dict[str, str]] = {}
    delimiter: str = ","
    decimal_comma: bool = False
    encoding: str = "utf-8-sig"  # UTF-8, with a byte order mark or without


class Mapping(Struct, frozen=True, kw_only=True):
    """A mapping that fits its kind."""

    kind: Kind
    name: str
    fields: dict[str, Field]
    at: TimeColumn
    zone: tzinfo | None
    columns: dict[str, str]  # field -> column
    constants: dict[str, str]  # field -> text
    scale: dict[str, Decimal]  # field -> what its numbers are multiplied by
    names: dict[str, dict[str, str]]  # field -> what is written -> what is meant
    delimiter: str
    decimal_comma: bool
    encoding: str

    def moment(self, text: str) -> datetime:
        """A time as the file writes it, in UTC. Raises FieldError."""
        found = _moment(text, self.at.format)
        if found.tzinfo is None:
            if self.zone is None:
                raise FieldError(f"expected a time with its zone, got {text!r}: name it with `at: {{zone: UTC}}`")
            found = found.replace(tzinfo=self.zone)
        return found.astimezone(UTC)


def read_mapping(path: Path) -> Mapping:
    """Raises ConfigError with every problem and its line."""
    file = read(path)
    if file.problems:
        raise ConfigError(file.problems)
    try:
        written = msgspec.convert(file.document, type=_Written, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError([_problem(file, error)]) from error
    kind = KINDS.get(written.kind)
    if kind is None:
        raise ConfigError(
            [file.problem(("kind",), f"{written.kind!r} cannot be imported{suggestion(written.kind, KINDS)}")]
        )
    fields = fields_of(kind)
    problems = [*_wrong(file, written, fields), *_zone_problems(file, written)]
    if problems:
        raise ConfigError(problems)
    return Mapping(
        kind=kind,
        name=written.kind,
        fields=fields,
        at=written.at,
        zone=ZoneInfo(written.at.zone) if written.at.zone else None,
        columns=written.columns,
        constants={"probe": PROBE, **written.constants} if "probe" not in written.columns else written.constants,
        scale=written.scale,
        names=written.names,
        delimiter="\t" if written.delimiter == "tab" else written.delimiter,
        decimal_comma=written.decimal_comma,
        encoding=written.encoding,
    )


def begins(at: datetime, *, window_seconds: float, marks: str) -> datetime:
    """The time of the entry: the end of its window, for before that nobody could know."""
    return at + timedelta(seconds=window_seconds) if marks == "start" else at


def _moment(text: str, form: str) -> datetime:
    try:
        match form:
            case "rfc3339":
                return datetime.fromisoformat(text)
            case "unix":
                return datetime.fromtimestamp(float(text), UTC)
            case "unix_ms":
                return datetime.fromtimestamp(float(text) / 1000, UTC)
            case _:
                return datetime.strptime(text, form)  # noqa: DTZ007 - its zone is asked for by who calls
    except (ValueError, OverflowError, OSError) as error:
        raise FieldError(f"expected a time ({form}), got {text!r}") from error


def _wrong(file: ConfigFile, written: _Written, fields: dict[str, Field]) -> Iterator[ConfigProblem]:
    for section, given in (
        ("columns", written.columns),
        ("constants", written.constants),
        ("scale", written.scale),
        ("names", written.names),
    ):
        for name in given:
            if name not in fields:
                yield file.problem((section, name), f"{written.kind} has no such field{suggestion(name, fields)}")
    for name in written.constants:
        if name in written.columns:
            yield file.problem(("constants", name), "is a column too")
    lacking = missing(fields, [*written.columns, *written.constants, "probe"])
    if lacking:
        yield file.problem(("kind",), f"{written.kind} needs {', '.join(lacking)}: as a column or a constant")
    if len(written.delimiter) != 1 and written.delimiter != "tab":
        yield file.problem(("delimiter",), f"expected one character or tab, got {written.delimiter!r}")


def _zone_problems(file: ConfigFile, written: _Written) -> Iterator[ConfigProblem]:
    try:
        if written.at.zone:
            ZoneInfo(written.at.zone)
    except (ZoneInfoNotFoundError, ValueError):
        yield file.problem(("at", "zone"), f"expected a time zone like UTC or Europe/Berlin, got {written.at.zone!r}")


def _problem(file: ConfigFile, error: msgspec.ValidationError) -> ConfigProblem:
    found = _PATH.match(str(error))
    what, path = (found["what"], found["path"] or "") if found is not None else (str(error), "")
    where: Where = tuple(_STEP.findall(path))
    return file.problem(where or ("kind",), what[0].lower() + what[1:])
