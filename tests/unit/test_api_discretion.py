"""What is told to whom: to insiders all of it, to others what is no person's own."""

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from monitor.model import Change, DraftState
from monitor.web.api import told
from monitor.web.api.discretion import discreet
from monitor.web.api.visitor import Visitor
from tests.api import cases, drafts, steps

INSIDER, OUTSIDER = Visitor(is_insider=True), Visitor()
SIGNED_IN = Visitor(name="erin")


def test_an_insider_is_told_everything() -> None:
    incident, step, draft = told.incident_told(cases()[0]), told.step(steps()[1], None), told.draft_told(drafts()[0])
    assert discreet(incident, INSIDER) is incident
    assert discreet(incident.incident, INSIDER) is incident.incident
    assert discreet(step, INSIDER) is step
    assert discreet(draft, INSIDER) is draft


@pytest.mark.parametrize("visitor", [OUTSIDER, SIGNED_IN], ids=["outsider", "signed in, and not let in"])
def test_of_an_incident_others_are_not_told_notes_and_names(visitor: Visitor) -> None:
    whole = told.incident_told(cases()[0])
    shown = discreet(whole, visitor)
    assert (shown.notes, shown.incident.acknowledged_by) == (UNSET, UNSET)
    assert shown.incident.acknowledged
    assert replace(shown, notes=whole.notes, incident=whole.incident) == whole
    assert discreet(whole.incident, visitor) == shown.incident


@pytest.mark.parametrize("change", list(Change))
def test_only_our_own_words_on_a_change_are_told(change: Change) -> None:
    step = told.step(replace(steps()[0], transition=change, summary="note by dana: hush"), None)
    is_ours = change in (Change.OPENED, Change.ESCALATED)
    assert discreet(step, OUTSIDER) == (step if is_ours else replace(step, summary=UNSET))


@pytest.mark.parametrize("draft", drafts(), ids=lambda draft: draft.state)
def test_only_what_was_posted_is_told_and_not_who_decided(draft: object) -> None:
    whole = told.draft_told(draft)  # type: ignore[arg-type]
    is_posted = whole.state is DraftState.POSTED
    assert discreet(whole, OUTSIDER) == (replace(whole, decided_by=UNSET, problems=UNSET) if is_posted else None)
