"""Series of a Prometheus to entries: counters become increases, and what is missing becomes nothing."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

from msgspec import Struct

from monitor.imports.fields import KINDS, Field, FieldError, Shape, entry, fields_of, missing, value
from monitor.imports.ranges import Series
from monitor.model import Observation

PROBE = "prometheus"
DIGITS = 12  # that a float is worth as a decimal
SLACK = 0.01  # of a step, by which samples may stand beside the grid

MEASURES: Mapping[str, tuple[str, ...]] = {
    "flow": ("inflow", "outflow"),
    "mentions": ("count",),
    "price": ("usd",),
    "reserve_balance": ("amount",),
    "wallet_activity": ("outgoing",),
    "withdrawal_queue": ("requested", "broadcast", "pending"),
}
"""Kind -> the fields that queries tell, each by one of its own; the first is meant where none is named."""

LEVELS = ("amount", "pending", "usd")
"""Measures that say how it stands. The others count, so their series are counters."""

USUAL: Mapping[str, str] = {"coverage": "1", "height": "0", "wallets": "1", "wallets_read": "1", "source": "prometheus"}
"""What a Prometheus does not tell, where nothing else is set."""


class WishError(Exception):
    """What was asked for does not fit the kind."""


class Wish(Struct, frozen=True, kw_only=True):
    """What the series are. `labels`: field -> label; `constants`: field -> text. `counted`: values are per step."""

    kind: str
    queries: dict[str, str]  # measure -> PromQL
    labels: dict[str, str] = {}
    constants: dict[str, str] = {}
    counted: bool = False
    step_seconds: float

    def fields(self) -> dict[str, Field]:
        return fields_of(KINDS[self.kind])


class Left(Struct, frozen=True):
    """A series that is left out, and why."""

    labels: dict[str, str]
    why: str


class Made(Struct, frozen=True):
    """Entries in order of time, and the series that made none."""

    entries: Sequence[Observation]
    left: Sequence[Left]


def check(wish: Wish) -> None:
    """Raises WishError with what to do."""
    fields = wish.fields()
    measures = MEASURES[wish.kind]
    for name in wish.queries:
        if name not in fields:
            raise WishError(f"--query {name}=: {wish.kind} has no such field; its measures are {', '.join(measures)}")
    for option, given in (("--label", wish.labels), ("--set", wish.constants)):
        for name in given:
            if name not in fields:
                raise WishError(f"{option} {name}=: {wish.kind} has no such field; it has {', '.join(fields)}")
    unasked = [name for name in measures if name not in wish.queries]
    if unasked:
        raise WishError(f"{wish.kind} needs a query for {', '.join(unasked)}: --query {unasked[0]}=PROMQL")


def made(wish: Wish, told: Mapping[str, Sequence[Series]]) -> Made:
    """Join the series of each measure by what they are about and by time. `told`: measure -> its series."""
    joined: dict[tuple[tuple[str, str], ...], dict[str, dict[float, float]]] = {}
    left: list[Left] = []
    for measure, series in told.items():
        for each in series:
            about = _about(wish, each.labels)
            lacking = missing(wish.fields(), [*about, *told, "window_seconds"])
            if lacking:
                hint = f"--set {lacking[0]}=..., or --label {lacking[0]}=LABEL"
                left.append(Left(each.labels, f"nothing tells its {', '.join(lacking)}: {hint}"))
                continue
            measures = joined.setdefault(tuple(sorted(about.items())), {})
            if measure in measures:
                left.append(Left(each.labels, f"a second series of {measure}: aggregate with `sum by (...)`"))
                continue
            measures[measure] = dict(_windows(wish, measure, each.values))
    entries: list[Observation] = []
    for about_key, by_measure in joined.items():
        try:
            entries += _entries(wish, dict(about_key), by_measure)
        except FieldError as error:
            left.append(Left(dict(about_key), str(error)))
    entries.sort(key=lambda each: each.at)
    return Made(entries, left)


def increases(values: Sequence[tuple[float, float]], *, step: float) -> Iterator[tuple[float, float]]:
    """What a counter grew by in each step. It may begin again from zero; after a gap nothing is known of the step."""
    for (before, old), (at, new) in pairwise(values):
        if abs(at - before - step) <= SLACK * step:
            yield at, new - old if new >= old else new


def _windows(wish: Wish, measure: str, values: Sequence[tuple[float, float]]) -> Iterable[tuple[float, float]]:
    if wish.counted or measure in LEVELS:
        return values
    return increases(values, step=wish.step_seconds)


def _about(wish: Wish, labels: Mapping[str, str]) -> dict[str, str]:
    """Field -> text: by the labels named, by labels that are called as the field, else what is set or usual."""
    fields = wish.fields()
    told = {name: labels[name] for name in fields if name in labels}
    told |= {name: labels[label] for name, label in wish.labels.items() if label in labels}
    usual = {name: text for name, text in USUAL.items() if name in fields}
    return {**usual, "probe": PROBE, **told, **wish.constants}


def _entries(
    wish: Wish, about: Mapping[str, str], measures: Mapping[str, Mapping[float, float]]
) -> Iterator[Observation]:
    """Where every measure is known. Raises FieldError."""
    fields = wish.fields()
    constant = {name: _value(fields[name], text) for name, text in about.items()}
    if "window_seconds" in fields:
        constant["window_seconds"] = wish.step_seconds
    if set(measures) != set(wish.queries):
        lacking = ", ".join(name for name in wish.queries if name not in measures)
        raise FieldError(f"no series of {lacking} beside it")
    for at in sorted(set.intersection(*(set(values) for values in measures.values()))):
        told = {name: _measured(fields[name], values[at]) for name, values in measures.items()}
        moment = datetime.fromtimestamp(at, UTC)
        yield entry(KINDS[wish.kind], {"kind": wish.kind, "at": moment, **constant, **told})


def _measured(field: Field, number: float) -> object:
    """`increase()` extrapolates, so counts come with fractions and are rounded half up."""
    if number < 0:
        raise FieldError(f"{field.name} is {number:g}, below zero: is it a counter?")
    if field.shape is Shape.WHOLE:
        return math.floor(number + 0.5)
    return Decimal(f"{number:.{DIGITS}g}") if field.exact else number


def _value(field: Field, text: str) -> object:
    return value(field, text, scale=Decimal(1), moment=datetime.fromisoformat)
