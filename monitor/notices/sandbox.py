"""Templates of others, kept small: what one can write costs bounded time and memory, without a clock to say so.

A template may branch, walk a list once and use a few filters. It can neither call, assign, import nor multiply text,
and loops do not nest, so its work is at most its own size times the size of what it is given.
"""

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache, wraps
from types import TracebackType
from typing import NoReturn

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, UndefinedError, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

LONGEST_TEMPLATE = 8_000
LONGEST_TEXT = 4_000

Word = str | bool | list[str]

FILTERS = ("capitalize", "default", "first", "join", "last", "length", "lower", "title", "trim", "upper")
_OF_A_LOOP = ("first", "index", "last", "length")
_TESTS = ("defined", "undefined", "true", "false", "none", "equalto", "eq", "==", "ne", "!=", "in")
_FORBIDDEN: tuple[tuple[type[nodes.Node], str], ...] = (
    (nodes.Assign, "no `set`"),
    (nodes.AssignBlock, "no `set`"),
    (nodes.Block, "no `block`"),
    (nodes.Call, "no call of a function or method"),
    (nodes.CallBlock, "no `call`"),
    (nodes.Extends, "no `extends`"),
    (nodes.FilterBlock, "no `filter` block; write `word | filter`"),
    (nodes.FromImport, "no `import`"),
    (nodes.Import, "no `import`"),
    (nodes.Include, "no `include`"),
    (nodes.Macro, "no `macro`"),
    (nodes.With, "no `with`"),
)


class WordingError(Exception):
    """A template that does not compile or does not render. Says why in a person's words; `line` counts from 1."""

    def __init__(self, reason: str, *, line: int | None = None) -> None:
        super().__init__(reason if line is None else f"line {line}: {reason}")
        self.reason = reason
        self.line = line


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja without calls. What an operator or filter makes may be no longer than a text."""

    intercepted_binops = frozenset({"+", "*", "**", "%", "//", "/", "-"})

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        match left, right:
            case (int() | float(), int() | float()) if operator not in ("**", "%"):
                return super().call_binop(context, operator, left, right)
            case (str(), str()) if operator == "+":
                return _bounded(left + right)
            case _:
                raise SecurityError(f"expected numbers around '{operator}'")

    def is_safe_callable(self, obj: object) -> bool:  # noqa: ARG002 - Jinja calls it
        return False

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:  # noqa: ARG002 - Jinja calls it
        match obj:
            case LoopContext():
                return attr in _OF_A_LOOP
            case _:
                return False


def rendered(template: str, words: Mapping[str, Word]) -> str:
    """What `template` makes of `words`, before lines are joined. Raises WordingError."""
    try:
        return _cut(_compiled(template), words)
    except UndefinedError as error:
        raise WordingError(_unknown(str(error), words), line=_line_of(error.__traceback__)) from error
    # What an expression of Jinja can raise by itself, e.g. on a division or a missing key.
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise WordingError(str(error), line=_line_of(error.__traceback__)) from error
    except (RecursionError, MemoryError, SyntaxError) as error:
        raise WordingError("needs too much") from error


def _cut(template: Template, words: Mapping[str, Word]) -> str:
    text = ""
    for piece in template.generate(**words):
        text = _bounded(text + piece)
    return text


@lru_cache(maxsize=128)  # compiling takes longer than all the rest of a draft
def _compiled(template: str) -> Template:
    if len(template) > LONGEST_TEMPLATE:
        raise WordingError(f"expected at most {LONGEST_TEMPLATE:,} characters, got {len(template):,}")
    environment = _environment()
    try:
        _admit(environment.parse(template))
        return environment.from_string(template)
    except TemplateSyntaxError as error:
        raise WordingError(_expected(error.message or ""), line=error.lineno) from error
    except (RecursionError, MemoryError, SyntaxError) as error:
        raise WordingError("needs too much") from error


def _environment() -> _Sandbox:
    environment = _Sandbox(
        undefined=StrictUndefined,
        autoescape=False,  # plain text, never HTML
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Neither chance nor addresses of objects may get into a text: the same facts give the same words.
    environment.globals.clear()
    environment.filters = {name: _short(environment.filters[name]) for name in FILTERS}
    environment.tests = {name: environment.tests[name] for name in _TESTS}
    return environment


def _admit(tree: nodes.Template) -> None:
    for kind, why in _FORBIDDEN:
        for found in tree.find_all(kind):
            _refuse(why, found)
    for loop in tree.find_all(nodes.For):
        if loop.recursive or any(True for _ in loop.find_all(nodes.For)):
            _refuse("no loop within a loop", loop)


def _refuse(why: str, found: nodes.Node) -> NoReturn:
    raise WordingError(f"expected {why}", line=found.lineno)


def _short(made: Callable[..., object]) -> Callable[..., object]:
    """The filter, refused where it makes more than a text. Keeps the marks by which Jinja passes it a context."""

    @wraps(made)
    def limited(*given: object, **named: object) -> object:
        match made(*given, **named):
            case str(text):
                return _bounded(text)
            case other:
                return other

    return limited


def _bounded(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise SecurityError(f"expected at most {LONGEST_TEXT:,} characters")
    return text


def _unknown(said: str, words: Mapping[str, Word]) -> str:
    name = said.partition("'")[2].partition("'")[0]
    near = get_close_matches(name, list(words), n=1)
    return f"{said}; did you mean {near[0]}?" if near else f"{said}; expected one of {_listed(sorted(words))}"


def _expected(said: str) -> str:
    if said.startswith("No filter named"):
        return f"{said} expected one of {_listed(FILTERS)}"
    return said


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def _line_of(traceback: TracebackType | None) -> int | None:
    """The line of the template that raised: Jinja puts it into the traceback as of a file `<template>`."""
    line = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == "<template>":
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line
