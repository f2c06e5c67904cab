"""What is not for everybody: what people noted, who they are, and what they may still decide not to say."""

from collections.abc import Sequence
from typing import TypeVar, overload

from msgspec import UNSET
from msgspec.structs import replace

from monitor.model import Change, Draft, DraftState, ExchangeView, Incident, Transition
from monitor.web.api.told import DraftTold, IncidentRow, IncidentTold, Step
from monitor.web.api.visitor import Visitor

PUBLIC_DRAFTS = (DraftState.POSTED,)
OUR_OWN_WORDS = (Change.OPENED, Change.ESCALATED)
"""Their summaries come from what was found; others may be a person's, or name one."""


SOMEBODY = "somebody"


def nameless(incident: Incident) -> Incident:
    """An incident without what people noted and who they are."""
    return replace(
        incident,
        notes=(),
        acknowledged_by=SOMEBODY if incident.acknowledged_by is not None else None,
        resolved_by=SOMEBODY if incident.resolved_by is not None else None,
        retracted_by=SOMEBODY if incident.retracted_by is not None else None,
    )


def unsigned(draft: Draft) -> Draft:
    """A draft without the names of those who decided on it."""
    return replace(
        draft,
        decided_by=SOMEBODY if draft.decided_by is not None else None,
        editors=tuple(dict.fromkeys(SOMEBODY for _ in draft.editors)),
        approvals=tuple(replace(each, by=SOMEBODY) for each in draft.approvals),
    )


def wordless(transition: Transition) -> Transition:
    """A transition without a summary that may be a person's, or name one."""
    return transition if transition.transition in OUR_OWN_WORDS else replace(transition, summary="")


def without_own(view: ExchangeView, visitor: Visitor) -> ExchangeView:
    """An exchange as `visitor` may see it: what the user holds there is for insiders."""
    return view if visitor.is_insider else replace(view, exposures=())


def readable(drafts: Sequence[Draft], visitor: Visitor) -> list[Draft]:
    """Those that `visitor` may know of in a list; whoever has the link of another may read it."""
    return [draft for draft in drafts if visitor.is_insider or draft.state in PUBLIC_DRAFTS]


_Told = TypeVar("_Told", IncidentRow, IncidentTold, Step)


@overload
def discreet(told: DraftTold, visitor: Visitor) -> DraftTold | None: ...
@overload
def discreet(told: _Told, visitor: Visitor) -> _Told: ...
def discreet(told: IncidentRow | IncidentTold | Step | DraftTold, visitor: Visitor) -> object:
    """What `visitor` may read of it; None for a draft of which not even that it is there is told."""
    if visitor.is_insider:
        return told
    match told:
        case IncidentRow():
            return replace(told, acknowledged_by=UNSET)
        case IncidentTold():
            return replace(told, incident=discreet(told.incident, visitor), notes=UNSET)
        case Step():
            return told if told.transition in OUR_OWN_WORDS else replace(told, summary=UNSET)
        case DraftTold():
            return replace(told, decided_by=UNSET, problems=UNSET) if told.state in PUBLIC_DRAFTS else None
