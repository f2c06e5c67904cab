"""A signed request to a server of yours: at least once, each time with the same key, by which it knows what it has.

The body is a template of yours, in a sandbox; the signature is over time and body, as with what is pushed to us.
"""

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from msgspec import Struct

from monitor.channels.channel import Receipt, posted
from monitor.clock import Clock
from monitor.http import Http
from monitor.model import Attempt, DeliveryOutcome, Draft, DraftState, FailureReason, RemoteError, Role, Stage

TIME_HEADER = "X-Cexwatch-Time"
SIGNATURE_HEADER = "X-Cexwatch-Signature"
KEY_HEADER = "Idempotency-Key"
LARGEST_BODY = 256 * 1024
LIMITED_SECONDS = 60.0  # where the server does not tell

_MOMENT = datetime(2026, 2, 3, 2, 21, tzinfo=UTC)
EXAMPLE = Draft(
    id="d-0123456789",
    incident="kraken-withdrawal_halt-20260203T022100Z",
    exchange="kraken",
    stage=Stage.INVESTIGATING,
    channel="webhook",
    role=Role.OBSERVER,
    text='Since 02:19 UTC we observe "all" withdrawals halted.\nNext update by 02:50 UTC.',
    text_sha256="0" * 64,
    state=DraftState.APPROVED,
    problems=(),
    created_at=_MOMENT,
    expires_at=_MOMENT + timedelta(minutes=20),
    claims="{}",
)
"""What a template is tried with before anything depends on it."""


class Hook(Struct, frozen=True, kw_only=True):
    url: str
    secret: str
    body: str  # Jinja
    content_type: str
    allow_private: bool


class BodyError(Exception):
    """The template of the body does not hold. The text says where."""


class WebhookChannel:
    name = "webhook"
    public = False

    def __init__(self, http: Http, clock: Clock, *, hook: Hook) -> None:
        self._http = http
        self._clock = clock
        self._hook = hook

    async def publish(self, draft: Draft, *, first: str | None) -> Receipt:
        """Send the body; any 2xx says that it arrived. Raises RemoteError where it may not have."""
        try:
            body = rendered(self._hook.body, draft, first=first)
        except BodyError as error:
            raise RemoteError(FailureReason.SHAPE, str(error), permanent=True) from error
        url, private = self._hook.url, self._hook.allow_private
        try:
            await self._http.post(url, body, headers=self._headers(draft, body), allow_private=private)
        except RemoteError as error:
            return self._limited(error)
        return posted(draft.id)

    async def find(self, attempt: Attempt, *, first: str | None) -> Receipt | None:
        """Nothing: it is sent again, and the server knows it by its key."""
        del attempt, first
        return None

    def _headers(self, draft: Draft, body: bytes) -> Mapping[str, str]:
        time = str(int(self._clock.now().timestamp()))
        return {
            "Content-Type": self._hook.content_type,
            KEY_HEADER: draft.id,
            TIME_HEADER: time,
            SIGNATURE_HEADER: signature(self._hook.secret, time=time, body=body),
        }

    def _limited(self, error: RemoteError) -> Receipt:
        """It lets us wait. Raises `error` where that is not what it says."""
        if error.reason is not FailureReason.RATE_LIMITED:
            raise error
        until = self._http.closed_until(self._hook.url)
        soon = self._clock.now() + timedelta(seconds=LIMITED_SECONDS)
        return Receipt(outcome=DeliveryOutcome.RATE_LIMITED, until=until or soon, reason=str(error))


def signature(secret: str, *, time: str, body: bytes) -> str:
    """HMAC-SHA256, in hex, over `<time>.<body>`, with the time in unix seconds."""
    return hmac.digest(secret.encode(), time.encode() + b"." + body, "sha256").hex()


def rendered(template: str, draft: Draft, *, first: str | None) -> bytes:
    """The body for a draft. Raises BodyError."""
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    try:
        text = environment.from_string(template).render(_words(draft, first=first))
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        raise BodyError(f"the template of the body: {error}") from error
    body = text.encode()
    if len(body) > LARGEST_BODY:
        raise BodyError(f"the template of the body: more than {LARGEST_BODY} bytes")
    return body


def _words(draft: Draft, *, first: str | None) -> dict[str, str]:
    return {
        "id": draft.id,
        "incident": draft.incident,
        "exchange": draft.exchange,
        "stage": str(draft.stage),
        "role": str(draft.role),
        "text": draft.text,
        "text_sha256": draft.text_sha256,
        "created_at": f"{draft.created_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "first": first or "",
    }
