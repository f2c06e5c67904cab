"""What can be wrong with a configuration and the files beside it, found without starting anything."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from monitor.channels.webhook import BodyError
from monitor.cli.configured import configured
from monitor.cli.judged import book_of, templates_of
from monitor.cli.outcome import Code, fail, tell
from monitor.config import Config
from monitor.exchange_probes import x_cost_of
from monitor.notices.templates import SHIPPED
from monitor.notices.trial import languages, problems
from monitor.telling import target_problems
from monitor.voices import check as check_channels


def check(path: Path) -> str:
    """What the configuration leads to, in a line. Ends the command with every problem."""
    loaded = configured(path)
    config = loaded.config
    for warning in loaded.warnings:
        tell(f"warning: {warning}")
    book = book_of(config)
    channels = config.channels.configured()
    found = list(template_problems(templates_of(config), folder=config.drafts.templates, channels=channels))
    found += [*body_problems(config), *untaught(config), *asyncio.run(target_problems(path, config))]
    if found:
        fail("\n".join(found), code=Code.USAGE)
    cost = x_cost_of(config)
    if cost is not None:
        tell(f"reading X costs {cost}")
    rails = sum(len(config.rails(exchange)) for exchange in config.exchanges)
    counts = {"exchanges": len(config.exchanges), "watched rails": rails, "chains": len(config.chains)}
    counts["known addresses"] = len(book.counted())
    return f"ok: {', '.join(f'{number:,} {what}' for what, number in counts.items())}"


def body_problems(config: Config) -> Iterator[str]:
    """What would keep a webhook from having a body."""
    try:
        check_channels(config)
    except BodyError as error:
        yield f"channels.webhook.body: {error}"


def untaught(config: Config) -> list[str]:
    """A language of which there is not one text would leave every draft in English."""
    language, known = config.drafts.language, languages((*SHIPPED, *templates_of(config)))
    if language in known:
        return []
    expected = f"expected one of {', '.join(known)}, or files <role>/<notice>.{language}.j2 in `drafts.templates`"
    return [f"drafts.language: there is no text in '{language}'; {expected}"]


def template_problems(templates: Mapping[str, str], *, folder: Path | None, channels: Sequence[str]) -> Iterator[str]:
    """What would keep a text of ours in place of a person's: each with its file."""
    for name, problem in problems(templates, tuple(channels)):
        yield f"{folder}/{name}.j2: {problem}"
