"""Entries about money for tests: balances, flows, prices, exposures, one exchange and a few coins."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Literal

import tests.journals as j
from monitor.engine.engine import Engine
from monitor.model import (
    ChainState,
    ConfigApplied,
    Exposure,
    Flow,
    Judging,
    Observation,
    Price,
    PublishedReserve,
    RailTerms,
    Reorg,
    ReserveBalance,
    Transition,
)

EXCHANGE = "examplex"
FLOWS, RESERVES, LIST, ACCOUNT = "examplex-flows", "examplex-reserves", "examplex-api", "examplex-account"
PROBES = (FLOWS, RESERVES, LIST, ACCOUNT)
SOURCES = ("kraken", "coinbase", "bitstamp")


def balance(
    minute: float,
    amount: float,
    *,
    asset: str = "ETH",
    network: str = "ethereum",
    role: Literal["hot", "cold"] | None = None,
    wallets: int = 5,
    read: int | None = None,
) -> ReserveBalance:
    return ReserveBalance(
        at=j.at(minute),
        exchange=EXCHANGE,
        probe=RESERVES,
        asset=asset,
        network=network,
        role=role,
        amount=Decimal(str(amount)),
        height=1000 + int(minute),
        wallets=wallets,
        wallets_read=wallets if read is None else read,
    )


def hot(minute: float, amount: float, *, asset: str = "ETH", network: str = "ethereum") -> ReserveBalance:
    return balance(minute, amount, asset=asset, network=network, role="hot")


def flow(
    minute: float,
    outflow: float,
    *,
    inflow: float = 0,
    asset: str = "ETH",
    network: str = "ethereum",
    seconds: float = 60.0,
    blocks: tuple[int, int] | None = None,
    internal: float = 0,
    cold: float = 0,
) -> Flow:
    """One block a minute, where no others are told."""
    first, last = blocks if blocks is not None else (1000 + int(minute), 1000 + int(minute))
    return Flow(
        at=j.at(minute),
        exchange=EXCHANGE,
        probe=FLOWS,
        asset=asset,
        network=network,
        window_seconds=float(seconds),
        inflow=Decimal(str(inflow)),
        outflow=Decimal(str(outflow)),
        internal=Decimal(str(internal)),
        cold_outflow=Decimal(str(cold)),
        from_height=first,
        to_height=last,
    )


def flowing(minutes: range, outflow: float, *, asset: str = "ETH", network: str = "ethereum") -> list[Observation]:
    return [flow(minute, outflow, asset=asset, network=network) for minute in minutes]


def reorg(minute: float, first: int, *, network: str = "ethereum", probe: str = FLOWS) -> Reorg:
    return Reorg(
        at=j.at(minute),
        exchange=EXCHANGE,
        probe=probe,
        network=network,
        from_height=first,
        old_hash="0xa",
        new_hash="0xb",
    )


def prices(minute: float, usd: float, *, asset: str = "ETH", sources: Sequence[str] = SOURCES) -> list[Observation]:
    return [
        Price(at=j.at(minute), probe=f"prices-{source}", asset=asset, usd=Decimal(str(usd)), source=source)
        for source in sources
    ]


def priced(minutes: Iterable[float], usd: float, *, asset: str = "ETH") -> list[Observation]:
    return [price for minute in minutes for price in prices(minute, usd, asset=asset)]


def mine(minute: float, amount: float, *, asset: str = "ETH", probe: str = ACCOUNT) -> Exposure:
    return Exposure(at=j.at(minute), exchange=EXCHANGE, probe=probe, asset=asset, amount=Decimal(str(amount)))


def terms(minute: float, *, asset: str = "ETH", network: str = "ethereum", remaining: float | None = None) -> RailTerms:
    return RailTerms(
        at=j.at(minute),
        exchange=EXCHANGE,
        probe=LIST,
        asset=asset,
        network=network,
        remaining=Decimal(str(remaining)) if remaining is not None else None,
    )


def published(minute: float, amount: float, *, asset: str = "ETH", source: str = "page") -> PublishedReserve:
    return PublishedReserve(
        at=j.at(minute),
        exchange=EXCHANGE,
        probe=LIST,
        asset=asset,
        amount=Decimal(str(amount)),
        as_of=j.at(minute),
        source=source,
    )


def chain(minute: float, state: Literal["moving", "stalled"], *, network: str = "ethereum") -> ChainState:
    return ChainState(at=j.at(minute), probe=f"{network}-state", network=network, state=state, height=1000)


def judged_by(
    minute: float,
    *,
    probes: Sequence[str] = PROBES,
    own_tokens: tuple[str, ...] = (),
    stuck_usd: float = 100_000.0,
    exchange: str = EXCHANGE,
) -> ConfigApplied:
    config = Judging(
        watched={exchange: ()},
        intervals=dict.fromkeys(probes, 60.0),
        own_tokens={EXCHANGE: own_tokens},
        stuck_usd=stuck_usd,
    )
    return ConfigApplied(at=j.at(minute), probe="config", config=config, sha256=str(minute))


def in_order(*parts: Iterable[Observation]) -> list[Observation]:
    return sorted((entry for part in parts for entry in part), key=lambda entry: entry.at)


def read_by(entries: Sequence[Observation]) -> Engine:
    """The exchange's engine after these entries; it was written down and restored before the last of them."""
    *most, last = entries
    engine = Engine.fresh(EXCHANGE)
    for entry in most:
        engine.apply(entry)
    restored = Engine.restore(engine.checkpoint())
    for each in (engine, restored):
        each.apply(last)
    assert (engine.checkpoint(), engine.view()) == (restored.checkpoint(), restored.view())
    return restored


def told(entries: Iterable[Observation]) -> list[Transition]:
    """What the exchange's engine says of these entries."""
    engine = Engine.fresh(EXCHANGE)
    return [output for entry in entries for output in engine.apply(entry) if type(output) is Transition]


def said(entries: Iterable[Observation]) -> list[str]:
    return [f"{t.transition} {t.kind} {t.severity}" for t in told(entries)]
