"""When what left in an exploit came to a tenth of the reserves: the truth files tell only when it began."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from monitor.model import Flow, ReserveBalance
from monitor.replay.journal import read_entries
from monitor.replay.truth import Event

SHARE = Decimal("0.1")


def crossings(journal: Path, exploits: Sequence[Event]) -> dict[datetime, datetime]:
    """Start of each exploit -> time of the reading with which its outflow comes to a tenth of what was held.

    An exploit that never comes to a tenth is left out. Ordinary payments of the same minutes count with it: they are
    a thousandth of it.
    """
    if not exploits:
        return {}
    held, gone = Decimal(0), dict.fromkeys((exploit.start for exploit in exploits), Decimal(0))
    before: dict[datetime, Decimal] = {}
    found: dict[datetime, datetime] = {}
    for entry in read_entries(journal):
        match entry.observation:
            case ReserveBalance(amount=amount):
                held = amount
            case Flow(at=at, outflow=outflow):
                for exploit in exploits:
                    if exploit.start < at <= exploit.end and exploit.start not in found:
                        limit = SHARE * before.setdefault(exploit.start, held)
                        gone[exploit.start] += outflow
                        if gone[exploit.start] >= limit:
                            found[exploit.start] = at
            case _:
                pass
    return found
