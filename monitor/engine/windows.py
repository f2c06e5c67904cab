"""Maintenance that was announced beforehand: current and coming windows. They change no verdict."""

from collections.abc import Sequence

from monitor.model import MaintenanceWindow

MOST = 200


def announce(windows: Sequence[MaintenanceWindow], new: MaintenanceWindow, now: float) -> list[MaintenanceWindow]:
    """The windows that are not over, the next one first. One of the same probe, beginning and scope replaces its former
    self; with an end that has passed it is taken back.
    """
    others = [each for each in windows if _key(each) != _key(new)]
    to_come = [each for each in (*others, new) if each.ends_at.timestamp() > now and each.ends_at > each.starts_at]
    return sorted(to_come, key=lambda each: (each.starts_at, each.ends_at, each.probe, each.scope))[:MOST]


def _key(window: MaintenanceWindow) -> tuple[object, ...]:
    return window.probe, window.starts_at, window.scope
