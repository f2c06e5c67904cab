"""What metrics there are, what views say in them, and how that is written. Knows no library and no clock."""

from monitor.exposition.catalogue import KEPT, SHOWN
from monitor.exposition.money import shared_groups
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
    "KEPT",
    "PREFIX",
    "SHOWN",
    "Block",
    "Family",
    "Group",
    "Intervals",
    "Kind",
    "Sample",
    "assemble",
    "compose",
    "cut",
    "exchange_groups",
    "occurrences",
    "shared_groups",
    "table",
]
