"""The configuration on a page: every key is there, and no secret, holding or path of an address is."""

from pathlib import Path

import pytest

from monitor.config import ConfigError, Loaded, load
from monitor.config.shown import EMPTY, HIDDEN, shown
from monitor.on_disk import OnDisk
from monitor.web.configured import Configured, differing

FILE = """
listen: 127.0.0.1:9000
exchanges:
  kraken:
    interval: 45s
    exposure: {ETH: 5000}
    api_key_env: KRAKEN_KEY
    api_secret_env: KRAKEN_SECRET
  gate:
chains:
  ethereum:
    chain_id: 1
    endpoints: ["https://0123456789abcdef0123.provider.example/v3/6f1d0e9c8b7a45d2?key=topsecretvalue1234"]
"""
ENVIRON = {"KRAKEN_KEY": "kraken-key-97531", "KRAKEN_SECRET": "a3Jha2VuLXNlY3JldC04NjQyMA=="}
PRIVATE = [*ENVIRON.values(), "6f1d0e9c8b7a45d2", "topsecretvalue1234", "0123456789abcdef0123", "5000"]


def read(path: Path, environ: dict[str, str] = ENVIRON) -> Loaded:
    return load(path, environ, known_exchanges=["kraken", "gate"])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cexwatch.yaml"
    path.write_text(FILE)
    return path


def write(file: Path, text: str) -> None:
    file.write_text(text)


async def looked(file: Path, running: Loaded, environ: dict[str, str] = ENVIRON) -> Configured:
    on_disk = OnDisk(file, running=lambda: running, read=lambda: read(file, environ), refusals=ConfigError)
    return await on_disk.look()


def test_what_is_told_and_what_is_not(file: Path) -> None:
    told = {key: each.text for key, each in shown(read(file).config).items()}
    assert told["listen"] == "127.0.0.1:9000"
    assert told["exchanges.kraken.interval"] == "45s"
    assert told["exchanges.kraken.api_key"] == HIDDEN
    assert told["exchanges.kraken.exposure.ETH"] == HIDDEN
    assert told["exchanges.gate.api_key"] == EMPTY
    assert told["chains.ethereum.endpoints"] == "https://….provider.example"
    page = "\n".join(told.values())
    assert [each for each in PRIVATE if each in page] == []


async def test_the_same_on_disk(file: Path) -> None:
    running = read(file)
    configured = await looked(file, running)
    assert (configured.running_sha256, configured.disk_sha256) == (running.sha256, running.sha256)
    assert differing(configured) == []


async def test_keys_that_differ_are_named_with_both_values(file: Path) -> None:
    running = read(file)
    write(file, FILE.replace("45s", "90s").replace("  gate:\n", ""))
    configured = await looked(file, running)
    told = {each.key: (each.running, each.on_disk) for each in differing(configured)}
    assert told["exchanges.kraken.interval"] == ("45s", "90s")
    assert {key: both[1] for key, both in told.items() if key.startswith("exchanges.gate")}.popitem()[1] is None
    assert configured.disk_sha256 not in ("", configured.running_sha256)


@pytest.mark.parametrize(
    ("text", "environ", "key"),
    [
        pytest.param(FILE, {**ENVIRON, "KRAKEN_KEY": "another-key-1"}, "exchanges.kraken.api_key", id="a secret"),
        pytest.param(FILE.replace("5000", "6000"), ENVIRON, "exchanges.kraken.exposure.ETH", id="a holding"),
        pytest.param(FILE.replace("/v3/", "/v4/"), ENVIRON, "chains.ethereum.endpoints", id="a path"),
    ],
)
async def test_of_what_is_hidden_only_that_it_differs(file: Path, text: str, environ: dict[str, str], key: str) -> None:
    running = read(file)
    write(file, text)
    [each] = differing(await looked(file, running, environ))
    assert (each.key, each.running) == (key, each.on_disk)


async def test_a_broken_file_says_why_and_what_is_in_force(file: Path) -> None:
    running = read(file)
    write(file, FILE.replace("interval: 45s", "interval: soon"))
    configured = await looked(file, running)
    assert "expected a duration like 30s" in configured.problem
    assert configured.disk_sha256 == ""
    assert {each.key: each.running for each in configured.settings}["exchanges.kraken.interval"] == "45s"


async def test_the_disk_is_not_read_for_every_reader(file: Path) -> None:
    running, reads = read(file), 0

    def counted() -> Loaded:
        nonlocal reads
        reads += 1
        return running

    on_disk = OnDisk(file, running=lambda: running, read=counted, refusals=ConfigError)
    assert await on_disk.look() is await on_disk.look()
    assert reads == 1
