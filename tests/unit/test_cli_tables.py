"""What the command line prints of views: in any width, nothing that others wrote steers the terminal."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from monitor.cli import abilities
from monitor.cli.exporting import JournalFile
from monitor.cli.screen import visible
from monitor.cli.tables import Sheet
from monitor.model import (
    Direction,
    Entry,
    EntryRefused,
    ExchangeState,
    ExchangeView,
    FailureReason,
    ProbeFailure,
    RailVerdict,
    RailView,
    Tick,
)
from monitor.probes import EXCHANGES
from monitor.replay.journal import refusals

NOW = datetime(2026, 2, 3, 14, 2, 10, tzinfo=UTC)
RAIL = RailView(
    asset="USDT",
    network="tron",
    direction=Direction.WITHDRAWAL,
    verdict=RailVerdict.OPEN,
    since=None,
    first_read_at=NOW - timedelta(minutes=1),
    source="api",
    raw="TRC20",
    read_at=NOW - timedelta(seconds=4),
    weight=1.0,
)
VIEW = ExchangeView(
    exchange="gate",
    at=NOW,
    withdrawals=ExchangeState.OPERATIONAL,
    since=NOW,
    reason="rails are open",
    rails=(RAIL,),
    title="Gate",
)
NEEDS_KEY = "flags need a read-only key; using chain and trades"


def sheet(*views: ExchangeView, width: int = 120) -> Sheet:
    return Sheet(views, now=NOW, width=width)


def printed(table: Table, *, width: int = 120, colours: bool = False) -> str:
    file = io.StringIO()
    Console(
        file=file, width=width, force_terminal=colours, color_system="standard" if colours else None, markup=False
    ).print(table)
    return file.getvalue()


def rail(verdict: RailVerdict, *, since: datetime | None = None, raw: str = "TRC20 withdraw_disabled") -> RailView:
    return replace(RAIL, verdict=verdict, since=since, raw=raw)


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        pytest.param(rail(RailVerdict.OPEN), "open not read api 4 s ago", id="open"),
        pytest.param(
            rail(RailVerdict.SUSPENDED),
            "suspended not read before 14:01 UTC api: TRC20 withdraw_disabled 4 s ago",
            id="off when first looked at",
        ),
        pytest.param(
            rail(RailVerdict.SUSPENDED, since=NOW - timedelta(minutes=20)),
            "suspended not read 13:42 UTC, 20 min api: TRC20 withdraw_disabled 4 s ago",
            id="went off",
        ),
    ],
)
def test_a_rail_is_a_line(shown: RailView, told: str) -> None:
    text = printed(sheet(replace(VIEW, rails=(shown,))).rails())
    heading, title, row = text.splitlines()
    assert heading.split() == ["watched", "rail", "withdraw", "deposit", "since", "source", "age"]
    assert title.strip() == "Gate"
    assert " ".join(row.split()) == f"USDT tron {told}"


def test_only_a_change_is_red() -> None:
    old, new = rail(RailVerdict.SUSPENDED), rail(RailVerdict.SUSPENDED, since=NOW)
    red = "\x1b[1;31msuspended"
    assert red not in printed(sheet(replace(VIEW, rails=(old,))).rails(), colours=True)
    assert red in printed(sheet(replace(VIEW, rails=(new,))).rails(), colours=True)


def test_rails_that_are_unknown_for_one_reason_share_a_line() -> None:
    assets = ("BTC", "ETH", "SOL", "TRX", "USDC", "XRP")
    unread = tuple(replace(RAIL, asset=a, verdict=RailVerdict.UNKNOWN, reason=NEEDS_KEY, read_at=None) for a in assets)
    view = replace(VIEW, exchange="okx", reason="it pays on chain")
    everything = sheet(replace(view, rails=unread))
    assert everything.rails().row_count == 0
    assert "all 6 watched rails" in printed(everything.unseen([], without_wallets=[]))
    some = printed(sheet(replace(view, rails=(*unread, RAIL))).unseen([], without_wallets=["okx"]))
    assert "BTC@tron, ETH@tron, SOL@tron, TRX@tron and 2 more" in some
    assert "no wallet of it is known on a chain we read" in some


def test_probes_that_failed_with_one_reason_share_a_line() -> None:
    failures = [
        ProbeFailure(at=NOW, exchange="okx", probe=f"okx-{n}", reason=FailureReason.TIMEOUT, detail="node: no answer")
        for n in range(9)
    ]
    text = printed(sheet(VIEW).unseen(failures, without_wallets=[]))
    assert text.count("timeout: node: no answer") == 1
    assert "okx-0, okx-1, okx-2, okx-3 and 5 more" in text


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_states_and_times_are_whole_in_every_usual_width(width: int) -> None:
    halted = replace(VIEW, withdrawals=ExchangeState.HALTED, reason="withdrawals halted: " + "far too much " * 30)
    spoke = replace(halted, statement="Wallet maintenance. " * 20, statement_at=NOW - timedelta(minutes=5))
    table = sheet(spoke, width=width)
    text = "".join(printed(part, width=width) for part in (table.exchanges(), table.reasons(), table.rails()))
    assert max(map(len, text.splitlines())) <= width
    assert "halted" in text
    if width >= 80:
        assert "4 s ago" in text


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_exchanges_name_is_cut(width: int) -> None:
    shown = printed(abilities.table(abilities.ability(each) for each in EXCHANGES.values()), width=width)
    assert [name for name in EXCHANGES if name not in shown.split()] == []


def test_a_table_that_is_piped_has_a_line_an_exchange(capsys: pytest.CaptureFixture[str]) -> None:
    abilities.exchanges(None, as_json=False)
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("binance ")]
    assert " ".join(line.split()) == "binance with key spot+perp yes no yes with key yes yes yes"


def test_what_others_wrote_is_text_and_nothing_else() -> None:
    wild = "[bold]free[/] \x1b]0;title\x07 \u202ecoins"
    view = replace(
        VIEW,
        statement=wild,
        reason=wild,
        withdrawals=ExchangeState.UNKNOWN,
        rails=(rail(RailVerdict.SUSPENDED, raw=wild),),
    )
    failure = ProbeFailure(at=NOW, exchange="gate", probe="gate", reason=FailureReason.SHAPE, detail=wild)
    table = sheet(view)
    text = "".join(
        printed(part) for part in (table.reasons(), table.rails(), table.unseen([failure], without_wallets=[]))
    )
    assert "[bold]free[/]" in text
    assert all(character.isprintable() or character == "\n" for character in text)
    assert visible(f"a\n{wild}") == "a\n[bold]free[/] \\x1b]0;title\\x07 \\u202ecoins"


def refused(seq: int, about: int) -> Entry:
    return Entry(seq, EntryRefused(at=NOW, exchange="gate", probe="engine", seq=about, reason="ZeroDivisionError"))


@pytest.mark.parametrize(
    ("entries", "lines"),
    [
        pytest.param([1, 2, 3, refused(4, about=2)], {2}, id="the whole journal"),
        pytest.param([11, 12, 13, refused(14, about=12)], {2}, id="its beginning was pruned"),
        pytest.param([11, 12, 20, 21, refused(22, about=20)], {3}, id="pruned in the middle"),
        pytest.param([11, 12, refused(13, about=3), 14], set(), id="about an entry that was pruned"),
        pytest.param([11, 12, 20, refused(21, about=15)], set(), id="about an entry in a gap"),
    ],
)
def test_an_export_counts_refused_entries_by_line(tmp_path: Path, entries: list[int | Entry], lines: set[int]) -> None:
    path = tmp_path / "journal.jsonl"
    with path.open("wb") as file:
        journal = JournalFile(file)
        for entry in entries:
            match entry:
                case int():
                    journal.write(Entry(entry, Tick(at=NOW, probe="tick")))
                case _:
                    journal.write(entry)
    assert {line for line, _ in refusals(path)} == lines
