"""Maintenance that was announced beforehand: current and coming windows, and which rails they excuse.

A window excuses a rail that goes off within it, if it was told before that: what is announced once the rails are off is
no schedule. One that a person told ends when it ends; one that the exchange announced excuses some minutes longer.
"""

from collections.abc import Collection, Mapping, Sequence

from msgspec.structs import replace

from monitor.engine.instants import next_of
from monitor.model import MaintenanceWindow, Rail
from monitor.model.scope import covers

MOST = 200
EARLY_SECONDS = 600.0  # many close a while before the time they named
GRACE_SECONDS = 600.0  # their ends are round figures, and a reopening is believed after three polls


def announce(windows: Sequence[MaintenanceWindow], new: MaintenanceWindow, now: float) -> list[MaintenanceWindow]:
    """The windows that are not over, the next one first. One of the same probe, beginning and scope replaces its former
    self, and has been known since that was; with an end that has passed it is taken back.
    """
    others = [each for each in windows if _key(each) != _key(new)]
    known = [each.at for each in windows if _key(each) == _key(new) and each.ends_at.timestamp() > now]
    kept = replace(new, at=min([*known, new.at]))
    to_come = [each for each in (*others, kept) if each.ends_at.timestamp() > now and each.ends_at > each.starts_at]
    return sorted(to_come, key=lambda each: (each.starts_at, each.ends_at, each.probe, each.scope))[:MOST]


def planned(
    windows: Sequence[MaintenanceWindow], rail: Rail, *, off_at: float, is_known: bool
) -> MaintenanceWindow | None:
    """The maintenance within which a rail went off, the last to end; None where none was announced.

    `is_known`: it was seen to go off at `off_at`. What was off at the first look may have been announced long before.
    """
    named = [
        window
        for window in windows
        if covers(window.scope, str(rail))
        and window.starts_at.timestamp() - EARLY_SECONDS <= off_at <= window.ends_at.timestamp()
        and (window.at.timestamp() <= off_at or not is_known)
    ]
    return max(named, key=excuses_until, default=None)


def grace(window: MaintenanceWindow) -> float:
    return 0.0 if window.actor else GRACE_SECONDS


def excuses_until(window: MaintenanceWindow) -> float:
    return window.ends_at.timestamp() + grace(window)


def planned_networks(windows: Sequence[MaintenanceWindow], watched: Collection[Rail], now: float) -> dict[str, float]:
    """Networks all of which is in maintenance now, with when the last window needed for that was told."""
    current = [w for w in windows if w.starts_at.timestamp() - EARLY_SECONDS <= now < excuses_until(w)]
    if not current:
        return {}
    rails: dict[str, list[str]] = {}
    for rail in watched:
        rails.setdefault(rail.network, []).append(str(rail))
    told: dict[str, float] = {}
    for network, named in sorted(rails.items()):
        needed = [_told_at(current, item) for item in named]
        whole = _told_at(current, f"*@{network}")
        at = whole if whole is not None else _last(needed)
        if at is not None:
            told[network] = at
    return told


def excused(
    windows: Sequence[MaintenanceWindow], waiting: Mapping[Rail, float], now: float
) -> dict[Rail, MaintenanceWindow]:
    """Of rails that stopped paying at a time, those that did within maintenance that is not over."""
    found = {rail: planned(windows, rail, off_at=at, is_known=True) for rail, at in waiting.items()}
    return {rail: window for rail, window in found.items() if window is not None and now < excuses_until(window)}


def next_turn(windows: Sequence[MaintenanceWindow], now: float) -> float:
    """When the next window begins or ends."""
    return next_of([time for w in windows for time in (w.starts_at.timestamp(), excuses_until(w))], now)


def _told_at(windows: Sequence[MaintenanceWindow], item: str) -> float | None:
    return min((window.at.timestamp() for window in windows if covers(window.scope, item)), default=None)


def _last(times: Sequence[float | None]) -> float | None:
    """None where one is missing."""
    known = [time for time in times if time is not None]
    return max(known) if known and len(known) == len(times) else None


def _key(window: MaintenanceWindow) -> tuple[object, ...]:
    return window.probe, window.starts_at, window.scope
