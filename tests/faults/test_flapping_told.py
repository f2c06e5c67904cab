"""I2: a rail that flaps for an hour, from its list to who is told: at most two pages an hour, and its end always."""

from datetime import datetime, timedelta

import pytest

import tests.journals as j
from monitor.engine.run import Engines, judge
from monitor.model import RISES, Draft, Happened, Notification, Observation, Output, RailState, Told, Topic, Transition
from monitor.notify.due import notifications, routed
from monitor.notify.storm import plan
from monitor.notify.words import FLAPPING, Links, composed

OFF, OPEN = RailState.SUSPENDED, RailState.OPEN
HOUR = timedelta(hours=1)
ABOUT = (Topic.PAGES, Topic.WARNINGS)


class Pager:
    """A target that takes every message at once; the virtual time is that of the journal."""

    def __init__(self) -> None:
        self.waiting: list[Notification] = []
        self.told: list[Told] = []
        self.texts: list[str] = []

    def happens(self, seq: int, outputs: list[Output]) -> None:
        told = [(seq, output) for output in outputs if type(output) in (Transition, Draft)]
        heard = {("pager", each.subject) for each in self.told}
        found = routed(notifications(told, Links("")), {"pager": ABOUT}, told=heard)
        self.waiting += [each.notification for each in found]

    def listen(self, now: datetime) -> None:
        while True:
            following = plan(self.waiting, self.told, about=ABOUT, now=now)
            gone = {each.key for each in (*following.fold, *following.send)}
            self.waiting = [each for each in self.waiting if each.key not in gone]
            if not following.send:
                return
            message = composed(following.send, Links(""), is_flapping=following.is_flapping)
            self.texts.append(message.text)
            self.told += [
                Told(subject=each.subject, happened=each.happened, message=message.key, sent_at=now)
                for each in following.send
            ]


def flapping(closed: float, period: float, *, minutes: float = 60) -> list[Observation]:
    """The list is polled every half minute, closes once a `period` of minutes, and stays open at last."""
    entries: list[Observation] = [*j.rail(0, OPEN), j.read(0)]
    was = OPEN
    for place in range(1, int(minutes * 2) + 1):
        minute = place / 2
        state = OFF if minute % period < closed else OPEN
        entries += [*(j.rail(minute, state) if state is not was else ()), j.read(minute)]
        was = state
    calm = [j.read(minutes + minute) for minute in range(1, 90)]
    return [*entries, *j.rail(minutes + 0.5, OPEN), *calm]


@pytest.mark.parametrize("minutes", [60, 240])
@pytest.mark.parametrize("period", [4, 5, 8, 12, 20, 29, 40])
def test_a_rail_that_flaps_pages_twice_an_hour_at_most_and_is_told_to_be_over(period: float, minutes: float) -> None:
    engines, pager = Engines.fresh(), Pager()
    for seq, entry in enumerate(flapping(2, period, minutes=minutes)):
        pager.happens(seq, list(judge(engines, entry, engines.apply)))
        pager.listen(entry.at)
    pages = [each.sent_at for each in pager.told if each.happened in RISES]
    assert pages, "it was told at all"
    assert max(sum(first <= other < first + HOUR for other in pages) for first in pages) <= 2
    assert pager.told[-1].happened is Happened.RESOLVED
    assert pager.waiting == []
    if period <= 8:
        assert any(FLAPPING in text for text in pager.texts)
