"""No order of edits, approvals, expiries and kills publishes a text without its approval, or twice.

Engines, store, outbox and restarts are the real ones. The machine keeps its own account of who was granted what, and
looks at it at the instant a text is handed to the channel: between that and the answer anything may happen.
"""

import asyncio
import sqlite3
import tempfile
from collections.abc import Coroutine
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec import Struct

import tests.journals as j
from monitor.channels.looking import APART
from monitor.model import Command, Draft, DraftState, IncidentKind, PersonRole, RailState, Stage, Verb
from monitor.notices.draft import sha256
from tests.faults.press import Fate
from tests.newsroom import Newsroom, Wire, halted
from tests.office import EXCHANGE, ROLES

_T = TypeVar("_T")
YES = (PersonRole.APPROVER, PersonRole.ADMIN)
EXPIRY = timedelta(minutes=20)
OVER = (DraftState.REJECTED, DraftState.SUPERSEDED, DraftState.EXPIRED)
PUBLISHING = (IncidentKind.POST_UNKNOWN, IncidentKind.DRAFT_WAITING, IncidentKind.UPDATE_DUE)
people = st.sampled_from([*ROLES, "anna", "otto", "iris"])
which = st.sampled_from([0, 0, 0, 1, 2])
HAPPENED = ["nothing", "hold", "late", "reject", "identify", "kill", "lost"]
events = st.sampled_from(HAPPENED)
fates = st.sampled_from([Fate.POSTED, Fate.REJECTED, Fate.RATE_LIMITED, Fate.LOST, Fate.UNSENT])


class Case(Struct, kw_only=True):
    """What people were granted of one draft. `said`: who approved which text since the last edit."""

    text: str
    former: str = "words that nobody drafted"
    expires_at: datetime
    said: dict[str, str] = {}
    editors: tuple[str, ...] = ()
    glass: bool = False
    is_over: bool = False  # rejected, superseded or expired
    may_be_tried: bool = True  # by the outbox itself
    is_refused: bool = False
    unclear_at: datetime | None = None  # nobody knows since then whether it is up

    def has_its_approvals(self, text: str, *, required: int) -> bool:
        yes = [who for who, said in self.said.items() if said == text and ROLES[who] in YES]
        return self.glass or len([who for who in yes if required == 1 or who not in self.editors]) >= required


