"""A YAML file as text, lists and mappings with the line of every key, and what is wrong with it in a person's words.

Scalars stay text and whoever asks for a number reads one, so `no`, `on`, `1e3` or a contract `0x...` are never guessed.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Document = str | None | list["Document"] | dict[str, "Document"]
Where = tuple[str | int, ...]
"""The way to a value: ("exchanges", "kraken", "interval"), ("control", "targets", 0)."""

_MAX_BYTES = 1_000_000
_MAX_REPEATED = 200  # values that aliases may repeat; a "billion laughs" file wants millions
_UNPRINTABLE = "holds a line break or another character that cannot be shown"
_TAGS = ("str", "int", "float", "bool", "null", "timestamp", "merge", "value", "map", "seq")

_EXPECTED = {
    "missing": "required",
    "int_parsing": "expected a whole number, got {got}",
    "int_parsing_size": "expected a smaller number",
    "int_type": "expected a whole number, got {got}",
    "float_parsing": "expected a number, got {got}",
    "float_type": "expected a number, got {got}",
    "finite_number": "expected a number, got {got}",
    "bool_parsing": "expected true or false, got {got}",
    "bool_type": "expected true or false, got {got}",
    "string_type": "expected text, got {got}",
    "string_too_short": "expected text, got nothing",
    "datetime_type": "expected a time like 2026-02-03T14:00:00Z, got {got}",
    "datetime_parsing": "expected a time like 2026-02-03T14:00:00Z, got {got}",
    "datetime_from_date_parsing": "expected a time like 2026-02-03T14:00:00Z, got {got}",
    "timezone_aware": "expected a time with its zone like 2026-02-03T14:00:00Z, got {got}",
    "path_type": "expected a path, got {got}",
    "dict_type": "expected a mapping like 'key: value', got {got}",
    "model_type": "expected a mapping like 'key: value', got {got}",
    "tuple_type": "expected a list like [a, b], got {got}",
    "enum": "expected {expected}, got {got}",
    "greater_than": "expected more than {gt:g}, got {got}",
    "greater_than_equal": "expected at least {ge:g}, got {got}",
    "less_than_equal": "expected at most {le:g}, got {got}",
    "too_short": "expected at least {min_length}, got {actual_length}",
}


class ConfigProblem(Struct, frozen=True, kw_only=True):
    """`cexwatch.yaml:41 exchanges.kraken.interval: expected a duration like 30s, got 'soon'`."""

    file: str
    line: int | None  # from 1; None where the file could not be read
    where: str  # "" is the file as a whole
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place} {self.where}: {self.message}" if self.where else f"{place}: {self.message}"


class ConfigError(Exception):
    """The operator misconfigured. Holds every problem found, in the order of the file."""

    def __init__(self, problems: Sequence[ConfigProblem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line or 0, problem.where)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ConfigFile(Struct, frozen=True, kw_only=True):
    """The file as a person wrote it, without what `problems` tell: repeated keys, tags, text that cannot be shown."""

    file: str
    document: dict[str, Document]
    lines: dict[Where, int]
    problems: tuple[ConfigProblem, ...]

    def problem(self, where: Where, message: str) -> ConfigProblem:
        """The line is that of the key, or of the nearest one around it that the file has."""
        known = next((where[:depth] for depth in range(len(where), 0, -1) if where[:depth] in self.lines), ())
        return ConfigProblem(file=self.file, line=self.lines.get(known, 1), where=spelled(where), message=message)


def read(path: Path) -> ConfigFile:
    """The file at `path`. Raises ConfigError if it cannot be read or is no YAML mapping or a bomb."""
    text = _text(path)
    reader = _Reader(str(path))
    try:
        document = reader.value(YAML(typ="safe", pure=True).compose(text), ())
    except MarkedYAMLError as error:
        raise ConfigError([_syntax_problem(error, str(path))]) from error
    except YAMLError as error:
        raise ConfigError([_problem(str(path), 1, "not YAML: it holds a control character")]) from error
    except RecursionError as error:
        raise ConfigError([_problem(str(path), 1, "nested too deeply")]) from error
    match document:
        case dict() | None:
            return ConfigFile(
                file=str(path), document=document or {}, lines=reader.lines, problems=tuple(reader.problems)
            )
        case _:
            raise ConfigError([_problem(str(path), 1, f"expected a mapping like 'key: value', got {quoted(document)}")])


def explain(kind: str, *, got: object, context: Mapping[str, object]) -> str:
    """A validation error of `kind` as "expected ..., got ...". Raises KeyError for a kind that no field can have."""
    match kind, got:
        case "value_error", _:
            return str(context["error"])
        case "model_type", str():
            shown = "text"  # which may be a secret, written where its section belongs
        case _:
            shown = quoted(got)
    return _EXPECTED[kind].format(got=shown, **context)


def quoted(value: object) -> str:
    match value:
        case str():
            return repr(value if len(value) <= 60 else value[:57] + "...")
        case None:
            return "nothing"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case _:
            return str(value)


def spelled(where: Where) -> str:
    """`control.targets[0]`. A key of unprintable characters is shown escaped."""
    return "".join(_step(step) for step in where).removeprefix(".")


def suggestion(word: str, known: Iterable[str]) -> str:
    """How a message goes on that refuses `word`: with the nearest of `known`, or with all of them."""
    names = sorted(known)
    if not names:
        return ""
    close = difflib.get_close_matches(word, names, n=1)
    return f", did you mean '{close[0]}'?" if close else f"; known here: {', '.join(names)}"


class _Reader:
    def __init__(self, file: str) -> None:
        self.lines: dict[Where, int] = {}
        self.problems: list[ConfigProblem] = []
        self._file = file
        self._seen: set[int] = set()
        self._repeated = 0

    def value(self, node: MappingNode | SequenceNode | ScalarNode | None, where: Where) -> Document:
        if node is None:
            return None
        self._count(node, where)
        self.lines.setdefault(where, _line(node))
        if str(node.tag).removeprefix("tag:yaml.org,2002:") not in _TAGS:
            self._wrong(where, node, f"tags like {node.tag} are not supported")
        match node:
            case MappingNode():
                return self._mapping(node, where)
            case SequenceNode():
                return [self.value(item, (*where, index)) for index, item in enumerate(node.value)]
            case ScalarNode():
                return self._scalar(node, where)

    def _mapping(self, node: MappingNode, where: Where) -> Document:
        values: dict[str, Document] = {}
        for key, value in node.value:
            match key:
                case ScalarNode(value=str(name)) if not name.isprintable():
                    self._wrong((*where, name), key, _UNPRINTABLE)
                case ScalarNode(value=str(name)) if name not in values:
                    self.lines[(*where, name)] = _line(key)
                    values[name] = self.value(value, (*where, name))
                case ScalarNode(value=str(name)):
                    first = self.lines[(*where, name)]
                    self._wrong((*where, name), key, f"written twice, first in line {first}")
                case _:
                    self._wrong(where, key, "a key must be text")
        return values

    def _scalar(self, node: ScalarNode, where: Where) -> str | None:
        text = str(node.value)
        if not text.isprintable():
            self._wrong(where, node, _UNPRINTABLE)
            return None
        is_null = str(node.tag).endswith(":null") and node.style is None
        return None if is_null else text

    def _count(self, node: Node, where: Where) -> None:
        self._repeated += id(node) in self._seen
        self._seen.add(id(node))
        if self._repeated > _MAX_REPEATED:
            self._wrong(where[:1], node, f"aliases repeat more than {_MAX_REPEATED} values")
            raise ConfigError(self.problems)

    def _wrong(self, where: Where, node: Node, message: str) -> None:
        self.problems.append(ConfigProblem(file=self._file, line=_line(node), where=spelled(where), message=message))


def _step(step: str | int) -> str:
    match step:
        case int():
            return f"[{step}]"
        case str():
            return f".{step if step.isprintable() else ascii(step)}"


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError([_problem(str(path), None, f"cannot be read: {error.strerror}")]) from error
    if len(raw) > _MAX_BYTES:
        raise ConfigError([_problem(str(path), None, "larger than 1 MB")])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError([_problem(str(path), line, "not UTF-8 text")]) from error


def _syntax_problem(error: MarkedYAMLError, file: str) -> ConfigProblem:
    mark = error.problem_mark or error.context_mark
    line = None if mark is None else int(mark.line) + 1
    if "'\\t'" in str(error.problem):
        return _problem(file, line, "not YAML: a tab where only spaces may indent")
    context = f"{error.context}, " if error.context else ""
    return _problem(file, line, f"not YAML: {context}{error.problem}")


def _problem(file: str, line: int | None, message: str) -> ConfigProblem:
    return ConfigProblem(file=file, line=line, where="", message=message)
