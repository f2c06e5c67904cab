"""One exchange's mind: a pure function of its journal entries and the world's. Entries go to the senses, their findings
to incidents, incidents to drafts. A person's word is judged at once, for somebody waits."""

from typing import Self

from msgspec.structs import replace

from monitor.engine import campaign_case, maintained, runway
from monitor.engine import state as states
from monitor.engine.decisions import Decisions
from monitor.engine.drilling import Drills
from monitor.engine.finding import NEVER, Finding, moment
from monitor.engine.incident import FAMILIES, NOTHING_ENDED, WITHDRAWALS, Cases
from monitor.engine.instants import next_of
from monitor.engine.learned import decode_learned, encode_learned
from monitor.engine.noticing import is_past
from monitor.engine.official import LEAD_SECONDS, is_about_withdrawals, is_last, led, quote
from monitor.engine.senses import Senses
from monitor.engine.signatures import Signatures
from monitor.engine.spans import spoken
from monitor.engine.speech import Speech
from monitor.engine.view import judged, show
from monitor.model import (
    Change,
    Command,
    ConfigApplied,
    Delivery,
    ExchangeView,
    Flow,
    Incident,
    IncidentKind,
    ListRead,
    Mentions,
    Observation,
    Output,
    ProbeFailure,
    RailStatus,
    Reorg,
    Reply,
    Stage,
    Statement,
    Tick,
    Transition,
    Verb,
    Verdict,
    WalletActivity,
)
from monitor.notices.approval import forbidden
from monitor.notices.draft import Facts

LATE_SECONDS = 60.0
DAY = 86_400.0
READ_OF_LISTS = ("withdrawals", "maintenance")
"""Families that are judged by flags, payments and the queue."""
SPOKEN = ("withdrawals", "maintenance")
"""Families whose stages are told."""
ORDERED = (RailStatus, ListRead, WalletActivity, Flow, Reorg, Mentions)
"""Kinds whose streams keep an order of their own, so that even a very late one is no contradiction."""


