"""Pages of the address book as text: a list of addresses as a person would write it, and where it goes in a page."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from msgspec import Struct
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, SequenceNode

from monitor.reserves.pages import Node, WalletRole

_PLAIN = re.compile(r"[A-Za-z0-9](?:[\w ./@,?=&+()-]|:(?! ))*(?<!:)")


class Entry(Struct, frozen=True, kw_only=True):
    address: str
    role: WalletRole | None = None
    label: str = ""
    disputed_with: str = ""


class Addition(Struct, frozen=True, kw_only=True):
    """What one source says, by network."""

    source: str
    as_of: date
    wallets: Mapping[str, Sequence[Entry]]


class NoPlaceError(Exception):
    """The page is written in a way that a list cannot be added to without rewriting it all."""


def page(exchange: str, additions: Sequence[Addition]) -> str:
    """A new page."""
    text = (
        f"# Addresses said to be {exchange}'s: claims of the exchange or of a labeller, not proof of control, "
        f"and not all there are.\nexchange: {exchange}\nlists: []\n"
    )
    for addition in additions:
        text = added(text, addition)
    return text


def added(text: str, addition: Addition) -> str:
    """The page `text` with one more list at the end of its `lists`, and everything else as it was.

    `text` must be a page that can be read. Raises `NoPlaceError` where its `lists` are written in brackets.
    """
    text = text if text.endswith("\n") else text + "\n"  # a list ends in the line after its last
    lists = _lists(YAML(typ="safe", pure=True).compose(text))
    if not lists.value:
        start, end = lists.start_mark.index, lists.end_mark.index
        return f"{text[:start].rstrip()}\n{block(addition, indent=2)}{text[end:].lstrip(' ').removeprefix(chr(10))}"
    if lists.flow_style:
        raise NoPlaceError("its lists are written in brackets: write them as lines with dashes first")
    lines = text.splitlines(keepends=True)
    place = lists.end_mark.line
    while lines[place - 1].lstrip().startswith("#") or not lines[place - 1].strip():
        place -= 1
    lines.insert(place, block(addition, indent=lists.start_mark.column))
    return "".join(lines)


def block(addition: Addition, *, indent: int) -> str:
    """`addition` as lines of a page, the dash of the list behind `indent` spaces."""
    return "".join(f"{' ' * indent}{line}\n" for line in _lines(addition))


def _lines(addition: Addition) -> Iterator[str]:
    yield f"- source: {_scalar(addition.source)}"
    yield f"  as_of: {addition.as_of.isoformat()}"
    yield "  wallets:"
    for network, entries in addition.wallets.items():
        yield f"    {network}:"
        for entry in entries:
            yield f"      - {_entry(entry)}"


def _entry(entry: Entry) -> str:
    told: dict[str, str] = {}
    if entry.role is not None:
        told["role"] = entry.role
    if entry.label:
        told["label"] = json.dumps(entry.label, ensure_ascii=False)
    if entry.disputed_with:
        told["disputed_with"] = entry.disputed_with
    address = json.dumps(entry.address)
    if not told:
        return address
    return f"{{address: {address}, {', '.join(f'{name}: {value}' for name, value in told.items())}}}"


def _scalar(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _lists(root: Node | None) -> SequenceNode:
    match root:
        case MappingNode(value=list() as pairs):
            for key, value in pairs:
                match value:
                    case SequenceNode() if key.value == "lists":
                        return value
                    case _:
                        pass
        case _:
            pass
    raise NoPlaceError("it has no lists")
