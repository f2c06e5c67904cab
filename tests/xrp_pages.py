"""The pages of `account_tx`: newest first unless `forward`, each with a marker of where the next one begins."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from tests.xrp_ledger import Applied, Ledger

Entry = tuple[Ledger, Applied]


class Page(Struct, frozen=True, kw_only=True):
    entries: Sequence[Entry]
    limit: int
    marker: dict[str, int] | None


def page_of(entries: Sequence[Entry], params: Mapping[str, object], *, largest: int) -> Page:
    """`entries` are oldest first. No page has more than `largest`, whatever limit was asked for."""
    forward = params.get("forward") is True
    ordered = list(entries if forward else reversed(entries))
    match params.get("limit"):
        case int(wanted) if 0 < wanted <= largest:
            limit = wanted
        case _:
            limit = largest
    match params.get("marker"):
        case {"ledger": int(ledger), "seq": int(position)}:
            start = _place(ordered, (ledger, position), forward=forward)
        case _:
            start = 0
    rest = ordered[start + limit :]
    marker = {"ledger": rest[0][0].index, "seq": rest[0][1].position} if rest else None
    return Page(entries=ordered[start : start + limit], limit=limit, marker=marker)


def _place(ordered: Sequence[Entry], wanted: tuple[int, int], *, forward: bool) -> int:
    """The first entry that is not before the marker; it stays right when new ledgers come."""
    for place, (ledger, one) in enumerate(ordered):
        here = (ledger.index, one.position)
        if here >= wanted if forward else here <= wanted:
            return place
    return len(ordered)
