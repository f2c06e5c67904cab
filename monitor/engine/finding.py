"""What a detector claims at this moment. Findings are levels, not edges: one is repeated for as long as it holds.

Missing data changes no finding: it neither begins nor ends one.
"""

from datetime import UTC, datetime

from msgspec import Struct

from monitor.model import Evidence, IncidentKind, Severity

NEVER = float("inf")
RESUMED = "resumed"
"""The unit of official words that say it is over."""


class Finding(Struct, frozen=True, kw_only=True):
    kind: IncidentKind
    severity: Severity
    scope: tuple[str, ...]
    summary: str
    since: float | None  # epoch seconds of its first sign; None: it was so when we first looked
    evidence: tuple[Evidence, ...]
    exchanges: tuple[str, ...] = ()  # of what concerns several: where it is so now


def told_by(evidence: Evidence) -> tuple[str, str, str | None]:
    """Who says it, and of what: whatever else of it changes, it is the same voice."""
    return evidence.probe, evidence.source, evidence.rail


def moment(seconds: float) -> datetime:
    """Epoch seconds as the aware UTC time that the model uses."""
    return datetime.fromtimestamp(seconds, UTC)
