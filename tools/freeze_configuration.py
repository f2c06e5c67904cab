"""Writes the tables of docs/freeze-configuration.md anew from the model.

`PYTHONPATH=. python tools/freeze_configuration.py`
"""

from pathlib import Path

from monitor.config.gate import GateConfig
from monitor.config.reference import tables

PAGE = Path(__file__).parents[1] / "docs" / "freeze-configuration.md"


def main() -> None:
    written = tables(GateConfig)
    before, _, _ = PAGE.read_text().partition(written.splitlines()[0])
    PAGE.write_text(before + written)


if __name__ == "__main__":
    main()
