"""`cexwatch doctor`: whatever the daemon leans on is asked once, and each answer says "ok" or what to mend.

Nothing is kept, sent or changed.
"""

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from monitor.cli.database import OLD
from monitor.cli.looking import look
from monitor.clock import Clock
from monitor.config import Chain, Config, Paging
from monitor.config.values import database_file
from monitor.http import Http
from monitor.ledgers import Reach, read_of
from monitor.model import Control, FailureReason, RemoteError
from monitor.polls import control_of, opened
from monitor.reserves.book import Book
from monitor.store import Store
from monitor.store.step import StoreError
from monitor.telling import target_problems
from monitor.web import phrases

OFF_SECONDS = 2.0  # as much as two Date headers may differ
SECONDS = 10.0  # real ones, for one answer
CHAIN_SECONDS = 60.0  # for a node with all its requests
NO_WALLETS = Book(exchanges=(), addresses=(), published=())  # chains are asked endpoint by endpoint

MENDS: Mapping[FailureReason, str] = {
    FailureReason.AUTH: "the key is refused: look at its rights, its list of addresses and whether it has expired",
    FailureReason.BLOCKED: "it does not serve this machine: ask from elsewhere, by a proxy of yours as its `url`",
    FailureReason.CONNECTION: "nobody answers there: look at the address, the firewall and the proxy",
    FailureReason.DNS: "its name is not found: look at how it is written, and at this machine's resolver",
    FailureReason.RATE_LIMITED: "it is asked too often from here: wait, or set limits.requests_per_second",
    FailureReason.TIMEOUT: "no answer in time: look at the firewall, or take another endpoint",
    FailureReason.TLS: "its certificate is not trusted: look at the address, and at this machine's certificates",
    FailureReason.WRONG_CHAIN: "that is another chain: look at chain_id and at the endpoint",
    FailureReason.LAG: "the node is behind: wait until it has caught up, or take another",
    FailureReason.STALE: "what it tells is old: wait until it has caught up, or take another",
}
OTHERWISE = "it answers otherwise than it should: look at the address"


class Finding(Struct, frozen=True):
    """What was looked at, and how it is; where that is not well `said` ends with what to do."""

    what: str
    is_well: bool
    said: str


async def examine(path: Path, config: Config, *, clock: Clock, progress: Callable[[int, int], None]) -> list[Finding]:
    """Everything at once, in the order it is printed. `config` was read from `path`; `progress` is of exchanges."""
    async with opened(config, clock) as ways:
        reach = Reach(ways.http, clock, ways.wires)
        checks = (
            _database(config, clock),
            _sight(config, ways.http, clock),
            _exchanges(config, clock, progress),
            _chains(config, reach),
            _alertmanager(config, ways.http),
            _targets(path, config),
            _external_url(config, ways.http),
        )
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(check, name="doctor") for check in checks]
    return [finding for task in tasks for finding in task.result()]


async def _database(config: Config, clock: Clock) -> list[Finding]:
    file = database_file(config.database)
    if file is not None and not file.exists():
        return [_unmade(file)]
    try:
        store = await Store.open(config.database, exclusive=False)
    except StoreError as error:
        return [Finding("database", False, str(error))]
    try:
        head = await store.head()
    finally:
        await store.close()
    if head is None:
        return [Finding("database", True, "nothing is in it yet")]
    newest, now = head.observation.at, clock.now()
    said = f"its newest entry is of {phrases.exact(newest)}, {phrases.ago(newest, now)}"
    if now - newest > OLD:
        return [Finding("database", False, f"{said}: start the daemon, or look at its log")]
    return [Finding("database", True, said)]


def _unmade(file: Path) -> Finding:
    folder = next(each for each in file.absolute().parents if each.exists())
    if os.access(folder, os.W_OK | os.X_OK):
        return Finding("database", True, f"{file} is not there yet: the first `cexwatch run` makes it")
    return Finding("database", False, f"{file} cannot be made: give {folder} to the user that runs cexwatch")


async def _sight(config: Config, http: Http, clock: Clock) -> list[Finding]:
    probe = control_of(config, http=http, clock=clock)
    seen = [each for each in await probe.observe() if type(each) is Control]
    return [*(_control(each) for each in seen), _clock(probe.clock_offset())]


