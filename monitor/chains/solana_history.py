"""The transactions of Solana that name some accounts, between two slots: as many as a look may cost.

Of which addresses there are more is told.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from monitor.chains.abreast import abreast
from monitor.chains.ledger import Head
from monitor.chains.solana_node import Signed, SolanaNode, Transaction


class History(Struct, frozen=True, kw_only=True):
    transactions: Sequence[Transaction]  # oldest first
    unread: frozenset[str]  # addresses of which some are missing


class Histories:
    """`most` is how many transactions are read at once; of addresses that have more, the newest of them."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._newest: dict[str, Signed] = {}  # of each account that was asked about

    def knows(self, key: str) -> bool:
        """Whether some transaction named this account."""
        return key in self._newest

    async def read(self, node: SolanaNode, keys: Mapping[str, Sequence[str]], *, after: Head, upto: Head) -> History:
        """The transactions above `after` up to `upto` that name one of an address's accounts; `keys` are by address."""
        asked = [key for some in keys.values() for key in some]
        signed = await abreast(asked, lambda key: self._signed(node, key, after=after, upto=upto))
        named = {address: _together(some, signed) for address, some in keys.items()}
        cut = {key for key in asked if key not in signed or len(signed[key]) > self._most}
        unread = {address for address, some in keys.items() if cut.intersection(some)}
        wanted: dict[str, Signed] = {}
        # Those with few first, so that as many addresses as possible are read whole.
        for some in sorted(named.values(), key=len):
            wanted |= {each.signature: each for each in some if each.signature not in wanted}
        read = await abreast(list(wanted.values())[: self._most], node.transaction)
        unread |= {address for address, some in named.items() if any(each not in read for each in some)}
        transactions = sorted(read.values(), key=lambda transaction: transaction.slot)
        return History(transactions=transactions, unread=frozenset(unread))

    async def _signed(self, node: SolanaNode, key: str, *, after: Head, upto: Head) -> list[Signed]:
        """Newest first; one more than `most` where there are more."""
        last = self._newest.get(key)
        until = last.signature if last and last.slot <= after.number else ""
        found = await node.signatures(key, after=after.number, upto=upto.number, until=until, most=self._most)
        if found and (last is None or found[0].slot > last.slot):
            self._newest[key] = found[0]
        return found


def _together(keys: Sequence[str], signed: Mapping[str, Sequence[Signed]]) -> list[Signed]:
    """What names any of the accounts, newest first."""
    found = {each.signature: each for key in keys for each in signed.get(key, ())}
    return sorted(found.values(), key=lambda each: -each.slot)
