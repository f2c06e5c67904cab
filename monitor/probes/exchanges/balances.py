"""What an account holds, out of rows that tell it by wallet, and by what is free and what is not."""

from collections.abc import Iterable
from decimal import Context, Decimal

from monitor.model import FailureReason, RemoteError
from monitor.probes.answer import shortened
from monitor.probes.figures import MOST_COINS, MOST_DIGITS

_NOTHING = Decimal(0)
_EXACT = Context(prec=MOST_DIGITS)


def held(parts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """The sum of an asset's parts, each in whole coins.

    Raises `RemoteError` (schema) for a part that is no amount: what is added to it could look like one.
    """
    total: dict[str, Decimal] = {}
    for asset, part in parts:
        if not _is_amount(part):
            raise RemoteError(FailureReason.SCHEMA, shortened(f"it holds an amount of {asset} that is none"))
        total[asset] = _EXACT.add(total.get(asset, _NOTHING), part)
    return total


def _is_amount(part: Decimal) -> bool:
    return part.is_finite() and 0 <= part < MOST_COINS and len(part.as_tuple().digits) <= MOST_DIGITS
