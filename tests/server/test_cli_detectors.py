"""`cexwatch detectors`: real processes beside a database that a daemon would have written, and over a journal."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from monitor.clock import Clock
from monitor.model import ExchangeState, ExchangeView
from tests import journals
from tests.server.test_cli import cexwatch, written
from tests.server.test_cli_money import database
from tests.statistics import ALL

NOW = Clock().now()
GATE = ExchangeView(
    exchange="gate",
    title="Gate",
    at=NOW,
    withdrawals=ExchangeState.HALTED,
    since=None,
    reason="hot wallets stopped sending",
    statistics=ALL,
    valid_until=NOW + timedelta(hours=1),
)


async def test_what_fires_is_on_top(tmp_path: Path) -> None:
    config = await database(tmp_path, views=[GATE])
    shown = await cexwatch("detectors", "--config", config)
    assert shown.code == 0, shown.err
    lines = shown.out.splitlines()
    assert lines[0].split(maxsplit=2)[:2] == ["Gate", "halted"]
    words = ["paid 5 a minute", "three times", "25 min of 6 h", "no source of mentions", "fires from 50%"]
    places = [shown.out.index(each) for each in words]
    assert places == sorted(places)
    assert "as of" not in shown.out


async def test_what_is_old_says_as_of_when(tmp_path: Path) -> None:
    config = await database(tmp_path, views=[replace(GATE, valid_until=NOW - timedelta(hours=1))])
    shown = await cexwatch("detectors", "gate", "--config", config)
    assert "nothing that tells was read lately" in shown.out


async def test_json_has_every_figure(tmp_path: Path) -> None:
    config = await database(tmp_path, views=[GATE])
    told = json.loads((await cexwatch("detectors", "--json", "--config", config)).out)
    [gate] = told["exchanges"]
    assert (gate["exchange"], gate["withdrawals"], gate["stale"]) == ("gate", "halted", False)
    assert [each["state"] for each in gate["statistics"]] == ["firing", "suspicious", "learning", "unknown", "quiet"]


@pytest.mark.parametrize("name", ["nowhere", "gat"])
async def test_an_exchange_that_is_not_watched(tmp_path: Path, name: str) -> None:
    config = await database(tmp_path, views=[GATE])
    shown = await cexwatch("detectors", name, "--config", config)
    assert shown.code == 3
    assert f"{name!r} is not watched" in shown.err


async def test_at_the_end_of_a_journal(tmp_path: Path) -> None:
    journal = written(tmp_path, [*journals.usual(range(1, 30)), journals.read(29)])
    told = json.loads((await cexwatch("detectors", "--journal", journal, "--json")).out)
    [exchange] = told["exchanges"]
    assert exchange["exchange"] == "examplex"
    assert exchange["learning"].startswith("learning what is usual: bsc 29 min of 6 h")
    assert told["generated_at"] == "2026-01-05T00:29:00Z"


async def test_an_exchange_that_the_journal_does_not_know(tmp_path: Path) -> None:
    journal = written(tmp_path, journals.usual(range(1, 3)))
    shown = await cexwatch("detectors", "exampley", "--journal", journal)
    assert shown.code == 1
    assert "tells nothing of 'exampley', did you mean 'examplex'?" in shown.err
