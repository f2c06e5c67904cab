"""Templates in a terminal: which there are, what is wrong with them, and how they read."""

import asyncio
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace
from rich.text import Text

from monitor.cli import screen
from monitor.cli.configured import configured
from monitor.cli.database import reading
from monitor.cli.judged import templates_of
from monitor.cli.outcome import Code, expected, fail
from monitor.cli.screen import indented, quiet, visible
from monitor.config import Channels, Config
from monitor.model import SUPPORT, Incident, IncidentKind, Notice, Role
from monitor.notices.draft import Facts, compose, speaks
from monitor.notices.facts import notice_of
from monitor.notices.templates import SHIPPED, key_of
from monitor.notices.trial import example, languages, problems, told
from monitor.notices.weight import LIMIT, price_usd, weighted_length
from monitor.store import StoreError

X = "x"
EXPIRY_SECONDS = 1200.0


class Own(Struct, frozen=True):
    """A person's templates by name, and the folder that they are in."""

    folder: Path | None
    templates: dict[str, str]


class Wanted(Struct, frozen=True, kw_only=True):
    """What to show; what is empty is as configured, and every notice."""

    incident: str
    notice: str
    language: str
    role: str


def templates_in(folder: Path | None, config: Path) -> Own:
    """Those of `folder`, else those that the configuration names. Ends the command where one cannot be read."""
    if folder is None:
        loaded = configured(config).config
        return Own(loaded.drafts.templates, templates_of(loaded))
    if not folder.is_dir():
        fail(f"{folder}: expected a folder of <role>/<notice>.j2", code=Code.USAGE)
    with expected(OSError, UnicodeDecodeError, code=Code.USAGE):
        files = {f"{file.parent.name}/{file.stem}": file.read_text() for file in sorted(folder.glob("*/*.j2"))}
    return Own(folder, files)


def list_all(own: Own) -> None:
    for name in sorted({*SHIPPED, *own.templates}):
        if name not in own.templates:
            print(f"{name}: shipped")
        else:
            print(f"{name}: {own.folder}/{name}.j2{', in place of ours' if name in SHIPPED else ''}")


def check(own: Own) -> None:
    """Print that all is well, or end the command with every problem, each with its file and line."""
    found = [f"{own.folder}/{name}.j2: {problem}" for name, problem in problems(own.templates, _channels())]
    if found:
        fail("\n".join(found))
    if not own.templates:
        print("ok: you have no templates, so the shipped ones are used")
        return
    print(f"ok: {len(own.templates):,} template{'' if len(own.templates) == 1 else 's'}")


def show(own: Own, wanted: Wanted, *, config: Path) -> None:
    """Print the drafts that `wanted` asks for."""
    loaded = configured(config).config
    notices = [_notice(wanted.notice)] if wanted.notice else list(Notice)
    role = _role(wanted.role) if wanted.role else loaded.role
    language = wanted.language or loaded.drafts.language
    known_languages = languages((*SHIPPED, *own.templates))
    if language not in known_languages:
        fail(f"--language: expected one of {', '.join(known_languages)}, got {language!r}", code=Code.USAGE)
    with expected(StoreError):
        known = asyncio.run(_incident(loaded, wanted.incident)) if wanted.incident else None
    for notice in notices:
        facts = example(notice) if known is None else _told(known, notice, loaded, is_asked=bool(wanted.notice))
        if facts is not None:
            _print(facts, notice, own, loaded, role=role, language=language)


def _print(facts: Facts, notice: Notice, own: Own, config: Config, *, role: Role, language: str) -> None:
    draft = compose(
        facts,
        incident="example",
        channel=SUPPORT if notice is Notice.SUPPORT else X,
        role=role,
        templates=own.templates,
        now=facts.detected_at,
        expiry_seconds=EXPIRY_SECONDS,
        language=language,
        sentences=config.drafts.sentences,
    )
    console = screen.out()
    weight = f"{weighted_length(draft.text)} of {LIMIT} weighted characters, ${price_usd(draft.text)} at X"
    long = f"{len(draft.text)} characters" if notice is Notice.SUPPORT else weight
    console.print(f"{key_of(role, notice, draft.language)}: {long}", soft_wrap=True)
    for problem in draft.problems:
        console.print(indented(Text(f"{problem.level} {problem.rule}: {visible(problem.message)}")))
    console.print(indented(Text(visible(draft.text))))
    if draft.english is not None:
        console.print(indented(quiet(f"in English: {visible(draft.english)}")))


def _told(incident: Incident, notice: Notice, config: Config, *, is_asked: bool) -> Facts | None:
    """An incident as that notice would tell it. Without being asked only the notice of its stage, and support's."""
    facts = Facts(
        exchange=incident.exchange,
        title=incident.exchange.capitalize(),
        kind=incident.holds or incident.kind,
        stage=incident.stage,
        scope=incident.scope,
        since=incident.since,
        detected_at=incident.opened_at,
        recovered_at=incident.recovered_at,
        resolved_at=incident.resolved_at,
        official_at=incident.official_at,
        evidence=incident.evidence,
        sources=tuple(dict.fromkeys(found.source for found in incident.evidence)),
        is_retracted=incident.retracted_by is not None,
        page=config.external_url,
    )
    is_maintenance = facts.kind is IncidentKind.MAINTENANCE
    own = replace(facts, notice=Notice.MAINTENANCE) if is_maintenance else facts
    if notice is Notice.SUPPORT or notice is notice_of(own):
        return own
    return told(notice, example(notice).stage, facts) if is_asked else None


async def _incident(config: Config, name: str) -> Incident:
    """Ends the command where there is none that speaks. Raises StoreError."""
    async with reading(config) as desk:
        found = await desk.store.incident(name)
    if found is None:
        fail(f"there is no incident {name!r}; `cexwatch incidents ls --all` lists them")
    if not speaks(found.kind):
        fail(f"an incident of the kind {found.kind} has no drafts")
    return found


def _notice(name: str) -> Notice:
    if name not in list(Notice):
        fail(f"--notice: expected one of {', '.join(Notice)}, got {name!r}", code=Code.USAGE)
    return Notice(name)


def _role(name: str) -> Role:
    if name not in list(Role):
        fail(f"--role: expected operator or observer, got {name!r}", code=Code.USAGE)
    return Role(name)


def _channels() -> tuple[str, ...]:
    return (*Channels.model_fields, X) if X not in Channels.model_fields else tuple(Channels.model_fields)
