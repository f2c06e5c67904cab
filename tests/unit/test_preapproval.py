"""Texts signed beforehand: what covers a draft, what does not and why, and who signs."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

import tests.unit.test_drafts as d
from monitor.engine import state as states
from monitor.engine.signatures import Signatures
from monitor.model import Command, IncidentKind, PersonRole, PreApproval, Reply, Role, Stage, Verb
from monitor.notices.draft import Facts, sha256
from monitor.notices.preapproval import SlotError, UnfitError, covered, filled, worded
from tests.unit.test_role_matrix import signed

RAIL = replace(d.HALT, kind=IncidentKind.RAIL_SUSPENDED, scope=("USDT@tron",))
TEXT = (
    "We are aware that {asset} ({network}) withdrawals on the platform are suspended. Our team is already working on a "
    "fix. Deposits and trading are unaffected. Next update by {next_update}."
)
BY_DAY = datetime(2026, 2, 1, 12, tzinfo=UTC)


def ours(text: str = TEXT, *, rails: tuple[str, ...] = ("USDT@tron",)) -> PreApproval:
    return replace(signed(), text=text, text_sha256=sha256(text), kinds=(IncidentKind.RAIL_SUSPENDED,), rails=rails)


def why_not(each: PreApproval, facts: Facts, *, required: int = 1) -> str:
    with pytest.raises(UnfitError) as caught:
        covered(d.drafted(RAIL), facts, each, now=d.NOW, required=required)
    return str(caught.value)


def sign(text: str, **arguments: str) -> tuple[list[PreApproval], Reply]:
    return obeyed(Verb.SIGN, text_sha256=sha256(text), arguments={"text": text, **arguments})


def obeyed(
    verb: Verb,
    *,
    actor: str = "carol",
    subject: str = "",
    text_sha256: str = "",
    arguments: dict[str, str] | None = None,
    at: datetime = BY_DAY,
    room: Signatures | None = None,
) -> tuple[list[PreApproval], Reply]:
    room = room or Signatures("kraken", states.fresh("kraken").decided)
    told = Command(
        at=at,
        exchange="kraken",
        probe="web",
        verb=verb,
        actor=actor,
        role=PersonRole.APPROVER,
        subject=subject,
        arguments=arguments or {},
        text_sha256=text_sha256,
    )
    outputs = room.obey(told, role=Role.OPERATOR, now=at.timestamp())
    reply = outputs[-1]
    assert type(reply) is Reply
    return [output for output in outputs if type(output) is PreApproval], reply


OWN_WORDS = (
    "{asset} withdrawals on {network} are suspended since {since}. We are working on it. Next update by {next_update}."
)


def test_a_draft_takes_the_words_that_were_signed_for_it() -> None:
    found = worded(d.drafted(RAIL), RAIL, [ours(OWN_WORDS, rails=("BTC@*",)), ours(OWN_WORDS)], now=d.NOW, required=1)
    assert found.text == (
        "USDT withdrawals on tron are suspended since 02:19 UTC. We are working on it. Next update by 02:50 UTC."
    )
    assert found.text_sha256 == sha256(found.text)
    assert found.covered is not None
    assert (found.covered.preapproval, found.covered.text_sha256) == ("p-1", found.text_sha256)
    assert found.next_update_at == RAIL.next_update_at


def test_where_nothing_fits_a_draft_keeps_its_words() -> None:
    draft = d.drafted(RAIL)
    assert worded(draft, RAIL, [replace(ours(), exchange="gate")], now=d.NOW, required=1) == draft


def test_what_was_true_by_day_and_is_not_at_night_is_not_said() -> None:
    facts = replace(RAIL, deposits_unaffected=False)
    assert why_not(ours(), facts) == "said now it would break the rules unaffected"


@pytest.mark.parametrize(
    ("each", "facts", "why"),
    [
        pytest.param(replace(ours(), exchange="gate"), RAIL, "is for gate", id="another exchange"),
        pytest.param(ours(), replace(RAIL, kind=IncidentKind.WITHDRAWAL_HALT), "is not for withdrawal_halt", id="kind"),
        pytest.param(ours(), replace(RAIL, scope=("USDT@bsc",)), "is not for USDT@bsc", id="rail"),
        pytest.param(ours(), replace(RAIL, scope=("*",)), "is not for *", id="everything is more than a rail"),
        pytest.param(ours(), replace(RAIL, stage=Stage.IDENTIFIED), "first text", id="stage"),
        pytest.param(replace(ours(), expires_at=d.NOW), RAIL, "expired", id="expired"),
        pytest.param(replace(ours(), revoked_at=d.NOW, revoked_by="erin"), RAIL, "revoked by erin", id="revoked"),
        pytest.param(
            ours(rails=("*",)), replace(RAIL, scope=("USDT@tron", "BTC@bitcoin")), "exactly one", id="two assets"
        ),
        pytest.param(ours(rails=("*",)), replace(RAIL, scope=("*",)), "exactly one", id="no asset"),
        pytest.param(
            ours(rails=("*",)), replace(RAIL, scope=("x y@tron",)), "may stand for {asset}", id="shape, asset"
        ),
        pytest.param(
            ours(rails=("*",)), replace(RAIL, scope=("USDT@Tron 20",)), "may stand for {network}", id="shape, network"
        ),
        pytest.param(ours("{since}"), replace(RAIL, since=None), "{since} is not known", id="no time"),
    ],
)
def test_what_is_not_covered_has_a_reason(each: PreApproval, facts: Facts, why: str) -> None:
    assert why in why_not(each, facts)


def test_two_signatures_where_two_approvals_are_asked_for() -> None:
    assert why_not(ours(), RAIL, required=2) == "p-1 has 1 of 2 signatures"
    again = replace(ours(), signatures=ours().signatures * 2)
    assert why_not(again, RAIL, required=2) == "p-1 has 1 of 2 signatures"
    other = replace(ours().signatures[0], by="erin")
    both = replace(ours(), signatures=(*ours().signatures, other))
    assert covered(d.drafted(RAIL), RAIL, both, now=d.NOW, required=2).covered is not None


def test_a_slot_takes_names_and_times_only() -> None:
    assert filled("{asset} {network} {since} {next_update}", RAIL) == "USDT tron 02:19 UTC 02:50 UTC"
    with pytest.raises(SlotError, match=r"there is no slot \{cause\}"):
        filled("{cause}", RAIL)


@pytest.mark.parametrize(
    ("text", "arguments", "why"),
    [
        pytest.param("{cause}", {}, "there is no slot {cause}", id="an unknown slot"),
        pytest.param("We {asset", {}, "there is no slot", id="half a slot"),
        pytest.param("We were hacked.", {}, "cause: ", id="lint"),
        pytest.param(TEXT, {"kinds": "bank_run"}, "bank_run has no first text", id="a kind that does not speak"),
        pytest.param(TEXT, {"kinds": "nonsense"}, "cannot be read", id="no kind"),
        pytest.param(TEXT, {"kinds": ""}, "needs kinds", id="no kinds"),
        pytest.param(TEXT, {"rails": "tron"}, "is not a rail", id="no rail"),
        pytest.param(TEXT, {"expires": "2026-01-01T00:00:00+00:00"}, "later than now", id="over already"),
        pytest.param(TEXT, {"expires": "2028-01-01T00:00:00+00:00"}, "within 366 days", id="for ever"),
        pytest.param(TEXT, {"expires": "2026-03-01T00:00:00"}, "time zone", id="no zone"),
        pytest.param("x" * 2_001, {}, "2001 characters", id="too long"),
    ],
)
def test_what_cannot_be_signed(text: str, arguments: dict[str, str], why: str) -> None:
    kept, reply = sign(text, **arguments)
    assert (kept, reply.ok) == ([], False)
    assert why in reply.message


def test_a_signature_is_of_the_text_that_was_shown() -> None:
    kept, reply = obeyed(Verb.SIGN, text_sha256=sha256("another"), arguments={"text": TEXT, "kinds": "rail_suspended"})
    assert kept == []
    assert sha256(TEXT) in reply.message


def test_the_life_of_a_signature() -> None:
    room = Signatures("kraken", states.fresh("kraken").decided)
    arguments = {"text": TEXT, "kinds": "rail_suspended", "rails": "USDT@tron"}
    [first], reply = obeyed(Verb.SIGN, text_sha256=sha256(TEXT), arguments=arguments, room=room)
    assert reply.ok
    assert first.expires_at == BY_DAY + timedelta(days=90)
    assert [each.by for each in first.signatures] == ["carol"]

    assert not obeyed(Verb.SIGN, subject=first.id, text_sha256=first.text_sha256, room=room)[1].ok, "the same person"
    assert not obeyed(Verb.SIGN, subject=first.id, actor="erin", text_sha256="0" * 64, room=room)[1].ok
    [second], _ = obeyed(Verb.SIGN, subject=first.id, actor="erin", text_sha256=first.text_sha256, room=room)
    assert [each.by for each in second.signatures] == ["carol", "erin"]

    [gone], _ = obeyed(Verb.REVOKE, subject=first.id, actor="erin", room=room)
    assert (gone.revoked_by, gone.revoked_at) == ("erin", BY_DAY)
    assert not obeyed(Verb.REVOKE, subject=first.id, room=room)[1].ok
    assert not obeyed(Verb.SIGN, subject=first.id, actor="frank", text_sha256=first.text_sha256, room=room)[1].ok
    obeyed(Verb.REVOKE, subject="p-none", at=BY_DAY + timedelta(days=31), room=room)
    assert room.decided.signed == {}
