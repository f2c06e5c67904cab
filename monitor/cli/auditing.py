"""What people decided (commands of the journal) and did (accounts, sign-ins), in order of time."""

import asyncio
import sys
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from monitor.cli.database import reading
from monitor.cli.outcome import fail
from monitor.cli.screen import visible
from monitor.config import Config
from monitor.model import Command, Draft, Drill, Output, Transition, Verb
from monitor.notices.approval import RULES, forbidden
from monitor.store import Store
from monitor.web import phrases

LEADING = (
    *(verb for verb, rule in RULES.items() if rule.states),
    *(Verb.ACKNOWLEDGE, Verb.IDENTIFY, Verb.NOTE, Verb.RESOLVE, Verb.REOPEN, Verb.RETRACT, Verb.END_DRILL),
)
"""What leads to a draft or a transition of its subject, if it is heeded. Of the others only the role can tell."""


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`chain`: "decisions" or "people". `refused`: nothing came of it, as far as what is kept can tell."""

    at: datetime
    chain: str
    actor: str
    what: str
    subject: str = ""
    detail: str = ""
    role: str = ""
    door: str = ""
    text_sha256: str = ""
    refused: bool = False


class Head(Struct, frozen=True, kw_only=True):
    chain: str
    links: int
    sha256: str


async def verify(config: Config) -> None:
    """Raises StoreError."""
    async with reading(config) as desk:
        decisions, people = await desk.store.verify_audit(), await desk.store.people.verify()
        heads = await _heads(desk.store)
    for head in heads:
        print(f"{head.chain}: {head.links} links, the last is {head.sha256}")
    places = {"decisions at journal entry": decisions, "people at link": people}
    broken = [f"{place} {number}" for place, number in places.items() if number is not None]
    if broken:
        fail(
            f"broken: {'; '.join(broken)}. A row there was changed, added or removed since it was written; "
            "what is before it holds. Keep a copy of the database before you do anything else"
        )
    print("both chains hold")


async def show(config: Config, *, last: int) -> None:
    """Raises StoreError."""
    async with reading(config) as desk:
        lines = await _lines(desk.store)
    for line in lines[-last:]:
        by = f"{line.actor} ({line.role}, {line.door})" if line.role else line.actor
        words = " ".join(word for word in (line.what, line.subject, phrases.shortened(line.detail, 100)) if word)
        refused = " [refused]" if line.refused else ""
        print(visible(f"{phrases.exact(line.at)}  {by}: {words}{refused}"))


async def export(config: Config, out: Path) -> None:
    """Raises StoreError and OSError."""
    async with reading(config) as desk:
        found: list[Line | Head] = [*await _lines(desk.store), *await _heads(desk.store)]
    body = b"".join(msgspec.json.encode(line) + b"\n" for line in found)
    if str(out) == "-":
        sys.stdout.write(body.decode())
    else:
        await asyncio.to_thread(out.write_bytes, body)


async def _lines(store: Store) -> list[Line]:
    led = {(seq, _subject(output)) for seq, output in await store.outputs(after=0)}
    entries = [entry async for entry in store.entries() if type(entry.observation) is Command]
    lines = [
        _said(said, is_idle=said.verb in LEADING and (entry.seq, said.subject) not in led)
        for entry in entries
        if type(said := entry.observation) is Command
    ]
    lines += [
        Line(at=deed.at, chain="people", actor=deed.actor, what=deed.what, subject=deed.subject, detail=deed.detail)
        for deed in await store.people.deeds()
    ]
    return sorted(lines, key=lambda line: line.at)


def _subject(output: Output) -> str:
    match output:
        case Transition():
            return output.incident
        case Draft():
            return output.id
        case Drill():
            return output.incident.id
        case _:
            return ""


def _said(command: Command, *, is_idle: bool) -> Line:
    return Line(
        at=command.at,
        chain="decisions",
        actor=command.actor,
        what=command.verb.replace("_", " "),
        subject=command.subject,
        detail=command.arguments.get("reason", command.arguments.get("text", "")),
        role=command.role,
        door=command.probe,
        text_sha256=command.text_sha256 or "",
        refused=forbidden(command.verb, command.role, covered=True) is not None or is_idle,
    )


async def _heads(store: Store) -> list[Head]:
    heads = await store.people.heads()
    return [Head(chain=name, links=head.links, sha256=head.hash.hex()) for name, head in heads.items()]
