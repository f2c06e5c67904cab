"""All that an engine knows of money: holdings, flows, prices, chains, what is published, the user's own, and terms."""

from collections.abc import Collection, Iterator
from decimal import Decimal

import msgspec
from msgspec import Struct

from monitor.engine.finding import Finding
from monitor.engine.flows import Flows, Key, Stream
from monitor.engine.holdings import Holding
from monitor.model import (
    ChainState,
    Exposure,
    Flow,
    Observation,
    Price,
    PublishedReserve,
    Rail,
    RailTerms,
    Reorg,
    ReserveBalance,
)
from monitor.reserves.valuation import Prices, PricesMemory

LARGEST_EXPONENT = 40  # of amounts: what is larger is no amount, and would overflow what is reckoned with it


class Chain(Struct, frozen=True):
    is_stalled: bool
    since: float
    at: float
    height: int
    probe: str


class Published(Struct, frozen=True):
    """What the exchange says it holds."""

    amount: Decimal
    as_of: float
    probe: str


class Own(Struct, frozen=True):
    """What the user holds there."""

    amount: Decimal
    at: float


class Terms(Struct, frozen=True, array_like=True):
    minimum: Decimal | None
    maximum: Decimal | None
    remaining: Decimal | None


class Low(Struct, frozen=True):
    """Hot wallets that will not last."""

    since: float
    is_critical: bool
    at: float
    seconds: float
    hot: Decimal
    outflow: Decimal  # of the hour before `at`
    probe: str
    short_since: float | None = None  # less than an hour is left since then, without a refill
    worst: Decimal = Decimal(0)  # the most that left in an hour since it is low


class Pinned(Struct, frozen=True):
    """What is stuck of an asset, at the price when that was last another amount: a price alone sticks nothing."""

    stuck: Decimal
    usd: Decimal


class StuckMemory(Struct):
    since: float | None = None  # more than allowed is stuck without a break
    finding: Finding | None = None
    pins: dict[str, Pinned] = {}


class MoneyMemory(Struct):
    holdings: dict[Key, Holding] = {}
    flows: dict[Key, Stream] = {}
    prices: PricesMemory = msgspec.field(default_factory=PricesMemory)
    chains: dict[str, Chain] = {}
    published: dict[tuple[str, str], Published] = {}  # (asset, source)
    own: dict[tuple[str, str], Own] = {}  # (probe, asset)
    terms: dict[str, dict[Rail, Terms]] = {}  # by probe
    touched: dict[Key, None] = {}  # hot balance or flow is another since the runways were judged
    lows: dict[Key, Low] = {}
    runways: dict[Key, dict[int, float]] = {}  # the least of each day since the epoch
    stuck: StuckMemory = msgspec.field(default_factory=StuckMemory)
    tellers: dict[str, None] = {}  # probes that have told balances or flows


