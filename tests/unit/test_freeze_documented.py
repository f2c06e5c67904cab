"""What is written of the gate's configuration is what it reads."""

import json
from pathlib import Path

from monitor.config.gate import GateConfig
from monitor.config.reference import schema, tables

ROOT = Path(__file__).parents[2]


def test_the_documented_tables_are_the_model() -> None:
    assert (ROOT / "docs/freeze-configuration.md").read_text(encoding="utf-8").endswith(tables(GateConfig)), "make docs"


def test_the_shipped_schema_is_the_model() -> None:
    shipped = json.loads((ROOT / "config/freeze.schema.json").read_text(encoding="utf-8"))

    assert shipped == schema(GateConfig, title="freeze.yaml"), "make docs"
