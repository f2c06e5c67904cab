"""What is read before the daemon starts, and again at a reload: configuration, manner of the log, addresses."""

import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from monitor import logs
from monitor.channels.webhook import BodyError
from monitor.config import Config, ConfigError, Loaded, LogFormat, load, secrets_of
from monitor.exposition import Intervals
from monitor.polls import read_book, read_templates
from monitor.probes import EXCHANGES, MUTE, WITH_PASSPHRASE
from monitor.reserves.book import Book, BookError
from monitor.telling import told_by
from monitor.voices import check


class StartError(Exception):
    """The daemon cannot start; the text says why and what to do."""


class TooEarlyError(StartError):
    """It can start later, as it is: the clock is behind the journal."""


def read_config(path: Path, environ: Mapping[str, str]) -> Loaded:
    """Raises StartError with all problems of the configuration."""
    try:
        loaded = load(path, environ, known_exchanges=EXCHANGES, passphrases=WITH_PASSPHRASE, mute=MUTE)
        read_templates(loaded.config)
        check(loaded.config)
    except (ConfigError, BodyError, OSError, UnicodeDecodeError) as error:
        raise StartError(str(error)) from error
    return loaded


def set_up_log(config: Config) -> None:
    as_json = config.log.format is LogFormat.JSON or (config.log.format is LogFormat.AUTO and not sys.stderr.isatty())
    logs.configure(level=config.log.level, json=as_json, secrets=secrets_of(config))


def read_addresses(config: Config) -> Book:
    """Raises StartError with all problems of the address books."""
    try:
        return read_book(config)
    except (BookError, OSError, UnicodeDecodeError) as error:
        raise StartError(str(error)) from error


def read_at_start(config: Config) -> dict[str, object]:
    """The settings that a reload cannot change."""
    return {
        "database": config.database,
        "socket": config.socket,
        "listen": config.listen,
        "channels": config.channels,
        "notify": told_by(config),
        "limits": config.limits,
        "auth": config.auth,
        "external_url": config.external_url,
        "people": (config.people.idle, config.people.longest),
    }


def intervals(config: Config) -> Intervals:
    chains = max((chain.interval for chain in config.chains.values()), default=timedelta(seconds=60))
    own = [e.interval for e in config.exchanges.values() if e.interval is not None]
    lists = max([*own, timedelta(seconds=60)])
    return Intervals(rails=lists.total_seconds(), wallets=chains.total_seconds())
