"""What committed transitions and drafts become: who hears of them, in which words, with which links."""

import pytest
from msgspec.structs import replace

from monitor.model import SUPPORT, Change, Draft, DraftState, Happened, IncidentKind, Output, Problem, Severity, Topic
from monitor.notify.due import notifications, routed
from monitor.notify.words import Links, digest, single
from tests.notifications import at, draft, notification, transition

LINKS = Links("https://status.example.org")
ALL = {
    "pager": (Topic.PAGES,),
    "chat": (Topic.WARNINGS,),
    "desk": (Topic.DRAFTS,),
    "log": (Topic.OUTCOMES,),
}


def heard(*outputs: Output, told: set[tuple[str, str]] = frozenset()) -> list[tuple[str, Happened]]:  # type: ignore[assignment]
    found = notifications([(7, output) for output in outputs], LINKS)
    return [(each.target, each.notification.happened) for each in routed(found, ALL, told=told)]


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        pytest.param(transition(Change.OPENED), [("pager", Happened.OPENED)], id="a critical incident pages"),
        pytest.param(transition(Change.ESCALATED), [("pager", Happened.ESCALATED)], id="so does one that became so"),
        pytest.param(transition(Change.REOPENED), [("pager", Happened.REOPENED)], id="and one that came back"),
        pytest.param(transition(Change.RESOLVED), [("pager", Happened.RESOLVED)], id="it is over"),
        pytest.param(transition(Change.RETRACTED), [("pager", Happened.RESOLVED)], id="it was a false alarm"),
        pytest.param(transition(Change.OPENED, severity=Severity.WARNING), [("chat", Happened.OPENED)], id="a warning"),
        pytest.param(transition(Change.OPENED, severity=Severity.INFO), [], id="information is looked up"),
        pytest.param(transition(Change.UPDATED), [], id="an update wakes nobody"),
        pytest.param(transition(Change.ACKNOWLEDGED), [], id="neither does an acknowledgement"),
        pytest.param(draft(DraftState.PENDING), [("desk", Happened.WAITING)], id="a draft waits"),
        pytest.param(
            draft(DraftState.APPROVED, decided_by="dana"),
            [("desk", Happened.DECIDED), ("log", Happened.DECIDED)],
            id="who saw it wait hears that it is done",
        ),
        pytest.param(draft(DraftState.POSTED), [("desk", Happened.SENT), ("log", Happened.SENT)], id="it was posted"),
    ],
)
def test_who_hears_of_what(output: Output, expected: list[tuple[str, Happened]]) -> None:
    assert heard(output) == expected


def test_whoever_heard_of_an_incident_hears_that_it_is_over_whatever_its_severity_became() -> None:
    for severity in Severity:
        over = transition(Change.RESOLVED, severity=severity)
        told = {("pager", over.incident), ("chat", over.incident)}
        assert {target for target, _ in heard(over, told=told)} == {"pager", "chat"}
    assert heard(transition(Change.RESOLVED, severity=Severity.INFO)) == []


def test_a_key_is_the_place_of_the_output_and_so_the_same_after_a_restart() -> None:
    outputs: list[tuple[int, Output]] = [
        (7, transition(Change.OPENED)),
        (7, transition(Change.UPDATED)),
        (7, draft(DraftState.PENDING)),
        (9, transition(Change.RESOLVED)),
    ]
    assert [each.key for each in notifications(outputs, LINKS)] == ["7-0", "7-2", "9-0"]
    assert notifications(outputs, LINKS) == notifications(outputs, LINKS)


def test_an_answer_for_those_who_answer_users_waits_for_nobody() -> None:
    assert of_drafts(draft(DraftState.PENDING, channel=SUPPORT), draft(DraftState.SUPERSEDED, channel=SUPPORT)) == []


def test_an_approved_draft_that_its_channel_lets_wait_is_not_told_again() -> None:
    waits = replace(draft(DraftState.APPROVED, decided_by="dana"), limited_since=at(1), waits_until=at(900))
    assert of_drafts(waits) == []
    [told] = of_drafts(replace(waits, state=DraftState.EXPIRED))
    assert "dana approved it, but x let it wait for too long" in told


