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
from monitor.model import Command
from monitor.store import Store
from monitor.web import phrases


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`chain`: "decisions" or "people"."""

    at: datetime
    chain: str
    actor: str
    what: str
    subject: str = ""
    detail: str = ""
    role: str = ""
    door: str = ""
    text_sha256: str = ""


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
    broken = [f"decisions at entry {decisions}"] * (decisions is not None) + [f"people at {people}"] * (
        people is not None
    )
    if broken:
        fail(f"broken: {'; '.join(broken)}. What is there is not what was written")
    print("both chains hold")


async def show(config: Config, *, last: int) -> None:
    """Raises StoreError."""
    async with reading(config) as desk:
        lines = await _lines(desk.store)
    for line in lines[-last:]:
        by = f"{line.actor} ({line.role}, {line.door})" if line.role else line.actor
        words = " ".join(word for word in (line.what, line.subject, line.detail) if word)
        print(visible(f"{phrases.exact(line.at)}  {by}: {words}"))


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
    said = [entry.observation async for entry in store.entries() if type(entry.observation) is Command]
    lines = [_said(command) for command in said if type(command) is Command]
    lines += [
        Line(at=deed.at, chain="people", actor=deed.actor, what=deed.what, subject=deed.subject, detail=deed.detail)
        for deed in await store.people.deeds()
    ]
    return sorted(lines, key=lambda line: line.at)


def _said(command: Command) -> Line:
    return Line(
        at=command.at,
        chain="decisions",
        actor=command.actor,
        what=command.verb.replace("_", " "),
        subject=command.subject,
        detail=command.arguments.get("reason", ""),
        role=command.role,
        door=command.probe,
        text_sha256=command.text_sha256 or "",
    )


async def _heads(store: Store) -> list[Head]:
    heads = await store.people.heads()
    return [Head(chain=name, links=head.links, sha256=head.hash.hex()) for name, head in heads.items()]
