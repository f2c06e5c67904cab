"""What crosses exchanges, and what concerns ourselves: whether we can see at all, and whether publishing is held.

It reads world entries and the verdicts that the exchanges' engines derive; no exchange's engine reads another.
"""

from typing import Self

import msgspec
from msgspec import Struct

from monitor.engine.detectors.blind import Blind, BlindMemory
from monitor.engine.detectors.network import Networks, NetworksMemory
from monitor.engine.finding import moment
from monitor.engine.incident import CaseMemory, Cases
from monitor.engine.instants import Instants, next_of
from monitor.engine.quieting import Silences, obeyed
from monitor.engine.sight import Sight, probe_views
from monitor.engine.state import Committed
from monitor.model import (
    ChainState,
    Change,
    Command,
    ConfigApplied,
    Control,
    ExchangeState,
    ExchangeView,
    Observation,
    Output,
    Price,
    ProbeFailure,
    Reply,
    Role,
    Transition,
    Verb,
    Verdict,
)
from monitor.model.silence import active
from monitor.model.view import HoldView
from monitor.notices.approval import forbidden
from monitor.reserves.valuation import Prices, PricesMemory


class WorldState(Struct):
    blind: BlindMemory
    cases: CaseMemory
    instants: Instants
    verdicts: dict[str, Verdict] = {}
    held: bool = False
    silences: Silences = {}
    config: ConfigApplied | None = None
    control: Control | None = None
    hold: Command | None = None
    prices: PricesMemory = msgspec.field(default_factory=PricesMemory)
    chains: dict[str, ChainState] = {}
    sights: dict[str, Sight] = {}
    networks: NetworksMemory = msgspec.field(default_factory=NetworksMemory)


