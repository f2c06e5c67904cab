"""What a person can set of chains, of prices, and of getting out."""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, Field, SecretStr
from pydantic.json_schema import SkipJsonSchema

from monitor.config.values import Asset, BaseUrl, Contract, Duration, Endpoints, EnvironmentVariable


class PriceSource(StrEnum):
    KRAKEN = "kraken"
    COINBASE = "coinbase"
    BITSTAMP = "bitstamp"
    BITFINEX = "bitfinex"
    GEMINI = "gemini"
    COINPAPRIKA = "coinpaprika"


class Token(BaseModel, frozen=True, extra="forbid"):
    contract: Contract = Field(description="address of the ERC-20 or TRC-20 contract, or the mint at Solana")
    decimals: int = Field(ge=0, le=36, description="digits after the point in one coin")


class Chain(BaseModel, frozen=True, extra="forbid"):
    chain_id: int | None = Field(
        None, ge=1, description="of an EVM chain: the EIP-155 id that every endpoint must answer with"
    )
    endpoints: Endpoints = Field(
        description="nodes in order of preference, of different operators: `https://...` is JSON-RPC, Esplora or "
        "TronGrid; the bitcoin family also has `electrums://host:50002` (`electrum://` without TLS) and "
        "`core+http://host:8332`"
    )
    interval: Duration = Field(timedelta(seconds=60), description="how often payments and hot balances are read")
    allow_private: bool = Field(False, description="its endpoints may be in private networks (a node of yours)")
    tokens: dict[Asset, Token] = Field({}, description="tokens whose balances are reserves")
    flow_depth: int | None = Field(
        None, ge=0, le=1000, description="blocks below the newest at which flows are read; the default suits the chain"
    )
    whole_blocks: bool | None = Field(
        None,
        description="of an EVM chain: read every block, for flows of its own coin and not of tokens alone; the "
        "default is yes at ethereum",
    )
    rpc_user: str = Field("", description="user name at `core+http` endpoints, which goes with a password")
    rpc_password_file: Path | None = Field(None, description="file with the password for it")
    rpc_password_env: EnvironmentVariable | None = Field(None, description="environment variable with it")
    rpc_password: SkipJsonSchema[SecretStr | None] = None
    api_key_file: Path | None = Field(
        None, description="of tron: file with a key that is sent to the endpoints of TronGrid"
    )
    api_key_env: EnvironmentVariable | None = Field(None, description="environment variable with it")
    api_key: SkipJsonSchema[SecretStr | None] = None


class Prices(BaseModel, frozen=True, extra="forbid"):
    interval: Duration = Field(timedelta(seconds=60), description="how often each source is asked")
    sources: tuple[PriceSource, ...] = Field(
        tuple(PriceSource),
        description="where prices in US dollars are read; the median of three that agree is a price, and what an "
        "exchange says itself does not count for it. Empty reads none",
    )
    urls: dict[PriceSource, BaseUrl] = Field({}, description="base of a source, in place of its own")
    allow_private: bool = Field(False, description="sources may be in private networks (a proxy of yours)")


class Exits(BaseModel, frozen=True, extra="forbid"):
    stuck_usd: float = Field(
        100_000.0,
        ge=0,
        allow_inf_nan=False,
        description="US dollars of your own at one exchange; when more than this cannot leave for 10 min, it pages",
    )
