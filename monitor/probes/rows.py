"""Rows of a list one by one, so that a row which is not what it should be costs itself and not the list."""

import re
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

import msgspec
from msgspec import Raw, Struct

from monitor.model import FailureReason, RemoteError
from monitor.probes.answer import shortened

MOST_FLAWS = 100
LONGEST_NAME = 64

T = TypeVar("T")

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")


class Flaw(Struct, frozen=True):
    """What cannot be read. `asset`: whose rails that costs, "" where not even its name can be read."""

    detail: str  # ends with the path in the body
    asset: str = ""


class Rows(Struct, Generic[T], frozen=True):
    good: list[T]
    flaws: list[Flaw]


def rows(raws: Sequence[Raw], shape: type[T], *, asset: str, path: str) -> Rows[T]:
    """As `salvaged`. Raises `RemoteError` (schema) when more than half of the rows or over a hundred are flawed."""
    read = salvaged(raws, shape, asset=asset, path=path)
    _refuse_rubbish(read.flaws, rows=len(raws))
    return read


def salvaged(raws: Sequence[Raw], shape: type[T], *, asset: str, path: str) -> Rows[T]:
    """`raws` as `shape`. Of a row that is not one, only the innermost list item that is wrong is left out.

    `asset`: the key of the asset's name in a row, or the way to it as `asset.ccy`; `path`: where the rows are in the
    body, as `$.data`.
    """
    try:
        return Rows(msgspec.json.decode(b"[%b]" % b",".join(raws), type=list[shape]), [])  # type: ignore[valid-type]
    except _UNREADABLE:
        pass  # then one by one, to find which
    reader = msgspec.json.Decoder(shape)
    read: Rows[T] = Rows([], [])
    for n, raw in enumerate(raws):
        try:
            read.good.append(reader.decode(raw))
        except _UNREADABLE as error:
            _salvage(raw, shape, error, read, asset=asset, path=f"{path}[{n}]")
    return read


def named_rows(raws: Mapping[str, Raw], shape: type[T], *, path: str) -> Rows[tuple[str, T]]:
    """The same for rows that stand under their asset's name, which comes with each of them."""
    reader = msgspec.json.Decoder(shape)
    read: Rows[tuple[str, T]] = Rows([], [])
    for name, raw in raws.items():
        try:
            read.good.append((name, reader.decode(raw)))
        except _UNREADABLE as error:
            one: Rows[T] = Rows([], [])
            _salvage(raw, shape, error, one, asset="", path=f"{path}.{name}")
            read.good.extend((name, row) for row in one.good)
            read.flaws.extend(Flaw(flaw.detail, name) for flaw in one.flaws)
    _refuse_rubbish(read.flaws, rows=len(raws))
    return read


def _salvage(raw: Raw, shape: type[T], error: Exception, read: Rows[T], *, asset: str, path: str) -> None:
    try:
        row = msgspec.json.decode(raw)
    except _UNREADABLE:
        read.flaws.append(Flaw(_placed(str(error), path)))
        return
    name = _name(row, asset)
    left_out: dict[str, list[int]] = {}
    for _ in range(MOST_FLAWS):
        try:
            read.good.append(msgspec.convert(row, shape))
        except msgspec.ValidationError as wrong:
            message = str(wrong)
            read.flaws.append(Flaw(_placed(_renumbered(message, left_out), path), name))
            if not _pruned(row, message, left_out):
                return
        else:
            return


def _name(row: object, way: str) -> str:
    for key in way.split("."):
        match row:
            case dict():
                row = row.get(key)
            case _:
                return ""
    match row:
        case str(name) if len(name) <= LONGEST_NAME:
            return name
        case _:
            return ""


def _placed(message: str, path: str) -> str:
    """msgspec's message with the path from the body's start instead of the row's."""
    told, at, rest = message.partition(" - at `$")
    return shortened(f"{told} - at `{path}{rest}" if at else f"{told} - at `{path}`")


def _renumbered(message: str, left_out: Mapping[str, list[int]]) -> str:
    """Where it is in the row as it was sent: items that were left out before it count."""
    for way, numbers in left_out.items():
        before, at, rest = message.rpartition(way + "[")
        if at:
            number, _, rest = rest.partition("]")
            sent = int(number)
            for gone in sorted(numbers):
                sent += gone <= sent
            message = f"{before}{way}[{sent}]{rest}"
    return message


def _pruned(row: object, message: str, left_out: dict[str, list[int]]) -> bool:
    """Take out of `row` the innermost list item on the way to what is wrong; False where no list is on the way.

    Of a row that is an array nothing is taken out: what is left would mean something else at its new place.
    """
    match row:
        case list():
            return False
    _, at, path = message.partition(" - at `$")
    steps: list[str | int] = [key or int(n) for key, n in _STEP.findall(path)] if at and "[...]" not in path else []
    while steps and isinstance(steps[-1], str):
        steps.pop()
    if not steps:
        return False
    *way, last = steps
    item = row
    for step in way:
        item = item[step]  # type: ignore[index] # msgspec has just walked this way
    del item[last]  # type: ignore[attr-defined]
    sent = _STEP.findall(_renumbered(message, left_out).partition(" - at `$")[2])
    left_out.setdefault(path[: path.rindex("[")], []).append(int([n for _, n in sent if n][-1]))
    return True


def _refuse_rubbish(flaws: Sequence[Flaw], *, rows: int) -> None:
    if len(flaws) > MOST_FLAWS or 2 * len(flaws) > rows:
        raise RemoteError(FailureReason.SCHEMA, shortened(f"{len(flaws)} of {rows} rows; {flaws[0].detail}"))
