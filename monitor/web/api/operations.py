"""All that can be asked. A row is an operation: its route and its part of docs/openapi.json follow from it."""

from http import HTTPStatus
from types import NoneType
from typing import Any

import msgspec

from monitor.model import PersonRole, Verb
from monitor.notices.approval import RULES
from monitor.web.api import daemon, decisions, drafts, exchanges, incidents, maintenance, reserves, words
from monitor.web.api.daemon import DaemonNow
from monitor.web.api.decisions import Done, Me, Said
from monitor.web.api.drafts import DraftsQuery
from monitor.web.api.exchanges import Detectors, ExchangeNow, Exchanges, Exits, Flows
from monitor.web.api.incidents import IncidentsQuery, TimelineQuery
from monitor.web.api.maintenance import Maintenance
from monitor.web.api.operation import Asked, Desk, NoQuery, Operation
from monitor.web.api.paging import Page
from monitor.web.api.reserves import Reserves, ReservesOfOne
from monitor.web.api.told import DraftTold, IncidentRow, IncidentTold, Step
from monitor.web.api.words import Heeded, Publishing, Reason, Silenced, Silencing, Why
from monitor.web.verdict import VerdictNow


async def document(desk: Desk, _: Asked[NoQuery, None]) -> msgspec.Raw:
    return msgspec.Raw(desk.document)


DECISIONS = {
    Verb.APPROVE: "Approve exactly the text that was shown",
    Verb.EDIT: "Give it another text; what was approved of the former one counts no more",
    Verb.REJECT: "Say that it is not to be published",
    Verb.RETRY: "Send once more what is surely not at its channel",
    Verb.BREAK_GLASS: "Approve alone where two are asked for, with a reason that everybody reads",
}

INCIDENTS = {
    Verb.ACKNOWLEDGE: "Say that you are on it",
    Verb.IDENTIFY: "Say that the cause is known",
    Verb.NOTE: "Tell others what they should know",
    Verb.RESOLVE: "Say that it is over, where no reading can tell",
    Verb.REOPEN: "Say that it was not over, within a day",
    Verb.RETRACT: "Say that it was a false alarm: what waits is withdrawn, and what was posted gets a correction",
}


def _roles(verb: Verb) -> tuple[PersonRole, ...]:
    rule = RULES[verb]
    return tuple(role for role in PersonRole if role in (*rule.roles, *rule.covered))


def _word(verb: Verb, about: str) -> Operation[NoQuery, Why, Heeded]:
    return Operation(
        method="POST",
        path=f"/incidents/{{id}}/{verb}",
        name=f"{verb}Incident",
        about=about,
        handle=words.annotating(verb),
        query=NoQuery,
        body=Why,
        answer=Heeded,
        roles=_roles(verb),
    )


def _decision(verb: Verb, about: str) -> Operation[NoQuery, Said, Done]:
    """Who may not by any rule is refused at the door; the rest the engine says."""
    return Operation(
        method="POST",
        path=f"/drafts/{{id}}/{verb}",
        name=f"{verb.replace('_', ' ').title().replace(' ', '')}Draft".replace(verb[0].upper(), verb[0], 1),
        about=about,
        handle=decisions.deciding(verb),
        query=NoQuery,
        body=Said,
        answer=Done,
        roles=_roles(verb),
    )


