"""The EVM networks we know: their coin and their pace. Chain ids and tokens are the configuration's.

Depths cover some seconds even where blocks are never taken back: of nodes behind one address, not all are at the head,
and one that is behind leaves out logs without a word.
"""

from msgspec import Struct

LEAST_STALE_SECONDS = 30.0  # answers for the newest block are kept by caches, and clocks differ


class EvmNetwork(Struct, frozen=True, kw_only=True):
    """The defaults are for a network that we do not know, and patient."""

    native: str
    # On Arbitrum contracts see the height of Ethereum: https://docs.arbitrum.io/time
    contracts_see_height: bool = True
    block_seconds: float = 20.0  # from block to block, as a rule
    flow_depth: int = 12  # blocks below the newest at which flows are read
    stalls_after_seconds: float = 600.0  # how old the newest block of all endpoints is when the chain itself stands
    whole_blocks: bool = False  # every block can be read, and so flows of the coin itself

    @property
    def stale_seconds(self) -> float:
        """How old an endpoint's newest block may be: as if three in a row were missed."""
        return max(LEAST_STALE_SECONDS, 4 * self.block_seconds)


EVM_NETWORKS: dict[str, EvmNetwork] = {
    # One slot in a hundred stays empty, so fifteen in a row do not by chance. Reorgs are one block deep, rarely two.
    "ethereum": EvmNetwork(
        native="ETH", block_seconds=12.0, flow_depth=2, stalls_after_seconds=180.0, whole_blocks=True
    ),
    # Final after two blocks, and where that fails a validator's turn is 16 of them:
    # https://docs.bnbchain.org/bnb-smart-chain/developers/json_rpc/bsc-api-list/
    "bsc": EvmNetwork(native="BNB", block_seconds=0.45, flow_depth=16, stalls_after_seconds=60.0),
    # Arbitrum, Optimism and Base have a sequencer each: a block is taken back only with Ethereum's.
    "arbitrum": EvmNetwork(
        native="ETH", contracts_see_height=False, block_seconds=0.25, flow_depth=20, stalls_after_seconds=90.0
    ),
    "optimism": EvmNetwork(native="ETH", block_seconds=2.0, flow_depth=3, stalls_after_seconds=60.0),
    "base": EvmNetwork(native="ETH", block_seconds=2.0, flow_depth=3, stalls_after_seconds=60.0),
    # Milestones make blocks final within seconds:
    # https://github.com/maticnetwork/Polygon-Improvement-Proposals/blob/main/PIPs/PIP-11.md
    "polygon": EvmNetwork(native="POL", block_seconds=2.0, flow_depth=5, stalls_after_seconds=120.0),
    # A block is final when it is there.
    "avalanche": EvmNetwork(native="AVAX", block_seconds=2.0, flow_depth=3, stalls_after_seconds=60.0),
    # The OP stack makes its blocks whether or not anybody sends. Of Celo: https://docs.celo.org/specs/deployments
    "mantle": EvmNetwork(native="MNT", block_seconds=2.0, flow_depth=3, stalls_after_seconds=60.0),
    "celo": EvmNetwork(native="CELO", block_seconds=1.0, flow_depth=5, stalls_after_seconds=60.0),
    "linea": EvmNetwork(native="ETH", block_seconds=2.0, flow_depth=3, stalls_after_seconds=120.0),
    # Its blocks come with transactions, and Multicall3 is elsewhere: https://github.com/mds1/multicall/issues/76
    "zksync": EvmNetwork(native="ETH", contracts_see_height=False, block_seconds=2.0, flow_depth=5),
}
