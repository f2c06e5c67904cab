"""Maintenances that a status page has scheduled, as windows: known by their start and what they are about."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta, Struct

from monitor.model import MaintenanceWindow
from monitor.probes.figures import refuse_odd
from monitor.probes.status_rails import rail_of
from monitor.probes.wording import plain

MOST_IN_SCOPE = 1_000
LONGEST_NAME = 200

_AHEAD = ("scheduled", "in_progress", "verifying")

_Time = Annotated[datetime, Meta(tz=True)]


class _Affected(Struct, frozen=True):
    name: str
    group: bool = False


class Maintenance(Struct, frozen=True):
    id: str
    name: str
    status: str
    scheduled_for: _Time
    scheduled_until: _Time
    components: list[_Affected] = []

    def __post_init__(self) -> None:
        refuse_odd(self.scheduled_for)
        refuse_odd(self.scheduled_until)

    @property
    def window(self) -> "_Window":
        return _Window(self.scheduled_for.astimezone(UTC), self.scheduled_until.astimezone(UTC), _scope(self))


class _Window(Struct, frozen=True):
    starts_at: datetime
    ends_at: datetime
    scope: tuple[str, ...]


class Maintenances:
    """Tells each window when it is first seen and when its times or scope change.

    One that is over, or gone from the page, before its time is told once more with the same start and scope, and the
    present as its end: before its start, that is a window that was called off. So is a former window, before the one
    that replaces it with another start or scope. What lasts longer than was said is not told: the window had ended.
    """

    def __init__(self, *, exchange: str, probe: str) -> None:
        self._exchange = exchange
        self._probe = probe
        self._told: dict[str, _Window] = {}

    def told(self, at: datetime, maintenances: Sequence[Maintenance]) -> Iterator[MaintenanceWindow]:
        before = self._told
        self._told = {each.id: each.window for each in maintenances if each.status in _AHEAD}
        for name, window in before.items():
            after = self._told.get(name)
            is_same = after is not None and (after.starts_at, after.scope) == (window.starts_at, window.scope)
            if not is_same and at < window.ends_at:
                yield self._line(at, _Window(window.starts_at, at, window.scope))
        for name, window in self._told.items():
            if before.get(name) != window:
                yield self._line(at, window)

    def _line(self, at: datetime, window: _Window) -> MaintenanceWindow:
        return MaintenanceWindow(
            at=at,
            exchange=self._exchange,
            probe=self._probe,
            starts_at=window.starts_at,
            ends_at=window.ends_at,
            scope=window.scope,
        )


def _scope(maintenance: Maintenance) -> tuple[str, ...]:
    """The rails among the components as `asset@network`, the others by name; its own name where it has none."""
    names = {str(rail_of(each.name) or each.name) if not each.group else each.name for each in maintenance.components}
    return tuple(sorted(plain(name)[:LONGEST_NAME] for name in names or {maintenance.name})[:MOST_IN_SCOPE])
