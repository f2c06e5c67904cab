"""A whole network in trouble: closed at several exchanges at once it is one incident, and not one for each of them.

It is judged from what the exchanges' engines say of themselves. Three exchanges that close a network within half an
hour, or two that hold two fifths of its watched weight, are an incident. It is over when all have reopened. Who is
still closed an hour after most of the others reopened is alone, and that is an incident of its own.
"""

from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct

from monitor.engine.finding import NEVER, Finding, moment
from monitor.model import Evidence, IncidentKind, Severity, Verdict
from monitor.model.view import StatisticState, StatisticView

EXCHANGES = 3
FEWEST = 2  # that hold enough of the weight; one alone is no network
WEIGHT_SHARE = 0.4
WINDOW_SECONDS = 1800.0
ALONE_SECONDS = 3600.0

Weights = Mapping[str, Mapping[str, float]]
"""Network -> exchange -> watched weight."""


class Network(Struct):
    closed: dict[str, float] = {}  # exchange -> when it closed the network, of those where it is closed now
    members: dict[str, float | None] = {}  # exchange in the incident -> when it reopened; empty: no incident
    alone: dict[str, float] = {}  # exchange -> when the last of the others had reopened


class NetworksMemory(Struct):
    networks: dict[str, Network] = {}


class Networks:
    def __init__(self, memory: NetworksMemory) -> None:
        self.memory = memory

    def observe(self, verdict: Verdict, before: Verdict | None, at: float) -> bool:
        """Take in what an exchange's engine says after `before`; answers whether a network closed or reopened there."""
        was = before.networks_off if before is not None else ()
        for name in verdict.networks_off:
            if name not in was:
                self._close(self.memory.networks.setdefault(name, Network()), verdict.exchange, at)
        for name in was:
            if name not in verdict.networks_off:
                self._reopen(self.memory.networks.setdefault(name, Network()), verdict.exchange, at)
        return was != verdict.networks_off

    def forget(self, exchanges: Collection[str]) -> None:
        """Leave out all but these exchanges."""
        for network in self.memory.networks.values():
            network.closed = {name: at for name, at in network.closed.items() if name in exchanges}
            network.members = {name: at for name, at in network.members.items() if name in exchanges}
            network.alone = {name: at for name, at in network.alone.items() if name in exchanges}

    def judge(self, now: float, weights: Weights) -> None:
        for name, network in self.memory.networks.items():
            if not network.members:
                _begin(network, weights.get(name, {}))
            back = [at for at in network.members.values() if at is not None]
            if len(back) == len(network.members):
                network.members = {}
            elif now >= _alone_at(network):
                network.alone |= dict.fromkeys(_still(network), max(back))
                network.members = {}

    def findings(self, stalled: Collection[str]) -> dict[str, Finding]:
        """By what they are about: a network, or "network:exchange" where one exchange alone is left."""
        found: dict[str, Finding] = {}
        for name, network in sorted(self.memory.networks.items()):
            if network.members:
                found[name] = _finding(name, network, _still(network), _said(name, network, name in stalled))
            for exchange, since in sorted(network.alone.items()):
                said = f"{name} is still closed at {exchange}, an hour after the others reopened"
                said = f"{said} ({moment(since):%H:%M} UTC)"
                found[f"{name}:{exchange}"] = _finding(name, network, [exchange], said)
        return found

    def due(self, now: float) -> float:
        times = (_alone_at(network) for network in self.memory.networks.values() if network.members)
        return min((time for time in times if time > now), default=NEVER)

    def statistics(self) -> Iterator[StatisticView]:
        """Of each network that is closed somewhere."""
        for name, network in sorted(self.memory.networks.items()):
            if network.closed:
                yield StatisticView(
                    detector="network",
                    subject=name,
                    state=StatisticState.FIRING if network.members else StatisticState.SUSPICIOUS,
                    value=float(len(network.closed)),
                    threshold=float(EXCHANGES),
                    unit="exchanges",
                    words=f"{name} is closed at {', '.join(sorted(network.closed))}; an incident when {EXCHANGES} close"
                    f" it within 30 min, or {FEWEST} with {WEIGHT_SHARE:.0%} of its weight",
                )

    def _close(self, network: Network, exchange: str, at: float) -> None:
        network.closed[exchange] = at
        if network.members:
            network.members[exchange] = None

    def _reopen(self, network: Network, exchange: str, at: float) -> None:
        network.closed.pop(exchange, None)
        network.alone.pop(exchange, None)
        if exchange in network.members:
            network.members[exchange] = at


def _begin(network: Network, weights: Mapping[str, float]) -> None:
    """Those that closed lately, together, make an incident if they are enough."""
    closed = {exchange: at for exchange, at in network.closed.items() if exchange not in network.alone}
    latest = max(closed.values(), default=0.0)
    together = {exchange: at for exchange, at in closed.items() if at >= latest - WINDOW_SECONDS}
    held = sum(weights.get(exchange, 0.0) for exchange in together)
    is_heavy = len(together) >= FEWEST and held > 0 and held >= WEIGHT_SHARE * sum(weights.values())
    if len(together) >= EXCHANGES or is_heavy:
        network.members = dict.fromkeys(sorted(together))


def _still(network: Network) -> list[str]:
    return sorted(exchange for exchange, at in network.members.items() if at is None)


def _alone_at(network: Network) -> float:
    """When those that are still closed will be alone: an hour after the others reopened, where these are most."""
    back = [at for at in network.members.values() if at is not None]
    return max(back) + ALONE_SECONDS if 2 * len(back) > len(network.members) else NEVER


def _said(name: str, network: Network, is_stalled: bool) -> str:
    still, back = _still(network), sorted(exchange for exchange, at in network.members.items() if at is not None)
    said = (
        f"{name} is closed at {len(still)} exchanges: {', '.join(still)}"
        if len(still) != 1
        else f"{name} is closed at {still[0]}"
    )
    reopened = f"; reopened at {', '.join(back)}" if back else ""
    return said + reopened + ("; the chain itself has no new blocks" if is_stalled else "")


def _finding(name: str, network: Network, exchanges: list[str], said: str) -> Finding:
    return Finding(
        kind=IncidentKind.NETWORK_INCIDENT,
        severity=Severity.WARNING,
        scope=(f"*@{name}",),
        summary=said,
        since=min(network.closed[exchange] for exchange in exchanges),
        exchanges=tuple(exchanges),
        evidence=tuple(
            Evidence(
                at=moment(network.closed[exchange]), probe=exchange, source="verdict", rail=f"*@{name}", value="closed"
            )
            for exchange in sorted(exchanges, key=lambda each: (network.closed[each], each))
        ),
    )
