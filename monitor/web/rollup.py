"""Which incidents belong together, in words: what an exchange has closed may be a network that is closed at many."""

from collections.abc import Iterable

from monitor.model import Incident, IncidentKind
from monitor.model.rollup import causes, networks, under
from monitor.web.phrases import clock, worded

explained = networks


def part_of(incident: Incident, others: Iterable[Incident]) -> str:
    """ "Part of a network incident: ethereum is closed at 4 exchanges: ...", or ""."""
    found = causes(incident, others)
    if not found:
        return ""
    kind = "a network incident" if found[0].kind is IncidentKind.NETWORK_INCIDENT else "our own outage"
    return f"Part of {kind}: {'; '.join(each.summary for each in found)}"


def beneath(incident: Incident, others: Iterable[Incident]) -> list[str]:
    """What is shown under an incident, one line each: "kraken: rail suspended, investigating since 14:02 UTC"."""
    found = under(incident, others)
    return [
        f"{each.exchange}: {worded(each.kind)}, {each.stage} since {clock(each.opened_at, incident.updated_at)}"
        for each in found
    ]


def whose(incident: Incident) -> str:
    """The exchange; what it is about where that is none."""
    if incident.kind is IncidentKind.NETWORK_INCIDENT:
        return "several exchanges" if len(incident.exchanges) > 1 else ", ".join(incident.exchanges)
    return incident.exchange or "this vantage"
