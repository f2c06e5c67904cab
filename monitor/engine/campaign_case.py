"""A campaign beside the money: talk while reserves rise is information, talk while they fall is a warning.

Judged in coins and asset by asset, so that no price makes a campaign worse. Flows count where they are told, else the
change of the balances. What is not known is said, and makes nothing worse.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from msgspec import Struct

from monitor.engine.detectors.campaign import Campaign, described
from monitor.engine.finding import Finding, moment
from monitor.engine.flows import NOTHING, Key
from monitor.engine.money import Money
from monitor.model import Evidence, Incident, IncidentKind, Severity, Stage
from monitor.reserves.amounts import coins

FRESH_SECONDS = 7200.0
LEAST_SHARE = {1: Decimal("0.002"), 24: Decimal("0.01")}
"""Hours -> of the asset's reserves: as fast as five per cent a day, half of what a run is, or one per cent in a day."""
LEAST_BALANCE = Decimal("0.1")  # of all that came and left: less is the noise of single payments
MOST_SHOWN = 3


class Net(Struct, frozen=True, kw_only=True):
    """Of an asset over some hours up to `at`. `share` is of its reserves, None where those are not known."""

    asset: str
    hours: int
    at: float
    probe: str
    coins: Decimal  # in minus out
    moved: Decimal  # in and out
    share: Decimal | None

    def is_outflow(self) -> bool:
        if self.coins > -LEAST_BALANCE * self.moved or not self.coins:
            return False
        return self.share is None or self.share >= LEAST_SHARE[self.hours]

    def is_inflow(self) -> bool:
        return self.coins > LEAST_BALANCE * self.moved

    def way(self) -> str:
        if self.is_outflow():
            return "net outflow"
        return "net inflow" if self.is_inflow() else "net flow"


def findings(campaign: Campaign, money: Money, *, outflow: Incident | None, now: float) -> list[Finding]:
    """One for all that is on. `outflow`: what is open of money that leaves, whoever found it."""
    episodes = campaign.episodes()
    if not episodes:
        return []
    if outflow is not None and outflow.stage is Stage.MONITORING:
        outflow = None
    nets = _nets(money, now)
    leaving = [net for net in nets if net.is_outflow()]
    shown = (leaving or _longest(nets))[:MOST_SHOWN]
    talk = "; ".join(f'mentions of "{query}": {described(episode)}' for query, episode in episodes)
    return [
        Finding(
            kind=IncidentKind.CAMPAIGN,
            severity=Severity.WARNING if leaving or outflow is not None else Severity.INFO,
            scope=("*",),
            summary=f"{_verdict(leaving, shown)}{_beside(outflow)}; {talk}",
            since=min(episode.since for _, episode in episodes),
            evidence=(*campaign.evidence(), *(_evidence(net) for net in shown)),
        )
    ]


def _nets(money: Money, now: float) -> list[Net]:
    """The last hour and the last day of each asset, the largest share of its reserves first."""
    assets = sorted({asset for asset, _ in (*money.memory.flows, *money.memory.holdings)})
    found = [net for asset in assets for hours in LEAST_SHARE if (net := _net(money, asset, hours, now)) is not None]
    return sorted(found, key=lambda net: (-abs(net.share or NOTHING), net.asset, net.hours))


def _longest(nets: list[Net]) -> list[Net]:
    """One of each asset: its day where that is known, else its hour."""
    longest = {net.asset: net for net in sorted(nets, key=lambda net: net.hours)}
    return [net for net in nets if longest[net.asset] is net]


def _net(money: Money, asset: str, hours: int, now: float) -> Net | None:
    flowed = list(_flowed(money, asset, hours, now)) or list(_changed(money, asset, hours, now))
    if not flowed:
        return None
    net = sum((came - left for _, _, came, left in flowed), NOTHING)
    reserve = money.reserve(asset)
    return Net(
        asset=asset,
        hours=hours,
        at=max(at for at, _, _, _ in flowed),
        probe=min(probe for _, probe, _, _ in flowed),
        coins=net,
        moved=sum((came + left for _, _, came, left in flowed), NOTHING),
        share=abs(net) / reserve if reserve > 0 else None,
    )


def _flowed(money: Money, asset: str, hours: int, now: float) -> Iterator[tuple[float, str, Decimal, Decimal]]:
    for key in _keys(money.memory.flows, asset):
        sums = money.flows.hour(key) if hours == 1 else money.flows.day(key)
        if sums is not None and now - sums.at <= FRESH_SECONDS:
            windows = money.memory.flows[key].windows
            yield sums.at, windows[-1].probe if windows else "", sums.inflow, sums.outflow


def _changed(money: Money, asset: str, hours: int, now: float) -> Iterator[tuple[float, str, Decimal, Decimal]]:
    for key in _keys(money.memory.holdings, asset):
        holding = money.memory.holdings[key]
        change = holding.change("hour" if hours == 1 else "day", now=now)
        if change is not None and holding.total is not None:
            yield holding.total.at, holding.total.probe, max(change, NOTHING), max(-change, NOTHING)


def _keys(known: Iterable[Key], asset: str) -> list[Key]:
    return sorted(key for key in known if key[0] == asset)


def _verdict(leaving: list[Net], shown: list[Net]) -> str:
    if leaving:
        return f"campaign and net outflow: {_figures(shown)}"
    if not shown:
        return "campaign; what comes and leaves is not known"
    if shown[0].is_inflow():
        return f"campaign, reserves rising: {_figures(shown)}"
    return f"campaign, reserves steady: {_figures(shown)}"


def _beside(outflow: Incident | None) -> str:
    return f"; {outflow.kind} is open since {outflow.opened_at:%H:%M} UTC" if outflow is not None else ""


def _figures(nets: list[Net]) -> str:
    return ", ".join(_figure(net) for net in nets)


def _figure(net: Net) -> str:
    way = "net in" if net.coins >= 0 else "net out"
    share = f" ({net.share:.2%} of its known reserves)" if net.share is not None else ""
    return f"{coins(abs(net.coins))} {net.asset} {way} over {net.hours} h{share}"


def _evidence(net: Net) -> Evidence:
    return Evidence(
        at=moment(net.at),
        probe=net.probe,
        source=net.way(),
        rail=f"{net.asset}@*",
        value=_figure(net),
        unit=net.asset,
    )
