"""Maintenance that was announced beforehand: current and coming windows, and which rails they excuse.

A window excuses a rail that goes off within it, if it was told before that: what is announced once the rails are off is
no schedule. It excuses them until some minutes after its end.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from monitor.model import MaintenanceWindow, Rail

MOST = 200
EARLY_SECONDS = 600.0  # many close a while before the time they named
GRACE_SECONDS = 600.0  # ends are round figures, and a reopening is believed after three polls


def announce(windows: Sequence[MaintenanceWindow], new: MaintenanceWindow, now: float) -> list[MaintenanceWindow]:
    """The windows that are not over, the next one first. One of the same probe, beginning and scope replaces its former
    self, and has been known since that was; with an end that has passed it is taken back.
    """
    others = [each for each in windows if _key(each) != _key(new)]
    known = [each.at for each in windows if _key(each) == _key(new) and each.ends_at.timestamp() > now]
    kept = replace(new, at=min([*known, new.at]))
    to_come = [each for each in (*others, kept) if each.ends_at.timestamp() > now and each.ends_at > each.starts_at]
    return sorted(to_come, key=lambda each: (each.starts_at, each.ends_at, each.probe, each.scope))[:MOST]


def planned_until(windows: Sequence[MaintenanceWindow], rail: Rail, *, off_at: float, is_known: bool) -> float | None:
    """When the maintenance ends within which a rail went off; None where none was announced.

    `is_known`: it was seen to go off at `off_at`. What was off at the first look may have been announced long before.
    """
    ends = [
        window.ends_at.timestamp()
        for window in windows
        if _names(window, rail)
        and window.starts_at.timestamp() - EARLY_SECONDS <= off_at <= window.ends_at.timestamp()
        and (window.at.timestamp() <= off_at or not is_known)
    ]
    return max(ends, default=None)


def _names(window: MaintenanceWindow, rail: Rail) -> bool:
    return not {"*", f"*@{rail.network}", f"{rail.asset}@*", str(rail)}.isdisjoint(window.scope)


def _key(window: MaintenanceWindow) -> tuple[object, ...]:
    return window.probe, window.starts_at, window.scope
