"""Good answers turned into nonsense, one place at a time."""

import json
import math
import random
import re
from collections.abc import Callable, Collection, Iterator

from msgspec import Struct
from msgspec.structs import replace

GONE = object()
NONSENSE: tuple[object, ...] = (
    None, "", "x", True, False, [], {}, [[]], {"a": 1}, 0.5, -1, 1e300, 10**400, 2**256, 2**64, -(2**63), math.nan,
    math.inf, "NaN", "-1", "1e99999", "\u0662", "\u0000", "\ud800", "z" * 5000, "9" * 79, "0x", "0x" + "f" * 65,
    "-0x1", "0001-01-01T00:00:00+14:00", GONE,
)  # fmt: skip
LIES: tuple[object, ...] = (0, 1, 2, 2**31, 253402300799, 253402300799000, "0x0", "0x1", "0", "1", "0x" + "f" * 64)
"""What could be true."""
MANY = 2000
_HASH = re.compile(r"(0x)?[0-9a-fA-F]{64}|(0x|41)?[0-9a-fA-F]{40}|[1-9A-HJ-NP-Za-km-z]{25,90}")
"""Of hashes, addresses and signatures: one letter more or less makes none."""

Way = tuple[str | int, ...]
Value = object


class Change(Struct, frozen=True):
    """What is done to a body, or None where it cannot be done to that one. `is_judged`: nothing else may come of it.

    `is_number` is what a number could be, if in another shape.
    """

    words: str
    make: Callable[[bytes], bytes | None]
    is_judged: bool
    is_number: bool = False


def change(
    body: bytes,
    other: bytes,
    chance: random.Random,
    *,
    may_lack: Collection[str],
    lies: Collection[str],
    names_itself: bool,
) -> Change:
    """Some change that can be made to `body`, or `other` in its place: that is judged where an answer `names_itself`.

    In fields named in `may_lack` an absence, in those in `lies` any other word, and in lists that `lies` has with `[]`
    behind their names any other number of items is an answer like others; "*" are all fields. So are whole bodies.
    """
    match chance.randrange(20):
        case 0 | 1:
            return _torn(chance, lies=lies)
        case 2 | 3:
            return Change("the answer to another question", lambda _: other, is_judged=names_itself)
    try:
        value = json.loads(body)
    except ValueError:  # a text alone
        return _torn(chance, lies=lies)
    places = list(_places(value))
    if not places:
        return _torn(chance, lies=lies)
    way = chance.choice(places)
    name = next((step for step in reversed(way) if isinstance(step, str)), "")
    was = _at(value, way)
    match was, chance.randrange(4):
        case list(), 0 | 1 if was:
            words, surgery = chance.choice(list(SURGERY.items()))
            where = chance.randrange(len(was))
            is_judged = not {name, f"{name}[]", "*"} & set(lies)
            return _changed(way, f"{words} at {where}", lambda old: surgery(old, where), is_judged=is_judged)
        case str(), 0 if _HASH.fullmatch(was):
            words, rewritten = chance.choice(list(REWRITING.items()))
            return _changed(way, words, rewritten, is_judged=not {name, "*"} & set(lies))
        case _, 1:
            junk = chance.choice(LIES)
        case _:
            junk = chance.choice(NONSENSE)
    if junk is GONE and isinstance(way[-1], int):
        name = f"{name}[]"
    is_judged = not {name, "*"} & set(lies) and _is_nonsense(was, junk, may_lack=bool({name, "*"} & set(may_lack)))
    made = _changed(way, "nothing" if junk is GONE else f"{junk!r:.60}", lambda _: junk, is_judged=is_judged)
    return replace(made, is_number=junk in LIES or junk == 0.5)


def _is_nonsense(was: Value, junk: Value, *, may_lack: bool) -> bool:
    """Whether `junk` in the place of `was` cannot be an answer."""
    if junk is GONE or junk is None:
        return was is not None and not may_lack
    match was, junk:
        case (list(), []) | ([], _):
            return False
        case (dict(), dict()):
            return not may_lack
        case bool(), bool():
            return False
        case int() | float(), bool():
            return True
        case int() | float(), int() | float() | str():
            return junk not in LIES
        case str(), str():
            return junk not in LIES and not (junk == "" and may_lack)
        case _:
            return True


