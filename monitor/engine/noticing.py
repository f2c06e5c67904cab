"""Which notice is due on a channel, by what was said on it: the stage's, that it is back, or that it was not so."""

from collections.abc import Sequence
from datetime import timedelta

from msgspec.structs import replace

from monitor.engine.finding import moment
from monitor.model import Draft, DraftState, Incident, Notice, Stage
from monitor.notices.draft import Facts, holds, is_untrue

CORRECT_SECONDS = 600.0
"""What changes later than that after a text was posted is a development, and the next update tells it."""

TAKEN_BACK_FOR = timedelta(days=1)


def is_past(incident: Incident, now: float) -> bool:
    """It is over, and nothing more is to be said of it.

    A post that was under way when its incident was a false alarm may be up only later; then it is taken back.
    """
    if incident.resolved_at is None:
        return False
    more = TAKEN_BACK_FOR if incident.retracted_by is not None else timedelta(0)
    return incident.resolved_at + more < moment(now)


def noticed(facts: Facts, drafts: Sequence[Draft], *, now: float) -> tuple[Facts, Draft | None]:
    """The facts with their notice, by the `drafts` of an incident and channel, oldest first; and the one to correct."""
    posted = [draft for draft in drafts if draft.state is DraftState.POSTED]
    if facts.notice is not None or not posted:
        return facts, None
    last = posted[-1]
    if _is_to_correct(last, facts, drafts, now):
        return replace(facts, notice=Notice.CORRECTION, corrected_at=last.decided_at), last
    if facts.stage is Stage.INVESTIGATING and any(draft.notice is Notice.RESOLVED for draft in posted):
        return replace(facts, notice=Notice.REOPENED), None
    return facts, None


def says_enough(draft: Draft, facts: Facts) -> bool:
    """Whether what the draft says still holds. A correction that is out says what the next text would."""
    if holds(draft.claims, facts):
        return True
    is_out = draft.notice is Notice.CORRECTION and draft.state is DraftState.POSTED
    return is_out and holds(draft.claims, replace(facts, notice=Notice.CORRECTION))


def _is_to_correct(last: Draft, facts: Facts, drafts: Sequence[Draft], now: float) -> bool:
    if not is_untrue(last.claims, facts):
        return False
    is_begun = any(draft.corrects == last.id for draft in drafts)
    out_at = last.decided_at or last.created_at
    return facts.is_retracted or is_begun or now - out_at.timestamp() <= CORRECT_SECONDS
