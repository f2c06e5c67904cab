"""Work on the network that a person waits for, and may stop waiting for."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """As `asyncio.run`, but Ctrl-C ends it at once: the kernel may give the signal to a thread that resolves names.

    Then Python runs the handler of `asyncio.run` when the loop wakes up next, which can be a time-out later. A handler
    of the loop's own has a wake-up file. Raises KeyboardInterrupt.
    """
    try:
        return asyncio.run(_interruptible(work))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _interruptible(work: Coroutine[Any, Any, _T]) -> _T:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is not None:
        loop.add_signal_handler(signal.SIGINT, task.cancel)
    return await work
