"""Whether an approval holds: of exactly this text, in time, and nothing speaks against it."""

from collections.abc import Sequence
from datetime import datetime

from monitor.model import SUPPORT, Draft, DraftState
from monitor.notices.draft import sha256


def refusal(
    draft: Draft, *, text_sha256: str | None, now: datetime, held: bool, disputed: Sequence[str] = ()
) -> str | None:
    """Why an approval of the text with this hash does not hold at `now`; None when it does.

    `disputed`: rails of its incident on which two lists of the exchange contradict each other.
    """
    errors = [problem for problem in draft.problems if problem.level == "error"]
    if draft.channel == SUPPORT:
        return f"draft {draft.id} is an answer for support: it is copied, and nothing posts it"
    if draft.state is not DraftState.PENDING:
        return f"draft {draft.id} is {draft.state}, not pending"
    if now >= draft.expires_at:
        return f"draft {draft.id} expired at {draft.expires_at.isoformat()}"
    if held:
        return "publishing is held; release it first"
    if disputed:
        return f"two lists of the exchange disagree on {', '.join(disputed)}: nothing is said until they agree"
    if text_sha256 is None:
        return "an approval must name the sha256 of the text it approves"
    if text_sha256 != draft.text_sha256 or text_sha256 != sha256(draft.text):
        return f"the text is not the one that was shown; its sha256 is {sha256(draft.text)}"
    if errors:
        return "; ".join(f"{problem.rule}: {problem.message}" for problem in errors)
    return None
