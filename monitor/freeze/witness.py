"""A second copy of the ledger as a plain file, on another disk if one is given: what tells that the first one was
lost, rolled back or altered, and from which it is made whole again.

A frame is its length, a checksum and a row. What a crash cut off at its end is dropped: the
database was written before and has it, or has lost it and says so.
"""

import errno
import fcntl
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from monitor.freeze.entry import Row

_HEAD = struct.Struct(">II")
_LONGEST = 1 << 20
_LENGTHS = struct.Struct(">Q32s")
MAGIC = b"cexwatch freeze witness 1\n"


class InUseError(Exception):
    """Another process serves this ledger."""


class Witness:
    """Open for adding, and locked for everybody else, until it is closed."""

    def __init__(self, path: Path) -> None:
        """Raises InUseError, OSError."""
        self.path = path
        self._pending: list[bytes] = []
        self._open()

    def _open(self) -> None:
        self._file = self.path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise InUseError(f"{self.path} is in use: another freeze gate runs on it") from error

    @property
    def behind(self) -> int:
        """Batches that could not be written yet."""
        return len(self._pending)

    def add(self, rows: Sequence[Row]) -> None:
        """Write and sync. Raises OSError; what could not be written is written before what comes next."""
        if rows:
            self._pending.append(b"".join(map(_frame, rows)))
        size = os.fstat(self._file.fileno()).st_size
        try:
            while self._pending:
                size += self._write((MAGIC if size == 0 else b"") + self._pending[0])
                del self._pending[0]
        except OSError:
            os.ftruncate(self._file.fileno(), size)
            raise

    def _write(self, data: bytes) -> int:
        written = os.write(self._file.fileno(), data)
        if written < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(self._file.fileno())
        return written

    def cut(self, size: int) -> None:
        """Drop what lies behind `size`: the frame that a crash cut off."""
        os.ftruncate(self._file.fileno(), size)
        os.fsync(self._file.fileno())

    def put_aside(self, name: str) -> None:
        """Go on with an empty file; the former one lies beside it as `name`."""
        former = self._file
        self.path.rename(self.path.with_name(name))
        self._open()
        former.close()
        synced(self.path.parent)

    def close(self) -> None:
        self._file.close()


class Read(msgspec.Struct, frozen=True):
    """What a witness holds up to `size`; behind it, unless it `is_whole`, lies a frame that cannot be read."""

    rows: int
    size: int
    is_whole: bool


def frames(path: Path) -> Iterator[Row | Read]:
    """Every row that can be read, and last what became of the file. Raises OSError."""
    rows, size = 0, 0
    with path.open("rb") as file:
        total = os.fstat(file.fileno()).st_size
        if total and file.read(len(MAGIC)) == MAGIC:
            size = len(MAGIC)
            for row, length in _rows(file):
                rows, size = rows + 1, size + length
                yield row
    yield Read(rows, size, size == total)


def _rows(file: BinaryIO) -> Iterator[tuple[Row, int]]:
    while len(head := file.read(_HEAD.size)) == _HEAD.size:
        length, checksum = _HEAD.unpack(head)
        body = file.read(length) if _LENGTHS.size <= length <= _LONGEST else b""
        if len(body) != length or zlib.crc32(body) != checksum:
            return
        seq, digest = _LENGTHS.unpack_from(body)
        yield Row(seq, body[_LENGTHS.size :], digest), _HEAD.size + length


def remains(path: Path) -> list[Row]:
    """Every row that can be read, also those behind a place that cannot. Raises OSError."""
    body = memoryview(path.read_bytes())
    rows, start = [], 0
    while start + _HEAD.size <= len(body):
        length, checksum = _HEAD.unpack_from(body, start)
        frame = body[start + _HEAD.size : start + _HEAD.size + length]
        if _LENGTHS.size <= length <= _LONGEST and len(frame) == length and zlib.crc32(frame) == checksum:
            seq, digest = _LENGTHS.unpack_from(frame)
            rows.append(Row(seq, bytes(frame[_LENGTHS.size :]), digest))
            start += _HEAD.size + length
        else:
            start += 1
    return rows


def synced(folder: Path) -> None:
    """What was renamed or made in the folder stays so after a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _frame(row: Row) -> bytes:
    body = _LENGTHS.pack(row.seq, row.digest) + row.body
    return _HEAD.pack(len(body), zlib.crc32(body)) + body
