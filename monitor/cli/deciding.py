"""What a person decides about a draft: the text is shown first, and only exactly that is approved."""

import asyncio
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from msgspec import Struct

from monitor.cli import texts
from monitor.cli.ordering import order_of
from monitor.cli.outcome import Code, fail
from monitor.commands import Order
from monitor.config import Config
from monitor.model import Verb
from monitor.notices.draft import sha256 as hashed


class Word(Struct, frozen=True):
    """What is said of exactly the text that was shown."""

    verb: Verb
    arguments: tuple[tuple[str, str], ...] = ()


APPROVED = Word(Verb.APPROVE)


def alone(reason: str) -> Word:
    """An approval by one person where two are asked for."""
    return Word(Verb.BREAK_GLASS, (("reason", reason),))


def approve(config: Config, draft_id: str, *, sha256: str, is_sure: bool, word: Word = APPROVED, by: str = "") -> None:
    """Show a draft, ask unless told that it is meant, and tell the daemon. Raises StoreError.

    `word` is another one where it is approved by one person alone, or tried once more.
    """
    shown = asyncio.run(texts.found(config, draft_id))
    hash_shown = hashed(shown.draft.text)
    if sha256 and sha256.lower() != hash_shown:
        fail(f"the text is not the one with that hash; look again: cexwatch drafts show {draft_id}")
    texts.tell(shown)
    if not sha256 and not is_sure:
        _ask()
    order = Order(verb=word.verb, subject=draft_id, text_sha256=hash_shown, arguments=dict(word.arguments))
    order_of(config, order, by=by)
    print(f"what became of it: cexwatch drafts show {draft_id}")


def edit(config: Config, draft_id: str, *, text: str | None, by: str = "") -> None:
    """Give a draft another text, and show what the linter has against that. Raises StoreError, OSError."""
    shown = asyncio.run(texts.found(config, draft_id))
    new = (_edited(shown.draft.text) if text is None else text).strip("\n")
    if not new.strip():
        fail("the text is empty: nothing was changed")
    if new == shown.draft.text:
        fail("the text is the same: nothing was changed")
    order_of(config, Order(verb=Verb.EDIT, subject=draft_id, arguments={"text": new}), by=by)
    texts.tell(asyncio.run(texts.found(config, draft_id)))


def _ask() -> None:
    if not sys.stdin.isatty():
        fail("nobody is here to ask: give --sha256 with the hash of the text, or --yes", code=Code.USAGE)
    if input("Approve exactly this text? [y/N] ").strip().lower() not in ("y", "yes"):
        fail("not approved")


def _edited(text: str) -> str:
    """What a person makes of a text in their editor."""
    editor = shlex.split(os.environ.get("VISUAL", os.environ.get("EDITOR", "vi")))
    with tempfile.TemporaryDirectory(prefix="cexwatch-") as folder:
        file = Path(folder) / "draft.txt"
        file.write_text(f"{text}\n", encoding="utf-8")
        ended = subprocess.run([*editor, str(file)], check=False)  # noqa: S603 - it is the person's own editor
        if ended.returncode:
            fail(f"{editor[0]} ended with {ended.returncode}: nothing was changed")
        return file.read_text(encoding="utf-8")
