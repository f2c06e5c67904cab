"""What a person decides of a draft. The first answer under a key is the answer, however often it is asked."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from msgspec import Struct

from monitor.model import DraftState, PersonRole, Verb
from monitor.web.api.operation import Asked, Desk, NoQuery
from monitor.web.api.problem import RefusedError, Shown
from monitor.web.deciding import Outcome, Speaker, Word

DOOR = "api"


class Said(Struct, frozen=True, forbid_unknown_fields=True):
    """`text_sha256` is of the text that was shown. `text` is for an edit, `reason` for who approves alone."""

    text_sha256: str = ""
    text: str = ""
    reason: str = ""


class Done(Struct, frozen=True, kw_only=True):
    draft: str
    state: DraftState
    text_sha256: str
    approvals: int
    message: str


class Me(Struct, frozen=True, kw_only=True):
    """`csrf` goes into the header X-CSRF-Token of whatever changes something."""

    name: str
    role: PersonRole
    csrf: str


async def me(_: Desk, asked: Asked[NoQuery, None]) -> Me:
    visitor = asked.visitor
    if visitor.role is None:
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "sign in first")
    return Me(name=visitor.name, role=visitor.role, csrf=visitor.csrf)


def deciding(verb: Verb) -> Callable[[Desk, Asked[NoQuery, Said]], Awaitable[Done]]:
    """The handler for one verb."""

    async def decide(desk: Desk, asked: Asked[NoQuery, Said]) -> Done:
        said, visitor = asked.body, asked.visitor
        if visitor.role is None:
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "sign in first")
        word = Word(
            verb=verb, subject=asked.path["id"], text_sha256=said.text_sha256, text=said.text, reason=said.reason
        )
        return _done(await desk.decide(word, Speaker(visitor.name, visitor.role, DOOR)))

    return decide


def _done(outcome: Outcome) -> Done:
    now = outcome.now
    if outcome.status is HTTPStatus.OK and now is not None:
        return Done(
            draft=now.id,
            state=now.state,
            text_sha256=now.text_sha256,
            approvals=len(now.approvals),
            message=outcome.detail,
        )
    shown = Shown(draft=now.id, text=now.text, text_sha256=now.text_sha256, diff=outcome.diff) if now else None
    raise RefusedError(outcome.status, outcome.detail, shown=shown)
