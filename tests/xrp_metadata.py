"""The nodes of a transaction's metadata: what it made, changed, touched and deleted."""

from tests.xrp_state import Root, hash_of


def root_node(address: str, before: Root | None, after: Root | None) -> dict[str, object]:
    entry: dict[str, object] = {"LedgerEntryType": "AccountRoot", "LedgerIndex": hash_of("root", address)}
    match before, after:
        case None, Root(balance=balance, sequence=sequence):
            made: dict[str, object] = {"Account": address, "Balance": str(balance), "Sequence": sequence}
            return {"CreatedNode": {**entry, "NewFields": made}}
        case Root() as was, None:
            left = Root(balance=0, sequence=was.sequence + 1, owner_count=was.owner_count)
            return {"DeletedNode": {**entry, **_difference(address, was, left)}}
        case Root() as was, Root() as now:
            thread = {"PreviousTxnID": was.touched_by, "PreviousTxnLgrSeq": was.touched_in}
            return {"ModifiedNode": {**entry, **_difference(address, was, now), **thread}}
        case _:
            raise AssertionError("an account that never was")


def _difference(address: str, was: Root, now: Root) -> dict[str, object]:
    """`PreviousFields` has only what changed."""
    fields = {
        "Balance": (str(was.balance), str(now.balance)),
        "OwnerCount": (was.owner_count, now.owner_count),
        "Sequence": (was.sequence, now.sequence),
    }
    final = {name: value for name, (_, value) in fields.items()}
    previous = {name: value for name, (value, new) in fields.items() if value != new}
    return {"FinalFields": {"Account": address, "Flags": 0, **final}, "PreviousFields": previous}


def touched_node(address: str, root: Root) -> dict[str, object]:
    """An account whose history goes on here and whose fields do not change has no fields at all."""
    return {
        "ModifiedNode": {
            "LedgerEntryType": "AccountRoot",
            "LedgerIndex": hash_of("root", address),
            "PreviousTxnID": root.touched_by,
            "PreviousTxnLgrSeq": root.touched_in,
        }
    }


def trust_line(holder: str, issuer: str, value: str) -> dict[str, object]:
    """Its `Balance` is an object, and not of XRP."""
    balance = {"currency": "USD", "issuer": "rrrrrrrrrrrrrrrrrrrrBZbvji"}
    return {
        "ModifiedNode": {
            "LedgerEntryType": "RippleState",
            "LedgerIndex": hash_of("line", holder, issuer),
            "FinalFields": {
                "Balance": {**balance, "value": "0"},
                "Flags": 65536,
                "HighLimit": {"currency": "USD", "issuer": issuer, "value": "0"},
                "LowLimit": {"currency": "USD", "issuer": holder, "value": "10000"},
            },
            "PreviousFields": {"Balance": {**balance, "value": value}},
        }
    }
