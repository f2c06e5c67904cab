"""What the daemon does while most sleep: forgetting readings that are too old, and copying the database."""

from collections.abc import Callable

import structlog

from monitor.clock import Clock
from monitor.config import Retention
from monitor.metrics import Metrics
from monitor.store.backup import BackupError
from monitor.store.store import Store

log = structlog.get_logger(__name__)


class Nightly:
    """`retention` answers what is configured now: a reload changes it."""

    def __init__(self, store: Store, *, retention: Callable[[], Retention], clock: Clock, metrics: Metrics) -> None:
        self._store = store
        self._retention = retention
        self._clock = clock
        self._metrics = metrics

    async def run(self) -> None:
        """Copy first: what is forgotten tonight is in the copy still."""
        retention = self._retention()
        await self._back_up(retention.backups)
        deleted = await self._store.prune(before=self._clock.now() - retention.observations)
        log.info("pruned", readings=deleted)

    async def _back_up(self, keep: int) -> None:
        if keep == 0:
            return
        try:
            copy = await self._store.back_up(now=self._clock.now(), keep=keep)
        except BackupError as error:
            log.warning("no_backup", detail=str(error))
            self._metrics.backup_failed()
            return
        if copy is not None:
            self._metrics.backed_up(self._clock.now())
            log.info("backed_up", file=str(copy))
