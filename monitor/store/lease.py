"""The right to write a SQLite database, held as a lock on a file beside it. It ends with its holder."""

import fcntl
import os
from pathlib import Path

from msgspec import Struct

from monitor.store.step import StoreError

# Differs after each start of the machine; systems without it count every end as the process's own.
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Lease(Struct, frozen=True):
    descriptor: int
    is_first: bool  # nobody ever held it
    after_crash: bool  # the machine went down under the last holder, so what it wrote may be torn


def take(database: Path) -> Lease:
    """Raises StoreError if another process, or another Store of this one, holds the lease."""
    is_first = not Path(f"{database}.lock").exists()
    descriptor = os.open(f"{database}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    note = os.pread(descriptor, 200, 0).decode(errors="replace").split()
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        holder = note[0] if note else "unknown"
        raise StoreError(f"another cexwatch runs on this database (pid {holder}): {database}") from error
    boot = _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else "-"
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()} {boot}\n".encode(), 0)
    return Lease(descriptor, is_first=is_first, after_crash=len(note) == 2 and note[1] != boot)


def give_back(lease: Lease) -> None:
    """End in order: the next holder finds no note."""
    os.ftruncate(lease.descriptor, 0)
    os.close(lease.descriptor)


def leave_no_trace(database: Path) -> None:
    """The holder looked, and it was no database of ours."""
    Path(f"{database}.lock").unlink()
