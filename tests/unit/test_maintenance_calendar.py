"""Maintenance of the configuration: when it is, where clocks change, and what of it is told."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from monitor import maintenance
from monitor.config import Config, ConfigError, load
from monitor.config.maintenance import Maintenance, Occurrence, occurrences
from monitor.engine.run import Engines, judge
from monitor.model import ConfigApplied, ExchangeView, Judging, MaintenanceWindow, Observation, RailState
from tests import journals as j

HOUR = timedelta(hours=1)
WEEKLY = {
    "name": "weekly",
    "exchange": "examplex",
    "start": "2026-01-04T02:30",
    "duration": "2h",
    "rrule": "FREQ=WEEKLY;BYDAY=SU",
    "zone": "Europe/Berlin",
}


def rule(**changes: object) -> Maintenance:
    return Maintenance.model_validate(WEEKLY | changes)


def utc(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def found(planned: Maintenance, begin: datetime, days: int) -> list[Occurrence]:
    return list(occurrences(planned, begin=begin, end=begin + timedelta(days=days)))


def test_the_wall_clock_is_kept_over_a_change_of_the_clocks() -> None:
    before, night, after = found(rule(), utc(3, 20), 20)
    assert [each.starts_at for each in (before, night, after)] == [
        utc(3, 22, 1, 30),
        utc(3, 29, 1, 30),
        utc(4, 5, 0, 30),
    ]
    assert f"{after.local:%H:%M}" == "02:30"
    assert (before.asked_at, after.asked_at) == (None, None)


def test_a_time_that_the_clocks_leave_out_is_an_hour_later_and_says_so() -> None:
    _, night, _ = found(rule(), utc(3, 20), 20)
    assert night.asked_at == datetime(2026, 3, 29, 2, 30)  # noqa: DTZ001 - on the wall clock
    assert f"{night.local:%H:%M %Z}" == "03:30 CEST"
    assert night.ends_at - night.starts_at == 2 * HOUR


def test_a_time_that_comes_twice_is_the_first_and_says_so() -> None:
    (night,) = found(rule(), utc(10, 24), 3)
    assert night.is_twice
    assert night.starts_at == utc(10, 25, 0, 30)
    assert f"{night.local:%H:%M %Z}" == "02:30 CEST"
    assert night.ends_at == utc(10, 25, 2, 30), "two hours are two hours"


@pytest.mark.parametrize(
    ("changes", "begin", "expected"),
    [
        pytest.param({"rrule": ""}, utc(1, 1), [utc(1, 4, 1, 30)], id="once"),
        pytest.param({"rrule": ""}, utc(1, 4, 3), [utc(1, 4, 1, 30)], id="once, and under way"),
        pytest.param({"rrule": ""}, utc(1, 4, 4), [], id="once, and over"),
        pytest.param({"rrule": "FREQ=WEEKLY;COUNT=1"}, utc(1, 5), [], id="no more"),
        pytest.param({"rrule": "FREQ=MONTHLY;BYDAY=2TU"}, utc(1, 12), [utc(1, 13, 1, 30)], id="patch tuesday"),
        pytest.param({"zone": "America/New_York"}, utc(3, 6), [utc(3, 8, 7, 30)], id="a gap in New York"),
        pytest.param({"zone": "Asia/Kathmandu"}, utc(1, 3), [utc(1, 3, 20, 45), utc(1, 10, 20, 45)], id="odd offset"),
    ],
)
def test_when_it_is(changes: dict[str, object], begin: datetime, expected: list[datetime]) -> None:
    assert [each.starts_at for each in found(rule(**changes), begin, 8)] == expected


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"zone": "Berlin"}, "an IANA zone", id="no zone"),
        pytest.param({"zone": "../etc/passwd"}, "an IANA zone", id="a path"),
        pytest.param({"rrule": "every sunday"}, "an RRULE", id="no rule"),
        pytest.param({"rrule": "FREQ=MINUTELY"}, "FREQ=HOURLY to FREQ=YEARLY", id="too often"),
        pytest.param({"rrule": "FREQ=HOURLY"}, "at most 50 times", id="too many"),
        pytest.param({"rrule": "FREQ=WEEKLY;UNTIL=20260401T000000Z"}, "an RRULE", id="an end in UTC"),
        pytest.param({"rrule": "FREQ=WEEKLY;BYDAY=XX"}, "an RRULE", id="no day"),
        pytest.param({"scope": ["bitcoin"]}, "a scope", id="no scope"),
        pytest.param({"scope": []}, "at least 1", id="an empty scope"),
        pytest.param({"duration": "90d"}, "at most 30 days", id="for ever"),
        pytest.param({"duration": "0s"}, "a duration like 30s", id="never"),
        pytest.param({"start": "2026-01-04T02:30Z"}, "timezone", id="a time with a zone of its own"),
    ],
)
def test_what_makes_no_sense_is_told(changes: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        rule(**changes)


def test_an_exchange_that_is_not_watched_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "cexwatch.yaml"
    lines = "\n".join(f"    {key}: {value}" for key, value in (WEEKLY | {"exchange": "krakn"}).items())
    file.write_text(f"exchanges:\n  kraken:\nmaintenance:\n  - scope: ['*']\n{lines}\n")
    with pytest.raises(ConfigError, match=r"cexwatch.yaml:6 .*exchange.*not one of the exchanges here.*kraken"):
        load(file, {}, known_exchanges=["kraken"])


def config(*rules: Maintenance) -> Config:
    return Config.model_validate({"exchanges": {"examplex": {}}}).model_copy(update={"maintenance": rules})


class Room:
    """Engines that are told what the shell tells them."""

    def __init__(self) -> None:
        self.engines = Engines.fresh()
        applied = ConfigApplied(at=j.at(0), probe="config", config=Judging(intervals={"examplex-api": 60.0}), sha256="")
        entries: list[Observation] = [applied, *j.rail(0, RailState.OPEN), j.read(0)]
        for entry in entries:
            judge(self.engines, entry, self.engines.apply)

    def views(self) -> list[ExchangeView]:
        return [self.engines.view(name) for name in self.engines.names()]

    def plan(self, configured: Config, minute: float) -> list[MaintenanceWindow]:
        told = maintenance.changes(configured, self.views(), j.at(minute))
        entries: list[Observation] = [*told, j.tick(minute)]
        for entry in entries:
            judge(self.engines, entry, self.engines.apply)
        return told

    def starts(self) -> Sequence[datetime]:
        return [window.starts_at for window in self.engines.view("examplex").windows]


def test_what_is_known_is_not_told_again() -> None:
    """The 5th of January is a Monday: one Sunday is within the eight days to come."""
    room = Room()
    assert [window.starts_at for window in room.plan(config(rule()), 1)] == [utc(1, 11, 1, 30)]
    assert room.plan(config(rule()), 2) == []
    room.engines = Engines.restore({name: room.engines.checkpoint(name) for name in room.engines.names()})
    assert room.plan(config(rule()), 3) == [], "after a restart"
    later = 6 * 24 * 60
    assert [window.starts_at for window in room.plan(config(rule()), later)] == [utc(1, 18, 1, 30)]
    assert room.starts() == [utc(1, 11, 1, 30), utc(1, 18, 1, 30)]


def test_what_is_configured_otherwise_is_taken_back() -> None:
    room = Room()
    room.plan(config(rule()), 1)
    room.plan(config(rule(start="2026-01-04T04:00")), 2)
    assert room.starts() == [utc(1, 11, 3)]
    room.plan(config(rule(start="2026-01-04T04:00", duration="3h")), 3)
    assert [w.ends_at - w.starts_at for w in room.engines.view("examplex").windows] == [3 * HOUR]
    room.plan(config(), 4)
    assert room.starts() == []


def test_a_reload_keeps_windows_that_no_probe_told() -> None:
    room = Room()
    room.plan(config(rule()), 1)
    applied = ConfigApplied(at=j.at(2), probe="config", config=Judging(intervals={"examplex-api": 30.0}), sha256="")
    judge(room.engines, applied, room.engines.apply)
    assert room.starts() == [utc(1, 11, 1, 30)]
