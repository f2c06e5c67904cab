"""A link as a QR code, and the wait until another client has opened it."""

import sys
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import segno

from monitor.cli.admitting import own_password
from monitor.cli.configured import configured
from monitor.cli.outcome import expected, fail, tell
from monitor.cli.screen import visible
from monitor.clock import Clock
from monitor.commands import CommandError, administer
from monitor.people.desk import PeopleOrder, PeopleReply, Task

PATIENCE_SECONDS = 300
LOOK_SECONDS = 1.0


async def ring(path: Path, *, by: str) -> None:
    """Ends the command with 1 where nobody opened it, or the machine itself did."""
    config = configured(path).config
    if not config.external_url:
        fail("set external_url: it is what links in notifications begin with")
    host = urlsplit(config.external_url).hostname or ""
    if host == "localhost" or _is_loopback(host):
        tell(f"warning: external_url {config.external_url} is this machine's own address: no phone can open it")
    secret = own_password(by) if by else ""
    clock = Clock()
    with expected(CommandError):
        begun = await administer(config.socket, _order(Task.PHONE, by, secret))
        if not begun.ok:
            fail(visible(begun.message))
        url = config.external_url.rstrip("/") + begun.message
        segno.make(url, micro=False).terminal(sys.stdout, compact=True)
        print(f"Open this with your phone, and press the button there:\n{url}", flush=True)
        for _ in range(PATIENCE_SECONDS):
            opened = await administer(config.socket, _order(Task.PHONE_OPENED, by, secret))
            if opened.ok:
                _judge(opened)
                return
            await clock.sleep(LOOK_SECONDS)
    fail("nobody opened it within five minutes: can the phone reach external_url?")


def _order(task: Task, by: str, secret: str) -> PeopleOrder:
    return PeopleOrder(people=task, account=by, secret=secret)


def _judge(opened: PeopleReply) -> None:
    if _is_loopback(opened.address):
        fail("it was opened on this machine, which says nothing of a phone. Behind a proxy, name it in trusted_proxies")
    print(f"opened from {visible(opened.address)} by {visible(opened.agent)}: links work there")


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
