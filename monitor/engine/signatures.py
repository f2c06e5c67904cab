"""Texts signed beforehand: who signed, what for and until when. What they cover is said in `notices.preapproval`."""

from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from monitor.engine.finding import moment
from monitor.engine.state import Decided
from monitor.model import Approval, Command, IncidentKind, Output, PreApproval, Reply, Role, Verb
from monitor.notices.approval import forbidden
from monitor.notices.draft import sha256
from monitor.notices.preapproval import Wish, flaws

USUAL = timedelta(days=90)
LONGEST = timedelta(days=366)
REMEMBERED = timedelta(days=30)  # that a signature is over, and why


class Signatures:
    def __init__(self, exchange: str, decided: Decided) -> None:
        self.exchange = exchange
        self.decided = decided

    def obey(self, command: Command, *, role: Role, now: float) -> list[Output]:
        """A person signs a text, adds a signature to one, or takes one back. `role` is what texts speak as."""
        at = moment(now)
        self._forget(at)
        why = forbidden(command.verb, command.role)
        if why is not None:
            return [_no(why)]
        match command.verb:
            case Verb.SIGN if command.subject:
                return self._countersign(command, at)
            case Verb.SIGN:
                return self._sign(command, role, at)
            case _:
                return self._revoke(command, at)

    def _sign(self, command: Command, role: Role, at: datetime) -> list[Output]:
        try:
            wish = _wish(command, at)
        except (msgspec.ValidationError, ValueError) as error:
            return [_no(f"the signature cannot be read: {error}")]
        problems = flaws(wish, role=role)
        if command.text_sha256 != sha256(wish.text):
            problems.append(f"the text is not the one that was shown; its sha256 is {sha256(wish.text)}")
        if not at < wish.expires_at <= at + LONGEST:
            problems.append(f"a signature ends later than now and within {LONGEST.days} days")
        if problems:
            return [_no("; ".join(problems))]
        return self._keep(
            PreApproval(
                id=_named(self.exchange, wish, at),
                exchange=self.exchange,
                text=wish.text,
                text_sha256=sha256(wish.text),
                kinds=wish.kinds,
                rails=wish.rails,
                signed_at=at,
                expires_at=wish.expires_at,
                signatures=(_signature(command, sha256(wish.text), at),),
            ),
            "signed",
        )

    def _countersign(self, command: Command, at: datetime) -> list[Output]:
        signed = self.decided.signed.get(command.subject)
        if signed is None or signed.revoked_at is not None or at >= signed.expires_at:
            return [_no(f"no text {command.subject} waits for a signature")]
        if command.text_sha256 != signed.text_sha256:
            return [_no(f"the text is not the one that was shown; look at {signed.id} again")]
        if any(each.by == command.actor for each in signed.signatures):
            return [_no(f"{command.actor} signed it already: it needs another person")]
        given = _signature(command, signed.text_sha256, at)
        return self._keep(replace(signed, signatures=(*signed.signatures, given)), "signed")

    def _revoke(self, command: Command, at: datetime) -> list[Output]:
        signed = self.decided.signed.get(command.subject)
        if signed is None or signed.revoked_at is not None:
            return [_no(f"no text {command.subject} is signed")]
        return self._keep(replace(signed, revoked_by=command.actor, revoked_at=at), "revoked")

    def _keep(self, signed: PreApproval, word: str) -> list[Output]:
        self.decided.signed[signed.id] = signed
        return [signed, Reply(ok=True, message=f"{signed.id} is {word}, until {signed.expires_at:%Y-%m-%d %H:%M} UTC")]

    def _forget(self, at: datetime) -> None:
        signed = self.decided.signed
        for each in [each for each in signed.values() if (each.revoked_at or each.expires_at) < at - REMEMBERED]:
            del signed[each.id]


def _wish(command: Command, at: datetime) -> Wish:
    """Raises ValueError and msgspec.ValidationError for arguments that cannot be read."""
    told = command.arguments
    kinds = _words(told.get("kinds", "withdrawal_halt"))
    return Wish(
        text=told.get("text", ""),
        kinds=tuple(msgspec.convert(kinds, list[IncidentKind])),
        rails=tuple(_words(told.get("rails", "*"))),
        expires_at=_until(told.get("expires", ""), at),
    )


def _until(told: str, at: datetime) -> datetime:
    if not told:
        return at + USUAL
    until = datetime.fromisoformat(told)
    if until.tzinfo is None:
        raise ValueError("the end needs a time zone")
    return until


def _words(told: str) -> list[str]:
    return [word.strip() for word in told.split(",") if word.strip()]


def _signature(command: Command, text_sha256: str, at: datetime) -> Approval:
    return Approval(by=command.actor, at=at, role=command.role, text_sha256=text_sha256)


def _named(exchange: str, wish: Wish, at: datetime) -> str:
    parts = (exchange, wish.text, ",".join(wish.kinds), ",".join(wish.rails), at.isoformat())
    return f"p-{sha256('|'.join(parts))[:10]}"


def _no(message: str) -> Reply:
    return Reply(ok=False, message=message)
