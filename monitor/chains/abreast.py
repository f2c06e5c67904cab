"""Many questions to one endpoint that takes no batches: some at a time, and an answer that fails is missing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from itertools import islice
from typing import TypeVar

from monitor.model import RemoteError

AT_ONCE = 8

K = TypeVar("K")
T = TypeVar("T")


async def abreast(keys: Iterable[K], ask: Callable[[K], Awaitable[T]]) -> dict[K, T]:
    """What `ask` tells of each of `keys`; a key for which it raises `RemoteError` is missing.

    Raises `RemoteError` where none of those asked together was answered: the endpoint is then of no use.
    """
    answers: dict[K, T] = {}
    failures: list[RemoteError] = []

    async def note(key: K) -> None:
        try:
            answers[key] = await ask(key)
        except RemoteError as error:
            failures.append(error)

    left = iter(keys)
    while together := list(islice(left, AT_ONCE)):
        failures.clear()
        async with asyncio.TaskGroup() as tasks:
            for key in together:
                tasks.create_task(note(key))
        if len(failures) == len(together):
            raise failures[0]
    return answers