class World:
    exchange = ""

    def __init__(self, state: WorldState) -> None:
        self.state = state
        self._blind = Blind(state.blind)
        self._networks = Networks(state.networks)
        self._cases = Cases("", state.cases)
        self._prices = Prices(state.prices, apart_from="")
        self._outputs: list[Output] = []

    @classmethod
    def fresh(cls) -> Self:
        return cls(WorldState(BlindMemory(), CaseMemory(), Instants()))

    @classmethod
    def restore(cls, checkpoint: bytes) -> Self:
        return cls(msgspec.msgpack.decode(checkpoint, type=WorldState))

    def checkpoint(self) -> bytes:
        return msgspec.msgpack.encode(self.state)

    def apply(self, entry: Observation) -> list[Output]:
        outputs: list[Output] = []
        self._outputs = outputs
        instants = self.state.instants
        instants.advance(entry.at.timestamp(), self._judge)
        match entry:
            case Control():
                self.state.control = entry
                instants.dirty |= self._blind.observe(entry, instants.now)
            case ConfigApplied():
                self._configure(entry)
            case Verdict():
                before = self.state.verdicts.get(entry.exchange)
                self.state.verdicts[entry.exchange] = entry
                instants.dirty |= self._networks.observe(entry, before, entry.at.timestamp())
            case Price():
                self._prices.hear(entry, entry.at.timestamp())
                self._sight(entry).good(entry.at.timestamp())
            case ChainState():
                self.state.chains[entry.network] = entry
                self._sight(entry).good(entry.at.timestamp())
            case ProbeFailure():
                self._sight(entry).fail(entry)
            case Command():
                self._obey(entry)
            case _:
                pass
        return outputs

    def adopt(self, committed: Committed) -> None:
        """Take over what is committed. The world writes no drafts and drills nothing."""
        self.state.cases.incidents.clear()
        for incident in committed.incidents:
            self._cases.adopt(incident)
        self.state.held = committed.held

    def briefing(self) -> list[Observation]:
        """What an exchange's engine that begins now must know of the world, oldest first: what is late is not heard."""
        state = self.state
        known: list[Observation | None] = [state.config, state.control, state.hold, *state.chains.values()]
        heard = [entry for entry in known if entry is not None]
        return sorted([*heard, *self._prices.newest()], key=lambda entry: entry.at)

    def view(self) -> ExchangeView:
        blind = self._blind.is_blind()
        incident = self._cases.current("sight")
        return ExchangeView(
            exchange="",
            at=moment(self.state.instants.now),
            withdrawals=ExchangeState.UNKNOWN,
            since=incident.since if incident is not None else None,
            reason=incident.summary if incident is not None else "",
            blind=blind,
            held=self.state.held,
            hold=self._shown_hold(),
            silences=tuple(active(self.state.silences.values(), moment(self.state.instants.now))),
            probes=probe_views(self.state.sights),
            statistics=(*self._blind.statistics(), *self._networks.statistics()),
        )

    def _shown_hold(self) -> HoldView | None:
        hold = self.state.hold
        if not self.state.held or hold is None:
            return None
        return HoldView(actor=hold.actor, at=hold.at, reason=hold.arguments.get("text", ""))

    def _configure(self, applied: ConfigApplied) -> None:
        """Judge by this; what a probe told that looks no more is left out."""
        state, kept = self.state, applied.config.intervals
        state.config = applied
        if applied.config.watched:
            self._networks.forget(applied.config.watched)
            state.verdicts = {name: told for name, told in state.verdicts.items() if name in applied.config.watched}
            state.instants.dirty = True
        if kept:
            state.chains = {network: chain for network, chain in state.chains.items() if chain.probe in kept}
            state.sights = {probe: sight for probe, sight in state.sights.items() if probe in kept}

    def _sight(self, entry: Observation) -> Sight:
        return self.state.sights.setdefault(entry.probe, Sight())

    def _judge(self, now: float) -> float:
        role = self.state.config.config.role if self.state.config is not None else Role.OBSERVER
        findings = self._blind.findings(now, role)
        self._tell(self._cases.reconcile("sight", findings, now=now, settled=True))
        self._judge_networks(now)
        return next_of([self._blind.due(now), self._networks.due(now), self._cases.next_due()], now)

    def _judge_networks(self, now: float) -> None:
        self._networks.judge(now, self._weights())
        stalled = [network for network, chain in self.state.chains.items() if chain.state == "stalled"]
        found = {f"network:{about}": finding for about, finding in self._networks.findings(stalled).items()}
        for family in sorted({**found, **dict.fromkeys(self._cases.open_families("network"))}):
            findings = [found[family]] if family in found else []
            self._tell(self._cases.reconcile(family, findings, now=now, settled=True))

    def _weights(self) -> dict[str, dict[str, float]]:
        """Network -> exchange -> watched weight. Where no configuration tells, every exchange weighs the same."""
        watched = self.state.config.config.watched if self.state.config is not None else {}
        if not watched:
            return {network: dict.fromkeys(self.state.verdicts, 1.0) for network in self.state.networks.networks}
        weights: dict[str, dict[str, float]] = {}
        for exchange, rails in watched.items():
            for rail in rails:
                held = weights.setdefault(rail.network, {})
                held[exchange] = held.get(exchange, 0.0) + rail.weight
        return weights

    def _tell(self, transitions: list[Transition]) -> None:
        for transition in transitions:
            self._outputs.append(transition)
            incident = self._cases.find(transition.incident)
            if incident is not None and transition.transition is Change.OPENED:
                market = self._prices.market(self.state.instants.now)
                incident = self._cases.adopt(msgspec.structs.replace(incident, market=market))
            if incident is not None:
                self._outputs.append(incident)

    def _obey(self, command: Command) -> None:
        why = forbidden(command.verb, command.role)
        if why is not None:
            self._outputs.append(Reply(ok=False, message=why))
            return
        match command.verb:
            case Verb.HOLD | Verb.RELEASE:
                self._outputs.append(self._hold(command))
            case Verb.SILENCE | Verb.EXPIRE_SILENCE:
                self.state.silences, reply = obeyed(self.state.silences, command, self.state.instants.now)
                self._outputs.append(reply)
            case Verb.ACKNOWLEDGE | Verb.IDENTIFY | Verb.NOTE | Verb.RESOLVE | Verb.REOPEN | Verb.RETRACT:
                self._annotate(command)
            case _:
                self._outputs.append(
                    Reply(ok=False, message=f"{command.verb} needs an incident or draft of an exchange")
                )

    def _hold(self, command: Command) -> Reply:
        """Whoever held first is told of; a hold that is asked for twice is one."""
        was, state = self.state.hold, self.state
        if command.verb is Verb.HOLD and state.held and was is not None:
            since = f"{was.at:%Y-%m-%d %H:%M} UTC by {was.actor}"
            return Reply(ok=True, message=f"publishing is held already, since {since}: nothing is published")
        state.held, state.hold = command.verb is Verb.HOLD, command
        word = "held: nothing is published" if state.held else "released"
        return Reply(ok=True, message=f"publishing is {word}")

    def _annotate(self, command: Command) -> None:
        match self._cases.heed(command, now=self.state.instants.now, fresh=True):
            case str(why):
                self._outputs.append(Reply(ok=False, message=why))
            case change:
                self._tell([change])
                self._outputs.append(Reply(ok=True, message=f"incident {command.subject}: {change.transition}"))
