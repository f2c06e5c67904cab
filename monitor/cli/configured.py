"""The configuration as commands find it."""

import os
from pathlib import Path

from monitor import logs
from monitor.cli.outcome import Code, expected
from monitor.config import ConfigError, Loaded, LogLevel, load, secrets_of
from monitor.probes import EXCHANGES, MUTE, WITH_PASSPHRASE


def configured(path: Path) -> Loaded:
    """Ends the command with every problem of the configuration.

    The log has errors only from here on, on standard error: what else there is to say a command says itself.
    """
    with expected(ConfigError, code=Code.USAGE):
        loaded = load(path, os.environ, known_exchanges=EXCHANGES, passphrases=WITH_PASSPHRASE, mute=MUTE)
    logs.configure(level=LogLevel.ERROR, json=False, secrets=secrets_of(loaded.config))
    return loaded
