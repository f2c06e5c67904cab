"""Drafts in a terminal. A text is shown exactly: what a person approves is the hash of these characters."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.text import Text

from monitor.cli import screen
from monitor.cli.database import reading
from monitor.cli.outcome import fail
from monitor.cli.screen import indented, marked, quiet, visible
from monitor.config import Config
from monitor.model import SUPPORT, Draft, DraftState
from monitor.notices.difference import Part, difference
from monitor.notices.templates import SUPPORT_LIMIT
from monitor.notices.weight import LIMIT, price_usd, weighted_length
from monitor.web import cases, phrases
from monitor.web.phrases import Mark, Tone

ALL = 1_000
TEXT_CHARACTERS = 110
RULE = 60
_STANDING = (DraftState.PENDING, DraftState.APPROVED)
_MARKS = {Part.KEPT: ("", "", ""), Part.REMOVED: ("[-", "-]", "red"), Part.ADDED: ("{+", "+}", "green")}


class Listed(Struct, frozen=True):
    generated_at: datetime
    held: bool
    drafts: Sequence[Draft]


class Shown(Struct, frozen=True):
    generated_at: datetime
    held: bool
    draft: Draft
    before: Draft | None = None  # that it replaces
    support: Draft | None = None  # the answer for users that goes with it


async def ls(config: Config, *, everything: bool, as_json: bool) -> None:
    """Print the drafts that need a person or are on their way, or all. Raises StoreError."""
    async with reading(config) as desk:
        drafts = await desk.store.drafts(limit=ALL)
        shown = drafts if everything else [draft for draft in drafts if cases.is_open(draft, desk.now)]
        listed = Listed(desk.now, await desk.store.held(), shown)
    if as_json:
        _print_json(listed)
        return
    console = screen.out()
    _tell_hold(console, held=listed.held)
    if not shown:
        console.print("no draft" if everything else "no draft waits for a person")
    for draft in shown:
        console.print(_heading(draft))
        console.print(indented(_chances(draft, listed.generated_at)))
        for line in cases.at_its_channel(draft):
            console.print(indented(Text(visible(line))))
        console.print(indented(quiet(phrases.shortened(draft.text, TEXT_CHARACTERS))))


async def found(config: Config, draft_id: str) -> Shown:
    """A draft as it is now. Ends the command where there is none. Raises StoreError."""
    async with reading(config) as desk:
        draft = await desk.store.draft(draft_id)
        if draft is None:
            fail(f"there is no draft {draft_id!r}; `cexwatch drafts ls --all` lists them")
        before = await desk.store.draft(draft.replaces) if draft.replaces is not None else None
        others = await desk.store.drafts(limit=ALL)
        mine = [d for d in others if d.incident == draft.incident and d.channel == SUPPORT]
        answers = [d for d in mine if d.state in _STANDING]
        support = answers[0] if answers and draft.channel != SUPPORT else None
        return Shown(desk.now, await desk.store.held(), draft, before, support)


async def show(config: Config, draft_id: str, *, as_json: bool) -> None:
    """Print a draft whole. Raises StoreError."""
    shown = await found(config, draft_id)
    if as_json:
        _print_json(shown)
        return
    tell(shown)
    if shown.draft.state is DraftState.PENDING and shown.draft.channel != SUPPORT:
        console = screen.out()
        for verb in ("approve", "edit", "reject"):
            console.print(f"cexwatch drafts {verb} {draft_id}", soft_wrap=True)
    elif shown.draft.searched and shown.draft.state is DraftState.UNKNOWN_OUTCOME:
        screen.out().print(f"cexwatch drafts retry {draft_id}", soft_wrap=True)


def tell(shown: Shown) -> None:
    """The draft, all that speaks against it, its exact text and the hash of that."""
    console, draft = screen.out(), shown.draft
    _tell_hold(console, held=shown.held)
    console.print(_heading(draft))
    console.print(_chances(draft, shown.generated_at))
    console.print(quiet(draft.incident), soft_wrap=True)
    for problem in draft.problems:
        mark = Mark(problem.level, Tone.BAD if problem.level == "error" else Tone.WARNING)
        console.print(marked(mark).append(f" {problem.rule}: {visible(problem.message)}", "default"))
    for each in draft.approvals:
        console.print(f"approved by {visible(each.by)}, {each.role}, at {phrases.exact(each.at)}")
    if draft.glass:
        console.print(f"approved by one person alone: {visible(draft.glass)}")
    if draft.covered is not None:
        console.print(f"word for word the signed text {draft.covered.preapproval}")
    if draft.decided_by is not None and draft.decided_at is not None:
        verb = "edited" if draft.state is DraftState.PENDING else "decided"
        console.print(f"{verb} by {visible(draft.decided_by)} at {phrases.exact(draft.decided_at)}")
    for line in cases.at_its_channel(draft):
        console.print(visible(line), soft_wrap=True)
    if draft.remote_id is not None:
        console.print(f"posted as {visible(draft.remote_id)}", soft_wrap=True)
    console.print(quiet("-" * RULE))
    console.print(Text(visible(draft.text)), soft_wrap=True)
    console.print(quiet("-" * RULE))
    console.print(f"sha256 {draft.text_sha256}", soft_wrap=True)
    console.print(quiet(_weight(draft)))
    for title, text in _beside(shown):
        console.print(quiet(title))
        console.print(indented(text))


def _beside(shown: Shown) -> Iterator[tuple[str, Text]]:
    """What else a person wants to see before deciding: the English twin, what changed, what support answers."""
    draft = shown.draft
    if draft.english is not None:
        yield f"in English (the {draft.language} text is what is posted):", Text(visible(draft.english))
    if draft.corrects is not None:
        yield "corrects:", Text(draft.corrects)
    if shown.before is not None:
        same = shown.before.text == draft.text
        changed = Text("the same text") if same else _changed(shown.before.text, draft.text)
        yield f"against {shown.before.id}, which it replaces:", changed
    if shown.support is not None:
        yield f"for support ({shown.support.id}):", Text(visible(shown.support.text))


def _changed(before: str, after: str) -> Text:
    """Both texts in one; what went is in [-...-] and what came in {+...+}, so that it reads without colours."""
    told = Text()
    for piece in difference(before, after):
        opening, closing, style = _MARKS[piece.part]
        told.append(f"{opening}{visible(piece.text)}{closing}", style)
    return told


def _weight(draft: Draft) -> str:
    if draft.channel == SUPPORT:
        return f"{len(draft.text)} of {SUPPORT_LIMIT} characters"
    return f"{weighted_length(draft.text)} of {LIMIT} weighted characters; at X ${price_usd(draft.text)}"


def _tell_hold(console: Console, *, held: bool) -> None:
    if held:
        console.print(
            Text("Publishing is held: nothing is posted until `cexwatch release`.", screen.STYLES[Tone.WARNING])
        )


def _heading(draft: Draft) -> Text:
    heading = Text(draft.id, "bold").append("  ", "default")
    heading.append_text(marked(Mark(phrases.worded(draft.state), phrases.DRAFT_TONES[draft.state])))
    return heading.append(
        f"  {draft.exchange}, {phrases.worded(draft.notice)}, for {draft.channel}, as {draft.role}", "default"
    )


def _chances(draft: Draft, now: datetime) -> Text:
    """What the linter says of it, and how long it can be approved."""
    chances = Text("lint: ").append_text(marked(cases.lint(draft)))
    expiry = cases.expiry(draft, now)
    return chances.append("; ").append_text(screen.celled(expiry, joint=", at ")) if expiry.text else chances


def _print_json(value: Listed | Shown) -> None:
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
