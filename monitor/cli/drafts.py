"""`cexwatch drafts`, `cexwatch hold` and `cexwatch release`."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import CONFIG, AsOption, ConfigOption, JsonOption

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

DraftId = Annotated[str, typer.Argument(metavar="ID", help="As `drafts ls` shows it.")]


@app.callback()
def drafts() -> None:
    """See drafts and decide on them."""


@app.command("ls")
def list_drafts(
    everything: Annotated[bool, typer.Option("--all", help="Decided ones too.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = CONFIG,
) -> None:
    """List what waits for a person."""
    import asyncio

    from monitor.cli.configured import configured
    from monitor.cli.outcome import expected
    from monitor.cli.texts import ls
    from monitor.store import StoreError

    loaded = configured(config).config
    with expected(StoreError):
        asyncio.run(ls(loaded, everything=everything, as_json=as_json))


@app.command("show")
def show_draft(draft: DraftId, as_json: JsonOption = False, config: ConfigOption = CONFIG) -> None:
    """Show the exact text, its hash and what speaks against it."""
    import asyncio

    from monitor.cli.configured import configured
    from monitor.cli.outcome import expected
    from monitor.cli.texts import show
    from monitor.store import StoreError

    loaded = configured(config).config
    with expected(StoreError):
        asyncio.run(show(loaded, draft, as_json=as_json))


@app.command("approve")
def approve(
    draft: DraftId,
    sha256: Annotated[
        str, typer.Option(metavar="HEX", help="Approve only the text with this hash, and do not ask.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    break_glass: Annotated[
        str, typer.Option("--break-glass", metavar="REASON", help="Approve alone where two are asked for.")
    ] = "",
    by: AsOption = "",
    config: ConfigOption = CONFIG,
) -> None:
    """Publish exactly the text that is shown."""
    from monitor.cli.configured import configured
    from monitor.cli.deciding import APPROVED, alone, approve
    from monitor.cli.outcome import expected
    from monitor.store import StoreError

    loaded = configured(config).config
    with expected(StoreError):
        word = alone(break_glass) if break_glass else APPROVED
        approve(loaded, draft, sha256=sha256, is_sure=yes, word=word, by=by)


@app.command("edit")
def edit(
    draft: DraftId,
    text: Annotated[str | None, typer.Option(metavar="TEXT", help="The new text.")] = None,
    file: Annotated[Path | None, typer.Option(metavar="FILE", help="A file with the new text.")] = None,
    by: AsOption = "",
    config: ConfigOption = CONFIG,
) -> None:
    """Change a text, in $EDITOR where none is given."""
    from monitor.cli.configured import configured
    from monitor.cli.deciding import edit
    from monitor.cli.outcome import Code, expected, fail
    from monitor.store import StoreError

    if text is not None and file is not None:
        fail("either --text or --file, not both", code=Code.USAGE)
    loaded = configured(config).config
    with expected(StoreError, OSError, UnicodeDecodeError):
        edit(loaded, draft, text=file.read_text() if file is not None else text, by=by)


@app.command("reject")
def reject(draft: DraftId, by: AsOption = "", config: ConfigOption = CONFIG) -> None:
    """Say that a text is not to be published."""
    from monitor.cli.ordering import give
    from monitor.commands import Order
    from monitor.model import Verb

    give(config, Order(verb=Verb.REJECT, subject=draft), by=by)


@app.command("retry")
def retry(
    draft: DraftId,
    sha256: Annotated[str, typer.Option(metavar="HEX", help="Send only the text with this hash, and do not ask.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    by: AsOption = "",
    config: ConfigOption = CONFIG,
) -> None:
    """Send once more what was surely not found at its channel."""
    from monitor.cli.configured import configured
    from monitor.cli.deciding import Word, approve
    from monitor.cli.outcome import expected
    from monitor.model import Verb
    from monitor.store import StoreError

    loaded = configured(config).config
    with expected(StoreError):
        approve(loaded, draft, sha256=sha256, is_sure=yes, word=Word(Verb.RETRY), by=by)


def hold(
    reason: Annotated[str, typer.Argument(metavar="REASON", help="What others should know of it.")] = "",
    by: AsOption = "",
    config: ConfigOption = CONFIG,
) -> None:
    """Publish nothing until `release`."""
    from monitor.cli.ordering import give
    from monitor.commands import Order
    from monitor.model import Verb

    give(config, Order(verb=Verb.HOLD, arguments={"text": reason}), by=by)


def release(by: AsOption = "", config: ConfigOption = CONFIG) -> None:
    """Publish again what is approved."""
    from monitor.cli.ordering import give
    from monitor.commands import Order
    from monitor.model import Verb

    give(config, Order(verb=Verb.RELEASE), by=by)
