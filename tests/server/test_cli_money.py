"""Exits, reserves and roles on the command line: real processes beside a database that a daemon would have written."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from monitor.clock import Clock
from monitor.model import (
    BalanceView,
    CoverageView,
    Entry,
    ExchangeState,
    ExchangeView,
    ExposureView,
    Flow,
    Observation,
    ProbeView,
    RailVerdict,
    ReserveBalance,
    ReservesView,
    Tick,
    WalletUsage,
    WayView,
)
from monitor.store import Step, Store
from tests.server.test_cli import HEAVY, cexwatch, offline, start

NOW = Clock().now()
HOT, IDLE, UNTOUCHED = "0x" + "1" * 40, "0x" + "2" * 40, "0x" + "3" * 40
WAYS = (
    WayView(
        network="ethereum", verdict=RailVerdict.OPEN, since=None, limit=Decimal(3100), why="the hot wallet is thin"
    ),
    WayView(network="solana", verdict=RailVerdict.SUSPENDED, since=NOW - timedelta(minutes=14), limit=Decimal(0)),
)
ETHER = ExposureView(
    asset="ETH",
    amount=Decimal(5000),
    told_at=NOW,
    withdrawable=Decimal(3100),
    stuck=Decimal(1900),
    unknown=Decimal(0),
    usd=Decimal(12_500_000),
    ways=WAYS,
)
ALL_OUT = replace(ETHER, withdrawable=Decimal(5000), stuck=Decimal(0))
UNSEEN = replace(ETHER, withdrawable=Decimal(0), stuck=Decimal(0), unknown=Decimal(5000), usd=None)
BALANCE = BalanceView(
    asset="ETH",
    network="ethereum",
    amount=Decimal(9_800),
    read_at=NOW,
    wallets=12,
    wallets_read=12,
    usd=Decimal(24_500_000),
    change_1h=Decimal(-12),
)
GATE = ExchangeView(
    exchange="gate",
    title="Gate",
    at=NOW,
    withdrawals=ExchangeState.OPERATIONAL,
    since=None,
    reason="rails are open",
    probes=(ProbeView(probe="gate-currencies", last_success_at=NOW, failing_since=None),),
    balances=(BALANCE,),
    reserves=ReservesView(
        usd=Decimal(24_500_000),
        change_1h_usd=Decimal(-30_000),
        coverage=(
            CoverageView(
                asset="ETH", ours=Decimal(9_800), published=Decimal(10_000), as_of=NOW, source="gate.example/reserves"
            ),
        ),
        priced_at=NOW,
    ),
    exposures=(ETHER,),
    valid_until=NOW + timedelta(hours=1),
)


async def database(folder: Path, *, views: Sequence[ExchangeView] = (), entries: Sequence[Observation] = ()) -> Path:
    """A database with these in it; the configuration beside it."""
    config = offline(folder)
    store = await Store.open(f"sqlite+aiosqlite:///{folder}/cexwatch.db")
    try:
        told = [*entries, Tick(at=Clock().now(), probe="tick")]
        await store.commit([Step(Entry(seq, seen), ()) for seq, seen in enumerate(told, start=1)], views=views)
    finally:
        await store.close()
    return config


def before(**span: float) -> datetime:
    return NOW - timedelta(**span)


def hours(*, left: int = 1200, ticks: int = 0) -> list[Observation]:
    """Four hours of balances and flows every ten minutes; `left` coins leave in the middle of them."""
    entries: list[Observation] = [Tick(at=before(hours=9, seconds=-n / 10), probe="tick") for n in range(ticks)]
    for step in range(25):
        at = before(minutes=240 - 10 * step)
        balance = ReserveBalance(
            at=at,
            exchange="gate",
            probe="gate-ethereum-reserves",
            asset="ETH",
            network="ethereum",
            amount=Decimal(9_800 if step > 12 else 9_800 + left),
            height=1000 + step,
            wallets=12,
            wallets_read=12,
        )
        flow = Flow(
            at=at,
            exchange="gate",
            probe="gate-ethereum-flows",
            asset="ETH",
            network="ethereum",
            window_seconds=600,
            inflow=Decimal(0),
            outflow=Decimal(left if step == 12 else 0),
            from_height=50 * step + 1,
            to_height=50 * step + 50,
        )
        entries += [Tick(at=at, probe="tick"), balance, flow]
    return entries


COMMANDS = (["exits"], ["reserves"], ["reserves", "report"], ["reserves", "roles"], ["reserves", "ls"])


async def test_help_loads_nothing_but_the_command_line() -> None:
    program = f"""
