"""What one setting of a chain asks of another, with the line of the one that has to change."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from monitor.config.chains import Chain
from monitor.config.yaml_file import ConfigFile, ConfigProblem, Document, Where, suggestion
from monitor.model import OTHER_NETWORKS

_WITHOUT_CORE = ("tron", "solana", "xrp")
_PASSWORD = ("rpc_password", "rpc_password_file", "rpc_password_env")
_API_KEY = ("api_key", "api_key_file", "api_key_env")

_EVM_CONTRACT = (r"0x[0-9a-fA-F]{40}", "0x and 40 hex digits")
_CONTRACTS = {
    "tron": (r"T[1-9A-HJ-NP-Za-km-z]{33}", "T and 33 letters and digits"),
    "solana": (r"[1-9A-HJ-NP-Za-km-z]{32,44}", "a mint of 32 to 44 letters and digits"),
}


def chain_problems(file: ConfigFile, network: str, chain: Chain) -> Iterator[ConfigProblem]:
    """What is wrong with a chain whose values are each right."""
    where: Where = ("chains", network)
    is_evm = network not in OTHER_NETWORKS
    if is_evm and chain.chain_id is None:
        others = ", ".join(OTHER_NETWORKS)
        yield file.problem(
            where, f"an EVM chain needs its chain_id; without one we read {others}{suggestion(network, OTHER_NETWORKS)}"
        )
    if not is_evm and chain.chain_id is not None:
        yield file.problem((*where, "chain_id"), f"{network} is no EVM chain: remove it")
    if not is_evm and chain.whole_blocks is not None:
        yield file.problem((*where, "whole_blocks"), "a choice of EVM chains only: remove it")
    yield from _endpoint_problems(file, network, chain)
    yield from _credential_problems(file, network, chain)
    yield from _token_problems(file, network, chain)


def _endpoint_problems(file: ConfigFile, network: str, chain: Chain) -> Iterator[ConfigProblem]:
    is_http_alone = network not in OTHER_NETWORKS or network in _WITHOUT_CORE
    for number, endpoint in enumerate(chain.endpoints):
        where: Where = ("chains", network, "endpoints", number)
        if is_http_alone and not endpoint.startswith("http"):
            yield file.problem(where, "expected a URL like https://example.org")
        elif not chain.allow_private and _is_private(urlsplit(endpoint).hostname or ""):
            yield file.problem(
                where, f"it is in a private network: if it is a node of yours, set chains.{network}.allow_private: true"
            )


def _is_private(host: str) -> bool:
    """Whether it is one as it is written; what a name leads to is seen when it is asked."""
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost"
    return not address.is_global


def _credential_problems(file: ConfigFile, network: str, chain: Chain) -> Iterator[ConfigProblem]:
    """Credentials that nobody asks for, or only half of them."""
    where: Where = ("chains", network)
    body = _body(file, network)
    password = [key for key in _PASSWORD if body.get(key)]
    user = ["rpc_user"] if chain.rpc_user else []
    if not any(endpoint.startswith("core+") for endpoint in chain.endpoints):
        for key in (*user, *password):
            yield file.problem((*where, key), "without effect: no endpoint here is core+http")
    elif user and not password:
        yield file.problem(
            (*where, "rpc_user"),
            "needs a password: name its file in rpc_password_file or its variable in rpc_password_env",
        )
    elif password and not user:
        yield file.problem((*where, password[0]), "needs the name that goes with it: rpc_user")
    if network != "tron":
        for key in _API_KEY:
            if body.get(key):
                yield file.problem((*where, key), "sent to TronGrid only: remove it")


def _body(file: ConfigFile, network: str) -> Mapping[str, Document]:
    match file.document.get("chains"):
        case dict() as chains:
            match chains.get(network):
                case dict() as body:
                    return body
    return {}


def _token_problems(file: ConfigFile, network: str, chain: Chain) -> Iterator[ConfigProblem]:
    look = _CONTRACTS.get(network) if network in OTHER_NETWORKS else _EVM_CONTRACT
    for asset, token in chain.tokens.items():
        where: Where = ("chains", network, "tokens", asset)
        match look:
            case None:
                yield file.problem(where, f"no tokens are read at {network}")
            case pattern, words if not re.fullmatch(pattern, token.contract):
                yield file.problem((*where, "contract"), f"this is no contract of {network}: expected {words}")
