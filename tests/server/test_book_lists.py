"""Live lists and `cexwatch reserves`: real processes against a small server that answers as the exchanges do."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import pytest
from aiohttp import web
from msgspec import Struct

from monitor.cli import reserves
from monitor.cli.outcome import Code, Ending
from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, RemoteError
from monitor.probes.address_lists import LISTS, MOST_PAGES, decode_bybit, decode_file
from monitor.replay.stage import listening
from monitor.reserves.book import read
from monitor.reserves.comparing import SaidList

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 1, 3)
FIRST, SECOND, THIRD = (
    "34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo",
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
)
ETHEREUM = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
TRON = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"


class ListServer:
    """Serves all three lists. Pages of Bitstamp are unstable, so the first address of a page is on every later one."""

    def __init__(self) -> None:
        self.months: dict[str, str] = {}
        self.pages: list[list[tuple[str, str]]] = []
        self.reserves: list[dict[str, str | None]] = []
        self.asked: list[str] = []

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_get("/por/address", self._binance)
        application.router.add_get("/por/{file}", self._bybit)
        application.router.add_get("/wallets/", self._bitstamp)
        return application

    async def _binance(self, _request: web.Request) -> web.Response:
        return web.json_response({"code": "000000", "message": None, "data": self.reserves, "success": True})

    async def _bybit(self, request: web.Request) -> web.Response:
        self.asked.append(request.match_info["file"])
        text = self.months.get(request.match_info["file"])
        return web.Response(status=404) if text is None else web.Response(text=text)

    async def _bitstamp(self, request: web.Request) -> web.Response:
        size, number = int(request.query["perPage"]), int(request.query["page"])
        if not 1 <= size <= 100:
            message = "{'per_page': ['Must be greater than or equal to 1 and less than or equal to 100.']}"
            return web.json_response({"code": 400, "message": message}, status=400)
        page = self.pages[number - 1] if number <= len(self.pages) else []
        wallets: dict[str, list[dict[str, str]]] = {}
        for network, address in page:
            wallets.setdefault(network.upper(), []).append({"address": address, "network": network})
        return web.json_response({"wallets": wallets})


@asynccontextmanager
async def serving(server: ListServer) -> AsyncIterator[str]:
    async with listening(server.application(), Clock()) as url:
        yield url


async def fetched(name: str, url: str, *, today: date = TODAY) -> SaidList:
    async with Http(Clock(), per_second={"127.0.0.1": 10_000.0}) as http:

        async def ask(address: str) -> bytes:
            return (await http.get(address, allow_private=True)).body

        return await LISTS[name].read(ask, url, today)


def told(found: SaidList) -> list[tuple[str, str]]:
    return [(each.network, each.address) for each in found.addresses]


async def test_binance_tells_network_and_custodian() -> None:
    server = ListServer()
    server.reserves = [
        {"network": "BTC", "address": FIRST, "thirdPartyCustodianName": ""},
        {"network": "ETH", "address": ETHEREUM, "thirdPartyCustodianName": "Ceffu"},
        {"network": "BTC", "address": FIRST, "thirdPartyCustodianName": ""},
        {"network": "CHZ2", "address": ETHEREUM, "thirdPartyCustodianName": None},
    ]
    async with serving(server) as url:
        found = await fetched("binance", f"{url}/por/address")

    assert told(found) == [("bitcoin", FIRST), ("ethereum", ETHEREUM), ("chiliz", ETHEREUM)]
    assert [each.label for each in found.addresses] == ["", "held by Ceffu", ""]
    assert found.as_of == TODAY


async def test_an_empty_list_is_no_list() -> None:
    async with serving(ListServer()) as url:
        with pytest.raises(RemoteError) as caught:
            await fetched("binance", f"{url}/por/address")

    assert caught.value.reason is FailureReason.SHAPE


async def test_bybit_has_a_file_a_month_and_the_newest_counts() -> None:
    server = ListServer()
    server.months["bybit_por_202511.csv"] = f"Coin,Height,Amount,Address\nBTC-Bitcoin,1,1,{SECOND}\n"
    server.months["bybit_por_202512.csv"] = f"Coin,Height,Amount,Address\nBTC-Bitcoin,1,1,{FIRST}\n"
    async with serving(server) as url:
        found = await fetched("bybit", f"{url}/por")

    assert server.asked == ["bybit_por_202601.csv", "bybit_por_202512.csv"]
    assert (told(found), found.as_of) == ([("bitcoin", FIRST)], date(2025, 12, 1))


async def test_without_a_file_for_three_months_bybit_has_no_list() -> None:
    server = ListServer()
    async with serving(server) as url:
        with pytest.raises(RemoteError):
            await fetched("bybit", f"{url}/por")

    assert server.asked == [f"bybit_por_{month}.csv" for month in (202601, 202512, 202511)]


def test_a_row_of_bybit_has_several_addresses_and_sums_have_none() -> None:
    rows = [
        "Coin,Height,Amount,Address",
        "BTC(ALL),,9.5,",
        f"BTC-Bitcoin,1,9.5,{FIRST} {SECOND}",
        f"USDT-TRX,2,1,{TRON}",
    ]
    rows += [f"KAVA-KAVAEVM,,1,{ETHEREUM}", "ETH-ARBINOVA,,0,"]

    found = decode_bybit("\r\n".join(rows).encode())
    assert [(each.network, each.address) for each in found] == [
        ("bitcoin", FIRST),
        ("bitcoin", SECOND),
        ("tron", TRON),
        ("kava", ETHEREUM),
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"<html>gone</html>", FailureReason.SCHEMA, id="a page of words"),
        pytest.param(b"\xff\xfe", FailureReason.ENCODING, id="not text"),
        pytest.param(b"", FailureReason.SCHEMA, id="nothing"),
    ],
)
def test_what_is_no_file_of_bybit_is_refused(body: bytes, reason: FailureReason) -> None:
    with pytest.raises(RemoteError) as caught:
        decode_bybit(body)
    assert caught.value.reason is reason


async def test_bitstamp_is_read_to_an_empty_page_whatever_pages_look_like() -> None:
    server = ListServer()
    server.pages = [
        [("bitcoin", FIRST), ("ethereum", ETHEREUM)],
        [("bitcoin", SECOND), ("ethereum", ETHEREUM)],  # ends like the one before
        [("avalanche-c-chain", ETHEREUM)],
        [("bitcoin", FIRST), ("bitcoin", THIRD)],
    ]
    async with serving(server) as url:
        found = await fetched("bitstamp", f"{url}/wallets/")

    assert told(found) == [
        ("bitcoin", FIRST),
        ("ethereum", ETHEREUM),
        ("bitcoin", SECOND),
        ("avalanche", ETHEREUM),
        ("bitcoin", THIRD),
    ]


async def test_a_list_without_an_end_is_no_list() -> None:
    server = ListServer()
    server.pages = [[("bitcoin", FIRST)]] * (MOST_PAGES + 1)
    async with serving(server) as url:
        with pytest.raises(RemoteError, match="no end after"):
            await fetched("bitstamp", f"{url}/wallets/")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("address\na", "must hold network and address", id="no network"),
        pytest.param("network,address,balance\na,b,1", "may role and label", id="unknown heading"),
        pytest.param("network,address\nbitcoin", "line 2 has 1 values, not 2", id="a value short"),
        pytest.param("network,address,role\nbitcoin,a,warm", "line 2: the role is hot or cold", id="role"),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(RemoteError, match=problem):
        decode_file(text.encode())


class Ended(Struct, frozen=True):
    code: int
    out: str
    err: str


async def cexwatch(*arguments: str | Path) -> Ended:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "monitor", "reserves"),
        *map(str, arguments),
        stdout=PIPE,
        stderr=PIPE,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    assert b"Traceback" not in err
    return Ended(process.returncode, out.decode(), err.decode())


PAGE = f"""\
# Kept by hand.
exchange: binance
lists:
  - source: an older list
    as_of: 2025-08-22
    wallets:
      bitcoin:
        - "{SECOND}"  # the first of all
        - "{THIRD}"
      tron:
        - "{TRON}"
