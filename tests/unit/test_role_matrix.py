"""Who may do what, for every verb, role and state: the table itself, and the engine that keeps it."""

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

import tests.unit.test_drafts as d
from monitor.engine import state as states
from monitor.engine.decisions import Decisions
from monitor.engine.engine import Engine
from monitor.engine.world import World
from monitor.model import (
    Approval,
    Command,
    Covered,
    DraftState,
    IncidentKind,
    PersonRole,
    PreApproval,
    Reply,
    Verb,
)
from monitor.notices.approval import RULES, forbidden, matrix

PAGE = Path(__file__).parents[2] / "docs" / "approval.md"
NOW = d.NOW + timedelta(minutes=1)
DRAFT = replace(d.drafted(d.HALT), exchange="kraken")
ABOUT_DRAFTS = [verb for verb, rule in RULES.items() if rule.states]

MAY = {
    Verb.ACKNOWLEDGE: "publisher approver admin",
    Verb.IDENTIFY: "publisher approver admin",
    Verb.NOTE: "publisher approver admin",
    Verb.RESOLVE: "publisher approver admin",
    Verb.REOPEN: "publisher approver admin",
    Verb.RETRACT: "publisher approver admin",
    Verb.MAINTAIN: "publisher approver admin",
    Verb.END_MAINTENANCE: "publisher approver admin",
    Verb.SILENCE: "publisher approver admin",
    Verb.EXPIRE_SILENCE: "publisher approver admin",
    Verb.DRILL: "publisher approver admin",
    Verb.END_DRILL: "publisher approver admin",
    Verb.EDIT: "publisher approver admin",
    Verb.APPROVE: "approver admin",
    Verb.BREAK_GLASS: "admin",
    Verb.REJECT: "approver admin",
    Verb.RETRY: "approver admin",
    Verb.SIGN: "approver admin",
    Verb.REVOKE: "publisher approver admin",
    Verb.HOLD: "publisher approver admin",
    Verb.RELEASE: "approver admin",
}
"""Written apart from the table, so that a slip in one of them shows."""

IN = {
    Verb.EDIT: {DraftState.PENDING},
    Verb.APPROVE: {DraftState.PENDING},
    Verb.BREAK_GLASS: {DraftState.PENDING},
    Verb.REJECT: {DraftState.PENDING, DraftState.APPROVED},
    Verb.RETRY: {DraftState.REFUSED, DraftState.UNKNOWN_OUTCOME},
}


def signed() -> PreApproval:
    given = Approval(by="carol", at=d.NOW, role=PersonRole.APPROVER, text_sha256=DRAFT.text_sha256)
    return PreApproval(
        id="p-1",
        exchange="kraken",
        text=DRAFT.text,
        text_sha256=DRAFT.text_sha256,
        kinds=(IncidentKind.WITHDRAWAL_HALT,),
        rails=("*",),
        signed_at=d.NOW,
        expires_at=d.NOW + timedelta(days=90),
        signatures=(given,),
    )


def command(verb: Verb, role: PersonRole) -> Command:
    return Command(
        at=NOW,
        exchange="kraken",
        probe="web",
        verb=verb,
        actor="dana",
        role=role,
        subject=DRAFT.id if verb in ABOUT_DRAFTS else "",
        arguments={"text": f"{DRAFT.text} More.", "reason": "nobody else is awake"},
        text_sha256=DRAFT.text_sha256,
    )


def said(verb: Verb, role: PersonRole, state: DraftState, *, covered: bool) -> Reply:
    decided = states.fresh("kraken").decided
    mark = Covered(preapproval="p-1", text_sha256=DRAFT.text_sha256) if covered else None
    decided.drafts[DRAFT.id] = replace(DRAFT, state=state, covered=mark, searched=True)
    decided.signed["p-1"] = signed()
    _, reply = Decisions("kraken", decided).obey(command(verb, role), d.HALT, now=NOW.timestamp())
    return reply


@pytest.mark.parametrize("covered", [False, True], ids=["drafted", "pre-approved"])
@pytest.mark.parametrize("state", DraftState)
@pytest.mark.parametrize("role", PersonRole)
@pytest.mark.parametrize("verb", ABOUT_DRAFTS)
def test_verbs_about_drafts(verb: Verb, role: PersonRole, state: DraftState, covered: bool) -> None:
    roles = MAY[verb].split()
    if covered and verb is Verb.APPROVE:
        roles.append(PersonRole.PUBLISHER)
    reply = said(verb, role, state, covered=covered)
    assert reply.ok is (role in roles and state in IN[verb]), reply.message
    if role not in roles:
        assert f"a {role} may not" in reply.message
    elif state not in IN[verb]:
        assert f"is {state}" in reply.message


@pytest.mark.parametrize("role", PersonRole)
@pytest.mark.parametrize("verb", [verb for verb in Verb if verb not in ABOUT_DRAFTS])
def test_other_verbs(verb: Verb, role: PersonRole) -> None:
    for answered in (Engine.fresh("kraken").apply(command(verb, role)), World.fresh().apply(command(verb, role))):
        refused = [out.message for out in answered if type(out) is Reply and f"a {role} may not" in out.message]
        assert len(refused) <= 1
        if answered and type(answered[0]) is Reply:
            assert bool(refused) is (role not in MAY[verb].split())


def test_a_hold_by_somebody_who_may_not_holds_nothing() -> None:
    engine, world = Engine.fresh("kraken"), World.fresh()
    for each in (engine, world):
        each.apply(command(Verb.HOLD, PersonRole.VIEWER))
    assert (engine.state.decided.held, world.state.held) == (False, False)
    for each in (engine, world):
        each.apply(command(Verb.HOLD, PersonRole.PUBLISHER))
        each.apply(command(Verb.RELEASE, PersonRole.PUBLISHER))
    assert (engine.state.decided.held, world.state.held) == (True, True)


@pytest.mark.parametrize("role", PersonRole)
@pytest.mark.parametrize("verb", Verb)
def test_the_table(verb: Verb, role: PersonRole) -> None:
    assert verb in RULES, "a verb without a rule is the admins' alone"
    assert (forbidden(verb, role) is None) is (role in MAY[verb].split())


def test_the_page_shows_the_table() -> None:
    assert "\n".join(matrix()) in PAGE.read_text(encoding="utf-8"), "write `matrix()` to docs/approval.md"
