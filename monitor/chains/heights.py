"""The greatest height met of late: an endpoint that is below it has not caught up."""

from monitor.clock import Clock

FORGET_HEIGHT_SECONDS = 120.0  # one false height must not blind us; an old head is refused for its age anyway


class Height:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._height = 0
        self._at = 0.0  # on the monotonic clock

    def now(self) -> int:
        """0 where none was met in the last two minutes."""
        return self._height if self._clock.monotonic() - self._at < FORGET_HEIGHT_SECONDS else 0

    def raise_to(self, height: int) -> None:
        if height >= self.now():
            self._height, self._at = height, self._clock.monotonic()
