"""Entries to detectors: everything an engine takes in of its exchange, and what the detectors claim of it."""

from monitor.engine import maintained, runway
from monitor.engine.detectors import silence_words
from monitor.engine.detectors.blind import Blind
from monitor.engine.detectors.campaign import Campaign, CampaignMemory
from monitor.engine.detectors.closed import Watched
from monitor.engine.detectors.freezes import Freezes, FreezesMemory
from monitor.engine.detectors.halt import Halt, HaltMemory
from monitor.engine.detectors.outflow.detector import Outflow, OutflowMemory
from monitor.engine.detectors.queue import Queue, QueueMemory
from monitor.engine.detectors.rail import ListMemory
from monitor.engine.detectors.silence import Silence, SilenceMemory
from monitor.engine.detectors.sources import Held, Rails, RailsMemory
from monitor.engine.detectors.terms import Terms, TermsMemory
from monitor.engine.finding import Finding
from monitor.engine.learned import Learned
from monitor.engine.money import Money, MoneyMemory
from monitor.engine.samples import Samples
from monitor.engine.sight import Sight, is_written_down
from monitor.engine.spans import CHAIN, FLAGS
from monitor.engine.state import State
from monitor.engine.stuck import Exits
from monitor.engine.watch import watched_rails
from monitor.engine.windows import announce, next_turn, planned_networks
from monitor.model import (
    ChainState,
    Control,
    Direction,
    Flow,
    FreezeActivated,
    Judging,
    ListRead,
    MaintenanceWindow,
    Mentions,
    Observation,
    Price,
    ProbeFailure,
    Rail,
    RailStatus,
    RailTerms,
    RailVerdict,
    Reorg,
    ReserveBalance,
    Statement,
    SystemStatus,
    TradeActivity,
    WalletActivity,
    WithdrawalQueue,
    WithdrawalSample,
)
from monitor.model.maintenance import window_id
from monitor.model.view import StatisticView

TRADE_SECONDS = 60.0
STATEMENT_SECONDS = 3600.0


