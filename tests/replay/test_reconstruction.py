"""The bundled scenarios as journals: lawful, marked as reconstructions, and with the levels that were published."""

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from monitor.cli.program import app
from monitor.model import Flow, ReserveBalance, Statement, WalletActivity
from monitor.replay.journal import read_entries
from monitor.replay.scenarios import SCENARIOS
from monitor.replay.scenarios.about import about
from monitor.replay.scenarios.reconstruction import entries
from monitor.replay.scenarios.scenario import Scenario
from monitor.replay.truth import read_truth

NAMES = tuple(SCENARIOS)
EVERY = pytest.mark.parametrize("name", NAMES)


def utc(year: int, month: int, day: int, hour: int, minute: int) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@EVERY
def test_every_line_says_that_it_is_a_reconstruction(name: str) -> None:
    first, *others = entries(SCENARIOS[name])
    assert first.probe == "reconstruction from published times"
    assert {entry.vantage for entry in (first, *others)} == {"reconstruction"}
    assert all(before.at <= after.at for before, after in pairwise((first, *others)))


def test_entries_are_the_same_at_every_call() -> None:
    scenario = SCENARIOS["2022-11-08-drip"]
    assert all(one == other for one, other in zip(entries(scenario), entries(scenario), strict=True))


@EVERY
def test_words_are_told_at_their_published_times(name: str) -> None:
    said = [entry for entry in entries(SCENARIOS[name]) if type(entry) is Statement]
    assert all(words.at == words.published_at for words in said)


@EVERY
def test_reserves_change_by_what_flows(name: str) -> None:
    """A reading of a chain's reserve is the one before, and what came and left in between."""
    flowed: dict[str, float] = {}
    held: dict[str, float] = {}
    for entry in entries(SCENARIOS[name]):
        match entry:
            case Flow():
                flowed[entry.asset] = flowed.get(entry.asset, 0.0) + float(entry.inflow - entry.outflow)
            case ReserveBalance():
                before = held.get(entry.asset)
                if before is not None:
                    assert float(entry.amount) - before == pytest.approx(flowed[entry.asset], abs=1e-5)
                held[entry.asset], flowed[entry.asset] = float(entry.amount), 0.0
            case _:
                pass


@pytest.mark.parametrize(
    ("name", "asset", "at", "amount", "within"),
    [
        pytest.param("2026-02-04-campaign", "BTC", utc(2026, 2, 4, 0, 0), 659_000, 300, id="659,000 BTC before it"),
        pytest.param("2025-02-21-exploit", "ETH", utc(2025, 2, 21, 13, 0), 443_691, 50, id="443,691 ETH at 13:00"),
        pytest.param("2025-02-21-exploit", "ETH", utc(2025, 2, 21, 20, 0), 63_807, 1_500, id="63,807 ETH at 20:00"),
        pytest.param("2022-11-08-drip", "BTC", utc(2022, 11, 8, 11, 0), 36, 700, id="36 BTC are left"),
    ],
)
def test_published_reserves_are_met(name: str, asset: str, at: datetime, amount: float, within: float) -> None:
    read = [entry for entry in entries(SCENARIOS[name]) if type(entry) is ReserveBalance and entry.asset == asset]
    newest = max((balance for balance in read if balance.at <= at), key=lambda balance: balance.at)
    assert float(newest.amount) == pytest.approx(amount, abs=within)


def test_nothing_is_sent_in_a_halt() -> None:
    halt = SCENARIOS["2026-02-03-halt"].truth[0]
    activity = [e for e in entries(SCENARIOS["2026-02-03-halt"]) if type(e) is WalletActivity]
    inside = [e for e in activity if halt.start < e.at <= halt.end and e.window_seconds == 60]
    assert len(inside) == 60  # three networks that are read each minute
    assert sum(e.outgoing for e in inside) == 0


@EVERY
def test_provenance_is_complete(name: str) -> None:
    scenario = SCENARIOS[name]
    assert scenario.claims
    assert scenario.assumed
    assert all(claim.what and claim.source for claim in scenario.claims)
    assert any(claim.url for claim in scenario.claims)
    assert all(scenario.begins <= truth.start < truth.end <= scenario.ends for truth in scenario.truth)
    assert "reconstruction from published times" in about(scenario)


def test_scenario_is_written_with_truth_and_provenance_beside_it(tmp_path: Path) -> None:
    out = tmp_path / "halt.jsonl"
    assert CliRunner().invoke(app, ["scenario", "write", "2026-02-03-halt", "-o", str(out)]).exit_code == 0
    scenario = SCENARIOS["2026-02-03-halt"]
    assert [entry.observation for entry in read_entries(out)] == list(entries(scenario))
    assert (tmp_path / "halt.about").read_text() == about(scenario)
    assert read_truth(tmp_path / "halt.truth.jsonl").events == scenario.truth


def test_scenario_show_tells_its_provenance() -> None:
    shown = CliRunner().invoke(app, ["scenario", "show", "2023-10-25-halt"])
    assert shown.exit_code == 0
    assert "reconstruction" in shown.stdout
    assert "thecryptocurrencypost.net" in shown.stdout


def test_scenario_ls_names_all() -> None:
    listed = CliRunner().invoke(app, ["scenario", "ls"])
    assert all(name in listed.stdout for name in NAMES)
    as_json = CliRunner().invoke(app, ["scenario", "ls", "--json"])
    assert [line["name"] for line in msgspec.json.decode(as_json.stdout)] == list(NAMES)


@EVERY
def test_scenario_as_json_is_all_of_it(name: str) -> None:
    shown = CliRunner().invoke(app, ["scenario", "show", name, "--json"])
    assert msgspec.json.decode(shown.stdout, type=Scenario) == SCENARIOS[name]
