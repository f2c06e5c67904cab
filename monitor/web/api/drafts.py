"""Drafts, newest first: for who is not let in, only those that were posted."""

from msgspec import UNSET, Struct, UnsetType

from monitor.model import DraftState
from monitor.model.records import DraftsAsked, Place
from monitor.web.api import incidents, told
from monitor.web.api.discretion import PUBLIC_DRAFTS, discreet
from monitor.web.api.operation import Asked, Desk, NoQuery
from monitor.web.api.paging import USUAL, Cursor, Limit, Page, cursor, place, split
from monitor.web.api.problem import absent
from monitor.web.api.told import DraftTold
from monitor.web.api.visitor import Visitor


class DraftsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    state: DraftState | UnsetType = UNSET
    limit: Limit = USUAL
    cursor: Cursor | UnsetType = UNSET


async def listed(desk: Desk, asked: Asked[DraftsQuery, None]) -> Page[DraftTold]:
    return await _page(desk, asked, incident=None)


async def of_incident(desk: Desk, asked: Asked[DraftsQuery, None]) -> Page[DraftTold]:
    incident = await incidents.kept(desk, asked.path["id"])
    return await _page(desk, asked, incident=incident.id)


async def one(desk: Desk, asked: Asked[NoQuery, None]) -> DraftTold:
    kept = await desk.records.draft(asked.path["id"])
    shown = discreet(told.draft_told(kept), asked.visitor) if kept is not None else None
    if shown is None:
        raise absent("draft")
    return shown


async def _page(desk: Desk, asked: Asked[DraftsQuery, None], *, incident: str | None) -> Page[DraftTold]:
    query, listing = asked.query, f"drafts {incident or ''}"
    read = await desk.records.drafts_page(
        DraftsAsked(
            limit=query.limit + 1,
            states=_states(query.state, asked.visitor),
            after=place(listing, query, query.cursor),
            incident=incident,
        )
    )
    page, last = split(read, query.limit)
    shown = (discreet(told.draft_told(each), asked.visitor) for each in page)
    return Page(
        items=tuple(each for each in shown if each is not None),
        next=None if last is None else cursor(listing, query, Place(last.created_at, last.id)),
    )


def _states(asked: DraftState | UnsetType, visitor: Visitor) -> tuple[DraftState, ...]:
    """Those asked for, as far as `visitor` may know of them: otherwise a page would have holes."""
    return tuple(
        state
        for state in DraftState
        if (visitor.is_insider or state in PUBLIC_DRAFTS) and (asked is UNSET or state is asked)
    )