class Publishing(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.resources = ExitStack()
        self.runner = self.resources.enter_context(asyncio.Runner())
        self.folder = Path(self.resources.enter_context(tempfile.TemporaryDirectory()))
        self.cases: dict[str, Case] = {}
        self.broken: list[str] = []
        self.held = False

    @initialize(required=st.sampled_from([1, 2]), public=st.booleans(), event=st.sampled_from([None, *HAPPENED]))
    def begin(self, required: int, public: bool, event: str | None) -> None:
        """`event`: the first text is edited and agreed to already, then that happened."""
        self.required = required
        self.now = _prepared(self.folder, required)
        self.room = Newsroom(self.folder, start=self.now)
        self.wire = Wire(public=public, clock=self.room.clock, told=self.handed_over)
        self.run(self.room.open(self.wire))
        if event is not None:
            self.edit(who="otto", n=0, added="More will follow.")
            self.approve(who="iris", n=0, is_stale=True)  # who has the former text before her
            self.agree_and_ring(event=event)

    def teardown(self) -> None:
        if self.cases:
            self.runner.run(self.room.close())
        self.resources.close()

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """And look what drafts have come to."""
        result = self.runner.run(work)
        self.now = self.room.clock.now()
        self.drafts = self.runner.run(self.room.drafts())
        for draft in self.drafts:
            case = self.cases.setdefault(draft.id, Case(text=draft.text, expires_at=draft.expires_at))
            case.is_over |= draft.state in OVER
        return result

    def chosen(self, n: int) -> Draft:
        """Those that wait come first."""
        return sorted(self.drafts, key=lambda draft: draft.state is not DraftState.PENDING)[n % len(self.drafts)]

    def tell(self, verb: Verb, who: str, subject: str, *, sha: str | None = None, **arguments: str) -> bool:
        said = Command(
            at=self.now,
            exchange="" if verb in (Verb.HOLD, Verb.RELEASE) else EXCHANGE,
            probe="web",
            verb=verb,
            actor=who,
            role=ROLES[who],
            subject=subject,
            arguments=arguments,
            text_sha256=sha,
        )
        return self.run(self.room.ask(said)).ok

    @rule(who=people, n=which, added=st.sampled_from(["Funds are safe.", "More will follow."]))
    def edit(self, who: str, n: int, added: str) -> None:
        draft = self.chosen(n)
        text = f"{draft.text}\n{added}"
        if self.tell(Verb.EDIT, who, draft.id, text=text):
            assert ROLES[who] is not PersonRole.VIEWER
            case = self.cases[draft.id]
            case.former, case.text, case.said, case.editors = case.text, text, {}, (*case.editors, who)

    @rule(who=people, n=which, is_stale=st.booleans())
    def approve(self, who: str, n: int, is_stale: bool) -> None:
        draft = self.chosen(n)
        shown = self.cases[draft.id].former if is_stale else draft.text
        if self.tell(Verb.APPROVE, who, draft.id, sha=sha256(shown)):
            self.grant(draft, who, shown)

    @rule(event=events)
    def agree_and_ring(self, event: str) -> None:
        """And something happens before the outbox looks; or what it sent is lost, and somebody is impatient."""
        self.all_agree()
        match event:
            case "hold":
                self.hold(who="paul", held=True)
            case "late":
                self.pass_time(minutes=25, is_noticed=False)
            case "reject":
                self.reject(who="anna", n=0)
            case "identify":
                self.identify()
            case "kill":
                self.kill(has_arrived=False, forgets=True)
            case _:
                pass
        if self.wire.in_flight is None:
            self.ring()
        if event == "lost" and self.wire.in_flight is not None:
            self.outcome(fate=Fate.LOST)
            self.retry(who="anna", n=0)

    def all_agree(self) -> None:
        draft = self.chosen(0)
        for who in ("anna", "otto", "iris"):
            if self.tell(Verb.APPROVE, who, draft.id, sha=draft.text_sha256):
                self.grant(draft, who, draft.text)

    def grant(self, draft: Draft, who: str, shown: str) -> None:
        case = self.cases[draft.id]
        assert ROLES[who] in YES
        assert shown == case.text, "what was not shown is not approved"
        assert self.now < case.expires_at
        assert not self.held
        case.said[who] = shown

    @rule(who=people, n=which, reason=st.sampled_from(["", "nobody else answers"]))
    def break_glass(self, who: str, n: int, reason: str) -> None:
        draft = self.chosen(n)
        if self.tell(Verb.BREAK_GLASS, who, draft.id, sha=draft.text_sha256, reason=reason):
            assert ROLES[who] is PersonRole.ADMIN
            assert reason
            self.cases[draft.id].glass = True

    @rule(who=people, n=which)
    def reject(self, who: str, n: int) -> None:
        if self.tell(Verb.REJECT, who, self.chosen(n).id):
            assert ROLES[who] in YES

    @rule(who=people, n=which)
    def retry(self, who: str, n: int) -> None:
        draft = self.chosen(n)
        case = self.cases[draft.id]
        if not self.tell(Verb.RETRY, who, draft.id, sha=draft.text_sha256):
            return
        assert ROLES[who] in YES
        assert case.is_refused or self.is_surely_not_there(draft, case), "it may be up"
        case.may_be_tried, case.is_refused, case.is_over, case.unclear_at = True, False, False, None
        case.expires_at = self.now + EXPIRY

    def is_surely_not_there(self, draft: Draft, case: Case) -> bool:
        """Everything at the channel was looked through twice since, with a minute between."""
        since = case.unclear_at
        looks = [at for at in self.wire.looks.get(draft.id, []) if since is not None and at >= since]
        return bool(looks) and looks[-1] - looks[0] >= APART and not self.wire.has(draft)

    @rule(who=people, held=st.booleans())
    def hold(self, who: str, held: bool) -> None:
        if self.tell(Verb.HOLD if held else Verb.RELEASE, who, ""):
            self.held = held

    @rule()
    def identify(self) -> None:
        """The facts change, and what was drafted does not hold any more."""
        self.tell(Verb.IDENTIFY, "paul", self.drafts[0].incident)

    @rule(is_open=st.booleans(), times=st.integers(1, 4))
    def flip(self, is_open: bool, times: int) -> None:
        state = RailState.OPEN if is_open else RailState.SUSPENDED
        self.run(self.room.poll(*[state] * times))

    @rule(minutes=st.sampled_from([1, 2, 25]), is_noticed=st.booleans())
    def pass_time(self, minutes: int, is_noticed: bool) -> None:
        """Without an entry the engines do not notice."""
        self.room.clock.leap(60.0 * minutes)
        self.run(self.room.learn([j.tick(self.room.minutes())] if is_noticed else []))
        if is_noticed:
            assert self.unknown() <= self.runner.run(self.told_of()), "a person is told of it"

    @rule(is_blind=st.booleans())
    def blind(self, is_blind: bool) -> None:
        self.wire.is_blind = is_blind

    @precondition(lambda self: self.wire.in_flight is None)
    @rule()
    def ring(self) -> None:
        self.run(self.room.ring())

    @precondition(lambda self: self.wire.in_flight is not None)
    @rule(fate=fates)
    def outcome(self, fate: Fate) -> None:
        assert self.wire.in_flight is not None
        self.became(self.wire.in_flight, fate)
        self.run(self.room.settle(fate))

    @rule(has_arrived=st.booleans(), forgets=st.booleans())
    def kill(self, has_arrived: bool, forgets: bool) -> None:
        """`forgets`: the checkpoints are lost too, so the journal is read from its beginning."""
        draft = self.wire.in_flight
        if draft is not None:
            self.became(draft, Fate.LOST if has_arrived else Fate.UNSENT)
            if has_arrived:
                self.wire.arrive(draft)
        self.run(self.killed(forgets=forgets))

    @precondition(lambda self: self.wire.in_flight is not None)
    @rule(has_arrived=st.booleans())
    def kill_in_flight(self, has_arrived: bool) -> None:
        self.kill(has_arrived=has_arrived, forgets=False)

    async def killed(self, *, forgets: bool) -> None:
        await self.room.close()
        if forgets:
            forget_checkpoints(self.folder)
        await self.room.open(self.wire)

    def handed_over(self, draft: Draft) -> None:
        """The channel has it in its hands: now everything must be right."""
        case = self.cases[draft.id]
        rules = {
            "its text is the newest": draft.text == case.text,
            "it has its approvals": case.has_its_approvals(draft.text, required=self.required),
            "it has not expired": self.room.clock.now() < case.expires_at,
            "nothing is held": not self.held,
            "nobody rejected it, and it holds": not case.is_over,
            "it is tried again by a person only": case.may_be_tried,
            "it is not public already": not (self.wire.public and self.wire.has(draft)),
        }
        self.broken += [f"{draft.id}: not so: {name}" for name, is_kept in rules.items() if not is_kept]
        case.may_be_tried = False

    def became(self, draft: Draft, fate: Fate) -> None:
        """What the outbox may make of it: a private channel recognises a draft, so it is sent until it is there."""
        case = self.cases[draft.id]
        is_unclear = fate in (Fate.LOST, Fate.UNSENT)
        case.may_be_tried = fate is Fate.RATE_LIMITED or (is_unclear and not self.wire.public)
        case.is_refused = fate is Fate.REJECTED
        case.unclear_at = self.now if is_unclear and self.wire.public else None

    def unknown(self) -> set[str]:
        return {draft.id for draft in self.drafts if draft.state is DraftState.UNKNOWN_OUTCOME}

    async def told_of(self) -> set[str]:
        """Drafts that open incidents of our own publishing speak of."""
        incidents = [
            i for i in await self.room.store.incidents() if i.kind in PUBLISHING and i.stage is not Stage.RESOLVED
        ]
        return {each.rail for incident in incidents for each in incident.evidence if each.rail is not None}

    @invariant()
    def rules_are_kept(self) -> None:
        assert self.broken == []

    @invariant()
    def nothing_is_up_twice(self) -> None:
        ids = [name for name, _ in self.wire.up]
        assert len(ids) == len(set(ids))

    @invariant()
    def what_is_told_of_a_post_is_true(self) -> None:
        flying = self.wire.in_flight
        for draft in self.drafts:
            if draft.state is DraftState.POSTED:
                assert self.wire.has(draft)
            elif self.cases[draft.id].unclear_at is not None and (flying is None or flying.id != draft.id):
                assert draft.state is DraftState.UNKNOWN_OUTCOME, f"nobody is told that {draft.id} may be up"


def forget_checkpoints(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "cexwatch.db")) as database, database:
        database.execute("DELETE FROM checkpoints")


