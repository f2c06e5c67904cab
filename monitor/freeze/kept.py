"""What a client keeps on disk: the last snapshot, the deltas after it, and when the gate was last heard."""

import os
import struct
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

_LENGTH = struct.Struct(">Q")


class KeptError(Exception):
    """A file is there and cannot be read."""


class Noted(Struct, frozen=True):
    at: datetime
    answer: bytes  # the gate's, signed: what it had said was past is believed on its word alone


class Kept:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._noted = file.with_name(file.name + ".heard")
        self._waiting: list[bytes] = []

    @property
    def is_behind(self) -> bool:
        """What could not be written waits: nothing is left out, or a later life would believe that it has it."""
        return bool(self._waiting)

    def bodies(self) -> Iterator[bytes]:
        """The snapshot and the deltas after it. One that a crash cut off is left out. Raises KeptError."""
        try:
            body = self._file.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            raise KeptError(f"{self._file}: {error.strerror}") from error
        start = 0
        while start + _LENGTH.size <= len(body):
            end = start + _LENGTH.size + _LENGTH.unpack_from(body, start)[0]
            if end > len(body):
                break
            yield body[start + _LENGTH.size : end]
            start = end
        if start < len(body):
            try:
                os.truncate(self._file, start)  # what is added next must follow what can be read
            except OSError as error:
                raise KeptError(f"{self._file}: {error.strerror}") from error

    def replace(self, snapshot: bytes) -> None:
        """In place of all there is. Raises OSError; then it is added when that can be done."""
        fresh = self._file.with_name(self._file.name + ".new")
        try:
            with fresh.open("wb") as file:
                file.write(_LENGTH.pack(len(snapshot)))
                file.write(snapshot)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._file)
        except OSError:
            self._waiting.append(snapshot)
            raise
        self._waiting.clear()

    def add(self, body: bytes) -> None:
        """After all there is. Raises OSError; then it is added when that can be done."""
        self._waiting.append(body)
        self.catch_up()

    def catch_up(self) -> None:
        """Write what waits, all or nothing. Raises OSError."""
        left = memoryview(b"".join(_LENGTH.pack(len(body)) + body for body in self._waiting))
        with self._file.open("ab", buffering=0) as file:
            size = file.tell()
            try:
                while left:
                    left = left[file.write(left) :]
                os.fsync(file.fileno())
            except OSError:
                file.truncate(size)
                raise
        self._waiting.clear()

    def note(self, at: datetime, answer: bytes) -> None:
        """Raises OSError."""
        fresh = self._noted.with_name(self._noted.name + ".new")
        fresh.write_bytes(msgspec.json.encode(Noted(at, answer)))
        fresh.replace(self._noted)

    def noted(self) -> Noted | None:
        try:
            return msgspec.json.decode(self._noted.read_bytes(), type=Noted)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            raise KeptError(f"{self._noted}: {error}") from error
