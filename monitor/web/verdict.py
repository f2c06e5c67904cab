"""What holds of an exchange now, for who is about to send money: past its time a state is unknown, not the last one."""

from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from monitor.model import ExchangeState, ExchangeView, ExposureView, RailVerdict
from monitor.reserves.exit_words import explain
from monitor.web import phrases


class SourceNow(Struct, frozen=True, kw_only=True):
    probe: str
    last_success: datetime | None
    failing_since: datetime | None
    reason: str  # why it fails


class VerdictNow(Struct, frozen=True, kw_only=True):
    """What `GET /api/v1/exchanges/{x}/verdict` answers; docs/api.md tells the fields."""

    exchange: str
    state: ExchangeState
    since: datetime | None
    stale: bool
    reason: str
    generated_at: datetime
    age_seconds: float | None  # since any source was read last
    valid_until: datetime | None
    sources: tuple[SourceNow, ...]
    stalled_networks: tuple[str, ...]
    exits: tuple[ExposureView, ...]
    exits_in_words: tuple[str, ...]


def is_stale(view: ExchangeView, now: datetime) -> bool:
    return view.valid_until is None or now > view.valid_until


def verdict(view: ExchangeView, now: datetime) -> VerdictNow:
    stale = is_stale(view, now)
    is_lost = stale and view.withdrawals is not ExchangeState.UNKNOWN
    held = exits(view, now)
    return VerdictNow(
        exchange=view.exchange,
        state=ExchangeState.UNKNOWN if stale else view.withdrawals,
        since=view.valid_until if is_lost else view.since,
        stale=stale,
        reason=f"{_why_stale(view, now)}; before that it was {view.withdrawals}" if is_lost else view.reason,
        generated_at=now,
        age_seconds=_age(view, now),
        valid_until=view.valid_until,
        sources=tuple(
            SourceNow(
                probe=probe.probe,
                last_success=probe.last_success_at,
                failing_since=probe.failing_since,
                reason=f"{phrases.blamed(probe.reason)}: {probe.detail}" if probe.failing_since is not None else "",
            )
            for probe in view.probes
        ),
        stalled_networks=view.stalled,
        exits=held,
        exits_in_words=tuple(explain(view.title or view.exchange, held, now=now)) if held else (),
    )


def exits(view: ExchangeView, now: datetime) -> tuple[ExposureView, ...]:
    """The user's own there; all of it unknown where the view says nothing of now."""
    if not is_stale(view, now):
        return view.exposures
    why = _why_stale(view, now)
    return tuple(_unknown(exposure, why) for exposure in view.exposures)


def _unknown(exposure: ExposureView, why: str) -> ExposureView:
    ways = tuple(replace(way, verdict=RailVerdict.UNKNOWN, since=None, limit=None, why=why) for way in exposure.ways)
    return replace(exposure, withdrawable=Decimal(0), stuck=Decimal(0), unknown=exposure.amount, ways=ways, hot=None)


def _why_stale(view: ExchangeView, now: datetime) -> str:
    if view.valid_until is None:
        return "no source that tells was read yet"
    return f"no source that tells was read lately: the last word held until {phrases.clock(view.valid_until, now)}"


def _age(view: ExchangeView, now: datetime) -> float | None:
    read = [probe.last_success_at for probe in view.probes if probe.last_success_at is not None]
    return round(max(timedelta(0), now - max(read)).total_seconds(), 3) if read else None
