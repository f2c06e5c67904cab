"""No order of edits, approvals, expiries, revocations and restarts gets a text approved that its rules do not allow.

The machine keeps its own account of who said yes to which text, and compares at every step.
"""

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import tests.unit.test_drafts as d
from monitor.engine import state as states
from monitor.engine.decisions import Decisions
from monitor.engine.signatures import Signatures
from monitor.engine.speech import Speech
from monitor.model import Command, Draft, DraftState, Judging, PersonRole, Reply, Role, Verb
from monitor.notices.draft import Facts, sha256
from monitor.notices.preapproval import worded

ROLES = {
    "vera": PersonRole.VIEWER,
    "paul": PersonRole.PUBLISHER,
    "anna": PersonRole.APPROVER,
    "otto": PersonRole.APPROVER,
    "iris": PersonRole.ADMIN,
}
YES = (PersonRole.APPROVER, PersonRole.ADMIN)
people = st.sampled_from(list(ROLES))
DRAWN = d.drafted(d.HALT).text
SLOTTED = DRAWN.replace("02:50 UTC", "{next_update}")
TEXTS = st.sampled_from([DRAWN, DRAWN.replace("already ", ""), DRAWN.replace("fix", "remedy"), "Funds are safe."])
FACTS: Facts = d.HALT