class Engine:
    def __init__(self, state: states.State) -> None:
        self.state = state
        self.exchange = state.exchange
        self._instants = state.instants
        self._decided = state.decided
        self._senses = Senses(state)
        self._cases = Cases(state.exchange, state.decided.cases)
        self._speech = Speech(state.exchange, state.decided)
        self._decisions = Decisions(state.exchange, state.decided)
        self._signatures = Signatures(state.exchange, state.decided)
        self._drills = Drills(state.exchange, state.decided)
        self._speech.judging = self._decisions.judging = state.judging
        self._outputs: list[Output] = []

    @classmethod
    def fresh(cls, exchange: str) -> Self:
        return cls(states.fresh(exchange))

    @classmethod
    def restore(cls, checkpoint: bytes) -> Self:
        return cls(states.decode(checkpoint))

    def checkpoint(self) -> bytes:
        return states.encode(self.state)

    def apply(self, entry: Observation) -> list[Output]:
        """Take in the next entry of the journal; answers what it led to, in order."""
        outputs: list[Output] = [*self._drills.expire(entry.at)]
        if type(entry) is Command and self._drills.is_about(entry):
            return outputs + self._drills.obey(entry, retired=self._senses.is_retired())
        self._outputs = outputs
        at = entry.at.timestamp()
        self._instants.advance(at, self._judge)
        match entry:
            case Command():
                self._obey(entry)
                self._instants.judge(self._judge)
            case Delivery():
                outputs += self._speech.deliver(entry, now=self._instants.now)
                self._instants.judge(self._judge)
            case ConfigApplied():
                self._configure(entry)
            case Tick():
                pass
            case _:
                self._observe(entry, at)
        return outputs

    def view(self) -> ExchangeView:
        """Everything a face shows of this exchange, as of the engine's time."""
        return show(self._senses, self._cases, now=self._instants.now)

    def is_unlearned(self) -> bool:
        """It was restored without what it had learned, because that was of another version."""
        return bool(self.state.unlearned)

    def learned(self) -> bytes:
        return encode_learned(self.state.learned)

    def teach(self, learned: bytes) -> None:
        """Take over what another engine has learned from the same journal."""
        self.state.learned, self.state.unlearned = decode_learned(learned)
        self._senses.learn(self.state.learned)

    def adopt(self, committed: states.Committed) -> None:
        """Put what is committed in place of what was derived again."""
        self._cases.memory.incidents.clear()
        for incident in committed.incidents:
            self._cases.adopt(incident)
        self._decided.drafts = {draft.id: draft for draft in committed.drafts}
        self._decided.signed = {each.id: each for each in committed.signed}
        self._decided.drill = committed.drills[-1] if committed.drills else None
        self._decided.held = committed.held

    def _observe(self, entry: Observation, at: float) -> None:
        if at < self._instants.now - LATE_SECONDS and not _has_an_order(entry):
            return
        if not self._senses.observe(entry, at):
            return
        self._instants.dirty = True
        match entry:
            case Statement():
                self._heed(entry)
            case _:
                pass

    def _judge(self, now: float) -> float:
        senses = self._senses
        if senses.is_retired():
            return NEVER
        self._follow("withdrawals", senses.judge(now), now)
        self._follow("maintenance", senses.maintenance(now), now)
        self._mark_stale(now)
        self._follow("terms", senses.terms.findings(now, senses.watched), now)
        self._follow("reserves", runway.findings(senses.money), now)
        outflow = self._leaving(now)
        self._follow("campaign", campaign_case.findings(senses.campaign, senses.money, outflow=outflow, now=now), now)
        self._follow("freezes", senses.freezes.findings(), now)
        self._follow("exposure", senses.exits.findings(), now)
        self._outputs += self._speech.expire(now)
        self._outputs += self._speech.tidy()
        self._speak(now)
        self._follow("publishing", self._speech.findings(now), now)
        self._pronounce(now)
        if now % DAY == 0:
            self._speech.forget(now)
            senses.calibrate()
        due = [senses.due(now), self._speech.due(now), self._cases.next_due()]
        if any(self._cases.current(family) is not None for family in SPOKEN):
            due.append(senses.trading_until() + 1)  # a draft must not go on saying that trading is unaffected
        return next_of([*due, (now // DAY + 1) * DAY], now)

    def _leaving(self, now: float) -> Incident | None:
        """What takes money out: somebody takes it, or everybody does. An exploit that starts a run is two stories."""
        found = self._senses.outflow.findings()
        for family in ("outflow", "run"):
            findings = [finding for finding in found if finding.kind in FAMILIES[family]]
            self._follow(family, findings, now)
        run = self._cases.current("run")
        return run if run is not None else self._cases.current("outflow")

    def _follow(self, family: str, findings: list[Finding], now: float) -> None:
        """Bring an incident in line with what holds; nearly always there is neither."""
        if not findings and self._cases.current(family) is None:
            return
        ended = self._senses.ended(now) if family == "withdrawals" else NOTHING_ENDED
        settled, fresh = self._is_settled(family, now), self._is_fresh(family, now)
        self._tell(self._cases.reconcile(family, findings, now=now, settled=settled, ended=ended, fresh=fresh))

    def _mark_stale(self, now: float) -> None:
        """Say of what is open that nothing is read any more. It is no change of the incident, and ends nothing."""
        until = self._senses.valid_until()
        for family in READ_OF_LISTS:
            incident = self._cases.current(family)
            if incident is None:
                continue
            since = None if until > now else moment(until) if until > 0 else incident.opened_at
            if incident.stale_since != since:
                self._outputs.append(self._cases.adopt(replace(incident, stale_since=since)))

    def _is_settled(self, family: str, now: float) -> bool:
        """Recovery is seen: by fresh readings, and of withdrawals in a backlog that is paid out."""
        match family:
            case "withdrawals":
                return self._senses.is_fresh(now) and self._senses.is_drained(now)
            case _:
                return self._is_fresh(family, now)

    def _is_fresh(self, family: str, now: float) -> bool:
        """What the family is about was read lately; of what has no sources of its own it is not asked."""
        return family not in READ_OF_LISTS or self._senses.is_fresh(now)

    def _tell(self, transitions: list[Transition]) -> None:
        for transition in transitions:
            self._outputs.append(transition)
            incident = self._cases.find(transition.incident)
            if incident is not None:
                self._outputs.append(self._begun(incident) if transition.transition is Change.OPENED else incident)

    def _speak(self, now: float) -> None:
        for family in SPOKEN:
            incident = self._cases.memory.incidents.get(family)
            if incident is None or is_past(incident, now):
                continue
            if incident.resolved_by is not None and incident.retracted_by is None:
                self._outputs += self._speech.leave(incident)  # that it is over was not measured: nothing is claimed
                continue
            self._outputs += self._speech.follow(incident, self._facts(incident, now), now=now)
        surge = self._cases.memory.incidents.get("freezes")
        if surge is not None and not is_past(surge, now):
            self._outputs += self._speech.brief(surge, self._facts(surge, now), now=now)
        run, campaign = self._cases.current("run"), self._cases.current("campaign")
        told = run if run is not None and run.kind is IncidentKind.BANK_RUN else campaign
        self._outputs += self._speech.account(told, self._senses.money, now=now)

    def _facts(self, incident: Incident, now: float) -> Facts:
        senses = self._senses
        trading, deposits = senses.is_trading(now), senses.takes_deposits(now)
        disputed = senses.rails.disputed(now)
        return self._speech.facts(incident, now=now, trading=trading, deposits=deposits, disputed=disputed)

    def _pronounce(self, now: float) -> None:
        withdrawals, _ = judged(self._senses, self._cases, now=now)
        old = self._decided.verdict
        share, networks = self._decided.halt.share_off, self._decided.halt.networks_off
        if old is not None and (old.withdrawals, old.networks_off, old.weight_off) == (withdrawals, networks, share):
            return
        verdict = Verdict(
            at=moment(now),
            exchange=self.exchange,
            probe="engine",
            vantage="engine",
            withdrawals=withdrawals,
            networks_off=networks,
            weight_off=share,
        )
        if old is None or old.withdrawals is not withdrawals:
            self._decided.verdict_since = now
        self._decided.verdict = verdict
        self._outputs.append(verdict)

    def _configure(self, entry: ConfigApplied) -> None:
        self.state.judging = self._speech.judging = self._decisions.judging = entry.config
        self._senses.configure(entry.config)
        self._instants.dirty = True
        if self._senses.is_retired():
            self._tell(self._cases.close(now=self._instants.now, summary="no longer watched"))
            self._outputs += [*self._drills.close(entry.at), *self._speech.withdraw()]

    def _obey(self, command: Command) -> None:
        now = self._instants.now
        match command.verb:
            case Verb.HOLD | Verb.RELEASE:
                if forbidden(command.verb, command.role) is None:  # the world answers
                    self._decided.held = command.verb is Verb.HOLD
            case Verb.MAINTAIN | Verb.END_MAINTENANCE:
                why = forbidden(command.verb, command.role)
                plan = maintained.obeyed(self._decided, command, now) if why is None else Reply(ok=False, message=why)
                self._outputs.append(plan)
            case Verb.EDIT | Verb.APPROVE | Verb.REJECT | Verb.BREAK_GLASS | Verb.RETRY:
                draft = self._decided.drafts.get(command.subject)
                incident = self._cases.find(draft.incident) if draft is not None else None
                facts = self._facts(incident, now) if incident is not None else None
                changed, reply = self._decisions.obey(command, facts, now=now)
                self._outputs += [*changed, reply]
            case Verb.SIGN | Verb.REVOKE:
                self._outputs += self._signatures.obey(command, role=self._speech.role(), now=now)
            case Verb.SILENCE | Verb.EXPIRE_SILENCE:
                pass  # the world's
            case _:
                self._annotate(command, now)

    def _annotate(self, command: Command, now: float) -> None:
        fresh = self._is_fresh(self._cases.family_of(command.subject), now)
        why = forbidden(command.verb, command.role)
        match why or self._cases.heed(command, now=now, fresh=fresh):
            case str(refused):
                self._outputs.append(Reply(ok=False, message=refused))
            case change:
                self._tell([change])
                self._outputs.append(Reply(ok=True, message=f"incident {command.subject}: {change.transition}"))

    def _heed(self, statement: Statement) -> None:
        """The exchange's own words: evidence, and the measure of who knew first."""
        now = self._instants.now
        incident = self._cases.latest("withdrawals", now)
        if incident is None or not is_about_withdrawals(statement):
            return
        evidence = quote(statement)
        early = incident.opened_at.timestamp() - LEAD_SECONDS
        if statement.published_at.timestamp() < early or evidence in incident.evidence:
            return
        changed = replace(incident, evidence=(*incident.evidence, evidence))
        if not is_last(statement):
            first = min(incident.official_at or statement.published_at, statement.published_at)
            changed = replace(changed, official_at=first)
        if incident.stage is Stage.RESOLVED:
            self._hear_last(statement, changed)
            return
        change = Change.UPDATED
        if statement.stage is Stage.IDENTIFIED and incident.stage is Stage.INVESTIGATING:
            changed, change = replace(changed, stage=Stage.IDENTIFIED), Change.IDENTIFIED
        self._tell([self._cases.change(changed, change, now=now, summary=f"they say: {evidence.value}")])

    def _hear_last(self, statement: Statement, incident: Incident) -> None:
        """That it is over is often said after it is: it tells how long it lasted by their words, and no more."""
        if is_last(statement):
            self._outputs.append(self._cases.adopt(spoken(incident)))

    def _begun(self, incident: Incident) -> Incident:
        """With the market as it stands, so that nobody has to look up later whether everything fell that day."""
        opened = replace(incident, market=self._senses.money.prices.market(self._instants.now))
        is_theirs = incident.kind in WITHDRAWALS
        return self._cases.adopt(led(opened, self._decided.statements) if is_theirs else opened)


def _has_an_order(entry: Observation) -> bool:
    match entry:
        case ProbeFailure():
            return entry.asset is not None  # a row of a list
        case _:
            return type(entry) in ORDERED
