"""Writes the tables of docs/metrics.md and docs/freeze-metrics.md anew from their catalogues.

`PYTHONPATH=. python tools/metrics.py`
"""

from pathlib import Path

from monitor.exposition import GATE, table
from monitor.metrics import CATALOGUE

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {DOCS / "metrics.md": CATALOGUE, DOCS / "freeze-metrics.md": GATE}


def main() -> None:
    for page, catalogue in PAGES.items():
        written = table(catalogue)
        before, _, _ = page.read_text().partition(written.splitlines()[0])
        page.write_text(before + written)


if __name__ == "__main__":
    main()
