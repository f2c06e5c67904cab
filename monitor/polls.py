"""From a configuration to what looks at the world: the probes of exchanges and chains, and our own control targets."""

import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from functools import partial
from ipaddress import ip_address
from urllib.parse import urlsplit

from msgspec import Struct

from monitor.clock import Clock
from monitor.config import Chain, Config, judging, secrets_of
from monitor.exchange_probes import Ways, budgets, exchange_of, mentions_name, probes_at, pushes_of
from monitor.http import Http, Remember, forgotten
from monitor.http.sockets import is_public
from monitor.ledgers import COINS, CORE, PER_SECOND, Reach, Read, Wires, read_of
from monitor.model import Closure, ExchangeView, Flow, Judging, Reading, WalletUsage
from monitor.probes.activity import ActivityProbe
from monitor.probes.answer import Endpoint
from monitor.probes.chain_state import ChainStateProbe
from monitor.probes.control import ControlProbe
from monitor.probes.exposure import ConfiguredProbe
from monitor.probes.flows import FlowsProbe
from monitor.probes.longtail import HOST, Longtail
from monitor.probes.prices import MARKET, PRICE_SOURCES, PricesProbe
from monitor.probes.probe import Probe
from monitor.probes.published import PublishedProbe
from monitor.probes.reserves import HotProbe, ReservesProbe
from monitor.probes.wallets import WalletsProbe
from monitor.reserves.book import Address, Book
from monitor.reserves.book import read as read_pages
from monitor.reserves.roles import Wallets

LONGEST_PHASE = 60.0
OWN_NODE_PER_SECOND = 100.0
PRIVATE_DOMAINS = (".local", ".internal", ".lan", ".home.arpa", ".localhost")


class Poll(Struct, frozen=True, kw_only=True):
    """A probe with its place on the grid, and what it can tell of the time before it started."""

    probe: Probe
    network: str = ""  # the chain it looks at
    at_a_glance: bool = True  # a single look, which takes seconds, tells something
    at_once: bool = False  # it asks nobody, so there is nothing to spread
    history: Callable[[], Awaitable[list[Reading]]] | None = None

    @property
    def phase(self) -> float:
        """Seconds into its first interval: spread over it by name, the same at every start, none after a minute."""
        if self.at_once:
            return 0.0
        share = zlib.crc32(self.probe.name.encode()) % 1000 / 1000
        return share * min(self.probe.interval, LONGEST_PHASE)


def read_book(config: Config) -> Book:
    """The address books of its folder. Raises BookError with all problems, OSError where a file cannot be read."""
    return read_pages({str(file): file.read_text() for file in sorted(config.reserves.glob("*.yaml"))})


def read_templates(config: Config) -> dict[str, str]:
    """A person's texts by "<role>/<notice>[.<language>]". Raises OSError where one cannot be read."""
    folder = config.drafts.templates
    if folder is None:
        return {}
    return {f"{file.parent.name}/{file.stem}": file.read_text() for file in sorted(folder.glob("*/*.j2"))}


def judged_by(config: Config, polls: Iterable[Poll]) -> Judging:
    """What goes into the journal as `config_applied`. Reads the templates, so it raises OSError."""
    known = {name: exchange_of(name, settings) for name, settings in config.exchanges.items()}
    return judging(
        config,
        titles={name: exchange.title for name, exchange in known.items()},
        templates=read_templates(config),
        needs_key={name: exchange.needs_key for name, exchange in known.items()},
        intervals={poll.probe.name: poll.probe.interval for poll in polls},
        own_tokens={name: exchange.own_tokens for name, exchange in known.items()},
    )


@asynccontextmanager
async def opened(
    config: Config,
    clock: Clock,
    *,
    closures: Sequence[Closure] = (),
    remember: Remember = forgotten,
    paces: Mapping[str, float] = {},
) -> AsyncIterator[Ways]:
    """The ways out under a configuration, closed at the end. `closures` and `remember` as `Http` has them.

    `paces`: requests a second to hosts that are no exchange's and no chain's.
    """
    per_second = PER_SECOND | own_nodes(config) | dict(paces) | dict(config.limits.requests_per_second)
    of_ccxt = [closure for closure in closures if closure.host.startswith(HOST)]
    others = [closure for closure in closures if not closure.host.startswith(HOST)]
    async with (
        Http(clock, budgets=budgets(), per_second=per_second, closures=others, remember=remember) as http,
        Longtail(clock, closures=of_ccxt, remember=remember) as longtail,
        Wires(http, clock) as wires,
    ):
        http.hide(secrets_of(config))
        yield Ways(http, clock, longtail, pushes_of(config.exchanges, clock), wires)


