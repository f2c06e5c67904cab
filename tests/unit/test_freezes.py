"""Users who freeze their own withdrawals: what is a surge, what is a usual day, and what a silent gate is not."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import tests.journals as j
from monitor.engine.run import Engines, judge
from monitor.model import (
    SUPPORT,
    ConfigApplied,
    Draft,
    FreezeActivated,
    Judging,
    Observation,
    Role,
    Severity,
    WithdrawalSample,
)

OPENED = ["opened freeze_surge"]
OVER = [*OPENED, "monitoring freeze_surge", "resolved freeze_surge"]
DAY = 24 * 60


def told(minute: float, total: int | None, *, count: int = 0) -> FreezeActivated:
    at = j.at(minute)
    return FreezeActivated(
        at=at,
        exchange="examplex",
        probe="examplex-freezes",
        count=count,
        until=at + timedelta(days=2),
        total=total,
        active=total,
    )


def growing(*steps: tuple[int, int], start: int = 0, total: int = 0) -> list[Observation]:
    """A reading each minute: for so many minutes so many more in all, evenly."""
    entries: list[Observation] = [told(start, total)]
    minute = start
    for minutes, more in steps:
        entries += [told(minute + step, total + more * step // minutes) for step in range(1, minutes + 1)]
        minute, total = minute + minutes, total + more
    return entries


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param(growing((120, 0)), [], id="nobody freezes"),
        pytest.param(growing((30, 0), (10, 19)), [], id="unlearned, not quite twenty in ten minutes"),
        pytest.param(growing((30, 0), (10, 20)), OPENED, id="unlearned, twenty in ten minutes"),
        pytest.param(growing((300, 0), (60, 59)), [], id="unlearned, not quite sixty in an hour"),
        pytest.param(growing((300, 0), (60, 61)), OPENED, id="unlearned, sixty in an hour"),
        pytest.param(growing((300, 3000)), [], id="unlearned, much from the first hour on"),
        pytest.param(growing((2 * DAY, 2), (9, 10), (30, 0)), OPENED, id="quiet for two days, then ten at once"),
        pytest.param(growing((2 * DAY, 4800), (10, 25)), [], id="a hundred an hour are usual where they always were"),
        pytest.param(growing((2 * DAY, 4800), (60, 400)), OPENED, id="four times of what is usual"),
        pytest.param(growing((30, 0), (10, 40), (90, 0)), OVER, id="it ends when the hour is quiet again"),
        pytest.param([*growing((30, 0), (10, 40)), told(400, 40)], OPENED, id="a gate that is silent ends nothing"),
        pytest.param([*growing((30, 5)), told(100, 500)], [], id="what grew in a longer silence than an hour"),
        pytest.param([*growing((30, 5)), told(70, 500)], OPENED, id="what grew within an hour of silence is"),
        pytest.param([*growing((30, 5000), total=0)[:1], told(1, 9000)], OPENED, id="at once"),
        pytest.param([told(0, 5000), told(1, 3)], [], id="another ledger counts anew"),
        pytest.param([told(0, 5000)], [], id="the first reading is where counting begins"),
        pytest.param([told(n, None, count=3 * (n > 30)) for n in range(38)], OPENED, id="a gate that tells no total"),
    ],
)
def test_freezes(entries: list[Observation], expected: list[str]) -> None:
    assert j.told([*entries, j.tick((entries[-1].at - j.START).total_seconds() / 60 + 20)]) == expected


def test_what_is_said_of_a_surge() -> None:
    (opened,) = j.transitions([*growing((30, 0), (10, 20)), j.tick(41)])
    assert (opened.severity, opened.scope) == (Severity.WARNING, ("*",))
    assert opened.summary == "20 freezes by users within an hour, what is usual is not known yet"
    assert [(e.source, e.value, e.unit) for e in opened.evidence] == [("freezes", "20", "freezes/h")]


def test_a_surge_is_no_verdict_on_withdrawals() -> None:
    engines = Engines.fresh()
    for entry in growing((30, 0), (10, 500)):
        judge(engines, entry, engines.apply)
    view = engines.view("examplex")
    assert view.withdrawals == "unknown"
    assert view.freezes is not None
    assert (view.freezes.activations_total, view.freezes.active) == (500, 500)


def test_a_restart_counts_nothing_twice_and_loses_nothing() -> None:
    entries = growing((30, 0), (5, 10))
    whole, first = Engines.fresh(), Engines.fresh()
    for entry in [*entries, told(36, 21)]:
        judge(whole, entry, whole.apply)
    for entry in entries:
        judge(first, entry, first.apply)
    again = Engines.restore({name: first.checkpoint(name) for name in first.names()})
    judge(again, told(36, 21), again.apply)
    assert again.view("examplex").freezes == whole.view("examplex").freezes
    assert again.view("examplex").statistics == whole.view("examplex").statistics


@pytest.mark.parametrize(("speaks_for", "expected"), [("examplex", 1), ("", 0)])
def test_the_exchanges_own_people_get_an_answer_for_users_and_nobody_else(speaks_for: str, expected: int) -> None:
    role = Role.OPERATOR if speaks_for else Role.OBSERVER
    judging = Judging(role=role, speaks_for=speaks_for, channels=("file", "x"))
    config = ConfigApplied(at=j.at(0), exchange="", probe="config", vantage="local", config=judging, sha256="a" * 64)
    drafts = [each for each in j.outputs([config, *growing((30, 0), (10, 40))]) if type(each) is Draft]
    assert len({draft.id for draft in drafts}) == expected
    for draft in drafts:
        assert draft.channel == SUPPORT, "nothing of it is public"
        assert draft.problems == ()
        assert "Nobody can lift a freeze early" in draft.text


def test_ones_own_frozen_withdrawals_are_no_evidence_of_a_halt() -> None:
    waiting = [
        WithdrawalSample(
            at=j.at(minute),
            exchange="examplex",
            probe="examplex-history",
            asset="BTC",
            network="bitcoin",
            state="frozen",
            elapsed_seconds=minute * 60.0,
        )
        for minute in range(0, 2 * DAY, 5)
    ]
    assert j.told([*waiting, j.tick(2 * DAY + 10)]) == []
    failing = [replace(each, state="pending") for each in waiting]
    assert j.told([*failing, j.tick(2 * DAY + 10)]) == [], "what waits is shown, and judges nothing either"


@given(st.lists(st.tuples(st.integers(1, 90), st.integers(-50, 400)), max_size=40))
@settings(deadline=None)
def test_surges_open_and_end_by_turns(steps: list[tuple[int, int]]) -> None:
    minute, total = 0, 1000
    entries: list[Observation] = []
    for wait, more in steps:
        minute, total = minute + wait, max(0, total + more)
        entries.append(told(minute, total))
    is_open = False
    for change in j.told([*entries, j.tick(minute + 1)]):
        match change.partition(" ")[0]:
            case "opened":
                assert not is_open
                is_open = True
            case "reopened":  # also from what was only being watched
                is_open = True
            case "resolved":
                assert is_open
                is_open = False
            case _:
                assert is_open
