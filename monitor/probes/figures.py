"""Figures as exchanges write them: amounts and counts that may be left empty, and times since 1970."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from monitor.model import FailureReason, RemoteError

_FIRST_SECOND = 1_230_768_000  # 2009-01-01: nothing was withdrawn before
_LAST_SECOND = 4_102_444_800  # 2100-01-01
_LONGEST_COUNT = 9
MOST_DIGITS = 80
MOST_COINS = Decimal(10) ** 30  # more than the smallest units of any coin there are


@lru_cache(maxsize=8192)  # a list repeats a few hundred amounts thousands of times
def amount(text: str | None) -> Decimal | None:
    """None for what is left out, empty or no number: a fee that cannot be read costs nothing but itself."""
    if not text:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def count(text: str | None) -> int | None:
    """As `amount`, of confirmations and the like: up to nine digits."""
    return int(text) if text and len(text) <= _LONGEST_COUNT and text.isdecimal() else None


def moment(told: Decimal | int, *, per_second: int) -> datetime:
    """The time that `told`, `per_second` a second since 1970, stands for. Raises `RemoteError` (schema)."""
    units = Decimal(told)
    if not units.is_finite() or not _FIRST_SECOND * per_second <= units < _LAST_SECOND * per_second:
        raise RemoteError(FailureReason.SCHEMA, "a time is none")
    return datetime.fromtimestamp(float(units / per_second), UTC)


def refuse_odd(at: datetime) -> None:
    """Raises `ValueError`, which msgspec tells with its path, for a time that no page is about."""
    if not 2000 <= at.year < 2100:
        raise ValueError("Expected a time between 2000 and 2100")


def moment_of(text: str) -> datetime:
    """`2026-02-03 12:00:12`, in UTC where it names no zone. Raises `RemoteError` (schema)."""
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise RemoteError(FailureReason.SCHEMA, "a time is none") from error
