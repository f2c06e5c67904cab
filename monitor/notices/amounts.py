"""What moved, in figures that a text and its linter have in common."""

from decimal import Decimal

from monitor.notices.facts import Money, Moved, plain

DOLLARS = "USD"
_SCALES = ((Decimal(10) ** 9, "bn"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 3, "k"))
ASSET_WEIGHT = 12


def received(money: Money) -> str:
    return ", ".join(_shown(moved, moved.received) for moved in money.moved)


def sent(money: Money) -> str:
    return ", ".join(_shown(moved, moved.sent) for moved in money.moved)


def net(money: Money) -> str:
    """With its sign: "+$3.1M", "-331 BTC, +12 ETH"."""
    return ", ".join(_signed(moved, moved.received - moved.sent) for moved in money.moved)


def _signed(moved: Moved, amount: Decimal) -> str:
    sign = "-" if amount < 0 else "+"
    return sign + _shown(moved, abs(amount))


def _shown(moved: Moved, amount: Decimal) -> str:
    if moved.asset == DOLLARS:
        return _dollars(amount)
    return f"{_coins(amount)} {plain(moved.asset, weight=ASSET_WEIGHT)}"


def _dollars(usd: Decimal) -> str:
    for scale, word in _SCALES:
        if usd >= scale * Decimal("0.9995"):
            return f"${usd / scale:,.1f}{word}"
    return f"${usd:,.0f}"


def _coins(amount: Decimal) -> str:
    if amount >= 1000:
        return f"{amount:,.0f}"
    return f"{amount:.4f}".rstrip("0").rstrip(".")
