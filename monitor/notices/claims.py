"""What a text rests on: as long as it holds the text says all it must, and when it turns out untrue it is corrected."""

from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from monitor.model import IncidentKind, Notice, Stage
from monitor.notices.facts import EVERYTHING, Facts
from monitor.notices.templates import is_about_money

_STRENGTH = (IncidentKind.RAIL_SUSPENDED, IncidentKind.WITHDRAWALS_DEGRADED, IncidentKind.WITHDRAWAL_HALT)


class _Claims(msgspec.Struct, frozen=True, kw_only=True):
    """To the minute, as a text says it. A further source or reading makes no text untrue, so they are no claims."""

    kind: IncidentKind
    stage: Stage
    scope: list[str]
    since: datetime | None
    detected_at: datetime | None  # said only where `since` is not known
    recovered_at: datetime | None
    resolved_at: datetime | None
    official_at: datetime | None
    deposits_unaffected: bool
    trading_unaffected: bool
    notice: Notice | None = None  # where it is not that of the stage
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    money_since: datetime | None = None
    is_retracted: bool = False


def claims(facts: Facts) -> str:
    """What a draft from these facts rests on, as canonical JSON."""
    return msgspec.json.encode(_claims(facts)).decode()


def holds(said: str, facts: Facts) -> bool:
    """Whether a text that rests on `said` is still true and says all it must.

    That something is unaffected may become measured later; a text that does not say so is no less true, and asking an
    approver again at each flicker of a measurement would cost more than the sentence is worth.
    """
    old, new = _read(said), _claims(facts)
    if old.deposits_unaffected > new.deposits_unaffected or old.trading_unaffected > new.trading_unaffected:
        return False
    alike = replace(new, deposits_unaffected=old.deposits_unaffected, trading_unaffected=old.trading_unaffected)
    return alike == old


def is_untrue(said: str, facts: Facts) -> bool:
    """Whether a text said more than there is: wider, worse, earlier, or that nothing else is affected.

    What has recovered makes no text untrue; that is told by the next stage.
    """
    old, new = _read(said), _claims(facts)
    if new.is_retracted:
        return not old.is_retracted
    if new.recovered_at is not None or old.recovered_at is not None or old.notice is Notice.CORRECTION:
        return False
    if old.deposits_unaffected > new.deposits_unaffected or old.trading_unaffected > new.trading_unaffected:
        return True
    return _said_wider(old, new) or _said_worse(old, new) or _said_earlier(old, new)


def _said_wider(old: _Claims, new: _Claims) -> bool:
    return EVERYTHING not in new.scope and not set(old.scope) <= set(new.scope)


def _said_worse(old: _Claims, new: _Claims) -> bool:
    known = old.kind in _STRENGTH and new.kind in _STRENGTH
    return known and _STRENGTH.index(old.kind) > _STRENGTH.index(new.kind)


def _said_earlier(old: _Claims, new: _Claims) -> bool:
    return old.since is not None and new.since is not None and old.since < new.since


def _read(said: str) -> _Claims:
    return msgspec.json.decode(said, type=_Claims)


def _claims(facts: Facts) -> _Claims:
    whole = _Claims(
        kind=facts.kind,
        stage=facts.stage,
        scope=sorted(facts.scope),
        since=_minute(facts.since),
        detected_at=_minute(facts.detected_at) if facts.since is None else None,
        recovered_at=_minute(facts.recovered_at),
        resolved_at=_minute(facts.resolved_at),
        official_at=_minute(facts.official_at),
        deposits_unaffected=facts.deposits_unaffected,
        trading_unaffected=facts.trading_unaffected,
        notice=facts.notice,
        starts_at=_minute(facts.starts_at),
        ends_at=_minute(facts.ends_at),
        money_since=_minute(facts.money.since) if facts.money is not None else None,
        is_retracted=facts.is_retracted,
    )
    return _of_money(whole) if is_about_money(facts.kind) else whole


def _of_money(whole: _Claims) -> _Claims:
    """A statement says from when to when money moved, and stays true whatever becomes of its incident."""
    return replace(
        whole,
        kind=IncidentKind.CAMPAIGN,
        stage=Stage.INVESTIGATING,
        scope=[],
        since=None,
        detected_at=None,
        recovered_at=None,
        resolved_at=None,
        official_at=None,
        deposits_unaffected=False,
        trading_unaffected=False,
    )


def _minute(at: datetime | None) -> datetime | None:
    return None if at is None else at.astimezone(UTC).replace(second=0, microsecond=0)
