"""The alerts that ship: they load, ask for metrics that exist, fire as tests/rules tells, and each has a page."""

import re
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
from ruamel.yaml import YAML
from typer.core import TyperGroup
from typer.main import get_command

from monitor.cli import program
from monitor.exposition import GATE, PREFIX, Kind
from monitor.metrics import CATALOGUE
from monitor.model import IncidentKind
from tests.installed import content

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "dashboards"
RULES = SHIPPED / "rules" / "cexwatch.rules.yml"
PAGES = ROOT / "docs" / "runbooks"
CASES = sorted((ROOT / "tests" / "rules").glob("*.yml"))
SECTIONS = ["What it means", "Check by hand", "What to do", "Whom to tell", "How it lies"]
SUFFIXES = {Kind.GAUGE: ("",), Kind.COUNTER: ("",), Kind.HISTOGRAM: ("_bucket", "_sum", "_count")}
KNOWN = {PREFIX + family.name + suffix for family in (*CATALOGUE, *GATE) for suffix in SUFFIXES[family.kind]}
RECORDED = re.compile(r"[a-z_]+:[a-z_]+:\w+")


class Rule(msgspec.Struct):
    """`wait` and `keep` are what the file calls `for` and `keep_firing_for`."""

    expr: str
    record: str = ""
    alert: str = ""
    wait: str = msgspec.field(name="for", default="")
    keep: str = msgspec.field(name="keep_firing_for", default="")
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class RuleGroup(msgspec.Struct):
    name: str
    rules: list[Rule]


class Rules(msgspec.Struct):
    groups: list[RuleGroup]


class Route(msgspec.Struct):
    receiver: str
    matchers: list[str] = []
    group_wait: str = ""
    group_interval: str = ""
    repeat_interval: str = ""
    routes: list["Route"] = []


class Routes(msgspec.Struct):
    route: Route


def loaded(path: Path, shape: type[T]) -> T:
    return msgspec.convert(YAML(typ="safe").load(path.read_text()), shape)


GROUPS = loaded(RULES, Rules).groups
RULE = [rule for group in GROUPS for rule in group.rules]
ALERTS = {rule.alert: rule for rule in RULE if rule.alert}
VERDICTS = {
    rule.alert: rule for group in GROUPS if group.name == "cexwatch-verdicts" for rule in group.rules if rule.alert
}


OF_ITS_EXCHANGE = "?var-exchange={{ $labels.exchange }}"


def test_promtool_loads_the_rules_and_the_configuration_that_names_them() -> None:
    assert f"SUCCESS: {len(RULE)} rules found" in content("promtool", "check", "rules", RULES)
    assert f"{RULES.name}\n  SUCCESS: {len(RULE)} rules found" in content(
        "promtool", "check", "config", SHIPPED / "prometheus.yml"
    )


def test_amtool_finds_nothing() -> None:
    assert "SUCCESS" in content("amtool", "check-config", SHIPPED / "alertmanager.yml")


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_the_rules_fire_as_told(case: Path) -> None:
    assert "SUCCESS" in content("promtool", "test", "rules", case)


def test_every_alert_fires_in_some_case() -> None:
    fired = set(re.findall(r'labels: \'ALERTS\{alertname="(\w+)"', "".join(case.read_text() for case in CASES)))

    assert fired == set(ALERTS)


def test_every_kind_of_incident_that_an_engine_opens_has_its_alert() -> None:
    assert set(VERDICTS) == {alert_of(kind) for kind in IncidentKind}
    for kind in IncidentKind:
        assert f'{{kind="{kind}"}}' in VERDICTS[alert_of(kind)].expr


def alert_of(kind: IncidentKind) -> str:
    """As it is named where incidents are pushed to Alertmanager, so that one runbook serves both."""
    return "Cexwatch" + "".join(word.capitalize() for word in kind.split("_"))


