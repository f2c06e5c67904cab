"""Who paid, how fast, what left: figures of an exchange over a period, from what was recorded. None is not known."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median

from msgspec import Struct

from monitor.model import ExchangeState
from monitor.report.period import Period
from monitor.report.recorder import seconds_in
from monitor.report.series import Left, Paid, Stand, Track, Turn


class Pause(Struct, frozen=True):
    """The longest time in which nothing was sent although it was looked."""

    begin: datetime
    seconds: float


class Payments(Struct, frozen=True, kw_only=True):
    """On all networks together. Rates are transactions a minute, per minute that was looked at."""

    sent: int
    rate: float | None
    rate_before: float | None  # in the time shown before the period
    pause: Pause | None
    networks: dict[str, int]


class Change(Struct, frozen=True, kw_only=True):
    """What became of an asset on a network over the period, in coins."""

    asset: str
    network: str
    begin: Decimal | None
    end: Decimal | None
    inflow: Decimal | None
    outflow: Decimal | None
    cold: Decimal | None
    usd: Decimal | None  # price of one, at the end

    @property
    def change(self) -> Decimal | None:
        return self.end - self.begin if self.begin is not None and self.end is not None else None

    @property
    def share(self) -> float | None:
        """Of what there was at the beginning."""
        return float(self.change / self.begin) if self.change is not None and self.begin else None

    @property
    def net(self) -> Decimal | None:
        return self.inflow - self.outflow if self.inflow is not None and self.outflow is not None else None

    @property
    def worth(self) -> Decimal | None:
        """What the change is worth, in US dollars."""
        moved = self.change if self.change is not None else self.net
        return moved * self.usd if moved is not None and self.usd is not None else None


class Figures(Struct, frozen=True, kw_only=True):
    """One exchange over the period."""

    exchange: str
    title: str
    seconds: dict[ExchangeState, float]
    turns: tuple[Turn, ...]  # within the period, with the state at its beginning
    payments: Payments
    waits: tuple[float, ...]  # seconds of the withdrawals of one's own that were paid
    queue_oldest: float | None
    changes: tuple[Change, ...]
    left_cold: tuple[Left, ...]
    cold_is_told: bool

    @property
    def wait(self) -> float | None:
        return median(self.waits) if self.waits else None


def figures(track: Track, period: Period) -> Figures:
    return Figures(
        exchange=track.exchange,
        title=track.title,
        seconds={state: seconds_in(track, state, period) for state in ExchangeState},
        turns=tuple(_turns(track, period)),
        payments=_payments(track, period),
        waits=tuple(each.seconds for each in track.waited if period.covers(each.at)),
        queue_oldest=track.queue_oldest,
        changes=tuple(_changes(track, period)),
        left_cold=tuple(left for left in track.left_cold if period.covers(left.at)),
        cold_is_told=track.cold_is_told,
    )


def all_networks(track: Track) -> dict[int, Paid]:
    """What an exchange paid on all networks, by place on the grid."""
    together: dict[int, Paid] = {}
    for networks in track.paid.values():
        for place, paid in networks.items():
            at = together.setdefault(place, Paid())
            at.outgoing += paid.outgoing
            at.seconds = max(at.seconds, paid.seconds)
    return dict(sorted(together.items()))


def held_at(stands: Sequence[Stand], at: datetime) -> Decimal | None:
    """The last that was read until then."""
    return next((stand.amount for stand in reversed(stands) if stand.at <= at), None)


def _turns(track: Track, period: Period) -> Iterable[Turn]:
    standing = [turn for turn in track.turns if turn.at < period.begin]
    within = [turn for turn in track.turns if period.covers(turn.at)]
    return [*standing[-1:], *within]


def _payments(track: Track, period: Period) -> Payments:
    together = all_networks(track)
    within = {place: paid for place, paid in together.items() if _is_within(place, period)}
    before = [paid for place, paid in together.items() if period.moment(place + 1) <= period.begin]
    networks = {
        network: round(sum(paid.outgoing for place, paid in places.items() if _is_within(place, period)))
        for network, places in sorted(track.paid.items())
    }
    return Payments(
        sent=sum(networks.values()),
        rate=_rate(within.values()),
        rate_before=_rate(before),
        pause=_pause(within, period),
        networks=networks,
    )


def _is_within(place: int, period: Period) -> bool:
    return period.begin <= period.moment(place) < period.end


def _rate(paid: Iterable[Paid]) -> float | None:
    steps = list(paid)
    seconds = sum(each.seconds for each in steps)
    return 60 * sum(each.outgoing for each in steps) / seconds if seconds > 0 else None


def _pause(paid: dict[int, Paid], period: Period) -> Pause | None:
    longest: Pause | None = None
    begin: int | None = None
    last: int | None = None
    for place, each in paid.items():
        if each.outgoing > 0 or (last is not None and place != last + 1):
            begin = None
        if each.outgoing == 0 and each.seconds > 0:
            begin = place if begin is None else begin
            lasted = (place + 1 - begin) * period.step.total_seconds()
            if longest is None or lasted > longest.seconds:
                longest = Pause(period.moment(begin), lasted)
        last = place
    return longest


def _changes(track: Track, period: Period) -> Iterable[Change]:
    for asset, network in sorted({*track.held, *track.moved}):
        stands = track.held.get((asset, network), [])
        moved = track.moved.get((asset, network), {})
        within = [each for place, each in moved.items() if _is_within(place, period)]
        prices = track.last.usd if track.last is not None else {}
        yield Change(
            asset=asset,
            network=network,
            begin=held_at(stands, period.begin + timedelta(minutes=1)),
            end=held_at(stands, period.end),
            inflow=sum((each.inflow for each in within), Decimal(0)) if within else None,
            outflow=sum((each.outflow for each in within), Decimal(0)) if within else None,
            cold=sum((each.cold for each in within), Decimal(0)) if within and track.cold_is_told else None,
            usd=prices.get(asset),
        )
