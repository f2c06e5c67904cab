"""Writes the dashboards of dashboards/ from what tools/boards/ says: `PYTHONPATH=. python tools/dashboards.py`."""

import json
from pathlib import Path

from tools.boards.board import Board
from tools.boards.daemon import DAEMON
from tools.boards.exchange import EXCHANGE
from tools.boards.freeze import FREEZE
from tools.boards.grafana import document
from tools.boards.notices import NOTICES
from tools.boards.overview import OVERVIEW
from tools.boards.reserves import RESERVES

BOARDS = (OVERVIEW, EXCHANGE, RESERVES, NOTICES, DAEMON, FREEZE)
FOLDER = Path(__file__).resolve().parent.parent / "dashboards"


def text(board: Board) -> str:
    return json.dumps(document(board), indent=2) + "\n"


if __name__ == "__main__":
    for board in BOARDS:
        (FOLDER / f"{board.uid}.json").write_text(text(board))
