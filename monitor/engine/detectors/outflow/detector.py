"""Reserves that leave: per asset and network in coins and in shares of the reserve, and over the exchange.

Readings are kept until their instant is judged, so their order within one decides nothing. Shares are those of the time
a coin left, so a price that moves is no outflow. Method and constants: docs/detection.md.
"""

from collections.abc import Collection, Sequence
from decimal import Decimal

from msgspec import Struct

from monitor.engine.detectors.outflow.alarm import Alarm, Alarms, Cause, follow
from monitor.engine.detectors.outflow.kinds import HOURLY, judge, stands_out
from monitor.engine.detectors.outflow.stream import MATERIAL, SCORED_SECONDS, Current, Told, Worth, take, take_back
from monitor.engine.detectors.outflow.sums import DAY, HOUR
from monitor.engine.detectors.outflow.usual import BUDGET_SHARE, Usual
from monitor.engine.detectors.outflow.words import finding, statistics
from monitor.engine.finding import Finding, moment
from monitor.engine.flows import Key, Window, unexplained
from monitor.engine.money import Money
from monitor.model import Flow, IncidentKind, Severity
from monitor.model.view import FlowView, StatisticView

VERSION = 2
WEIGHED_SECONDS = 600.0  # worths are looked at anew that often, and when a balance is read
DRAIN = 0.10  # of the reserve in a day, on balance
DRAIN_WEIGHT = 0.2  # an asset of less than this share of the exchange is no run of it
DRAIN_LASTS = 0.08
DISAGREE = 0.5
WHOLE = "*"


class OutflowMemory(Struct):
    streams: dict[Key, Current] = {}
    pending: list[tuple[Key, Told]] = []  # of the instant that is not judged yet
    worths: dict[str, Worth] = {}  # by asset
    weighed_at: float = 0.0
    drains: dict[str, Alarms] = {}  # by asset, and WHOLE


class OutflowLearned(Struct):
    usual: dict[Key, Usual] = {}