@cache
def _halt(required: int) -> tuple[datetime, dict[str, bytes]]:
    """A database in which a draft of a halt waits."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        now = asyncio.run(halted(folder, required=required))
        return now, {path.name: path.read_bytes() for path in folder.iterdir()}


def _prepared(folder: Path, required: int) -> datetime:
    now, files = _halt(required)
    for name, body in files.items():
        (folder / name).write_bytes(body)
    return now


CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
LONG = settings(max_examples=200, stateful_step_count=50, deadline=None, suppress_health_check=CHECKS)
SHORT = settings(
    LONG,
    max_examples=16,
    stateful_step_count=15,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # a failure is told at once; the long version makes it small
)


@pytest.mark.parametrize("event", HAPPENED)
def test_what_happens_most_often(event: str) -> None:
    """Without luck: the short version draws few of them."""
    machine = Publishing()
    try:
        machine.begin(required=2, public=True, event=event)
        machine.kill(has_arrived=False, forgets=True)
        machine.rules_are_kept()
        machine.nothing_is_up_twice()
        machine.what_is_told_of_a_post_is_true()
    finally:
        machine.teardown()


def test_nothing_goes_out_without_its_approval_or_twice() -> None:
    run_state_machine_as_test(Publishing, settings=SHORT)


@pytest.mark.soak
def test_nothing_goes_out_without_its_approval_or_twice_at_length() -> None:
    run_state_machine_as_test(Publishing, settings=LONG)