class Senses:
    def __init__(self, state: State) -> None:
        self.exchange = state.exchange
        self.decided = state.decided
        self.learned: Learned = state.learned
        self.judging: Judging = state.judging
        self._bind()

    def _bind(self) -> None:
        decided = self.decided
        self.rails = Rails(decided.rails)
        self.halt = Halt(decided.halt)
        self.silence = Silence(decided.silence, self.learned.silence)
        self.queue = Queue(decided.queue)
        self.blind = Blind(decided.blind)
        self.terms = Terms(decided.terms)
        self.money = Money(decided.money, exchange=self.exchange)
        self.campaign = Campaign(decided.campaign, self.learned.campaign)
        self.outflow = Outflow(decided.outflow, self.learned.outflow, self.money)
        self.freezes = Freezes(decided.freezes)
        self.exits = Exits(self.money, rails=self.rails, queue=self.queue, silence=self.silence, blind=self.blind)
        self._deciders: list[tuple[float, tuple[tuple[ListMemory, ...], ...]]] | None = None
        self._valid_until: float | None = None  # None after a reading of a source: to be looked up

    def observe(self, seen: Observation, at: float) -> bool:
        """Take in a reading; answers whether there is something to judge."""
        match seen:
            case FreezeActivated():
                self.freezes.observe(seen, at)
            case WalletActivity() | WithdrawalQueue() | Mentions():
                self._valid_until = None
                self._count(seen, at)
            case ListRead():
                self._valid_until = None
                self.rails.read(seen, at, watched=self.watched)
                self.decided.rails.changed |= at >= self.decided.halt.turns_at
            case RailStatus():
                self._valid_until = None
                self.rails.hear(seen, at)
            case Statement():
                self._hear(seen, at)
            case ProbeFailure():
                return self._miss(seen)
            case Control():
                return self.blind.observe(seen, at)
            case Price() | ChainState():
                is_seen_again = self.blind.sees(seen.vantage)
                return self.money.observe(seen, at) or is_seen_again
            case Reorg() if not seen.exchange:
                return self._retract(seen, at)
            case TradeActivity() | SystemStatus() | MaintenanceWindow() | WithdrawalSample():
                self._keep(seen, at)
            case _ if not seen.exchange:
                return False
            case _:
                self._succeed(seen, at)
                is_tightened = type(seen) is RailTerms and self.terms.observe(seen, at)
                return self._weigh_money(seen, at) or is_tightened
        self._succeed(seen, at)
        return True

    def learn(self, learned: Learned) -> None:
        """Judge by what was learned elsewhere from the same journal."""
        self.learned = learned
        self._bind()

    @property
    def watched(self) -> dict[Rail, float]:
        """Watched rail -> weight."""
        return self.decided.watched

    def configure(self, judging: Judging) -> None:
        """Judge by this from now on. What a probe said that looks no more is no evidence; what was learned is kept."""
        self.judging, self._valid_until = judging, None
        decided = self.decided
        if self.is_retired():
            decided.rails, decided.halt, decided.queue = RailsMemory(), HaltMemory(), QueueMemory()
            decided.silence, decided.terms = SilenceMemory(), TermsMemory()
            decided.trades, decided.statements, decided.system = {}, [], {}
            decided.sights, decided.watched, decided.samples = {}, {}, {}
            decided.windows, decided.called_off = [], {}
            decided.outflow, decided.campaign = OutflowMemory(), CampaignMemory()
            decided.freezes = FreezesMemory()
            decided.money = MoneyMemory(prices=decided.money.prices, chains=decided.money.chains)
            self._bind()
        elif judging.intervals:
            kept = judging.intervals
            self.rails.forget(kept)
            self.silence.forget(kept)
            self.queue.forget(kept)
            self.terms.forget(kept)
            self.money.forget(kept)
            self.campaign.forget(kept)
            self.outflow.forget(kept)
            decided.system = {component: said for component, said in decided.system.items() if said.probe in kept}
            decided.sights = {probe: sight for probe, sight in decided.sights.items() if probe in kept}
            decided.samples = {key: samples for key, samples in decided.samples.items() if key[0] in kept}
            decided.windows = [window for window in decided.windows if window.actor or window.probe in kept]
        decided.rails.changed = True

    def is_retired(self) -> bool:
        """The configuration names exchanges, and this one is no longer among them."""
        return bool(self.judging.watched) and self.exchange not in self.judging.watched

    def weigh(self, now: float) -> None:
        """Look at the watched rails anew."""
        self.decided.watched = watched_rails(self.exchange, judging=self.judging, rails=self.rails)
        intervals = self.judging.intervals
        self.rails.prepare(self.watched, now=now, intervals=intervals)
        for rail in self.watched:
            self.rails.compare(rail, now=now, intervals=intervals)
        held = {r: self.held(r, direction=Direction.WITHDRAWAL, now=now) for r in self.watched}
        watched = [Watched(rail, self.watched[rail], held[rail]) for rail in self.watched]
        self.halt.weigh(watched, self.decided.windows, now)
        self.decided.rails.changed, self._deciders = False, None

    def judge(self, now: float) -> list[Finding]:
        """What holds now of withdrawals."""
        is_other = self.decided.rails.changed or self.rails.has_turned(now, self.judging.intervals)
        if is_other or now >= self.rails.disputes_due():
            self.weigh(now)
        windows = self.decided.windows
        self.silence.judge(now, stalled=self.money.stalled(), planned=planned_networks(windows, self.watched, now))
        runway.judge(self.money, now)
        self.outflow.judge(now)
        self.exits.judge(now, intervals=self.judging.intervals, limit=self.judging.stuck_usd)
        silent = silence_words.findings(self.silence, now)
        if silent or self.decided.payments.is_silent:
            self.decided.payments.follow(self.silence.last_paid(), is_silent=bool(silent))
        closed = self.halt.findings(now, silent=self.silence.watching() if self.halt.is_any_off() else ())
        return [*closed, *silent, *maintained.queue_findings(self.queue, windows, now)]

    def maintenance(self, now: float) -> list[Finding]:
        """What is closed, and was announced to be."""
        return [*self.halt.maintenance(), *maintained.queue_maintenance(self.queue, self.decided.windows, now)]

    def calibrate(self) -> None:
        """Set the thresholds anew, once a day."""
        budget, exchanges = self.judging.pages_per_month, len(self.judging.watched)
        self.silence.calibrate(pages_per_month=budget, exchanges=exchanges)
        self.outflow.calibrate(pages_per_month=budget, exchanges=exchanges)

    def ended(self, now: float) -> dict[str, float]:
        """Source -> when what it says of withdrawals ended, should that be over now: it is believed some time after."""
        reopened_at = self.halt.reopened_at
        return {CHAIN: self.decided.payments.back_at(now), FLAGS: now if reopened_at is None else reopened_at}

    def statistics(self, now: float) -> list[StatisticView]:
        """What each detector reckons with, in the order in which people read it."""
        return [
            *silence_words.statistics(self.silence, now),
            *self.halt.statistics(),
            *self.queue.statistics(now),
            *self.terms.statistics(now, self.watched),
            *self.campaign.statistics(now, self.judging.intervals),
            *self.freezes.statistics(),
            *self.outflow.statistics(),
            *self.blind.statistics(),
        ]

    def due(self, now: float) -> float:
        disputes = self.rails.disputes_due()
        turns = self.rails.turns_at(now, self.judging.intervals)
        disputed = disputes if disputes > now else float("inf")
        turns = min(turns, next_turn(self.decided.windows, now))
        return min(disputed, turns, self.fresh_until(now), self.exits.due(), self.terms.due(now))

    def held(self, rail: Rail, *, direction: Direction, now: float) -> Held | None:
        return self.rails.held(rail, direction=direction, now=now, intervals=self.judging.intervals)

    def knows_most(self, now: float) -> bool:
        """At least half of the watched weight stands in rows that are read, and were lately."""
        if self._deciders is None:
            self._deciders = self._weighed_deciders()
        intervals = self.judging.intervals
        known = sum(
            weight
            for weight, groups in self._deciders
            if all(any(not memory.is_stale(now, intervals) for memory in group) for group in groups)
        )
        return known > 0 and known >= sum(self.watched.values()) / 2

    def _weighed_deciders(self) -> list[tuple[float, tuple[tuple[ListMemory, ...], ...]]]:
        """Lists by which rails are known, with the weight of all rails that the same lists decide: mostly one list."""
        weighed: dict[tuple[tuple[int, ...], ...], tuple[float, tuple[tuple[ListMemory, ...], ...]]] = {}
        for rail, weight in self.halt.weights.items():
            groups = self.rails.deciders(rail)
            key = tuple(tuple(id(memory) for memory in group) for group in groups)
            before, _ = weighed.get(key, (0.0, groups))
            weighed[key] = before + weight, groups
        return list(weighed.values())

    def fresh_until(self, now: float) -> float:
        """When the youngest source turns stale, if it has not yet."""
        until = self.valid_until()
        return until if until > now else float("inf")

    def valid_until(self) -> float:
        """When the youngest source turns stale, or did; -inf where there is none."""
        if self._valid_until is None:
            intervals, queue = self.judging.intervals, self.queue.fresh_until()
            self._valid_until = max(self.rails.fresh_until(intervals), self.silence.fresh_until(intervals), queue)
        return self._valid_until

    def is_fresh(self, now: float) -> bool:
        return self.fresh_until(now) != float("inf")

    def is_drained(self, now: float) -> bool:
        return self.silence.is_drained(now) and self.queue.is_drained(now)

    def is_trading(self, now: float) -> bool:
        """Measured, never told: the newest public trade is younger than a minute."""
        return now <= self.trading_until()

    def trading_until(self) -> float:
        """Until when the newest public trade counts as proof of trading; -inf where none was read."""
        newest = max(self.decided.trades.values(), default=None)
        return newest.timestamp() + TRADE_SECONDS if newest is not None else float("-inf")

    def takes_deposits(self, now: float) -> bool:
        """Every watched deposit rail that a list names is open."""
        held = [self.held(rail, direction=Direction.DEPOSIT, now=now) for rail in self.watched]
        known = [h for h in held if h is not None]
        return bool(known) and all(h.verdict is RailVerdict.OPEN for h in known)

    def _succeed(self, seen: Observation, at: float) -> None:
        if is_written_down(seen.probe):
            return
        self.blind.sees(seen.vantage)
        sight = self.decided.sights.get(seen.probe)
        if sight is None:
            sight = self.decided.sights[seen.probe] = Sight()
        sight.good(at)

    def _miss(self, failure: ProbeFailure) -> bool:
        """Something could not be read. Of the world, it says nothing of this exchange; of money, that is as it was."""
        if not failure.exchange:
            return False
        self._valid_until = None
        if failure.asset is None:
            self.decided.sights.setdefault(failure.probe, Sight()).fail(failure)
        elif self.money.is_told_by(failure.probe):
            return False
        else:
            self.rails.lose(failure)
        return True

    def _count(self, seen: WalletActivity | WithdrawalQueue | Mentions, at: float) -> None:
        match seen:
            case WalletActivity():
                if not self.money.is_stalled(seen.network):  # without blocks nobody is paid: that is no silence
                    self.silence.observe(seen, at)
            case WithdrawalQueue():
                self.queue.observe(seen, at)
            case Mentions():
                self.campaign.observe(seen, at)

    def _weigh_money(self, seen: Observation, at: float) -> bool:
        """Only what is neither known already nor nonsense is an outflow."""
        if type(seen) is Reorg:
            return self._retract(seen, at)
        is_new = self.money.observe(seen, at)
        match seen:
            case Flow() if is_new:
                self.outflow.observe(seen, at)
            case ReserveBalance():
                self.outflow.hear_balance()
            case _:
                pass
        return is_new

    def _retract(self, reorg: Reorg, at: float) -> bool:
        before = self.money.flows.told_of(reorg.network)
        changed = self.money.observe(reorg, at)
        if changed:
            after = self.money.flows.told_of(reorg.network)
            for key, windows in before.items():
                left = {window.at for window in after.get(key, ())}
                self.outflow.retract(key, [window for window in windows if window.at not in left])
        return changed

    def _keep(self, seen: TradeActivity | SystemStatus | MaintenanceWindow | WithdrawalSample, at: float) -> None:
        """What is looked up."""
        decided = self.decided
        match seen:
            case TradeActivity():
                decided.trades[seen.market] = min(seen.newest_trade_at, seen.at)
            case SystemStatus():
                decided.system[seen.component] = seen
            case MaintenanceWindow():
                if window_id(seen) not in decided.called_off:
                    decided.windows = announce(decided.windows, seen, at)
                    decided.rails.changed = True  # what it excuses is weighed otherwise
            case WithdrawalSample():
                key = seen.probe, seen.asset, seen.network
                decided.samples.setdefault(key, Samples()).hear(seen, at)

    def _hear(self, statement: Statement, at: float) -> None:
        recent = [s for s in self.decided.statements if at - s.published_at.timestamp() <= STATEMENT_SECONDS]
        self.decided.statements[:] = [*recent, statement]
