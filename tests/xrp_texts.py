"""Ledgers, accounts and transactions as rippled writes them, in API version 1 and 2."""

from datetime import UTC, datetime

from tests.xrp_ledger import Applied, Ledger
from tests.xrp_state import RIPPLE_EPOCH, Root, hash_of


def _closed_at(ledger: Ledger) -> datetime:
    return datetime.fromtimestamp(ledger.close_time + RIPPLE_EPOCH, UTC)


def _closed_iso(ledger: Ledger) -> str:
    return f"{_closed_at(ledger):%Y-%m-%dT%H:%M:%SZ}"


def ledger_json(ledger: Ledger, *, version: int, transactions: bool, expand: bool) -> dict[str, object]:
    """Version 1 has the inner `ledger_index` as a string."""
    header: dict[str, object] = {
        "account_hash": hash_of("accounts", ledger.hash),
        "close_flags": 0,
        "close_time": ledger.close_time,
        "close_time_human": f"{_closed_at(ledger):%Y-%b-%d %H:%M:%S}.000000000 UTC",
        "close_time_iso": _closed_iso(ledger),
        "close_time_resolution": 10,
        "closed": True,
        "ledger_hash": ledger.hash,
        "ledger_index": str(ledger.index) if version == 1 else ledger.index,
        "parent_close_time": ledger.parent_close_time,
        "parent_hash": ledger.parent_hash,
        "total_coins": str(sum(root.balance for root in ledger.state.roots.values()) + ledger.state.locked),
        "transaction_hash": hash_of("transactions", ledger.hash),
    }
    if transactions:
        header["transactions"] = [
            _in_ledger(ledger, one, version=version) if expand else one.hash for one in ledger.transactions
        ]
    return {"ledger": header, "ledger_hash": ledger.hash, "ledger_index": ledger.index, "validated": True}


def _in_ledger(ledger: Ledger, one: Applied, *, version: int) -> dict[str, object]:
    if version == 1:
        return {**_with_amount(one), "hash": one.hash, "metaData": one.meta}
    return {
        "tx_json": _with_deliver_max(one),
        "meta": one.meta,
        "hash": one.hash,
        "ledger_hash": ledger.hash,
        "ledger_index": ledger.index,
        "close_time_iso": _closed_iso(ledger),
        "validated": True,
    }


def entry_json(ledger: Ledger, one: Applied, *, version: int) -> dict[str, object]:
    """An entry of `account_tx`."""
    if version == 1:
        tx = {
            **_with_amount(one),
            "hash": one.hash,
            "date": ledger.close_time,
            "inLedger": ledger.index,
            "ledger_index": ledger.index,
        }
        return {"meta": one.meta, "tx": tx, "validated": True}
    return {
        "meta": one.meta,
        "tx_json": {**_with_deliver_max(one), "date": ledger.close_time, "ledger_index": ledger.index},
        "hash": one.hash,
        "ledger_hash": ledger.hash,
        "ledger_index": ledger.index,
        "close_time_iso": _closed_iso(ledger),
        "validated": True,
    }


def _with_amount(one: Applied) -> dict[str, object]:
    match one.tx:
        case {"TransactionType": "Payment", "Amount": amount}:
            return {**one.tx, "DeliverMax": amount}
        case tx:
            return tx


def _with_deliver_max(one: Applied) -> dict[str, object]:
    """Version 2 knows no `Amount` of a payment."""
    match one.tx:
        case {"TransactionType": "Payment", "Amount": amount, **rest}:
            return {**rest, "TransactionType": "Payment", "DeliverMax": amount}
        case tx:
            return tx


def account_json(address: str, root: Root, *, more: int) -> dict[str, object]:
    """`more` is added to the balance."""
    return {
        "Account": address,
        "Balance": str(root.balance + more),
        "Flags": 0,
        "LedgerEntryType": "AccountRoot",
        "OwnerCount": root.owner_count,
        "PreviousTxnID": root.touched_by,
        "PreviousTxnLgrSeq": root.touched_in,
        "Sequence": root.sequence,
        "index": hash_of("root", address),
    }
