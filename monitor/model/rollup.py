"""One outage is told once: what of ours or of the world's explains an incident, the widest first.

Ourselves, then networks, then the exchange. What is explained is judged, kept and resolved as ever; only that another
notification is created for it is left out. A whole exchange is never explained by a network.
"""

from collections.abc import Iterable

from monitor.model.conclusion import Incident
from monitor.model.words import IncidentKind, Stage

_SETTLING = (Stage.MONITORING, Stage.RESOLVED)
_OUR_OWN_TRUTH = "queue"
"""The source that tells of withdrawals whether or not we can see anything outside."""


def causes(incident: Incident, others: Iterable[Incident]) -> list[Incident]:
    """The open incidents that all of an exchange's incident follows from; none where something else is wrong."""
    others = list(others)
    return [each for each in others if _blinds(each, incident)] or networks(incident, others)


def networks(incident: Incident, others: Iterable[Incident]) -> list[Incident]:
    """The open network incidents that all of an exchange's incident is part of; none where something else is closed.

    Who is left alone an hour after the others reopened is part of none.
    """
    if not incident.exchange or not incident.scope or not all("@" in rail for rail in incident.scope):
        return []
    known = {each.subject: each for each in others if _concerns(each, incident.exchange)}
    needed = sorted({rail.partition("@")[2] for rail in incident.scope})
    return [known[name] for name in needed] if all(name in known for name in needed) else []


def under(cause: Incident, others: Iterable[Incident]) -> list[Incident]:
    """The open incidents that an incident explains, by exchange: they are shown under it."""
    others = list(others)
    found = [each for each in others if each.stage is not Stage.RESOLVED and cause in causes(each, others)]
    return sorted(found, key=lambda each: (each.exchange, each.opened_at))


def _concerns(network: Incident, exchange: str) -> bool:
    is_open = network.kind is IncidentKind.NETWORK_INCIDENT and network.stage not in _SETTLING
    return is_open and exchange in network.exchanges


def _blinds(blind: Incident, incident: Incident) -> bool:
    """We could not see when it began, and nothing that needs no sight tells of it."""
    is_blind = blind.kind is IncidentKind.BLIND and blind.stage not in _SETTLING
    if not is_blind or not incident.exchange or incident.opened_at < blind.opened_at:
        return False
    return all(evidence.source != _OUR_OWN_TRUTH for evidence in incident.evidence)
