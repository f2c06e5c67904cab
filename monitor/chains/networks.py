"""The EVM networks we know: their native coin, and where they differ. Chain ids and tokens are the configuration's."""

from msgspec import Struct


class EvmNetwork(Struct, frozen=True, kw_only=True):
    native: str
    # On Arbitrum contracts see the height of Ethereum: https://docs.arbitrum.io/time
    contracts_see_height: bool = True


EVM_NETWORKS: dict[str, EvmNetwork] = {
    "ethereum": EvmNetwork(native="ETH"),
    "bsc": EvmNetwork(native="BNB"),
    "arbitrum": EvmNetwork(native="ETH", contracts_see_height=False),
    "optimism": EvmNetwork(native="ETH"),
    "base": EvmNetwork(native="ETH"),
    "polygon": EvmNetwork(native="POL"),
    "avalanche": EvmNetwork(native="AVAX"),
}
