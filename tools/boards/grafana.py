"""Grafana's classic dashboard JSON, schema version 39, which Grafana 11, 12 and 13 load: what our boards use of it.

Shapes are those of grafana.com "JSON model".
"""

from monitor.exposition import PREFIX
from tools.boards.board import Board, of
from tools.boards.panels import SOURCE, panels

SCHEMA_VERSION = 39
RUNBOOKS = "https://cexwatch.example.org/runbooks"
PAGE = "http://localhost:9877"

_ALL = {"selected": True, "text": ["All"], "value": ["$__all"]}
_ONE: dict[str, object] = {"multi": False, "includeAll": False, "allValue": "", "current": {}}  # the first there is


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
        "panels": panels(board.panels),
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
    build = PREFIX + board.build
    chosen = [
        _chosen("job", "Job", build),
        _chosen("instance", "Instance", f'{build}{{job=~"$job"}}'),
    ]
    ours = 'job=~"$job", instance=~"$instance"'
    if board.exchanges:
        exchange = _chosen("exchange", "Exchange", f"cexwatch_withdrawals_state{{{ours}}}")
        chosen.append({**exchange, **_ONE} if board.single else exchange)
    if board.networks:
        chosen.append(_chosen("network", "Network", f'cexwatch_rail_state{{{ours}, exchange=~"$exchange"}}'))
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
