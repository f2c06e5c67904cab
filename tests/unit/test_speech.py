"""What is drafted as an incident goes on: by hand-made incidents, with the engine's time told."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

import tests.journals as j
from monitor.engine.engine import Engine
from monitor.engine.finding import moment
from monitor.engine.money import Money
from monitor.engine.speech import Speech
from monitor.engine.state import fresh
from monitor.model import (
    SUPPORT,
    ConfigApplied,
    Delivery,
    DeliveryOutcome,
    Draft,
    DraftState,
    Flow,
    Incident,
    IncidentKind,
    Judging,
    MaintenanceWindow,
    Notice,
    Price,
    RailState,
    Role,
    Sentence,
    Severity,
    Stage,
)

START = datetime(2026, 2, 3, 2, 21, 30, tzinfo=UTC)
HALT = Incident(
    id="kraken-withdrawal_halt-1",
    exchange="kraken",
    kind=IncidentKind.WITHDRAWAL_HALT,
    severity=Severity.CRITICAL,
    stage=Stage.INVESTIGATING,
    scope=("*",),
    summary="withdrawals halted",
    opened_at=START,
    since=START - timedelta(minutes=2),
    updated_at=START,
)
OPERATOR = Judging(role=Role.OPERATOR, speaks_for="kraken", channels=("x",))


class Desk:
    """An exchange's speech, a person who posts what is drafted, and a clock in minutes since the halt was seen."""

    def __init__(self, judging: Judging = OPERATOR, incident: Incident = HALT) -> None:
        self.decided = fresh("kraken").decided
        self.speech = Speech("kraken", self.decided)
        self.speech.judging = judging
        self.tell(incident)

    def tell(self, incident: Incident) -> None:
        self.incident = incident
        self.decided.cases.incidents["withdrawals"] = incident

    def follow(self, minutes: float, *, well: bool = True) -> list[Draft]:
        """What is on X afterwards, oldest first."""
        now = at(minutes)
        self.speech.expire(now)
        facts = self.speech.facts(self.incident, now=now, trading=well, deposits=well)
        self.speech.follow(self.incident, facts, now=now)
        return self.on("x")

    def on(self, channel: str) -> list[Draft]:
        return [draft for draft in self.decided.drafts.values() if draft.channel == channel]

    def post(self, draft: Draft, minutes: float) -> None:
        posted = Delivery(
            at=moment(at(minutes)),
            exchange="kraken",
            probe="outbox",
            draft=draft.id,
            channel=draft.channel,
            outcome=DeliveryOutcome.POSTED,
            remote_id="1",
        )
        self.speech.deliver(posted, now=at(minutes))


def at(minutes: float) -> float:
    return START.timestamp() + minutes * 60


def test_an_incident_has_a_post_and_an_answer_for_support() -> None:
    desk = Desk()
    [draft] = desk.follow(0)
    [answer] = desk.on(SUPPORT)
    assert (draft.notice, answer.notice) == (Notice.INVESTIGATING, Notice.SUPPORT)
    assert len(answer.text) <= 300
    assert "Next update by 02:50 UTC" in draft.text
    assert "Next update by 02:50 UTC" in answer.text
    assert [p for p in (*draft.problems, *answer.problems) if p.level == "error"] == []


def test_both_are_superseded_together() -> None:
    desk = Desk()
    desk.follow(0)
    desk.tell(replace(HALT, stage=Stage.IDENTIFIED))
    first, second = desk.follow(10)
    assert [first.state, second.state] == [DraftState.SUPERSEDED, DraftState.PENDING]
    assert [draft.state for draft in desk.on(SUPPORT)] == [DraftState.SUPERSEDED, DraftState.PENDING]
    assert second.replaces == first.id


def test_expiry_asks_again_with_the_same_text_while_the_promise_is_some_minutes_off() -> None:
    desk = Desk()
    desk.follow(0)
    first, second = desk.follow(20)
    assert (first.state, second.state, second.replaces) == (DraftState.EXPIRED, DraftState.PENDING, first.id)
    assert (second.text, second.text_sha256) == (first.text, first.text_sha256)


