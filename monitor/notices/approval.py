"""Who may do what, and whether an approval holds: of exactly this text, in time, and nothing speaks against it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from monitor.model import SUPPORT, Approval, Draft, DraftState, PersonRole, Verb
from monitor.notices.draft import sha256

PUBLISHERS = (PersonRole.PUBLISHER, PersonRole.APPROVER, PersonRole.ADMIN)
APPROVERS = (PersonRole.APPROVER, PersonRole.ADMIN)
ADMINS = (PersonRole.ADMIN,)
OPEN = (DraftState.PENDING, DraftState.APPROVED)


class Rule(Struct, frozen=True):
    """Who may say a verb. `states` are those of the draft it is about, empty where it is about none."""

    roles: tuple[PersonRole, ...]
    states: tuple[DraftState, ...] = ()
    covered: tuple[PersonRole, ...] = ()  # who may say it of a draft whose text was signed beforehand


RULES: Mapping[Verb, Rule] = {
    Verb.ACKNOWLEDGE: Rule(PUBLISHERS),
    Verb.IDENTIFY: Rule(PUBLISHERS),
    Verb.NOTE: Rule(PUBLISHERS),
    Verb.RESOLVE: Rule(PUBLISHERS),
    Verb.REOPEN: Rule(PUBLISHERS),
    Verb.RETRACT: Rule(PUBLISHERS),
    Verb.MAINTAIN: Rule(PUBLISHERS),
    Verb.END_MAINTENANCE: Rule(PUBLISHERS),
    Verb.SILENCE: Rule(PUBLISHERS),
    Verb.EXPIRE_SILENCE: Rule(PUBLISHERS),
    Verb.DRILL: Rule(PUBLISHERS),
    Verb.END_DRILL: Rule(PUBLISHERS),
    Verb.EDIT: Rule(PUBLISHERS, (DraftState.PENDING,)),
    Verb.APPROVE: Rule(APPROVERS, (DraftState.PENDING,), covered=PUBLISHERS),
    Verb.BREAK_GLASS: Rule(ADMINS, (DraftState.PENDING,)),
    Verb.REJECT: Rule(APPROVERS, OPEN),
    Verb.RETRY: Rule(APPROVERS, (DraftState.REFUSED, DraftState.UNKNOWN_OUTCOME)),
    Verb.SIGN: Rule(APPROVERS),
    Verb.REVOKE: Rule(PUBLISHERS),
    Verb.HOLD: Rule(PUBLISHERS),
    Verb.RELEASE: Rule(APPROVERS),
}
NOT_LISTED = Rule(ADMINS)


def forbidden(verb: Verb, role: PersonRole, *, covered: bool = False) -> str | None:
    """Why somebody with this role may not say `verb`; None when they may.

    `covered`: it is about a draft whose text was signed beforehand, and the signatures hold.
    """
    rule = RULES.get(verb, NOT_LISTED)
    allowed = rule.covered if covered and rule.covered else rule.roles
    if role in allowed:
        return None
    return f"a {role} may not {verb.replace('_', ' ')} this: it needs {_named(allowed)}"


def misplaced(verb: Verb, draft: Draft) -> str | None:
    """Why `verb` does not apply to a draft in its state; None when it does."""
    if draft.state in RULES.get(verb, NOT_LISTED).states:
        return None
    return f"draft {draft.id} is {draft.state}: {verb.replace('_', ' ')} does not apply"


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
        return f"draft {draft.id} expired at {draft.expires_at:%Y-%m-%d %H:%M} UTC"
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


def counted(draft: Draft) -> tuple[Approval, ...]:
    """The approvals of exactly the text that the draft has now."""
    return tuple(approval for approval in draft.approvals if approval.text_sha256 == draft.text_sha256)


def repeated(draft: Draft, *, actor: str, required: int) -> str | None:
    """Why this person's approval adds nothing where `required` people must approve; None when it does."""
    if any(approval.by == actor for approval in counted(draft)):
        return f"{actor} approved this text already: it needs another person"
    if required > 1 and actor in draft.editors:
        return f"{actor} edited this text: with {required} approvals the editor's own does not count"
    return None


def matrix() -> list[str]:
    """The rules as rows of a Markdown table."""
    roles = list(PersonRole)
    head = ["| verb | of a draft that is | " + " | ".join(roles) + " |", "|---" * (len(roles) + 2) + "|"]
    return head + [_row(verb, rule) for verb, rule in RULES.items()]


def _row(verb: Verb, rule: Rule) -> str:
    cells = [
        "yes" if role in rule.roles else "if pre-approved" if role in rule.covered else "no" for role in PersonRole
    ]
    states = ", ".join(rule.states) or "(about no draft)"
    return f"| {verb.replace('_', ' ')} | {states} | {' | '.join(cells)} |"


def _named(roles: Sequence[PersonRole]) -> str:
    return " or ".join(roles)
