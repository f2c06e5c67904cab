"""A campaign as on 4 February 2026, made up: a burst of talk of withdrawals, with reserves that rise or that fall.

The talk and the amounts are invented; the order of events is that of the day.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

import tests.money as m
from monitor.model import Observation, Severity, Transition
from monitor.replay.replay import replay_file
from tests.talk import DAY, talk

CAMPAIGN = 4 * DAY + 30  # its first bin: half past two in the night
BINS = range(5 * DAY)
DAY_OF = range(5 * 3 * DAY, 5 * 5 * DAY)  # minutes in which flows are read


def spoken() -> list[Observation]:
    """Five days, and on the last of them twelve times as much for an hour, dying away over six more."""
    entries: list[Observation] = []
    for place in BINS:
        since = place - CAMPAIGN
        times = 1.0 if since < 0 else 12.0 if since < 12 else max(1.0, 12.0 * 0.94 ** (since - 12))
        entries += talk(range(place, place + 1), times=times)
    return entries


def flowed(*, before: tuple[float, float], during: tuple[float, float]) -> list[Observation]:
    """In and out, ten minutes each, and the balance that follows from it: 600,000 coins at first."""
    entries: list[Observation] = []
    held = 600_000.0
    for minute in DAY_OF[9::10]:
        came, left = during if minute > 5 * CAMPAIGN else before
        held += came - left
        entries.append(m.flow(minute, left, inflow=came, seconds=600, blocks=(minute - 9, minute)))
        entries.append(m.balance(minute, held))
    return entries


def replayed(folder: Path, entries: Iterable[Observation]) -> list[Transition]:
    journal, out = folder / "journal.jsonl", folder / "transitions.jsonl"
    journal.write_bytes(b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries))
    replay_file(journal, out, judging=None, progress=lambda _, __: None)
    return [msgspec.json.decode(line, type=Transition) for line in out.read_bytes().splitlines()]


@pytest.mark.parametrize(
    ("during", "expected", "verdict"),
    [
        pytest.param(
            (90.0, 60.0),
            ["opened info", "updated info", "monitoring info", "resolved info"],
            "reserves rising",
            id="rising",
        ),
        pytest.param(
            (60.0, 300.0),
            ["opened info", "escalated warning", "monitoring warning", "resolved warning"],
            "net outflow",
            id="falling",
        ),
    ],
)
def test_talk_is_information_until_coins_leave(
    tmp_path: Path, during: tuple[float, float], expected: list[str], verdict: str
) -> None:
    flows = flowed(before=(66.0, 60.0), during=during)
    found = [t for t in replayed(tmp_path, m.in_order(spoken(), flows)) if t.kind == "campaign"]
    assert [f"{t.transition} {t.severity}" for t in found] == expected
    assert verdict in found[-3].summary
    assert Severity.CRITICAL not in [t.severity for t in found]