def test_expiry_asks_again_with_another_text_once_its_promise_has_come() -> None:
    desk = Desk()
    desk.follow(0)
    desk.follow(20)
    *_, second, third = desk.follow(40)
    assert third.replaces == second.id
    assert "Next update by 03:30 UTC" in third.text


@pytest.mark.parametrize(
    ("judging", "severity"),
    [
        pytest.param(OPERATOR, Severity.CRITICAL, id="operator"),
        pytest.param(Judging(channels=("x",)), Severity.WARNING, id="observer"),
    ],
)
def test_a_promise_is_remembered_five_minutes_before_and_when_it_is_due(judging: Judging, severity: Severity) -> None:
    desk = Desk(judging)
    [draft] = desk.follow(0)
    desk.post(draft, 2)
    promised = (draft.next_update_at or START).timestamp()
    assert desk.speech.due(at(3)) == promised - 300
    assert desk.speech.findings(promised - 301) == []
    [before] = desk.speech.findings(promised - 300)
    assert (before.kind, before.severity) == (IncidentKind.UPDATE_DUE, severity)
    assert before.summary.startswith("an update is promised by 02:50 UTC")
    assert desk.speech.due(promised - 300) == promised
    [late] = desk.speech.findings(promised)
    assert late.summary.startswith("the update promised by 02:50 UTC is overdue")
    assert len(late.evidence) > len(before.evidence)


def test_a_new_draft_is_made_before_the_promised_time_and_ends_the_reminder_once_it_is_out() -> None:
    desk = Desk()
    [draft] = desk.follow(0)
    desk.post(draft, 2)
    assert len(desk.follow(23)) == 1
    *_, update = desk.follow(24)
    assert (update.id != draft.id, update.state, update.replaces) == (True, DraftState.PENDING, None)
    assert "Next update by 03:15 UTC" in update.text
    desk.post(update, 27)
    assert desk.speech.findings(at(29)) == []


def test_nobody_is_reminded_once_it_is_over() -> None:
    desk = Desk()
    [draft] = desk.follow(0)
    desk.post(draft, 2)
    desk.tell(replace(HALT, stage=Stage.RESOLVED, recovered_at=START, resolved_at=START + timedelta(minutes=20)))
    desk.follow(20)
    assert [f for f in desk.speech.findings(at(60)) if f.kind is IncidentKind.UPDATE_DUE] == []


def test_a_reopening_is_told_where_the_end_was_posted() -> None:
    desk = Desk()
    over = replace(HALT, stage=Stage.RESOLVED, recovered_at=START, resolved_at=START + timedelta(minutes=20))
    desk.tell(over)
    [resolved] = desk.follow(20)
    assert resolved.notice is Notice.RESOLVED
    desk.post(resolved, 21)
    desk.tell(HALT)
    *_, again = desk.follow(25)
    assert (again.notice, again.stage) == (Notice.REOPENED, Stage.INVESTIGATING)
    assert "affected again" in again.text


def test_a_reopening_is_an_investigation_where_nothing_was_posted() -> None:
    desk = Desk()
    desk.tell(replace(HALT, stage=Stage.RESOLVED, recovered_at=START, resolved_at=START + timedelta(minutes=20)))
    desk.follow(20)
    desk.tell(HALT)
    assert desk.follow(25)[-1].notice is Notice.INVESTIGATING


@pytest.mark.parametrize(
    ("change", "well"),
    [
        pytest.param({"scope": ("BTC@bitcoin",)}, True, id="it was said of more than there is"),
        pytest.param({"holds": IncidentKind.WITHDRAWALS_DEGRADED}, True, id="it was said to be worse"),
        pytest.param({"since": START - timedelta(minutes=1)}, True, id="it was said to have begun earlier"),
        pytest.param({}, False, id="deposits were said to be unaffected"),
    ],
)
def test_a_posted_text_that_is_untrue_within_ten_minutes_is_corrected(change: dict[str, object], *, well: bool) -> None:
    desk = Desk()
    [draft] = desk.follow(0)
    desk.post(draft, 2)
    desk.tell(replace(HALT, **change))
    *_, correction = desk.follow(11, well=well)
    assert (correction.notice, correction.corrects) == (Notice.CORRECTION, draft.id)
    assert correction.text.startswith("Correction to our post of 02:23 UTC")
    assert [p for p in correction.problems if p.level == "error"] == []
    assert len(desk.follow(12, well=well)) == len(desk.on("x")), "it is drafted once"
    desk.post(correction, 13)
    assert desk.follow(14, well=well)[-1].id == correction.id, "what the correction says is not said again"