class Money:
    def __init__(self, memory: MoneyMemory, *, exchange: str) -> None:
        self.memory = memory
        self.prices = Prices(memory.prices, apart_from=exchange)
        self.flows = Flows(memory.flows)

    def observe(self, seen: Observation, at: float) -> bool:
        """Take in what is about money; answers whether there is something to judge."""
        match seen:
            case ReserveBalance():
                return self._hold(seen, at)
            case Flow():
                return self._flow(seen, at)
            case Reorg():
                return self._retract(seen)
            case Exposure():
                return self._own(seen, at)
            case PublishedReserve():
                return self._publish(seen)
            case RailTerms():
                return self._limit(seen)
            case Price():
                self.prices.hear(seen, at)
                return any(asset == seen.asset for _, asset in self.memory.own)
            case ChainState():
                return self._chain(seen, at)
            case _:
                return False

    def forget(self, kept: Collection[str]) -> None:
        """Leave out what probes told that look no more."""
        memory = self.memory
        gone = [key for key, h in memory.holdings.items() if not any(level.probe in kept for level in h.levels())]
        for key in gone:
            del memory.holdings[key]
        self.flows.forget(kept)
        memory.tellers = {probe: None for probe in memory.tellers if probe in kept}
        memory.lows = {key: low for key, low in memory.lows.items() if key in memory.holdings}
        memory.runways = {key: days for key, days in memory.runways.items() if key in memory.holdings}
        memory.chains = {network: chain for network, chain in memory.chains.items() if chain.probe in kept}
        memory.published = {key: told for key, told in memory.published.items() if told.probe in kept}
        memory.own = {key: own for key, own in memory.own.items() if key[0] in kept}
        memory.terms = {probe: terms for probe, terms in memory.terms.items() if probe in kept}

    def is_told_by(self, probe: str) -> bool:
        """The probe has told balances or flows."""
        return probe in self.memory.tellers

    def exposures(self) -> list[tuple[str, Own]]:
        """What the user holds, by asset: the sum over those who tell it, and the oldest of their words."""
        held: dict[str, Own] = {}
        for (_, asset), own in sorted(self.memory.own.items()):
            before = held.get(asset)
            held[asset] = own if before is None else Own(before.amount + own.amount, min(before.at, own.at))
        return list(held.items())

    def terms(self, rail: Rail) -> Terms:
        """The narrowest that any list tells of a rail."""
        told = [terms[rail] for _, terms in sorted(self.memory.terms.items()) if rail in terms]
        return Terms(
            max((t.minimum for t in told if t.minimum is not None), default=None),
            min((t.maximum for t in told if t.maximum is not None), default=None),
            min((t.remaining for t in told if t.remaining is not None), default=None),
        )

    def stalled(self) -> tuple[str, ...]:
        """Networks without new blocks, until somebody sees one there."""
        return tuple(sorted(network for network, chain in self.memory.chains.items() if chain.is_stalled))

    def is_stalled(self, network: str) -> bool:
        chain = self.memory.chains.get(network)
        return chain is not None and chain.is_stalled

    def reserve(self, asset: str) -> Decimal:
        """What is known of it on all networks together."""
        return sum((h.total.amount for h in self._of(asset) if h.total is not None), Decimal(0))

    def _of(self, asset: str) -> Iterator[Holding]:
        return (holding for (held, _), holding in self.memory.holdings.items() if held == asset)

    def _hold(self, seen: ReserveBalance, at: float) -> bool:
        self.memory.tellers[seen.probe] = None
        if not is_amount(seen.amount):
            return False
        key = seen.asset, seen.network
        self.memory.holdings.setdefault(key, Holding()).hear(seen, at)
        if seen.role == "hot":
            self.memory.touched[key] = None
        return True

    def _flow(self, seen: Flow, at: float) -> bool:
        self.memory.tellers[seen.probe] = None
        told = (seen.inflow, seen.outflow, seen.internal, seen.cold_outflow)
        for amount in told:
            if amount is not None and not is_amount(amount):
                return False
        key = self.flows.hear(seen, at)
        if key is not None:
            self.memory.touched[key] = None
        return key is not None

    def _retract(self, reorg: Reorg) -> bool:
        """What rested on flows that are no more is not said any more, until it shows itself again."""
        changed = self.flows.retract(reorg)
        for key in changed:
            self.memory.lows.pop(key, None)
            self.memory.touched[key] = None
        return bool(changed)

    def _own(self, seen: Exposure, at: float) -> bool:
        key = seen.probe, seen.asset
        before = self.memory.own.get(key)
        if not is_amount(seen.amount) or (before is not None and at < before.at):
            return False
        former = [other for other, own in self.memory.own.items() if other[0] == seen.probe and own.at < at]
        for other in former:  # a reading tells all that is held
            del self.memory.own[other]
        if seen.amount > 0:
            self.memory.own[key] = Own(seen.amount, at)
        else:
            self.memory.own.pop(key, None)
        return True

    def _publish(self, seen: PublishedReserve) -> bool:
        key = seen.asset, seen.source
        before, as_of = self.memory.published.get(key), seen.as_of.timestamp()
        if is_amount(seen.amount) and (before is None or as_of >= before.as_of):
            self.memory.published[key] = Published(seen.amount, as_of, seen.probe)
        return False

    def _limit(self, seen: RailTerms) -> bool:
        told = (seen.minimum, seen.maximum, seen.remaining)
        limits = [amount for amount in told if amount is not None]
        terms = self.memory.terms.setdefault(seen.probe, {})
        if not limits:
            terms.pop(Rail(seen.asset, seen.network), None)
        elif all(is_amount(limit) for limit in limits):
            terms[Rail(seen.asset, seen.network)] = Terms(*told)
        return bool(self.memory.own)

    def _chain(self, seen: ChainState, at: float) -> bool:
        is_stalled = seen.state == "stalled"
        before = self.memory.chains.get(seen.network)
        if before is not None and at < before.at:
            return False
        is_same = before is not None and before.is_stalled is is_stalled
        since = before.since if before is not None and is_same else at
        self.memory.chains[seen.network] = Chain(is_stalled, since, at, seen.height, seen.probe)
        return not is_same


def is_amount(amount: Decimal) -> bool:
    """A number that can be reckoned with: not infinite, not absurd, not less than nothing."""
    return amount.is_finite() and amount >= 0 and amount.adjusted() < LARGEST_EXPONENT
