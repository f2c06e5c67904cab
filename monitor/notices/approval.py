"""Whether an approval holds: of exactly this text, in time, and nothing speaks against it."""

from datetime import datetime

from monitor.model import Draft, DraftState
from monitor.notices.draft import sha256


def refusal(draft: Draft, *, text_sha256: str | None, now: datetime, held: bool) -> str | None:
    """Why an approval of the text with this hash does not hold at `now`; None when it does."""
    errors = [problem for problem in draft.problems if problem.level == "error"]
    if draft.state is not DraftState.PENDING:
        return f"draft {draft.id} is {draft.state}, not pending"
    if now >= draft.expires_at:
        return f"draft {draft.id} expired at {draft.expires_at.isoformat()}"
    if held:
        return "publishing is held; release it first"
    if text_sha256 is None:
        return "an approval must name the sha256 of the text it approves"
    if text_sha256 != draft.text_sha256 or text_sha256 != sha256(draft.text):
        return f"the text is not the one that was shown; its sha256 is {sha256(draft.text)}"
    if errors:
        return "; ".join(f"{problem.rule}: {problem.message}" for problem in errors)
    return None
