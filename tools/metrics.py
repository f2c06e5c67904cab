"""Writes the table of docs/metrics.md anew from the catalogue.

`PYTHONPATH=. python tools/metrics.py`
"""

from pathlib import Path

from monitor.exposition import table
from monitor.metrics import CATALOGUE

PAGE = Path(__file__).parents[1] / "docs" / "metrics.md"


def main() -> None:
    written = table(CATALOGUE)
    before, _, _ = PAGE.read_text().partition(written.splitlines()[0])
    PAGE.write_text(before + written)


if __name__ == "__main__":
    main()
