"""What the engines would judge by under a configuration, and the files beside it."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from monitor import polls
from monitor.cli.configured import configured
from monitor.cli.outcome import Code, expected
from monitor.clock import Clock
from monitor.config import Config
from monitor.model import Judging
from monitor.polls import Poll, polls_of
from monitor.reserves.book import Book, BookError


def book_of(config: Config) -> Book:
    """Ends the command with every problem of the address books."""
    with expected(BookError, OSError, UnicodeDecodeError, code=Code.USAGE):
        return polls.read_book(config)


def templates_of(config: Config) -> dict[str, str]:
    """The texts in place of the shipped ones, by name. Ends the command where one cannot be read."""
    with expected(OSError, UnicodeDecodeError, code=Code.USAGE):
        return polls.read_templates(config)


def judged_by(config: Config, looks: Iterable[Poll]) -> Judging:
    """What the daemon would put into the journal as `config_applied`. Ends the command where a text cannot be read."""
    with expected(OSError, UnicodeDecodeError, code=Code.USAGE):
        return polls.judged_by(config, looks)


def judging_of(path: Path) -> Judging:
    """What the daemon would judge by under the configuration at `path`, without looking at anything."""
    return asyncio.run(_judging_of(configured(path).config))


async def _judging_of(config: Config) -> Judging:
    async with polls.opened(config, Clock()) as ways:
        return judged_by(config, polls_of(config, ways=ways, book=book_of(config)))
