"""Drafts: the texts we ship, user templates, claims, edits and approvals."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from monitor.model import Draft, DraftState, Evidence, IncidentKind, Notice, Problem, Role, Stage
from monitor.notices.approval import refusal
from monitor.notices.draft import Facts, claims, compose, edited, speaks
from monitor.notices.facts import plain
from monitor.notices.templates import SHIPPED, key_of

TEMPLATES = Path(__file__).parents[2] / "config" / "templates"
NOW = datetime(2026, 2, 3, 2, 21, 30, tzinfo=UTC)
HALT = Facts(
    exchange="kraken",
    title="Kraken",
    kind=IncidentKind.WITHDRAWAL_HALT,
    stage=Stage.INVESTIGATING,
    scope=("*",),
    since=datetime(2026, 2, 3, 2, 19, 12, tzinfo=UTC),
    detected_at=datetime(2026, 2, 3, 2, 21, 30, tzinfo=UTC),
    next_update_at=datetime(2026, 2, 3, 2, 50, tzinfo=UTC),
    trading_unaffected=True,
    deposits_unaffected=True,
    sources=("chain", "api"),
)


def drafted(
    facts: Facts,
    *,
    role: Role = Role.OPERATOR,
    templates: dict[str, str] | None = None,
    channel: str = "x",
    now: datetime = NOW,
) -> Draft:
    return compose(
        facts,
        incident="kraken-withdrawal_halt-1",
        channel=channel,
        role=role,
        templates=templates or {},
        now=now,
        expiry_seconds=1200.0,
    )


def later(stage: Stage) -> Facts:
    """The halt of 3 Feb 2026 as it was known at each stage."""
    day = datetime(2026, 2, 3, tzinfo=UTC)
    official = day.replace(hour=2, minute=36)
    match stage:
        case Stage.INVESTIGATING:
            return HALT
        case Stage.IDENTIFIED:
            return replace(HALT, stage=stage, official_at=official)
        case Stage.MONITORING:
            return replace(HALT, stage=stage, official_at=official, recovered_at=day.replace(hour=2, minute=39))
        case Stage.RESOLVED:
            recovered, resolved = day.replace(hour=2, minute=39), day.replace(hour=3, minute=5)
            return replace(
                HALT,
                stage=stage,
                official_at=official,
                recovered_at=recovered,
                resolved_at=resolved,
                next_update_at=None,
            )


POSTS = {
    (Role.OPERATOR, Stage.INVESTIGATING): (
        "We are aware of some technical difficulties affecting all withdrawals on the platform.",
        "Our team is already working on a fix, and we will post here when services resume.",
        "Deposits and trading are unaffected.",
        "Next update by 02:50 UTC.",
    ),
    (Role.OPERATOR, Stage.IDENTIFIED): (
        "We have identified the cause of the difficulties affecting all withdrawals on the platform.",
        "A fix is under way.",
        "Deposits and trading are unaffected.",
        "Next update by 02:50 UTC.",
    ),
    (Role.OPERATOR, Stage.MONITORING): (
        "A fix is in place and all withdrawals on the platform are being processed again since 02:39 UTC.",
        "We are watching closely.",
        "Next update by 02:50 UTC.",
    ),
    (Role.OPERATOR, Stage.RESOLVED): (
        "The technical difficulties affecting all withdrawals on the platform are resolved.",
        "They have been operating normally since 02:39 UTC.",
        "We apologise for the inconvenience and thank you for your patience.",
    ),
    (Role.OBSERVER, Stage.INVESTIGATING): (
        "Since 02:19 UTC we observe all withdrawals halted at Kraken (on chain, public API).",
        "No statement from Kraken found yet.",
        "Deposits and trading are unaffected.",
        "Next update by 02:50 UTC.",
    ),
    (Role.OBSERVER, Stage.IDENTIFIED): (
        "Since 02:19 UTC we observe all withdrawals halted at Kraken.",
        "The issue is identified; Kraken first spoke at 02:36 UTC.",
        "Deposits and trading are unaffected.",
        "Next update by 02:50 UTC.",
    ),
    (Role.OBSERVER, Stage.MONITORING): (
        "Since 02:39 UTC we observe all withdrawals at Kraken being processed again (halted since 02:19 UTC).",
        "Kraken first spoke at 02:36 UTC.",
        "Next update by 02:50 UTC.",
    ),
    (Role.OBSERVER, Stage.RESOLVED): (
        "Since 02:39 UTC we observe all withdrawals at Kraken operating normally again (halted since 02:19 UTC).",
        "Kraken first spoke at 02:36 UTC.",
    ),
}


@pytest.mark.parametrize(("role", "stage"), POSTS)
def test_the_posts_of_a_halt(role: Role, stage: Stage) -> None:
    draft = drafted(later(stage), role=role)
    assert (draft.text, draft.problems) == (" ".join(POSTS[role, stage]), ())


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (IncidentKind.WITHDRAWAL_HALT, "technical difficulties"),
        (IncidentKind.WITHDRAWALS_DEGRADED, "delayed or partly unavailable"),
        (IncidentKind.RAIL_SUSPENDED, "are suspended"),
    ],
)
def test_each_kind_has_its_words(kind: IncidentKind, words: str) -> None:
    assert speaks(kind)
    assert words in drafted(replace(HALT, kind=kind)).text


def test_other_kinds_do_not_speak() -> None:
    assert [kind for kind in IncidentKind if speaks(kind)] == [
        IncidentKind.WITHDRAWAL_HALT,
        IncidentKind.BANK_RUN,
        IncidentKind.RAIL_SUSPENDED,
        IncidentKind.WITHDRAWALS_DEGRADED,
        IncidentKind.CAMPAIGN,
        IncidentKind.MAINTENANCE,
    ]


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        pytest.param(("*",), "affecting all withdrawals on", id="everything"),
        pytest.param(("BTC@*",), "affecting BTC withdrawals on", id="an asset of a source that knows no networks"),
        pytest.param(("USDT@tron",), "affecting USDT (tron) withdrawals on", id="one rail"),
        pytest.param(("USDT@tron", "USDT@ethereum"), "USDT (tron, ethereum) withdrawals", id="two networks"),
        pytest.param(("U@a", "U@b", "U@c"), "affecting U (3 networks) withdrawals", id="three networks"),
        pytest.param(("BTC@bitcoin", "ETH@*"), "withdrawals of BTC (bitcoin) and ETH on", id="two assets"),
        pytest.param(("A@*", "B@*", "C@*", "D@*"), "withdrawals of A, B, C and 1 more asset on", id="four assets"),
        pytest.param(
            tuple(f"ASSET{n}@a-long-network-name-{n}" for n in range(7)),
            "withdrawals of ASSET0 (a-long-network-name-0) and 6 more assets on",
            id="as many names as fit",
        ),
    ],
)
def test_the_scope_in_words(scope: tuple[str, ...], words: str) -> None:
    draft = drafted(replace(HALT, scope=scope))
    assert words in draft.text
    assert draft.problems == ()


def test_well_is_said_only_of_what_is_measured() -> None:
    for trading, deposits in ((True, False), (False, True), (False, False)):
        facts = replace(HALT, trading_unaffected=trading, deposits_unaffected=deposits)
        assert "unaffected" not in drafted(facts).text


def test_a_time_of_another_day_has_its_date() -> None:
    facts = replace(HALT, since=datetime(2026, 2, 2, 23, 55, tzinfo=UTC))
    draft = drafted(facts, role=Role.OBSERVER)
    assert draft.text.startswith("Since 2 Feb 2026, 23:55 UTC we observe")
    assert draft.problems == ()


def test_what_was_so_when_we_first_looked() -> None:
    draft = drafted(replace(HALT, since=None), role=Role.OBSERVER)
    assert draft.text.startswith("Since before 02:21 UTC we observe")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Kraken", "Kraken"),
        ("Crypto.com", "Crypto com"),
        ("https://evil.example/x", "https evil example x"),
        ("@kraken $BTC", "kraken BTC"),
        ("Gate\u202e\u200b\x00io", "Gate io"),
        ("USDC.e", "USDC.e"),
        ("한" * 40, "한" * 32),
        ("x" * 100, "x" * 64),
        ("$@/", ""),
    ],
)
def test_names_that_others_chose_are_made_plain(name: str, shown: str) -> None:
    assert plain(name) == shown


def test_a_hostile_title_does_nothing() -> None:
    draft = drafted(replace(HALT, title="@all https://evil.example $BTC $ETH\u202e"), role=Role.OBSERVER)
    assert draft.problems == ()
    assert "halted at all https evil example" in draft.text


def test_a_draft_is_bound_to_what_it_rests_on() -> None:
    draft = drafted(HALT)
    assert draft.text_sha256 == hashlib.sha256(draft.text.encode()).hexdigest()
    assert (draft.state, draft.created_at, draft.expires_at) == (DraftState.PENDING, NOW, NOW + timedelta(minutes=20))
    assert draft.claims == claims(HALT)
    named = f"kraken-withdrawal_halt-1|investigating|x|{NOW.isoformat()}|{draft.claims}"
    assert draft.id == f"d-{hashlib.sha256(named.encode()).hexdigest()[:10]}"


def test_drafts_have_ids_of_their_own() -> None:
    others = (
        drafted(HALT),
        drafted(HALT, channel="file"),
        drafted(HALT, now=NOW + timedelta(minutes=20)),
        drafted(replace(HALT, scope=("BTC@bitcoin",))),
        drafted(later(Stage.IDENTIFIED)),
    )
    assert len({draft.id for draft in others}) == len(others)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        pytest.param({"next_update_at": None}, True, id="the time of the next update"),
        pytest.param({"sources": ("chain", "api", "queue")}, True, id="one more source"),
        pytest.param(
            {"evidence": (Evidence(at=NOW, probe="p", source="api", value="suspended"),)}, True, id="one more reading"
        ),
        pytest.param({"since": datetime(2026, 2, 3, 2, 19, 50, tzinfo=UTC)}, True, id="since, in the same minute"),
        pytest.param({"since": datetime(2026, 2, 3, 2, 18, 50, tzinfo=UTC)}, False, id="since, a minute earlier"),
        pytest.param({"since": None}, False, id="since, not known"),
        pytest.param({"stage": Stage.IDENTIFIED}, False, id="stage"),
        pytest.param({"scope": ("BTC@bitcoin",)}, False, id="scope"),
        pytest.param({"trading_unaffected": False}, False, id="trading"),
        pytest.param({"deposits_unaffected": False}, False, id="deposits"),
        pytest.param({"official_at": NOW}, False, id="the official word"),
    ],
)
def test_claims_change_with_what_makes_a_text_untrue(change: dict[str, object], *, same: bool) -> None:
    assert (claims(replace(HALT, **change)) == claims(HALT)) is same


def test_the_order_of_the_scope_is_no_claim() -> None:
    one, other = ("A@x", "B@y"), ("B@y", "A@x")
    assert claims(replace(HALT, scope=one)) == claims(replace(HALT, scope=other))


def test_a_user_template_is_used() -> None:
    own = "{{ title }}: {{ withdrawals }} are {{ state }}.\n\nNext update by {{ next_update }}."
    draft = drafted(HALT, templates={"operator/investigating": own, "operator/identified": "{{ not_a_word }}"})
    assert draft.text == "Kraken: all withdrawals are halted.\n\nNext update by 02:50 UTC."
    assert draft.problems == ()


@pytest.mark.parametrize(
    "own",
    [
        pytest.param("{{ scope }}", id="a word that is not given"),
        pytest.param("{% if %}", id="does not compile"),
        pytest.param("{{ 1 / 0 }}", id="divides by zero"),
        pytest.param("{{ title + 1 }}", id="adds a word and a number"),
        pytest.param("{{ ''.__class__.__mro__ }}", id="leaves the sandbox"),
        pytest.param("{{ sources.append('x') }}", id="changes what it is given"),
        pytest.param("{% include 'x' %}", id="reads a file"),
        pytest.param("{{ lipsum() }}", id="throws dice"),
        pytest.param("{{ ['a', 'b'] | random }}", id="throws dice by a filter"),
        pytest.param("{{ title.upper }}", id="shows an address of memory"),
        pytest.param("", id="says nothing"),
        pytest.param("All funds are safe.", id="says what the linter forbids"),
        pytest.param("Fixed in 20 minutes.", id="says a number of its own"),
        pytest.param("{{ 'x' * 300 }}", id="too long for a post"),
    ],
)
def test_a_broken_user_template_gives_our_text_and_says_so(own: str) -> None:
    draft = drafted(HALT, templates={"operator/investigating": own})
    assert draft.text == drafted(HALT).text
    [problem] = draft.problems
    assert (problem.rule, problem.level) == ("template", "error")
    assert "operator/investigating" in problem.message
    assert problem == drafted(HALT, templates={"operator/investigating": own}).problems[0]


def test_the_shipped_texts_are_the_files_a_user_sees() -> None:
    files = {f"{path.parent.name}/{path.stem}": path.read_text() for path in TEMPLATES.glob("*/*.j2")}
    assert files == dict(SHIPPED)
    english = {key_of(role, notice) for role in Role for notice in Notice}
    assert set(SHIPPED) == english | {f"{key}.zh" for key in english}


def test_an_edit_is_linted_again_and_lives_on() -> None:
    now = NOW + timedelta(minutes=19)
    draft = drafted(HALT)
    facts = replace(HALT, next_update_at=datetime(2026, 2, 3, 3, 10, tzinfo=UTC))
    new = edited(draft, text=f"{draft.text} Funds are safe.", facts=facts, actor="ana", now=now)
    assert [problem.rule for problem in new.problems] == ["safe"]
    assert new.text_sha256 == hashlib.sha256(new.text.encode()).hexdigest()
    assert (new.id, new.state, new.claims, new.created_at) == (draft.id, draft.state, draft.claims, draft.created_at)
    assert (new.decided_by, new.decided_at, new.expires_at) == ("ana", now, now + timedelta(minutes=20))
    again = edited(new, text=draft.text, facts=facts, actor="ben", now=now + timedelta(minutes=5))
    assert again.problems == ()
    assert again.text_sha256 == draft.text_sha256
    assert again.expires_at == now + timedelta(minutes=25)


def _same(draft: Draft) -> Draft:
    return draft


def _in(state: DraftState) -> Callable[[Draft], Draft]:
    return lambda draft: replace(draft, state=state)


def _tampered(draft: Draft) -> Draft:
    return replace(draft, text=f"{draft.text}!")


def _with_problem(draft: Draft) -> Draft:
    return replace(draft, problems=(Problem(rule="safe", level="error", message="says that funds are safe"),))


def _with_warning(draft: Draft) -> Draft:
    return replace(draft, problems=(Problem(rule="scope", level="warning", message="does not name BTC"),))


SHOWN = drafted(HALT).text_sha256


@pytest.mark.parametrize(
    ("change", "sha256", "minutes", "held", "why"),
    [
        pytest.param(_same, SHOWN, 1, False, None, id="holds"),
        pytest.param(_with_warning, SHOWN, 1, False, None, id="a warning is the person's to weigh"),
        pytest.param(_same, SHOWN, 19.99, False, None, id="just in time"),
        pytest.param(_same, SHOWN, 20, False, "expired", id="expired"),
        pytest.param(_same, SHOWN, 1, True, "held", id="held"),
        pytest.param(_same, None, 1, False, "sha256", id="without a hash"),
        pytest.param(_same, "0" * 64, 1, False, "not the one that was shown", id="of another text"),
        pytest.param(_tampered, SHOWN, 1, False, "not the one that was shown", id="text changed under the hash"),
        pytest.param(_with_problem, SHOWN, 1, False, "funds are safe", id="lint error"),
        *(
            pytest.param(_in(state), SHOWN, 1, False, str(state), id=f"already {state}")
            for state in DraftState
            if state is not DraftState.PENDING
        ),
    ],
)
def test_when_an_approval_holds(
    change: Callable[[Draft], Draft], sha256: str | None, minutes: float, *, held: bool, why: str | None
) -> None:
    found = refusal(change(drafted(HALT)), text_sha256=sha256, now=NOW + timedelta(minutes=minutes), held=held)
    if why is None:
        assert found is None
    else:
        assert found is not None
        assert why in found
