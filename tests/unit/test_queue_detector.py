"""The operator's queue with windows that overlap, as Prometheus gives them: how long one waits, and what is a halt."""

import pytest

from monitor.engine.detectors.queue import Queue, QueueMemory
from monitor.model import WithdrawalQueue
from tests import journals as j

POLL_SECONDS = 15.0
WINDOW_SECONDS = 120.0


def judged(rows: list[tuple[int, int, float | None]], *, window: float = WINDOW_SECONDS) -> list[bool]:
    """Whether each reading of (requested, broadcast, oldest_seconds) leaves a halt."""
    queue = Queue(QueueMemory())
    halted = []
    for number, (requested, broadcast, oldest) in enumerate(rows):
        at = number * POLL_SECONDS
        seen = WithdrawalQueue(
            at=j.at(at / 60),
            exchange="examplex",
            probe="examplex-queue",
            asset="BTC",
            network="bitcoin",
            requested=requested,
            broadcast=broadcast,
            pending=requested - broadcast,
            oldest_seconds=oldest,
            window_seconds=window,
        )
        queue.observe(seen, at)
        halted.append(bool(queue.findings()))
    return halted


def halted_after(rows: list[tuple[int, int, float | None]], **window: float) -> float | None:
    """Seconds from the first row to the halt; None where there is none."""
    halted = judged(rows, **window)
    return halted.index(True) * POLL_SECONDS if True in halted else None


QUIET = (0, 0, None)


@pytest.mark.parametrize(
    ("rows", "seconds"),
    [
        pytest.param([QUIET, (1, 0, 3.0)], None, id="one requested three seconds ago is no halt"),
        pytest.param([(1, 0, 3.0)], None, id="nor in the first reading"),
        pytest.param([(1, 0, None)] * 3, None, id="nor when its age is not told"),
        pytest.param([QUIET, *[(1, 0, None)] * 10], 120.0, id="two minutes after none waited, its age not told"),
        pytest.param(
            [QUIET, *[(1, 0, 3.0 + 15 * n) for n in range(10)]], 135.0, id="two minutes after it was requested"
        ),
        pytest.param(
            [(8, 8, None)] * 4 + [(8, 0, 130.0)], 60.0, id="a whole window without one, the oldest older than it"
        ),
        pytest.param([QUIET, *[(1, 0, None)] * 5, (2, 1, None), (1, 0, 4.0)], None, id="one was broadcast meanwhile"),
        pytest.param(
            [(2, 1, None), *[(1, 0, 2.0 + 15 * n) for n in range(3)]], None, id="the paid one left the window first"
        ),
    ],
)
def test_when_waiting_is_a_halt(rows: list[tuple[int, int, float | None]], seconds: float | None) -> None:
    assert halted_after(rows) == seconds


def test_overlapping_windows_do_not_count_a_withdrawal_twice() -> None:
    memory = QueueMemory()
    queue = Queue(memory)
    for number in range(12):
        seen = WithdrawalQueue(
            at=j.at(number / 4),
            exchange="examplex",
            probe="examplex-queue",
            asset="BTC",
            network="bitcoin",
            requested=6 if number else 0,
            broadcast=0,
            pending=6 if number else 0,
            window_seconds=WINDOW_SECONDS,
        )
        queue.observe(seen, number * POLL_SECONDS)
    [finding] = queue.findings()
    assert finding.evidence[0].value == "6 requested, 0 broadcast"
