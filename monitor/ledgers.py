"""From a configured chain to what reads it. Another chain is a module in `chains` and a line in `_LEDGERS`."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from msgspec import Struct

from monitor.chains.bitcoin import UTXO_NETWORKS, BitcoinChain
from monitor.chains.bitcoin_core import BitcoinCore
from monitor.chains.bitcoin_rpc import CoreEndpoint
from monitor.chains.electrum import Electrum
from monitor.chains.electrum_door import Door, Server
from monitor.chains.electrum_wire import Wire
from monitor.chains.esplora import Esplora
from monitor.chains.evm import EvmChain
from monitor.chains.jsonrpc import Endpoint
from monitor.chains.ledger import Ledger, Token
from monitor.chains.networks import EVM_NETWORKS, EvmNetwork
from monitor.chains.script import ENCODINGS
from monitor.chains.solana import SolanaChain
from monitor.chains.tron import TronChain
from monitor.chains.utxo import Utxo
from monitor.chains.xrp import XrpChain
from monitor.clock import Clock
from monitor.config import Chain, revealed
from monitor.http import Http

CORE = "core+"
SHARED = 30  # a head of bitcoin is told again for 20 s
PER_SECOND = {
    "mempool.space": 2.0,
    "blockstream.info": 0.19,  # it says 700 an hour
    "litecoinspace.org": 1.0,
    "api.trongrid.io": 4.0,
    "tron-rpc.publicnode.com": 4.0,
    "xrplcluster.com": 2.0,
    "s2.ripple.com": 2.0,
    "api.mainnet-beta.solana.com": 4.0,  # a hundred in ten seconds, forty of one method
    "solana-rpc.publicnode.com": 4.0,
}
"""Requests a second to public hosts that allow less than others do."""
ELECTRUM = ("electrum://", "electrums://")
HOUR = 3600.0
MOST_BLOCKS = 7_000
MOST_WHOLE_BLOCKS = 250
FINAL_STALL_SECONDS = 90.0
STALL_PACES = 12.0  # of the bitcoin family: longer pauses come once in 160,000 blocks


class Read(Struct, frozen=True, kw_only=True):
    """A chain as it is read: `tokens` with the chain's own coin first, where its flows can be seen too."""

    ledger: Ledger
    tokens: tuple[Token, ...]
    flowing: tuple[Token, ...]  # those whose flows can be seen
    flow_depth: int  # blocks below the newest at which flows are read
    reach: int  # blocks that are read back after a stop, about an hour of them
    stalls_after: float  # seconds without a block after which the chain itself stands
    evm: EvmChain | None = None  # it counts what an address has sent