def own_nodes(config: Config) -> dict[str, float]:
    """Requests a second to nodes that a person has in a network of their own: nobody else waits for them.

    A public one that stands beside such a node is asked no more often for that.
    """
    own = [chain for chain in config.chains.values() if chain.allow_private]
    hosts = [urlsplit(url.removeprefix(CORE)).hostname for chain in own for url in chain.endpoints]
    return {host: OWN_NODE_PER_SECOND for host in hosts if host and _is_of_a_private_network(host)}


def _is_of_a_private_network(host: str) -> bool:
    try:
        return not is_public(ip_address(host))
    except ValueError:
        return "." not in host or host.endswith(PRIVATE_DOMAINS)


def control_of(config: Config, *, http: Http, clock: Clock) -> ControlProbe:
    control = config.control
    interval = control.interval.total_seconds()
    targets = tuple(control.targets)
    return ControlProbe(http, clock, targets=targets, allow_private=control.allow_private, interval=interval)


def polls_of(
    config: Config,
    *,
    ways: Ways,
    book: Book,
    since: Mapping[str, datetime] = {},
    last_flows: Mapping[str, Flow] = {},
    usages: Sequence[WalletUsage] = (),
    views: Sequence[ExchangeView] = (),
) -> list[Poll]:
    """The polls of exchanges, prices and chains.

    By probe: `since`, the time of the newest committed reading of those in `since_names`, and `last_flows`, the
    newest flow of those in `flows_names`. `usages`: what single wallets sent; `views`: what was shown last.
    """
    polls = [
        Poll(probe=probe, at_once=type(probe) is ConfiguredProbe)
        for name, settings in config.exchanges.items()
        for probe in probes_at(name, settings, ways=ways, watched=config.rails(name), x=config.x, since=since)
    ]
    polls += [Poll(probe=probe) for probe in _price_probes(config, ways=ways)]
    polls += [Poll(probe=probe, at_once=True) for probe in _published_probes(config, book, clock=ways.clock)]
    reach = Reach(ways.http, ways.clock, ways.wires)
    for network, chain in config.chains.items():
        known = _known_on(network, book, exchanges=config.exchanges)
        if known:
            watched = _watched(network, chain, book, reach=reach)
            watched.read.ledger.watch(address.address for addresses in known.values() for address in addresses)
            polls.append(Poll(probe=_state_probe(watched), network=network))
            for name, addresses in known.items():
                wallets = Wallets(addresses)
                wallets.recall(used for used in usages if used.network == network)
                former = _totals(views, exchange=name, network=network)
                polls += _chain_polls(watched, name, wallets, since=since, last_flows=last_flows, former=former)
    return polls


class Watched(Struct, frozen=True):
    """A chain and what all exchanges on it share: `labelled` are the addresses that somebody is known to own."""

    read: Read
    labelled: frozenset[str]
    interval: float
    clock: Clock


def _known_on(network: str, book: Book, *, exchanges: Iterable[str]) -> dict[str, list[Address]]:
    """The addresses that count in the totals of these exchanges on a network; those that have none are left out."""
    known: dict[str, list[Address]] = {name: [] for name in exchanges}
    for address in book.counted():
        if address.network == network and address.exchange in known:
            known[address.exchange].append(address)
    return {name: addresses for name, addresses in known.items() if addresses}


def _watched(network: str, chain: Chain, book: Book, *, reach: Reach) -> Watched:
    read = read_of(network, chain, reach=reach)
    listed = [address.address for address in book.addresses if address.network == network]
    spelled = [address.lower() for address in listed] if read.evm is not None else listed  # as movements name strangers
    return Watched(read, frozenset(spelled), chain.interval.total_seconds(), reach.clock)


def _totals(views: Iterable[ExchangeView], *, exchange: str, network: str) -> dict[str, Decimal]:
    """What was held last, by asset, where all wallets had been read."""
    balances = (balance for view in views if view.exchange == exchange for balance in view.balances)
    return {b.asset: b.amount for b in balances if b.network == network and b.wallets_read == b.wallets}


def _published_probes(config: Config, book: Book, *, clock: Clock) -> list[PublishedProbe]:
    return [
        PublishedProbe(clock, exchange=name, name=f"{name}-published", totals=totals)
        for name in config.exchanges
        if (totals := [total for total in book.published if total.exchange == name])
    ]