def test_verdicts_wait_for_nothing_and_symptoms_wait() -> None:
    assert {(rule.wait, rule.keep, "severity" in rule.labels) for rule in VERDICTS.values()} == {("0s", "10m", False)}
    others = {*VERDICTS, "CexwatchWatchdog", "CexwatchDrill"}
    symptoms = {name: rule for name, rule in ALERTS.items() if name not in others}
    assert {name for name, rule in symptoms.items() if rule.wait in ("", "0s")} == set()
    assert {rule.labels["severity"] for rule in symptoms.values()} == {"critical", "warning"}


def test_a_drill_waits_for_nothing_bears_a_mark_and_has_the_severity_that_was_chosen() -> None:
    drill = ALERTS["CexwatchDrill"]

    assert (drill.wait, drill.labels) == ("0s", {"drill": "true"})
    assert drill.annotations["summary"].startswith("Drill: ")
    assert drill.annotations["description"].startswith("Drill: ")
    others = [rule for rule in RULE if rule is not drill]
    assert [rule for rule in others if "drill" in rule.expr] == []


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_what_is_recorded_for_an_alert_stands_before_it_in_its_group(group: RuleGroup) -> None:
    recorded: set[str] = set()
    for rule in group.rules:
        assert set(RECORDED.findall(rule.expr)) <= recorded, "groups are evaluated in no order"
        recorded.add(rule.record)


@pytest.mark.parametrize("rule", RULE, ids=lambda rule: rule.alert or rule.record)
def test_only_metrics_of_the_catalogue_are_asked_for(rule: Rule) -> None:
    asked = RECORDED.findall(rule.expr)
    metrics = set(re.findall(r"(?<![:\w])cexwatch_\w+", RECORDED.sub("", rule.expr)))

    assert metrics <= KNOWN
    assert metrics or asked or "up" in rule.expr or rule.alert == "CexwatchWatchdog"


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_an_alert_says_what_it_is_and_where_to_read_on(name: str) -> None:
    told = ALERTS[name].annotations

    assert set(told) == {"summary", "description", "runbook_url", "dashboard_url"}
    assert re.fullmatch(r"[A-Z][^{}]*\.", told["summary"])
    assert told["description"].endswith(".")
    assert told["runbook_url"] == f"https://cexwatch.example.org/runbooks/{name}.md"
    board = re.fullmatch(rf"http://localhost:3000/d/([a-z-]+)({re.escape(OF_ITS_EXCHANGE)})?", told["dashboard_url"])
    assert board is not None, told["dashboard_url"]
    assert (SHIPPED / f"{board[1]}.json").is_file()


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} - {"README"} == set(ALERTS)


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_a_runbook_answers_what_is_asked_at_night(name: str) -> None:
    page = (PAGES / f"{name}.md").read_text()
    parts = dict(re.findall(r"^## (.+)\n\n((?:.+\n|\n(?!## ))+)", page, re.MULTILINE))

    assert page.startswith(f"# {name}\n")
    assert list(parts) == SECTIONS
    assert "```console\n$ " in parts["Check by hand"]
    assert all(len(text.split()) >= 3 for text in parts.values()), "a section has something to say"
    assert set(re.findall(r"(?<![:\w])cexwatch_\w+", page)) <= KNOWN


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_a_runbook_names_commands_and_pages_that_exist(name: str) -> None:
    page = (PAGES / f"{name}.md").read_text()

    for words in re.findall(r"(?:^\$ |`)cexwatch ([a-z-]+(?: [a-z-]+)?)", page, re.MULTILINE):
        assert is_command(words.split()), words
    for linked_page in re.findall(r"\]\((\w+\.md)\)", page):
        assert (PAGES / linked_page).is_file()


def is_command(words: list[str]) -> bool:
    """Whether the program knows the first word, and the second where the first is a group."""
    command = get_command(program.app)
    for word in words:
        if not isinstance(command, TyperGroup):
            return True
        if word not in command.commands:
            return False
        command = command.commands[word]
    return True


def test_critical_pages_leave_at_once() -> None:
    critical = [
        r for r in loaded(SHIPPED / "alertmanager.yml", Routes).route.routes if r.matchers == ["severity = critical"]
    ]

    assert [(r.group_wait, r.group_interval, r.repeat_interval) for r in critical] == [("5s", "1m", "1h")]
