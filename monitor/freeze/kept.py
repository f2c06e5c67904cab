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
            os.truncate(self._file, start)  # what is added next must follow what can be read

    def replace(self, snapshot: bytes) -> None:
        """Raises OSError."""
        fresh = self._file.with_name(self._file.name + ".new")
        with fresh.open("wb") as file:
            file.write(_LENGTH.pack(len(snapshot)))
            file.write(snapshot)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._file)

    def add(self, delta: bytes) -> None:
        """Raises OSError."""
        with self._file.open("ab") as file:
            file.write(_LENGTH.pack(len(delta)) + delta)
            file.flush()
            os.fsync(file.fileno())

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