class Approvals(RuleBasedStateMachine):
    @initialize(required=st.sampled_from([1, 2]))
    def begin(self, required: int) -> None:
        self.required = required
        self.now = d.NOW
        self.state = states.fresh("kraken")
        self.said: dict[str, dict[str, None]] = {}  # text -> who approved it since the last edit
        self.editors: dict[str, None] = {}
        self.glass = False
        self.signers: dict[str, dict[str, None]] = {}  # signature -> who
        self.ends: dict[str, object] = {}
        self.gone: dict[str, None] = {}
        self.touched = True  # by a person, since it was composed
        self.granted: dict[str, str] = {}  # draft -> the text that was approved
        self.compose()

    def compose(self) -> None:
        """As the engine does when something new is to be said."""
        signed = self.state.decided.signed.values()
        draft = d.drafted(FACTS, now=self.now)
        self.draft_id = draft.id
        self.state.decided.drafts[draft.id] = worded(draft, FACTS, signed, now=self.now, required=self.required)
        self.said, self.editors, self.glass, self.touched = {}, {}, False, False

    def draft(self) -> Draft:
        return self.state.decided.drafts[self.draft_id]

    def tell(self, verb: Verb, who: str, *, text: str = "", sha: str = "", reason: str = "") -> Reply:
        decisions = Decisions("kraken", self.state.decided)
        decisions.judging = Judging(approvals_required=self.required)
        told = Command(
            at=self.now,
            exchange="kraken",
            probe="web",
            verb=verb,
            actor=who,
            role=ROLES[who],
            subject=self.draft_id,
            arguments={"text": text, "reason": reason},
            text_sha256=sha or None,
        )
        _, reply = decisions.obey(told, FACTS, now=self.now.timestamp())
        return reply

    @rule(who=people, text=TEXTS)
    def edit(self, who: str, text: str) -> None:
        if self.tell(Verb.EDIT, who, text=text).ok:
            assert ROLES[who] is not PersonRole.VIEWER
            self.said, self.touched = {}, True
            self.editors[who] = None

    @rule(who=people, stale=TEXTS | st.none())
    def approve(self, who: str, stale: str | None) -> None:
        shown = self.draft().text if stale is None else stale
        if not self.tell(Verb.APPROVE, who, sha=sha256(shown)).ok:
            return
        now = self.draft()
        assert now.text == shown, "what was not shown is not approved"
        assert now.expires_at > self.now
        assert not self.state.decided.held
        assert not [problem for problem in now.problems if problem.level == "error"]
        if now.covered is None or self.touched or not self.is_signed():
            assert ROLES[who] in YES
            assert self.required == 1 or who not in self.editors
        self.said.setdefault(shown, {})[who] = None

    @rule(who=people, reason=st.sampled_from(["", "  ", "nobody else answers"]))
    def break_glass(self, who: str, reason: str) -> None:
        if self.tell(Verb.BREAK_GLASS, who, sha=self.draft().text_sha256, reason=reason).ok:
            assert ROLES[who] is PersonRole.ADMIN
            assert reason.strip()
            self.glass = True

    @rule(who=people)
    def reject(self, who: str) -> None:
        if self.tell(Verb.REJECT, who).ok:
            assert ROLES[who] in YES
            self.granted.pop(self.draft_id, None)

    @rule(who=people, text=st.sampled_from([SLOTTED, DRAWN, "Funds are safe."]), days=st.integers(1, 2))
    def sign(self, who: str, text: str, days: int) -> None:
        until = self.now + timedelta(days=days)
        self.obey_signature(Verb.SIGN, who, sha=sha256(text), text=text, expires=until.isoformat())

    @rule(who=people, index=st.integers(0, 3))
    def sign_too(self, who: str, index: int) -> None:
        known = list(self.state.decided.signed.values())
        if known:
            one = known[index % len(known)]
            self.obey_signature(Verb.SIGN, who, subject=one.id, sha=one.text_sha256)

    @rule(who=people, index=st.integers(0, 3))
    def revoke(self, who: str, index: int) -> None:
        known = list(self.state.decided.signed)
        if known:
            self.obey_signature(Verb.REVOKE, who, subject=known[index % len(known)])

    def obey_signature(self, verb: Verb, who: str, *, subject: str = "", sha: str = "", **arguments: str) -> None:
        told = Command(
            at=self.now,
            exchange="kraken",
            probe="web",
            verb=verb,
            actor=who,
            role=ROLES[who],
            subject=subject,
            arguments=arguments,
            text_sha256=sha,
        )
        outputs = Signatures("kraken", self.state.decided).obey(told, role=Role.OPERATOR, now=self.now.timestamp())
        for output in outputs[:-1]:
            assert type(output) is not Reply
            signed = next(each for each in self.state.decided.signed.values() if each == output)
            if verb is Verb.REVOKE:
                self.gone[signed.id] = None
            else:
                assert ROLES[who] in YES
                self.signers.setdefault(signed.id, {})[who] = None
                self.ends[signed.id] = signed.expires_at

    def is_signed(self) -> bool:
        """By the machine's own account: of enough people, not taken back, not over."""
        covered = self.draft().covered
        if covered is None or covered.preapproval in self.gone:
            return False
        ends = self.state.decided.signed[covered.preapproval].expires_at
        return len(self.signers[covered.preapproval]) >= self.required and self.now < ends

    @rule(minutes=st.sampled_from([1, 10, 25, 2 * 24 * 60]))
    def pass_time(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        Speech("kraken", self.state.decided).expire(self.now.timestamp())

    @rule()
    def write_anew(self) -> None:
        if self.draft().state is not DraftState.PENDING:
            self.compose()

    @rule(held=st.booleans())
    def hold(self, held: bool) -> None:
        self.state.decided.held = held

    @rule()
    def restart(self) -> None:
        self.state = states.decode(states.encode(self.state))

    @invariant()
    def what_is_approved_has_what_its_rules_ask_for(self) -> None:
        draft = self.draft()
        if draft.state is not DraftState.APPROVED:
            return
        assert sha256(draft.text) == draft.text_sha256
        assert self.granted.setdefault(draft.id, draft.text) == draft.text, "it is not changed afterwards"
        said = self.said.get(draft.text, {})
        approvers = [who for who in said if ROLES[who] in YES and (self.required == 1 or who not in self.editors)]
        by_signature = draft.covered is not None and not self.touched and bool(said)
        assert self.glass or by_signature or len(approvers) >= self.required


Approvals.TestCase.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
TestApprovals = Approvals.TestCase
