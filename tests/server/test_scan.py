"""`cexwatch reserves scan`: balances of all known wallets, read now over several chains."""

import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest

from monitor.clock import Clock
from tests.anvil import anvil
from tests.bitcoin_addresses import segwit
from tests.esplora_chain import BitcoinChain
from tests.esplora_server import MAINNET, UNAVAILABLE, EsploraServer
from tests.loopback import as_json, asks_for
from tests.xrp_ledger import XrpLedger
from tests.xrp_server import XrpServer
from tests.xrp_state import account

ROOT = Path(__file__).parents[2]
BTC = 10**8


class Held(msgspec.Struct):
    exchange: str
    asset: str
    network: str
    amount: str
    wallets: int
    wallets_read: int


class Unseen(msgspec.Struct):
    exchange: str
    network: str
    reason: str


class Found(msgspec.Struct):
    held: list[Held]
    unseen: list[Unseen]


class Stage:
    def __init__(self, folder: Path, esplora: EsploraServer) -> None:
        self.config = folder / "cexwatch.yaml"
        self.esplora = esplora

    async def scan(self, *arguments: str) -> tuple[int, str]:
        """The exit code and what it printed."""
        command = (sys.executable, "-m", "monitor", "reserves", "scan", "--config", str(self.config), *arguments)
        process = await create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE, stderr=PIPE)
        out, err = await process.communicate()
        return process.returncode or 0, (out + err).decode()

    async def found(self, *arguments: str) -> tuple[int, Found]:
        code, printed = await self.scan("--json", *arguments)
        return code, msgspec.json.decode(printed, type=Found)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """kraken holds coins on three chains, gate on one."""
    clock = Clock()
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(anvil())
        accounts = (await node.accounts())[:3]
        coins = BitcoinChain(clock)
        coins.fund(segwit("cold"), 7 * BTC)
        coins.mine()
        esplora = await stack.enter_async_context(EsploraServer(coins))
        first = {"id": MAINNET, "height": 0, "timestamp": 1231006505, "tx_count": 1}
        esplora.door.fail(as_json(first), when=asks_for(f"/block/{MAINNET}?"))
        ledger = XrpLedger(clock)
        ledger.fund(account("hot"), 25_000_000)
        ledger.close()
        rippled = await stack.enter_async_context(XrpServer(ledger, clock))
        chains: dict[str, dict[str, object]] = {
            "ethereum": {"chain_id": 1, "endpoints": [node.url]},
            "bitcoin": {"endpoints": [esplora.url]},
            "xrp": {"endpoints": [rippled.url]},
        }
        config = {
            "exchanges": {"kraken": None, "gate": None},
            "chains": {name: {**chain, "allow_private": True} for name, chain in chains.items()},
        }
        stage = Stage(tmp_path, esplora)
        stage.config.write_bytes(msgspec.json.encode(config))
        pages = {
            "kraken": {"ethereum": accounts[:2], "bitcoin": [segwit("cold")], "xrp": [account("hot")]},
            "gate": {"ethereum": accounts[2:]},
        }
        for exchange, wallets in pages.items():
            page = {
                "exchange": exchange,
                "lists": [{"source": "a test", "as_of": "2026-02-03", "wallets": wallets}],
            }
            (tmp_path / "reserves").mkdir(exist_ok=True)
            (tmp_path / "reserves" / f"{exchange}.yaml").write_bytes(msgspec.json.encode(page))
        yield stage


async def test_reads_every_wallet_of_every_chain(stage: Stage) -> None:
    code, found = await stage.found()
    assert (code, found.unseen) == (0, [])
    assert sorted((h.exchange, h.asset, float(h.amount), h.wallets_read, h.wallets) for h in found.held) == [
        ("gate", "ETH", 10_000.0, 1, 1),
        ("kraken", "BTC", 7.0, 1, 1),
        ("kraken", "ETH", 20_000.0, 2, 2),
        ("kraken", "XRP", 25.0, 1, 1),
    ]


async def test_says_what_could_not_be_read_and_reads_the_rest(stage: Stage) -> None:
    stage.esplora.door.fail(UNAVAILABLE)
    code, found = await stage.found("--exchange", "kraken")
    assert code == 2
    assert [(each.exchange, each.network, each.reason) for each in found.unseen] == [("kraken", "bitcoin", "http_5xx")]
    assert {held.asset for held in found.held} == {"ETH", "XRP"}


async def test_a_chain_that_cannot_be_read_is_a_line_of_all_it_concerns(stage: Stage) -> None:
    (stage.config.parent / "reserves" / "gate.yaml").write_bytes(
        msgspec.json.encode(
            {
                "exchange": "gate",
                "lists": [{"source": "a test", "as_of": "2026-02-03", "wallets": {"bitcoin": [segwit("hot")]}}],
            }
        )
    )
    stage.esplora.door.fail(UNAVAILABLE)
    code, printed = await stage.scan("--network", "bitcoin")
    _, *lines = " ".join(printed.split()).split("bitcoin was ")
    assert (code, len(lines)) == (2, 1)
    assert lines[0].startswith("not read to the end, of kraken, gate: http_5xx, ")
    assert "wallets read" not in printed


async def test_prints_a_table(stage: Stage) -> None:
    code, printed = await stage.scan("--network", "xrp")
    assert code == 0
    assert ["kraken", "XRP", "xrp", "25", "1", "of", "1"] in [line.split()[:7] for line in printed.splitlines()]


async def test_a_name_that_is_none_is_told_with_the_nearest(stage: Stage) -> None:
    code, printed = await stage.scan("--exchange", "krakn")
    assert code == 3
    assert "no exchange with an address book 'krakn', did you mean 'kraken'?" in printed
