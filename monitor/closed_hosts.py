"""Hosts that told us to stop, on disk as soon as they can be written: a restart is not to ask them sooner."""

import structlog

from monitor.model import Closure
from monitor.store.step import UnavailableError
from monitor.store.store import Store

log = structlog.get_logger()


class ClosedHosts:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._unkept: dict[tuple[str, int], Closure] = {}

    async def remember(self, closure: Closure) -> None:
        """On disk when this returns, if anything can be written now."""
        self._unkept[closure.host, closure.port] = closure
        await self.keep()

    async def keep(self) -> None:
        """Write what could not be written before."""
        for place, closure in list(self._unkept.items()):
            try:
                await self._store.keep_closure(closure)
            except UnavailableError as error:
                log.debug("closure_not_kept", host=closure.host, detail=str(error))
                return
            if self._unkept.get(place) is closure:
                del self._unkept[place]