OPERATIONS: tuple[Operation[Any, Any, Any], ...] = (
    Operation(
        method="GET",
        path="/exchanges",
        name="listExchanges",
        about="The watched exchanges, the worst first: their state, since when, and who was paid last",
        handle=exchanges.listed,
        query=NoQuery,
        body=NoneType,
        answer=Exchanges,
        of_now=True,
    ),
    Operation(
        method="GET",
        path="/exchanges/{name}",
        name="getExchange",
        about="One exchange: its state, watched rails, networks with the last payment, detectors, windows and sources",
        handle=exchanges.one,
        query=NoQuery,
        body=NoneType,
        answer=ExchangeNow,
        of_now=True,
    ),
    Operation(
        method="GET",
        path="/exchanges/{name}/verdict",
        name="getVerdict",
        about="What a trading system asks before it sends money",
        handle=exchanges.verdict_now,
        query=NoQuery,
        body=NoneType,
        answer=VerdictNow,
        of_now=True,
    ),
    Operation(
        method="GET",
        path="/exchanges/{name}/detectors",
        name="getDetectors",
        about="How each statistic stands, what is usual, and what would fire",
        handle=exchanges.detectors,
        query=NoQuery,
        body=NoneType,
        answer=Detectors,
        of_now=True,
    ),
    Operation(
        method="GET",
        path="/exchanges/{name}/flows",
        name="getFlows",
        about="What its known addresses hold by network, and what came and left",
        handle=exchanges.flows,
        query=NoQuery,
        body=NoneType,
        answer=Flows,
        of_now=True,
    ),
    Operation(
        method="GET",
        path="/exchanges/{name}/exits",
        name="getExits",
        about="What of your own there can leave now, by which networks, and what is stuck",
        handle=exchanges.exits,
        query=NoQuery,
        body=NoneType,
        answer=Exits,
        of_now=True,
    ),
    Operation(
        method="GET",
        path="/reserves",
        name="listReserves",
        about="The ranking by what the addresses we know hold",
        handle=reserves.listed,
        query=NoQuery,
        body=NoneType,
        answer=Reserves,
        of_now=True,
    ),
    Operation(
        method="GET",
        path="/reserves/{name}",
        name="getReserves",
        about="One exchange of the ranking, with its balances by network",
        handle=reserves.one,
        query=NoQuery,
        body=NoneType,
        answer=ReservesOfOne,
        of_now=True,
    ),
    Operation(
        method="GET",
        path="/maintenance",
        name="listMaintenance",
        about="Announced maintenance, under way or to come, the next first",
        handle=maintenance.listed,
        query=NoQuery,
        body=NoneType,
        answer=Maintenance,
        of_now=True,
    ),
    Operation(
        method="GET",
        path="/incidents",
        name="listIncidents",
        about="Incidents, the newest first",
        handle=incidents.listed,
        query=IncidentsQuery,
        body=NoneType,
        answer=Page[IncidentRow],
    ),
    Operation(
        method="GET",
        path="/incidents/{id}",
        name="getIncident",
        about="One incident with its evidence in order of arrival, and how long each source says it lasted",
        handle=incidents.one,
        query=NoQuery,
        body=NoneType,
        answer=IncidentTold,
    ),
    Operation(
        method="GET",
        path="/incidents/{id}/timeline",
        name="getTimeline",
        about="Its transitions, the oldest first, each with the evidence that was new",
        handle=incidents.timeline,
        query=TimelineQuery,
        body=NoneType,
        answer=Page[Step],
    ),
    Operation(
        method="GET",
        path="/incidents/{id}/drafts",
        name="listDraftsOfIncident",
        about="Its drafts, the newest first",
        handle=drafts.of_incident,
        query=DraftsQuery,
        body=NoneType,
        answer=Page[DraftTold],
    ),
    Operation(
        method="GET",
        path="/drafts",
        name="listDrafts",
        about="Drafts, the newest first; for outsiders those that were posted",
        handle=drafts.listed,
        query=DraftsQuery,
        body=NoneType,
        answer=Page[DraftTold],
    ),
    Operation(
        method="GET",
        path="/drafts/{id}",
        name="getDraft",
        about="One draft",
        handle=drafts.one,
        query=NoQuery,
        body=NoneType,
        answer=DraftTold,
    ),
    *(_decision(verb, about) for verb, about in DECISIONS.items()),
    *(_word(verb, about) for verb, about in INCIDENTS.items()),
    Operation(
        method="POST",
        path="/hold",
        name="hold",
        about="Publish nothing until it is released",
        handle=words.hold,
        query=NoQuery,
        body=Reason,
        answer=Publishing,
        roles=_roles(Verb.HOLD),
    ),
    Operation(
        method="POST",
        path="/release",
        name="release",
        about="Publish again what is approved",
        handle=words.release,
        query=NoQuery,
        body=NoneType,
        answer=Publishing,
        roles=_roles(Verb.RELEASE),
    ),
    Operation(
        method="POST",
        path="/silences",
        name="silence",
        about="Send no notifications of what matches, for a while; it is judged and resolved as ever",
        handle=words.silence,
        query=NoQuery,
        body=Silencing,
        answer=Silenced,
        status=HTTPStatus.CREATED,
        roles=_roles(Verb.SILENCE),
    ),
    Operation(
        method="POST",
        path="/silences/{id}/expire",
        name="expireSilence",
        about="End a silence before its time",
        handle=words.expire,
        query=NoQuery,
        body=NoneType,
        answer=Silenced,
        roles=_roles(Verb.EXPIRE_SILENCE),
    ),
    Operation(
        method="GET",
        path="/me",
        name="getMe",
        about="Who is signed in, and the token that goes with whatever changes something",
        handle=decisions.me,
        query=NoQuery,
        body=NoneType,
        answer=Me,
        roles=tuple(PersonRole),
    ),
    Operation(
        method="GET",
        path="/daemon",
        name="getDaemon",
        about="The daemon and the head of its journal; told also while it does not turn",
        handle=daemon.now,
        query=NoQuery,
        body=NoneType,
        answer=DaemonNow,
    ),
    Operation(
        method="GET",
        path="/openapi.json",
        name="getOpenApi",
        about="This document",
        handle=document,
        query=NoQuery,
        body=NoneType,
        answer=msgspec.Raw,
    ),
)
