"""One's own withdrawals as the exchange tells them to a read-only key: how long they wait, and whether they arrive."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Literal, TypeVar

from msgspec import Struct

from monitor.clock import Clock
from monitor.model import FailureReason, ListRead, Reading, RemoteError, WithdrawalSample
from monitor.probes.answer import Endpoint, shortened

RECENT_SECONDS = 7 * 86_400.0
"""What was requested before, and is over, is not told."""

K = TypeVar("K")
V = TypeVar("V")

WithdrawalState = Literal["pending", "sent", "confirmed", "failed"]


class Withdrawal(Struct, frozen=True, kw_only=True):
    """`sent`: it has a transaction. `finished_at`: when it left, or failed, where the exchange tells."""

    id: str
    asset: str
    network: str
    state: WithdrawalState
    requested_at: datetime
    finished_at: datetime | None = None


def state_of(states: Mapping[K, V], word: K) -> V:
    """What the exchange's word for a withdrawal's state means. Raises `RemoteError` (schema) for one unknown to us."""
    try:
        return states[word]
    except KeyError as error:
        told = shortened(f"unknown state of a withdrawal: {word!r}")
        raise RemoteError(FailureReason.SCHEMA, told) from error


class HistoryProbe:
    """Tells a withdrawal when its state changes, and at every reading while it is pending. What was over at the first
    reading is told only where the exchange says when it ended.

    On an account that its owner froze until `frozen_until`, what waits is `frozen`: no sign of a halt.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        clock: Clock,
        *,
        exchange: str,
        name: str,
        interval: float,
        decode: Callable[[bytes], list[Withdrawal]],
        frozen_until: datetime | None = None,
    ) -> None:
        self.name = name
        self.exchange = exchange
        self.interval = interval
        self._endpoint = endpoint
        self._clock = clock
        self._decode = decode
        self._frozen_until = frozen_until
        self._told: dict[str, Withdrawal] | None = None

    async def observe(self) -> Reading:
        answer = await self._endpoint.fetch()
        at = self._clock.now()
        withdrawals = await self._endpoint.read(answer, self._decode)
        told = self._told
        kept = {name: each for name, each in (told or {}).items() if _is_recent(each, at)}
        self._told = kept | {each.id: each for each in withdrawals}
        samples = (
            self._sample(each, at)
            for each in sorted(withdrawals, key=lambda each: (each.requested_at, each.id))
            if each.state == "pending" or _is_news(each, told, at)
        )
        return (*samples, ListRead(at=at, exchange=self.exchange, probe=self.name, rails=0, changed=0))

    def _sample(self, withdrawal: Withdrawal, at: datetime) -> WithdrawalSample:
        is_waiting = withdrawal.state == "pending"
        is_frozen = is_waiting and self._frozen_until is not None and at < self._frozen_until.astimezone(UTC)
        until = at if is_waiting or withdrawal.finished_at is None else withdrawal.finished_at
        return WithdrawalSample(
            at=at,
            exchange=self.exchange,
            probe=self.name,
            asset=withdrawal.asset,
            network=withdrawal.network,
            state="frozen" if is_frozen else withdrawal.state,
            elapsed_seconds=max(0.0, (until - withdrawal.requested_at).total_seconds()),
        )


def _is_news(withdrawal: Withdrawal, told: Mapping[str, Withdrawal] | None, at: datetime) -> bool:
    if not _is_recent(withdrawal, at):
        return False
    if told is None:
        return withdrawal.finished_at is not None
    before = told.get(withdrawal.id)
    return before is None or before.state != withdrawal.state


def _is_recent(withdrawal: Withdrawal, at: datetime) -> bool:
    return (at - withdrawal.requested_at).total_seconds() <= RECENT_SECONDS
