"""What a transaction did to XRP balances, from its metadata alone: exact for payments of any kind.

A payment's `Amount` is what it may deliver at most, not what it did; so it is never read.
"""

from collections.abc import Iterable, Iterator

import msgspec

from monitor.chains.blocks import Transfer
from monitor.chains.ledger import Head, Token
from monitor.chains.matching import matched
from monitor.chains.xrp_node import AffectedNode, Drops, Entry, Fields

XRP = Token(asset="XRP", decimals=6)

_DROPS = msgspec.json.Decoder(Drops)


def transfers(entry: Entry, *, block: Head) -> Iterator[Transfer]:
    """The fee, and who gave how much to whom. Raises `msgspec.MsgspecError` for metadata that is none."""
    payer, fee = entry.tx.payer, int(entry.tx.fee)
    signers = (entry.tx.account,)
    if fee:
        yield Transfer(
            block=block,
            transaction=entry.tx.hash,
            token=XRP,
            sources=((payer, fee),),
            destinations=(),
            signers=signers,
            fee=fee,
        )
    changes = balance_changes(entry.meta.affected_nodes)
    changes[payer] = changes.get(payer, 0) + fee
    # To and from nobody goes what escrows, payment channels and the like hold, which are no accounts.
    for source, destination, amount in matched(changes):
        yield Transfer(
            block=block,
            transaction=entry.tx.hash,
            token=XRP,
            sources=((source, amount),),
            destinations=((destination, amount),),
            signers=signers,
        )


def balance_changes(nodes: Iterable[AffectedNode]) -> dict[str, int]:
    """By how many drops the balance of each account changed, fees included."""
    changes: dict[str, int] = {}
    for node in nodes:
        made = node.created_node
        changed = node.modified_node or node.deleted_node
        if made and made.ledger_entry_type == "AccountRoot":
            changes[made.new_fields.account] = _drops(made.new_fields)
        # One whose history only goes on here has no fields, and one whose balance stays has no former balance.
        if changed and changed.ledger_entry_type == "AccountRoot" and bytes(changed.previous_fields.balance):
            changes[changed.final_fields.account] = _drops(changed.final_fields) - _drops(changed.previous_fields)
    return changes


def _drops(fields: Fields) -> int:
    return int(_DROPS.decode(fields.balance))
