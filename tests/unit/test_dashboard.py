"""The dashboards load, ask only for metrics that exist, and keep the rules of a dashboard that helps at night."""

import re
from itertools import combinations
from pathlib import Path

import msgspec
import pytest

from monitor.exposition import GATE, PREFIX, Kind
from monitor.metrics import CATALOGUE
from monitor.model import ExchangeState, RailVerdict
from tests.installed import content
from tools.boards.board import Board
from tools.dashboards import BOARDS, text

DASHBOARDS = Path(__file__).parents[2] / "dashboards"
RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"
SUFFIXES = {Kind.GAUGE: ("",), Kind.COUNTER: ("",), Kind.HISTOGRAM: ("_bucket", "_sum", "_count")}
KNOWN = {PREFIX + family.name + suffix: family for family in (*CATALOGUE, *GATE) for suffix in SUFFIXES[family.kind]}


class Datasource(msgspec.Struct):
    uid: str


class Place(msgspec.Struct):
    x: int
    y: int
    w: int
    h: int


class Threshold(msgspec.Struct):
    value: float | None
    color: str


class Thresholds(msgspec.Struct):
    steps: list[Threshold]


class Target(msgspec.Struct):
    expr: str
    datasource: Datasource


class Link(msgspec.Struct):
    title: str
    url: str


class Defaults(msgspec.Struct):
    thresholds: Thresholds
    unit: str = ""
    links: list[Link] = []


class Fields(msgspec.Struct):
    defaults: Defaults


class Panel(msgspec.Struct):
    id: int
    type: str
    title: str
    description: str
    datasource: Datasource
    place: Place = msgspec.field(name="gridPos")
    fields: Fields = msgspec.field(name="fieldConfig")
    targets: list[Target] = []
    links: list[Link] = []


class Variable(msgspec.Struct, rename="camel"):
    name: str
    label: str
    type: str
    refresh: int = 0
    multi: bool = False
    query: str | dict[str, str] = ""
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
    links: list[Link]
    panels: list[Panel]


def read(uid: str) -> Dashboard:
    return msgspec.json.decode((DASHBOARDS / f"{uid}.json").read_bytes(), type=Dashboard)


@pytest.fixture(params=[pytest.param(board.uid, id=board.title) for board in BOARDS])
def dashboard(request: pytest.FixtureRequest) -> Dashboard:
    return read(request.param)


def expressions(dashboard: Dashboard) -> list[str]:
    return [target.expr for panel in dashboard.panels for target in panel.targets] + [
        annotation.expr for annotation in dashboard.annotations.list
    ]


@pytest.mark.parametrize("board", [pytest.param(board, id=board.title) for board in BOARDS])
def test_the_file_is_what_the_builder_writes(board: Board) -> None:
    assert (DASHBOARDS / f"{board.uid}.json").read_text() == text(board), "run tools/dashboards.py"


def test_no_other_dashboard_is_shipped() -> None:
    assert {file.stem for file in DASHBOARDS.glob("*.json")} == {board.uid for board in BOARDS}


def test_it_has_the_stable_identity(dashboard: Dashboard) -> None:
    assert (dashboard.tags, dashboard.timezone) == (["cexwatch"], "utc")
    assert dashboard.title.startswith("cexwatch / ")
    assert not dashboard.editable
    assert 39 <= dashboard.schema_version <= 41


def test_it_asks_only_for_metrics_of_the_catalogue_with_their_labels(dashboard: Dashboard) -> None:
    asked = [*expressions(dashboard), *(variable.definition for variable in dashboard.templating.list)]
    selectors = [found for text in asked for found in re.findall(rf"({PREFIX}\w+)(?:{{([^}}]*)}})?", text)]

    assert {name for name, _ in selectors} <= set(KNOWN)
    for name, matchers in selectors:
        labels = set(re.findall(r"(\w+)=", matchers)) - {"job", "instance"}
        assert labels <= set(KNOWN[name].labels), f"{name}{{{matchers}}}"


WANTED = {
    "cexwatch-overview": (
        "withdrawals_state last_outgoing_timestamp_seconds rails_suspended_ratio silence_score silence_threshold "
        "incident_opened_timestamp_seconds drafts_pending probe_failures_total probe_last_success_timestamp_seconds"
    ),
    "cexwatch-exchange": (
        "rail_state silence_score silence_threshold inflow_total outflow_total reserve_balance detection_lead_seconds "
        "incident_opened_timestamp_seconds hot_wallet_outgoing_total outflow_score outflow_threshold"
    ),
    "cexwatch-reserves": (
        "reserve_usd reserve_change_ratio reserve_coverage_ratio hot_wallet_runway_seconds exposure_usd exposure_coins "
        "reserve_wallets_unread verdict_valid_until_timestamp_seconds"
    ),
    "cexwatch-notices": (
        "drafts_pending draft_oldest_pending_timestamp_seconds audit_links detection_lead_seconds posts_total "
        "post_failures_total notifications_total notification_failures_total notifications_waiting publishing_held"
    ),
    "cexwatch-self": (
        "loop_lag_seconds_bucket readings_queued journal_head_timestamp_seconds commit_duration_seconds_bucket "
        "probe_failures_total clock_steps_total heartbeat_last_success_timestamp_seconds checkpoint_timestamp_seconds "
        "series_dropped_total config_last_reload_successful commands_queued probe_last_look_timestamp_seconds "
        "clock_offset_seconds"
    ),
    "cexwatch-freeze": (
        "freeze_gate_write_failing freeze_gate_ledger_intact freeze_gate_frozen freeze_gate_independent_time_up "
        "freeze_gate_activations_total freeze_gate_chosen_seconds_bucket freeze_gate_refreezes_total "
        "freeze_gate_time_to_freeze_seconds_bucket freeze_gate_unreported freeze_gate_published_total"
    ),
}


