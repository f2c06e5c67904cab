"""The operator's own queue of withdrawals: what a line of it must hold, however it gets here."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from monitor.model import FailureReason, ProbeFailure, Rail, Reading, RemoteError, WithdrawalQueue
from monitor.probes.answer import shortened
from monitor.probes.networks import our_network
from monitor.probes.rows import LONGEST_NAME, MOST_FLAWS

MOST_ROWS = 1000

Count = Annotated[int, Meta(ge=0, le=10**12)]
Seconds = Annotated[float, Meta(ge=0, le=10**9)]
Word = Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]


class QueueRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Withdrawals of one asset on one network: `requested` and `broadcast` within a window, `pending` now."""

    asset: Word
    network: Word
    requested: Count
    broadcast: Count
    pending: Count
    oldest_seconds: Seconds | None = None

    def __post_init__(self) -> None:
        if not _is_named(self.rail):
            raise ValueError("Expected words for asset and network, without a `@`, a `*` or what cannot be shown")

    @property
    def rail(self) -> Rail:
        return rail_of(self.asset, self.network)


class QueueFlaw(Struct, frozen=True, kw_only=True):
    """A row that is none. `rail` is None where not even its name can be read."""

    detail: str
    rail: Rail | None = None


def rail_of(asset: str, network: str) -> Rail:
    """In our words: assets in capitals, as `btc` in the labels of some exporters is BTC everywhere else."""
    return Rail(asset.upper() if asset.islower() else asset, our_network(network))


def row_of(values: Mapping[str, object]) -> QueueRow:
    """Raises `RemoteError` (schema) that names the value which does not fit."""
    try:
        return msgspec.convert(values, QueueRow)
    except msgspec.ValidationError as error:
        raise RemoteError(FailureReason.SCHEMA, str(error)) from error


def line(row: QueueRow, *, at: datetime, exchange: str, probe: str, window_seconds: float) -> WithdrawalQueue:
    return WithdrawalQueue(
        at=at,
        exchange=exchange,
        probe=probe,
        asset=row.rail.asset,
        network=row.rail.network,
        requested=row.requested,
        broadcast=row.broadcast,
        pending=row.pending,
        oldest_seconds=row.oldest_seconds,
        window_seconds=window_seconds,
    )


def told_twice(rows: Sequence[QueueRow]) -> list[Rail]:
    """Which of two rows is right nobody knows."""
    return sorted(rail for rail, times in Counter(row.rail for row in rows).items() if times > 1)


def queue_reading(
    rows: Sequence[QueueRow],
    flaws: Sequence[QueueFlaw],
    *,
    at: datetime,
    exchange: str,
    probe: str,
    window_seconds: float,
) -> Reading:
    """What cannot be read, then a line for each rail, in order. A rail that is told twice cannot be read.

    Raises `RemoteError`: `shape` for nothing at all or more than a thousand rows, `schema` where no row is right or
    more than a hundred are wrong.
    """
    told = len(rows) + len(flaws)
    if not told:
        raise RemoteError(FailureReason.SHAPE, "no asset and network in it: an empty queue has them too, with zeros")
    if told > MOST_ROWS:
        raise RemoteError(FailureReason.SHAPE, f"{told} assets and networks, more than {MOST_ROWS}")
    twice = told_twice(rows)
    good = sorted((row for row in rows if row.rail not in twice), key=lambda row: row.rail)
    wrong = [*flaws, *(QueueFlaw(detail=f"{rail} is there twice", rail=rail) for rail in twice)]
    if len(wrong) > MOST_FLAWS or not good:
        raise RemoteError(FailureReason.SCHEMA, shortened(f"{len(wrong)} of {told} rows; {wrong[0].detail}"))
    failures = (_failure(flaw, at=at, exchange=exchange, probe=probe) for flaw in wrong)
    lines = (line(row, at=at, exchange=exchange, probe=probe, window_seconds=window_seconds) for row in good)
    return (*failures, *lines)


def _failure(flaw: QueueFlaw, *, at: datetime, exchange: str, probe: str) -> ProbeFailure:
    rail = flaw.rail if flaw.rail is not None and _is_named(flaw.rail) else None
    return ProbeFailure(
        at=at,
        exchange=exchange,
        probe=probe,
        reason=FailureReason.SCHEMA,
        detail=shortened(flaw.detail),
        asset=rail.asset if rail is not None else None,
        network=rail.network if rail is not None else None,
    )


def _is_named(rail: Rail) -> bool:
    words = (rail.asset, rail.network)
    return all(0 < len(word) <= LONGEST_NAME and word.isprintable() and not set(word) & set("@*") for word in words)
