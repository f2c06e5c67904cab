"""One's own withdrawals as a read-only key tells them: what waits, what the last one took, what failed.

They are shown and judge nothing; what waits on an account that its owner froze would be no sign of anything anyway.
"""

from msgspec import Struct

from monitor.model import WithdrawalSample

DAY = 86_400.0
RETOLD_SECONDS = 8 * DAY  # a probe that starts again tells what is a week old once more


class Samples(Struct):
    """Of one probe on one rail."""

    read_at: float = 0.0
    waiting: int = 0
    waiting_at: float = 0.0  # the reading that told so: what waits is in each
    oldest_seconds: float = 0.0
    is_frozen: bool = False  # all that wait do so because the account's owner froze it
    took_seconds: float | None = None
    took_at: float | None = None
    failed: dict[float, float] = {}  # how long it had waited -> when it was first told

    def hear(self, sample: WithdrawalSample, at: float) -> None:
        self.read_at = max(self.read_at, at)
        match sample.state:
            case "pending" | "frozen":
                self._wait(sample, at)
            case "sent" | "confirmed":
                self.took_seconds, self.took_at = sample.elapsed_seconds, at
            case "failed":
                self.failed = {key: first for key, first in self.failed.items() if at - first <= RETOLD_SECONDS}
                self.failed.setdefault(sample.elapsed_seconds, at)

    def failed_lately(self, now: float) -> int:
        return sum(now - first <= DAY for first in self.failed.values())

    def _wait(self, sample: WithdrawalSample, at: float) -> None:
        is_frozen = sample.state == "frozen"
        if at > self.waiting_at:
            self.waiting, self.waiting_at, self.oldest_seconds, self.is_frozen = 0, at, 0.0, True
        if at == self.waiting_at:
            self.waiting += 1
            self.oldest_seconds = max(self.oldest_seconds, sample.elapsed_seconds)
            self.is_frozen = self.is_frozen and is_frozen
