"""What people decide of drafts: an approval, an edit, a rejection. The rules are those of `notices.approval`."""

from datetime import datetime

from msgspec.structs import replace

from monitor.engine.finding import moment
from monitor.engine.sending import no_retry, renewed
from monitor.engine.state import Decided
from monitor.model import Approval, Command, Draft, DraftState, Judging, Reply, Verb
from monitor.notices.approval import counted, forbidden, misplaced, refusal, repeated
from monitor.notices.draft import Facts, edited
from monitor.notices.preapproval import holds_for


class Decisions:
    def __init__(self, exchange: str, decided: Decided) -> None:
        self.exchange = exchange
        self.decided = decided
        self.judging = Judging()

    def obey(self, command: Command, facts: Facts | None, *, now: float) -> tuple[list[Draft], Reply]:
        """A person's word on a draft. `facts` are those of its incident now, None where it is no longer known."""
        draft = self.decided.drafts.get(command.subject)
        if draft is None:
            return [], _no(f"no draft {command.subject} of {self.exchange} is open")
        at = moment(now)
        covered = holds_for(draft, self.decided.signed, now=at, required=self.judging.approvals_required) is None
        why = forbidden(command.verb, command.role, covered=covered) or misplaced(command.verb, draft)
        if why is not None:
            return [], _no(why)
        match command.verb:
            case Verb.APPROVE | Verb.BREAK_GLASS:
                return self._approve(draft, command, facts, at=at, covered=covered)
            case Verb.REJECT:
                return self._decide(replace(draft, state=DraftState.REJECTED), command, at)
            case Verb.EDIT if facts is not None:
                return self._edit(draft, command, facts, at)
            case Verb.RETRY:
                return self._retry(draft, command, facts, at)
            case _:
                return [], _no(f"the incident of draft {draft.id} is over: {command.verb} does not apply")

    def _approve(
        self, draft: Draft, command: Command, facts: Facts | None, *, at: datetime, covered: bool
    ) -> tuple[list[Draft], Reply]:
        disputed = facts.disputed if facts is not None else ()
        why = refusal(draft, text_sha256=command.text_sha256, now=at, held=self.decided.held, disputed=disputed)
        if why is not None:
            return [], _no(why)
        given = Approval(by=command.actor, at=at, role=command.role, text_sha256=draft.text_sha256)
        if command.verb is Verb.BREAK_GLASS:
            return self._break_glass(draft, command, given)
        if not covered:
            why = repeated(draft, actor=command.actor, required=self.judging.approvals_required)
            if why is not None:
                return [], _no(why)
        approved = replace(draft, approvals=(*counted(draft), given))
        if covered or len(approved.approvals) >= self.judging.approvals_required:
            return self._decide(replace(approved, state=DraftState.APPROVED), command, at)
        message = f"draft {draft.id} has {len(approved.approvals)} of {self.judging.approvals_required} approvals"
        return [self._keep(approved)], Reply(ok=True, message=message)

    def _break_glass(self, draft: Draft, command: Command, given: Approval) -> tuple[list[Draft], Reply]:
        """One person in place of two. The text, its time and what speaks against it count as ever."""
        reason = " ".join(command.arguments.get("reason", "").split())
        if not reason:
            return [], _no("to approve alone needs a reason, which everybody will read")
        approvals = (*counted(draft), given)
        return self._decide(
            replace(draft, state=DraftState.APPROVED, approvals=approvals, glass=reason), command, given.at
        )

    def _edit(self, draft: Draft, command: Command, facts: Facts, at: datetime) -> tuple[list[Draft], Reply]:
        text = command.arguments.get("text", "")
        written = edited(draft, text=text, facts=facts, actor=command.actor, now=at)
        editors = tuple(dict.fromkeys((*draft.editors, command.actor)))
        new = self._keep(replace(written, approvals=(), covered=None, editors=editors))
        return [new], Reply(ok=True, message=f"draft {draft.id} has a new text, sha256 {new.text_sha256}")

    def _retry(self, draft: Draft, command: Command, facts: Facts | None, at: datetime) -> tuple[list[Draft], Reply]:
        """A person sends once more what is surely not up: an approval of the same words, with its own time."""
        mine = [d for d in self.decided.drafts.values() if (d.incident, d.channel) == (draft.incident, draft.channel)]
        again = renewed(draft, now=at, expiry_seconds=self.judging.draft_expiry_seconds)
        disputed = facts.disputed if facts is not None else ()
        why = no_retry(draft, newest=mine[-1]) or refusal(
            again, text_sha256=command.text_sha256, now=at, held=self.decided.held, disputed=disputed
        )
        if why is not None:
            return [], _no(why)
        return self._decide(replace(again, state=DraftState.APPROVED), command, at)

    def _decide(self, draft: Draft, command: Command, at: datetime) -> tuple[list[Draft], Reply]:
        new = self._keep(replace(draft, decided_by=command.actor, decided_at=at))
        return [new], Reply(ok=True, message=f"draft {draft.id} is {new.state}")

    def _keep(self, draft: Draft) -> Draft:
        self.decided.drafts[draft.id] = draft
        return draft


def _no(message: str) -> Reply:
    return Reply(ok=False, message=message)
