"""A false alarm: what was found is over, what waits is withdrawn, and what was said in public is taken back."""

import pytest

import tests.journals as j
from monitor.model import (
    SUPPORT,
    Change,
    Delivery,
    DeliveryOutcome,
    Draft,
    DraftState,
    Notice,
    Observation,
    Rail,
    Reply,
    Stage,
    Transition,
    Verb,
)
from tests.unit.test_incidents import HALT, HALTED, OFF, OPEN, OVER, Story, polls

WHY = "the list is wrong: customers are paid"
TWO = (Rail("BTC", "bitcoin"), Rail("ETH", "ethereum"))


def drafts(story: Story) -> list[Draft]:
    """As they are now, oldest first."""
    newest: dict[str, Draft] = {}
    for draft in (output for output in story.outputs if type(output) is Draft):
        newest[draft.id] = draft
    return list(newest.values())


def posts(story: Story, minute: float, *, outcome: DeliveryOutcome = DeliveryOutcome.POSTED) -> Draft:
    """The text that waits, or was withdrawn while it was on its way, reaches its channel."""
    draft = [each for each in drafts(story) if each.channel != SUPPORT][-1]
    delivery = Delivery(
        at=j.at(minute), exchange="examplex", probe="outbox", draft=draft.id, channel=draft.channel, outcome=outcome
    )
    story.read([delivery])
    return draft


def waiting(story: Story) -> list[Draft]:
    return [each for each in drafts(story) if each.state is DraftState.PENDING and each.channel != SUPPORT]


def test_it_is_over_though_the_list_says_what_it_said() -> None:
    story = Story(HALTED)
    reply = story.say(11, Verb.RETRACT, HALT, WHY)
    assert (reply.ok, reply.message) == (True, f"incident {HALT}: retracted")
    story.restart()
    story.read(polls(12, 90))
    now = story.incident()
    assert story.changes() == [Change.OPENED, Change.RETRACTED]
    assert (now.stage, now.resolved_by, now.retracted_by, now.resolved_at) == (Stage.RESOLVED, "dana", "dana", j.at(11))


def test_what_nobody_posted_is_withdrawn() -> None:
    story = Story(HALTED)
    assert waiting(story)
    story.say(11, Verb.RETRACT, HALT, WHY)
    assert {draft.state for draft in drafts(story)} == {DraftState.SUPERSEDED}


def test_what_was_posted_is_taken_back_at_once_and_once() -> None:
    story = Story(HALTED)
    first = posts(story, 10.5)
    story.say(11, Verb.RETRACT, HALT, WHY)
    [correction] = waiting(story)
    assert (correction.notice, correction.corrects, correction.channel) == (
        Notice.CORRECTION,
        first.id,
        first.channel,
    )
    assert "false alarm" in correction.text
    assert [p for p in correction.problems if p.level == "error"] == []
    answer = [each for each in drafts(story) if each.channel == SUPPORT][-1]
    assert (answer.state, "false alarm" in answer.text) == (DraftState.PENDING, True), "agents are asked, too"
    story.read(polls(12, 20))
    posts(story, 20)
    story.read(polls(21, 24 * 60 + 60))
    corrections = [each for each in drafts(story) if each.corrects == first.id]
    assert [each.id for each in corrections] == [correction.id]
    assert corrections[0].state is DraftState.POSTED


def test_a_post_that_was_under_way_is_taken_back_when_it_is_up() -> None:
    story = Story(HALTED)
    story.say(11, Verb.RETRACT, HALT, WHY)
    assert not waiting(story)
    story.read(polls(12, 15))
    first = posts(story, 15)
    assert [each.corrects for each in waiting(story)] == [first.id]


def test_one_that_was_over_already_keeps_its_end() -> None:
    story = Story(OVER)
    over = story.incident().resolved_at
    first = posts(story, 20)
    story.read(polls(31, 40))
    assert story.say(40, Verb.RETRACT, HALT, WHY).ok
    now = story.incident()
    assert (now.resolved_at, now.resolved_by, now.retracted_by) == (over, None, "dana")
    assert [each.corrects for each in waiting(story)] == [first.id]


@pytest.mark.parametrize(
    ("later", "changes"),
    [
        pytest.param(
            [*j.rail(20, OPEN), *polls(20, 25), *j.rail(25, OFF), *polls(25, 32)],
            [Change.REOPENED],
            id="it closed anew",
        ),
        pytest.param([*j.rail(60, OPEN), *polls(60, 90)], [], id="the list was mended"),
    ],
)
def test_only_what_began_afterwards_opens_it_again(later: list[Observation], changes: list[Change]) -> None:
    story = Story(HALTED)
    story.say(11, Verb.RETRACT, HALT, WHY)
    story.read(polls(12, 20))
    story.read(later)
    assert story.changes()[2:] == changes
    assert (story.incident().retracted_by is None) is bool(changes)


def test_another_rail_is_news_and_so_is_a_halt() -> None:
    one, other = TWO
    story = Story(j.polled((5, OFF, (one,)), until=10))
    rail = next(each.incident for each in story.outputs if type(each) is Transition)
    assert story.say(11, Verb.RETRACT, rail, WHY).ok
    story.read(polls(12, 15))
    assert story.changes(rail) == [Change.OPENED, Change.RETRACTED]
    story.read([*j.rail(15, OFF, rails=(other,)), *polls(15, 20)])
    assert story.changes(rail)[2:] == [Change.REOPENED]
    assert story.incident(rail).scope == (str(one), str(other))


def test_reopening_takes_it_back_and_says_so_again() -> None:
    story = Story(HALTED)
    posts(story, 10.5)
    story.say(11, Verb.RETRACT, HALT, WHY)
    assert story.say(12, Verb.REOPEN, HALT, "it is real").ok
    story.read(polls(13, 16))
    assert story.incident().retracted_by is None
    assert [each.notice for each in waiting(story)] == [Notice.INVESTIGATING], "no correction waits any more"


def test_a_retraction_needs_a_reason_and_is_one() -> None:
    story = Story(HALTED)
    assert "retract needs a text" in story.say(11, Verb.RETRACT, HALT).message
    assert story.say(11, Verb.RETRACT, HALT, WHY).ok
    again = story.say(12, Verb.RETRACT, HALT, WHY)
    assert (again.ok, "was already retracted by dana" in again.message) == (False, True)
    assert story.changes() == [Change.OPENED, Change.RETRACTED]


def test_after_a_day_it_is_history() -> None:
    story = Story(OVER)
    story.read(polls(31, 24 * 60 + 20))
    reply = story.say(24 * 60 + 20, Verb.RETRACT, HALT, WHY)
    assert (reply.ok, "more than a day ago" in reply.message) == (False, True)


def test_our_own_blindness_is_no_false_alarm() -> None:
    story = Story([*j.rail(0, OPEN), *(j.control(minute, ok=minute < 2) for minute in range(10)), j.tick(10)])
    blind = next(each.incident for each in story.outputs if type(each) is Transition)
    story.say(11, Verb.RETRACT, blind, WHY)
    [told, *_] = [each.message for each in story.outputs if type(each) is Reply]
    assert "is about ourselves" in told
    assert story.changes(blind) == [Change.OPENED]