"""
RIVAL = f"""\
exchange: kraken
lists:
  - {{source: a list, as_of: 2025-08-22, wallets: {{ethereum: ["{ETHEREUM}"]}}}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "reserves").mkdir()
    (tmp_path / "reserves/binance.yaml").write_text(PAGE)
    (tmp_path / "reserves/kraken.yaml").write_text(RIVAL)
    path = tmp_path / "cexwatch.yaml"
    path.write_text(f"database: sqlite:///{tmp_path}/cexwatch.db\nexchanges: {{kraken: {{}}}}\n")
    return path


def listed(server: ListServer, addresses: Sequence[tuple[str, str]]) -> None:
    server.reserves = [{"network": network, "address": address} for network, address in addresses]


async def test_a_refresh_proposes_and_never_drops(config: Path) -> None:
    server = ListServer()
    listed(server, [("BTC", SECOND), ("BTC", FIRST), ("ETH", ETHEREUM), ("BTC", TRON)])
    async with serving(server) as url:
        ended = await cexwatch("import", "--from", "binance", "--url", f"{url}/por/address", "--config", config)

    assert (ended.code, ended.err) == (0, "")
    assert "1 added, 1 the same, 1 missing, 1 claimed by two, 1 refused" in ended.out
    assert "no longer in the list; they stay in the book" in ended.out
    assert f'        - "{FIRST}"' in ended.out
    assert "expected a Bitcoin address" in ended.out
    assert "tron 1" in ended.out
    assert (config.parent / "reserves/binance.yaml").read_text() == PAGE


async def test_writing_adds_to_the_page_and_leaves_the_rest_of_it(config: Path) -> None:
    server = ListServer()
    listed(server, [("BTC", FIRST)])
    page = config.parent / "reserves/binance.yaml"
    async with serving(server) as url:
        ended = await cexwatch(
            "import", "--from", "binance", "--url", f"{url}/por/address", "--write", "--config", config
        )
        again = await cexwatch(
            "import", "--from", "binance", "--url", f"{url}/por/address", "--write", "--config", config
        )

    assert (ended.code, again.code) == (0, 0)
    assert f"added 1 to {page}" in ended.out
    assert "nothing to add" in again.out
    text = page.read_text()
    assert text.startswith(PAGE)
    assert [a.address for a in read({"binance.yaml": text}).addresses] == [SECOND, THIRD, TRON, FIRST]
    assert sorted(path.name for path in page.parent.iterdir()) == ["binance.yaml", "kraken.yaml"]


