"""A page of the address book as a person wrote it: every value with its line, and what is wrong with it in words.

The text is read node by node: a reader that keeps comments takes three times as long for a book of thousands.
"""

from collections.abc import Collection, Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Literal

from msgspec import Struct
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

WalletRole = Literal["hot", "cold"]
Node = MappingNode | SequenceNode | ScalarNode

_LONGEST_SHOWN = 60
_ROLES: dict[str, WalletRole] = {"hot": "hot", "cold": "cold"}


class Place(Struct, frozen=True):
    """Where something is written: `kraken.yaml:7 lists[0].wallets.ethereum[0]`."""

    file: str
    line: int
    path: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.path}" if self.path else f"{self.file}:{self.line}"


class Wallet(Struct, frozen=True, kw_only=True):
    """As written: neither its network nor its address is verified yet."""

    network: str
    address: str
    role: WalletRole | None = None
    label: str = ""
    disputed_with: str = ""
    source: str
    as_of: date
    place: Place


class Total(Struct, frozen=True, kw_only=True):
    """What an exchange says itself to hold of an asset, in whole coins."""

    asset: str
    amount: Decimal
    as_of: date
    source: str


class Page(Struct, frozen=True, kw_only=True):
    exchange: str
    wallets: tuple[Wallet, ...]
    published: tuple[Total, ...]
    problems: tuple[str, ...]


def read(file: str, text: str) -> Page:
    """What can be read of a page, and everything that is wrong with the rest. `exchange` is "" where it is not told."""
    problems: list[str] = []
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problems.append(f"{file}:{mark.line + 1 if mark else 1}: not YAML: {error.problem}")
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problems.append(f"{file}:{line}: not YAML: it holds a control character")
    except YAMLError as error:
        problems.append(f"{file}:1: not YAML: {error}")
    except RecursionError:
        problems.append(f"{file}:1: nested too deeply")
    else:
        return _Reader(file, problems).page(root)
    return Page(exchange="", wallets=(), published=(), problems=tuple(problems))


class _Problem(Exception):  # noqa: N818 - it never leaves this module
    """This value cannot be read; it has been told why."""


