"""Incidents in a terminal: in short, and whole with timeline and evidence."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.text import Text

from monitor.cli import screen
from monitor.cli.database import reading
from monitor.cli.outcome import fail
from monitor.cli.screen import STYLES, indented, marked, quiet, visible
from monitor.config import Config
from monitor.model import Draft, Incident, Stage, Transition
from monitor.web import cases, phrases, rollup, spans
from monitor.web.cases import Step
from monitor.web.phrases import Mark

ALL = 1_000
WORDS_CHARACTERS = 500


class Listed(Struct, frozen=True):
    generated_at: datetime
    incidents: Sequence[Incident]


class Shown(Struct, frozen=True):
    generated_at: datetime
    incident: Incident
    who_knew_first: str
    their_words: str
    part_of: str
    transitions: Sequence[Transition]
    drafts: Sequence[Draft]
    under_it: Sequence[str]


async def ls(config: Config, *, everything: bool, as_json: bool) -> None:
    """Print the open incidents, or all. Raises StoreError."""
    async with reading(config) as desk:
        found = await desk.store.incidents(open_only=not everything, limit=ALL)
    opened = cases.open_incidents(found)
    incidents = [*opened, *(incident for incident in found if incident.resolved_at is not None)]
    if as_json:
        _print_json(Listed(desk.now, incidents))
        return
    console = screen.out()
    if not opened:
        console.print("no open incident")
    for place, incident in enumerate(incidents):
        if place:
            console.print()
        _tell(console, incident, opened, desk.now)


async def show(config: Config, incident_id: str, *, as_json: bool) -> None:
    """Print an incident. Ends the command where there is none. Raises StoreError."""
    async with reading(config) as desk:
        incident = await desk.store.incident(incident_id)
        if incident is None:
            fail(f"there is no incident {incident_id!r}; `cexwatch incidents ls --all` lists them")
        transitions = await desk.store.transitions(incident_id)
        drafts = [draft for draft in await desk.store.drafts(limit=ALL) if draft.incident == incident_id]
        opened = await desk.store.incidents(open_only=True, limit=ALL)
        part, beneath = rollup.part_of(incident, opened), rollup.beneath(incident, opened)
    knew = phrases.who_knew(incident, desk.now)
    shown = Shown(desk.now, incident, knew, phrases.their_words(incident), part, transitions, drafts, beneath)
    if as_json:
        _print_json(shown)
    else:
        _show(screen.out(), shown)


def _print_json(value: Listed | Shown) -> None:
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def _tell(console: Console, incident: Incident, opened: Sequence[Incident], now: datetime) -> None:
    console.print(_heading(incident))
    said = phrases.shortened(incident.summary, WORDS_CHARACTERS)
    knew, part = phrases.who_knew(incident, now), rollup.part_of(incident, opened)
    told = (_age(incident, now), said, cases.stale(incident, now), knew, part, *rollup.beneath(incident, opened))
    for line in told:
        if line:
            console.print(indented(Text(line)))
    console.print(indented(quiet(f"cexwatch incidents show {incident.id}")), soft_wrap=True)


def _heading(incident: Incident) -> Text:
    severity = Mark(incident.severity.upper(), phrases.SEVERITY_TONES[incident.severity])
    exchange = rollup.whose(incident)
    heading = marked(severity).append(f"  {exchange}  {phrases.worded(incident.kind)}  ", "bold")
    heading.append_text(marked(Mark(incident.stage, phrases.STAGE_TONES[incident.stage])))
    if incident.retracted_by is not None:
        heading.append(f"  false alarm, says {visible(incident.retracted_by)}")
    if incident.acknowledged_by is not None:
        heading.append(f"  acknowledged by {visible(incident.acknowledged_by)}")
    return heading


def _age(incident: Incident, now: datetime) -> str:
    if incident.resolved_at is not None:
        lasted = (incident.resolved_at - incident.opened_at).total_seconds()
        return f"opened {phrases.exact(incident.opened_at)}, lasted {phrases.span(lasted)}"
    return f"{cases.opened(incident, now)}, opened {phrases.ago(incident.opened_at, now)}"


def _show(console: Console, shown: Shown) -> None:
    incident, now = shown.incident, shown.generated_at
    console.print(_heading(incident))
    for line in (
        phrases.shortened(incident.summary, WORDS_CHARACTERS),
        shown.who_knew_first,
        shown.their_words,
        cases.stale(incident, now),
        shown.part_of,
        *(f"Under it: {each}" for each in shown.under_it),
    ):
        if line:
            console.print(line)
    console.print(f"\n{'scope':<14} {cases.scope(incident)}")
    for name, at in cases.instants(incident).items():
        console.print(f"{name:<14} {_instant(name, at, incident)}")
    if incident.spans:
        console.print(Text("\nhow long, by source", "dim"))
    for line in spans.by_source(incident, now):
        console.print(line)
    console.print(Text("\nwhat happened", "dim"))
    for step in cases.steps(shown.transitions):
        _show_step(console, step)
    if incident.notes:
        console.print(Text("\nnotes", "dim"))
    for written in incident.notes:
        console.print(visible(written))
    if shown.drafts:
        console.print(Text("\ndrafts", "dim"))
    for draft in shown.drafts:
        fields = (draft.id, draft.stage, f"for {draft.channel}", draft.state, cases.expiry(draft, now).text)
        console.print("  ".join(phrases.worded(field) for field in fields).rstrip())


def _instant(name: str, at: datetime | None, incident: Incident) -> str:
    if at is not None:
        return phrases.exact(at)
    if name == "first sign":
        return "before we looked"
    return "none" if incident.stage is Stage.RESOLVED else "not yet"


def _show_step(console: Console, step: Step) -> None:
    transition = step.transition
    when = Text(f"{phrases.exact(transition.at)}  ")
    console.print(when.append(transition.transition, STYLES[phrases.SEVERITY_TONES[transition.severity]]))
    console.print(indented(Text(phrases.shortened(transition.summary, WORDS_CHARACTERS)), by=4))
    for found in step.findings:
        rails = f", {', '.join(found.rails)}" if found.rails else ""
        told = f"{found.at:%H:%M:%S} {phrases.source(found.source)}{rails}: {found.reading}"
        line = Text(phrases.shortened(told, WORDS_CHARACTERS))
        console.print(indented(line.append_text(quiet(f"  {found.probe}")), by=4))
