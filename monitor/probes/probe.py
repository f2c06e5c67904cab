"""The seam of everything that looks at the world."""

from typing import Protocol

from monitor.model import Reading


class Probe(Protocol):
    """A way of looking. It holds what it must remember to tell a change."""

    name: str  # unique, as in "kraken-assets"; the journal's `probe`
    exchange: str  # "" for the world
    interval: float  # clock seconds from one look to the next

    async def observe(self) -> Reading:
        """Look once: the observations of one moment, a `ListRead` last.

        Their `at` is the clock's time when the answer had been read. Raises `RemoteError` where nothing was seen.
        """
        ...
