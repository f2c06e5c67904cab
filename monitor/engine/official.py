"""The exchange's own words as evidence."""

from collections.abc import Sequence

from msgspec.structs import replace

from monitor.engine.finding import RESUMED
from monitor.engine.spans import spoken
from monitor.model import Evidence, Incident, Stage, Statement

LEAD_SECONDS = 3600.0  # official words this long before our detection still are about the same thing


def is_about_withdrawals(statement: Statement) -> bool:
    return statement.topic is not None or "withdraw" in statement.text.casefold()


def is_last(statement: Statement) -> bool:
    """They say that it is over."""
    return statement.stage is Stage.RESOLVED or statement.topic == "resumed"


def quote(statement: Statement) -> Evidence:
    """Words are evidence of no rail; those that end it have `RESUMED` for a unit."""
    return Evidence(
        at=statement.published_at,
        probe=statement.probe,
        source=statement.source,
        value=statement.text[:280],
        unit=RESUMED if is_last(statement) else None,
    )


def led(incident: Incident, statements: Sequence[Statement]) -> Incident:
    """Words that were said before we noticed belong to the incident too: then they knew first."""
    early = incident.opened_at.timestamp() - LEAD_SECONDS
    words = [
        s for s in statements if is_about_withdrawals(s) and not is_last(s) and s.published_at.timestamp() >= early
    ]
    if not words or incident.official_at is not None:
        return incident
    evidence = (*incident.evidence, *(quote(s) for s in words))
    return spoken(replace(incident, official_at=min(s.published_at for s in words), evidence=evidence))
