"""What each detector says of itself: its statistic as it stands, and what would make it fire."""

import pytest

import tests.journals as j
from monitor.engine.run import Engines, judge
from monitor.model import Observation, RailState, WithdrawalQueue
from monitor.model.view import StatisticState, StatisticView

OFF, OPEN = RailState.SUSPENDED, RailState.OPEN


def statistics(entries: list[Observation]) -> dict[tuple[str, str], StatisticView]:
    engines = Engines.fresh()
    for entry in entries:
        judge(engines, entry, engines.apply)
    return {(each.detector, each.subject): each for each in engines.view("examplex").statistics}


def listed(off: int, *, polls: int) -> list[Observation]:
    """An open list in which the first `off` of five watched rails close, read `polls` times after that."""
    closed = [*j.rail(1, OFF, rails=j.MAJORS[:off]), *(j.read(1 + poll) for poll in range(polls))]
    return [*j.rail(0, OPEN), j.read(0), *closed, j.tick(1 + polls)]


def queued(requested: int, broadcast: int, *, minutes: int) -> list[Observation]:
    return [
        WithdrawalQueue(
            at=j.at(minute),
            exchange="examplex",
            probe="examplex-queue",
            asset="BTC",
            network="bitcoin",
            requested=requested,
            broadcast=broadcast,
            pending=requested - broadcast,
            window_seconds=60.0,
        )
        for minute in range(minutes)
    ]


@pytest.mark.parametrize(
    ("entries", "key", "state", "words"),
    [
        pytest.param(
            listed(0, polls=2),
            ("flags", "*"),
            StatisticState.QUIET,
            "0% of the watched weight newly off; degraded from 20% within 10 min, a halt from 50%",
            id="all open",
        ),
        pytest.param(
            listed(5, polls=2),
            ("flags", "*"),
            StatisticState.FIRING,
            "100% of the watched weight newly off; degraded from 20% within 10 min, a halt from 50%",
            id="all closed",
        ),
        pytest.param(
            j.usual(range(3)),
            ("flags", "*"),
            StatisticState.UNKNOWN,
            "no list names a watched rail; degraded from 20% within 10 min, a halt from 50%",
            id="no list",
        ),
        pytest.param(
            queued(5, 0, minutes=4),
            ("queue", "BTC@bitcoin"),
            StatisticState.FIRING,
            "requested and none broadcast for 180 s; a halt from 120 s",
            id="a queue that is not paid",
        ),
        pytest.param(
            queued(5, 5, minutes=4),
            ("queue", "BTC@bitcoin"),
            StatisticState.QUIET,
            "it pays what is requested; a halt from 120 s",
            id="a queue that is paid",
        ),
        pytest.param(
            [*queued(5, 5, minutes=1), j.tick(30)],
            ("queue", "BTC@bitcoin"),
            StatisticState.UNKNOWN,
            "it pays what is requested (last read 00:00 UTC); a halt from 120 s",
            id="a queue that is read no more",
        ),
        pytest.param(
            [*listed(0, polls=1), j.control(3, ok=False), j.control(4, ok=False)],
            ("blind", "*"),
            StatisticState.FIRING,
            "our own control targets were silent 2 times in a row; blind from 2",
            id="blind",
        ),
    ],
)
def test_statistics_in_words(
    entries: list[Observation], key: tuple[str, str], state: StatisticState, words: str
) -> None:
    told = statistics(entries)[key]
    assert (told.state, told.words) == (state, words)


def test_who_has_no_queue_is_told_of_none() -> None:
    assert [detector for detector, _ in statistics(listed(0, polls=2))] == ["flags", "terms", "blind"]
