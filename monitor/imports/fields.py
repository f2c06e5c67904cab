"""The fields of a kind of entry, and a text as the value of one."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from types import NoneType
from typing import get_args

import msgspec
from msgspec import NODEFAULT, Struct

from monitor.model import (
    Exposure,
    Flow,
    Mentions,
    Observation,
    Price,
    PublishedReserve,
    RailStatus,
    ReserveBalance,
    Statement,
    SystemStatus,
    TradeActivity,
    WalletActivity,
    WithdrawalQueue,
    WithdrawalSample,
)

Kind = (
    type[Exposure]
    | type[Flow]
    | type[Mentions]
    | type[Price]
    | type[PublishedReserve]
    | type[RailStatus]
    | type[ReserveBalance]
    | type[Statement]
    | type[SystemStatus]
    | type[TradeActivity]
    | type[WalletActivity]
    | type[WithdrawalQueue]
    | type[WithdrawalSample]
)

KINDS: Mapping[str, Kind] = {
    "exposure": Exposure,
    "flow": Flow,
    "mentions": Mentions,
    "price": Price,
    "published_reserve": PublishedReserve,
    "rail_status": RailStatus,
    "reserve_balance": ReserveBalance,
    "statement": Statement,
    "system_status": SystemStatus,
    "trade_activity": TradeActivity,
    "wallet_activity": WalletActivity,
    "withdrawal_queue": WithdrawalQueue,
    "withdrawal_sample": WithdrawalSample,
}
"""What can be imported: readings. Decisions, configurations and verdicts are made by the daemon."""

POSITIVE = ("window_seconds",)
AT_MOST_ONE = ("coverage",)


class FieldError(ValueError):
    """A text that is not a value of its field: what was expected, and what it is."""


class Shape(StrEnum):
    TEXT = "text"
    WHOLE = "a whole number"
    NUMBER = "a number"
    TIME = "a time"


class Field(Struct, frozen=True):
    name: str
    shape: Shape
    exact: bool  # a decimal, never a float
    required: bool
    optional: bool  # may be null: not known


def fields_of(kind: Kind) -> dict[str, Field]:
    """By name, without `at`, which every entry has."""
    found = {}
    for each in msgspec.structs.fields(kind):
        if each.name == "at":
            continue
        choices = [choice for choice in get_args(each.type) if choice is not NoneType] or [each.type]
        optional = NoneType in get_args(each.type)
        required = each.default is NODEFAULT and each.default_factory is NODEFAULT
        found[each.name] = Field(each.name, _shape(choices[0]), choices[0] is Decimal, required, optional)
    return found


def value(field: Field, text: str, *, scale: Decimal, moment: Callable[[str], datetime]) -> object:
    """A text as a value of `field`, times `scale` where it is a number. Raises FieldError."""
    match field.shape:
        case Shape.TEXT:
            return text
        case Shape.TIME:
            return moment(text)
        case Shape.WHOLE:
            found = _number(field, text) * scale
            if found != found.to_integral_value():
                raise FieldError(f"expected a whole number, got {text!r}")
            return int(found)
        case Shape.NUMBER:
            found = _number(field, text) * scale
            return found if field.exact else float(found)


def entry(kind: Kind, values: Mapping[str, object]) -> Observation:
    """Raises FieldError for words that are none of those a field knows, and for what is missing."""
    try:
        return msgspec.convert(values, type=kind)
    except msgspec.ValidationError as error:
        raise FieldError(f"{error}"[0].lower() + f"{error}"[1:]) from error


def missing(fields: Mapping[str, Field], given: Sequence[str]) -> list[str]:
    return [name for name, field in fields.items() if field.required and name not in given]


def _shape(kind: object) -> Shape:
    if kind is int:
        return Shape.WHOLE
    if kind is float or kind is Decimal:
        return Shape.NUMBER
    return Shape.TIME if kind is datetime else Shape.TEXT


def _number(field: Field, text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation as error:
        raise FieldError(f"expected {field.shape}, got {text!r}") from error
    if not found.is_finite():
        raise FieldError(f"expected {field.shape}, got {text!r}")
    if found < 0:
        raise FieldError(f"expected nothing below zero, got {text!r}")
    if field.name in POSITIVE and found == 0:
        raise FieldError(f"expected more than zero, got {text!r}")
    if field.name in AT_MOST_ONE and found > 1:
        raise FieldError(f"expected at most 1, got {text!r}")
    return found
