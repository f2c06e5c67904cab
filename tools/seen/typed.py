"""Holds the boards to the types that Grafana publishes of its own JSON, by `tsc` on literals: unknown keys are errors.

A dashboard is one literal, the options and the custom field configuration of each panel are literals of their plugin's.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import Raw, Struct

HERE = Path(__file__).resolve().parent
BOARDS = sorted((HERE.parents[1] / "dashboards").glob("*.json"))
SCHEMA = HERE / "node_modules/@grafana/schema/dist/types"
PLUGINS = {
    "stat": "stat",
    "timeseries": "timeseries",
    "table": "table",
    "bargauge": "bargauge",
    "state-timeline": "statetimeline",
}
WITHOUT_FIELDS = {"stat", "bargauge"}
PLAIN = """
// What JSON has in place of enumerations; and what Grafana fills in is not asked for.
type Plain<T> = T extends string ? `${T}` : T extends (infer U)[] ? Plain<U>[]
  : T extends object ? { [K in keyof T]?: Plain<T[K]> } : T;
// What a data source and the kinds of variables add of their own is published nowhere.
type Open<T> = { list: (Plain<T> & Record<string, unknown>)[] };
type Board = Plain<Omit<Dashboard, "annotations" | "templating">>
  & { annotations: Open<AnnotationQuery>; templating: Open<VariableModel> };
"""
OPTIONS = ("--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler")


class Defaults(Struct):
    custom: Raw = Raw(b"{}")


class Fields(Struct):
    defaults: Defaults


class Panel(Struct):
    type: str
    options: Raw
    fields: Fields = msgspec.field(name="fieldConfig")


class Board(Struct):
    panels: list[Panel]


def program(boards: Mapping[str, bytes]) -> str:
    """TypeScript that is without error where the boards, name -> JSON, are."""
    return "".join(_lines(boards))


def _lines(boards: Mapping[str, bytes]) -> Iterator[str]:
    yield f"import type {{ AnnotationQuery, Dashboard, VariableModel }} from {json.dumps(str(SCHEMA / 'index'))};\n"
    for kind, folder in PLUGINS.items():
        names = "Options" if kind in WITHOUT_FIELDS else "Options, FieldConfig"
        shown = ", ".join(f"{name} as {folder}{name}" for name in names.split(", "))
        path = SCHEMA / "raw/composable" / folder / "panelcfg/x/types.gen"
        yield f"import type {{ {shown} }} from {json.dumps(str(path))};\n"
    yield PLAIN
    for name, text in boards.items():
        yield f"// {name}\n({text.decode().strip()}) satisfies Board;\n"
        for panel in msgspec.json.decode(text, type=Board).panels:
            plugin = PLUGINS[panel.type]
            yield f"({bytes(panel.options).decode()}) satisfies Plain<{plugin}Options>;\n"
            if panel.type not in WITHOUT_FIELDS:
                yield f"({bytes(panel.fields.defaults.custom).decode()}) satisfies Plain<{plugin}FieldConfig>;\n"


if __name__ == "__main__":
    written = Path(sys.argv[1]).resolve() / "boards.ts"
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_text(program({board.name: board.read_bytes() for board in BOARDS}))
    command = [str(HERE / "node_modules/.bin/tsc"), *OPTIONS, str(written)]
    raise SystemExit(subprocess.run(command, check=False).returncode)  # noqa: S603 # our own words