class Wires:
    """Connections that are kept: one to each Electrum server, over reloads too, until the end."""

    def __init__(self, http: Http, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._open: dict[Server, Wire] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def to(self, server: Server) -> Wire:
        wire = self._open.get(server)
        if wire is None:
            wire = self._open[server] = Wire(Door(self._http.names, server), self._clock)
            self._stack.push_async_exit(wire)
        return wire


class Reach(Struct, frozen=True):
    """What a ledger asks with."""

    http: Http
    clock: Clock
    wires: Wires


def read_of(network: str, chain: Chain, *, reach: Reach) -> Read:
    """The chain as configured. Nothing is asked yet."""
    return _READS.get(network, _evm)(network, chain, reach)


def _evm(network: str, chain: Chain, reach: Reach) -> Read:
    rules = EVM_NETWORKS.get(network, EvmNetwork(native=network.upper()))
    whole = rules.whole_blocks if chain.whole_blocks is None else chain.whole_blocks
    coin, tokens = Token(asset=rules.native), _tokens(chain)
    ledger = EvmChain(
        reach.http,
        reach.clock,
        network=network,
        chain_id=chain.chain_id or 0,
        endpoints=_nodes(chain),
        coin=coin,
        tokens=tokens,
        whole_blocks=whole,
        stale_seconds=rules.stale_seconds,
        contracts_see_height=rules.contracts_see_height,
    )
    return Read(
        ledger=ledger,
        tokens=(coin, *tokens),
        flowing=(coin, *tokens) if whole else tokens,
        flow_depth=rules.flow_depth if chain.flow_depth is None else chain.flow_depth,
        reach=min(MOST_WHOLE_BLOCKS if whole else MOST_BLOCKS, round(HOUR / rules.block_seconds)),
        stalls_after=rules.stalls_after_seconds,
        evm=ledger,
    )


def _utxo(network: str, chain: Chain, reach: Reach) -> Read:
    pace = UTXO_NETWORKS[network].pace_seconds
    endpoints = [_endpoint(network, url, chain, reach) for url in chain.endpoints]
    ledger = BitcoinChain(reach.clock, network=network, endpoints=endpoints, shared_seconds=pace / SHARED)
    return Read(
        ledger=ledger,
        tokens=(ledger.coin,),
        flowing=(ledger.coin,),
        flow_depth=1 if chain.flow_depth is None else chain.flow_depth,
        reach=round(HOUR / pace),
        stalls_after=max(HOUR, STALL_PACES * pace),
    )


def _endpoint(network: str, url: str, chain: Chain, reach: Reach) -> Utxo:
    encoding = ENCODINGS[network]
    if url.startswith(ELECTRUM):
        server = Server(url=url, allow_private=chain.allow_private)
        return Electrum(reach.wires.to(server), encoding=encoding)
    if url.startswith(CORE):
        node = CoreEndpoint(
            url=url.removeprefix(CORE),
            user=chain.rpc_user,
            password=revealed(chain.rpc_password),
            allow_private=chain.allow_private,
        )
        return BitcoinCore(reach.http, node, encoding=encoding)
    return Esplora(reach.http, url=url, encoding=encoding, allow_private=chain.allow_private)


def _tron(network: str, chain: Chain, reach: Reach) -> Read:
    tokens = _tokens(chain)
    ledger = TronChain(
        reach.http,
        reach.clock,
        network=network,
        endpoints=_nodes(chain),
        tokens=tokens,
        api_key=revealed(chain.api_key),
    )
    return _final(ledger, chain, tokens, depth=2, reach=1100)


def _solana(network: str, chain: Chain, reach: Reach) -> Read:
    tokens = _tokens(chain)
    ledger = SolanaChain(reach.http, reach.clock, network=network, endpoints=_nodes(chain), tokens=tokens)
    return _final(ledger, chain, tokens, depth=0, reach=8000)


def _xrp(network: str, chain: Chain, reach: Reach) -> Read:
    ledger = XrpChain(reach.http, reach.clock, network=network, endpoints=_nodes(chain))
    return _final(ledger, chain, (), depth=0, reach=900)


_READS: dict[str, Callable[[str, Chain, Reach], Read]] = {
    "bitcoin": _utxo,
    "litecoin": _utxo,
    "dogecoin": _utxo,
    "tron": _tron,
    "solana": _solana,
    "xrp": _xrp,
}
"""All others are EVM chains."""

COINS = {
    **{network: rules.native for network, rules in EVM_NETWORKS.items()},
    **{network: rules.asset for network, rules in UTXO_NETWORKS.items()},
    "tron": TronChain.coin.asset,
    "solana": SolanaChain.coin.asset,
    "xrp": XrpChain.coin.asset,
}
"""Network -> its own coin."""


def _final(ledger: Ledger, chain: Chain, tokens: tuple[Token, ...], *, depth: int, reach: int) -> Read:
    """A chain whose blocks come every few seconds and are hardly ever replaced."""
    held = (ledger.coin, *tokens)
    return Read(
        ledger=ledger,
        tokens=held,
        flowing=held,
        flow_depth=depth if chain.flow_depth is None else chain.flow_depth,
        reach=reach,
        stalls_after=FINAL_STALL_SECONDS,
    )


def _nodes(chain: Chain) -> list[Endpoint]:
    return [Endpoint(url=url, allow_private=chain.allow_private) for url in chain.endpoints]


def _tokens(chain: Chain) -> tuple[Token, ...]:
    return tuple(Token(asset=name, contract=t.contract, decimals=t.decimals) for name, t in chain.tokens.items())
