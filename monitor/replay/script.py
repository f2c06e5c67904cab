"""The story that `cexwatch demo` tells, as a function of time.

It is a reconstruction from the published times of 3 and 4 February 2026: a large exchange paid nobody from about
02:19 to 02:39 UTC, said so at 02:36, and then reserves rose by 0.6 % during a campaign to withdraw everything. The
campaign is moved close behind the halt, the delay of the flags and the backlog are assumed, and the words are ours.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from monitor.model import Stage

START = datetime(2026, 2, 3, 2, 9, tzinfo=UTC)

HALTED_AFTER = timedelta(minutes=10)
FLAGS_OFF_AFTER = timedelta(minutes=16)
OFFICIAL_AFTER = timedelta(minutes=27)
RESUMED_AFTER = timedelta(minutes=30)
DRAINED_AFTER = timedelta(minutes=35)
CAMPAIGN_AFTER = timedelta(minutes=45)
ENDS_AFTER = timedelta(minutes=90)

RESERVE_RISE = 0.006


class Phase(StrEnum):
    NORMAL = "normal"
    HALTED = "halted"
    BACKLOG = "backlog"
    CAMPAIGN = "campaign"


PAYMENT_FACTORS = {Phase.NORMAL: 1.0, Phase.HALTED: 0.0, Phase.BACKLOG: 2.5, Phase.CAMPAIGN: 3.0}


class IncidentUpdate(Struct, frozen=True, kw_only=True):
    """What the exchange wrote on its status page."""

    at: datetime
    stage: Stage
    text: str


class Script(Struct, frozen=True, kw_only=True):
    """What is so at any moment of a story that begins at `start` (aware, UTC)."""

    start: datetime = START

    @property
    def halted_at(self) -> datetime:
        """The last payment is before this."""
        return self.start + HALTED_AFTER

    @property
    def flags_off_at(self) -> datetime:
        return self.start + FLAGS_OFF_AFTER

    @property
    def official_at(self) -> datetime:
        """The first word on the status page."""
        return self.start + OFFICIAL_AFTER

    @property
    def resumed_at(self) -> datetime:
        return self.start + RESUMED_AFTER

    @property
    def drained_at(self) -> datetime:
        """The backlog is paid out and the status page says resolved."""
        return self.start + DRAINED_AFTER

    @property
    def campaign_at(self) -> datetime:
        return self.start + CAMPAIGN_AFTER

    @property
    def ends_at(self) -> datetime:
        """From here on everything is quiet; reserves stay where they are."""
        return self.start + ENDS_AFTER

    def phase(self, at: datetime) -> Phase:
        if self.halted_at <= at < self.resumed_at:
            return Phase.HALTED
        if self.resumed_at <= at < self.drained_at:
            return Phase.BACKLOG
        if self.campaign_at <= at < self.ends_at:
            return Phase.CAMPAIGN
        return Phase.NORMAL

    def payment_factor(self, at: datetime) -> float:
        """Outgoing payments against the usual rate, the same on every network."""
        return PAYMENT_FACTORS[self.phase(at)]

    def withdrawals_open(self, at: datetime) -> bool:
        """What the coin list says of rails that are not closed at rest. Deposits are never closed by the story."""
        return not self.flags_off_at <= at < self.resumed_at

    def reserve_factor(self, at: datetime) -> float:
        """Reserves against those at the start: they rise evenly through the campaign."""
        progress = (at - self.campaign_at) / (self.ends_at - self.campaign_at)
        return 1.0 + RESERVE_RISE * min(1.0, max(0.0, progress))

    def updates(self, at: datetime) -> tuple[IncidentUpdate, ...]:
        """Everything written on the status page until then, newest first as a page shows it."""
        written = (
            IncidentUpdate(at=self.official_at, stage=Stage.INVESTIGATING, text=INVESTIGATING_TEXT),
            IncidentUpdate(at=self.resumed_at, stage=Stage.IDENTIFIED, text=IDENTIFIED_TEXT),
            IncidentUpdate(at=self.drained_at, stage=Stage.RESOLVED, text=RESOLVED_TEXT),
        )
        return tuple(update for update in reversed(written) if update.at <= at)


INVESTIGATING_TEXT = (
    "We are aware of some technical difficulties affecting withdrawals and are looking into them. "
    "Deposits and trading run as usual."
)
IDENTIFIED_TEXT = "We have found what held withdrawals up. Payments are going out again, the oldest requests first."
RESOLVED_TEXT = "All waiting withdrawals have been sent, and new ones leave as usual."
