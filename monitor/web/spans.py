"""How long an incident lasted by each source, and how long before or after us and their first word it knew."""

from datetime import datetime

from monitor.model import Incident, Span
from monitor.web.phrases import apart, clock, span

_NAMES = {
    "chain": "The chain",
    "queue": "The withdrawal queue",
    "flags": "Flags",
    "official": "Official words",
    "terms": "Terms",
}


def by_source(incident: Incident, now: datetime) -> list[str]:
    """ "The chain: from 14:00 UTC, 2 min before we told, 17 min before their first word; lasted 20 min", and so on."""
    return [_told(each, incident, now) for each in incident.spans if each.source in _NAMES]


def _told(each: Span, incident: Incident, now: datetime) -> str:
    name = _NAMES[each.source]
    if each.began_at is None:
        began = "from before we looked"
        lasted = "ended" if each.ended_at is not None else "goes on"
        at = f" at {clock(each.ended_at, now)}" if each.ended_at is not None else ""
        return f"{name}: {began}; {lasted}{at}"
    parts = [f"from {clock(each.began_at, now)}", f"{apart(each.began_at, incident.opened_at)} we told"]
    if incident.official_at is not None and each.source != "official":
        parts.append(f"{apart(each.began_at, incident.official_at)} their first word")
    return f"{name}: {', '.join(parts)}; {_lasted(each, each.began_at, incident, now)}"


def _lasted(each: Span, began_at: datetime, incident: Incident, now: datetime) -> str:
    if each.ended_at is not None:
        return f"lasted {span((each.ended_at - began_at).total_seconds())}"
    if incident.resolved_at is not None and each.source != "official":
        return "it had not ended when a person resolved it"
    if each.source == "official":
        return "they have not said that it is over"
    return f"goes on, {span((now - began_at).total_seconds())} so far"
