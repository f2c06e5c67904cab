"""What goes into the store comes out of it: every value of every kind, whatever the batches."""

import asyncio
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect

from monitor.model import Entry, Observation, Output, Transition
from monitor.store import Step, Store, layout

_TIMES = st.datetimes(
    min_value=datetime(1971, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds, and adds the zone
    max_value=datetime(2150, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30))]),
)
_NUMBERS = st.decimals(allow_nan=False, allow_infinity=False) | st.builds(
    Decimal, st.from_regex(r"-?[0-9]{1,30}\.[0-9]{1,30}", fullmatch=True)
)


_PLAIN: dict[type[inspect.Type], st.SearchStrategy[Any]] = {
    inspect.DateTimeType: _TIMES,
    inspect.DecimalType: _NUMBERS,
    inspect.StrType: st.text(max_size=12),
    inspect.BoolType: st.booleans(),
    inspect.IntType: st.integers(min_value=-(2**63), max_value=2**64 - 1),
    inspect.FloatType: st.floats(allow_nan=False),
    inspect.NoneType: st.none(),
}


def values(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """All values of a type of the model. A KeyError here names a type that the model has gained."""
    match kind:
        case inspect.StructType(cls=cls, fields=fields):
            return st.builds(cls, **{field.name: values(field.type) for field in fields})
        case inspect.UnionType(types=types):
            return st.one_of([values(each) for each in types])
        case inspect.VarTupleType(item_type=item):
            return st.lists(values(item), max_size=3).map(tuple)
        case inspect.DictType(key_type=key, value_type=value):
            return st.dictionaries(values(key), values(value), max_size=3)
        case inspect.EnumType(cls=enum):
            return st.sampled_from(enum)
        case inspect.LiteralType(values=words):
            return st.sampled_from(words)
        case _:
            return _PLAIN[type(kind)]


OBSERVATIONS: st.SearchStrategy[Observation] = values(inspect.type_info(Observation))
TRANSITIONS: st.SearchStrategy[Transition] = values(inspect.type_info(Transition))


@pytest.mark.parametrize("kind", [pytest.param(kind, id=layout.tag_of(kind)) for kind in layout.KEYS])
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_row_is_the_observation(kind: type[Observation], data: st.DataObject) -> None:
    observation: Observation = data.draw(values(inspect.type_info(kind)))
    cell = layout.encode(observation)
    # The series is read back from its row, so its keys pass through JSON too.
    series = msgspec.json.decode(msgspec.json.encode(cell.series), type=layout.Series)
    read = layout.decoder(series).decode(cell.at, cell.body)
    assert read == observation
    # Equal is not enough: Decimal("1.0") would pass for Decimal("1.00"), and exports must not differ by a byte.
    assert msgspec.json.encode(read) == msgspec.json.encode(_in_utc(observation))


def _in_utc(observation: Observation) -> Observation:
    times = {
        name: value.astimezone(UTC)
        for name, value in msgspec.structs.asdict(observation).items()
        if type(value) is datetime
    }
    return msgspec.structs.replace(observation, **times)


_STEPS = st.lists(st.tuples(OBSERVATIONS, st.lists(TRANSITIONS, max_size=2)), max_size=12)


@given(caused=_STEPS, cuts=st.sets(st.integers(0, 12)), after=st.integers(0, 12))
@settings(max_examples=12, deadline=None)
def test_batches_do_not_show(
    caused: Sequence[tuple[Observation, list[Transition]]], cuts: set[int], after: int
) -> None:
    steps = [
        Step(Entry(seq, observation), tuple(outputs)) for seq, (observation, outputs) in enumerate(caused, start=1)
    ]
    read, outputs = asyncio.run(_through_a_store(steps, cuts, after=after))
    assert read == [step.entry for step in steps[after:]]
    assert outputs == [(step.entry.seq, output) for step in steps[after:] for output in step.outputs]


async def _through_a_store(
    steps: list[Step], cuts: set[int], *, after: int
) -> tuple[list[Entry], list[tuple[int, Output]]]:
    """Commit `steps` in batches that end at `cuts`, and read what follows `after` with the store opened anew."""
    bounds = sorted({0, *cuts, len(steps)})
    with tempfile.TemporaryDirectory() as folder:
        address = f"sqlite+aiosqlite:///{Path(folder) / 'cexwatch.db'}"
        store = await Store.open(address)
        for start, end in pairwise(bounds):
            await store.commit(steps[start:end])
        await store.close()
        store = await Store.open(address)
        read = [entry async for entry in store.entries(after=after)]
        outputs = await store.outputs(after=after)
        await store.close()
    return read, outputs
