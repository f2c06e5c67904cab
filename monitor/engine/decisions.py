"""What people decide of drafts: an approval, an edit, a rejection. The rules are those of `notices.approval`."""

from msgspec.structs import replace

from monitor.engine.finding import moment
from monitor.engine.sending import no_retry, renewed
from monitor.engine.state import Decided
from monitor.model import Command, Draft, DraftState, Judging, Reply, Verb
from monitor.notices.approval import refusal
from monitor.notices.draft import Facts, edited

LIVE = (DraftState.PENDING, DraftState.APPROVED)


class Decisions:
    def __init__(self, exchange: str, decided: Decided) -> None:
        self.exchange = exchange
        self.decided = decided
        self.judging = Judging()

    def obey(self, command: Command, facts: Facts | None, *, now: float) -> tuple[list[Draft], Reply]:
        """A person's word on a draft. `facts` are those of its incident now, None where it is no longer known."""
        draft = self.decided.drafts.get(command.subject)
        if draft is None:
            return [], Reply(ok=False, message=f"no draft {command.subject} of {self.exchange} is open")
        match command.verb:
            case Verb.APPROVE:
                why = refusal(
                    draft,
                    text_sha256=command.text_sha256,
                    now=moment(now),
                    held=self.decided.held,
                    disputed=facts.disputed if facts is not None else (),
                )
                if why is not None:
                    return [], Reply(ok=False, message=why)
                return self._decide(draft, DraftState.APPROVED, command, now)
            case Verb.REJECT:
                if draft.state not in LIVE:
                    return [], Reply(ok=False, message=f"draft {draft.id} is {draft.state}, not open")
                return self._decide(draft, DraftState.REJECTED, command, now)
            case Verb.RETRY:
                return self._retry(draft, command, facts, now=now)
            case Verb.EDIT if draft.state is DraftState.PENDING and facts is not None:
                text = command.arguments.get("text", "")
                new = self._keep(edited(draft, text=text, facts=facts, actor=command.actor, now=moment(now)))
                return [new], Reply(ok=True, message=f"draft {draft.id} has a new text, sha256 {new.text_sha256}")
            case _:
                return [], Reply(ok=False, message=f"draft {draft.id} is {draft.state}: {command.verb} does not apply")

    def _retry(self, draft: Draft, command: Command, facts: Facts | None, *, now: float) -> tuple[list[Draft], Reply]:
        """A person sends once more what was surely not found: an approval of the same words, with its own time."""
        mine = [d for d in self.decided.drafts.values() if d.incident == draft.incident and d.channel == draft.channel]
        again = renewed(draft, now=moment(now), expiry_seconds=self.judging.draft_expiry_seconds)
        why = no_retry(draft, newest=mine[-1]) or refusal(
            again,
            text_sha256=command.text_sha256,
            now=moment(now),
            held=self.decided.held,
            disputed=facts.disputed if facts is not None else (),
        )
        if why is not None:
            return [], Reply(ok=False, message=why)
        return self._decide(again, DraftState.APPROVED, command, now)

    def _decide(self, draft: Draft, state: DraftState, command: Command, now: float) -> tuple[list[Draft], Reply]:
        new = self._keep(replace(draft, state=state, decided_by=command.actor, decided_at=moment(now)))
        return [new], Reply(ok=True, message=f"draft {draft.id} is {state}")

    def _keep(self, draft: Draft) -> Draft:
        self.decided.drafts[draft.id] = draft
        return draft
