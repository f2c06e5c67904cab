"""What reading X costs, for who decides about it: posts are paid one by one, counts by the request."""

from datetime import timedelta
from decimal import Decimal

from msgspec import Struct

PRICE_OF_A_POST = Decimal("0.005")
PRICE_OF_A_USER = Decimal("0.010")
PRICE_OF_A_COUNT = Decimal("0.005")
"""US dollars, https://docs.x.com/x-api/getting-started/pricing: posts and users cost when they are returned, so that an
empty answer costs nothing, and counts by the request.

The price of 0.001 for a post is for accounts of the token's own developer; these are others'.
"""
MOST_POSTS = 10
"""Read at a time, the newest; the ceiling of what an account can cost."""
USUAL_POSTS = 20
"""What an exchange's account posts on a day, without replies and reposts; for the estimate only."""
DAY_SECONDS = 86_400.0


class Cost(Struct, frozen=True):
    """US dollars a day: at the usual number of posts, and at most."""

    usual: Decimal
    most: Decimal

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.usual + other.usual, self.most + other.most)

    def __str__(self) -> str:
        return f"about ${self.usual:.2f} a day, at most ${self.most:.2f}"


def cost_per_day(accounts: int, *, interval: timedelta) -> Cost:
    """What reading so many accounts costs, each looked up once and read every `interval`.

    Only what is returned costs, so a shorter interval does not: it only raises the ceiling.
    """
    readings = int(DAY_SECONDS / interval.total_seconds()) + 1
    most = PRICE_OF_A_USER + MOST_POSTS * readings * PRICE_OF_A_POST
    usual = min(most, PRICE_OF_A_USER + USUAL_POSTS * PRICE_OF_A_POST)
    return Cost(accounts * usual, accounts * most)


def count_cost_per_day(queries: int, *, interval: timedelta) -> Cost:
    """What counting so many queries costs: a request each at every `interval`, whatever it finds."""
    cost = queries * int(DAY_SECONDS / interval.total_seconds()) * PRICE_OF_A_COUNT
    return Cost(cost, cost)
