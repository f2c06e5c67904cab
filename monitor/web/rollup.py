"""Which incidents belong together: what an exchange has closed may be a network that is closed at many."""

from collections.abc import Iterable

from monitor.model import Incident, IncidentKind, Stage

_SETTLING = (Stage.MONITORING, Stage.RESOLVED)


def explained(incident: Incident, others: Iterable[Incident]) -> list[Incident]:
    """The open network incidents that all of an exchange's incident is part of; none where something else is closed.

    A whole exchange is never explained by a network, nor is who is left alone an hour after the others reopened.
    """
    if not incident.exchange or not incident.scope or not all("@" in rail for rail in incident.scope):
        return []
    networks = {each.subject: each for each in others if _concerns(each, incident.exchange)}
    needed = sorted({rail.partition("@")[2] for rail in incident.scope})
    return [networks[name] for name in needed] if all(name in networks for name in needed) else []


def part_of(incident: Incident, others: Iterable[Incident]) -> str:
    """ "Part of a network incident: ethereum is closed at 4 exchanges: ...", or ""."""
    networks = explained(incident, others)
    return f"Part of a network incident: {'; '.join(each.summary for each in networks)}" if networks else ""


def whose(incident: Incident) -> str:
    """The exchange; what it is about where that is none."""
    if incident.kind is IncidentKind.NETWORK_INCIDENT:
        return "several exchanges" if len(incident.exchanges) > 1 else ", ".join(incident.exchanges)
    return incident.exchange or "this vantage"


def _concerns(network: Incident, exchange: str) -> bool:
    is_open = network.kind is IncidentKind.NETWORK_INCIDENT and network.stage not in _SETTLING
    return is_open and exchange in network.exchanges
