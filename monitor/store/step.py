"""What is committed: entries with what they caused, and the state of the engines at a place in the journal."""

from datetime import datetime

from msgspec import Struct

from monitor.model import Entry, Output


class StoreError(Exception):
    """The database cannot be used as asked. The text says why and what to do; it holds no password."""


class UnavailableError(StoreError):
    """It cannot be used now, as where the disk is full, somebody locks it or the server is away. It may be later."""


class DamagedError(StoreError):
    """What is in the file is not what was written. Trying again does not help; a start does."""


class Step(Struct, frozen=True):
    """An entry and what it caused, in order."""

    entry: Entry
    outputs: tuple[Output, ...]


class Checkpoint(Struct, frozen=True):
    """The engines after entry `seq`, by exchange ("" is the world, which always has one)."""

    seq: int
    at: datetime
    engines: dict[str, bytes]
