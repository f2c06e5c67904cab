"""A dead man's switch: somebody outside hears from us while we truly watch, and raises the alarm when we are silent.

A process whose loop turns is not enough: the pipeline commits, sources are read, and pages arrive.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

import structlog
from msgspec import Struct

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import RemoteError

log = structlog.get_logger()

SECONDS = 10.0  # real ones


class Pulse(Struct, frozen=True, kw_only=True):
    """How we are. `turns` is False where nothing can be said for sure, or only just begins: then we are silent."""

    turns: bool
    trouble: str = ""  # why we cannot do our work although we turn


class Heartbeat:
    """`beaten` is told when a beat arrived that said that all is well, or None for one that did not arrive."""

    def __init__(
        self,
        http: Http,
        url: str,
        clock: Clock,
        *,
        feel: Callable[[], Awaitable[Pulse]],
        beaten: Callable[[datetime | None], None],
        allow_private: bool,
    ) -> None:
        self._http = http
        self._url = url
        self._clock = clock
        self._feel = feel
        self._beaten = beaten
        self._allow_private = allow_private
        self._trouble = ""
        self._is_failing = False

    async def beat(self) -> None:
        """One beat: to the URL where all is well, to its `/fail` where we turn and cannot do our work."""
        pulse = await self._feel()
        if not pulse.turns:
            return
        if pulse.trouble != self._trouble:
            self._trouble = pulse.trouble
            log.warning("heartbeat_says", trouble=pulse.trouble or "none any more")
        url = failing(self._url) if pulse.trouble else self._url
        body = (pulse.trouble or "watching").encode()
        try:
            await self._http.post(
                url, body, headers={"Content-Type": "text/plain"}, allow_private=self._allow_private, timeout=SECONDS
            )
        except RemoteError as error:
            self._beaten(None)
            if not self._is_failing:
                log.warning("heartbeat_not_sent", reason=error.reason, detail=error.detail)
            self._is_failing = True
            return
        self._is_failing = False
        if not pulse.trouble:
            self._beaten(self._clock.now())


def failing(url: str) -> str:
    """Where a failure is told, as healthchecks.io has it: below the same address."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/fail"))
