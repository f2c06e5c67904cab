"""Maintenance that repeats: an RRULE of RFC 5545 on the wall clock of an IANA zone, and the times it leads to.

Where the clocks change: a time that does not exist is as much later as they jump, one that comes twice is the first.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.rrule import rrulestr
from msgspec import Struct
from pydantic import AfterValidator, BaseModel, Field, NaiveDatetime, ValidationError, model_validator

from monitor.config.values import Duration
from monitor.config.yaml_file import quoted
from monitor.model.scope import ITEM

AHEAD = timedelta(days=8)  # how far occurrences are told beforehand: a day more than a week, and looked at daily
MOST = 50  # of one rule in that time
LONGEST = timedelta(days=30)
_RRULE = r"FREQ=(YEARLY|MONTHLY|WEEKLY|DAILY|HOURLY)(;[A-Z]+=[A-Z0-9,+-]+)*"
_DAY = timedelta(days=1)


class Occurrence(Struct, frozen=True, kw_only=True):
    """A time of maintenance. `asked_at`: the local time that the rule names, where the clocks leave it out."""

    starts_at: datetime  # UTC, as is the next
    ends_at: datetime
    local: datetime  # the beginning in the rule's own zone
    asked_at: datetime | None = None
    is_twice: bool = False


def _scope_item(text: str) -> str:
    if ITEM.fullmatch(text) is None:
        raise ValueError(f"expected a scope like BTC@bitcoin, '*@ethereum' or '*', got {quoted(text)}")
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"expected an IANA zone like Europe/Berlin, got {quoted(text)}") from error
    return text


def _rrule(text: str) -> str:
    if not text:
        return text
    if re.fullmatch(_RRULE, text) is None:
        raise ValueError(f"expected an RRULE of one line with FREQ=HOURLY to FREQ=YEARLY first, got {quoted(text)}")
    try:
        rrulestr(text, dtstart=datetime(2026, 1, 1))  # noqa: DTZ001 - on the wall clock, as rules are written
    except (ValueError, TypeError) as error:
        raise ValueError(f"expected an RRULE like FREQ=WEEKLY;BYDAY=SU, got {quoted(text)}: {error}") from error
    return text


class Maintenance(BaseModel, frozen=True, extra="forbid"):
    name: str = Field(min_length=1, max_length=100, description="what people call it")
    exchange: str = Field(description="the exchange, one of `exchanges`")
    scope: Annotated[tuple[Annotated[str, AfterValidator(_scope_item)], ...], Field(min_length=1)] = Field(
        ("*",), description="what is closed: `BTC@bitcoin`, `BTC@*`, `'*@bitcoin'`, `'*'`"
    )
    start: NaiveDatetime = Field(description="the first time, on the wall clock of `zone`, as `2026-02-01T02:30`")
    duration: Duration = Field(description="how long it lasts, in real time")
    rrule: Annotated[str, AfterValidator(_rrule)] = Field(
        "", description="how it repeats, as `FREQ=WEEKLY;BYDAY=SU` (RFC 5545); `''` is once"
    )
    zone: Annotated[str, AfterValidator(_zone)] = Field("UTC", description="IANA zone of `start` and `rrule`")

    @model_validator(mode="after")
    def _bounded(self) -> "Maintenance":
        if not timedelta(0) < self.duration <= LONGEST:
            raise ValueError(f"expected a duration of at most {LONGEST.days} days")
        begin = self.start.replace(tzinfo=UTC) - _DAY
        if sum(1 for _ in occurrences(self, begin=begin, end=begin + AHEAD + _DAY)) > MOST:
            raise ValueError(f"expected at most {MOST} times in {AHEAD.days} days")
        return self


def announced(**told: object) -> tuple[Maintenance, Occurrence]:
    """A window of its own, as a person told it, and when it is. Raises ValueError with every problem."""
    try:
        rule = Maintenance.model_validate(told)
    except ValidationError as error:
        problems = (f"--{detail['loc'][0] if detail['loc'] else 'start'}: {detail['msg']}" for detail in error.errors())
        raise ValueError("\n".join(problems)) from error
    return rule, _occurrence(rule.start, rule.duration, ZoneInfo(rule.zone))


def occurrences(rule: Maintenance, *, begin: datetime, end: datetime) -> Iterator[Occurrence]:
    """Those that are not over at `begin` and begin before `end`, in order."""
    zone = ZoneInfo(rule.zone)
    first = begin.astimezone(zone).replace(tzinfo=None) - rule.duration - _DAY
    last = end.astimezone(zone).replace(tzinfo=None) + _DAY
    for local in _local(rule, first, last):
        found = _occurrence(local, rule.duration, zone)
        if found.ends_at > begin and found.starts_at < end:
            yield found


def _local(rule: Maintenance, first: datetime, last: datetime) -> Iterator[datetime]:
    """On the wall clock."""
    if not rule.rrule:
        return iter([rule.start] if first <= rule.start <= last else [])
    return iter(rrulestr(rule.rrule, dtstart=rule.start).between(first, last, inc=True))


def _occurrence(local: datetime, duration: timedelta, zone: ZoneInfo) -> Occurrence:
    starts_at = local.replace(tzinfo=zone).astimezone(UTC)
    second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    shown = starts_at.astimezone(zone)
    is_missing = shown.replace(tzinfo=None) != local
    return Occurrence(
        starts_at=starts_at,
        ends_at=starts_at + duration,
        local=shown,
        asked_at=local if is_missing else None,
        is_twice=not is_missing and second != starts_at,
    )