def of_drafts(*drafts: Draft) -> list[str]:
    return [f"{each.title}\n{each.text}" for each in notifications([(1, each) for each in drafts], LINKS)]


def test_a_waiting_draft_is_told_with_link_text_lint_and_deadline() -> None:
    problem = Problem(rule="cause", level="error", message="no cause in a first post")
    [told] = of_drafts(replace(draft(DraftState.PENDING), problems=(problem,)))
    assert "https://status.example.org/d/d-1" in told
    assert "We are aware of delays." in told
    assert "error: cause, no cause in a first post" in told
    assert "until 14:20 UTC, 3 Feb" in told


@pytest.mark.parametrize(
    ("state", "words"),
    [
        pytest.param(DraftState.APPROVED, "Done: approved by dana", id="approved"),
        pytest.param(DraftState.REJECTED, "Done: rejected by dana", id="rejected"),
        pytest.param(DraftState.EXPIRED, "Expired at 14:20 UTC, 3 Feb", id="expired"),
        pytest.param(DraftState.SUPERSEDED, "nothing is to be said in its place", id="superseded by nothing"),
        pytest.param(DraftState.POSTED, "Done: posted on x at 14:00 UTC, 3 Feb, approved by dana.", id="posted"),
        pytest.param(DraftState.REFUSED, "dana had approved it; nothing was posted", id="refused"),
        pytest.param(DraftState.UNKNOWN_OUTCOME, "Nobody knows whether it is on x", id="outcome unknown"),
    ],
)
def test_what_became_of_a_draft_is_said_in_words(state: DraftState, words: str) -> None:
    [told] = of_drafts(draft(state, decided_by="dana"))
    assert words in told


def test_a_post_that_was_searched_for_in_vain_is_told_as_such() -> None:
    [told] = of_drafts(replace(draft(DraftState.UNKNOWN_OUTCOME, decided_by="dana"), searched=True))
    assert "surely not on x" in told


def test_a_superseded_draft_names_the_one_in_its_place() -> None:
    old, other, new = (
        draft(DraftState.SUPERSEDED),
        draft(DraftState.PENDING, name="d-2", channel="statuspage"),
        replace(draft(DraftState.PENDING, name="d-3"), replaces="d-1"),
    )
    told = of_drafts(old, other, new)[0]
    assert "Superseded by draft d-3" in told
    assert "/d/d-3" in told
    expired = of_drafts(replace(old, state=DraftState.EXPIRED), other, new)[0]
    assert "look at draft d-3" in expired
    assert "/d/d-3" in expired


@pytest.mark.parametrize("words", ["@everyone look", "@here", "<@123>", "<!channel>", "see @channel"])
def test_words_of_an_exchange_call_nobody(words: str) -> None:
    [found] = notifications([(1, transition(Change.OPENED, summary=words))], LINKS)
    assert words not in found.text
    assert words in found.text.replace("\u200b", "")


def test_texts_of_any_length_fit_into_a_message() -> None:
    outputs: list[tuple[int, Output]] = [
        (1, transition(Change.OPENED, summary="x" * 10_000)),
        (2, draft(DraftState.PENDING, text="y" * 10_000)),
    ]
    for found in notifications(outputs, LINKS):
        assert len(single(found, is_flapping=True).text) < 2_000


def test_a_digest_names_the_worst_first_and_where_the_rest_is() -> None:
    many = [notification(n, subject=f"i-{n}", severity=Severity.WARNING) for n in range(40)]
    many.append(notification(41, subject="halt"))
    told = digest(many, LINKS)
    assert told.title == "41 notifications at once: 1 critical, 40 warning"
    assert told.text.splitlines()[0] == "- halt opened 41"
    assert "and 21 more" in told.text
    assert "full list: https://status.example.org/" in told.text
    assert told.text.endswith("ref 0-0+40")


def test_without_an_address_there_are_no_links() -> None:
    [found] = notifications([(1, transition(Change.OPENED, kind=IncidentKind.BANK_RUN))], Links(""))
    assert "http" not in found.text
    assert found.title == "[critical] kraken: bank run opened"
