"""What is drawn: series on a period's grid, as plain numbers. A gap in what was read is a gap in a series."""

from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from monitor.model import ExchangeState, ExchangeView
from monitor.model.view import StatisticState, StatisticView


class Point(Struct, frozen=True):
    """A statistic as it stood."""

    at: datetime
    shown: StatisticView


class Statistic(Struct):
    """One statistic of a detector over the period, oldest first."""

    detector: str
    subject: str
    points: list[Point] = []

    def states(self) -> set[StatisticState]:
        return {point.shown.state for point in self.points}

    def is_news(self) -> bool:
        """It fired, or nearly."""
        return not self.states().isdisjoint({StatisticState.FIRING, StatisticState.SUSPICIOUS})


class Paid(Struct):
    """Transactions that a network paid out in one step of the grid, and the seconds that were looked at."""

    outgoing: float = 0.0
    seconds: float = 0.0


class Moved(Struct):
    """Coins that came and left in one step of the grid, without what moved inside."""

    inflow: Decimal = Decimal(0)
    outflow: Decimal = Decimal(0)
    cold: Decimal = Decimal(0)


class Left(Struct, frozen=True, kw_only=True):
    """Coins that left cold wallets in one reading."""

    at: datetime
    exchange: str
    asset: str
    network: str
    amount: Decimal
    blocks: str  # "900,120 to 900,121", "" where they are not told
    probe: str


class Stand(Struct, frozen=True):
    """What an exchange's wallets held of an asset on a network at a time, in coins."""

    at: datetime
    amount: Decimal


class Turn(Struct, frozen=True):
    """From when on an exchange was in a state, and why."""

    at: datetime
    state: ExchangeState
    reason: str


class Waiting(Struct, frozen=True):
    """A withdrawal of one's own that was paid: how long it took."""

    at: datetime
    asset: str
    network: str
    seconds: float


class Track(Struct):
    """Everything of one exchange that is drawn or counted."""

    exchange: str
    title: str
    turns: list[Turn] = []
    sampled: list[datetime] = []
    statistics: dict[tuple[str, str], Statistic] = {}
    paid: dict[str, dict[int, Paid]] = {}  # network -> place on the grid
    moved: dict[tuple[str, str], dict[int, Moved]] = {}  # (asset, network) -> place on the grid
    held: dict[tuple[str, str], list[Stand]] = {}
    left_cold: list[Left] = []
    cold_is_told: bool = False  # some reading tells what left cold wallets, even if it was nothing
    waited: list[Waiting] = []
    queue_oldest: float | None = None  # seconds, the operator's own queue at its worst
    last: ExchangeView | None = None