def _control(seen: Control) -> Finding:
    said = f"{seen.targets_ok} of {seen.targets} targets answer"
    if seen.ok:
        return Finding("control", True, said)
    return Finding("control", False, f"{said}: mend this machine's connection, or name other control.targets")


def _clock(ahead: float | None) -> Finding:
    """`ahead`: seconds by which the world is ahead of this machine."""
    if ahead is None:
        return Finding("clock", False, "no two control targets agree on the time: name two or more that tell it")
    if abs(ahead) > OFF_SECONDS:
        direction = "behind" if ahead > 0 else "ahead"
        return Finding("clock", False, f"it is {abs(ahead):.0f} s {direction}: let chrony or systemd-timesyncd set it")
    return Finding("clock", True, f"within {OFF_SECONDS:.0f} s of the control targets")


async def _exchanges(config: Config, clock: Clock, progress: Callable[[int, int], None]) -> list[Finding]:
    """With the keys that are configured: who refuses one says so."""
    names = list(config.exchanges)
    sighting = await look(config, book=NO_WALLETS, exchanges=names, clock=clock, progress=progress)
    failed = sighting.look.unseen
    findings = [
        Finding(f"exchanges.{each.exchange}", False, f"{each.probe}: {_mend(each.reason, each.detail)}")
        for each in sorted(failed, key=lambda each: names.index(each.exchange) if each.exchange in names else -1)
        if each.exchange
    ]
    well = [name for name in names if name not in {each.exchange for each in failed}]
    return [*(Finding(f"exchanges.{name}", True, _key(config, name)) for name in well), *findings]


def _key(config: Config, name: str) -> str:
    return "answers" if config.exchanges[name].api_key is None else "answers, and takes the key"


async def _chains(config: Config, reach: Reach) -> list[Finding]:
    """Each endpoint by itself: one that does not answer hides behind the next."""
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_endpoint(network, alone, reach), name=network)
            for network, chain in config.chains.items()
            for alone in _each(chain)
        ]
    return [task.result() for task in tasks]


def _each(chain: Chain) -> Iterator[Chain]:
    for endpoint in chain.endpoints:
        yield chain.model_copy(update={"endpoints": (endpoint,)})


async def _endpoint(network: str, chain: Chain, reach: Reach) -> Finding:
    place = urlsplit(chain.endpoints[0]).hostname  # its path may hold a key
    what = f"chains.{network}"
    try:
        async with asyncio.timeout(CHAIN_SECONDS):
            head = await read_of(network, chain, reach=reach).ledger.head()
    except RemoteError as error:
        return Finding(what, False, f"{place}: {_mend(error.reason, error.detail)}")
    except TimeoutError:
        return Finding(what, False, f"{place}: {MENDS[FailureReason.TIMEOUT]}")
    return Finding(what, True, f"{place}: at block {head.number:,}")


async def _alertmanager(config: Config, http: Http) -> list[Finding]:
    settings = config.alertmanager
    if settings is None or config.paging is not Paging.DIRECT:
        return [Finding("alertmanager", True, f"not pushed to: paging is {config.paging}")]
    return [
        await _answers("alertmanager", http, f"{url}/api/v2/status", allow_private=settings.allow_private)
        for url in settings.urls
    ]


async def _targets(path: Path, config: Config) -> list[Finding]:
    """No message is sent: people would take it for one."""
    problems = await target_problems(path, config)
    if problems:
        return [Finding("notify", False, problem) for problem in problems]
    names = ", ".join(config.notify.targets)
    return [Finding("notify", True, f"{names}: apprise knows their URLs; nothing was sent" if names else "no targets")]


async def _external_url(config: Config, http: Http) -> list[Finding]:
    url = config.external_url.rstrip("/")
    if not url:
        return [Finding("external_url", True, "not set: notifications have no links")]
    found = await _answers("external_url", http, f"{url}/healthz", allow_private=True)
    return [found if found.is_well else replace(found, said=f"{found.said}. Links in notifications lead there")]


async def _answers(what: str, http: Http, url: str, *, allow_private: bool) -> Finding:
    try:
        await http.get(url, allow_private=allow_private, timeout=SECONDS)
    except RemoteError as error:
        return Finding(what, False, f"{url}: {_mend(error.reason, error.detail)}")
    return Finding(what, True, f"{url} answers")


def _mend(reason: FailureReason, detail: str) -> str:
    return f"{detail}; {MENDS.get(reason, OTHERWISE)}"
