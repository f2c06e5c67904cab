"""Whether the user can still get out: every way out of what they hold there, and what is stuck for ten minutes."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from monitor.engine.detectors.blind import Blind
from monitor.engine.detectors.queue import HALT_SECONDS, Queue
from monitor.engine.detectors.silence import Silence
from monitor.engine.detectors.sources import ANY, Held, Rails
from monitor.engine.finding import NEVER, Finding, moment
from monitor.engine.money import Money, Own, Pinned
from monitor.model import Direction, Evidence, ExposureView, IncidentKind, Rail, RailVerdict, Severity
from monitor.reserves.amounts import cents, coins, dollars
from monitor.reserves.exits import OPEN, Way, leave

STUCK_SECONDS = 600.0
STALLED_SECONDS = 1500.0  # a chain that stands is told so every ten minutes
HOT_SECONDS = 900.0  # a hot balance older than that limits nothing
NOTHING = Decimal(0)


class _Sum(Struct, frozen=True):
    """US dollars, at the prices when they got stuck."""

    stuck: Decimal
    unknown: Decimal
    is_whole: bool  # all of both has a price


class Exits:
    """Flags, the chain and the queue together decide what is a way out."""

    def __init__(self, money: Money, *, rails: Rails, queue: Queue, silence: Silence, blind: Blind) -> None:
        self._money = money
        self._rails = rails
        self._queue = queue
        self._silence = silence
        self._blind = blind

    def exposures(self, now: float, intervals: dict[str, float]) -> list[ExposureView]:
        """What the user holds there, divided into what can leave, what is stuck and what is unknown."""
        return [view for view, _ in self._divided(now, intervals)]

    def judge(self, now: float, *, intervals: dict[str, float], limit: float) -> None:
        """Note since when more than `limit` US dollars are stuck. A moment of not knowing begins the time anew.

        What waits for a refill is no news: who holds more than the hot wallets do would be told so for ever, and not
        when a way closes.
        """
        memory = self._money.memory.stuck
        if not self._money.memory.own:
            memory.since, memory.finding, memory.pins = None, None, {}
            return
        exposures = [_refilled(view) if waits else view for view, waits in self._divided(now, intervals)]
        self._pin(exposures, now)
        total, most = self._sum(exposures, now), Decimal(str(limit))
        if total.stuck <= most:
            memory.since = None
            if total.is_whole and total.stuck + total.unknown <= most:
                memory.finding = None
            return
        memory.since = now if memory.since is None else memory.since
        if memory.finding is not None or now - memory.since >= STUCK_SECONDS:
            said = memory.finding.since if memory.finding is not None else None
            since = memory.since if said is None else said
            memory.finding = _finding([e for e in exposures if e.stuck > 0], total.stuck, since)

    def findings(self) -> list[Finding]:
        finding = self._money.memory.stuck.finding
        return [finding] if finding is not None else []

    def due(self) -> float:
        """When what is stuck will have been so for long enough to be told."""
        memory = self._money.memory.stuck
        return NEVER if memory.since is None or memory.finding is not None else memory.since + STUCK_SECONDS

    def _divided(self, now: float, intervals: dict[str, float]) -> list[tuple[ExposureView, bool]]:
        """Each exposure, and whether what is stuck of it waits for no more than a refill."""
        held = self._money.exposures()
        if not held:
            return []
        ways = self._ways([asset for asset, _ in held], now, intervals)
        return [self._exposure(asset, own, ways[asset], now) for asset, own in held]

    def _exposure(self, asset: str, own: Own, ways: Sequence[Way], now: float) -> tuple[ExposureView, bool]:
        unpaid = "the hot wallets stopped sending" if self._silence.memory.halted else ""
        unseen = "we cannot see: our own control targets do not answer" if self._blind.is_blind() else ""
        parts = leave(asset, own.amount, ways, unpaid=unpaid, unseen=unseen)
        quote = self._money.prices.usd(asset, now=now)
        view = ExposureView(
            asset=asset,
            amount=own.amount,
            told_at=moment(own.at),
            withdrawable=parts.withdrawable,
            stuck=parts.stuck,
            unknown=parts.unknown,
            usd=cents(own.amount * quote.usd) if quote is not None else None,
            ways=parts.ways,
            hot=parts.hot,
        )
        return view, parts.waits

    def _ways(self, assets: Sequence[str], now: float, intervals: dict[str, float]) -> Mapping[str, list[Way]]:
        """By asset, every network that any list names for it; the asset as a whole where none does."""
        named: dict[str, dict[str, None]] = {asset: {} for asset in assets}
        for memory in self._rails.memory.lists.values():
            for rail in memory.rails.get(Direction.WITHDRAWAL, {}):
                if rail.asset in named:
                    named[rail.asset][rail.network] = None
        ways: dict[str, list[Way]] = {}
        for asset, networks in named.items():
            known = sorted(network for network in networks if network != ANY) or list(networks)
            rails = [Rail(asset, network) for network in known]
            told = [
                (r, self._rails.held(r, direction=Direction.WITHDRAWAL, now=now, intervals=intervals)) for r in rails
            ]
            ways[asset] = [self._way(r, held, now) for r, held in told if held is not None]
        return ways

    def _way(self, rail: Rail, held: Held, now: float) -> Way:
        terms, chain = self._money.terms(rail), self._money.memory.chains.get(rail.network)
        stands = chain is not None and chain.is_stalled
        is_unseen = chain is not None and stands and now - chain.at > STALLED_SECONDS
        return Way(
            network=rail.network,
            verdict=RailVerdict.UNKNOWN if is_unseen and held.verdict in OPEN else held.verdict,
            since=moment(held.since) if held.since is not None else None,
            reason=f"{rail.network} had no new blocks when it was last seen" if is_unseen else _why_unknown(held),
            minimum=terms.minimum,
            maximum=terms.maximum,
            remaining=terms.remaining,
            hot=self._hot(rail, now),
            blocked=f"{rail.network} has no new blocks" if stands and not is_unseen else self._unpaid(rail),
        )

    def _hot(self, rail: Rail, now: float) -> Decimal | None:
        holding = self._money.memory.holdings.get((rail.asset, rail.network))
        hot = holding.hot if holding is not None else None
        return hot.amount if hot is not None and hot.is_known(now, HOT_SECONDS) else None

    def _unpaid(self, rail: Rail) -> str:
        waiting = self._queue.memory.rails.get(rail)
        if waiting is None or waiting.read_at - waiting.since < HALT_SECONDS:
            return ""
        return f"{waiting.requested} withdrawals requested and none broadcast"

    def _pin(self, exposures: Sequence[ExposureView], now: float) -> None:
        """Value what is stuck when it gets stuck: a price alone makes no alert, and ends none."""
        before, pins = self._money.memory.stuck.pins, {}
        for each in exposures:
            pin, quote = before.get(each.asset), self._money.prices.usd(each.asset, now=now)
            is_other = each.stuck > 0 and (pin is None or pin.stuck != each.stuck)
            if is_other and quote is not None:
                pins[each.asset] = Pinned(each.stuck, quote.usd)
            elif pin is not None and (each.stuck > 0 or each.unknown > 0):
                pins[each.asset] = pin
        self._money.memory.stuck.pins = pins

    def _sum(self, exposures: Sequence[ExposureView], now: float) -> _Sum:
        stuck = unknown = NOTHING
        is_whole = True
        for each in exposures:
            pin, quote = self._money.memory.stuck.pins.get(each.asset), self._money.prices.usd(each.asset, now=now)
            if pin is not None:
                stuck += each.stuck * pin.usd
                unknown += each.unknown * pin.usd
            elif quote is not None:
                unknown += each.unknown * quote.usd
            elif each.stuck > 0 or each.unknown > 0:
                is_whole = False
        return _Sum(stuck, unknown, is_whole)


def _refilled(view: ExposureView) -> ExposureView:
    return replace(view, withdrawable=view.withdrawable + view.stuck, stuck=NOTHING)


def _why_unknown(held: Held) -> str:
    match held.verdict:
        case RailVerdict.DISPUTED:
            return "two sources of the exchange disagree"
        case RailVerdict.UNKNOWN:
            return f"its row cannot be read: {held.unread}" if held.unread else "its list is not read"
        case _:
            return ""


def _finding(stuck: Sequence[ExposureView], usd: Decimal, since: float) -> Finding:
    each = ", ".join(f"{coins(e.stuck)} of {coins(e.amount)} {e.asset}" for e in stuck)
    return Finding(
        kind=IncidentKind.EXPOSURE_STUCK,
        severity=Severity.CRITICAL,
        scope=tuple(sorted(str(Rail(e.asset, way.network)) for e in stuck for way in e.ways)),
        summary=f"{dollars(usd)} of your own cannot leave: {each}",
        since=since,
        evidence=tuple(
            Evidence(
                at=moment(since),
                probe="exits",
                source="exposure",
                rail=str(Rail(e.asset, ANY)),
                value=f"{coins(e.stuck)} of {coins(e.amount)} {e.asset} stuck",
            )
            for e in stuck
        ),
    )
