"""How an observation becomes a row: what names its series goes into `series`, the rest into a MessagePack body.

The body is an array and not columns: there is one insert path for every kind, a kind gains fields (at its end, with
a default) without a migration, and what rows are looked up by is in `series`.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import Struct

from monitor.model import (
    ChainState,
    Command,
    ConfigApplied,
    Control,
    Delivery,
    EntryRefused,
    Exposure,
    Flow,
    FreezeActivated,
    ListRead,
    MaintenanceWindow,
    Mentions,
    Observation,
    Observed,
    Price,
    ProbeFailure,
    PublishedReserve,
    RailStatus,
    RailTerms,
    Reorg,
    ReserveBalance,
    Statement,
    SystemStatus,
    Tick,
    TradeActivity,
    Verdict,
    WalletActivity,
    WalletUsage,
    WithdrawalQueue,
    WithdrawalSample,
)
from monitor.store.schema import microseconds, moment

KEYS: dict[type[Observation], tuple[str, ...]] = {
    RailStatus: ("asset", "network", "direction", "source"),
    ListRead: (),
    RailTerms: ("asset", "network"),
    SystemStatus: ("component", "source"),
    TradeActivity: ("market",),
    WalletActivity: ("network", "wallet"),
    WalletUsage: ("network", "address"),
    WithdrawalQueue: ("asset", "network"),
    ReserveBalance: ("asset", "network", "role"),
    PublishedReserve: ("asset", "source"),
    Exposure: ("asset",),
    Statement: ("source",),
    MaintenanceWindow: ("source",),
    Flow: ("asset", "network"),
    Reorg: ("network",),
    ChainState: ("network",),
    Price: ("asset", "source"),
    Mentions: ("query",),
    WithdrawalSample: ("asset", "network"),
    ProbeFailure: (),
    Control: (),
    FreezeActivated: (),
    Command: (),
    Delivery: (),
    ConfigApplied: (),
    Tick: (),
    Verdict: (),
    EntryRefused: (),
}
"""Fields that name a series, by kind. These and the order of the others are the format on disk: a change migrates."""


class Series(Struct, frozen=True):
    """A stream of observations that differ in `at` and body only. `keys` are the values of `KEYS`."""

    kind: str
    exchange: str
    probe: str
    vantage: str
    keys: tuple[str | None, ...]


class Cell(Struct, frozen=True):
    """An observation as it is stored, except that its series is not interned."""

    at: int
    series: Series
    body: bytes


class SeriesDecoder(Struct, frozen=True):
    """Makes observations of what is common to all of a series and of their bodies."""

    type: type[Observation]
    common: dict[str, object]
    body: tuple[str, ...]

    def decode(self, at: int, body: bytes) -> Observation:
        """The observation that was encoded. Raises `msgspec.MsgspecError` for a body that is none of its kind."""
        fields = self.common.copy()
        fields["at"] = moment(at)
        # A body from before a field was added is shorter, and the field takes its default.
        fields.update(zip(self.body, _DECODER.decode(body), strict=False))
        return msgspec.convert(fields, type=self.type)


class _Layout(Struct, frozen=True):
    type: type[Observation]
    tag: str
    keys: tuple[str, ...]
    body: tuple[str, ...]
    get_keys: Callable[[Observation], tuple[str | None, ...]]
    get_body: Callable[[Observation], tuple[object, ...]]


def _layout(kind: type[Observation], keys: tuple[str, ...]) -> _Layout:
    elsewhere = {*Observed.__struct_fields__, *keys}
    body = tuple(name for name in kind.__struct_fields__ if name not in elsewhere)
    return _Layout(
        type=kind,
        tag=str(kind.__struct_config__.tag),
        keys=keys,
        body=body,
        get_keys=_values(keys),
        get_body=_values(body),
    )


def _values(names: tuple[str, ...]) -> Callable[[Observation], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda observation: tuple([getattr(observation, name) for name in names])


_BY_TYPE: dict[type[Observation], _Layout] = {kind: _layout(kind, keys) for kind, keys in KEYS.items()}
_BY_TAG: dict[str, _Layout] = {layout.tag: layout for layout in _BY_TYPE.values()}
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[object])


def tag_of(kind: type[Observation]) -> str:
    """The `kind` of the journal line."""
    return _BY_TYPE[kind].tag


def encode(observation: Observation) -> Cell:
    layout = _BY_TYPE[type(observation)]
    series = Series(
        layout.tag, observation.exchange, observation.probe, observation.vantage, layout.get_keys(observation)
    )
    return Cell(microseconds(observation.at), series, _ENCODER.encode(layout.get_body(observation)))


def decoder(series: Series) -> SeriesDecoder:
    """Raises KeyError for a kind that this version does not know."""
    layout = _BY_TAG[series.kind]
    common: dict[str, object] = {
        "exchange": series.exchange,
        "probe": series.probe,
        "vantage": series.vantage,
        **dict(zip(layout.keys, series.keys, strict=True)),
    }
    return SeriesDecoder(layout.type, common, layout.body)
