"""What a client knows to be frozen: a snapshot as it came, and what was added since. Nothing in it becomes earlier."""

from collections.abc import Iterable, Iterator, Sequence

from monitor.freeze.entry import ACCOUNT_BYTES
from monitor.freeze.published import RECORD, NonsenseError, unpacked
from monitor.freeze.state import DRAWERS, drawer

_SIZE = RECORD.size
_NONE = memoryview(b"")


class Known:
    """Accounts and ends, 24 bytes each."""

    def __init__(self, records: memoryview = _NONE) -> None:
        """`records`: a snapshot's. Raises NonsenseError where they are not in order."""
        self._records = records
        self._starts = _starts(records)  # the first record of each drawer
        self._later: dict[bytes, int] = {}

    def __len__(self) -> int:
        """At least so many; one that was frozen for longer since counts twice."""
        return len(self._records) // _SIZE + len(self._later)

    @property
    def added(self) -> int:
        return len(self._later)

    def end(self, account: bytes) -> int:
        """Unix seconds; 0 for an account that is not known."""
        number = drawer(account)
        low, high = self._starts[number], self._starts[number + 1]
        while low < high:
            middle = (low + high) // 2
            found = bytes(self._records[middle * _SIZE : middle * _SIZE + ACCOUNT_BYTES])
            if found == account:
                end = int(RECORD.unpack_from(self._records, middle * _SIZE)[1])
                return max(end, self._later.get(account, 0))
            low, high = (middle + 1, high) if found < account else (low, middle)
        return self._later.get(account, 0)

    def add(self, records: memoryview) -> None:
        for account, end in unpacked(records):
            self._later[account] = max(end, self._later.get(account, 0))

    def keep(self, former: "Known", *, passed: int) -> Iterator[int]:
        """Take over what `former` knows and this does not, unless it is over; yields how many, a drawer at a time, so
        that others may run in between."""
        for number in range(DRAWERS):
            yield self._keep(former.records(number), passed)
        yield self._keep(former.additions(), passed)

    def records(self, number: int) -> Sequence[tuple[bytes, int]]:
        return unpacked(self._records[self._starts[number] * _SIZE : self._starts[number + 1] * _SIZE])

    def additions(self) -> Sequence[tuple[bytes, int]]:
        return list(self._later.items())

    def _keep(self, records: Iterable[tuple[bytes, int]], passed: int) -> int:
        kept = 0
        for account, end in records:
            if end > passed and self.end(account) < end:
                self._later[account] = end
                kept += 1
        return kept


def _starts(records: memoryview) -> list[int]:
    starts, last = [0], b""
    for n in range(len(records) // _SIZE):
        account = bytes(records[n * _SIZE : n * _SIZE + ACCOUNT_BYTES])
        if account <= last:
            raise NonsenseError("signed, but its records are not in order")
        last = account
        number = drawer(account)
        while len(starts) <= number:
            starts.append(n)
    return starts + [len(records) // _SIZE] * (DRAWERS + 1 - len(starts))