import sys
from monitor.__main__ import main
for arguments in {[[*command, "--help"] for command in COMMANDS]!r}:
    sys.argv = ["cexwatch", *arguments]
    try:
        main()
    except SystemExit as end:
        assert not end.code, arguments
print(*sorted({{name.partition(".")[0] for name in sys.modules}}), file=sys.stderr)
"""
    out, err = await (await start(of=("-c", program))).communicate()
    assert set(err.decode().split()) & HEAVY == set()
    assert out.count(b"Usage: cexwatch") == len(COMMANDS)


@pytest.mark.parametrize(
    ("views", "code", "told"),
    [
        pytest.param([GATE], 1, "Gate $12.5M: $7.8M can leave now by ethereum, $4.8M not now", id="some is stuck"),
        pytest.param([replace(GATE, exposures=(ALL_OUT,))], 0, "can leave now by ethereum", id="all can leave"),
        pytest.param([replace(GATE, exposures=(UNSEEN,))], 2, "5,000 ETH (no price)", id="nothing is known"),
        pytest.param(
            [replace(GATE, valid_until=before(minutes=1))],
            2,
            "no source that tells was read lately",
            id="what was read is old",
        ),
        pytest.param([replace(GATE, valid_until=None)], 2, "no source that tells was read yet", id="nothing was read"),
    ],
)
async def test_exits_tells_what_can_leave_and_ends_with_it(
    tmp_path: Path, views: list[ExchangeView], code: int, told: str
) -> None:
    config = await database(tmp_path, views=views)
    ended = await cexwatch("exits", "--config", config)
    assert (ended.code, ended.err) == (code, "")
    assert told in " ".join(ended.out.split())


@pytest.mark.parametrize("setting", ["exposure: {ETH: 5000}", "exposure_of_key: true"])
async def test_what_was_not_read_yet_is_unknown(tmp_path: Path, setting: str) -> None:
    await database(tmp_path, views=[replace(GATE, exposures=(ALL_OUT,))])
    for name in ("key", "secret"):
        (tmp_path / name).write_text("bm90aGluZw==")
        (tmp_path / name).chmod(0o600)
    key = f"api_key_file: '{tmp_path}/key', api_secret_file: '{tmp_path}/secret'"
    config = offline(tmp_path, f"  kraken: {{{setting}, {key}}}")
    ended = await cexwatch("exits", "--config", config)
    assert (ended.code, ended.err) == (2, "")
    assert "can leave now by ethereum" in ended.out
    assert ended.out.endswith("\nkraken: not read yet\n")
    told = json.loads((await cexwatch("exits", "--exchange", "kraken", "--json", "--config", config)).out)
    assert (told["exchanges"], told["unread"]) == ([], ["kraken"])


async def test_something_stuck_counts_more_than_something_unread(tmp_path: Path) -> None:
    await database(tmp_path, views=[GATE])
    ended = await cexwatch("exits", "--config", offline(tmp_path, "  kraken: {exposure: {ETH: 5000}}"))
    assert (ended.code, "kraken: not read yet" in ended.out) == (1, True)


@pytest.mark.parametrize("only", [[], ["--exchange", "gate"]], ids=["anywhere", "there"])
async def test_exits_of_nothing_is_a_usage_error(tmp_path: Path, only: list[str]) -> None:
    await database(tmp_path, views=[replace(GATE, exposures=())])
    config = offline(tmp_path, "  kraken: {exposure: {ETH: 5000}}" if only else "")
    ended = await cexwatch("exits", *only, "--config", config)
    assert (ended.code, ended.out) == (3, "")
    assert "nothing of yours is told: `exposure:` or `exposure_of_key: true`" in ended.err


async def test_exits_as_json_always_add_up(tmp_path: Path) -> None:
    config = await database(tmp_path, views=[replace(GATE, exposures=(ETHER, UNSEEN))])
    ended = await cexwatch("exits", "--exchange", "gate", "--json", "--config", config)
    [gate] = json.loads(ended.out)["exchanges"]
    assert (ended.code, gate["exchange"], gate["stale"]) == (1, "gate", False)
    assert gate["sentences"][0].startswith("Gate $12.5M: ")
    for held in gate["exits"]:
        assert sum(Decimal(held[part]) for part in ("withdrawable", "stuck", "unknown")) == Decimal(held["amount"])
    assert [way["network"] for way in gate["exits"][0]["ways"]] == ["ethereum", "solana"]


async def test_the_ranking_in_three_forms(tmp_path: Path) -> None:
    config = await database(tmp_path, views=[GATE])
    asked = ("reserves", "report", "--config", config)
    shown = await cexwatch(*asked)
    assert (shown.code, shown.err) == (0, "")
    assert "of the addresses we know" in shown.out
    assert "98 % of ETH" in shown.out
    assert "Gate" in shown.out
    assert "$24.5M" in shown.out
    as_json = json.loads((await cexwatch(*asked, "--json")).out)
    assert as_json["of"] == "the addresses we know"
    [gate] = as_json["exchanges"]
    assert (gate["exchange"], gate["usd"], gate["change_24h_usd"]) == ("gate", "24500000", None)
    [row] = csv.DictReader(io.StringIO((await cexwatch(*asked, "--csv")).out))
    assert (row["exchange"], row["change_1h_usd"], row["change_24h_usd"]) == ("gate", "-30000", "")


async def test_the_ranking_of_one_asset_is_in_coins(tmp_path: Path) -> None:
    config = await database(tmp_path, views=[GATE])
    asked = ("reserves", "report", "--asset", "eth", "--config", config)
    assert "9,800" in (await cexwatch(*asked)).out
    [row] = csv.DictReader(io.StringIO((await cexwatch(*asked, "--csv")).out))
    assert (row["amount"], row["change_1h"], row["coverage"]) == ("9800", "-12", "0.98")
    chain = "chains: {dogecoin: {endpoints: ['http://127.0.0.1:9'], allow_private: true}}"
    other = await cexwatch("reserves", "report", "--asset", "DOGE", "--config", offline(tmp_path, chain))
    assert (other.code, other.out) == (0, "no balance of DOGE was read\n")


@pytest.mark.parametrize("when", [[], ["--from", "2026-02-03"]], ids=["now", "then"])
async def test_an_asset_that_nothing_names_is_told_with_the_nearest(tmp_path: Path, when: list[str]) -> None:
    config = await database(tmp_path, views=[replace(GATE, usd={"DOGE": Decimal(1)})])
    ended = await cexwatch("reserves", "report", "--asset", "DOGGE", *when, "--config", config)
    assert (ended.code, ended.out) == (3, "")
    assert "--asset DOGGE: nothing here names it, did you mean 'DOGE'?" in ended.err


async def test_what_moved_is_read_from_the_journal_however_long_it_is(tmp_path: Path) -> None:
    config = await database(tmp_path, views=[GATE], entries=hours(ticks=9_000))
    asked = ("reserves", "report", "--from", before(hours=4).isoformat(), "--config", config)
    shown = await cexwatch(*asked)
    assert (shown.code, shown.err) == (0, "")
    assert "1,200 ETH left the addresses we know" in " ".join(shown.out.split())
    [row] = json.loads((await cexwatch(*asked, "--json")).out)["rows"]
    assert (row["word"], row["at_start"], row["at_end"], row["outflow"]) == ("moved", "11000", "9800", "1200")
    [line] = csv.DictReader(io.StringIO((await cexwatch(*asked, "--to", before(hours=3).isoformat(), "--csv")).out))
    assert (line["word"], line["outflow"]) == ("not moved", "0")


@pytest.mark.parametrize(
    ("question", "word", "left", "code"),
    [
        pytest.param(["--asset", "ETH", "--moved", "1000ETH"], "moved", "1200", 0, id="more in coins"),
        pytest.param(["--asset", "ETH", "--moved", "1.1e3ETH"], "moved", "1200", 0, id="with an exponent"),
        pytest.param(["--asset", "ETH", "--moved", "5,000 eth"], "not moved", "1200", 0, id="less in coins"),
        pytest.param(["--moved", "1e9"], "cannot see", None, 2, id="dollars without a price"),
    ],
)
async def test_was_so_much_moved_out(
    tmp_path: Path, question: list[str], word: str, left: str | None, code: int
) -> None:
    config = await database(tmp_path, views=[GATE], entries=hours())
    asked = ("reserves", "report", "--from", before(hours=4).isoformat(), *question, "--config", str(config))
    shown = await cexwatch(*asked)
    assert (shown.code, shown.err) == (code, "")
    assert ("in US dollars" if left is None else "in coins") in shown.out.splitlines()[0]
    assert f"Gate {word} " in " ".join(shown.out.split())
    [answer] = json.loads((await cexwatch(*asked, "--json")).out)["answers"]
    assert (answer["exchange"], answer["word"], answer["left"]) == ("gate", word, left)


@pytest.mark.parametrize("day", ["2026-02-03", "2026-02-03Z"])
async def test_a_date_alone_is_its_midnight(tmp_path: Path, day: str) -> None:
    config = await database(tmp_path, views=[GATE])
    asked = ("reserves", "report", "--from", day, "--to", "2026-02-04", "--json", "--config", config)
    told = json.loads((await cexwatch(*asked)).out)
    assert (told["begin"], told["end"]) == ("2026-02-03T00:00:00Z", "2026-02-04T00:00:00Z")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(["exits", "--exchange", "gat"], "did you mean 'gate'?", id="an exchange that is not watched"),
        pytest.param(["reserves", "report", "--moved", "5"], "need --from", id="moved since when"),
        pytest.param(["reserves", "report", "--json", "--csv"], "not both", id="two forms"),
        pytest.param(["reserves", "report", "--from", "yesterday"], "--from yesterday: expected a time", id="no time"),
        pytest.param(
            ["reserves", "report", "--from", "20260203 14"], "as in 2026-02-03T14:00:00Z", id="a time somewhere"
        ),
        pytest.param(["reserves", "report", "--from", "2999-01-01T00:00:00Z"], "--from must be before", id="to come"),
        pytest.param(
            ["reserves", "report", "--from", "2026-02-03T00:00:00Z", "--moved", "much"], "expected a sum", id="no sum"
        ),
        pytest.param(
            ["reserves", "report", "--from", "2026-02-03T00:00:00Z", "--moved", "5BTC"],
            "--asset BTC",
            id="coins of what",
        ),
        pytest.param(["reserves", "roles", "--network", "etherium"], "is not watched", id="a chain that is not read"),
    ],
)
async def test_a_wrong_command_line_ends_with_3(tmp_path: Path, arguments: list[str], told: str) -> None:
    ended = await cexwatch(*arguments, "--config", offline(tmp_path))
    assert (ended.code, ended.out) == (3, "")
    assert told in ended.err


async def test_without_a_database_nothing_is_reported(tmp_path: Path) -> None:
    for command in (["exits"], ["reserves", "report"], ["reserves", "roles"]):
        ended = await cexwatch(*command, "--config", offline(tmp_path))
        assert (ended.code, ended.out) == (1, "")
        assert "it is made by the first `cexwatch run`" in ended.err


async def test_roles_tell_what_the_daemon_saw_and_why(tmp_path: Path) -> None:
    (tmp_path / "reserves").mkdir()
    (tmp_path / "reserves" / "gate.yaml").write_text(
        "exchange: gate\nlists:\n  - source: a list\n    as_of: 2026-01-01\n    wallets:\n"
        f'      ethereum: ["{HOT}", {{address: "{IDLE}", role: cold}}]\n'
    )
    used = [
        WalletUsage(
            at=NOW,
            exchange="gate",
            probe="gate-ethereum-wallets",
            network=network,
            address=address,
            day=NOW.replace(hour=0, minute=0, second=0, microsecond=0),
            outgoing=900,
            last_at=before(minutes=2),
        )
        for network, address in (("ethereum", HOT), ("bsc", IDLE))
    ]
    await database(tmp_path, entries=used)
    config = offline(
        tmp_path, "chains: {ethereum: {chain_id: 1, endpoints: ['http://127.0.0.1:9'], allow_private: true}}"
    )

    shown = await cexwatch("reserves", "roles", "--config", config)
    assert (shown.code, shown.err) == (0, "")
    assert "gate ethereum 2 1 1 -" in " ".join(shown.out.split())

    explained = await cexwatch("reserves", "roles", "--explain", "--exchange", "gate", "--config", config)
    assert f"gate ethereum {HOT} hot 900 sent in 24 h" in " ".join(explained.out.split())
    assert f"{IDLE} cold the address book says so" in " ".join(explained.out.split())

    (tmp_path / "reserves" / "kraken.yaml").write_text(
        "exchange: kraken\nlists:\n  - source: a list\n    as_of: 2026-01-01\n    wallets:\n"
        f'      ethereum: ["{UNTOUCHED}"]\n'
    )
    chain = "chains: {ethereum: {chain_id: 1, endpoints: ['http://127.0.0.1:9'], allow_private: true}}"
    offline(tmp_path, f"  kraken: {{}}\n{chain}")
    unseen = await cexwatch("reserves", "roles", "--explain", "--exchange", "kraken", "--config", config)
    assert " ".join(unseen.out.split()).endswith(f"kraken ethereum {UNTOUCHED} neither not looked at yet")

    told = json.loads((await cexwatch("reserves", "roles", "--json", "--exchange", "gate", "--config", config)).out)
    assert [(wallet["address"], wallet["role"]) for wallet in told["wallets"]] == [(HOT, "hot"), (IDLE, "cold")]
    assert told["proposals"] == []
