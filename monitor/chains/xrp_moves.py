"""What a transaction did to XRP balances, from its metadata alone: exact for payments of any kind.

A payment's `Amount` is what it may deliver at most, not what it did; so it is never read.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import base58
import msgspec

from monitor.chains.blocks import Transfer
from monitor.chains.ledger import Head, Token
from monitor.chains.matching import matched
from monitor.chains.xrp_node import Account, AffectedNode, Drops, Entry, Fields

XRP = Token(asset="XRP", decimals=6)

_DROPS = msgspec.json.Decoder(Drops)


def transfers(entry: Entry, *, block: Head) -> Iterator[Transfer]:
    """The fee, and who gave how much to whom. Raises `UNREADABLE` for metadata that is none."""
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
    if entry.tx.transaction_type and payer not in _touched(entry.meta.affected_nodes):
        raise msgspec.ValidationError("who paid for it is not touched by it")
    changes[payer] = changes.get(payer, 0) + fee
    if entry.tx.transaction_type == "Payment" and sum(changes.values(), 0):
        raise msgspec.ValidationError("a payment that makes or burns XRP")
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
            changes[_account(made.new_fields)] = _drops(made.new_fields)
        # One whose history only goes on here has no fields, and one whose balance stays has no former balance.
        if changed and changed.ledger_entry_type == "AccountRoot" and bytes(changed.previous_fields.balance):
            changes[_account(changed.final_fields)] = _drops(changed.final_fields) - _drops(changed.previous_fields)
    return changes


def is_whole(history: Sequence[Entry], account: Account | None, *, address: str, after: int) -> bool:
    """Whether a history has all that changed an account above ledger `after`: each change names the one before."""
    known = {entry.tx.hash for entry in history}
    links = [(account.touched_in, account.touched_by)] if account else []
    changed = (node.modified_node for entry in history for node in entry.meta.affected_nodes)
    links += [
        (node.touched_in, node.touched_by)
        for node in changed
        if node and node.ledger_entry_type == "AccountRoot" and node.final_fields.account == address
    ]
    return all(ledger <= after or not transaction or transaction in known for ledger, transaction in links)


def _touched(nodes: Iterable[AffectedNode]) -> set[str]:
    """The accounts among what a transaction changed or deleted."""
    found = (node.modified_node or node.deleted_node for node in nodes)
    return {each.final_fields.account for each in found if each and each.ledger_entry_type == "AccountRoot"}


def _account(fields: Fields) -> str:
    if not _is_address(fields.account):
        raise msgspec.ValidationError(f"no address of an account: {fields.account[:40]!r}")
    return fields.account


@lru_cache(maxsize=100_000)
def _is_address(text: str) -> bool:
    try:
        return len(base58.b58decode_check(text, alphabet=base58.XRP_ALPHABET)) == 21
    except ValueError:
        return False


def _drops(fields: Fields) -> int:
    return int(_DROPS.decode(fields.balance))