class Outflow:
    def __init__(self, memory: OutflowMemory, learned: OutflowLearned, money: Money) -> None:
        self.memory = memory
        self.learned = learned
        self.money = money
        self._findings: list[Finding] | None = None  # None: to be made anew

    def observe(self, flow: Flow, at: float) -> None:
        """Take in a flow that is neither told already nor nonsense."""
        self.memory.pending.append(((flow.asset, flow.network), _told(flow, at)))

    def calibrate(self, *, pages_per_month: float, exchanges: int) -> None:
        """Set the thresholds of bursts anew, for a share of the pages that the user allows; streams share it evenly."""
        counted = [usual for usual in self.learned.usual.values() if usual.tail.hours > 0]
        for usual in counted:
            per_month = BUDGET_SHARE * pages_per_month / max(1, exchanges) / len(counted)
            usual.threshold = usual.tail.threshold(per_month)

    def hear_balance(self) -> None:
        self.memory.weighed_at = 0.0

    def judge(self, now: float) -> None:
        memory = self.memory
        if not memory.pending:
            return
        pending, memory.pending = memory.pending, []
        if len(pending) > 1:
            pending.sort(key=lambda each: (each[0], each[1].at))
        if now - memory.weighed_at >= WEIGHED_SECONDS:
            self._weigh(now)
        for key, told in pending:
            self._take(key, told)
        for key, told in pending:
            if memory.streams[key].scored_at == told.at:
                self._drain(key[0], max(SCORED_SECONDS, told.seconds))

    def findings(self) -> list[Finding]:
        """Made anew only after something was judged or taken back."""
        if self._findings is None:
            self._findings = self._found()
        return self._findings

    def statistics(self) -> list[StatisticView]:
        return [
            view
            for key, current in sorted(self.memory.streams.items())
            for view in statistics(key, current, self.learned.usual.get(key))
        ]

    def totals(self) -> list[FlowView]:
        return [
            FlowView(
                asset=key[0],
                network=key[1],
                inflow_total=round(current.inflow_total, 8),
                outflow_total=round(current.outflow_total, 8),
                read_at=moment(current.at),
            )
            for key, current in sorted(self.memory.streams.items())
            if current.at
        ]

    def retract(self, key: Key, windows: Sequence[Window]) -> None:
        """These are taken back. What rested on them is not said any more, until it shows itself again."""
        memory, current, self._findings = self.memory, self.memory.streams.get(key), None
        gone = {window.at for window in windows}
        memory.pending = [each for each in memory.pending if each[0] != key or each[1].at not in gone]
        if current is None or not windows:
            return
        for window in windows:
            if window.at <= current.at:
                take_back(current, window)
        for cause in (Cause.MOVE, Cause.SPIKE):
            current.alarms.pop(cause, None)
        memory.drains.pop(key[0], None)

    def forget(self, kept: Collection[str]) -> None:
        """Leave out the streams of probes that look no more."""
        memory, self._findings = self.memory, None
        for key in [key for key, current in memory.streams.items() if current.probe not in kept]:
            del memory.streams[key]
        assets = {key[0]: None for key in memory.streams}
        memory.drains = {asset: alarms for asset, alarms in memory.drains.items() if asset in assets}

    def _found(self) -> list[Finding]:
        memory = self.memory
        found = [
            finding(key, current.probe, cause, alarm)
            for key, current in memory.streams.items()
            for cause, alarm in current.alarms.items()
        ]
        drained = [
            finding((asset, WHOLE), self._probe(asset), cause, alarm)
            for asset, alarms in memory.drains.items()
            for cause, alarm in alarms.items()
        ]
        return sorted([*found, *drained], key=lambda each: (each.severity is not Severity.CRITICAL, each.scope))

    def _take(self, key: Key, told: Told) -> None:
        current = self.memory.streams.get(key)
        if current is None:
            current = self.memory.streams[key] = Current()
        usual = self.learned.usual.get(key)
        if usual is None:
            usual = self.learned.usual[key] = Usual()
        worth = self.memory.worths.get(key[0]) or Worth()
        take(current, usual, told, worth)
        if not stands_out(current, usual):
            return
        self._findings = None
        others = self._moved_beside(key, told.at) if Cause.MOVE in current.alarms and worth.weight is not None else 0.0
        disagrees = self._disagrees(key, current, told)
        judge(current, usual, worth, seconds=told.seconds, disagrees=disagrees, others=others)

    def _moved_beside(self, key: Key, at: float) -> float:
        """Share of the exchange that moves of other streams took in the hour."""
        moves = [current.alarms.get(Cause.MOVE) for other, current in self.memory.streams.items() if other != key]
        return sum(move.total for move in moves if move is not None and at - move.at <= HOUR)

    def _disagrees(self, key: Key, current: Current, told: Told) -> bool:
        """The reserve, read when this was, fell by much less than what left on balance."""
        holding = self.money.memory.holdings.get(key)
        if holding is None or holding.total is None or holding.total.at < told.at:
            return False
        is_daily = told.seconds > HOURLY
        total = current.sums.total("24h" if is_daily else "1h", told.at)
        if total.net < MATERIAL * float(holding.total.amount):
            return False
        change = holding.change("day" if is_daily else "hour", now=told.at)
        if change is None or float(change) < -total.net:
            return False
        share = unexplained(change, inflow=Decimal(repr(total.inflow)), outflow=Decimal(repr(total.outflow)))
        return share is not None and share > DISAGREE

    def _weigh(self, now: float) -> None:
        """What each asset is worth of all the exchange holds; without every price, what was known last."""
        memory, money = self.memory, self.money
        reserves: dict[str, float] = {}
        for (asset, _), holding in money.memory.holdings.items():
            if holding.total is not None and holding.total.is_whole:
                past = holding.past.get("hour", ())
                most = max([holding.total.amount, *(point.amount for point in past)])
                reserves[asset] = reserves.get(asset, 0.0) + float(most)
        quotes = {asset: money.prices.usd(asset, now=now) for asset in reserves}
        usd = {asset: reserves[asset] * float(quote.usd) for asset, quote in quotes.items() if quote is not None}
        total, is_whole = sum(usd.values()), len(usd) == len(reserves)
        for asset, reserve in reserves.items():
            before = memory.worths.get(asset) or Worth()
            priced = usd[asset] / total if asset in usd and total > 0 else before.priced
            memory.worths[asset] = Worth(reserve, priced if is_whole else before.weight, priced)
        memory.weighed_at = now

    def _drain(self, asset: str, seconds: float) -> None:
        """A tenth of an asset's reserve gone in a day on balance; what was told as a move is not counted."""
        worth = self.memory.worths.get(asset)
        if worth is None or worth.reserve <= 0:
            return
        streams = [current for key, current in self.memory.streams.items() if key[0] == asset]
        at = max(current.at for current in streams)
        if at - min(current.since for current in streams) < DAY / 4:
            return
        coins = sum(_left(current) for current in streams)
        share = coins / (worth.reserve + coins) if coins > 0 else 0.0
        found = None
        if share >= DRAIN:
            is_large = worth.priced is None or worth.priced >= DRAIN_WEIGHT
            held = any(alarm.disagrees for current in streams for alarm in current.alarms.values())
            found = Alarm(
                kind=IncidentKind.BANK_RUN if is_large else IncidentKind.OUTFLOW_SPIKE,
                severity=Severity.CRITICAL if is_large and not held else Severity.WARNING,
                since=at - DAY,
                at=at,
                coins=coins,
                share=share,
            )
        alarms = self.memory.drains.setdefault(asset, {})
        follow(alarms, Cause.DRAIN, found, lasts=share >= DRAIN_LASTS, seconds=seconds)
        if not alarms:
            del self.memory.drains[asset]

    def _probe(self, asset: str) -> str:
        return next((current.probe for key, current in self.memory.streams.items() if key[0] == asset), "")


def _left(current: Current) -> float:
    """Coins out on balance in a day, without moves that were told."""
    moved = sum(coins for end, coins in current.moved if end > current.at - DAY)
    move = current.alarms.get(Cause.MOVE)
    return current.sums.total("24h", current.at).net - moved - (move.coins if move is not None else 0.0)


def _told(flow: Flow, at: float) -> Told:
    outflow = float(flow.outflow)
    unknown = min(outflow, float(flow.unlabelled_outflow)) if flow.unlabelled_outflow is not None else outflow
    return Told(
        at,
        max(0.0, flow.window_seconds),
        flow.probe,
        float(flow.inflow),
        outflow,
        unknown,
        float(flow.cold_outflow) if flow.cold_outflow is not None else 0.0,
        flow.outflow_count,
        flow.inflow_count,
        float(flow.outflow_sum_of_squares) if flow.outflow_sum_of_squares is not None else None,
        float(flow.outflow_max) if flow.outflow_max is not None else None,
    )
