"""What metrics there are, what views say in them, and how that is written. Knows no clock."""

from monitor.exposition.catalogue import KEPT, SHOWN
from monitor.exposition.formats import Format, ProcessMetrics, wanted
from monitor.exposition.gate import GATE
from monitor.exposition.money import Shared, share, shared_groups
from monitor.exposition.tally import Tally
from monitor.exposition.text import (
    PREFIX,
    Block,
    Family,
    Group,
    Intervals,
    Kind,
    Sample,
    assemble,
    compose,
    cut,
    table,
)
from monitor.exposition.views import exchange_groups, occurrences

__all__ = [
    "GATE",
    "KEPT",
    "PREFIX",
    "SHOWN",
    "Block",
    "Family",
    "Format",
    "Group",
    "Intervals",
    "Kind",
    "ProcessMetrics",
    "Sample",
    "Shared",
    "Tally",
    "assemble",
    "compose",
    "cut",
    "exchange_groups",
    "occurrences",
    "share",
    "shared_groups",
    "table",
    "wanted",
]
