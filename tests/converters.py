"""Captures of endpoints that exchanges have retired, as journal entries. Only tests read these shapes."""

from collections.abc import Iterable
from datetime import datetime
from typing import Generic, Literal, TypeVar

import msgspec
from msgspec import Struct

from monitor.model import Entry, ListRead, Observation, RailStatus
from monitor.probes.networks import our_network
from monitor.probes.rails import Listed, RailReading, deposit, withdrawal

T = TypeVar("T")


class _Enveloped(Struct, Generic[T], frozen=True):
    data: list[T]


class _KucoinCoin(Struct, frozen=True, rename="camel"):
    currency: str
    is_withdraw_enabled: bool
    is_deposit_enabled: bool


class _GateRow(Struct, frozen=True):
    currency: str
    withdraw_disabled: bool
    deposit_disabled: bool
    chain: str | None = None


class _BitgetChain(Struct, frozen=True):
    chain: str
    withdrawable: Literal["true", "false"]
    rechargeable: Literal["true", "false"]


class _BitgetCoin(Struct, frozen=True, rename="camel"):
    coin_name: str
    chains: list[_BitgetChain]


def kucoin_v1(body: bytes) -> Listed:
    """`GET /api/v1/currencies`: one flag a coin, whatever the network."""
    coins = msgspec.json.decode(body, type=_Enveloped[_KucoinCoin]).data
    return Listed(
        [
            reading
            for coin in coins
            for reading in _both(coin.currency, None, out=coin.is_withdraw_enabled, in_=coin.is_deposit_enabled)
        ]
    )


def gate_single_chain(body: bytes) -> Listed:
    """`GET /api/v4/spot/currencies` as it was: a row a coin and chain, named `USDT_TRX`."""
    return Listed(
        [
            reading
            for row in msgspec.json.decode(body, type=list[_GateRow])
            for reading in _both(
                row.currency.removesuffix(f"_{row.chain}"),
                row.chain,
                out=not row.withdraw_disabled,
                in_=not row.deposit_disabled,
            )
        ]
    )


def bitget_v1(body: bytes) -> Listed:
    """`GET /api/spot/v1/public/currencies`: as v2, with the coin under another name."""
    coins = msgspec.json.decode(body, type=_Enveloped[_BitgetCoin]).data
    return Listed(
        [
            reading
            for coin in coins
            for chain in coin.chains
            for reading in _both(
                coin.coin_name, chain.chain, out=chain.withdrawable == "true", in_=chain.rechargeable == "true"
            )
        ]
    )


def _both(asset: str, chain: str | None, *, out: bool, in_: bool) -> tuple[RailReading, RailReading]:
    network, word = ("*", "*") if chain is None else (our_network(chain), chain)
    return (
        withdrawal(asset, network, word, closed="" if out else "off"),
        deposit(asset, network, word, closed="" if in_ else "off"),
    )


def journal(readings: Iterable[RailReading], *, exchange: str, probe: str, at: datetime) -> list[Entry]:
    """The first reading of a list as a journal holds it: every rail, `list_read` last, numbered from 1."""
    rails = [
        RailStatus(
            at=at,
            exchange=exchange,
            probe=probe,
            asset=reading.asset,
            network=reading.network,
            direction=reading.direction,
            state=reading.state,
            raw=reading.raw,
        )
        for reading in readings
    ]
    done = ListRead(at=at, exchange=exchange, probe=probe, rails=len(rails), changed=len(rails))
    lines: list[Observation] = [*rails, done]
    return [Entry(seq, line) for seq, line in enumerate(lines, start=1)]
