"""The EVM networks we know: chain id, native coin and the tokens counted as reserves.

Token contracts are the issuers' own deployments (Tether, Circle), on BNB Chain the Binance-pegged ones; mixed case is
their EIP-55 checksum.
"""

from msgspec import Struct

from monitor.chains.balances import Token


class EvmNetwork(Struct, frozen=True, kw_only=True):
    chain_id: int
    tokens: tuple[Token, ...]  # the native coin first
    # On Arbitrum contracts see the height of Ethereum: https://docs.arbitrum.io/time
    contracts_see_height: bool = True


EVM_NETWORKS: dict[str, EvmNetwork] = {
    "ethereum": EvmNetwork(
        chain_id=1,
        tokens=(
            Token(asset="ETH"),
            Token(asset="USDT", contract="0xdAC17F958D2ee523a2206206994597C13D831ec7", decimals=6),
            Token(asset="USDC", contract="0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", decimals=6),
        ),
    ),
    "bsc": EvmNetwork(
        chain_id=56,
        tokens=(
            Token(asset="BNB"),
            Token(asset="USDT", contract="0x55d398326f99059fF775485246999027B3197955", decimals=18),
            Token(asset="USDC", contract="0x8AC76a51cc950d9822D68b83fE1Ad97B32Cd580d", decimals=18),
        ),
    ),
    "arbitrum": EvmNetwork(
        chain_id=42161,
        tokens=(
            Token(asset="ETH"),
            Token(asset="USDT", contract="0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9", decimals=6),
            Token(asset="USDC", contract="0xaf88d065e77c8cC2239327C5EDb3A432268e5831", decimals=6),
        ),
        contracts_see_height=False,
    ),
    "optimism": EvmNetwork(
        chain_id=10,
        tokens=(
            Token(asset="ETH"),
            Token(asset="USDT", contract="0x94b008aA00579c1307B0EF2c499aD98a8ce58e58", decimals=6),
            Token(asset="USDC", contract="0x0b2C639c533813f4Aa9D7837CAf62653d097Ff85", decimals=6),
        ),
    ),
    "base": EvmNetwork(
        chain_id=8453,
        tokens=(
            Token(asset="ETH"),
            Token(asset="USDC", contract="0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", decimals=6),
        ),
    ),
    "polygon": EvmNetwork(
        chain_id=137,
        tokens=(
            Token(asset="POL"),
            Token(asset="USDT", contract="0xc2132D05D31c914a87C6611C10748AEb04B58e8F", decimals=6),
            Token(asset="USDC", contract="0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359", decimals=6),
        ),
    ),
    "avalanche": EvmNetwork(
        chain_id=43114,
        tokens=(
            Token(asset="AVAX"),
            Token(asset="USDT", contract="0x9702230A8Ea53601f5cD2dc00fDBc13d4dF4A8c7", decimals=6),
            Token(asset="USDC", contract="0xB97EF9Ef8734C71904D8002F8b6Bc66Dd9c48a6E", decimals=6),
        ),
    ),
}