def told_by(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Ended:
    """The same without a process, for what asks nobody."""
    try:
        reserves.app(list(map(str, arguments)), standalone_mode=False)
    except Ending as ending:
        code = ending.code
    else:
        code = Code.FINE
    told = capsys.readouterr()
    return Ended(code, told.out, told.err)


def test_a_file_makes_the_page_of_a_new_exchange(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "okx.csv"
    file.write_text(f"network,address,role,label\nBTC,{FIRST},cold,vault 3\n")
    whose = ("--exchange", "okx", "--source", "their mail", "--write")

    ended = told_by(capsys, "import", file, *whose, "--config", config)

    assert ended.code == 0
    (address,) = read({"okx.yaml": (config.parent / "reserves/okx.yaml").read_text()}).addresses
    assert (address.exchange, address.network, address.address) == ("okx", "bitcoin", FIRST)
    assert (address.role, address.label, address.source) == ("cold", "vault 3", "their mail")


def test_differences_are_data_too(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"network,address\nbitcoin,{FIRST}\nbitcoin,{SECOND}\n")

    ended = told_by(capsys, "diff", file, "--exchange", "binance", "--json", "--config", config)

    found = json.loads(ended.out)
    assert found["same"] == 1
    assert [each["address"] for each in found["added"]] == [FIRST]
    assert [each["address"] for each in found["missing"]] == [THIRD]
    assert found["untold"] == {"tron": 1}


def test_a_file_need_not_list_all_there_is_and_addresses_are_whole(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"network,address,label\nbitcoin,{FIRST},{'a long label ' * 30}\nbitcoin,{SECOND},\n")

    for command in ("diff", "import"):
        ended = told_by(capsys, command, file, "--exchange", "binance", "--config", config)

        assert THIRD not in ended.out
        assert "1 in the book are not in the file; they stay in the book" in ended.out
        assert ended.out.index(FIRST) < ended.out.index("are not in the file")
        assert "…" not in ended.out


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        pytest.param(["diff"], "name a file, or --from", id="neither"),
        pytest.param(["diff", "x.csv", "--from", "binance"], "and not both", id="both"),
        pytest.param(["diff", "x.csv"], "a file needs --exchange", id="whose"),
        pytest.param(["diff", "--from", "htx"], "known here: binance, bitstamp, bybit", id="no such list"),
        pytest.param(
            ["diff", "--from", "bybit", "--exchange", "okx"], "the list of bybit is of bybit", id="not theirs"
        ),
        pytest.param(["ls", "--exchange", "binanse"], "did you mean 'binance'?", id="no such exchange"),
        pytest.param(["ls", "--network", "bitcon"], "did you mean 'bitcoin'?", id="no such network"),
    ],
)
def test_a_question_that_cannot_be_answered_is_a_usage_error(
    config: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str
) -> None:
    ended = told_by(capsys, *arguments, "--config", config)

    assert ended.code == 3
    assert problem in ended.err


async def test_a_list_that_cannot_be_read_leaves_the_book_alone(config: Path) -> None:
    async with serving(ListServer()) as url:
        ended = await cexwatch("import", "--from", "bybit", "--url", f"{url}/none", "--write", "--config", config)

    assert ended.code == 1
    assert "404" in ended.err
    assert (config.parent / "reserves/binance.yaml").read_text() == PAGE


def test_the_book_is_shown_and_checked(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = told_by(capsys, "ls", "--config", config).out
    addresses = told_by(capsys, "ls", "--exchange", "binance", "--config", config).out
    data = told_by(capsys, "ls", "--network", "tron", "--json", "--config", config).out
    checked = told_by(capsys, "check", "--config", config).out

    assert summary.splitlines()[1].split()[:3] == ["binance", "3", "2"]
    assert SECOND in addresses
    assert "an older list" in addresses
    assert ETHEREUM not in addresses
    assert [(each["exchange"], each["address"]) for each in json.loads(data)] == [("binance", TRON)]
    assert checked.startswith("ok: 4 addresses of 2 exchanges on 3 networks; 4 of formats with a checksum")


def test_a_broken_book_is_told_with_every_problem(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = config.parent / "reserves/kraken.yaml"
    page.write_text(RIVAL.replace(f'"{ETHEREUM}"', f'"{ETHEREUM.replace("5aAe", "5AAe")}", "0x12"'))

    ended = told_by(capsys, "check", "--config", config)

    assert ended.code == 3
    assert f"{page}:3 lists[0].wallets.ethereum[0]: 0x5AAeb" in ended.err
    assert f"{page}:3 lists[0].wallets.ethereum[1]: expected 0x and 40 hex digits" in ended.err
