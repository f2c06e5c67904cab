"""Windows of the configuration as journal entries: told ahead, once, and taken back where it has changed.

The calendar stays out of the engines: what they judge by is in the journal, whatever a zone's rules become later.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from monitor.config import Config
from monitor.config.maintenance import AHEAD, occurrences
from monitor.model import ExchangeView, MaintenanceWindow, Source
from monitor.model.maintenance import window_id

PROBE = "maintenance"
ACTOR = "configuration"


def windows(config: Config, now: datetime) -> Iterator[MaintenanceWindow]:
    """What the configuration plans from now on, as far ahead as it is told."""
    for rule in config.maintenance:
        for found in occurrences(rule, begin=now, end=now + AHEAD):
            yield MaintenanceWindow(
                at=now,
                exchange=rule.exchange,
                probe=PROBE,
                starts_at=found.starts_at,
                ends_at=found.ends_at,
                scope=tuple(sorted(rule.scope)),
                source=Source.PERSON,
                name=rule.name,
                actor=ACTOR,
            )


def changes(config: Config, views: Iterable[ExchangeView], now: datetime) -> list[MaintenanceWindow]:
    """What has to be told so that the engines know what the configuration plans: nothing, where they do already."""
    views = list(views)
    planned = {window_id(window): window for window in windows(config, now)}
    known = {shown.id: shown.ends_at for view in views for shown in view.windows if shown.actor == ACTOR}
    called_off = {name for view in views for name in view.called_off}
    new = [w for name, w in planned.items() if name not in called_off and known.get(name) != w.ends_at]
    return [*_taken_back(views, planned, now), *new]


def _taken_back(
    views: Iterable[ExchangeView], planned: dict[str, MaintenanceWindow], now: datetime
) -> Iterator[MaintenanceWindow]:
    for view in views:
        for shown in view.windows:
            if shown.actor == ACTOR and shown.id not in planned and shown.ends_at > now:
                yield MaintenanceWindow(
                    at=now,
                    exchange=view.exchange,
                    probe=PROBE,
                    starts_at=shown.starts_at,
                    ends_at=now,
                    scope=shown.scope,
                    source=Source.PERSON,
                    name=shown.name,
                    actor=ACTOR,
                )
