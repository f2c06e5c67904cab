"""How much a target hears: five messages a minute, flapping tamed, order kept, and a resolve always."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Happened, Notification, Told, Topic
from monitor.notify.storm import plan
from monitor.notify.words import Links, Message, composed
from tests.notifications import at, notification

OPENED, ESCALATED, REOPENED, RESOLVED = Happened.OPENED, Happened.ESCALATED, Happened.REOPENED, Happened.RESOLVED
WAITING, DECIDED, SENT = Happened.WAITING, Happened.DECIDED, Happened.SENT
PAGES = (Topic.PAGES,)


def told(happened: Happened, seconds: float, *, subject: str = "i-1") -> Told:
    return Told(subject=subject, happened=happened, message=f"m{seconds}", sent_at=at(seconds))


class Listener:
    """A target that takes every message at once, and the queue before it."""

    def __init__(self, about: Sequence[Topic] = PAGES) -> None:
        self.about = about
        self.waiting: list[Notification] = []
        self.told: list[Told] = []
        self.heard: list[tuple[float, Message]] = []

    def happens(self, found: Notification) -> None:
        self.waiting.append(found)

    def listen(self, seconds: float) -> None:
        """Take all that is due now."""
        while True:
            following = plan(self.waiting, self.told, about=self.about, now=at(seconds))
            gone = {each.key for each in (*following.fold, *following.send)}
            self.waiting = [each for each in self.waiting if each.key not in gone]
            if not following.send:
                return
            message = composed(following.send, Links(""), is_flapping=following.is_flapping)
            self.heard.append((seconds, message))
            self.told += [
                Told(subject=each.subject, happened=each.happened, message=message.key, sent_at=at(seconds))
                for each in following.send
            ]

    def titles(self) -> list[str]:
        return [message.title for _, message in self.heard]


def test_what_is_due_goes_out_one_by_one_in_order() -> None:
    listener = Listener()
    for seq, happened in enumerate((OPENED, ESCALATED, RESOLVED), start=1):
        listener.happens(notification(seq, happened))
    listener.listen(10)
    assert listener.titles() == ["i-1 opened 1", "i-1 escalated 2", "i-1 resolved 3"]


def test_ten_thousand_changes_at_one_moment_are_one_digest() -> None:
    listener = Listener()
    for n in range(10_000):
        listener.happens(notification(1, n=n, subject=f"i-{n}"))
    listener.listen(1)
    [(_, digest)] = listener.heard
    assert digest.title == "10,000 notifications at once: 10,000 critical"
    assert "and 9,980 more" in digest.text
    assert len(digest.text) < 2_000
    assert listener.waiting == []


def test_no_more_than_five_messages_leave_in_any_minute_and_nothing_is_lost() -> None:
    listener = Listener()
    for second in range(300):
        listener.happens(notification(second, subject=f"i-{second}"))
        listener.listen(second)
    times = [seconds for seconds, _ in listener.heard]
    assert all(sum(first <= other < first + 60 for other in times) <= 5 for first in times)
    listener.listen(400)
    said = {each.subject for each in listener.told}
    assert said == {f"i-{second}" for second in range(300)}


def test_an_incident_that_flaps_at_every_tick_of_an_hour_is_told_twice_and_then_as_resolved() -> None:
    """Beyond the first resolve, nothing is said until it has held for five minutes."""
    listener = Listener()
    listener.happens(notification(0, OPENED))
    for tick in range(1, 3400, 5):
        listener.happens(notification(tick, RESOLVED if tick % 2 else REOPENED))
        listener.listen(tick)
    rises = [message for _, message in listener.heard if "resolved" not in message.title]
    assert [message.title for message in rises] == ["i-1 opened 0", "i-1 reopened 6"]
    assert "flapping" in rises[1].text
    assert len(listener.heard) == 3
    listener.happens(notification(3401, RESOLVED))
    for second in range(3401, 4200):
        listener.listen(second)
    assert listener.told[-1].happened is RESOLVED
    assert listener.heard[-1][0] == 3401 + 300


def test_an_incident_that_flaps_and_stays_open_is_told_as_soon_as_the_hour_allows() -> None:
    listener = Listener()
    story = [(0, OPENED), (60, RESOLVED), (120, REOPENED), (180, RESOLVED), (600, REOPENED)]
    for second in range(4000):
        for when, happened in story:
            if when == second:
                listener.happens(notification(when, happened))
        listener.listen(second)
    heard = [(seconds, message.title) for seconds, message in listener.heard]
    assert heard == [
        (0, "i-1 opened 0"),
        (60, "i-1 resolved 60"),
        (120, "i-1 reopened 120"),
        (480, "i-1 resolved 180"),
        (3600, "i-1 reopened 600"),
    ]


def test_a_flapping_incident_that_becomes_worse_waits_for_nobody() -> None:
    listener = Listener()
    for when, happened in [
        (0, OPENED),
        (10, RESOLVED),
        (20, REOPENED),
        (30, RESOLVED),
        (40, REOPENED),
        (50, ESCALATED),
    ]:
        listener.happens(notification(when, happened))
        listener.listen(when)
    assert listener.heard[-1][1].title == "i-1 escalated 50"
    assert listener.heard[-1][0] == 50


@pytest.mark.parametrize(
    ("group", "heard", "about", "sent", "folded"),
    [
        pytest.param([WAITING], [], [Topic.DRAFTS], [WAITING], [], id="a draft that waits is shown"),
        pytest.param([WAITING, DECIDED], [], [Topic.DRAFTS], [], [WAITING, DECIDED], id="decided before it was seen"),
        pytest.param([DECIDED], [WAITING], [Topic.DRAFTS], [DECIDED], [], id="who saw it wait hears that it ended"),
        pytest.param([WAITING, DECIDED], [], [Topic.OUTCOMES], [DECIDED], [WAITING], id="outcomes are of all drafts"),
        pytest.param([SENT], [], [Topic.DRAFTS], [SENT], [], id="what a channel did is told"),
        pytest.param([WAITING, DECIDED, WAITING], [], [Topic.DRAFTS], [WAITING], [WAITING, DECIDED], id="edited"),
    ],
)
def test_a_draft_is_never_shown_stale(
    group: list[Happened], heard: list[Happened], about: list[Topic], sent: list[Happened], folded: list[Happened]
) -> None:
    waiting = [notification(seq, happened, subject="d-1") for seq, happened in enumerate(group, start=1)]
    before = [told(happened, -10, subject="d-1") for happened in heard]
    following = plan(waiting, before, about=about, now=at(10))
    assert [each.happened for each in following.send] == sent
    assert [each.happened for each in following.fold] == folded


@given(st.lists(st.tuples(st.integers(1, 400), st.sampled_from("ab")), max_size=60))
def test_at_the_end_a_target_believes_what_is_so(story: list[tuple[int, str]]) -> None:
    """Whatever flaps: the last that was heard of each incident is how it ended up, and the order is that of events."""
    listener = Listener()
    now, is_open, seen = 0, {"a": False, "b": False}, {"a": False, "b": False}
    for seq, (wait, subject) in enumerate(story):
        now += wait
        rise = REOPENED if seen[subject] else OPENED
        listener.happens(notification(seq, RESOLVED if is_open[subject] else rise, subject=subject, seconds=now))
        is_open[subject], seen[subject] = not is_open[subject], True
        listener.listen(now)
    for later in range(now, now + 8_000, 30):
        listener.listen(later)
    assert listener.waiting == []
    for subject in "ab":
        heard = [each.happened for each in listener.told if each.subject == subject]
        assert bool(heard) == seen[subject]
        if heard:
            assert (heard[-1] is not RESOLVED) == is_open[subject]


@given(st.lists(st.tuples(st.integers(1, 400), st.sampled_from([ESCALATED, RESOLVED])), max_size=80))
def test_one_that_grows_each_time_it_comes_back_is_told_once_more_an_hour_at_most(
    story: list[tuple[int, Happened]],
) -> None:
    listener = Listener()
    listener.happens(notification(0, OPENED))
    listener.happens(notification(1, RESOLVED))
    now, is_open = 0, False
    for seq, (wait, wanted) in enumerate(story, start=2):
        now += wait
        happened = wanted if is_open else REOPENED
        is_open = happened is not RESOLVED
        listener.happens(notification(seq, happened, seconds=now))
        listener.listen(now)
    rises = [each.sent_at for each in listener.told if each.happened is not RESOLVED]
    assert all(sum(0 <= (other - first).total_seconds() < 3600 for other in rises) <= 3 for first in rises)


@given(st.lists(st.integers(1, 120), max_size=80))
def test_a_flapping_incident_rises_at_most_twice_in_any_hour(waits: list[int]) -> None:
    listener = Listener()
    now = 0
    for seq, wait in enumerate(waits):
        now += wait
        happened = RESOLVED if seq % 2 else REOPENED if seq else OPENED
        listener.happens(notification(seq, happened, seconds=now))
        listener.listen(now)
    for later in range(now, now + 8_000, 30):
        listener.listen(later)
    rises = [each.sent_at for each in listener.told if each.happened is not RESOLVED]
    assert all(sum(0 <= (other - first).total_seconds() < 3600 for other in rises) <= 2 for first in rises)
