"""Whether the daemon lives: the event loop turns, and every task still comes round.

A task that died in silence, or waits for ever, shows in nothing else. Time counts only while the loop turns: who was
stopped with the whole process is not silent for that.
"""

import asyncio
import faulthandler
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import structlog
from msgspec import Struct

log = structlog.get_logger()

PERIODS = 3  # that a task may be silent for
LEAST_SECONDS = 30.0  # real ones, as are all here: a machine that is busy for a moment is not to be restarted for it
TURN_SECONDS = 1.0  # what the loop was away for beyond that is counted for nobody
STALL_SECONDS = 1.0  # a look that fails while the loop stands still so long fails for us
DUMP_SECONDS = 2.0
REMEMBERED = 100


class _Sign(Struct):
    at: float
    patience: float


class Life:
    """Made in a running loop, and told of its turns some times a second."""

    def __init__(self) -> None:
        self._turned_at: float | None = None  # a start is no stall
        self._turning = 0.0  # seconds in which the loop turned
        self._stalls: deque[float] = deque(maxlen=REMEMBERED)  # when each was over
        self._expected: dict[str, asyncio.Task[None]] = {}
        self._signs: dict[str, _Sign] = {}
        self._missed: list[str] = []  # told already

    def turn(self) -> None:
        """The loop turns. Where it does not for `DUMP_SECONDS`, the stack of every thread goes to standard error.

        A thread of the interpreter's own writes it, which tells of C code too; it shows lines, and no values.
        """
        now = asyncio.get_running_loop().time()
        seconds = 0.0 if self._turned_at is None else now - self._turned_at
        self._turned_at = now
        self._turning += min(seconds, TURN_SECONDS)
        if seconds >= STALL_SECONDS:
            self._stalls.append(now)
            log.warning("loop_stood_still", seconds=round(seconds, 1))
        faulthandler.dump_traceback_later(DUMP_SECONDS, file=sys.__stderr__ or sys.stderr)

    def stop(self) -> None:
        """No stack is written any more."""
        faulthandler.cancel_dump_traceback_later()

    def stood_still(self, began: float) -> bool:
        """Whether the loop stood still after `began`, or is only now about to notice that it did."""
        now = asyncio.get_running_loop().time()
        is_late = self._turned_at is not None and now - self._turned_at >= STALL_SECONDS
        return is_late or any(over > began for over in self._stalls)

    def expect(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        """They are to go on until they are forgotten."""
        self._expected |= {task.get_name(): task for task in tasks}

    def forget(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        """They are about to be ended on purpose."""
        for task in tasks:
            self._expected.pop(task.get_name(), None)
            self._signs.pop(task.get_name(), None)

    @contextmanager
    def turn_of(self, name: str, *, period: float, longest: float) -> Iterator[None]:
        """A turn of a task, which may last `longest`; the next one is after a `period`."""
        self._signs[name] = _Sign(self._turning, max(longest + period, LEAST_SECONDS))
        yield
        self._signs[name] = _Sign(self._turning, max(PERIODS * period, LEAST_SECONDS))

    def silent(self) -> list[str]:
        """The tasks that have ended, or have not been heard of for too long."""
        ended = [name for name, task in self._expected.items() if task.done()]
        mute = [name for name, sign in self._signs.items() if self._turning - sign.at > sign.patience]
        found = list(dict.fromkeys([*ended, *mute]))
        if found != self._missed:
            log.error("tasks_are_silent", tasks=found)
        self._missed = found
        return found