SURGERY: dict[str, Callable[[list[Value], int], list[Value]]] = {
    "one less": lambda old, at: [*old[:at], *old[at + 1 :]],
    "one twice": lambda old, at: [*old[: at + 1], *old[at:]],
    "one many times": lambda old, at: [*old, *[old[at]] * MANY],
    "the other way round": lambda old, _: old[::-1],
    "the first half": lambda old, _: old[: len(old) // 2],
}
REWRITING: dict[str, Callable[[str], str]] = {
    "one letter less": lambda old: old[:-1],
    "one letter more": lambda old: old + "0",
    "other case": str.swapcase,
    "with blanks": lambda old: f" {old} ",
    "twice": lambda old: old + old,
}


def put(body: bytes, way: Way, new: Value) -> bytes:
    """`body` with `new` at `way`, or without what is there where it is GONE."""
    return json.dumps(_put(json.loads(body), way, new)).encode()


def _changed(way: Way, words: str, make: Callable[..., Value], *, is_judged: bool) -> Change:
    def apply(body: bytes) -> bytes | None:
        try:
            value = json.loads(body)
            old = _at(value, way)
            return json.dumps(_put(value, way, make(old))).encode()
        except (LookupError, TypeError, AttributeError, ValueError):
            return None

    return Change(f"{'.'.join(map(str, way))} became {words}", apply, is_judged)


def _torn(chance: random.Random, *, lies: Collection[str]) -> Change:
    at, byte, lost = chance.random(), bytes([chance.randrange(256)]), chance.randrange(1, 40)
    words, whole = chance.choice(list(BODIES.items()))
    if chance.random() < 0.3:
        return Change(words, lambda _: whole, words not in lies)

    def cut(body: bytes) -> tuple[bytes, bytes]:
        return body[: int(at * len(body))], body[int(at * len(body)) :]

    ways: dict[str, Callable[[bytes, bytes], bytes]] = {
        "cut off": lambda before, _: before,
        "a byte changed": lambda before, after: before + byte + after[1:],
        "bytes lost": lambda before, after: before + after[lost:],
        "bytes twice": lambda before, after: before + after[:lost] + after,
        "a deep nest": lambda before, after: before + b"[" * 10_000 + after,
        "no UTF-8": lambda before, after: before + b"\xff\xfe" + after,
    }
    words, torn = chance.choice(list(ways.items()))
    # What is left of a text alone, or told within a text, may be one.
    return Change(f"{words} at {at:.3f}", lambda body: torn(*cut(body)), is_judged=False)


BODIES = {
    "HTML": b"<html><title>502</title></html>",
    "no body": b"",
    "null": b"null",
    "an error": b'{"error": "rate limit exceeded"}',
    "a message": b'{"code": 429, "message": "slow down"}',
    "an empty object": b"{}",
    "an empty list": b"[]",
    "a number": b"0",
}


def _places(value: Value, way: Way = ()) -> Iterator[Way]:
    if way:
        yield way
    match value:
        case dict():
            for key, inner in value.items():
                yield from _places(inner, (*way, key))
        case list():
            for number, inner in enumerate(value):
                yield from _places(inner, (*way, number))


def _at(value: Value, way: Way) -> Value:
    for step in way:
        value = value[step]  # type: ignore[index]
    return value


def _put(value: Value, way: Way, new: Value) -> Value:
    """`value` with `new` at `way`, or without what is there where it is GONE; what is on the way is made anew."""
    if not way:
        return new
    match value, way:
        case dict(), (str(key),) if new is GONE:
            return {each: inner for each, inner in value.items() if each != key}
        case list(), (int(number),) if new is GONE:
            return [*value[:number], *value[number + 1 :]]
        case dict(), (str(key), *rest):
            return value | {key: _put(value[key], tuple(rest), new)}
        case list(), (int(number), *rest):
            return [*value[:number], _put(value[number], tuple(rest), new), *value[number + 1 :]]
        case _:
            raise LookupError(way)
