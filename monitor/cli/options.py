"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

CONFIG = Path("config/cexwatch.yaml")
ENVIRONMENT = "CEXWATCH_CONFIG"

ConfigOption = Annotated[Path, typer.Option("--config", envvar=ENVIRONMENT, metavar="FILE", help="The configuration.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
