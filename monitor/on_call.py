"""The people of the staged story, where it is told as its operator: who signs by day, publishes at night, approves.

They use the command socket like anybody else, and take as long as people do.
"""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from monitor.clock import Clock
from monitor.commands import Order, administer, send
from monitor.model import SUPPORT, Draft, DraftState, Incident, IncidentKind, PersonRole, Stage, Verb
from monitor.notices.draft import sha256
from monitor.people.desk import PeopleOrder, Task

ON_CALL, APPROVER = "paul", "anna"
ROLES = {ON_CALL: PersonRole.PUBLISHER, APPROVER: PersonRole.APPROVER}
READS = {ON_CALL: timedelta(seconds=30), APPROVER: timedelta(seconds=90)}
"""From the moment that a draft is there until its yes."""
FINDS_AFTER = timedelta(minutes=8)  # engineers find the cause so long after the halt is told
SIGNED = (
    "We are aware of some technical difficulties affecting all withdrawals on the platform. "
    "Our team is already working on a fix, and we will post here when services resume. Next update by {next_update}."
)

Say = Callable[[str], None]


class OnCall:
    """`halted_at`: when the last payment was before. Raises CommandError where the daemon cannot be asked."""

    def __init__(self, socket: Path, *, exchange: str, halted_at: datetime, clock: Clock, say: Say) -> None:
        self._socket = socket
        self._exchange = exchange
        self._halted_at = halted_at
        self._clock = clock
        self._say = say
        self._secret = secrets.token_urlsafe(16)
        self._told: set[str] = set()
        self.first_clean: datetime | None = None
        self.posts: list[Draft] = []

    async def sign(self) -> None:
        """By day: the accounts, and the text that on-call may publish as it is."""
        for name, role in ROLES.items():
            order = PeopleOrder(people=Task.ADD, subject=name, role=role, password=self._secret)
            await administer(self._socket, order)
        arguments = {"text": SIGNED, "kinds": IncidentKind.WITHDRAWAL_HALT, "rails": "*"}
        reply = await self._order(
            APPROVER, Verb.SIGN, exchange=self._exchange, text_sha256=sha256(SIGNED), arguments=arguments
        )
        self._say(f"By day {APPROVER} signed a text for the night: {reply}")

    async def act(self, drafts: Sequence[Draft], incidents: Sequence[Incident]) -> None:
        """Everything that is due by now."""
        now = self._clock.now()
        ours = [draft for draft in drafts if draft.channel != SUPPORT and draft.exchange == self._exchange]
        for draft in sorted(ours, key=lambda each: each.created_at):
            if draft.state is DraftState.PENDING:
                await self._decide(draft, now)
            elif draft.state is DraftState.POSTED and draft.id not in {post.id for post in self.posts}:
                self.posts.append(draft)
                self._say(f"{_clock(draft.decided_at)}  POSTED ({draft.notice}):\n{_indented(draft.text)}")
        for incident in incidents:
            if _is_looked_into(incident) and now >= incident.opened_at + FINDS_AFTER:
                await self._order(ON_CALL, Verb.IDENTIFY, subject=incident.id)

    def summary(self) -> str:
        """How long it took, against the 17 minutes of the day."""
        posted = self.posts[0].decided_at if self.posts else None
        if self.first_clean is None or posted is None:
            return "\nNothing was posted: the story was cut short."
        return (
            f"\nRemember: {_minutes(self.first_clean - self._halted_at)} after the last payment there was a draft that "
            f"passes the linter, and {_minutes(posted - self._halted_at)} after it the first official word was up. "
            "On the day it took 17 minutes."
        )

    async def _decide(self, draft: Draft, now: datetime) -> None:
        who = ON_CALL if draft.covered is not None else APPROVER
        errors = [problem.message for problem in draft.problems if problem.level == "error"]
        if draft.id not in self._told:
            self._told.add(draft.id)
            how = "word for word the signed text" if draft.covered is not None else "for an approver"
            self._say(
                f"{_clock(draft.created_at)}  draft ({draft.notice}), {how}; linter: {', '.join(errors) or 'clean'}"
            )
            if not errors and self.first_clean is None:
                self.first_clean = draft.created_at
        if not errors and now >= draft.created_at + READS[who]:
            said = await self._order(who, Verb.APPROVE, subject=draft.id, text_sha256=draft.text_sha256)
            self._say(f"{now:%H:%M:%S}  {who} ({ROLES[who]}) says yes: {said}")

    async def _order(
        self,
        who: str,
        verb: Verb,
        *,
        subject: str = "",
        exchange: str = "",
        text_sha256: str | None = None,
        arguments: dict[str, str] | None = None,
    ) -> str:
        order = Order(
            verb=verb,
            subject=subject,
            exchange=exchange,
            text_sha256=text_sha256,
            arguments=arguments or {},
            account=who,
            secret=self._secret,
        )
        return (await send(self._socket, order)).message


def _is_looked_into(incident: Incident) -> bool:
    return incident.kind is IncidentKind.WITHDRAWAL_HALT and incident.stage is Stage.INVESTIGATING


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:.1f} minutes"


def _clock(at: datetime | None) -> str:
    return f"{at:%H:%M:%S}" if at is not None else "--:--:--"


def _indented(text: str) -> str:
    return "\n".join(f"          {line}" for line in text.splitlines())
