"""The configuration as commands find it."""

import os
from pathlib import Path

from monitor.cli.outcome import Code, expected
from monitor.config import ConfigError, Loaded, load
from monitor.probes import EXCHANGES, WITH_PASSPHRASE


def configured(path: Path) -> Loaded:
    """Ends the command with every problem of the configuration."""
    with expected(ConfigError, code=Code.USAGE):
        return load(path, os.environ, known_exchanges=EXCHANGES, passphrases=WITH_PASSPHRASE)
