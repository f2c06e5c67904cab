"""A panel in Grafana's JSON: defaults of its fields, overrides, options, targets.

Shapes are those of the panels' own reference pages on grafana.com.
"""

from string import ascii_uppercase

from tools.boards.board import Column, Panel, Query

SOURCE = {"type": "prometheus", "uid": "${datasource}"}

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

ROW_LINKS = [
    {
        "title": "${__value.text} in detail",
        "url": "/d/cexwatch-exchange?var-exchange=${__value.text}&${__url_time_range}",
    },
    {"title": "${__value.text} on the page", "url": "${page}/exchanges/${__value.text}", "targetBlank": True},
]
"""The same in a table, where the exchange is what the cell says."""


_COLORED = ("custom.cellOptions", {"type": "color-text"})


def panels(wanted: tuple[Panel, ...]) -> list[dict[str, object]]:
    """Each in its place: 24 columns, a row is as high as its highest panel."""
    drawn, x, y, height = [], 0, 0, 0
    for number, panel in enumerate(wanted, start=1):
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
    if links := _links(panel):
        drawn["links"] = links
    if panel.columns:
        drawn["transformations"] = [_organized(panel.columns)]
    return drawn


def _links(panel: Panel) -> list[dict[str, object]]:
    links: list[dict[str, object]] = []
    if panel.link:
        links.append({"title": "On the page", "url": "${page}" + panel.link, "targetBlank": True})
    if panel.runbook:
        links.append({"title": "Runbook", "url": f"${{runbooks}}/{panel.runbook}.md", "targetBlank": True})
    return links


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
    if panel.whole:
        defaults["decimals"] = 0
    if panel.cells:
        defaults["links"] = CELL_LINKS
    match panel.kind:
        case "timeseries":
            defaults["custom"] = _lines(panel)
        case "table":
            defaults["custom"] = {"minWidth": 60}
        case "state-timeline":
            defaults["custom"] = {"lineWidth": 0, "fillOpacity": 80}
        case _:
            pass
    return defaults


def _lines(panel: Panel) -> dict[str, object]:
    lines: dict[str, object] = {
        "drawStyle": "line",
        "lineInterpolation": "stepAfter",
        "lineWidth": 1,
        "fillOpacity": 0,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "none", "group": "A"},
        "thresholdsStyle": {"mode": "line" if panel.ticks else "off"},
    }
    if panel.log:
        lines["scaleDistribution"] = {"type": "log", "log": 10}
    # A line that the scale leaves out cannot be seen to be far away, and zero alone would be drawn below 10000 %.
    values = [0.0, panel.high, *(step.value for step in panel.steps if panel.ticks)]
    if any(values):
        lines |= {"axisSoftMin": min(values), "axisSoftMax": max(values)}
    return lines


def _overrides(panel: Panel) -> list[dict[str, object]]:
    overrides = [
        _override("byName", column.shown, ("custom.width", column.width)) for column in panel.columns if column.width
    ]
    overrides += [
        _override("byName", column.shown, ("mappings", [_worded(column)]), _COLORED)
        for column in panel.columns
        if column.colors
    ]
    if any(column.name == "exchange" for column in panel.columns):
        overrides.append(_override("byName", "Exchange", ("links", ROW_LINKS)))
    if panel.columns and panel.steps:
        overrides.append(_override("byName", panel.falling or panel.columns[-1].shown, _COLORED))
    if panel.dashed:
        dashes, red = {"fill": "dash", "dash": [8, 8]}, {"mode": "fixed", "fixedColor": "red"}
        overrides.append(_override("byRegexp", panel.dashed, ("custom.lineStyle", dashes), ("color", red)))
    return overrides


def _worded(column: Column) -> dict[str, object]:
    words = {word.text: {"text": word.text, "color": word.color, "index": n} for n, word in enumerate(column.colors)}
    return {"type": "value", "options": words}


def _override(matcher: str, what: str, *properties: tuple[str, object]) -> dict[str, object]:
    return {
        "matcher": {"id": matcher, "options": what},
        "properties": [{"id": name, "value": value} for name, value in properties],
    }


def _options(panel: Panel) -> dict[str, object]:
    reduced = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    legend = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
    match panel.kind:
        case "stat":
            return {
                "reduceOptions": reduced,
                "orientation": "auto",
                "textMode": "value_and_name" if panel.name_shown else "value",
                "colorMode": "background" if panel.steps or panel.words else "none",
                "graphMode": "none",
                "justifyMode": "auto",
            }
        case "bargauge":
            return {"reduceOptions": reduced, "orientation": "horizontal", "displayMode": "basic", "showUnfilled": True}
        case "table":
            options: dict[str, object] = {"showHeader": True, "cellHeight": "sm"}
            return {**options, "sortBy": [{"displayName": panel.falling, "desc": True}]} if panel.falling else options
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
