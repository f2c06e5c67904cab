"""Takes down what a report shows while engines judge a journal: views once a step, readings as they come."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from monitor.engine.run import Engines
from monitor.model import (
    ExchangeState,
    ExchangeView,
    Flow,
    Observation,
    Output,
    ReserveBalance,
    Statement,
    Transition,
    WalletActivity,
    WithdrawalQueue,
    WithdrawalSample,
)
from monitor.model.view import StatisticState, StatisticView
from monitor.report.period import Period
from monitor.report.series import Left, Moved, Paid, Point, Stand, Statistic, Track, Turn, Waiting

MIN_COVERAGE = 0.5
INSTANT = timedelta(microseconds=1)
"""A reading tells of the time before it, so one of a full minute belongs to the step that ends there."""


class Recorder:
    """`exchanges` None is all that the journal knows."""

    def __init__(self, engines: Engines, period: Period, *, exchanges: Collection[str] | None = None) -> None:
        self.period = period
        self.tracks: dict[str, Track] = {}
        self.statements: list[Statement] = []
        self.transitions: list[Transition] = []
        self._engines = engines
        self._exchanges = exchanges
        self._next = 0

    def take(self, seen: Observation, outputs: Iterable[Output]) -> bool:
        """An entry that the engines have judged, and what it led to; False for one that is after what is shown."""
        if seen.at > self.period.shown_to:
            return False
        place = self.period.bin_of(seen.at)
        before = self.period.bin_of(seen.at - INSTANT)
        if before < 0:
            self._remember(seen)
        else:
            self._note(seen, before)
        if place < 0:
            return True
        for output in outputs:
            if type(output) is Transition and (self._is_wanted(output.exchange) or not output.exchange):
                self.transitions.append(output)
        if place >= self._next:
            self._sample(seen.at)
            self._next = place + 1
        return True

    def _remember(self, seen: Observation) -> None:
        """Of what was before the period is shown: what was held at its beginning."""
        match seen:
            case ReserveBalance(role=None) if self._is_wanted(seen.exchange):
                stand = Stand(self.period.shown_from, seen.amount)
                self._track(seen.exchange).held[seen.asset, seen.network] = [stand]
            case _:
                pass

    def _sample(self, at: datetime) -> None:
        for name in self._engines.names():
            if name and self._is_wanted(name):
                self._see(self._engines.view(name), at)

    def _see(self, view: ExchangeView, at: datetime) -> None:
        track = self._track(view.exchange)
        track.title = view.title or view.exchange
        track.sampled.append(at)
        track.last = view
        if not track.turns or track.turns[-1].state is not view.withdrawals:
            track.turns.append(Turn(at, view.withdrawals, view.reason))
        for shown in _statistics(view):
            key = (shown.detector, shown.subject)
            statistic = track.statistics.setdefault(key, Statistic(shown.detector, shown.subject))
            statistic.points.append(Point(at, shown))

    def _note(self, seen: Observation, place: int) -> None:
        if not self._is_wanted(seen.exchange):
            return
        match seen:
            case WalletActivity() if seen.coverage >= MIN_COVERAGE:
                self._pay(seen, place)
            case Flow():
                self._move(seen, place)
            case ReserveBalance(role=None):
                held = self._track(seen.exchange).held
                held.setdefault((seen.asset, seen.network), []).append(Stand(seen.at, seen.amount))
            case Statement():
                self.statements.append(seen)
            case WithdrawalSample(state="sent" | "confirmed"):
                waited = self._track(seen.exchange).waited
                waited.append(Waiting(seen.at, seen.asset, seen.network, seen.elapsed_seconds))
            case WithdrawalQueue(oldest_seconds=float(oldest)):
                track = self._track(seen.exchange)
                track.queue_oldest = max(oldest, track.queue_oldest or 0.0)
            case _:
                pass

    def _pay(self, seen: WalletActivity, place: int) -> None:
        """A window longer than a step is spread evenly over the steps it covers."""
        paid = self._track(seen.exchange).paid.setdefault(seen.network, {})
        step = self.period.step.total_seconds()
        steps = max(1, round(seen.window_seconds / step))
        for earlier in range(steps):
            if place - earlier < 0:
                break
            at = paid.setdefault(place - earlier, Paid())
            at.outgoing += seen.outgoing / steps
            at.seconds += seen.window_seconds / steps

    def _move(self, seen: Flow, place: int) -> None:
        track = self._track(seen.exchange)
        moved = track.moved.setdefault((seen.asset, seen.network), {}).setdefault(place, Moved())
        moved.inflow += seen.inflow
        moved.outflow += seen.outflow
        if seen.cold_outflow is None:
            return
        track.cold_is_told = True
        moved.cold += seen.cold_outflow
        if seen.cold_outflow > Decimal(0):
            track.left_cold.append(
                Left(
                    at=seen.at,
                    exchange=seen.exchange,
                    asset=seen.asset,
                    network=seen.network,
                    amount=seen.cold_outflow,
                    blocks=_blocks(seen),
                    probe=seen.probe,
                )
            )

    def _track(self, exchange: str) -> Track:
        return self.tracks.setdefault(exchange, Track(exchange, exchange))

    def _is_wanted(self, exchange: str) -> bool:
        return bool(exchange) and (self._exchanges is None or exchange in self._exchanges)


def _blocks(flow: Flow) -> str:
    if flow.from_height is None or flow.to_height is None:
        return ""
    return (
        f"{flow.from_height:,}" if flow.from_height == flow.to_height else f"{flow.from_height:,} to {flow.to_height:,}"
    )


def _statistics(view: ExchangeView) -> list[StatisticView]:
    """Those of the detectors; of an exchange whose chains are read, the fused silence is always among them."""
    told = list(view.statistics)
    if any(each.detector == "silence" and each.subject == "*" for each in told) or not view.networks:
        return told
    fires = view.silence_score >= view.silence_threshold
    return [
        *told,
        StatisticView(
            detector="silence",
            subject="*",
            state=StatisticState.FIRING if fires else StatisticState.QUIET,
            value=view.silence_score,
            threshold=view.silence_threshold,
            words=view.silence_note,
        ),
    ]


def seconds_in(track: Track, state: ExchangeState, period: Period) -> float:
    """How long an exchange was in a state within the period, as far as it was looked at."""
    spent = 0.0
    for place, turn in enumerate(track.turns):
        end = track.turns[place + 1].at if place + 1 < len(track.turns) else track.sampled[-1]
        begin, end = max(turn.at, period.begin), min(end, period.end)
        if turn.state is state and end > begin:
            spent += (end - begin).total_seconds()
    return spent
