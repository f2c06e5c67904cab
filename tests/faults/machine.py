"""A daemon on a troubled machine, and what can befall it: a full disk, a locked database, a stopped process."""

import os
import resource
import signal
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path

from monitor.clock import Clock
from tests.end_to_end.daemon import Daemon, started
from tests.faults.troubled import PIPE


@asynccontextmanager
async def troubled(config: Path, clock: Clock) -> AsyncIterator[Daemon]:
    """Run the daemon of `config` on a clock that agrees with `clock`, and obeys `order`."""
    arguments = [str(config), str(clock.speed), Clock().now().isoformat(), clock.now().isoformat()]
    async with started(["-m", "tests.faults.troubled", *arguments], config.parent) as running:
        yield running


def order(folder: Path, said: str) -> None:
    descriptor = os.open(folder / PIPE, os.O_WRONLY)
    os.write(descriptor, f"{said}\n".encode())
    os.close(descriptor)


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Somebody else holds the database, as a careless backup does."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=10)) as backup:
        backup.execute("BEGIN EXCLUSIVE")
        yield
        backup.execute("ROLLBACK")


@contextmanager
def no_file_may_grow(pid: int) -> Iterator[None]:
    """What a quota is to a process: whatever it writes beyond a page of a file is refused."""
    _soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, hard))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Not a byte is left there."""
    filler = disk / "filler"
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT)
    with suppress(OSError):
        while True:
            os.write(descriptor, bytes(4096))
    os.close(descriptor)
    yield
    filler.unlink()


@contextmanager
def small_disk(folder: Path, *, mebibytes: int) -> Iterator[bool]:
    """A file system of that size at `folder`; False where this user may not make one."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(folder)]
    is_mounted = subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603
    try:
        yield is_mounted
    finally:
        if is_mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S603, S607


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
