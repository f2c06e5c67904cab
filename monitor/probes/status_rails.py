"""Components of a status page that are rails, told as lists of rails are: all at first, then what changed.

A component whose name is not of the form `Tether USD (USDT) - Tron` is no rail; nothing is guessed from a name.
"""

import re
from collections.abc import Sequence

from msgspec import Raw, Struct

from monitor.model import (
    Direction,
    FailureReason,
    Rail,
    RailState,
    RemoteError,
)
from monitor.probes.listing import LONGEST_RAW
from monitor.probes.networks import our_network
from monitor.probes.rails import (
    Listed,
    RailReading,
)
from monitor.probes.rows import LONGEST_NAME, MOST_FLAWS, Flaw, rows

# A component stands for both directions. `delayed` is as much as the two weaker words prove: Kraken has shown
# `degraded_performance` for a coin whose deposits and withdrawals it had suspended.
_STATES = {
    "operational": RailState.OPEN,
    "degraded_performance": RailState.DELAYED,
    "partial_outage": RailState.DELAYED,
    "major_outage": RailState.SUSPENDED,
    "under_maintenance": RailState.MAINTENANCE,
}
_NAME = re.compile(r"(?:Digital Currency Funding - )?\S.*? \(([a-z]?[A-Z0-9]{1,15})\)(?: - (\S.*))?", re.ASCII)
_TOKEN_THERE = re.compile(r" \([^()]*\)$")  # as in `HyperEVM (USDT0)`

_NO_NETWORK = (
    "custody", "domestic", "instant", "international", "opt-in rewards", "rewards", "sepa", "staking",
    "wire transfer deposits", "wire transfer withdrawals",
)  # fmt: skip
_FIAT = (
    "AED", "ARS", "AUD", "BRL", "CAD", "CHF", "COP", "DKK", "EUR", "GBP", "HKD", "INR", "JPY", "KRW", "MXN", "NOK",
    "NZD", "PLN", "SEK", "SGD", "TRY", "USD", "ZAR",
)  # fmt: skip
_OWN_NETWORKS = {
    "ADA": "cardano", "ALGO": "algorand", "APT": "aptos", "ATOM": "cosmos", "BCH": "bitcoin-cash", "BNB": "bsc",
    "BTC": "bitcoin", "DOGE": "dogecoin", "DOT": "polkadot", "ETC": "ethereum-classic", "ETH": "ethereum",
    "FIL": "filecoin", "HBAR": "hedera", "ICP": "internet-computer", "KAS": "kaspa", "KSM": "kusama",
    "LTC": "litecoin", "NEAR": "near", "POL": "polygon", "SOL": "solana", "SUI": "sui", "TIA": "celestia",
    "TON": "ton", "TRX": "tron", "XLM": "stellar", "XMR": "monero", "XRP": "xrp", "XTZ": "tezos", "ZEC": "zcash",
}  # fmt: skip
"""Where a coin is whose component names no network. Of other coins only the asset is known: `*`."""


class _Component(Struct, frozen=True, gc=False):
    name: str
    status: str
    group: bool = False


def rail_of(name: str) -> Rail | None:
    """The rail a component's name tells, as ZRX on ethereum for `0x (ZRX) - Ethereum`; None where it tells none."""
    found = _NAME.fullmatch(name) if len(name) <= LONGEST_RAW and name.isprintable() else None
    if found is None:
        return None
    asset, place = found[1].upper(), _TOKEN_THERE.sub("", found[2] or "").lower()
    if asset in _FIAT or place in _NO_NETWORK:
        return None
    network = _network(place) if place else _OWN_NETWORKS.get(asset, "*")
    return Rail(asset, network) if len(network) <= LONGEST_NAME else None


def _network(place: str) -> str:
    return our_network(place.replace(" - ", " "))


def listed(components: Sequence[Raw]) -> Listed:
    """`components` of a `summary.json`. One that cannot be read, or says a word we do not know, is a flaw of its asset.

    Raises `RemoteError` (schema) for more than a hundred flaws, or when more than half are no components at all.
    """
    read = rows(components, _Component, asset="name", path="$.components")
    flaws = [Flaw(flaw.detail, rail.asset) for flaw in read.flaws if (rail := rail_of(flaw.asset)) is not None]
    flaws += [flaw for flaw in read.flaws if not flaw.asset]
    readings: list[RailReading] = []
    for component in read.good:
        rail = None if component.group else rail_of(component.name)
        if rail is None:
            continue
        state = _STATES.get(component.status)
        if state is None:
            word = component.status[:40]
            flaws.append(Flaw(f"{component.name}: unknown status {word!r} - at `$.components[...].status`", rail.asset))
            continue
        raw = component.name if state is RailState.OPEN else f"{component.name}: {component.status}"
        readings.append(RailReading(rail.asset, rail.network, Direction.WITHDRAWAL, state, raw))
        readings.append(RailReading(rail.asset, rail.network, Direction.DEPOSIT, state, raw))
    if len(flaws) > MOST_FLAWS:
        raise RemoteError(FailureReason.SCHEMA, f"{len(flaws)} of {len(components)} components; {flaws[0].detail}")
    return Listed(readings, flaws)