def since_names(config: Config) -> list[str]:
    """The probes of payments and of mentions, which can go on where they were before a restart."""
    payments = [wallets_name(exchange, network) for exchange in config.exchanges for network in config.chains]
    counted = [name for name, settings in config.exchanges.items() if settings.mentions is not None]
    return [*payments, *map(mentions_name, counted)]


def flows_names(config: Config) -> list[str]:
    """The probes of flows, likewise."""
    return [flows_name(exchange, network) for exchange in config.exchanges for network in config.chains]


def wallets_name(exchange: str, network: str) -> str:
    return f"{exchange}-{network}-wallets"


def flows_name(exchange: str, network: str) -> str:
    return f"{exchange}-{network}-flows"


def _state_probe(watched: Watched) -> ChainStateProbe:
    ledger = watched.read.ledger
    return ChainStateProbe(
        ledger,
        watched.clock,
        name=f"{ledger.network}-chain",
        interval=watched.interval,
        stalls_after=watched.read.stalls_after,
    )


def _chain_polls(
    watched: Watched,
    exchange: str,
    wallets: Wallets,
    *,
    since: Mapping[str, datetime],
    last_flows: Mapping[str, Flow],
    former: Mapping[str, Decimal],
) -> list[Poll]:
    read, interval, clock = watched.read, watched.interval, watched.clock
    ledger = read.ledger
    polls = [_payments_poll(watched, exchange, wallets, since=since.get(wallets_name(exchange, ledger.network)))]
    if read.flowing:
        flows = FlowsProbe(
            ledger,
            clock,
            exchange=exchange,
            name=flows_name(exchange, ledger.network),
            interval=interval,
            wallets=wallets,
            tokens=read.flowing,
            labelled=watched.labelled,
            depth=read.flow_depth,
            reach=read.reach,
            last=last_flows.get(flows_name(exchange, ledger.network)),
        )
        polls.append(Poll(probe=flows, network=ledger.network, at_a_glance=False))
    hot = HotProbe(
        ledger,
        clock,
        exchange=exchange,
        name=f"{exchange}-{ledger.network}-hot",
        interval=interval,
        wallets=wallets,
        tokens=read.tokens,
    )
    reserves = ReservesProbe(
        ledger,
        clock,
        exchange=exchange,
        name=f"{exchange}-{ledger.network}-reserves",
        wallets=wallets,
        tokens=read.tokens,
        former=former,
    )
    polls += [Poll(probe=probe, network=ledger.network, at_a_glance=False) for probe in (hot, reserves)]
    return polls


def _payments_poll(watched: Watched, exchange: str, wallets: Wallets, *, since: datetime | None) -> Poll:
    """What wallets sent: by their nonces where the chain has those, else from what was moved."""
    read, interval = watched.read, watched.interval
    name = wallets_name(exchange, read.ledger.network)
    if read.evm is not None:
        nonces = WalletsProbe(
            read.evm, watched.clock, exchange=exchange, name=name, interval=interval, wallets=wallets, since=since
        )
        return Poll(probe=nonces, network=read.ledger.network, history=nonces.history)
    activity = ActivityProbe(
        read.ledger,
        watched.clock,
        exchange=exchange,
        name=name,
        interval=interval,
        wallets=wallets,
        reach=read.reach,
        since=since,
    )
    return Poll(probe=activity, network=read.ledger.network, at_a_glance=False, history=activity.history)


def _price_probes(config: Config, *, ways: Ways) -> list[PricesProbe]:
    """Of the market, and of what is watched, held on a chain or issued by an exchange."""
    assets, prices = _priced(config), config.prices
    probes = []
    for name in prices.sources:
        source = PRICE_SOURCES[name]
        url = f"{prices.urls.get(name, source.url)}{source.path}"
        interval = prices.interval.total_seconds()
        get = partial(ways.http.get, url, allow_private=prices.allow_private)
        probes.append(
            PricesProbe(
                Endpoint(get, partial(ways.http.heed, url), interval=interval),
                ways.clock,
                name=f"prices-{name}",
                source=name,
                interval=interval,
                assets=assets,
                read=source.decode,
            )
        )
    return probes


def _priced(config: Config) -> list[str]:
    named = [
        *MARKET,
        *(rail.asset for exchange in config.exchanges for rail in config.rails(exchange)),
        *(COINS[network] for network in config.chains if network in COINS),
        *(asset for chain in config.chains.values() for asset in chain.tokens),
        *(asset for settings in config.exchanges.values() for asset in settings.exposure),
        *(token for name, each in config.exchanges.items() for token in exchange_of(name, each).own_tokens),
    ]
    return list(dict.fromkeys(named))