@pytest.mark.parametrize(("uid", "families"), [pytest.param(uid, families, id=uid) for uid, families in WANTED.items()])
def test_it_shows_what_it_is_for(uid: str, families: str) -> None:
    asked = " ".join(expressions(read(uid)))

    assert [name for name in families.split() if PREFIX + name not in asked] == []


def test_states_are_named_as_the_daemon_names_them(dashboard: Dashboard) -> None:
    named = {
        PREFIX + "withdrawals_state": {state.value for state in ExchangeState},
        PREFIX + "rail_state": {verdict.value for verdict in RailVerdict},
    }

    for expression in expressions(dashboard):
        for name, states in named.items():
            asked = set(re.findall(rf'{name}{{[^}}]*state="(\w+)"', expression))
            assert asked in (set(), states), expression


def test_every_query_follows_the_chosen_job_and_instance(dashboard: Dashboard) -> None:
    for expression in expressions(dashboard):
        selectors = re.findall(rf"{PREFIX}\w+({{[^}}]*}})?", expression)
        assert selectors
        for selector in selectors:
            assert 'job=~"$job"' in selector, expression
            assert 'instance=~"$instance"' in selector, expression


def test_every_query_follows_the_chosen_exchange_and_network(dashboard: Dashboard) -> None:
    offered = {variable.name for variable in dashboard.templating.list} & {"exchange", "network"}
    for expression in expressions(dashboard):
        for name, matchers in re.findall(rf"({PREFIX}\w+){{([^}}]*)}}", expression):
            for label in offered & set(KNOWN[name].labels):
                assert f'{label}=~"${label}' in matchers, expression


def test_every_counter_and_bucket_is_a_rate_an_increase_or_a_number_since_the_start(dashboard: Dashboard) -> None:
    for panel in dashboard.panels:
        for target in panel.targets:
            bare = re.sub(rf"(?:rate|increase)\({PREFIX}\w+{{[^}}]*}}\[[^\]]*\]\)", "", target.expr)
            left = {name for name in re.findall(rf"{PREFIX}\w+", bare) if KNOWN[name].kind is not Kind.GAUGE}
            assert not left or (panel.type == "stat" and "since the start" in panel.description.lower()), target.expr


def test_every_rate_is_over_the_rate_interval(dashboard: Dashboard) -> None:
    ranges = [found for expression in expressions(dashboard) for found in re.findall(r"\[([^\]]*)\]", expression)]

    assert set(ranges) <= {"$__rate_interval"}


def test_every_panel_says_what_it_shows_and_in_what_unit(dashboard: Dashboard) -> None:
    for panel in dashboard.panels:
        assert panel.title
        assert panel.description.endswith("."), panel.title
        assert panel.fields.defaults.unit, panel.title
        assert panel.targets, panel.title
        assert panel.type in {"stat", "timeseries", "state-timeline", "bargauge", "table"}


def test_thresholds_begin_without_a_bound_and_rise(dashboard: Dashboard) -> None:
    for panel in dashboard.panels:
        first, *others = [step.value for step in panel.fields.defaults.thresholds.steps]
        bounds = [value for value in others if value is not None]
        assert first is None, panel.title
        assert len(bounds) == len(others), panel.title
        assert bounds == sorted(set(bounds)), panel.title


def test_it_links_to_the_page_and_to_the_runbooks(dashboard: Dashboard) -> None:
    links = {link.title: link.url for link in dashboard.links}
    typed = {variable.name: variable.query for variable in dashboard.templating.list if variable.type == "textbox"}

    assert links["Page"].startswith("${page}/")
    assert {board.uid for board in BOARDS} >= {"cexwatch-exchange"}, "where cells lead to"
    assert links["Runbooks"] == "${runbooks}"
    assert set(typed) == {"page", "runbooks"}
    for panel in dashboard.panels:
        for link in panel.fields.defaults.links:
            assert re.fullmatch(r"(/d/cexwatch-exchange\?var-|\$\{page\}/exchanges/).*", link.url)
            assert all("by (exchange)" in target.expr for target in panel.targets), panel.title
        for link in panel.links:
            found = re.fullmatch(r"\$\{page\}/(?:drafts|reserves)?|\$\{runbooks\}/(\w+\.md)", link.url)
            assert found, link.url
            assert found[1] is None or (RUNBOOKS / found[1]).exists(), link.url


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
    queried = [variable for variable in others if variable.type == "query"]
    assert len(queried) == len(others) - 2
    for variable in queried:
        # One exchange at a time where lines of several would be drawn over each other.
        assert variable.multi == ((dashboard.uid, variable.name) != ("cexwatch-exchange", "exchange"))
        assert variable.all_value == (".+" if variable.multi else "")
        assert variable.refresh == 2, "reloaded when the time range changes"


def test_it_refreshes_no_faster_than_prometheus_scrapes(dashboard: Dashboard) -> None:
    assert int(dashboard.refresh.removesuffix("s")) >= 15


def test_prometheus_can_read_every_query(dashboard: Dashboard, tmp_path: Path) -> None:
    rules = [
        {"record": f"query:number:{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(expressions(dashboard))
    ]
    file = tmp_path / "queries.json"  # JSON is YAML
    file.write_bytes(msgspec.json.encode({"groups": [{"name": "dashboard", "rules": rules}]}))

    content("promtool", "check", "rules", file)


def test_the_shipped_scrape_configuration_is_valid() -> None:
    content("promtool", "check", "config", DASHBOARDS / "prometheus.yml")
