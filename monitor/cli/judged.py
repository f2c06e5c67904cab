"""What the engines would judge by under a configuration, and the files beside it."""

from collections.abc import Iterable
from pathlib import Path

from monitor.cli.configured import configured
from monitor.cli.outcome import Code, expected
from monitor.clock import Clock
from monitor.config import Config, judging
from monitor.http import Http
from monitor.model import Judging
from monitor.polls import Poll, exchange_of, polls_of
from monitor.reserves.book import Address, BookError
from monitor.reserves.book import load as load_book


def book_of(config: Config) -> list[Address]:
    """Ends the command with every problem of the address books."""
    with expected(BookError, OSError, UnicodeDecodeError, code=Code.USAGE):
        return load_book({str(file): file.read_text() for file in sorted(config.reserves.glob("*.yaml"))})


def templates_of(config: Config) -> dict[str, str]:
    """The texts in place of the shipped ones, by "<role>/<stage>". Ends the command where one cannot be read."""
    folder = config.drafts.templates
    if folder is None:
        return {}
    with expected(OSError, UnicodeDecodeError, code=Code.USAGE):
        return {f"{file.parent.name}/{file.stem}": file.read_text() for file in sorted(folder.glob("*/*.j2"))}


def judged_by(config: Config, polls: Iterable[Poll]) -> Judging:
    """What the daemon would put into the journal as `config_applied`."""
    known = {name: exchange_of(name, settings) for name, settings in config.exchanges.items()}
    return judging(
        config,
        titles={name: exchange.title for name, exchange in known.items()},
        templates=templates_of(config),
        needs_key={name: exchange.needs_key for name, exchange in known.items()},
        intervals={poll.probe.name: poll.probe.interval for poll in polls},
    )


def judging_of(path: Path) -> Judging:
    """What the daemon would judge by under the configuration at `path`, without looking at anything."""
    config, clock = configured(path).config, Clock()
    return judged_by(config, polls_of(config, http=Http(clock), clock=clock, book=book_of(config), since={}))
