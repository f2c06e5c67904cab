"""From a configuration to what looks at chains, prices and exposures."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from monitor.clock import Clock
from monitor.config import load
from monitor.model import Exposure, PublishedReserve
from monitor.polls import flows_names, opened, own_nodes, polls_of, since_names
from monitor.probes import EXCHANGES
from monitor.probes.probe import Probe
from monitor.reserves.book import Address, Book, Published

ETHEREUM = "0x267be1C1D684F78cb4F6a176C4911b741E4Ffdc0"
BITCOIN = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"
XRP = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"


def address(network: str, account: str, *, exchange: str = "kraken") -> Address:
    return Address(exchange=exchange, network=network, address=account, source="a test", as_of=date(2026, 2, 3))


BOOK = Book(
    exchanges=("kraken", "mt-gox"),
    addresses=(
        address("ethereum", ETHEREUM),
        address("bitcoin", BITCOIN),
        address("xrp", XRP),
        address("bitcoin", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", exchange="mt-gox"),
    ),
    published=(
        Published(
            exchange="kraken", asset="BTC", amount=Decimal(120_000), as_of=date(2026, 1, 31), source="kraken.com"
        ),
    ),
)
CHAINS = {
    "ethereum": {"chain_id": 1, "endpoints": ["https://a.example"]},
    "bsc": {"chain_id": 56, "endpoints": ["https://b.example"]},
    "bitcoin": {"endpoints": ["https://c.example/api", "electrums://d.example:50002", "core+http://e.example:8332"]},
    "xrp": {"endpoints": ["https://f.example"]},
}


async def looks(folder: Path, exchanges: object, **more: object) -> dict[str, Probe]:
    """The probes of a configuration by name."""
    path = folder / "cexwatch.yaml"
    path.write_bytes(msgspec.json.encode({"exchanges": exchanges, "chains": CHAINS} | more))
    config = load(path, {}, known_exchanges=EXCHANGES).config
    async with opened(config, Clock()) as ways:
        return {poll.probe.name: poll.probe for poll in polls_of(config, ways=ways, book=BOOK)}


def of_chains(names: Sequence[str]) -> set[str]:
    return {name for name in names if name.rpartition("-")[2] in ("wallets", "flows", "hot", "reserves", "chain")}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param({}, {"kraken-mentions-json": 600.0}, id="nothing is read at X without its section"),
        pytest.param(
            {"x": {"bearer_token_file": "x_bearer", "mentions_interval": "15m"}},
            {"kraken-mentions-json": 600.0, "kraken-mentions-x": 900.0},
            id="with a token",
        ),
    ],
)
async def test_mentions_are_counted_where_they_are_configured(
    tmp_path: Path, more: dict[str, object], expected: dict[str, float]
) -> None:
    (tmp_path / "x_bearer").write_text("AAAA")
    counted = {"url": "https://counts.example", "query": "kraken", "interval": "10m"}
    mentions = {"x": "kraken withdrawal", "http_json": counted}
    probes = await looks(tmp_path, {"kraken": {"mentions": mentions}, "okx": None}, **more)
    assert {name: probe.interval for name, probe in probes.items() if "mentions" in name} == expected


async def test_a_chain_is_read_for_each_exchange_that_has_addresses_on_it(tmp_path: Path) -> None:
    names = await looks(tmp_path, {"kraken": None, "htx": None})
    assert of_chains(list(names)) == {
        *(f"kraken-{network}-{what}" for network in ("ethereum", "bitcoin", "xrp") for what in ("wallets", "flows")),
        *(f"kraken-{network}-{what}" for network in ("ethereum", "bitcoin", "xrp") for what in ("hot", "reserves")),
        "ethereum-chain",
        "bitcoin-chain",
        "xrp-chain",
    }


@pytest.mark.parametrize(
    ("url", "is_own"),
    [
        pytest.param("core+http://127.0.0.1:8332", True, id="loopback"),
        pytest.param("http://10.1.2.3:8545", True, id="a private address"),
        pytest.param("http://geth:8545", True, id="a neighbour in Docker"),
        pytest.param("http://geth.internal:8545", True, id="a private domain"),
        pytest.param("https://mempool.space/api", False, id="a public node beside it"),
        pytest.param("https://8.8.8.8", False, id="a public address"),
    ],
)
def test_only_a_node_of_ones_own_is_asked_without_mercy(tmp_path: Path, url: str, is_own: bool) -> None:
    path = tmp_path / "cexwatch.yaml"
    chains = {"bitcoin": {"endpoints": [url], "allow_private": True}}
    path.write_bytes(msgspec.json.encode({"exchanges": {"kraken": None}, "chains": chains}))
    assert bool(own_nodes(load(path, {}, known_exchanges=EXCHANGES).config)) is is_own


async def test_what_looks_at_a_chain_has_no_seat_among_the_others(tmp_path: Path) -> None:
    path = tmp_path / "cexwatch.yaml"
    path.write_bytes(msgspec.json.encode({"exchanges": {"kraken": None}, "chains": CHAINS}))
    config = load(path, {}, known_exchanges=EXCHANGES).config
    async with opened(config, Clock()) as ways:
        networks = {poll.probe.name: poll.network for poll in polls_of(config, ways=ways, book=BOOK)}
    seated = {name for name, network in networks.items() if network}
    assert seated == of_chains(list(networks))
    assert all(network in name for name, network in networks.items())


async def test_flows_of_a_chains_own_coin_need_whole_blocks_and_tokens_do_not(tmp_path: Path) -> None:
    chains = {"ethereum": {"chain_id": 1, "endpoints": ["https://a.example"], "whole_blocks": False}}
    assert "kraken-ethereum-flows" not in await looks(tmp_path, {"kraken": None}, chains=chains)


def test_what_goes_on_after_a_restart_is_known_by_name(tmp_path: Path) -> None:
    path = tmp_path / "cexwatch.yaml"
    exchanges = {"kraken": {"mentions": {"x": "kraken withdrawal"}}, "okx": None}
    path.write_bytes(msgspec.json.encode({"exchanges": exchanges, "chains": {"xrp": CHAINS["xrp"]}}))
    config = load(path, {}, known_exchanges=EXCHANGES).config
    assert since_names(config) == ["kraken-xrp-wallets", "okx-xrp-wallets", "kraken-mentions-x"]
    assert flows_names(config) == ["kraken-xrp-flows", "okx-xrp-flows"]


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        pytest.param({}, 6, id="six unless said otherwise"),
        pytest.param({"prices": {"sources": ["kraken", "gemini"]}}, 2, id="those that are named"),
        pytest.param({"prices": {"sources": []}}, 0, id="none where none is wanted"),
    ],
)
async def test_prices_are_read_from_their_sources(tmp_path: Path, sources: dict[str, object], expected: int) -> None:
    names = await looks(tmp_path, {"kraken": None}, **sources)
    assert sum(name.startswith("prices-") for name in names) == expected


async def test_what_a_person_holds_and_what_an_exchange_publishes_is_told(tmp_path: Path) -> None:
    probes = await looks(tmp_path, {"kraken": {"exposure": {"USDT": 31_200_000, "ETH": "5000.5"}}})
    exposure, published = probes["kraken-exposure"], probes["kraken-published"]
    told = [seen for seen in await exposure.observe() if type(seen) is Exposure]
    assert [(seen.asset, seen.amount) for seen in told] == [("USDT", Decimal(31_200_000)), ("ETH", Decimal("5000.5"))]
    (total,) = await published.observe()
    assert type(total) is PublishedReserve
    assert (total.asset, total.amount, total.as_of.isoformat()) == (
        "BTC",
        Decimal(120_000),
        "2026-01-31T00:00:00+00:00",
    )


async def test_an_exchange_of_which_only_addresses_are_known_is_read_on_chain(tmp_path: Path) -> None:
    (tmp_path / "reserves").mkdir()
    (tmp_path / "reserves" / "mt-gox.yaml").write_text("exchange: mt-gox\nlists: []\n")
    names = await looks(tmp_path, {"mt-gox": None})
    assert "mt-gox-bitcoin-reserves" in names