def test_what_changes_later_is_told_by_the_next_update() -> None:
    desk = Desk()
    [draft] = desk.follow(0)
    desk.post(draft, 2)
    desk.tell(replace(HALT, scope=("BTC@bitcoin",)))
    assert desk.follow(13)[-1].notice is Notice.INVESTIGATING


def test_what_nobody_posted_is_not_corrected() -> None:
    desk = Desk()
    desk.follow(0)
    desk.tell(replace(HALT, scope=("BTC@bitcoin",)))
    assert desk.follow(5)[-1].notice is Notice.INVESTIGATING


def test_a_false_alarm_is_taken_back_where_it_was_posted_and_withdrawn_where_it_was_not() -> None:
    over = replace(
        HALT, stage=Stage.RESOLVED, recovered_at=START, resolved_at=START + timedelta(minutes=8), retracted_by="ana"
    )
    posted, silent = Desk(), Desk()
    [draft] = posted.follow(0)
    silent.follow(0)
    posted.post(draft, 2)
    for desk in (posted, silent):
        desk.tell(over)
    *_, correction = posted.follow(8)
    assert (correction.notice, correction.corrects) == (Notice.CORRECTION, draft.id)
    assert "false alarm" in correction.text
    assert [d.state for d in silent.follow(8)] == [DraftState.SUPERSEDED]


def test_the_same_text_on_x_within_a_day_is_an_error() -> None:
    desk = Desk()
    desk.tell(replace(HALT, stage=Stage.RESOLVED, recovered_at=START, resolved_at=START))
    [draft] = desk.follow(0)
    desk.post(draft, 1)
    desk.tell(replace(desk.incident, id="kraken-withdrawal_halt-2"))
    assert "duplicate" in [problem.rule for problem in desk.follow(60)[-1].problems]
    desk.tell(replace(desk.incident, id="kraken-withdrawal_halt-3"))
    assert "duplicate" not in [problem.rule for problem in desk.follow(60 * 25)[-1].problems]


def test_another_language_shows_its_english_twin_and_hashes_what_is_posted() -> None:
    desk = Desk(replace_judging(language="zh", sentences=(Sentence.CHECK_ADDRESS,)))
    [draft] = desk.follow(0)
    assert draft.language == "zh"
    assert "提币" in draft.text
    assert "请核对地址和网络" in draft.text
    assert draft.english is not None
    assert draft.english.startswith("We are aware of some technical difficulties")
    [plain] = Desk().follow(0)
    assert draft.text_sha256 != plain.text_sha256


def replace_judging(**changes: object) -> Judging:
    return Judging(role=Role.OPERATOR, speaks_for="kraken", channels=("x",), **changes)  # type: ignore[arg-type]


def test_a_language_that_is_the_users_own_is_judged_by_its_twin() -> None:
    own = {"operator/investigating.ko": "출금이 지연되고 있습니다. {{ next_update }} 10 000"}
    [draft] = Desk(replace_judging(language="ko", templates=own)).follow(0)
    assert (draft.language, "template" in [p.rule for p in draft.problems]) == ("en", True)
    own = {"operator/investigating.ko": "출금이 지연되고 있습니다. {{ next_update }}"}
    [draft] = Desk(replace_judging(language="ko", templates=own)).follow(0)
    assert (draft.language, draft.text) == ("ko", "출금이 지연되고 있습니다. 02:50 UTC")
    assert [(p.rule, p.level) for p in draft.problems] == [("language", "warning")]
    assert draft.next_update_at == datetime(2026, 2, 3, 2, 50, tzinfo=UTC)


