"""How often somebody may ask for what costs nothing to refuse: at most so many times a minute by name."""

from collections import deque

from monitor.clock import Clock

_NAMES = 50_000


class Sparing:
    def __init__(self, a_minute: int, *, clock: Clock) -> None:
        self._a_minute = a_minute
        self._clock = clock
        self._asked: dict[bytes | str, deque[float]] = {}

    def wait(self, name: bytes | str) -> float:
        """Counts; seconds until it would be allowed, 0.0 where it is now."""
        now = self._clock.monotonic()
        if len(self._asked) > _NAMES:
            self._asked = {each: times for each, times in self._asked.items() if times[-1] > now - 60}
            if len(self._asked) > _NAMES:  # more names than a limit by name can hold back
                self._asked = {}
        times = self._asked.setdefault(name, deque(maxlen=self._a_minute))
        if len(times) == self._a_minute and times[0] > now - 60:
            return times[0] + 60 - now
        times.append(now)
        return 0.0
