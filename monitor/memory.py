"""How the C library keeps memory that was freed.

Left alone, glibc learns from the first large body that large blocks are common and cuts the next ones out of its heaps.
What lies between them keeps those from ever shrinking, and each thread may have a heap of its own. Large blocks are to
be given back to the system at once.
"""

import contextlib
import ctypes

LARGE_BYTES = 128 * 1024
HEAPS = 2

_M_MMAP_THRESHOLD = -3  # as malloc.h numbers them
_M_ARENA_MAX = -8


def give_back() -> None:
    """For the rest of this process. Another C library than glibc is left as it is."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        return
    mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
    mallopt(_M_ARENA_MAX, HEAPS)


async def trim() -> None:
    """Give the system back what is free between what is held; a few milliseconds. Heaps shrink at their ends only."""
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
