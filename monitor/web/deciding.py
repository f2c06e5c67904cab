"""The one room behind every door: what a person says of a draft is checked, told to the engine, and answered.

The engine decides by its own rules; what is refused here already would be refused there too.
"""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Protocol

from msgspec import Struct

from monitor.clock import Clock
from monitor.model import Command, Draft, DraftState, PersonRole, PreApproval, Reply, Verb
from monitor.notices.approval import OPEN
from monitor.notices.difference import Piece, difference

BOUND = (Verb.APPROVE, Verb.BREAK_GLASS, Verb.EDIT)  # to exactly the text that was shown
GONE = (DraftState.SUPERSEDED, DraftState.EXPIRED)  # a newer one may have taken its place
DECIDED = {verb.value: verb for verb in (Verb.APPROVE, Verb.REJECT, Verb.EDIT, Verb.RETRY, Verb.BREAK_GLASS)}


class Drafts(Protocol):
    async def draft(self, draft_id: str) -> Draft | None: ...
    async def versions(self, draft: Draft) -> Sequence[Draft]: ...
    async def preapprovals(self) -> Sequence[PreApproval]: ...


class Speaker(Struct, frozen=True):
    """Who says it, and by which door."""

    name: str
    role: PersonRole
    door: str


class Word(Struct, frozen=True, kw_only=True):
    """What is said. `text_sha256` is of the text that was shown."""

    verb: Verb
    subject: str = ""
    text_sha256: str = ""
    text: str = ""
    reason: str = ""


class Outcome(Struct, frozen=True, kw_only=True):
    """`now`: the draft as it is. `diff` is there where it is not the one that was shown."""

    status: HTTPStatus
    detail: str
    now: Draft | None = None
    diff: Sequence[Piece] = ()


class Deciding:
    def __init__(self, store: Drafts, clock: Clock, ask: Callable[[Command], Awaitable[Reply]]) -> None:
        self._store = store
        self._clock = clock
        self._ask = ask

    async def draft(self, word: Word, speaker: Speaker) -> Outcome:
        """A word about a draft: 200, 404, 409 where it is not what was shown or not open, 403 for the role."""
        draft = await self._store.draft(word.subject)
        if draft is None:
            return Outcome(status=HTTPStatus.NOT_FOUND, detail=f"there is no draft {word.subject}")
        changed = await self._changed(draft, word) if word.verb in BOUND else None
        if changed is not None:
            return changed
        arguments = {name: text for name, text in (("text", word.text), ("reason", word.reason)) if text}
        reply = await self.say(
            Command(
                at=self._clock.now(),
                exchange=draft.exchange,
                probe=speaker.door,
                verb=word.verb,
                actor=speaker.name,
                role=speaker.role,
                subject=draft.id,
                arguments=arguments,
                text_sha256=word.text_sha256 or None,
            )
        )
        now = await self._store.draft(draft.id)
        if reply.ok:
            return Outcome(status=HTTPStatus.OK, detail=reply.message, now=now)
        return Outcome(status=status_of(reply), detail=reply.message, now=now)

    async def say(self, command: Command) -> Reply:
        """A word about something else, as it is."""
        return await self._ask(command)

    async def _changed(self, draft: Draft, word: Word) -> Outcome | None:
        """Whether somebody decides on what they did not see: then they are shown what has changed."""
        versions = await self._store.versions(draft)
        newest = next((each for each in reversed(versions) if each.state in OPEN), draft)
        now = newest if draft.state in GONE else draft
        if now.id == draft.id and now.text_sha256 == word.text_sha256:
            return None
        shown = next((each.text for each in versions if each.text_sha256 == word.text_sha256), "")
        expired = (
            f"what you saw expired at {draft.expires_at:%H:%M} UTC; draft {now.id} asks again, with the text shown here"
        )
        changed = f"the text has changed since you saw it; draft {now.id} says now what is shown here"
        detail = expired if draft.state is DraftState.EXPIRED else changed
        return Outcome(status=HTTPStatus.CONFLICT, detail=detail, now=now, diff=difference(shown, now.text))


def status_of(reply: Reply) -> HTTPStatus:
    """What a refusal of the engine is: of the role, or of how things stand."""
    return HTTPStatus.FORBIDDEN if " may not " in reply.message else HTTPStatus.CONFLICT
