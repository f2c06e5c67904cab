"""Amounts as people read them."""

from decimal import Context, Decimal

_CENT = Decimal("0.01")
_SCALES = ((Decimal(10) ** 9, "bn"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 3, "k"))


def dollars(usd: Decimal) -> str:
    """US dollars in three or four figures: $31.2M, $950."""
    for scale, word in _SCALES:
        if abs(usd) >= scale * Decimal("0.9995"):
            return f"${usd / scale:,.1f}{word}"
    return f"${usd:,.0f}"


def coins(amount: Decimal) -> str:
    """Coins without needless digits: 3,100, 12.5, 0.00012."""
    if abs(amount) >= 1000:
        return f"{amount:,.0f}"
    digits = 4 if abs(amount) >= 1 else 8
    text = f"{amount:.{digits}f}"
    return text.rstrip("0").rstrip(".")


def cents(usd: Decimal) -> Decimal:
    """US dollars to the cent, however many."""
    return usd.quantize(_CENT, context=Context(prec=120))
