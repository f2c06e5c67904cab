"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

CONFIG = Path("config/cexwatch.yaml")
ENVIRONMENT = "CEXWATCH_CONFIG"

ConfigOption = Annotated[Path, typer.Option("--config", envvar=ENVIRONMENT, metavar="FILE", help="The configuration.")]
AsOption = Annotated[
    str, typer.Option("--as", metavar="NAME", help="Say it as this account; its password is asked for.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

JournalsArgument = Annotated[list[Path], typer.Argument(metavar="JOURNAL...", help="Journals as JSON Lines.")]
JudgeByOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Judge by this configuration, not by that of the journals."),
]
CompareOption = Annotated[
    Path | None, typer.Option("--compare", metavar="FILE", help="Judge by this one too, and tell what it changes.")
]
TruthOption = Annotated[
    Path | None,
    typer.Option(
        "--truth", metavar="FILE", help="What happened; by default X.truth.jsonl beside X.jsonl, where it is."
    ),
]
