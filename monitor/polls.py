"""From a configuration to what looks at the world: the probes of exchanges and chains, and our own control targets."""

import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from msgspec import Struct

from monitor.chains.evm import EvmChain
from monitor.chains.jsonrpc import Endpoint
from monitor.chains.ledger import Token
from monitor.chains.networks import EVM_NETWORKS, EvmNetwork
from monitor.clock import Clock
from monitor.config import Chain, Config, judging, secrets_of
from monitor.exchange_probes import Ways, budgets, exchange_of, probes_at, pushes_of
from monitor.http import Http, Remember, forgotten
from monitor.model import Closure, Judging, Reading
from monitor.probes.control import ControlProbe
from monitor.probes.longtail import HOST, Longtail
from monitor.probes.probe import Probe
from monitor.probes.reserves import ReservesProbe
from monitor.probes.wallets import WalletsProbe
from monitor.reserves.book import Address
from monitor.reserves.book import load as load_book

LONGEST_PHASE = 60.0


class Poll(Struct, frozen=True, kw_only=True):
    """A probe with its place on the grid, and what it can tell of the time before it started."""

    probe: Probe
    history: Callable[[], Awaitable[list[Reading]]] | None = None

    @property
    def phase(self) -> float:
        """Seconds into its first interval: spread over it by name, the same at every start, none after a minute."""
        share = zlib.crc32(self.probe.name.encode()) % 1000 / 1000
        return share * min(self.probe.interval, LONGEST_PHASE)


def read_book(config: Config) -> list[Address]:
    """The address books of its folder. Raises BookError with all problems, OSError where a file cannot be read."""
    return load_book({str(file): file.read_text() for file in sorted(config.reserves.glob("*.yaml"))})


def read_templates(config: Config) -> dict[str, str]:
    """A person's texts by "<role>/<stage>". Raises OSError where one cannot be read."""
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
    config: Config, clock: Clock, *, closures: Sequence[Closure] = (), remember: Remember = forgotten
) -> AsyncIterator[Ways]:
    """The ways out under a configuration, closed at the end. `closures` and `remember` as `Http` has them."""
    per_second = dict(config.limits.requests_per_second)
    of_ccxt = [closure for closure in closures if closure.host.startswith(HOST)]
    others = [closure for closure in closures if not closure.host.startswith(HOST)]
    async with (
        Http(clock, budgets=budgets(), per_second=per_second, closures=others, remember=remember) as http,
        Longtail(clock, closures=of_ccxt, remember=remember) as longtail,
    ):
        http.hide(secrets_of(config))
        yield Ways(http, clock, longtail, pushes_of(config.exchanges, clock))


def control_of(config: Config, *, http: Http, clock: Clock) -> ControlProbe:
    control = config.control
    interval = control.interval.total_seconds()
    targets = tuple(control.targets)
    return ControlProbe(http, clock, targets=targets, allow_private=control.allow_private, interval=interval)


def polls_of(config: Config, *, ways: Ways, book: Sequence[Address], since: Mapping[str, datetime] = {}) -> list[Poll]:
    """The polls of exchanges and chains. `since`: time of the newest committed reading of those in `wallets_names`."""
    clock = ways.clock
    polls = [
        Poll(probe=probe)
        for name, settings in config.exchanges.items()
        for probe in probes_at(name, settings, ways=ways, watched=config.rails(name), x=config.x)
    ]
    for network, chain in config.chains.items():
        evm = _chain(network, chain, http=ways.http, clock=clock)
        for exchange in config.exchanges:
            addresses = [a.address for a in book if a.exchange == exchange and a.network == network]
            if addresses:
                polls += _chain_polls(evm, chain, exchange=exchange, addresses=addresses, clock=clock, since=since)
    return polls


def wallets_names(config: Config) -> list[str]:
    """The probes that can go on where they were before a restart."""
    return [wallets_name(exchange, network) for exchange in config.exchanges for network in config.chains]


def wallets_name(exchange: str, network: str) -> str:
    return f"{exchange}-{network}-wallets"


def _chain(network: str, chain: Chain, *, http: Http, clock: Clock) -> EvmChain:
    return EvmChain(
        http,
        clock,
        network=network,
        chain_id=chain.chain_id or 0,
        endpoints=[Endpoint(url=url, allow_private=chain.allow_private) for url in chain.endpoints],
        contracts_see_height=_network(network).contracts_see_height,
    )


def _chain_polls(
    evm: EvmChain,
    chain: Chain,
    *,
    exchange: str,
    addresses: Sequence[str],
    clock: Clock,
    since: Mapping[str, datetime],
) -> list[Poll]:
    name = wallets_name(exchange, evm.network)
    interval = chain.interval.total_seconds()
    wallets = WalletsProbe(
        evm, clock, exchange=exchange, name=name, interval=interval, addresses=addresses, since=since.get(name)
    )
    reserves = ReservesProbe(
        evm,
        clock,
        exchange=exchange,
        name=f"{exchange}-{evm.network}-reserves",
        addresses=addresses,
        tokens=_tokens(evm.network, chain),
    )
    return [Poll(probe=wallets, history=wallets.history), Poll(probe=reserves)]


def _tokens(network: str, chain: Chain) -> tuple[Token, ...]:
    """The native coin, then the configured tokens."""
    own = (Token(asset=name, contract=t.contract, decimals=t.decimals) for name, t in chain.tokens.items())
    return (Token(asset=_network(network).native), *own)


def _network(name: str) -> EvmNetwork:
    return EVM_NETWORKS.get(name, EvmNetwork(native=name.upper()))