class _Reader:
    def __init__(self, file: str, problems: list[str]) -> None:
        self._file = file
        self._problems = problems

    def page(self, root: Node | None) -> Page:
        exchange, wallets, published = "", list[Wallet](), list[Total]()
        if root is None:
            self._tell(Place(self._file, 1, ""), "expected `exchange` and `lists`, got nothing")
        else:
            try:
                fields = self._mapping(root, "", required=("exchange", "lists"), optional=("published",))
                exchange = self._text(fields, "exchange", "")
                wallets = list(self._wallets(fields["lists"]))
                published = list(self._published(fields["published"])) if "published" in fields else []
            except _Problem:
                pass
        return Page(
            exchange=exchange, wallets=tuple(wallets), published=tuple(published), problems=tuple(self._problems)
        )

    def _wallets(self, lists: Node) -> Iterator[Wallet]:
        for index, part in enumerate(self._items(lists, "lists")):
            path = f"lists[{index}]"
            try:
                fields = self._mapping(part, path, required=("source", "as_of", "wallets"))
                source, as_of = self._text(fields, "source", path), self._day(fields, path)
                networks = self._mapping(fields["wallets"], f"{path}.wallets")
            except _Problem:
                continue
            for network, entries in networks.items():
                yield from self._of_network(entries, f"{path}.wallets.{network}", network, source=source, as_of=as_of)

    def _of_network(self, entries: Node, path: str, network: str, *, source: str, as_of: date) -> Iterator[Wallet]:
        try:
            items = self._items(entries, path)
        except _Problem:
            return
        for index, entry in enumerate(items):
            place = self._place(entry, f"{path}[{index}]")
            match entry:
                case ScalarNode(value=str(address)) if address:
                    yield Wallet(network=network, address=address, source=source, as_of=as_of, place=place)
                case MappingNode():
                    try:
                        yield self._wallet(entry, place, network, source=source, as_of=as_of)
                    except _Problem:
                        continue
                case _:
                    self._tell(place, "expected an address, or {address, label, role, disputed_with}")

    def _wallet(self, entry: MappingNode, place: Place, network: str, *, source: str, as_of: date) -> Wallet:
        path = place.path
        fields = self._mapping(entry, path, required=("address",), optional=("label", "role", "disputed_with"))
        role = self._text(fields, "role", path) if "role" in fields else ""
        if role and role not in _ROLES:
            raise self._wrong(fields["role"], f"{path}.role", f"expected hot or cold, got {role!r}")
        return Wallet(
            network=network,
            address=self._text(fields, "address", path),
            role=_ROLES.get(role),
            label=self._text(fields, "label", path) if "label" in fields else "",
            disputed_with=self._text(fields, "disputed_with", path) if "disputed_with" in fields else "",
            source=source,
            as_of=as_of,
            place=place,
        )

    def _published(self, totals: Node) -> Iterator[Total]:
        for index, total in enumerate(self._items(totals, "published")):
            path = f"published[{index}]"
            try:
                fields = self._mapping(total, path, required=("asset", "amount", "as_of", "source"))
                yield Total(
                    asset=self._text(fields, "asset", path).upper(),
                    amount=self._amount(fields, path),
                    as_of=self._day(fields, path),
                    source=self._text(fields, "source", path),
                )
            except _Problem:
                continue

    def _mapping(
        self, node: Node, path: str, *, required: Collection[str] = (), optional: Collection[str] = ()
    ) -> dict[str, Node]:
        """The values by key: any key where none is required. Tells all that is wrong with the keys before it raises."""
        match node:
            case MappingNode():
                pass
            case _:
                raise self._wrong(node, path, f"expected a mapping like 'key: value', got {_shown(node)}")
        found: dict[str, Node] = {}
        told = len(self._problems)
        for key, value in node.value:
            name = str(key.value)
            if name in found:
                self._wrong(key, _joined(path, name), f"{name} is written twice; join the two")
            elif required and name not in (*required, *optional):
                self._wrong(key, _joined(path, name), f"unknown field; known here: {', '.join((*required, *optional))}")
            found[name] = value
        for name in required:
            if name not in found:
                self._wrong(node, path, f"missing required field `{name}`")
        if len(self._problems) > told:
            raise _Problem
        return found

    def _items(self, node: Node, path: str) -> list[Node]:
        match node:
            case SequenceNode(value=list() as items):
                return items
            case _:
                raise self._wrong(node, path, f"expected a list, got {_shown(node)}")

    def _text(self, fields: dict[str, Node], name: str, path: str) -> str:
        match fields[name]:
            case ScalarNode(value=str(text)) if text and text.isprintable():
                return text
            case node:
                raise self._wrong(node, _joined(path, name), f"expected text, got {_shown(node)}")

    def _day(self, fields: dict[str, Node], path: str) -> date:
        text = self._text(fields, "as_of", path)
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            message = f"expected a day like 2026-08-22, got {text!r}"
            raise self._wrong(fields["as_of"], _joined(path, "as_of"), message) from error

    def _amount(self, fields: dict[str, Node], path: str) -> Decimal:
        text = self._text(fields, "amount", path)
        try:
            amount = Decimal(text)
        except InvalidOperation:
            amount = Decimal("NaN")
        if not amount.is_finite() or amount < 0:
            message = f"expected whole coins like 412000.5, got {text!r}"
            raise self._wrong(fields["amount"], _joined(path, "amount"), message)
        return amount

    def _wrong(self, node: Node, path: str, message: str) -> _Problem:
        self._tell(self._place(node, path), message)
        return _Problem()

    def _tell(self, place: Place, message: str) -> None:
        self._problems.append(f"{place}: {message}")

    def _place(self, node: Node, path: str) -> Place:
        return Place(self._file, int(node.start_mark.line) + 1, path)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _shown(node: Node) -> str:
    match node:
        case ScalarNode(value=str(text)):
            return repr(text[:_LONGEST_SHOWN]) if text else "nothing"
        case SequenceNode():
            return "a list"
        case _:
            return "a mapping"
