"""`cexwatch dashboards export`: the dashboards with the reader's own links, and provisioning beside them."""

import json
from collections.abc import Mapping
from pathlib import Path

from monitor.shipped import DASHBOARDS


def write(folder: Path, *, links: Mapping[str, str]) -> None:
    """Replace what is there of the same name; other files stay. `links`: our address -> theirs. Raises OSError."""
    boards = sorted(DASHBOARDS.glob("*.json"))
    for board in boards:
        _put(folder / board.name, _linked(board.read_text(), links))
    provisioning = DASHBOARDS / "provisioning"
    for file in sorted(provisioning.rglob("*.yml")):
        _put(folder / provisioning.name / file.relative_to(provisioning), file.read_text())
    print(f"{folder}: {', '.join(board.name for board in boards)}, {provisioning.name}")


def _linked(board: str, links: Mapping[str, str]) -> str:
    """An address is replaced where it is the whole of a text: the value of a variable."""
    for shipped, ours in links.items():
        board = board.replace(json.dumps(shipped), json.dumps(ours))
    return board


def _put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
