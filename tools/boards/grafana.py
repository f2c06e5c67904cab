"""Grafana's classic dashboard JSON, schema version 39, which Grafana 11, 12 and 13 load: what our boards use of it.

Shapes are those of grafana.com "JSON model" and of the panels' own reference pages.
"""

import re
from string import ascii_uppercase

from msgspec import Struct

from monitor.exposition import PREFIX
from monitor.metrics import CATALOGUE

SCHEMA_VERSION = 39
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
RUNBOOKS = "https://cexwatch.example.org/runbooks"
PAGE = "http://localhost:9877"

CELL_LINKS = [
    {
        "title": "${__field.labels.exchange} in detail",
        "url": "/d/cexwatch-exchange?var-exchange=${__field.labels.exchange}&${__url_time_range}",
    },
    {
        "title": "${__field.labels.exchange} on the page",
        "url": "${page}/exchanges/${__field.labels.exchange}",
        "targetBlank": True,
    },
]
"""Grafana fills in the label of the cell that was clicked."""

_LABELS = {family.name: family.labels for family in CATALOGUE}
_ALL = {"selected": True, "text": ["All"], "value": ["$__all"]}


class Step(Struct, frozen=True):
    """From `value` on, in this colour; a mapping has the value alone and says `text` for it."""

    value: float
    color: str
    text: str = ""


class Query(Struct, frozen=True):
    expr: str
    legend: str = ""
    instant: bool = False


class Column(Struct, frozen=True):
    """A label (or `Value`) of a table under the name it is shown by."""

    name: str
    shown: str


class Panel(Struct, frozen=True, kw_only=True):
    """One picture. `steps` colour values (the first has no lower bound), `words` replace values by texts."""

    kind: str  # stat, timeseries, table, state-timeline, bargauge
    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    width: int
    height: int = 8
    base: str = "text"
    steps: tuple[Step, ...] = ()
    words: tuple[Step, ...] = ()
    columns: tuple[Column, ...] = ()
    empty: str = "no data"
    dashed: str = ""  # series whose names match this pattern are thresholds: dashed, red
    ticks: bool = False  # steps are drawn as lines into the picture
    link: str = ""  # a page of the daemon, below `page`
    name_shown: bool = False
    cells: bool = False  # what is shown is of one exchange each, and leads to its board and its page


class Board(Struct, frozen=True, kw_only=True):
    uid: str
    title: str
    description: str
    panels: tuple[Panel, ...]  # left to right, a new row where one does not fit
    networks: bool = False  # one can choose networks
    exchanges: bool = True
    page: str = "/"


def of(name: str, *matchers: str, shared: bool = False, networks: bool = False) -> str:
    """A selector of the family for what is chosen on the board. With `shared`, also series of no exchange."""
    plain = re.sub(r"_(bucket|sum|count)$", "", name)
    labels = _LABELS[name] if name in _LABELS else _LABELS[plain]
    chosen = ['job=~"$job"', 'instance=~"$instance"']
    if "exchange" in labels:
        chosen.append('exchange=~"$exchange|"' if shared else 'exchange=~"$exchange"')
    if networks and "network" in labels:
        chosen.append('network=~"$network"')
    return f"{PREFIX}{name}{{{', '.join((*chosen, *matchers))}}}"


def document(board: Board) -> dict[str, object]:
    """The board as Grafana reads it from a file."""
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.description,
        "tags": ["cexwatch"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "timezone": "utc",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timepicker": {},
        "weekStart": "monday",
        "fiscalYearStartMonth": 0,
        "liveNow": False,
        "links": _links(board),
        "annotations": {"list": [_incidents()] if board.exchanges else []},
        "templating": {"list": _variables(board)},
        "panels": _panels(board.panels),
    }


def _links(board: Board) -> list[dict[str, object]]:
    shared = {"asDropdown": False, "includeVars": False, "keepTime": False, "tags": [], "tooltip": ""}
    boards = {"type": "dashboards", "title": "cexwatch", "tags": ["cexwatch"], "url": "", "icon": "external link"}
    pages = (("Page", "${page}" + board.page), ("Runbooks", "${runbooks}"))
    return [
        {**shared, **boards, "asDropdown": True, "includeVars": True, "keepTime": True, "targetBlank": False},
        *(
            {**shared, "type": "link", "title": title, "url": url, "icon": "doc", "targetBlank": True}
            for title, url in pages
        ),
    ]


def _incidents() -> dict[str, object]:
    return {
        "name": "Incidents opened",
        "enable": True,
        "hide": False,
        "iconColor": "red",
        "datasource": SOURCE,
        "expr": f"{of('incident_opened_timestamp_seconds')} * 1000",
        "useValueForTime": True,
        "step": "60s",
        "titleFormat": "{{exchange}}: {{kind}}",
        "textFormat": "",
        "tagKeys": "severity",
    }


