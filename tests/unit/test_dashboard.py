"""The dashboard loads, asks only for metrics that exist, and keeps the rules of a dashboard that helps at night."""

import os
import re
import shutil
import subprocess
from itertools import combinations
from pathlib import Path

import msgspec
import pytest

from monitor.exposition import PREFIX, Kind
from monitor.metrics import CATALOGUE

DASHBOARDS = Path(__file__).parents[2] / "dashboards"
DASHBOARD = DASHBOARDS / "cexwatch-overview.json"
SUFFIXES = {Kind.GAUGE: ("",), Kind.COUNTER: ("",), Kind.HISTOGRAM: ("_bucket", "_sum", "_count")}
KNOWN = {PREFIX + family.name + suffix: family for family in CATALOGUE for suffix in SUFFIXES[family.kind]}


class Datasource(msgspec.Struct):
    uid: str


class Place(msgspec.Struct):
    x: int
    y: int
    w: int
    h: int


class Target(msgspec.Struct):
    expr: str
    datasource: Datasource


class Defaults(msgspec.Struct):
    unit: str = ""


class Fields(msgspec.Struct):
    defaults: Defaults


class Panel(msgspec.Struct):
    id: int
    title: str
    description: str
    datasource: Datasource
    place: Place = msgspec.field(name="gridPos")
    fields: Fields = msgspec.field(name="fieldConfig")
    targets: list[Target] = []


class Variable(msgspec.Struct, rename="camel"):
    name: str
    label: str
    type: str
    refresh: int
    multi: bool
    definition: str = ""
    all_value: str = ""


class Variables(msgspec.Struct):
    list: list[Variable]


class Annotation(msgspec.Struct):
    expr: str


class Annotations(msgspec.Struct):
    list: list[Annotation]


class Dashboard(msgspec.Struct, rename="camel"):
    uid: str
    title: str
    tags: list[str]
    timezone: str
    refresh: str
    editable: bool
    schema_version: int
    templating: Variables
    annotations: Annotations
    panels: list[Panel]


@pytest.fixture(scope="module")
def dashboard() -> Dashboard:
    return msgspec.json.decode(DASHBOARD.read_bytes(), type=Dashboard)


def expressions(dashboard: Dashboard) -> list[str]:
    return [target.expr for panel in dashboard.panels for target in panel.targets] + [
        annotation.expr for annotation in dashboard.annotations.list
    ]


def test_it_has_the_stable_identity(dashboard: Dashboard) -> None:
    assert (dashboard.uid, dashboard.tags, dashboard.timezone) == ("cexwatch-overview", ["cexwatch"], "utc")
    assert not dashboard.editable
    assert 39 <= dashboard.schema_version <= 41


def test_it_asks_only_for_metrics_of_the_catalogue_with_their_labels(dashboard: Dashboard) -> None:
    asked = [*expressions(dashboard), *(variable.definition for variable in dashboard.templating.list)]
    selectors = [found for text in asked for found in re.findall(rf"({PREFIX}\w+)(?:{{([^}}]*)}})?", text)]

    assert {name for name, _ in selectors} <= set(KNOWN)
    for name, matchers in selectors:
        labels = set(re.findall(r"(\w+)=", matchers)) - {"job", "instance"}
        assert labels <= set(KNOWN[name].labels), f"{name}{{{matchers}}}"


def test_it_shows_what_an_overview_must(dashboard: Dashboard) -> None:
    asked = " ".join(expressions(dashboard))
    wanted = [
        "withdrawals_state",
        "last_outgoing_timestamp_seconds",
        "rails_suspended_ratio",
        "silence_score",
        "silence_threshold",
        "incident_opened_timestamp_seconds",
        "drafts_pending",
        "probe_failures_total",
        "probe_last_success_timestamp_seconds",
    ]

    assert [name for name in wanted if PREFIX + name not in asked] == []


def test_every_query_follows_the_chosen_job_and_instance(dashboard: Dashboard) -> None:
    for expression in expressions(dashboard):
        selectors = re.findall(rf"{PREFIX}\w+({{[^}}]*}})?", expression)
        assert selectors
        for selector in selectors:
            assert 'job=~"$job"' in selector, expression
            assert 'instance=~"$instance"' in selector, expression


def test_every_rate_is_over_the_rate_interval(dashboard: Dashboard) -> None:
    ranges = [found for expression in expressions(dashboard) for found in re.findall(r"\[([^\]]*)\]", expression)]

    assert ranges
    assert set(ranges) == {"$__rate_interval"}


def test_every_panel_says_what_it_shows_and_in_what_unit(dashboard: Dashboard) -> None:
    for panel in dashboard.panels:
        assert panel.title
        assert panel.description.endswith("."), panel.title
        assert panel.fields.defaults.unit, panel.title
        assert panel.targets, panel.title


def test_every_panel_uses_the_chosen_datasource(dashboard: Dashboard) -> None:
    sources = {panel.datasource.uid for panel in dashboard.panels}
    sources |= {target.datasource.uid for panel in dashboard.panels for target in panel.targets}

    assert sources == {"${datasource}"}


def test_panels_have_their_own_place_and_number(dashboard: Dashboard) -> None:
    assert len({panel.id for panel in dashboard.panels}) == len(dashboard.panels)
    for panel in dashboard.panels:
        assert panel.place.x + panel.place.w <= 24
    for one, other in combinations((panel.place for panel in dashboard.panels), 2):
        apart_across = one.x + one.w <= other.x or other.x + other.w <= one.x
        apart_down = one.y + one.h <= other.y or other.y + other.h <= one.y
        assert apart_across or apart_down


def test_variables_choose_source_job_and_instance(dashboard: Dashboard) -> None:
    source, *others = dashboard.templating.list

    assert (source.name, source.label, source.type) == ("datasource", "Data Source", "datasource")
    assert [variable.name for variable in others][:2] == ["job", "instance"]
    for variable in others:
        assert variable.multi
        assert variable.all_value == ".+"
        assert variable.refresh == 2, "reloaded when the time range changes"


def test_it_refreshes_no_faster_than_prometheus_scrapes(dashboard: Dashboard) -> None:
    assert int(dashboard.refresh.removesuffix("s")) >= 15


def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        assert os.environ.get("CI") != "true", "promtool must be installed where CI=true"
        pytest.skip("promtool is not installed")
    return found


def test_prometheus_can_read_every_query(dashboard: Dashboard, tmp_path: Path) -> None:
    rules = [
        {"record": f"query:number:{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(expressions(dashboard))
    ]
    file = tmp_path / "queries.json"  # JSON is YAML
    file.write_bytes(msgspec.json.encode({"groups": [{"name": "dashboard", "rules": rules}]}))

    checked = subprocess.run([promtool(), "check", "rules", str(file)], capture_output=True, text=True, check=False)  # noqa: S603 - a fixed program

    assert checked.returncode == 0, checked.stderr


def test_the_shipped_scrape_configuration_is_valid() -> None:
    file = str(DASHBOARDS / "prometheus.yml")

    checked = subprocess.run([promtool(), "check", "config", file], capture_output=True, text=True, check=False)  # noqa: S603 - a fixed program

    assert checked.returncode == 0, checked.stderr
