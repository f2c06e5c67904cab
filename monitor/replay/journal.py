"""The journal as a file: JSON Lines, one observation a line, `kind` tells the type (docs/journal.md)."""

from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import msgspec

from monitor.model import Entry, EntryRefused, Observation

CHUNK_BYTES = 2**20


class JournalError(Exception):
    """A line that is no journal entry: says where, and what was expected."""


def read_entries(path: Path) -> Iterator[Entry]:
    """The entries of a journal file in order, numbered from 1 by line.

    Raises JournalError at the first line that cannot be read, OSError where the file cannot.
    """
    decoder = msgspec.json.Decoder(Observation)
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.isspace():
                continue
            try:
                yield Entry(number, decoder.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise JournalError(f"{path}:{number} expected one journal entry as JSON: {error}") from error


def count_lines(path: Path) -> int:
    """Roughly how many entries a file has, for a bar. Raises OSError."""
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in takewhile(bool, iter(lambda: file.read(CHUNK_BYTES), None)))


def write_line(observation: Observation) -> bytes:
    return msgspec.json.encode(observation) + b"\n"


def refusals(path: Path) -> set[tuple[int, str]]:
    """Which entries, by line, an engine could not take when the journal was written, and which engine."""
    decoder = msgspec.json.Decoder(EntryRefused)
    found = set()
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if b'"entry_refused"' in line[:24]:
                try:
                    refused = decoder.decode(line)
                    found.add((refused.seq, refused.exchange))
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise JournalError(f"{path}:{number} expected an entry_refused as JSON: {error}") from error
    return found
