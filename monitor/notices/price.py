"""What a post at X costs, so that whoever approves a link knows that it makes the post thirteen times as dear."""

from decimal import Decimal

from monitor.notices.weight import LINK

POST = Decimal("0.015")
POST_WITH_LINK = Decimal("0.200")
"""US dollars, https://docs.x.com/x-api/getting-started/pricing."""


def price_of(text: str) -> Decimal:
    """US dollars for a post of this text. What may be a link counts as one."""
    return POST_WITH_LINK if LINK.search(text) else POST
