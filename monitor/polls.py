"""From a configuration to what looks at the world: the probes of exchanges and chains, and our own control targets."""

import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from monitor.chains.balances import Token
from monitor.chains.evm import EvmChain
from monitor.chains.jsonrpc import Endpoint
from monitor.chains.networks import EVM_NETWORKS, EvmNetwork
from monitor.clock import Clock
from monitor.config import Chain, Config, ExchangeSettings, judging
from monitor.http import Http
from monitor.model import Judging, Reading
from monitor.probes import EXCHANGES
from monitor.probes.control import ControlProbe
from monitor.probes.exchange import Credentials, Exchange, probes_of
from monitor.probes.probe import Probe
from monitor.probes.reserves import ReservesProbe
from monitor.probes.wallets import WalletsProbe
from monitor.reserves.book import Address
from monitor.reserves.book import load as load_book


class Poll(Struct, frozen=True, kw_only=True):
    """A probe with its place on the grid, and what it can tell of the time before it started."""

    probe: Probe
    history: Callable[[], Awaitable[list[Reading]]] | None = None

    @property
    def phase(self) -> float:
        """Seconds into its first interval: spread by name, the same at every start, the first ones soon."""
        share = zlib.crc32(self.probe.name.encode()) % 1000 / 1000
        return share * min(self.probe.interval, 10.0)


def exchange_of(name: str, settings: ExchangeSettings) -> Exchange:
    """What we know of a configured exchange: its own entry, or that of the API which it speaks."""
    known = EXCHANGES[settings.api or name]
    return known if settings.api is None else replace(known, name=name, title=settings.title or name.capitalize())


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
    )


def control_of(config: Config, *, http: Http, clock: Clock) -> ControlProbe:
    control = config.control
    interval = control.interval.total_seconds()
    targets = tuple(control.targets)
    return ControlProbe(http, clock, targets=targets, allow_private=control.allow_private, interval=interval)


def polls_of(
    config: Config, *, http: Http, clock: Clock, book: Sequence[Address], since: Mapping[str, datetime]
) -> list[Poll]:
    """The polls of exchanges and chains. `since`: time of a probe's newest committed reading, if any."""
    polls = [
        Poll(probe=probe)
        for name, settings in config.exchanges.items()
        for probe in _exchange_probes(name, settings, http=http, clock=clock)
    ]
    for network, chain in config.chains.items():
        evm = _chain(network, chain, http=http, clock=clock)
        for exchange in config.exchanges:
            addresses = [a.address for a in book if a.exchange == exchange and a.network == network]
            if addresses:
                polls += _chain_polls(evm, chain, exchange=exchange, addresses=addresses, clock=clock, since=since)
    return polls


def wallets_name(exchange: str, network: str) -> str:
    return f"{exchange}-{network}-wallets"


def _exchange_probes(name: str, settings: ExchangeSettings, *, http: Http, clock: Clock) -> list[Probe]:
    credentials = None
    if settings.api_key is not None and settings.api_secret is not None:
        credentials = Credentials(settings.api_key.get_secret_value(), settings.api_secret.get_secret_value())
    exchange = exchange_of(name, settings)
    interval = settings.interval
    if interval is not None and exchange.listing is not None:
        exchange = replace(exchange, listing=replace(exchange.listing, interval=interval.total_seconds()))
    return probes_of(
        exchange,
        http=http,
        clock=clock,
        url=settings.url,
        status_page=settings.status_page,
        allow_private=settings.allow_private,
        credentials=credentials,
    )


def _chain(network: str, chain: Chain, *, http: Http, clock: Clock) -> EvmChain:
    return EvmChain(
        http,
        clock,
        network=network,
        chain_id=chain.chain_id,
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