def test_maintenance_is_told_with_its_window_and_its_end() -> None:
    window = MaintenanceWindow(
        at=START, exchange="kraken", probe="s", starts_at=START - timedelta(hours=1), ends_at=START, scope=("*",)
    )
    desk = Desk(incident=replace(HALT, kind=IncidentKind.MAINTENANCE, opened_at=START - timedelta(minutes=30)))
    desk.decided.windows = [window]
    [draft] = desk.follow(0)
    assert draft.notice is Notice.MAINTENANCE
    assert "from 01:21 UTC to 02:21 UTC" in draft.text
    desk.tell(replace(desk.incident, stage=Stage.RESOLVED, recovered_at=START, resolved_at=START))
    assert "has ended" in desk.follow(5)[-1].text


def moving(minutes: int, *, gap: tuple[int, ...] = (), priced: bool = True) -> Money:
    """Three coins in and five out each minute from 01:21 on."""
    money = Money(fresh("kraken").decided.money, exchange="kraken")
    for minute in range(-60, minutes + 1):
        if minute in gap:
            continue
        money.observe(flow(minute), at(minute))
    for source in ("a", "b", "c") if priced else ():
        money.observe(price(source, minutes), at(minutes))
    return money


def flow(minute: int) -> Flow:
    return Flow(
        at=moment(at(minute)),
        exchange="kraken",
        probe="flows",
        asset="BTC",
        network="bitcoin",
        window_seconds=60.0,
        inflow=Decimal(3),
        outflow=Decimal(5),
    )


def price(source: str, minute: int) -> Price:
    return Price(at=moment(at(minute)), probe=f"price-{source}", asset="BTC", usd=Decimal(50_000), source=source)


RUN = replace(HALT, kind=IncidentKind.BANK_RUN, id="kraken-bank_run-1", since=START - timedelta(minutes=10))


def test_a_statement_tells_what_moved_since_the_hour() -> None:
    desk = Desk(incident=RUN)
    desk.decided.cases.incidents = {"run": RUN}
    money = moving(0, priced=False)
    desk.speech.account(RUN, money, now=at(0))
    [draft] = desk.on("x")
    assert draft.notice is Notice.RESERVES_STATEMENT
    # Twenty-two windows of a minute; the one that began half a minute before the hour counts whole.
    assert draft.text.startswith("Since 02:00 UTC the addresses we publish received 66 BTC and sent 110 BTC; net -44")
    assert [p for p in draft.problems if p.level == "error"] == []
    assert desk.on(SUPPORT)[0].notice is Notice.SUPPORT


def test_a_statement_stays_until_it_expires_and_ends_with_its_incident() -> None:
    desk = Desk(incident=RUN)
    desk.decided.cases.incidents = {"run": RUN}
    desk.speech.account(RUN, moving(0, priced=False), now=at(0))
    assert desk.speech.account(RUN, moving(5, priced=False), now=at(5)) == []
    over = replace(RUN, stage=Stage.RESOLVED, resolved_at=START)
    desk.decided.cases.incidents = {"run": over}
    assert [d.state for d in desk.speech.account(None, moving(6), now=at(6))] == [DraftState.SUPERSEDED] * 2


def test_nothing_is_stated_that_is_not_known_whole() -> None:
    desk = Desk(incident=RUN)
    desk.decided.cases.incidents = {"run": RUN}
    assert desk.speech.account(RUN, moving(0, gap=(-6, -5)), now=at(0)) == []
    assert desk.speech.account(RUN, Money(fresh("kraken").decided.money, exchange="kraken"), now=at(0)) == []


def test_an_engine_writes_drafts_in_the_language_it_is_told() -> None:
    engine = Engine.fresh("examplex")
    told = ConfigApplied(at=j.at(0), probe="config", config=Judging(language="zh"), sha256="")
    entries = [told, *j.polled((5, RailState.SUSPENDED, j.MAJORS), until=8)]
    drafts = [o for entry in entries for o in engine.apply(entry) if type(o) is Draft]
    assert {draft.language for draft in drafts} == {"zh"}
    assert Engine.restore(engine.checkpoint()).checkpoint() == engine.checkpoint()