def _variables(board: Board) -> list[dict[str, object]]:
    source = {"name": "datasource", "label": "Data Source", "type": "datasource", "query": "prometheus", "refresh": 1}
    plain = {"current": {}, "hide": 0, "includeAll": False, "multi": False, "options": [], "regex": ""}
    chosen = [
        _chosen("job", "Job", "cexwatch_build_info"),
        _chosen("instance", "Instance", 'cexwatch_build_info{job=~"$job"}'),
    ]
    ours = 'job=~"$job", instance=~"$instance"'
    if board.exchanges:
        chosen.append(_chosen("exchange", "Exchange", f"cexwatch_withdrawals_state{{{ours}}}"))
    if board.networks:
        exchange = f'cexwatch_rail_state{{{ours}, exchange=~"$exchange"}}'
        chosen.append(_chosen("network", "Network", exchange))
    return [
        {**source, **plain, "skipUrlSync": False},
        *chosen,
        _typed("page", "cexwatch page", PAGE),
        _typed("runbooks", "Runbooks", RUNBOOKS),
    ]


def _chosen(name: str, label: str, series: str) -> dict[str, object]:
    definition = f"label_values({series}, {name})"
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "definition": definition,
        "query": {"query": definition, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".+",
        "current": _ALL,
        "hide": 0,
        "options": [],
        "regex": "",
        "skipUrlSync": False,
    }


def _typed(name: str, label: str, value: str) -> dict[str, object]:
    option = {"selected": True, "text": value, "value": value}
    return {
        "name": name,
        "label": label,
        "type": "textbox",
        "query": value,
        "current": option,
        "options": [option],
        "hide": 0,
        "skipUrlSync": False,
    }


def _panels(panels: tuple[Panel, ...]) -> list[dict[str, object]]:
    """Each in its place: 24 columns, a row is as high as its highest panel."""
    drawn, x, y, height = [], 0, 0, 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > 24:
            x, y, height = 0, y + height, 0
        place = {"h": panel.height, "w": panel.width, "x": x, "y": y}
        drawn.append(_panel(panel, number, place))
        x, height = x + panel.width, max(height, panel.height)
    return drawn


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, object]:
    drawn: dict[str, object] = {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": _overrides(panel)},
        "options": _options(panel),
        "targets": [
            _target(panel, letter, query) for letter, query in zip(ascii_uppercase, panel.queries, strict=False)
        ],
    }
    if panel.link:
        drawn["links"] = [{"title": "On the page", "url": "${page}" + panel.link, "targetBlank": True}]
    if panel.columns:
        drawn["transformations"] = [_organized(panel.columns)]
    return drawn


def _defaults(panel: Panel) -> dict[str, object]:
    steps = [{"color": panel.base, "value": None}, *({"color": s.color, "value": s.value} for s in panel.steps)]
    words = {
        f"{word.value:g}": {"text": word.text, "color": word.color, "index": n} for n, word in enumerate(panel.words)
    }
    defaults: dict[str, object] = {
        "color": {"mode": "palette-classic" if panel.kind == "timeseries" else "thresholds"},
        "unit": panel.unit,
        "thresholds": {"mode": "absolute", "steps": steps},
        "mappings": [{"type": "value", "options": words}] if words else [],
        "noValue": panel.empty,
    }
    if panel.cells:
        defaults["links"] = CELL_LINKS
    match panel.kind:
        case "timeseries":
            defaults["custom"] = {
                "drawStyle": "line",
                "lineInterpolation": "stepAfter",
                "lineWidth": 1,
                "fillOpacity": 0,
                "showPoints": "never",
                "spanNulls": False,
                "stacking": {"mode": "none", "group": "A"},
                "thresholdsStyle": {"mode": "line" if panel.ticks else "off"},
            }
        case "state-timeline":
            defaults["custom"] = {"lineWidth": 0, "fillOpacity": 80, "spanNulls": False}
        case _:
            pass
    return defaults


def _overrides(panel: Panel) -> list[dict[str, object]]:
    if not panel.dashed:
        return []
    dashes = {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [8, 8]}}
    red = {"id": "color", "value": {"mode": "fixed", "fixedColor": "red"}}
    return [{"matcher": {"id": "byRegexp", "options": panel.dashed}, "properties": [dashes, red]}]


def _options(panel: Panel) -> dict[str, object]:
    reduced = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    legend = {"displayMode": "list", "placement": "bottom", "showLegend": True}
    match panel.kind:
        case "stat":
            return {
                "reduceOptions": reduced,
                "orientation": "auto",
                "textMode": "value_and_name" if panel.name_shown else "value",
                "colorMode": "background",
                "graphMode": "none",
                "justifyMode": "auto",
            }
        case "bargauge":
            return {"reduceOptions": reduced, "orientation": "horizontal", "displayMode": "basic", "showUnfilled": True}
        case "table":
            return {"showHeader": True, "cellHeight": "sm", "footer": {"show": False}}
        case "state-timeline":
            return {"mergeValues": True, "showValue": "auto", "alignValue": "left", "rowHeight": 0.9, "legend": legend}
        case _:
            return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}


def _target(panel: Panel, letter: str, query: Query) -> dict[str, object]:
    drawn: dict[str, object] = {
        "refId": letter,
        "datasource": SOURCE,
        "expr": query.expr,
        "legendFormat": query.legend,
        "instant": query.instant,
        "range": not query.instant,
    }
    return {**drawn, "format": "table"} if panel.kind == "table" else drawn


def _organized(columns: tuple[Column, ...]) -> dict[str, object]:
    return {
        "id": "organize",
        "options": {
            "excludeByName": {"Time": True},
            "indexByName": {column.name: place for place, column in enumerate(columns)},
            "renameByName": {column.name: column.shown for column in columns},
        },
    }
