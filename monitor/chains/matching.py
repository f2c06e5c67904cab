"""Who gave what to whom, where all that is known is by how much each of several changed."""

from collections.abc import Iterator, Mapping

NOBODY = ""
"""Gives and takes whatever the others' changes do not add up to."""


def matched(changes: Mapping[str, int]) -> Iterator[tuple[str, str, int]]:
    """Source, destination and amount: those that lost give in order to those that gained, and all sums are right."""
    balanced = {address: change for address, change in changes.items() if address != NOBODY}
    balanced[NOBODY] = -sum(balanced.values())
    gave = [(address, -change) for address, change in balanced.items() if change < 0]
    for destination, change in balanced.items():
        wanted = change
        while wanted > 0:
            source, left = gave[0]
            amount = min(wanted, left)
            yield source, destination, amount
            wanted -= amount
            if amount == left:
                del gave[0]
            else:
                gave[0] = (source, left - amount)
