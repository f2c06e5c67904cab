"""A person's word to the running daemon, and its answer."""

import asyncio
from pathlib import Path

from msgspec.structs import replace

from monitor.cli.admitting import own_password
from monitor.cli.configured import configured
from monitor.cli.outcome import expected, fail
from monitor.cli.screen import visible
from monitor.commands import CommandError, Order, send
from monitor.config import Config


def give(path: Path, order: Order, *, by: str = "") -> None:
    """Print what the daemon of the configuration at `path` answers; ends the command if it refuses."""
    order_of(configured(path).config, order, by=by)


def order_of(config: Config, order: Order, *, by: str = "") -> None:
    """The same for a configuration that is read already. `by`: the account that says it, "" for the system's user."""
    if by:
        order = replace(order, account=by, secret=own_password(by))
    with expected(CommandError):
        reply = asyncio.run(send(config.socket, order))
    if not reply.ok:
        fail(visible(reply.message))
    print(visible(reply.message))
